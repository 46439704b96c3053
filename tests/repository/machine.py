"""A machine to try ``./run`` on: stub programs on PATH that write down how they were called.

Nothing here installs, asks sudo or reaches a network: ``apt-get`` "installs" by making stub files, and
``python3`` is a shell script whose ``-m venv`` makes a folder. The script under test is the project's own,
with one line changed: where the machine's ``/usr``, ``/etc`` and ``/proc`` are.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

PROJECT: Final = Path(__file__).resolve().parents[2]
_TOOLS: Final = (
    "sh", "cat", "chmod", "cksum", "cp", "env", "grep", "mkdir", "mv", "readlink", "rm", "sleep", "tail",
    "touch",
)  # fmt: skip
PROVIDES: Final = {
    "openssh-server": ("usr/sbin/sshd",),
    "openssh-client": ("usr/bin/ssh", "usr/bin/ssh-keygen"),
    "containernetworking-plugins": ("usr/lib/cni/bridge",),
    "nftables": ("usr/sbin/nft",),
    "iptables": ("usr/sbin/iptables",),
    "iproute2": ("usr/sbin/ip",),
    "util-linux": ("usr/bin/unshare", "usr/bin/nsenter"),
    "mount": ("usr/bin/mount",),
    "python3": ("usr/bin/python3",),
    "uidmap": ("usr/bin/newuidmap",),
    "shellcheck": ("usr/bin/shellcheck",),
    "fping": ("usr/bin/fping",),
    "curl": ("usr/bin/curl",),
    "chromium": ("usr/bin/chromium",),
}
"""What each Debian package brings, of what the sandbox or the tests use (sudo is a stub of its own)."""
_DEADLINE: Final = 20.0


class Machine:
    """``root``: its files; ``checkout``: a checkout beside it; ``uid``: who runs. Nothing is missing."""

    def __init__(self, folder: Path, *, uid: int = 1000) -> None:
        self.root = folder / "machine"
        self.checkout = folder / "a checkout"
        self.log = folder / "log"
        self.bin = folder / "bin"
        for made in (self.root / "usr/sbin", self.root / "etc", self.root / "var/lib/dpkg", self.bin):
            made.mkdir(parents=True)
        (self.checkout / "suites/routes").mkdir(parents=True)
        script = (PROJECT / "run").read_text()
        assert script.count("\nsystem='' ") == 1, "the line that the tests change is not there once"
        script = script.replace("\nsystem='' ", f"\nsystem={shlex.quote(str(self.root))} ")
        (self.checkout / "run").write_text(script)
        (self.checkout / "run").chmod(0o755)
        (self.checkout / "requirements.lock").write_text("one==1 \\\n    --hash=sha256:1\n")
        (self.checkout / "requirements-dev.lock").write_text("one==1 \\\n    --hash=sha256:1\n")
        for tool in _TOOLS:
            found = shutil.which(tool)
            assert found, f"{tool} is missing here"
            (self.bin / tool).symlink_to(found)
        self.stub("uname", "echo Linux")
        self.stub("id", "case $1 in -u) echo " + str(uid) + " ;; *) echo student ;; esac")
        self.stub("sudo", '[ "$1" != -n ] || shift; [ "$1" = true ] || exec "$@"')
        for name in ("systemctl", "update-rc.d", "usermod"):
            self.stub(name)
        self.stub("python3", _PYTHON.replace("REAL", shlex.quote(sys.executable)))
        self.apt_get()
        for package in PROVIDES:
            self.install(package)
        (self.root / "etc/os-release").write_text("NAME=Debian\nID=debian\n")
        for name in ("subuid", "subgid"):
            (self.root / "etc" / name).write_text("student:100000:65536\n")

    def stub(self, name: str, body: str = "", *, where: Path | None = None) -> None:
        """A program ``name`` that writes its command line into the log, then does ``body``."""
        path = (where or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\nprintf "%s\\n" "{name} $*" >>{shlex.quote(str(self.log))}\n{body}\n')
        path.chmod(0o755)

    def apt_get(self, during_install: str = "") -> None:
        """apt-get: asks policy-rc.d as a package's script would, does ``during_install``, installs."""
        policy = shlex.quote(str(self.policy))
        log = shlex.quote(str(self.log))
        self.stub("installed")
        copy = f"cp {shlex.quote(str(self.bin / 'installed'))}"
        brings = "\n".join(
            f'case " $* " in *" {package} "*) {copy} {shlex.quote(str(self.root / file))} ;; esac'
            for package, files in PROVIDES.items()
            for file in files
        )
        self.stub(
            "apt-get",
            f"""case " $* " in *" update "*|*" -s "*) exit 0 ;; esac
            echo 'Setting up packages'
            if [ -x {policy} ]; then {policy} ssh start; echo "policy answers $?" >>{log}; fi
            {during_install}
            {brings}""",
        )

    def install(self, package: str) -> None:
        """Make ``package`` present without apt-get."""
        for file in PROVIDES[package]:
            self.stub(Path(file).name, where=(self.root / file).parent)

    def remove(self, *packages: str) -> None:
        """Make ``packages`` absent."""
        for package in packages:
            for file in PROVIDES[package]:
                (self.root / file).unlink(missing_ok=True)

    @property
    def policy(self) -> Path:
        return self.root / "usr/sbin/policy-rc.d"

    @property
    def called(self) -> list[str]:
        """The command lines of every stub so far."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def calls(self, program: str) -> list[str]:
        """The command lines of one stub."""
        return [line for line in self.called if line.startswith(f"{program} ")]

    @property
    def installed(self) -> list[str]:
        """The packages that apt-get was asked to install, in all."""
        asked = [line for line in self.calls("apt-get") if " -s " not in line and " install " in line]
        return [word for line in asked for word in line.split("--no-install-recommends ")[1].split()]

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        # The machine's own folders stand in for /usr/bin; nothing of the real one is on PATH.
        return {
            "PATH": f"{self.bin}:{self.root / 'usr/bin'}",
            "LANG": "C",
            "HOME": "/nowhere",
            **(extra or {}),
        }

    def start(self, *arguments: str, **extra: str) -> subprocess.Popen[str]:
        """``./run ARGUMENTS`` under way, in a process group of its own, without a terminal."""
        return subprocess.Popen(
            ["./run", *arguments],
            cwd=self.checkout,
            env=self.environment(extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        """``./run ARGUMENTS`` to its end, called from the folder that holds the checkout."""
        return subprocess.run(
            [str(self.checkout / "run"), *arguments],
            cwd=self.checkout.parent,
            env=self.environment(extra),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_DEADLINE,
            check=False,
        )

    def wait_for(self, line: str) -> None:
        """Until a stub has logged ``line`` (a prefix of it)."""
        deadline = time.monotonic() + _DEADLINE
        while not any(called.startswith(line) for called in self.called):
            assert time.monotonic() < deadline, f"never called: {line}; called: {self.called}"
            time.sleep(0.01)


_PYTHON: Final = """case "$1" in
-c)
    case $2 in
    *ensurepip*) [ ! -e "$0.no-ensurepip" ]; exit ;;
    *d-venv*) echo python3.11-venv; exit ;;
    *'import pip'*) exit 0 ;;
    esac
    exec REAL "$@" ;;
esac
case "$1 $2" in
"-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; exit ;;
"-m pip") [ -z "${DURING_PIP:-}" ] || eval "$DURING_PIP"; echo Collecting one; exit "${PIP_STATUS:-0}" ;;
esac
case "$*" in *"${FAILING:-nothing fails}"*) exit 3 ;; esac
echo "here: $PWD"
echo "ran: $*"
"""
"""python3, and .venv/bin/python: answers what ./run asks; ``-m pip`` obeys $DURING_PIP and $PIP_STATUS."""


def lines_of(text: str, containing: str) -> list[str]:
    """The lines of ``text`` that contain ``containing``."""
    return [line for line in text.splitlines() if containing in line]


def tracked() -> list[Path]:
    """The files that are, or are about to be, in git."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := PROJECT / name).is_file()]
