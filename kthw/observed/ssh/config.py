"""The text of the user's ssh_config, with its ``Include`` lines replaced by what they name.

Source: ssh_config(5). paramiko reads the rest of the format, and ignores ``Include``. A configuration can run
programs (``ProxyCommand``, ``Match exec``), so what somebody else could have written is not read at all.
"""

from __future__ import annotations

import fnmatch
import glob
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kthw.observed import bounded_file

_LINE: Final = re.compile(r"\s*(\w+)(?:\s*=\s*|\s+)(.+)")
_DEEPEST: Final = 16
"""ssh_config(5) refuses more levels of ``Include`` than this."""
MOST: Final = 1 << 20
"""Bytes of configuration that are read, ``Include`` and all: some lines too many for a person."""
_MOST_FILES: Final = 1000
SYSTEM: Final = Path("/etc/ssh/ssh_config")


def text_of(file: str) -> str:
    """What OpenSSH would read: ``file`` alone, or, where it is empty, the user's and the system's own.

    Bytes that are no UTF-8 stay what they are (``surrogateescape``): they may be part of a path. Raises
    ``OSError`` where a file cannot be read, ``ValueError`` where one must not be (others could have
    written it) or all of them together are too long.
    """
    if file:
        # "none" is OpenSSH's word for no configuration at all.
        return "" if file == "none" else _Reading().all(Path(file).expanduser(), Path("~/.ssh").expanduser())
    own = Path("~/.ssh/config").expanduser()
    texts = [_Reading().all(own, own.parent)] if own.exists() else []
    # The system's files are root's, whatever root looks like from within a container.
    texts += [_Reading(ours=False).all(SYSTEM, SYSTEM.parent)] if SYSTEM.is_file() else []
    return "\nHost *\n".join(texts)


@dataclass
class _Reading:
    ours: bool = True
    left: int = MOST
    files: int = 0

    def all(self, file: Path, base: Path, depth: int = 0) -> str:
        """``file`` with the files it includes, whose names are relative to ``base``."""
        lines: list[str] = []
        block = "Host *"
        # By line feeds alone, as OpenSSH does: str.splitlines would cut comments of many scripts in two.
        for line in self._text(file).split("\n"):
            said = _LINE.fullmatch(line.rstrip("\r"))
            word = said[1].lower() if said else ""
            if word in ("host", "match"):
                block = line
            if said and word == "include" and depth < _DEEPEST:
                for pattern in _words(said[2]):
                    lines += [self.all(each, base, depth + 1) for each in _matching(pattern, base)]
                # An included file may open a block of its own; the one we are in goes on after it.
                lines.append(block)
            else:
                lines.append(line)
        return "\n".join(lines) + "\n"

    def _text(self, file: Path) -> str:
        data = bounded_file.read(file, MOST, ours=self.ours)
        self.left -= len(data)
        self.files += 1
        if self.left < 0 or self.files > _MOST_FILES:
            raise ValueError(
                f"{file}: more than {MOST >> 10} KiB or {_MOST_FILES} files with all it includes"
            )
        return data.decode("utf-8", errors="surrogateescape")


def _matching(pattern: str, base: Path) -> list[Path]:
    if "\0" in pattern:
        return []
    pattern = str(Path(pattern).expanduser())
    found = glob.glob(pattern, root_dir=base)  # noqa: PTH207 -- Path.glob takes no absolute pattern
    return [file for each in sorted(found) if not (file := base / each).is_dir()]


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def names(text: str, host: str) -> bool:
    """Whether a ``Host`` line is about ``host`` in particular: by name or pattern, but not by ``*`` alone."""
    for line in text.split("\n"):
        said = _LINE.fullmatch(line.rstrip("\r"))
        if said and said[1].lower() == "host":
            patterns = _words(said[2])
            refused = any(each[:1] == "!" and fnmatch.fnmatchcase(host, each[1:]) for each in patterns)
            if not refused and any(each != "*" and fnmatch.fnmatchcase(host, each) for each in patterns):
                return True
    return False
