"""An ordinary user of this machine, for tests that root runs: what only root finds easy shows then.

The user exists for one command and in its mount namespace only: a name, a home and sub-ids are bound over the
machine's own files there, and nothing of the machine's is changed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

_ID: Final = 54321
_BECOME: Final = """
set -e
mask=$(umask)
umask 022
for file in passwd group subuid subgid; do mount --bind "$0/$file" "/etc/$file"; done
{open}
umask "$mask"
exec setpriv --reuid {id} --regid {id} --clear-groups -- "$@"
"""
_OPEN: Final = """
mount --bind {path} "$0/opened"
mount -t tmpfs -o mode=755 tmpfs {closed}
mkdir -p {path}
mount --bind "$0/opened" {path}
"""
"""A Python (pyenv's) that lives in root's home is made reachable, and nothing else of that home."""


@dataclass(frozen=True)
class OrdinaryUser:
    """``through`` runs the command it is followed by as the user; ``home`` is the user's, and private."""

    through: tuple[str, ...]
    home: Path
    environment: dict[str, str]


@contextmanager
def ordinary_user() -> Iterator[OrdinaryUser]:
    """For root on a machine with newuidmap; ``why_none`` says where that is not so."""
    with tempfile.TemporaryDirectory(prefix="kthw-student-") as name:
        place = Path(name)
        place.chmod(0o755)
        home, files = place / "home", place / "etc"
        for made in (home, files):
            made.mkdir()
        home.chmod(0o700)
        os.chown(home, _ID, _ID)
        for file in ("passwd", "group"):
            shutil.copyfile(Path("/etc", file), files / file)
        with (files / "passwd").open("a") as passwd, (files / "group").open("a") as group:
            passwd.write(f"student:x:{_ID}:{_ID}::{home}:/bin/sh\n")
            group.write(f"student:x:{_ID}:\n")
        for file in ("subuid", "subgid"):
            (files / file).write_text("student:1000000:65536\n")
        for made in files.iterdir():
            made.chmod(0o644)
        (files / "opened").mkdir()
        become = ("unshare", "--mount", "sh", "-c", _BECOME.format(id=_ID, open=_opening()), str(files))
        own = {"HOME": str(home), "TMPDIR": str(home), "USER": "student", "LOGNAME": "student"}
        yield OrdinaryUser(become, home, {**own, "XDG_RUNTIME_DIR": ""})


@contextmanager
def whoever(user: str, home: Path) -> Iterator[OrdinaryUser]:
    """``me``, whoever runs the tests, with that ``home``; or a ``student`` with one of their own."""
    if user == "me":
        yield OrdinaryUser((), home, {})
    else:
        with ordinary_user() as student:
            yield student


def _opening() -> str:
    python = Path(sys.base_prefix).resolve()
    closed = next((each for each in reversed(python.parents) if not each.stat().st_mode & 0o001), None)
    return _OPEN.format(path=shlex.quote(str(python)), closed=shlex.quote(str(closed))) if closed else ""


def why_none() -> str:
    """Why nobody can be made an ordinary user here, or empty."""
    if os.geteuid():
        return "whoever runs the tests is an ordinary user already"
    missing = [tool for tool in ("newuidmap", "setpriv", "unshare") if not shutil.which(tool)]
    return f"{', '.join(missing)} not installed" if missing else ""


AS_USER: Final = pytest.mark.skipif(bool(why_none()), reason=why_none() or "an ordinary user can be made")
"""For the cases of a ``student``."""
