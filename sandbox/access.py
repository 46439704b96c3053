"""What a person logs in with: the ssh_config and known_hosts of a sandbox, kept true."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kthw.intended import tutorial
from sandbox.internet import PUBLIC
from sandbox.state import Eni, State

SSH_CONFIG: Final = "ssh_config"
SHELL_CONFIG: Final = "ssh_config.shell"
DIAL_SOCKET: Final = "internet.sock"
KNOWN_HOSTS: Final = "known_hosts"
_JUMP: Final = re.compile(r"jump|bastion", re.IGNORECASE)
_DIAL: Final = Path(__file__).with_name("dial.py")


@dataclass(frozen=True)
class Access:
    """The files of a sandbox directory that the host's programs read.

    ``nobody``: what a person is told, in their language, who dials an address that no machine has.
    """

    directory: Path
    nobody: str = ""

    @property
    def key(self) -> Path:
        """The tutorial's private key; there only when the sandbox made the key pair."""
        return self.directory / tutorial.KEY_FILE

    def write(self, state: State, host_keys: dict[str, str]) -> None:
        """Write the files for the instances that run now. A reader never sees half a file."""
        hosts, known = [], []
        names = [i.name for i in state.instances.values() if i.running]
        primary = [e for e in state.enis.values() if state.instances[e.instance].running and not e.index]
        inside = [eni.addresses[0] for eni in primary]
        jumps = _jump_hosts(state, primary)
        for eni in sorted(primary, key=lambda eni: eni.id):
            instance, address, jump = state.instances[eni.instance], eni.addresses[0], ""
            if eni.public:
                address = eni.public[0][1]
            elif inside.count(address) > 1:
                continue
            # Where none is known, a person may name the jump host: the key is known all the same.
            known.append(f"{address} {host_keys[instance.id]}\n")
            if eni.public:
                known.append(f"{state.vpcs[eni.vpc].public_name(address)} {host_keys[instance.id]}\n")
            if not eni.public:
                jump = jumps.get(eni.vpc, "")
                if not jump:
                    continue
            # Two machines of one name: neither can be meant by it.
            by_name = instance.name and names.count(instance.name) == 1 and " " not in instance.name
            patterns = f"{instance.name} {address}" if by_name else address
            hosts.append((patterns, address, jump, instance.user))
        self._replace(KNOWN_HOSTS, "".join(known))
        machines = "".join(self._host(*host) for host in hosts)
        self._replace(SSH_CONFIG, f"{machines}Host *\n{self._way(self._dial())}")
        self._replace(SHELL_CONFIG, machines + self._beside_the_person_s_own())

    def _host(self, patterns: str, address: str, jump: str, user: str) -> str:
        """``jump``: the machine that it is reached through, or empty."""
        own = f"    User {user}\n" if user != tutorial.SSH_USER else ""
        through = f"    ProxyJump {jump}\n{self._login(user)}" if jump else own
        return f"Host {patterns}\n    HostName {address}\n{through}\n"

    def _beside_the_person_s_own(self) -> str:
        """For whoever has no option ``-F``: what is in the sandbox goes there, all else as ever.

        The person's own configuration does not apply to the sandbox's machines, and comes before ours is
        asked about a name of theirs, which may stand for an address of the sandbox.
        """
        addresses = [pattern for block in PUBLIC for pattern in _patterns(block)]
        ours = addresses + [f"ec2-{pattern.replace('.', '-')}.amazonaws.com" for pattern in addresses]
        others = ",".join([*(f"!{pattern}" for pattern in ours), "*"])
        return (
            f'Match host "{others}"\n    Include ~/.ssh/config\n    Include /etc/ssh/ssh_config\n\n'
            f'Match host "{",".join(ours)}"\n{self._way(self._dial(shlex.quote(self.nobody)))}'
        )

    def _dial(self, more: str = "") -> str:
        command = [sys.executable, "-I", "-S", str(_DIAL), str(self.directory / DIAL_SOCKET)]
        return f"{shlex.join(command)} %h %p {more}".rstrip()

    def _way(self, dial: str) -> str:
        return f"{self._login()}    ProxyCommand {dial}\n"

    def _login(self, user: str = tutorial.SSH_USER) -> str:
        identity = f"    IdentityFile {self.key}\n    IdentitiesOnly yes\n" if self.key.exists() else ""
        return (
            f"    User {user}\n{identity}"
            f"    UserKnownHostsFile {self.directory / KNOWN_HOSTS}\n"
            "    StrictHostKeyChecking yes\n"
        )

    def _replace(self, name: str, text: str) -> None:
        path = self.directory / name
        if path.exists() and path.read_text() == text:
            return
        fresh = path.with_suffix(".new")
        fresh.touch(0o600)
        fresh.write_text(text)
        fresh.replace(path)


def _jump_hosts(state: State, primary: Iterable[Eni]) -> dict[str, str]:
    """By VPC, the public address of a machine there whose name says what it is for."""
    return {
        eni.vpc: eni.public[0][1]
        for eni in primary
        if eni.public and _JUMP.search(state.instances[eni.instance].name)
    }


def _patterns(block: str) -> list[str]:
    """An IPv4 range of 8, 16 or 24 fixed bits, or a pair of such, as ssh_config(5) writes patterns."""
    first, _, bits = block.partition("/")
    fixed = first.split(".")[: -(-int(bits) // 8)]
    last = int(fixed[-1])
    count = 1 << (-int(bits) % 8)
    return [".".join([*fixed[:-1], str(last + n), "*"]) for n in range(count)]
