"""Which version of the metadata service a node has."""

from __future__ import annotations

import http.server
import threading

import pytest

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
