"""The text of the user's ssh_config, with its ``Include`` lines replaced by what they name.

Source: ssh_config(5). paramiko reads the rest of the format, and ignores ``Include``.
"""

from __future__ import annotations

import fnmatch
import re
import shlex
from pathlib import Path
from typing import Final

_LINE: Final = re.compile(r"\s*(\w+)(?:\s*=\s*|\s+)(.+)")
_DEEPEST: Final = 16
"""ssh_config(5) refuses more levels of ``Include`` than this."""
SYSTEM: Final = Path("/etc/ssh/ssh_config")


def text_of(file: str) -> str:
    """What OpenSSH would read: ``file`` alone, or, where it is empty, the user's and the system's own.

    Raises ``OSError`` where ``file`` cannot be read.
    """
    if file:
        return _expanded(Path(file).expanduser(), Path("~/.ssh").expanduser(), 0)
    own = Path("~/.ssh/config").expanduser()
    texts = [_expanded(each, each.parent, 0) for each in (own, SYSTEM) if each.is_file()]
    return "\nHost *\n".join(texts)


def _expanded(file: Path, base: Path, depth: int) -> str:
    lines: list[str] = []
    block = "Host *"
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        said = _LINE.fullmatch(line)
        word = said[1].lower() if said else ""
        if word in ("host", "match"):
            block = line
        if said and word == "include" and depth < _DEEPEST:
            for pattern in _words(said[2]):
                lines += [_expanded(each, base, depth + 1) for each in _matching(pattern, base)]
            # An included file may open a block of its own; the one we are in goes on after it.
            lines.append(block)
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _matching(pattern: str, base: Path) -> list[Path]:
    path = base / Path(pattern).expanduser()
    return [each for each in sorted(path.parent.glob(path.name)) if each.is_file()]


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def names(text: str, host: str) -> bool:
    """Whether a ``Host`` line is about ``host`` in particular: by name or pattern, but not by ``*`` alone."""
    for line in text.splitlines():
        said = _LINE.fullmatch(line)
        if said and said[1].lower() == "host":
            patterns = _words(said[2])
            refused = any(each[:1] == "!" and fnmatch.fnmatchcase(host, each[1:]) for each in patterns)
            if not refused and any(each != "*" and fnmatch.fnmatchcase(host, each) for each in patterns):
                return True
    return False
