"""A node's disk: all that is on it before anybody logs in, over this computer's own ``/usr``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kthw.intended import tutorial
from sandbox import stand_ins, users
from sandbox.release import Release, os_release, release
from sandbox.state import Instance

TOP: Final = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
"""What is beside ``/usr`` of this computer, or a link into it."""
DEVICES: Final = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS: Final = {
    "ptmx": "pts/ptmx",
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
_COPIED: Final = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "protocols", "services", "localtime")
_PERMITTED: Final = "".join(f"{kind} sufficient pam_permit.so\n" for kind in ("auth", "account", "session"))
_SSHD: Final = (
    "HostKey /etc/ssh/ssh_host_ed25519_key\nPidFile /run/sshd.pid\nUsePAM no\nUseDNS no\n"
    "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
    "PrintMotd yes\nPrintLastLog no\nSubsystem sftp internal-sftp\n"
)
_UBUNTU_PATH: Final = (
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games:/usr/local/games:/snap/bin"
)

_FILES: Final = {
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
    **{f"etc/pam.d/{service}": _PERMITTED for service in ("sudo", "sudo-i", "su", "su-l")},
    # As Ubuntu's, whose prompt begins with what is in that file.
    "etc/profile": '[ -z "${PS1-}" ] || . /etc/bash.bashrc\n',
    "etc/bash.bashrc": (
        '[ -n "${PS1-}" ] || return\n'
        "debian_chroot=$(cat /etc/debian_chroot)\n"
        "PS1='${debian_chroot:+($debian_chroot) }\\u@\\h:\\w\\$ '\n"
    ),
    "etc/debian_chroot": "",
}
_HOME: Final = {
    ".profile": '[ ! -r "$HOME/.bashrc" ] || . "$HOME/.bashrc"\n',
    ".bashrc": "case $- in *i*) ;; *) return ;; esac\nalias ll='ls -alF' la='ls -A' l='ls -CF'\n",
}
_DIRECTORIES: Final = (
    ".old", "dev/pts", "dev/shm", "proc", "sys", "run", "tmp", "usr", "root", "opt/cni/bin",
    "etc/alternatives", "etc/sysctl.d", "etc/systemd/system", "var/lib/cni", "var/lib/dpkg", "var/log",
    "var/tmp", stand_ins.FOLDER[1:], tutorial.CNI_DIRECTORY[1:],
    *(f"local/{name}" for name in ("bin", "etc", "games", "include", "lib", "sbin", "share", "src")),
)  # fmt: skip
LOCAL: Final = "local"
"""What is mounted at ``/usr/local``: nothing of this computer's is in it, and people put things there."""


@dataclass(frozen=True)
class Place:
    """What follows for a machine from where it is: its private ``address``, the ``domain`` of its names,
    and the address of its ``resolver``."""

    address: str
    domain: str
    resolver: str

    @property
    def hostname(self) -> str:
        """As the images name themselves."""
        return f"ip-{self.address.replace('.', '-')}"


class Disk:
    """One node's, in the directory ``root``. ``host_key`` is its public host key, ``ssh-ed25519 AAAA…``."""

    def __init__(self, root: Path, instance: Instance, place: Place, files: Mapping[str, str]) -> None:
        """Write it: the base system, host key, its image's user and, by path, ``files``."""
        self.root = root
        for name in _DIRECTORIES:
            (root / name).mkdir(parents=True, exist_ok=True)
        (root / "tmp").chmod(0o1777)
        for name in DEVICES:
            self._write(f"dev/{name}", "")
        for name, to in _DEVICE_LINKS.items():
            (root / "dev" / name).symlink_to(to)
        system = release(instance.launch.image)
        for name, text in {**_FILES, **users.accounts(instance.user), **_system(system, place)}.items():
            self._write(name, text)
        for name in ("etc/shadow", "etc/sudoers"):
            (root / name).chmod(0o440)
        for name in _COPIED:
            self._copy(Path("/etc", name))
        for name in TOP:
            host = Path("/", name)
            if host.is_symlink():
                (root / name).symlink_to(host.readlink())
            elif host.is_dir():
                (root / name).mkdir()
        for name in stand_ins.links(of_debian=system.id in ("debian", "ubuntu")):
            (root / LOCAL / name).symlink_to(f"{stand_ins.FOLDER}/{stand_ins.RUN}")
        (root / "etc/motd").symlink_to(f"{stand_ins.FOLDER}/motd")
        self._write("var/lib/cloud/data/instance-id", f"{instance.id}\n")
        self.host_key = self._write_host_key()
        self._write_login(instance.user, instance.public_key)
        for path, text in files.items():
            self._write(path.lstrip("/"), text)

    def _write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def _copy(self, host: Path) -> None:
        into = self.root / host.relative_to("/")
        if host.is_dir():
            shutil.copytree(host, into)
        elif host.exists():
            shutil.copyfile(host, into)

    def _write_host_key(self) -> str:
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        path = self._write("etc/ssh/ssh_host_ed25519_key", "")
        path.chmod(0o600)
        path.write_bytes(private)
        path.with_suffix(".pub").write_bytes(public + b"\n")
        return public.decode()

    def _write_login(self, user: str, public_key: str) -> None:
        home = self.root / "home" / user
        for folder in (home, self.root / "root"):
            (folder / ".ssh").mkdir(parents=True, mode=0o700)
        for folder in (home, self.root / "root"):
            for name, text in _HOME.items():
                (folder / name).write_text(text)
        for whose, text in users.keys(user, public_key).items():
            self._write(f"{whose}/.ssh/authorized_keys", text).chmod(0o600)
        for path in (home, *home.rglob("*")):
            os.chown(path, users.ID, users.ID)


def _system(system: Release, place: Place) -> dict[str, str]:
    """What the system of an image says of itself and of where it is."""
    own = f"{place.hostname}.{place.domain} {place.hostname}"
    written = {
        "etc/os-release": os_release(system),
        "etc/hostname": f"{place.hostname}\n",
        "etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 {own}\n\n::1 ip6-localhost ip6-loopback\n",
        # Where the real one has a resolver of its own between (Ubuntu's 127.0.0.53), there is none here.
        "etc/resolv.conf": f"nameserver {place.resolver}\nsearch {place.domain}\n",
        "etc/issue": f"{system.pretty} \\n \\l\n\n",
        "etc/ssh/sshd_config": _SSHD,
    }
    if system.is_ubuntu:
        written["etc/environment"] = f'PATH="{_UBUNTU_PATH}"\n'
        # Without PAM nobody reads that file.
        written["etc/ssh/sshd_config"] = f"{_SSHD}SetEnv PATH={_UBUNTU_PATH}\n"
        written["etc/lsb-release"] = (
            f"DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE={system.version}\n"
            f'DISTRIB_CODENAME={system.codename.split()[0].lower()}\nDISTRIB_DESCRIPTION="{system.pretty}"\n'
        )
    if system.id == "debian":
        written["etc/debian_version"] = f"{system.version}.0\n"
    return written
