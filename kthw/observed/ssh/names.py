"""What may be handed to SSH as a host, a user or a port, wherever it comes from.

A name ends up in a line of ssh_config, in a ProxyCommand that a shell runs, and in commands that people
paste. OpenSSH refuses the characters a shell would act on (ssh.c, ``valid_hostname``, ``valid_ruser``);
so do we, and a little more, because ours also go into patterns and into known_hosts.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from kthw.foreign import printable

_MOST: Final = 255
_SHELL: Final = "'`\"$;&<>|(){}~"
_HOST: Final = frozenset(_SHELL + "\\*?!#,@")
_USER: Final = frozenset(_SHELL)
_HOST_AND_PORT: Final = re.compile(r"(?:\[([^\]]*)\]|([^:]*))(?::([^:]*))?")
"""An IPv6 address stands in brackets where a port follows."""


class UnfitNameError(ValueError):
    """One sentence; ``variant`` is the situation within ``ssh-unreachable``."""

    variant = "unfit"


def address(text: str) -> str:
    """``text``, an IPv4 address and nothing else. Raises ``UnfitNameError``."""
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise UnfitNameError(f"{_shown(text)} is no IPv4 address") from None


def is_host(text: str) -> bool:
    """Whether ``text`` may be a host's name or address, or an alias of one."""
    return 0 < len(text) <= _MOST and text[0] != "-" and not any(_is_odd(c, _HOST) for c in text)


def host(what: str, text: str) -> str:
    """``text``, if it may be a host; ``what`` says where it stood. Raises ``UnfitNameError``."""
    if not is_host(text):
        raise UnfitNameError(f"{what} {_shown(text)} is no host name that OpenSSH takes")
    return text


def user(what: str, text: str) -> str:
    """``text``, if it may be a user (``DOMAIN\\name`` is one). Raises ``UnfitNameError``."""
    odd = any(_is_odd(c, _USER) for c in text)
    if odd or not 0 < len(text) <= _MOST or text[0] == "-" or text[-1] == "\\":
        raise UnfitNameError(f"{what} {_shown(text)} is no user name that OpenSSH takes")
    return text


def port(what: str, text: str) -> int:
    """The number in ``text``, 1 to 65535. Raises ``UnfitNameError``."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else 0
    if not 0 < number < 2**16:
        raise UnfitNameError(f"{what} {_shown(text)} is no port")
    return number


def jump(what: str, text: str) -> tuple[str, str, int]:
    """User (or empty), host and port (or 0) of ``[user@]host[:port]``, maybe as ``ssh://``.

    Raises ``UnfitNameError``.
    """
    who, _, rest = text.removeprefix("ssh://").rpartition("@")
    found = _HOST_AND_PORT.fullmatch(rest)
    there, number = (found[1] or found[2], found[3]) if found else (rest, None)
    return user(what, who) if who else "", host(what, there), port(what, number) if number else 0


def _is_odd(character: str, refused: frozenset[str]) -> bool:
    return character in refused or character.isspace() or not character.isprintable()


def _shown(text: str) -> str:
    return f'"{printable(text, 60)}"' if text else '""'
