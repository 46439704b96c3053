"""Under any umask the sandbox boots, ssh greets and the agent works; what is secret is private."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ordinary_user import AS_USER, whoever
from tests.sandbox.test_commands import NO_PACKETS, ROOT

pytestmark = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)
_SUITE = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "suites/routes", "--workers", "worker-[0-1]")
_ON_THE_NODE = "/etc/ssh/ssh_host_ed25519_key .ssh .ssh/authorized_keys /etc/passwd /tmp /bin/sudo"
_MODES = (
    "cd $(dirname $KTHW_SSH_CONFIG); stat -c '%a %n' . * bin/*;"
    f" ssh worker-0 'stat -c \"%a %n\" {_ON_THE_NODE}'"
)
_PUBLIC = {"/etc/passwd": 0o644, "/tmp": 0o1777, "/bin/sudo": 0o4755}  # noqa: S108 -- a node's


@pytest.mark.parametrize(
    ("umask", "user"),
    [
        *((umask, "me") for umask in ("000", "027", "077")),
        *(pytest.param(umask, "student", marks=AS_USER) for umask in ("002", "077")),
    ],
)
def test_the_private_sandbox_is_green(umask: str, user: str, tmp_path: Path) -> None:
    """Booted, provisioned, logged in to, its pods heard: nothing is wrong, nothing could not be looked at."""
    with whoever(user, tmp_path) as who:
        done = subprocess.run(
            [*who.through, sys.executable, *_SUITE, "--reports", str(who.home / "reports")],
            cwd=ROOT, env={**os.environ, **who.environment, "PYTHONDONTWRITEBYTECODE": "1"},
            umask=int(umask, 8), capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("umask", ["000", "077"])
def test_modes_are_the_same_under_any_umask(umask: str) -> None:
    """The most open and the most closed: keys and configuration are their owner's, the rest can be read."""
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "run", "--workers", "1", "--", "sh", "-c", _MODES],
        cwd=ROOT, umask=int(umask, 8), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    modes = {name: int(mode, 8) for mode, name in (line.split(" ") for line in done.stdout.splitlines())}
    assert {name: modes.pop(name, 0) for name in _PUBLIC} == _PUBLIC
    assert len(modes) > 8, done.stderr
    assert {name: oct(mode) for name, mode in modes.items() if mode & (stat.S_IRWXG | stat.S_IRWXO)} == {}
