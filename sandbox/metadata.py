"""Instance metadata on 169.254.169.254, as the tutorial's workers ask it for their user data.

Served per VPC, in its namespace: who asks is known by the address the packet comes from, which for
a pod is its node's (the tutorial's ``ipMasq``). Both versions answer, as EC2 does by default: plain
GET, and GET with a token from ``PUT /latest/api/token``; a wrong token is refused, and so is none where
the instance's ``HttpTokens`` is ``required``. Switched off, it refuses all.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from sandbox import namespaces
from sandbox.state import Eni, State

ADDRESS: Final = "169.254.169.254"
_TOKEN_HEADER: Final = "X-aws-ec2-metadata-token"  # noqa: S105 -- a header's name


@dataclass(frozen=True)
class _Asking:
    """An instance that may ask: its ``Instance.metadata``, and the answers by path."""

    setting: str
    answers: dict[str, bytes]


_NOBODY: Final = _Asking("optional", {})


class Metadata:
    """The answers for all VPCs. ``know`` replaces what they are given from."""

    def __init__(self) -> None:
        self._asking: dict[tuple[str, str], _Asking] = {}
        self._tokens: set[str] = set()
        self._servers: dict[str, ThreadingHTTPServer] = {}

    def know(self, state: State) -> None:
        """Answer from ``state`` from now on."""
        self._asking = {
            (eni.vpc, address): _Asking(state.instances[eni.instance].metadata, _answers(eni, state))
            for eni in state.enis.values()
            if eni.instance in state.instances
            for address in eni.addresses
        }

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

    def token(self, vpc: str, address: str) -> tuple[int, bytes]:
        """(HTTP status, body) of a PUT by the machine with ``address``: a new session token."""
        if self._asking.get((vpc, address), _NOBODY).setting == "off":
            return 403, b""
        token = secrets.token_urlsafe(32)
        self._tokens.add(token)
        return 200, token.encode()

    def answer(self, vpc: str, address: str, path: str, token: str | None) -> tuple[int, bytes]:
        """(HTTP status, body) of a GET by the machine with ``address``."""
        asking = self._asking.get((vpc, address), _NOBODY)
        if asking.setting == "off":
            return 403, b""
        if token not in self._tokens and (token is not None or asking.setting == "required"):
            return 401, b""
        known = asking.answers
        wanted = path.strip("/")
        if wanted in known:
            return 200, known[wanted]
        below = sorted(
            {key[len(wanted) + 1 :].split("/")[0] for key in known if key.startswith(f"{wanted}/")}
        )
        return (200, "\n".join(below).encode()) if below else (404, b"")


def _answers(eni: Eni, state: State) -> dict[str, bytes]:
    instance = state.instances[eni.instance]
    told = {
        "instance-id": instance.id,
        "local-ipv4": eni.addresses[0],
        "local-hostname": state.vpcs[eni.vpc].private_name(eni.addresses[0]),
        **({"public-ipv4": eni.public[0][1]} if eni.public else {}),
    }
    answers = {f"latest/meta-data/{key}": value.encode() for key, value in told.items()}
    return {**answers, "latest/user-data": instance.user_data} if instance.user_data else answers


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

    def do_PUT(self) -> None:
        if self.path == "/latest/api/token":
            self._reply(*self._metadata.token(self._vpc, self.client_address[0]))
        else:
            self._reply(404, b"")

    def _reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: requests are no event of the sandbox's log."""
