"""A client's HTTP connection: kept alive, quiet, and one write per answer."""

from __future__ import annotations

import io
import logging
import socket
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_LOG = logging.getLogger(__name__)


class _Connection(MotoRequestHandler):
    """werkzeug closes every connection and lingers 10 ms on it; an EC2 call takes less than that.

    Its reason to close is that the rest of a request might still be in the pipe. Here a request is
    read whole before it is answered.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        if self.headers.get("Transfer-Encoding"):
            body = environ["wsgi.input"].read()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = io.BytesIO(body)

        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Any:
            head[:] = [status, headers]

        answer = b"".join(self.server.app(environ, start_response))
        status, headers = head
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            if name.lower() not in ("content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    def log(self, type: str, message: str, *args: Any) -> None:
        """What werkzeug has to say about each request is of no interest, but for its errors."""
        if type == "error":
            _LOG.error(message, *args)


def server_on(listener: socket.socket, application: WSGIApplication) -> BaseWSGIServer:
    """A threaded HTTP server on a socket that listens already; the socket stays the caller's."""
    host, port = listener.getsockname()[:2]
    return make_server(
        host, port, application, threaded=True, request_handler=_Connection, fd=listener.fileno()
    )
