"""A file that is written whole or not at all: whoever is interrupted leaves the one that was there before."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of ``path``, at once, by way of ``.NAME.PID`` beside it.

    Raises ``OSError`` where it cannot be written, and where ``path`` is the name of no file (``.``).
    """
    if not path.name:
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.write_bytes(content)
        new.replace(path)
    finally:
        with contextlib.suppress(OSError):  # what went wrong before is what is told
            new.unlink(missing_ok=True)
