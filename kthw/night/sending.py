"""One HTTP request to whoever is told of a night: https only, no redirect followed, and it ends in time.

An address may be a secret (a chat's webhook is nothing else), and a header may hold one: neither is ever in
what is said of a failure, but for the host's name.
"""

from __future__ import annotations

import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from kthw.foreign import printable
from kthw.night.address import host
from kthw.target import is_local

SECONDS: Final = 10.0
"""All that one request may take: looking the host up, connecting, sending, and its answer."""
MOST_ANSWERED: Final = 4_000_000
"""Bytes of an answer: a hundred issues with the longest texts are less."""


class Answer(Struct, frozen=True):
    """What came back. A redirect is an answer as any other."""

    status: int
    body: bytes = b""

    @property
    def is_yes(self) -> bool:
        return 200 <= self.status < 300


class NotSent(Exception):  # noqa: N818 -- no error of ours: somebody else did not answer
    """There is no answer. ``key`` and ``facts``: the sentence that says why."""

    def __init__(self, key: str, **facts: str) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts


def sent(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    seconds: float = SECONDS,
) -> Answer:
    """Ask once. Raises ``NotSent`` where no answer came within ``seconds``, however that is."""
    came: queue.SimpleQueue[Answer | NotSent] = queue.SimpleQueue()
    whose = host(url)
    request = urllib.request.Request(url, body, dict(headers), method=method)  # noqa: S310 -- see address()

    def work() -> None:
        try:
            came.put(_answer(request, seconds))
        except Exception as problem:  # noqa: BLE001 -- whatever it is, nobody is told anything by it
            came.put(NotSent("night-unsent", host=whose, detail=_told(problem)))

    # A name that is being looked up, and an answer that comes drop by drop, know no timeout of their own.
    threading.Thread(target=work, daemon=True).start()
    try:
        answer = came.get(timeout=seconds)
    except queue.Empty:
        raise NotSent("night-too-slow", host=whose, seconds=f"{seconds:g}") from None
    if isinstance(answer, NotSent):
        raise answer
    if len(answer.body) > MOST_ANSWERED:
        raise NotSent("night-unsent", host=whose, detail=f"> {MOST_ANSWERED} bytes")
    return answer


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Whoever is asked may not send the request, and what is in it, on to somebody else."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _answer(request: urllib.request.Request, seconds: float) -> Answer:
    # Nothing on this machine is asked for by way of a proxy.
    proxies = [urllib.request.ProxyHandler({})] if is_local(request.full_url) else []
    opener = urllib.request.build_opener(_NoRedirect, *proxies)
    try:
        with opener.open(request, timeout=seconds) as response:
            return Answer(response.status, response.read(MOST_ANSWERED + 1))
    except urllib.error.HTTPError as refused:
        with refused:
            return Answer(refused.code, refused.read(MOST_ANSWERED + 1))


def _told(problem: Exception) -> str:
    """What is wrong, without the address: of what Python says, only what names none."""
    reason = getattr(problem, "reason", None) or problem
    said = getattr(reason, "verify_message", "") or getattr(reason, "strerror", "") or type(reason).__name__
    return printable(str(said))
