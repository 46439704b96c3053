"""The same for all workers at once, each in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

from kthw.errors import CouldNotLook, LookError

T = TypeVar("T")


class Abreast:
    """Threads for one step after the other; a step ends with the last of them."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._mistakes: list[BaseException] = []

    def each(
        self,
        names: Iterable[str],
        act: Callable[[str], T],
        failed: Callable[[str, LookError], None],
        tell: Callable[[int, int], None] | None = None,
    ) -> dict[str, T]:
        """``act`` for all at once; the results of those that did not fail, in the order of ``names``.

        ``failed`` is told of each that could not look, one at a time; ``tell`` how many of how many are done.
        """
        order = list(names)
        done: dict[str, T] = {}
        news = threading.Condition()
        finished = 0

        def one(name: str) -> None:
            nonlocal finished
            try:
                result = act(name)
            except CouldNotLook as problem:
                with news:
                    failed(name, problem.error)
            except BaseException as mistake:  # noqa: BLE001 -- ours, and raised by the thread that waits
                self._mistakes.append(mistake)
            else:
                with news:
                    done[name] = result
            finally:
                with news:
                    finished += 1
                    news.notify()

        self._threads = [threading.Thread(target=one, args=[name], daemon=True) for name in order]
        if tell:
            tell(0, len(order))
        for thread in self._threads:
            thread.start()
        told = 0
        while told < len(order):
            with news:
                while finished == told:
                    news.wait()
                told = finished
            if tell:
                tell(told, len(order))
        for thread in self._threads:
            thread.join()
        if self._mistakes:
            raise self._mistakes[0]
        return {name: done[name] for name in order if name in done}

    def wait(self, seconds: float) -> None:
        """For threads that still run, after an interruption, so long each."""
        for thread in self._threads:
            thread.join(seconds)
