"""A file that is written whole or not at all: whoever is interrupted leaves the one that was there before."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of ``path``, at once, by way of ``.NAME.PID`` beside it.

    Where ``path`` is a link, what it leads to is replaced. Raises ``OSError`` where that cannot be written,
    or is there and no regular file: a folder, a device, a pipe.
    """
    asked, path = path, Path(os.path.realpath(path))
    if path.is_dir() or not path.name:
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(asked))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(asked))
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.write_bytes(content)
        new.replace(path)
    finally:
        with contextlib.suppress(OSError):  # what went wrong before is what is told
            new.unlink(missing_ok=True)


def identity(path: Path) -> tuple[int, int] | None:
    """The device and the number of the file that is there, by whatever name; ``None`` where none is."""
    if not path.exists():
        return None
    there = path.stat()
    return there.st_dev, there.st_ino
