"""When a signal becomes ``KeyboardInterrupt``: never in the midst of an import, nor where it is held back."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from fixtures.interruption import Interruption

SECONDS = 20.0


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Write a module of that text, which can be imported; its name."""
    monkeypatch.syspath_prepend(tmp_path)

    def written(text: str) -> str:
        name = f"interrupted_{tmp_path.name}"
        monkeypatch.delitem(sys.modules, name, raising=False)
        (tmp_path / f"{name}.py").write_text(text)
        return name

    return written


def wait(_imported: ModuleType) -> None:
    """Until a signal raises."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        time.sleep(0.001)
    pytest.fail("nothing was raised")


def test_an_import_ends_before_the_interruption_that_came_in_it(module: Callable[[str], str]) -> None:
    name = module("import signal\nsignal.raise_signal(signal.SIGINT)\nWHOLE = True\n")
    with pytest.raises(KeyboardInterrupt), Interruption():
        wait(import_module(name))
    assert sys.modules[name].WHOLE


def test_an_interruption_in_the_last_import_is_raised_at_the_end(module: Callable[[str], str]) -> None:
    name = module("import signal\nsignal.raise_signal(signal.SIGTERM)\n")
    with pytest.raises(KeyboardInterrupt), Interruption() as interruption:
        import_module(name)
    assert interruption.came
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_an_error_is_not_hidden_by_an_interruption_that_was_put_off(module: Callable[[str], str]) -> None:
    name = module("import signal\nsignal.raise_signal(signal.SIGHUP)\nraise LookupError\n")
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(LookupError), Interruption() as interruption:
        import_module(name)
    assert interruption.came
    assert signal.getsignal(signal.SIGALRM) is before


def test_elsewhere_it_is_raised_at_once_and_held_back_only_while_asked() -> None:
    with Interruption() as interruption:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        ended: list[bool] = []

        def raised() -> None:
            signal.raise_signal(signal.SIGINT)
            ended.append(True)

        with pytest.raises(KeyboardInterrupt), interruption.held():
            raised()
        assert ended == [True]
