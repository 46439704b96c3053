"""How the instance metadata service answers: to a plain ``curl``, as in the tutorial, or to a token only.

By hand, over a socket: the standard library's HTTP client imports TLS and e-mail, a fifth of our start.
"""

from __future__ import annotations

import re
import socket
import time

ADDRESS = "169.254.169.254"
SECONDS = 1.0
"""How long an answer may take: where there is none, usually nobody says so."""
MOST_BYTES = 1 << 14
"""Of an answer; of what follows its head, ``MOST_BODY``."""
MOST_BODY = 256
_TOKEN = "X-aws-ec2-metadata-token"  # noqa: S105 -- a header's name
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?\r?\n")
_HEAD = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r?\n", re.IGNORECASE)
_CHUNK = re.compile(rb"[0-9a-fA-F]{1,8}[^\r\n]*\r?\n([^\r\n]*)")
_CHUNKED = re.compile(rb"\ntransfer-encoding:[ \t]*chunked", re.IGNORECASE)
_FIT = re.compile(rb"[\x21-\x7e]+")


def metadata(address: str = ADDRESS, port: int = 80) -> str:
    """``v1`` (a plain GET is answered), ``v2`` (401 to it, but not to one with a token) or ``none``."""
    try:
        status, version = _status(address, port, ""), "v1"
        if status == 401:
            status, version = _status(address, port, _token(address, port)), "v2"
        return version if status == 200 else "none"
    except OSError:
        return "none"


def _status(address: str, port: int, token: str) -> int:
    return _ask(address, port, "GET", "/latest/meta-data/instance-id", {_TOKEN: token} if token else {})[0]


def _token(address: str, port: int) -> str:
    """Empty where what it says is none: it would not fit into a header."""
    lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    said = _ask(address, port, "PUT", "/latest/api/token", lifetime)[1]
    return said.decode("ascii") if _FIT.fullmatch(said) else ""


def _ask(address: str, port: int, method: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """The status, 0 for what is no HTTP, and the first bytes of the body. Raises ``OSError``."""
    always = {"Host": address, "Accept-Encoding": "identity", "Connection": "close", "Content-Length": "0"}
    lines = [f"{name}: {value}" for name, value in dict(always, **headers).items()]
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        connection.settimeout(SECONDS)
        connection.connect((address, port))
        connection.sendall("\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode("ascii"))
        return _answer(connection)


def _answer(connection: socket.socket) -> tuple[int, bytes]:
    until = time.monotonic() + SECONDS
    heard, status, body = b"", 0, b""
    while len(heard) < MOST_BYTES:
        left = until - time.monotonic()
        if left <= 0:
            raise OSError("no whole answer in time")
        connection.settimeout(left)
        data = connection.recv(4096)
        heard += data
        first, head = _STATUS.match(heard), _HEAD.search(heard)
        if first and head:
            status, body = int(first.group(1)), heard[head.end() :]
            length = _LENGTH.search(heard, 0, head.end())
            size = min(MOST_BODY, int(length.group(1))) if length else MOST_BODY
            if len(body) >= size:
                return status, body[:size]
        if not data:
            break
    part = _CHUNK.match(body) if status and _CHUNKED.search(heard, 0, len(heard) - len(body)) else None
    return status, part.group(1) if part else body
