"""Known host keys, as OpenSSH keeps them. Source: sshd(8), *SSH_KNOWN_HOSTS FILE FORMAT*.

Ours rather than paramiko's, which knows neither patterns nor revoked keys, keeps one key per type,
does not say which line it read, and rewrites the whole file to add one.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import functools
import hashlib
import hmac
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from kthw.observed import bounded_file

_APPENDING: Final = threading.Lock()
_MOST: Final = 16 << 20
"""Bytes of a file of known hosts: some hundred thousand of them."""


@dataclass(frozen=True)
class Line:
    """One line: ``hosts`` as written (patterns by comma, or one hash), ``key`` the wire format."""

    hosts: str
    kind: str
    key: bytes
    file: Path
    number: int
    revoked: bool = False

    def is_about(self, name: str) -> bool:
        """Whether the line is about ``name`` (``host``, or ``[host]:port`` where the port is not 22)."""
        if self.hosts.startswith("|1|"):
            salt, _, wanted = self.hosts[3:].partition("|")
            seen = hmac.new(_decoded(salt), name.encode(), hashlib.sha1).digest()
            return hmac.compare_digest(seen, _decoded(wanted))
        patterns = self.hosts.split(",")
        if any(each[:1] == "!" and _matches(name, each[1:]) for each in patterns):
            return False
        return any(_matches(name, each) for each in patterns)


@dataclass(frozen=True)
class Judgement:
    """``line`` is the one that says so; ``None`` for an unknown host."""

    verdict: Literal["known", "unknown", "changed", "revoked"]
    line: Line | None = None


def judge(files: tuple[Path, ...], name: str, kind: str, key: bytes) -> Judgement:
    """What the files say about ``name`` showing ``key``. A key of another type leaves it unknown.

    Raises ``OSError`` as ``lines_about`` does.
    """
    about = lines_about(files, name)
    for line in about:
        if line.key == key:
            return Judgement("revoked" if line.revoked else "known", line)
    for line in about:
        if line.kind == kind and not line.revoked:
            return Judgement("changed", line)
    return Judgement("unknown")


def lines_about(files: tuple[Path, ...], name: str) -> list[Line]:
    """The lines about ``name``, in the order of the files.

    A file that is missing, or that we may not read, says nothing. Raises ``OSError`` for one that is no file
    or too large to be one of these: it must not look as if it knew nobody.
    """
    return [line for file in files for line in _lines_of(file) if line.is_about(name)]


def remember(file: Path, name: str, kind: str, key: bytes) -> None:
    """Add a key to ``file``, which is made, with its directory, for the user only. Raises ``OSError``."""
    line = f"{name} {kind} {base64.b64encode(key).decode()}\n".encode()
    with _APPENDING:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as opened:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line
            opened.write(line)


def fingerprint(key: bytes) -> str:
    """``SHA256:…`` as ``ssh-keygen -l`` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def _matches(name: str, pattern: str) -> bool:
    # fnmatch would read the brackets of [host]:port as a set of characters.
    return fnmatch.fnmatchcase(name.lower(), pattern.lower().replace("[", "[[]"))


def _lines_of(file: Path) -> tuple[Line, ...]:
    try:
        state = file.stat()
        return _read(file, state.st_mtime_ns, state.st_size)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return ()


@functools.lru_cache(maxsize=8)
def _read(file: Path, _changed: int, _size: int) -> tuple[Line, ...]:
    lines = []
    text = bounded_file.read(file, _MOST).decode(errors="replace")
    # By line feeds alone, so that a line has the number that OpenSSH and an editor give it.
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        # A certificate authority signs host certificates, which paramiko does not ask for.
        if len(words) >= 3 and not words[0].startswith("#") and marker in ("", "@revoked"):
            key = _decoded(words[2])
            if key:
                lines.append(Line(words[0], words[1], key, file, number, bool(marker)))
    return tuple(lines)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""
