"""Reading a small file of the user's, which may turn out to be anything: a pipe, a device, a gigabyte."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from pathlib import Path
from typing import Final

_NOTHING: Final = Path("/dev/null")
"""The one device that people name on purpose: an empty file."""
_WRITABLE: Final = stat.S_IWGRP | stat.S_IWOTH


class OpenToOthersError(ValueError):
    """Somebody else could have written ``file``; ``variant`` is the situation within ``ssh-unreachable``."""

    variant = "config-open"

    def __init__(self, file: Path, said: str) -> None:
        super().__init__(f"{file}: bad owner or permissions: {said}")
        self.file = file


def read(file: Path, most: int, *, ours: bool = False) -> bytes:
    """All that is in ``file``: at most ``most`` bytes. Waits for nobody.

    ``ours``: nobody but the user and root may be able to write it. Raises ``OSError`` with a plain
    ``strerror`` for what is no regular file or too large, ``OpenToOthersError``.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        state = os.fstat(descriptor)
        if stat.S_ISCHR(state.st_mode) and state.st_rdev == _NOTHING.stat().st_rdev:
            return b""
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, f"{_kind(state.st_mode)}, no regular file", str(file))
        said = _who_else_writes(state) if ours else ""
        if said:
            raise OpenToOthersError(file, said)
        with os.fdopen(descriptor, "rb", closefd=False) as opened:
            data = opened.read(most + 1)
    finally:
        os.close(descriptor)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"larger than {most >> 10} KiB", str(file))
    return data


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a directory"
    return "a pipe" if stat.S_ISFIFO(mode) else "a device" if stat.S_ISCHR(mode) else "a special file"


def _who_else_writes(state: os.stat_result) -> str:
    """Who could have written it but the user; empty where nobody (OpenSSH's rule, with Debian's mercy)."""
    if state.st_uid not in (0, os.getuid()):
        return f"it belongs to another user (uid {state.st_uid})"
    open_to = stat.S_IMODE(state.st_mode) & _WRITABLE
    if open_to & stat.S_IWOTH or (open_to and not _is_private(state.st_gid, state.st_uid)):
        return f"others may write it (mode {stat.S_IMODE(state.st_mode):04o})"
    return ""


def _is_private(group: int, owner: int) -> bool:
    """Whether the group has one member, the file's owner: so it is under Debian's and Ubuntu's umask 002."""
    try:
        names = {pwd.getpwuid(owner).pw_name}
        others = [each for each in pwd.getpwall() if each.pw_gid == group and each.pw_uid != owner]
        return not others and set(grp.getgrgid(group).gr_mem) <= names and pwd.getpwuid(owner).pw_gid == group
    except KeyError:
        return False
