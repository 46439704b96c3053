"""A wire between a client and the API that a test can cut or lie on: errors as HTTP really brings them."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from tests.serving import serving


class Answer(NamedTuple):
    """What comes back over the wire."""

    status: int
    body: bytes


Carry = Callable[[], Answer]
"""Carries the request to the API, and returns its answer."""
Deed = Callable[[Carry], Answer | None]
"""What becomes of one request; ``None``: the connection breaks."""


def carried(carry: Carry) -> Answer:
    """As if there were no wire."""
    return carry()


def refused(
    code: str, message: str = "", status: int = 400, after: Callable[[], object] = lambda: None
) -> Deed:
    """EC2 says no; ``after`` happens at that moment."""

    def deed(_carry: Carry) -> Answer:
        after()
        error = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        return Answer(status, f"<Response><Errors>{error}</Errors></Response>".encode())

    return deed


def lost(_carry: Carry) -> None:
    """The connection breaks before the request arrives."""


def unanswered(carry: Carry) -> None:
    """The request is carried out, and the connection breaks before the answer."""
    carry()


def answered(status: int, body: bytes) -> Deed:
    """The request is carried out, and something else comes for its answer."""

    def deed(carry: Carry) -> Answer:
        carry()
        return Answer(status, body)

    return deed


def first(happens: Callable[[], object]) -> Deed:
    """Something happens, and then the request is carried out."""

    def deed(carry: Carry) -> Answer:
        happens()
        return carry()

    return deed


def then(happens: Callable[[], object]) -> Deed:
    """The request is carried out, and something happens before the answer comes."""

    def deed(carry: Carry) -> Answer:
        answer = carry()
        happens()
        return answer

    return deed


class Wire:
    """At ``endpoint``, carries everything to the API at ``upstream``, but for what ``on`` says.

    ``sent``: the actions that came, in order. ``refuse``: looks at each request before it is carried; what it
    returns is the answer.
    """

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream).netloc
        self._deeds: defaultdict[str, list[Deed]] = defaultdict(list)
        self._always: dict[str, Deed] = {}
        self._lock = threading.Lock()
        self.sent: list[str] = []
        self.refuse: Callable[[dict[str, str]], Answer | None] = lambda _asked: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def on(self, action: str, *deeds: Deed, always: Deed | None = None) -> None:
        """The next requests ``action`` meet ``deeds``, one each; those after them ``always``."""
        with self._lock:
            self._deeds[action] = list(deeds)
            self._always.pop(action, None)
            if always:
                self._always[action] = always

    @contextmanager
    def open(self) -> Iterator[Wire]:
        """Carry until the end."""
        with serving(self._server):
            yield self

    def _deed(self, action: str) -> Deed | None:
        with self._lock:
            self.sent.append(action)
            waiting = self._deeds[action]
            return waiting.pop(0) if waiting else self._always.get(action)

    def _handler(wire) -> type[BaseHTTPRequestHandler]:  # noqa: N805 -- the handler inside has a self of its own
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                # Who has read enough hangs up in the middle of an answer.
                with contextlib.suppress(ConnectionError):
                    super().handle()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
                deed = wire._deed(asked["Action"]) or carried

                def carry() -> Answer:
                    there = http.client.HTTPConnection(wire._upstream, timeout=30)
                    there.request("POST", self.path, body, dict(self.headers.items()))
                    answer = there.getresponse()
                    read = Answer(answer.status, answer.read())
                    there.close()
                    return read

                answer = wire.refuse(asked) or deed(carry)
                if answer is None:
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response(answer.status)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *arguments: object) -> None:
                """Nobody reads it."""

        return Handler
