"""The ``ssh`` command that goes the way we went, for a person to type."""

from __future__ import annotations

import shlex

from kthw.observed.ssh.hop import PORT, Hop
from kthw.target import SshAccess


def login(access: SshAccess, address: str, hop: Hop | None, through: Hop | None = None) -> str:
    """The command for ``hop``, or for ``address`` where no ssh_config was asked yet.

    ``through`` is the jump host that an option names; what ssh_config says, ``ssh`` reads itself.
    """
    if hop is None:
        return shlex.join(["ssh", *_files(access), f"{access.user}@{address}"])
    *options, host = _to(access, hop, address)
    if through:
        *way, jump = (word.replace("%", "%%") for word in _to(access, through, access.jump_address))
        # Not -J, by which the jump host would be given no key.
        options += ["-o", f"ProxyCommand={shlex.join(['ssh', *way, '-W', '%h:%p', jump])}"]
    return shlex.join(["ssh", *options, host])


def _to(access: SshAccess, hop: Hop, address: str) -> list[str]:
    options = _files(access) + (["-p", str(hop.port)] if hop.port != PORT else [])
    # By the entry that we used, which may know a way there that the address does not.
    if hop.alias != hop.host == address:
        options += ["-o", f"HostName={hop.host}"]
    return [*options, f"{hop.user}@{hop.alias}"]


def _files(access: SshAccess) -> list[str]:
    config = ["-F", access.config] if access.config else []
    return config + (["-i", access.key] if access.key else [])
