"""What a lab's machines have on their disks from the first moment: what the workers chapter has people write.

A lab stands after that chapter; a machine that somebody launches in it does not. So whoever builds a lab says
beforehand, in the sandbox's folder, what the machine of each private address is to have; whoever makes a disk
looks there; and when the lab stands that is gone.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

_GIVEN: Final = "born-with.json"
Files = Mapping[str, str]
"""What is in each file, by its path."""


@contextlib.contextmanager
def given(directory: Path, files: Mapping[str, Files]) -> Iterator[None]:
    """Machines that are launched meanwhile, and have these private addresses, are born with these files.

    ``directory``: the sandbox's.
    """
    path = directory / _GIVEN
    path.touch(0o600)
    path.write_text(json.dumps(files), encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def files(directory: Path, address: str) -> dict[str, str]:
    """Those of a machine that is launched now."""
    try:
        text = (directory / _GIVEN).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    found: dict[str, str] = json.loads(text).get(address, {})
    return found
