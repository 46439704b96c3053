"""Who is told, as a real HTTP server on this machine: a webhook, and GitHub's issues as its API has them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.serving import serving


class Asked(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


class Reply(NamedTuple):
    status: int
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()


class Listener:
    """At ``url``; ``asked``: what came. ``reply`` makes the answers, and may take its time over it."""

    def __init__(self, reply: Callable[[Asked], Reply]) -> None:
        self.asked: list[Asked] = []
        self._reply = reply
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def open(self) -> Iterator[Listener]:
        with serving(self._server):
            yield self

    def _handler(listener) -> type[BaseHTTPRequestHandler]:  # noqa: N805 -- the handler inside has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = json.loads(sent) if sent else None
                asked = Asked(self.command, self.path, dict(self.headers.items()), body)
                listener.asked.append(asked)
                reply = listener._reply(asked)
                said = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                for name, value in (*reply.headers, ("Content-Length", str(len(said)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST = do_PATCH = _any  # noqa: N815 -- the names that http.server looks for

            def log_message(self, format: str, *arguments: object) -> None:
                """Nobody reads it."""

        return Handler


class GitHub:
    """The issues of ``our/lab``, by docs.github.com: who may write sets labels, others' are dropped.

    ``refusing``: by method, a status with which all such requests are refused.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.issues: dict[int, dict[str, Any]] = {}
        self.comments: list[tuple[int, str]] = []
        self.may_label = True
        self.refusing: dict[str, int] = {}
        self.first = 1

    def put(self, title: str, *labels: str, **more: Any) -> int:
        number = self.first + len(self.issues)
        issue = {"number": number, "title": title, "body": "", "state": "open", **more}
        self.issues[number] = {**issue, "labels": [{"name": label} for label in labels]}
        return number

    def reply(self, asked: Asked) -> Reply:
        if asked.headers.get("Authorization") != f"Bearer {self.token}":
            return Reply(401, {"message": "Bad credentials"})
        if asked.method in self.refusing:
            return Reply(self.refusing[asked.method], {"message": f"no {asked.method} by <{self.token}>"})
        parts = urlsplit(asked.path)
        found = re.fullmatch(r"/repos/our/lab/issues(?:/(\d+)(/comments)?)?", parts.path)
        if not found:
            return Reply(404, {"message": "Not Found"})
        number, comments = int(found[1] or 0), found[2]
        if asked.method == "GET":
            (label,) = parse_qs(parts.query)["labels"]
            return Reply(200, [i for i in self.issues.values() if _has(i, label) and i["state"] == "open"])
        if asked.method == "POST" and not number:
            labels = asked.body["labels"] if self.may_label else []
            return Reply(201, self.issues[self.put(asked.body["title"], *labels, body=asked.body["body"])])
        if asked.method == "POST" and comments:
            self.comments.append((number, asked.body["body"]))
            return Reply(201, {})
        self.issues[number].update(asked.body)
        return Reply(200, self.issues[number])


def _has(issue: dict[str, Any], label: str) -> bool:
    return label in [each["name"] for each in issue["labels"]]
