"""One file that was handed in: where it is, and its bytes, which may be anything.

A file is read whole, or not at all: of bounded size however it is packed, never a link, a pipe or a device.
What an archive calls its files is only ever compared and shown; nothing is unpacked onto the disk.
"""

from __future__ import annotations

import functools
import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

from msgspec import Struct

MOST_BYTES: Final = 20_000_000
"""Of one recording, unpacked. 50 workers with all their packets take a quarter of it."""
MOST_ARCHIVE: Final = 4_000_000_000
"""Of one archive, in all that its files say they are unpacked."""
MOST_FILES: Final = 20_000
_MOST_DIRECTORY: Final = 8_000_000
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_END: Final = struct.Struct("<4s4H2LH")
_END_SIGN: Final = b"PK\x05\x06"
_END_64_SIGN: Final = b"PK\x06\x07"
_LONGEST_END: Final = _END.size + 0xFFFF
_REPORT: Final = re.compile(r"(?:^|[^a-z])report[^/]*\.json(?:\.gz)?$", re.IGNORECASE)
_JSON: Final = re.compile(r"\.json(?:\.gz)?$", re.IGNORECASE)


class HandIn(Struct, frozen=True, kw_only=True):
    """``file`` on the disk; ``member``: its name within it, where that is an archive.

    ``name``: how it is called below what was named at the command line, ``/`` between folders and archives.
    ``bad``: why it is not read, a situation of ``grade-note-bad``; empty where it may be. ``of``: the student
    in whose account we looked ourselves, as the roster calls them; empty where it was handed in.
    """

    file: str
    name: str
    member: str = ""
    bad: str = ""
    of: str = ""

    @property
    def is_report(self) -> bool:
        """Whether it is called what a run calls its recording, more or less."""
        return bool(_REPORT.search(self.name))

    @property
    def is_candidate(self) -> bool:
        """Whether it may be a recording: by its name only."""
        return bool(_JSON.search(self.name)) or self.name.lower().endswith(".zip")


class BadFile(Exception):  # noqa: N818 -- not an error of ours
    """It is not read; ``why`` is a situation of ``grade-note-bad``."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def content(hand_in: HandIn) -> bytes:
    """Its bytes, unpacked. Raises ``BadFile``."""
    if hand_in.bad:
        raise BadFile(hand_in.bad)
    if hand_in.member:
        packed = _kept_open(hand_in.file)
        data = _member(packed, packed.getinfo(hand_in.member))
    else:
        with opened(Path(hand_in.file)) as file:
            data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise BadFile("large")
    return _unpacked(data)


@functools.lru_cache(maxsize=1)
def _kept_open(file: str) -> zipfile.ZipFile:
    """An archive, for as long as files of it are read: its list is long, and there is one reading process."""
    return archive(opened(Path(file)))


def opened(path: Path) -> IO[bytes]:
    """A regular file, opened without waiting and without following a link. Raises ``BadFile``."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (OSError, ValueError) as problem:
        raise BadFile("link" if path.is_symlink() else "unread") from problem
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BadFile("special")
    return os.fdopen(descriptor, "rb")


def archive(file: IO[bytes]) -> zipfile.ZipFile:
    """A ZIP whose list of files is of bounded length: that is read before the list is. Raises ``BadFile``."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _LONGEST_END - 20))
    tail = file.read()
    place = tail.rfind(_END_SIGN)
    if place < 0 or len(tail) - place < _END.size:
        raise BadFile("archive")
    _, _, _, _, entries, size, _, _ = _END.unpack_from(tail, place)
    if entries > MOST_FILES or size > _MOST_DIRECTORY or _END_64_SIGN in tail[:place]:
        raise BadFile("many")
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RecursionError) as problem:
        raise BadFile("archive") from problem


def members(packed: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """The name of each file in it, and why that one is not to be read; or empty. Raises ``BadFile``."""
    listed = packed.infolist()
    if len(listed) > MOST_FILES:
        raise BadFile("many")
    if sum(each.file_size for each in listed) > MOST_ARCHIVE:
        raise BadFile("large")
    for each in listed:
        if not each.is_dir():
            yield each.filename, _bad(each)


def _bad(member: zipfile.ZipInfo) -> str:
    if stat.S_ISLNK(member.external_attr >> 16):
        return "link"
    if member.flag_bits & 0x1:
        return "encrypted"
    return "large" if member.file_size > MOST_BYTES else ""


def _member(packed: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    bad = _bad(member)
    if bad:
        raise BadFile(bad)
    try:
        with packed.open(member) as file:
            return file.read(MOST_BYTES + 1)  # never more than it said, which is bounded
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        NotImplementedError,
        ValueError,
        RuntimeError,
    ) as problem:
        raise BadFile("archive") from problem


def _unpacked(data: bytes) -> bytes:
    """Of an archive with one recording in it that recording, and what gzip made smaller as it was."""
    if data.startswith(_GZIP):
        try:
            packing = zlib.decompressobj(wbits=31)
            data = packing.decompress(data, MOST_BYTES + 1)
        except zlib.error as problem:
            raise BadFile("archive") from problem
        if len(data) > MOST_BYTES:
            raise BadFile("large")
        if not packing.eof:
            raise BadFile("archive")
    elif data.startswith(_ZIP):
        with archive(io.BytesIO(data)) as packed:
            data = _member(packed, _the_recording(packed))
    return data


def _the_recording(packed: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The one file in it that is named as a recording is, or the one JSON file. Raises ``BadFile``."""
    listed = [each for each in packed.infolist() if not each.is_dir() and is_ours(each.filename)]
    for shape in (_REPORT, _JSON):
        found = [each for each in listed if shape.search(each.filename)]
        if len(found) > 1:
            raise BadFile("several")
        if found:
            return found[0]
    raise BadFile("none")


def is_ours(name: str) -> bool:
    """Whether somebody handed it in, and no program left it there beside: ``.git``, ``__MACOSX``."""
    return not any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)
