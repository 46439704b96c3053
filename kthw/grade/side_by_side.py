"""Hand-ins judged in several processes at once: whatever one of them does to its process costs one row.

Each process has one recording in memory at a time; what comes back is a row.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from types import FrameType
from typing import Final

from kthw.grade.hand_in import HandIn
from kthw.grade.judged import Class, judged, unread
from kthw.grade.naming import Submitter
from kthw.grade.row import Note, Row

SECONDS: Final = 30.0
"""What one hand-in may take; 50 workers with every packet lost take a tenth of it."""
_MOST_MEMORY: Final = 3 << 30
_MOST_PROCESSES: Final = 32

Task = tuple[int, HandIn, Submitter]
"""A number of its own, the file, and whose it is by its name."""


def rows(tasks: Sequence[Task], group: Class, progress: Callable[[int, int], None]) -> list[Row]:
    """The row of each task, in their order. ``progress`` is told how many of how many are done."""
    found: dict[int, Row] = {}
    processes = max(1, min(len(tasks), os.cpu_count() or 1, _MOST_PROCESSES))
    for number, row in _through(tasks, group, processes):
        found[number] = row
        progress(len(found), len(tasks))
    for task in [each for each in tasks if each[0] not in found]:
        # One of them ended its process, and took those with it that shared the pool: each by itself now.
        died = unread(task[1], task[2], group, Note("too-long", "died"))
        found |= {task[0]: died, **dict(_through([task], group, 1))}
        progress(len(found), len(tasks))
    return [found[number] for number, _, _ in tasks]


def _through(tasks: Sequence[Task], group: Class, processes: int) -> Iterator[tuple[int, Row]]:
    """Each as it is done; those are lacking that the end of a process took away."""
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(group,))
    try:
        # A row is little, and the files of a big class are many: not all of them wait at once.
        waiting = list(reversed(tasks))
        running: dict[Future[Row], int] = {}
        while waiting or running:
            while waiting and len(running) < 8 * processes:
                task = waiting.pop()
                running[pool.submit(_judged, task)] = task[0]
            done = next(as_completed(running))
            yield running.pop(done), done.result()
    except BrokenProcessPool:
        return
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _TooLong(BaseException):
    """Its time is over; nobody on the way takes that for a failure of a check."""


_group: Class


def _begin(group: Class) -> None:
    global _group  # a process of the pool has one class, and no other place to keep it
    _group = group
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that was started
    signal.signal(signal.SIGALRM, _end)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY or most > _MOST_MEMORY:
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, most))


def _end(_number: int, _frame: FrameType | None) -> None:
    raise _TooLong


def _judged(task: Task) -> Row:
    number, handed, submitter = task
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        return judged(number, handed, submitter, _group)
    except _TooLong:
        return unread(handed, submitter, _group, Note("too-long", "", {"seconds": f"{SECONDS:.0f}"}))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
