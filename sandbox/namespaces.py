"""Network namespaces: commands and sockets inside one.

Runs in the leader only, whose ``/run/netns`` is private to the sandbox.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar

NAMED: Final = Path("/run/netns")
_CLONE_NEWNET: Final = 0x40000000
_T = TypeVar("_T")


class CommandError(RuntimeError):
    """A command the fabric depends on failed; the message carries what it said."""


def run(command: list[str], stdin: str = "") -> str:
    """Run a command to its end and return what it printed. Raises ``CommandError``."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandError(f"{' '.join(command[:6])} …: {done.stderr.strip()}\n{stdin[-2000:]}")
    return done.stdout


def ip(namespace: str, commands: Iterable[str]) -> None:
    """Run ``ip`` commands (without the word ``ip``) as one batch inside ``namespace``.

    An empty ``namespace`` is the leader's own. Raises ``CommandError`` at the first that fails.
    """
    lines = list(commands)
    if lines:
        inside = ["-n", namespace] if namespace else []
        run(["ip", *inside, "-batch", "-"], "\n".join(lines) + "\n")


def nft(namespace: str, script: str) -> None:
    """Apply an nftables script inside ``namespace`` as one transaction. Raises ``CommandError``."""
    if script:
        within(namespace, "nft", "-f", "-", stdin=script)


def within(namespace: str, *command: str, stdin: str = "") -> str:
    """``run`` a command inside ``namespace``. Raises ``CommandError``."""
    return run(["nsenter", f"--net={NAMED / namespace}", *command], stdin)


def sysctl(namespace: str, settings: dict[str, str]) -> None:
    """Set sysctls below ``net`` (``ipv4.ip_forward``) inside ``namespace``. Raises ``OSError``."""

    def write() -> None:
        for name, value in settings.items():
            # /proc/sys/net shows the namespace of the *thread* that looks.
            Path("/proc/thread-self/net").stat()
            Path("/proc/sys/net", *name.split("/")).write_text(value)

    inside(namespace, write)


def inside(namespace: str, act: Callable[[], _T]) -> _T:
    """``act()`` in a thread that has entered ``namespace``; sockets made there stay there.

    Whatever ``act`` raises is raised here.
    """
    outcome: list[_T] = []
    failure: list[BaseException] = []

    def enter_and_act() -> None:
        try:
            with _open(NAMED / namespace) as descriptor:
                _setns(descriptor)
            outcome.append(act())
        except BaseException as problem:  # noqa: BLE001 -- carried to the caller's thread and raised there
            failure.append(problem)

    # A thread of its own that ends here: setns(2) changes only the calling thread.
    thread = threading.Thread(target=enter_and_act)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


@contextlib.contextmanager
def _open(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _setns(descriptor: int) -> None:
    # os.setns exists from Python 3.12 on; this project runs on 3.11 too.
    if _LIBC.setns(descriptor, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")


_LIBC: Final = ctypes.CDLL(None, use_errno=True)
