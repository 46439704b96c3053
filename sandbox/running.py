"""Which sandbox a command means that is not told: this terminal's own, else the one that runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

from sandbox import folder, surroundings


class NotOneError(Exception):
    """None, or several; its text says so, and what to do, in the reader's language."""


def meant(name: str, command: str, environment: Mapping[str, str], say: Callable[..., str]) -> Path:
    """The folder of the sandbox called ``name``; where that is empty, of the one that is meant.

    ``command``: what is typed with a name where several run. Raises ``NotOneError``.
    """
    try:
        living = [each for each in folder.living() if _is_up(each)]
    except folder.NotPrivateError as problem:
        raise NotOneError(say("sandbox-not-yours", path=problem.filename)) from problem
    own = Path(environment.get("KTHW_SSH_CONFIG", "/")).parent
    called = [each for each in living if name == each.name.removeprefix(folder.PREFIX)]
    if name and not called:
        raise NotOneError(say("sandbox-no-such", name=name))
    if called or own in living:
        return called[0] if called else own
    if not living:
        raise NotOneError(say("sandbox-none"))
    if len(living) > 1:
        lines = [f"  ./run sandbox {command} {each.name.removeprefix(folder.PREFIX)}" for each in living]
        raise NotOneError("\n".join([say("sandbox-several-running", count=len(living)), *lines]))
    return living[0]


def _is_up(directory: Path) -> bool:
    """It came up, and has not ended since."""
    with contextlib.suppress(OSError):
        return bool(surroundings.kept(directory))
    return False
