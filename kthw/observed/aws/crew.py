"""Threads for calls that may never come back: nobody waits for them, neither at a deadline nor at the end."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

_T = TypeVar("_T")
_P = ParamSpec("_P")
_Task = tuple[Future[Any], Callable[[], Any]]


class Crew:
    """At most ``threads`` calls at once. The standard library's pool joins its threads when Python ends."""

    def __init__(self, threads: int, name: str) -> None:
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._idle = [
            threading.Thread(target=self._work, name=f"{name}-{n}", daemon=True) for n in range(threads)
        ]
        self._threads = threads

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Call it when a thread is free."""
        future: Future[_T] = Future()
        self._tasks.put((future, lambda: fn(*args, **kwargs)))
        if self._idle:
            self._idle.pop().start()
        return future

    def dismiss(self) -> None:
        """Take no more, and begin nothing more. What runs, runs on unattended."""
        with contextlib.suppress(Empty):
            while task := self._tasks.get_nowait():
                task[0].cancel()
        for _ in range(self._threads):
            self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            future, call = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = call()
            except BaseException as problem:  # noqa: BLE001 -- it is raised again where the result is asked for
                future.set_exception(problem)
            else:
                future.set_result(result)
