"""What a value that somebody else sent may be: the types of the evidence's fields.

``msgspec.convert`` checks them at each door (a worker's answers, EC2's answers, a recording), before a value
is compared, shown, put into a command or sent on. Patterns are whole: nothing may stand before or after.
"""

from __future__ import annotations

import contextlib
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

_BYTE: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_ADDRESS: Final = rf"{_BYTE}(?:\.{_BYTE}){{3}}"
_PREFIX: Final = r"/(?:3[0-2]|[12]?[0-9])"
_WORD: Final = r"[A-Za-z0-9:][A-Za-z0-9._:/@+=-]*"

Address = Annotated[str, Meta(pattern=rf"\A{_ADDRESS}\Z")]
"""An IPv4 address."""
MaybeAddress = Annotated[str, Meta(pattern=rf"\A(?:{_ADDRESS})?\Z")]
"""An IPv4 address, or empty where there is none."""
Cidr = Annotated[str, Meta(pattern=rf"\A{_ADDRESS}{_PREFIX}\Z")]
"""An IPv4 network, or an address with its prefix; host bits are not looked at."""
MaybeCidr = Annotated[str, Meta(pattern=rf"\A(?:{_ADDRESS}{_PREFIX})?\Z")]
"""An IPv4 network, or empty where there is none."""
Identifier = Annotated[str, Meta(pattern=rf"\A{_WORD}\Z", max_length=300)]
"""An id of AWS's or the like (``i-0ab…``, an IPv6 block, a region): one harmless word."""
MaybeIdentifier = Annotated[str, Meta(pattern=rf"\A(?:{_WORD})?\Z", max_length=300)]
"""The same, or empty."""
RuleProtocol = Annotated[str, Meta(pattern=rf"\A(?:-1|{_WORD})\Z", max_length=300)]
"""Of a rule: ``-1`` (all), a name or a number."""
Interface = Annotated[str, Meta(pattern=r"\A[^\s/\x00-\x20\x7f]{0,15}\Z")]
"""A network interface's name as the kernel allows it (``dev_valid_name``), or empty."""
Name = Annotated[str, Meta(max_length=300)]
"""What a person called something, or a file: any text; made printable where it is shown."""
Text = Annotated[str, Meta(max_length=5000)]
"""A longer text of somebody else's: an error's detail, a firewall rule."""
Port = Annotated[int, Meta(ge=-1, le=65535)]
"""A port, or an ICMP type or code; -1 is all."""
Small = Annotated[int, Meta(ge=0, le=100_000)]
"""A count or a size of a few digits: an MTU, a device index, a rule's number."""
Milliseconds = Annotated[float, Meta(ge=0, le=1e8)]


def prepared(*types: Any) -> None:
    """Let msgspec learn ``types`` now, while no thread converts into them.

    It learns a type when it first meets it, and two threads that meet one at once end the process with a
    segmentation fault (seen with msgspec 0.22). Whoever converts in threads calls this on import.
    """
    for each in types:
        with contextlib.suppress(msgspec.ValidationError):
            msgspec.convert(None, each)
