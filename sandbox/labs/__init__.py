"""The labs that people really build, a module each; ``LAB`` in it says all about one."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Final

from sandbox.lab import Lab

TUTORIAL: Final = "tutorial"
NAMES: Final = tuple(
    sorted(
        (path.stem.replace("_", "-") for path in Path(__file__).parent.glob("[!_]*.py")),
        key=lambda name: (name != TUTORIAL, name),
    )
)


def lab(name: str) -> Lab:
    """The lab called that, one of ``NAMES``."""
    found: Lab = importlib.import_module(f"sandbox.labs.{name.replace('-', '_')}").LAB
    return found
