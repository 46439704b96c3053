"""A node: an instance's disk and the processes that run on it.

A node has a root directory of its own (its disk, which survives stop and start) over the host's
``/usr``, and, while it runs, network, mount, UTS, IPC and PID namespaces of its own: when its first
process, a real sshd, is killed, the kernel ends all the rest.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kthw.intended import tutorial
from kthw.words.messages import Catalogue
from sandbox import stand_ins
from sandbox.disk import DEVICES, LOCAL, TOP, Disk, Place
from sandbox.namespaces import NAMED
from sandbox.state import Instance

_BOOT: Final = Path(__file__).with_name("node.sh")
_HOST_CNI: Final = ("/usr/lib/cni", "/opt/cni/bin")
_SHARED: Final = ("/etc/alternatives", "/var/lib/dpkg")
"""What belongs to the programs below ``/usr``: which one of several is meant, and which packages they are."""


@dataclass(frozen=True)
class Grounds:
    """Where nodes are built: ``disks`` (a private tmpfs), ``sudo`` (a copy of the host's sudo owned by
    the namespace's root, which as an ordinary user's the host's is not), ``as_root`` (really),
    ``directory``, the sandbox's, of which ``sandbox.birth`` knows what is in it."""

    disks: Path
    sudo: Path
    as_root: bool
    directory: Path

    @property
    def programs(self) -> Path:
        """The programs that stand in for others, ``sandbox.stand_ins``'s."""
        return self.disks / "programs"


def prepare(disks: Path, directory: Path, words: Catalogue, *, as_root: bool) -> Grounds:
    """Make the grounds: copies sudo and its plugins, and the programs that stand in for others, which speak
    by these words, once for all nodes."""
    sudo = disks / "sudo"
    sudo.mkdir(parents=True)
    for path in _sudo_parts():
        into = sudo / path.relative_to("/")
        into.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, into, symlinks=True, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(path, into)
            into.chmod(0o4755)
    grounds = Grounds(disks, sudo, as_root, directory)
    stand_ins.prepare(grounds.programs, words)
    return grounds


def label(grounds: Grounds, instance: Instance) -> None:
    """Have the prompt of a node say the instance's name, which may come and change while it runs.

    The file is outside the node's disk and bound into it: nothing on that disk leads our writing elsewhere.
    """
    name = "".join(character for character in instance.name if character.isprintable())
    path = _label(grounds, instance.id)
    if path.exists() and path.read_text(encoding="utf-8") != name:
        path.write_text(name, encoding="utf-8")


def _label(grounds: Grounds, identifier: str) -> Path:
    return grounds.disks / f"{identifier}.name"


def _sudo_parts() -> list[Path]:
    candidates = ("/usr/bin/sudo", "/usr/libexec/sudo", "/usr/lib/sudo")
    return [Path(path) for path in candidates if Path(path).exists()]


class Node:
    """One instance's machine. ``host_key`` is its public host key, ``ssh-ed25519 AAAA…``."""

    def __init__(self, grounds: Grounds, instance: Instance, place: Place, files: Mapping[str, str]) -> None:
        """Write the node's disk, by path these files among others."""
        self.id = instance.id
        self._grounds = grounds
        self._root = grounds.disks / instance.id
        self._process: subprocess.Popen[bytes] | None = None
        self.host_key = Disk(self._root, instance, place, files).host_key
        _label(grounds, instance.id).touch()
        label(grounds, instance)

    @property
    def powered(self) -> bool:
        """Whether it has been started and not stopped since."""
        return self._process is not None

    def start(self) -> None:
        """Boot it, in the network namespace that bears its id. sshd listens a moment later."""
        fstab = self._grounds.disks / f"{self.id}.fstab"
        fstab.write_text(self._fstab())
        # The kernel takes every process of the node with its first one, and that with this unshare.
        self._process = subprocess.Popen(
            ["nsenter", f"--net={NAMED / self.id}",
             "unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child",
             "sh", str(_BOOT), str(self._root), str(fstab)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def stop(self) -> None:
        """Cut its power; its disk stays."""
        if self._process is not None:
            pid = self._process.pid
            # Killing the node's init, unshare's child, lets unshare bury it; the leader is spared a zombie.
            inits = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            for init in inits or [str(pid)]:
                os.kill(int(init), signal.SIGKILL)
            self._process.wait()
            self._process = None

    def discard(self) -> None:
        """Stop it and throw its disk away."""
        self.stop()
        shutil.rmtree(self._root, ignore_errors=True)
        (self._grounds.disks / f"{self.id}.fstab").unlink(missing_ok=True)
        _label(self._grounds, self.id).unlink(missing_ok=True)

    def _fstab(self) -> str:
        """What to mount where, as mount(8) reads it. The host's files are only ever bound read-only.

        As an ordinary user they are not remounted: the kernel refuses to change their flags there,
        and they belong to nobody the namespace's root could act for.
        """
        read_only = "bind,ro" if self._grounds.as_root else "bind"
        lines = [("/usr", "usr", "none", read_only)]
        if Path("/usr/local").resolve() == Path("/usr/local"):
            lines.append((str(self._root / LOCAL), "usr/local", "none", "bind"))
        lines += [
            (f"/{name}", name, "none", read_only)
            for name in TOP
            if (self._root / name).is_dir() and not (self._root / name).is_symlink()
        ]
        lines += [
            (str(self._grounds.sudo / p.relative_to("/")), str(p), "none", "bind") for p in _sudo_parts()
        ]
        lines.append((str(_label(self._grounds, self.id)), "etc/debian_chroot", "none", "bind"))
        programs = self._grounds.programs
        lines.append((str(programs), stand_ins.FOLDER, "none", "bind,ro"))
        lines += [(str(programs / stand_ins.RUN), path, "none", "bind,ro") for path in stand_ins.covered()]
        shared = [path for path in _SHARED if Path(path).is_dir()]
        lines += [(path, path, "none", read_only) for path in shared]
        lines += [(p, tutorial.CNI_PLUGINS, "none", read_only) for p in _HOST_CNI[:] if Path(p).is_dir()][:1]
        lines += [
            ("proc", "proc", "proc", "defaults"),
            ("sysfs", "sys", "sysfs", "defaults"),
            ("tmpfs", "run", "tmpfs", "mode=755"),
            ("tmpfs", "dev/shm", "tmpfs", "mode=1777"),
            ("devpts", "dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=620,gid=5"),
        ]
        lines += [(f"/dev/{name}", f"dev/{name}", "none", "bind") for name in DEVICES]
        return "".join(f"{a} {self._root / b.lstrip('/')} {c} {d} 0 0\n" for a, b, c, d in lines)
