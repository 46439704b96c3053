"""A request to AWS and the line that says what came of it: no signal comes between the two."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""By which somebody wants us to end."""


@contextlib.contextmanager
def undivided() -> Iterator[None]:
    """While this lasts, a signal that would end us is put off; a second one is not.

    Then it comes, as it would have come. AWS may take half a minute to answer: who presses Ctrl-C twice
    need not wait for it, and the journal says that nobody knows what became of the request. Outside the
    main thread, where Python lets nobody handle signals, nothing is put off.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    mine = [number for number, handler in before.items() if handler not in (signal.SIG_IGN, None)]
    came: list[int] = []

    def put_off(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1:
            restore()
            os.kill(os.getpid(), number)

    def restore() -> None:
        for number in mine:
            signal.signal(number, before[number])

    for number in mine:
        signal.signal(number, put_off)
    try:
        yield
    finally:
        restore()
        if len(came) == 1:
            os.kill(os.getpid(), came[0])
