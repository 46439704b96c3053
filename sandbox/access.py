"""What a person logs in with: the ssh_config and known_hosts of a sandbox, kept true."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kthw.intended import tutorial
from sandbox.state import State

SSH_CONFIG: Final = "ssh_config"
DIAL_SOCKET: Final = "internet.sock"
KNOWN_HOSTS: Final = "known_hosts"
_DIAL: Final = Path(__file__).with_name("dial.py")


@dataclass(frozen=True)
class Access:
    """The files of a sandbox directory that the host's programs read."""

    directory: Path

    @property
    def key(self) -> Path:
        """The tutorial's private key; there only when the sandbox made the key pair."""
        return self.directory / tutorial.KEY_FILE

    def write(self, state: State, host_keys: dict[str, str]) -> None:
        """Write both files for the instances that run now. A reader never sees half a file."""
        hosts, known = [], []
        names = [i.name for i in state.instances.values() if i.running]
        for eni in sorted(state.enis.values(), key=lambda eni: eni.id):
            instance = state.instances[eni.instance]
            if not instance.running or not eni.public or eni.index:
                continue
            public = eni.public[0][1]
            # Two machines of one name: neither can be meant by it.
            by_name = instance.name and names.count(instance.name) == 1 and " " not in instance.name
            hosts.append((f"{instance.name} {public}" if by_name else public, public))
            known.append(f"{public} {host_keys[instance.id]}\n")
        self._replace(KNOWN_HOSTS, "".join(known))
        self._replace(SSH_CONFIG, "".join(self._host(*host) for host in hosts) + self._rest())

    @staticmethod
    def _host(patterns: str, address: str) -> str:
        return f"Host {patterns}\n    HostName {address}\n\n"

    def _rest(self) -> str:
        command = [sys.executable, "-I", "-S", str(_DIAL), str(self.directory / DIAL_SOCKET)]
        identity = f"    IdentityFile {self.key}\n    IdentitiesOnly yes\n" if self.key.exists() else ""
        return (
            f"Host *\n    User {tutorial.SSH_USER}\n{identity}"
            f"    UserKnownHostsFile {self.directory / KNOWN_HOSTS}\n"
            "    StrictHostKeyChecking yes\n"
            f"    ProxyCommand {shlex.join(command)} %h %p\n"
        )

    def _replace(self, name: str, text: str) -> None:
        path = self.directory / name
        if path.exists() and path.read_text() == text:
            return
        fresh = path.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(path)
