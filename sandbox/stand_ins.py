"""Puts ``sandbox.on_node`` on the nodes, in the place of programs that could not do there what they say.

A program that this computer has below ``/usr`` is covered by ours; where it has none, or a link to
another (``modprobe`` is ``kmod``), a link in ``/usr/local`` leads to ours.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Final

from kthw.words.messages import Catalogue
from sandbox.on_node import absent
from sandbox.on_node.called import POWER, PROGRAMS

FOLDER: Final = "/opt/sandbox"
RUN: Final = "run"
"""The file there that is all of them."""
_STARTED: Final = f"""#!/usr/bin/python3 -IS
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, "{FOLDER}")
from sandbox.on_node.called import main
sys.exit(main(sys.argv[0], sys.argv[1:]))
"""
_WORDS: Final = "node-"
"""How the keys of their sentences begin."""
_OF_OTHERS: Final = ("dnf", "yum")
"""What the images of a Debian have not."""
_BY_ROOT: Final = (*POWER, "modprobe", "service", "swapoff", "swapon")


def prepare(folder: Path, words: Catalogue) -> None:
    """Write them to ``folder``, once for all nodes."""
    package = folder / "sandbox"
    shutil.copytree(Path(__file__).with_name("on_node"), package / "on_node", ignore=_ignored)
    (package / "__init__.py").touch()
    said = {key: text for key, text in words.phrases.items() if key.startswith(_WORDS)}
    (folder / "words.json").write_text(json.dumps(said), encoding="utf-8")
    (folder / "motd").write_text(f"\n{words.say('node-motd')}\n\n", encoding="utf-8")
    run = folder / RUN
    run.write_text(_STARTED)
    run.chmod(0o755)


_ignored: Final = shutil.ignore_patterns("__pycache__")


def covered() -> list[str]:
    """The programs of this computer that are covered: their paths."""
    names = [name for name in _names(of_debian=True) if name not in absent.PACKAGES]
    paths = [Path(folder, name) for folder in ("/usr/bin", "/usr/sbin") for name in names]
    return [str(path) for path in paths if path.is_file() and not path.is_symlink()]


def links(*, of_debian: bool) -> list[str]:
    """The paths at which a link to ours is to stand on a node's disk, below its ``/usr/local``."""
    hidden = {Path(path).name for path in covered()}
    return [
        f"{'sbin' if name in _BY_ROOT else 'bin'}/{name}"
        for name in _names(of_debian=of_debian)
        if name not in hidden and not (name in absent.PACKAGES and _is_here(name))
    ]


def _names(*, of_debian: bool) -> list[str]:
    names = [*PROGRAMS, *POWER, *absent.PACKAGES]
    return [name for name in names if not (of_debian and name in _OF_OTHERS)]


def _is_here(name: str) -> bool:
    return any(Path(folder, name).exists() for folder in ("/usr/bin", "/usr/sbin"))
