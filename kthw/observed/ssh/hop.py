"""One host on the way to a worker, and everything ssh_config says about it."""

from __future__ import annotations

import getpass
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from kthw.intended import tutorial
from kthw.observed.ssh import config, names, protocol
from kthw.target import SshAccess

PORT: Final = 22
_ASKED: Final = "--ssh-jump"
"""In ``Hop.jumps``, the host of that option: no ProxyJump can be called so."""


@dataclass(frozen=True)
class Hop:
    """``alias`` is what ssh_config was asked about. ``jumps`` and ``proxy_command`` are the ways to get
    there that are no plain connection: one of them, or none.
    """

    alias: str
    host: str
    port: int
    user: str
    identity_files: tuple[str, ...] = ()
    identities_only: bool = False
    agent: bool = True
    known_hosts: tuple[Path, ...] = ()
    host_key_alias: str = ""
    accept_new: bool = False
    proxy_command: str = ""
    jumps: tuple[str, ...] = ()

    @property
    def host_key_name(self) -> str:
        """The name its key is known under."""
        if self.host_key_alias or self.port == PORT:
            return self.host_key_alias or self.host
        return f"[{self.host}]:{self.port}"

    @property
    def noun(self) -> str:
        """What a person knows it as, and what that is."""
        return self.alias if self.alias == self.host else f"{self.alias} ({self.host})"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def worker_hop(access: SshAccess, worker: str, address: str) -> Hop:
    """How to reach ``worker``: by the entry for its name, where there is one, else the one for its address.

    An ``access.user`` other than the tutorial's is the user's express wish and beats the file's.
    Raises ``OSError``, ``ValueError`` for a file that cannot be read or understood, or must not be, and for
    what is no address, host or user (``ssh_names``): before it is looked up, and what was found as well.
    """
    address = names.address(address)
    names.user("--ssh-user", access.user)
    text = config.text_of(access.config)
    alias = worker if names.is_host(worker) and config.names(text, worker) else address
    wish = f"User {access.user}\n" if access.user != tutorial.SSH_USER else ""
    hop = _looked_up(access, text, alias, wish, f"HostName {address}\nUser {access.user}\n")
    # An option wins over the file, as ``ssh -J`` does.
    return replace(hop, proxy_command="", jumps=(_ASKED,)) if access.jump else hop


def jump_hop(access: SshAccess, spec: str) -> Hop:
    """A ``ProxyJump`` entry (``[user@]host[:port]``, maybe as ``ssh://``) as ssh_config completes it.

    The one of ``access.jump`` is looked up as a worker is: by the entry for its name, where there is one,
    else by the address of the instance; and its user is the workers', where nothing says another.
    Raises ``OSError``, ``ValueError``.
    """
    asked = spec == _ASKED
    user, host, port = names.jump(_ASKED, access.jump) if asked else names.jump("ProxyJump", spec)
    text = config.text_of(access.config)
    address = names.address(access.jump_address) if asked and access.jump_address else host
    alias = host if config.names(text, host) else address
    wish = (f"User {user}\n" if user else "") + (f"Port {port}\n" if port else "")
    usual = access.user if asked else getpass.getuser()
    return _looked_up(access, text, alias, wish, f"HostName {address}\nUser {usual}\n")


def _looked_up(access: SshAccess, text: str, alias: str, first: str, last: str) -> Hop:
    # The first value found counts: wishes go before the file, defaults after it.
    said = protocol.lookup((first, text, last), alias)
    key_alias = said.get("hostkeyalias", "")
    files = [
        *shlex.split(said.get("userknownhostsfile", "~/.ssh/known_hosts")),
        *shlex.split(said.get("globalknownhostsfile", "/etc/ssh/ssh_known_hosts")),
    ]
    # So too of ProxyCommand and ProxyJump.
    way = next((each for each in said if each in ("proxycommand", "proxyjump")), "")
    jumps = said["proxyjump"] if way == "proxyjump" else "none"
    strict = said.get("stricthostkeychecking", "ask").lower()
    return Hop(
        alias=alias,
        host=names.host("HostName", said["hostname"]),
        port=names.port("Port", str(said.get("port", PORT))),
        user=names.user("User", said["user"]),
        identity_files=tuple(each for each in said.get("identityfile", []) if each.lower() != "none"),
        identities_only=said.get("identitiesonly", "no").lower() == "yes",
        agent=said.get("identityagent", "").lower() != "none",
        known_hosts=tuple(Path(each).expanduser() for each in files if each.lower() != "none"),
        host_key_alias=names.host("HostKeyAlias", key_alias) if key_alias else "",
        # accept-new as in OpenSSH; "no" as well, except that a changed key stays refused.
        accept_new=access.accept_new or strict in ("accept-new", "no", "off"),
        proxy_command=(said.get("proxycommand") or "") if way == "proxycommand" else "",
        jumps=() if jumps.lower() == "none" else tuple(each.strip() for each in jumps.split(",")),
    )
