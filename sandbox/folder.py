"""Where sandboxes keep their files: a private home of the user's, one folder a sandbox, none for the dead.

What is in such a folder is believed, down to the command that ``ssh`` is told to run. So the home belongs
to the user, is nobody else's to write or read, and is checked each time: ``$XDG_RUNTIME_DIR/kthw``, else
``kthw-UID`` below the folder for temporary files, which everybody may write to.

Each folder has a file that the sandbox's processes keep locked. The kernel drops the lock with the last of
them, whatever ended it: a folder that nobody holds is a dead sandbox's, and the next start takes it away.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PREFIX: Final = "kthw-sandbox-"
_UNFINISHED: Final = ".making-"
"""A folder is called so until it is locked. One of a start that was killed is old before it is dead."""
_UNFINISHED_SECONDS: Final = 60.0
_ALIVE: Final = "alive"
_PRIVATE: Final = 0o700


class NotPrivateError(PermissionError):
    """What is there is somebody else's, or open to others: nothing in it is believed."""


def home(environment: Mapping[str, str] = os.environ) -> Path:
    """Where this user's sandboxes keep their folders; whether anything is there is another question."""
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime):  # noqa: PTH117 -- an empty text is no path at all
        with contextlib.suppress(OSError):
            check_private(Path(runtime))
            return Path(runtime, "kthw")
    return Path(tempfile.gettempdir(), f"kthw-{os.geteuid()}")


def check_private(path: Path) -> None:
    """Raises ``NotPrivateError`` unless ``path`` is this user's own folder, closed to all others;
    ``FileNotFoundError`` where there is none."""
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise NotPrivateError(errno.EPERM, "is not a folder of yours that is closed to others", str(path))


def make() -> tuple[Path, int]:
    """A folder for a new sandbox, and the descriptor that says it lives: for its processes to keep open.

    Takes away what dead sandboxes left. Raises ``OSError``.
    """
    while True:
        parent = home()
        with contextlib.suppress(FileExistsError):
            parent.mkdir(_PRIVATE)
            parent.chmod(_PRIVATE)  # whatever the umask took away
        try:
            check_private(parent)
            sweep(parent)
            return _made_in(parent)
        except FileNotFoundError:
            if parent.exists():
                raise
            # A sandbox that ended meanwhile took the empty home away.


def _made_in(parent: Path) -> tuple[Path, int]:
    name = secrets.token_hex(4)
    unfinished, finished = parent / f"{_UNFINISHED}{name}", parent / f"{PREFIX}{name}"
    descriptor = -1
    try:
        unfinished.mkdir(_PRIVATE)
        unfinished.chmod(_PRIVATE)
        descriptor = os.open(unfinished / _ALIVE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        with contextlib.suppress(OSError):  # a file system without locks: whoever asks sees it alive
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unfinished.rename(finished)
    except BaseException:
        if descriptor >= 0:
            os.close(descriptor)
        shutil.rmtree(unfinished, ignore_errors=True)
        throw_away(finished)
        raise
    return finished, descriptor


def throw_away(folder: Path) -> None:
    """Remove a sandbox's folder, and the home with the last of them."""
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.parent.rmdir()


def sweep(parent: Path) -> None:
    """Take away the folders of sandboxes none of whose processes is left."""
    for folder in parent.glob(f"{PREFIX}*"):
        if not is_alive(folder):
            shutil.rmtree(folder, ignore_errors=True)
    for folder in parent.glob(f"{_UNFINISHED}*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > _UNFINISHED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def living() -> list[Path]:
    """The folders of this user's sandboxes that live, oldest first. Raises ``NotPrivateError``."""
    parent = home()
    try:
        check_private(parent)
    except FileNotFoundError:
        return []
    folders = [(_since(folder), folder) for folder in parent.glob(f"{PREFIX}*") if is_alive(folder)]
    return [folder for _, folder in sorted(folders)]


def _since(folder: Path) -> float:
    """When it was made; of one that ends this moment, never."""
    with contextlib.suppress(FileNotFoundError):
        return folder.stat().st_mtime
    return 0.0


def is_alive(folder: Path) -> bool:
    """Whether a process of that sandbox still holds its folder; yes, where that cannot be known."""
    try:
        descriptor = os.open(folder / _ALIVE, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
