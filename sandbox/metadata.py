"""Instance metadata on 169.254.169.254, as the tutorial's workers ask it for their user data.

Served per VPC, in its namespace: who asks is known by the address the packet comes from, which for
a pod is its node's (the tutorial's ``ipMasq``). Both versions answer, as EC2 does by default: plain
GET, and GET with a token from ``PUT /latest/api/token``; a wrong token is refused, and so is none where
the instance's ``HttpTokens`` is ``required``. Switched off, it refuses all. The packets of a token's answer
go no further than the instance's hop limit lets them (EC2 User Guide, *Use IMDSv2*).
"""

from __future__ import annotations

import secrets
import socket
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from sandbox import namespaces
from sandbox.metadata_tree import LATEST, VERSIONS, listed, tree
from sandbox.state import Instance, State

ADDRESS: Final = "169.254.169.254"
_TOKEN_HEADER: Final = "X-aws-ec2-metadata-token"  # noqa: S105 -- a header's name
_LIFETIME_HEADER: Final = f"{_TOKEN_HEADER}-ttl-seconds"
_LONGEST: Final = 21600
"""Seconds that a token lives at most: six hours."""
_REFUSED: Final = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
_PAGE: Final = (
    '<?xml version="1.0" encoding="iso-8859-1"?>\n'
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"\n\t"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
    '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">\n <head>\n  <title>{said}</title>\n'
    " </head>\n <body>\n  <h1>{said}</h1>\n </body>\n</html>\n"
)
"""What a refusal looks like: who pipes it on without looking at the status has a page for a value."""


class Metadata:
    """The answers for all VPCs. ``know`` replaces what they are given from."""

    def __init__(self) -> None:
        self._state = State()
        self._owners: dict[tuple[str, str], str] = {}
        """The instance of each (VPC, private address)."""
        self._tokens: dict[str, tuple[str, float]] = {}
        """(Its instance, when it ends.)"""
        self._servers: dict[str, ThreadingHTTPServer] = {}

    def know(self, state: State) -> None:
        """Answer from ``state`` from now on."""
        self._state = state
        self._owners = {(e.vpc, address): e.instance for e in state.enis.values() for address in e.addresses}

    def serve(self, vpc: str) -> None:
        """Serve inside the namespace ``vpc`` until this process ends; give it the address first."""
        server = namespaces.inside(vpc, partial(ThreadingHTTPServer, (ADDRESS, 80), _Handler))
        self._servers[vpc] = server
        server.daemon_threads = True
        server.RequestHandlerClass = partial(_Handler, self, vpc)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def leave(self, vpc: str) -> None:
        """Stop serving inside the namespace ``vpc``, which lives as long as a socket of it is open."""
        server = self._servers.pop(vpc, None)
        if server is not None:
            threading.Thread(target=_close, args=(server,), daemon=True).start()

    def token(self, vpc: str, address: str, lifetime: str | None) -> tuple[int, bytes]:
        """(HTTP status, body) of a PUT by the machine with ``address``: a new session token.

        ``lifetime``: in seconds, as the request has it.
        """
        instance = self._asking(vpc, address)
        if instance is not None and instance.metadata == "off":
            return 403, b""
        if lifetime is None or not lifetime.isdecimal() or not 1 <= int(lifetime) <= _LONGEST:
            return 400, b""
        now = time.monotonic()
        self._tokens = {text: (its, end) for text, (its, end) in self._tokens.items() if end > now}
        token = secrets.token_urlsafe(32)
        self._tokens[token] = (instance.id if instance else "", now + int(lifetime))
        return 200, token.encode()

    def hop_limit(self, vpc: str, address: str) -> int:
        """How many hops the answer to a PUT may take."""
        instance = self._asking(vpc, address)
        return instance.hop_limit if instance else 1

    def answer(self, vpc: str, address: str, path: str, token: str | None) -> tuple[int, bytes]:
        """(HTTP status, body) of a GET by the machine with ``address``."""
        instance = self._asking(vpc, address)
        if instance is None:
            return 404, b""
        if instance.metadata == "off":
            return 403, b""
        its, end = self._tokens.get(token or "", ("", 0.0))
        known = its == instance.id and end > time.monotonic()
        if not known and (token is not None or instance.metadata == "required"):
            return 401, b""
        version, _, wanted = path.partition("?")[0].strip("/").partition("/")
        if not version:
            return 200, "\n".join(VERSIONS).encode()
        if version not in VERSIONS:
            return 404, b""
        told = tree(instance, self._state)
        body = told.get(wanted)
        if body is None:
            body = listed(wanted, told, instance.launch.key_name)
        return (404, b"") if body is None else (200, body)

    def _asking(self, vpc: str, address: str) -> Instance | None:
        return self._state.instances.get(self._owners.get((vpc, address), ""))


def _close(server: ThreadingHTTPServer) -> None:
    server.shutdown()  # waits until the serving thread has noticed
    server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, metadata: Metadata, vpc: str, *arguments: object) -> None:
        self._metadata, self._vpc = metadata, vpc
        super().__init__(*arguments)  # type: ignore[arg-type]  # socketserver's three, passed through

    def do_GET(self) -> None:
        token = self.headers.get(_TOKEN_HEADER)
        self._reply(*self._metadata.answer(self._vpc, self.client_address[0], self.path, token))

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        if self.path.strip("/") != f"{LATEST}/api/token":
            self._reply(404, b"")
        elif "X-Forwarded-For" in self.headers:  # it would be somebody's else
            self._reply(403, b"")
        else:
            asking, lifetime = (self._vpc, self.client_address[0]), self.headers.get(_LIFETIME_HEADER)
            self.connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, self._metadata.hop_limit(*asking))
            self._reply(*self._metadata.token(*asking, lifetime), lifetime)

    def _reply(self, status: int, body: bytes, lifetime: str | None = None) -> None:
        kind = "text/plain"
        if status in _REFUSED:
            body, kind = _PAGE.format(said=f"{status} - {_REFUSED[status]}").encode(), "text/html"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if lifetime and status not in _REFUSED:
            self.send_header(_LIFETIME_HEADER, lifetime)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self) -> str:
        """As AWS's says who it is."""
        return "EC2ws"

    def log_message(self, *_: object) -> None:
        """Say nothing: requests are no event of the sandbox's log."""
