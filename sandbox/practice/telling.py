"""What is told to who practises: lines of a width that one reads."""

from __future__ import annotations

import contextlib
import sys
import textwrap
from typing import Final

_WIDTH: Final = 78


def tell(*lines: str, aside: bool = False) -> None:
    """On standard output, or, ``aside``, beside what a command prints there."""
    file = sys.stderr if aside else sys.stdout
    if file:
        with contextlib.suppress(OSError):  # nobody can be told
            print("\n".join(map(_wrapped, lines)), file=file, flush=True)


def _wrapped(line: str) -> str:
    """Further lines stand as far in as the first one's words; nothing that may be a command is divided."""
    words = line.lstrip()
    return textwrap.fill(
        words,
        _WIDTH,
        initial_indent=line[: len(line) - len(words)],
        subsequent_indent=line[: len(line) - len(words)],
        break_long_words=False,
        break_on_hyphens=False,
    )
