"""A real sshd on the loopback interface, with keys of its own, for the login tests."""

from __future__ import annotations

import getpass
import os
import shlex
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kthw.target import SshAccess


def make_key(file: Path, kind: str = "ed25519", *options: str, passphrase: str = "") -> Path:
    """A private key, with its public half beside it."""
    command = ["ssh-keygen", "-q", "-t", kind, *options, "-N", passphrase, "-f", str(file)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return file


@dataclass
class Sshd:
    """``key`` is let in. ``access()`` knows the host; ``strangers()`` do not."""

    directory: Path
    key: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def host_key(self) -> list[str]:
        return (self.directory / "host.pub").read_text().split()[:2]

    @property
    def known_hosts(self) -> Path:
        return self.directory / "known_hosts"

    def access(self, *lines: str, key: Path | None = None, accept_new: bool = False) -> SshAccess:
        """A way in with an ssh_config of these lines, which go first, and this host's key known."""
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {' '.join(self.host_key)}\n")
        return self.strangers(*lines, key=key, accept_new=accept_new, known_hosts=self.known_hosts)

    def strangers(
        self,
        *lines: str,
        key: Path | None = None,
        accept_new: bool = False,
        known_hosts: Path | None = None,
    ) -> SshAccess:
        rest = [
            "Host *",
            f"Port {self.port}",
            f"User {getpass.getuser()}",
            "IdentityAgent none",
            f"IdentityFile {self.directory / 'no-such-default'}",
            f"UserKnownHostsFile {known_hosts or self.directory / 'nobody_known'}",
            "GlobalKnownHostsFile none",
        ]
        config = self.directory / f"ssh_config.{time.monotonic_ns()}"
        config.write_text("\n".join([*lines, *rest]) + "\n")
        return SshAccess(key=str(key or self.key), config=str(config), accept_new=accept_new)


def start(directory: Path, *options: str) -> Sshd:
    """Start one that listens; the caller ends it with ``stop``."""
    directory.mkdir(parents=True, exist_ok=True)
    make_key(directory / "host")
    key = make_key(directory / "id")
    authorized = directory / "authorized_keys"
    authorized.write_text((directory / "id.pub").read_text())
    # Facts need no privilege: a sudo that grants none makes these tests the same for everybody.
    sudo = directory / "bin" / "sudo"
    sudo.parent.mkdir()
    sudo.write_text('#!/bin/sh\nshift\nexec "$@"\n')
    sudo.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": directory / "host",
        "AuthorizedKeysFile": authorized,
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "yes",
        "PasswordAuthentication": "no",
        "PidFile": "none",
        "AllowTcpForwarding": "yes",
        "SetEnv": f"PATH={sudo.parent}:/usr/local/bin:/usr/bin:/bin",
    }
    arguments = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
    arguments += [part for option in options for part in ("-o", option)]
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's own, made by its service otherwise
    with (directory / "sshd.log").open("wb") as log:
        command = ["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", *arguments]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    until = time.monotonic() + 10
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return Sshd(directory, key, port, process)
        except OSError:
            time.sleep(0.02)
    stop(process)
    raise AssertionError((directory / "sshd.log").read_text())


def stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


class Middleman:
    """A port that hands each connection to ``treat(number, client)`` in a thread of its own."""

    def __init__(self, treat: Callable[[int, socket.socket], None]) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._treat = treat
        self.port: int = self._server.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            number, self.connections = self.connections, self.connections + 1
            threading.Thread(target=self._treat, args=[number, client], daemon=True).start()

    def close(self) -> None:
        self._server.close()


def forward(client: socket.socket, port: int) -> None:
    """Carry bytes both ways until both ends are done."""
    server = socket.create_connection(("127.0.0.1", port))

    def carry(source: socket.socket, to: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                to.sendall(data)
            to.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    back = threading.Thread(target=carry, args=[server, client], daemon=True)
    back.start()
    carry(client, server)
    back.join()
    client.close()
    server.close()


def descendants(of: int = 0) -> set[str]:
    """Pid and command line of the children of a process (this one), theirs and so on."""
    children: dict[int, list[int]] = {}
    lines: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
            lines[int(entry.name)] = f"{entry.name} {command}"
    found, todo = set(), [of or os.getpid()]
    while todo:
        for child in children.get(todo.pop(), []):
            found.add(lines[child])
            todo.append(child)
    return found


def proxy_line(port: int) -> str:
    """A ProxyCommand that dials a port of this machine."""
    program = (
        "import os,socket,sys,threading\n"
        f"s=socket.create_connection(('127.0.0.1',{port}))\n"
        "def up():\n"
        "    while True:\n"
        "        d=os.read(0,65536)\n"
        "        if not d: os._exit(0)\n"
        "        s.sendall(d)\n"
        "threading.Thread(target=up,daemon=True).start()\n"
        "while True:\n"
        "    d=s.recv(65536)\n"
        "    if not d: os._exit(0)\n"
        "    os.write(1,d)\n"
    )
    return f"ProxyCommand python3 -c {shlex.quote(f'exec({program!r})')}"
