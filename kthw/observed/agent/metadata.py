"""How the instance metadata service answers: to a plain ``curl``, as in the tutorial, or to a token only."""

from __future__ import annotations

import http.client

ADDRESS = "169.254.169.254"
SECONDS = 1.0
"""How long it may take: where there is none, usually nobody says so."""
_TOKEN = "X-aws-ec2-metadata-token"  # noqa: S105 -- a header's name


def metadata(address: str = ADDRESS, port: int = 80) -> str:
    """``v1`` (a plain GET is answered), ``v2`` (401 to it, but not to one with a token) or ``none``."""
    try:
        status, version = _status(address, port, ""), "v1"
        if status == 401:
            status, version = _status(address, port, _token(address, port)), "v2"
        return version if status == 200 else "none"
    except (OSError, http.client.HTTPException):
        return "none"


def _status(address: str, port: int, token: str) -> int:
    return _ask(address, port, "GET", "/latest/meta-data/instance-id", {_TOKEN: token} if token else {})[0]


def _token(address: str, port: int) -> str:
    lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    return _ask(address, port, "PUT", "/latest/api/token", lifetime)[1]


def _ask(address: str, port: int, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address, port, timeout=SECONDS)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(256).decode("ascii", "replace")
    finally:
        connection.close()
