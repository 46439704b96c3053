"""Which version of the metadata service a node has."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from kthw.observed.agent import metadata as module
from kthw.observed.agent.metadata import metadata


class Metadata(http.server.BaseHTTPRequestHandler):
    """Answers a plain GET with ``plain``, one with the token with ``with_token``."""

    plain, with_token = 200, 200

    def do_GET(self) -> None:
        self._answer(self.with_token if self.headers.get("X-aws-ec2-metadata-token") == "t0" else self.plain)

    def do_PUT(self) -> None:
        self._answer(200 if self.headers.get("X-aws-ec2-metadata-token-ttl-seconds") else 400)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"t0")

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("plain", "with_token", "expected"),
    [(200, 200, "v1"), (401, 200, "v2"), (401, 401, "none"), (403, 403, "none"), (404, 200, "none")],
)
def test_the_metadata_service_is_known_by_what_it_says_to_a_plain_question(
    plain: int, with_token: int, expected: str
) -> None:
    handler = type("Handler", (Metadata,), {"plain": plain, "with_token": with_token})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            assert metadata("127.0.0.1", server.server_port) == expected
        finally:
            server.shutdown()
            thread.join()
        closed = server.server_port
    assert metadata("127.0.0.1", closed) == "none"


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nt0"
NO = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"


@contextlib.contextmanager
def saying(*answers: bytes, size: int = 1 << 16, pause: float = 0.0) -> Iterator[tuple[int, list[bytes]]]:
    """The port of a server that says each answer to one question; and what it was asked.

    It sends ``size`` bytes at once, with so many seconds of ``pause`` after them.
    """
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for answer in answers:
                with listener.accept()[0] as connection, contextlib.suppress(OSError):
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    asked.append(connection.recv(4096))
                    for at in range(0, len(answer), size):
                        connection.sendall(answer[at : at + size])
                        time.sleep(pause)

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listener.getsockname()[1]), asked
        thread.join(10)


@pytest.mark.parametrize(
    "token",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nt0",
        b"HTTP/1.0 200 OK\n\nt0",
        b"HTTP/1.1 200\r\nServer: a\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nt0\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nt0\r\nX: y",
    ],
    ids=["a length", "an end", "chunks", "more than its length"],
)
@pytest.mark.parametrize("size", [1, 1 << 16], ids=["byte by byte", "at once"])
def test_a_token_is_read_however_it_is_sent(token: bytes, size: int) -> None:
    with saying(NO, token, OK, size=size) as (port, asked):
        assert metadata("127.0.0.1", port) == "v2"
    first, second, third = (each.decode().split("\r\n") for each in asked)
    assert first[0] == third[0] == "GET /latest/meta-data/instance-id HTTP/1.1"
    assert second[0] == "PUT /latest/api/token HTTP/1.1"
    assert "X-aws-ec2-metadata-token: t0" in third
    assert [each for each in first if "token" in each] == []
    assert all("Host: 127.0.0.1" in each and each[-2:] == ["", ""] for each in (first, second, third))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"a" * 20_000,
    ],
    ids=["nothing", "no HTTP", "half a head", "another version", "no status", "too long a head"],
)
def test_what_answers_and_is_no_metadata_service_is_none(answer: bytes) -> None:
    with saying(answer) as (port, _):
        assert metadata("127.0.0.1", port) == "none"


def test_what_cannot_be_a_token_is_put_into_no_header() -> None:
    with saying(NO, b"HTTP/1.0 200 OK\r\n\r\nt0\r\nX-Forwarded-For: 1", NO) as (port, asked):
        assert metadata("127.0.0.1", port) == "none"
    assert b"X-" not in asked[2]


def test_one_that_speaks_too_slowly_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.2)
    with saying(OK, size=1, pause=0.05) as (port, _):
        began = time.monotonic()
        assert metadata("127.0.0.1", port) == "none"
        assert time.monotonic() - began < 1
