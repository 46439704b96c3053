"""What comes back from AWS: read up to a size and a time, and parsed without a traceback.

An endpoint that only resembles AWS, a proxy or somebody in between may answer anything with status 200.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from typing import Any, Final

import botocore.exceptions as boto
import botocore.parsers
from botocore.parsers import EC2QueryParser, QueryParser, ResponseParserError
from urllib3.exceptions import HTTPError

MOST_BYTES: Final = 32 * 1024 * 1024
"""Of one answer: a thousand instances, or a hundred full route tables, need a third of it."""
_FEW_BYTES: Final = 64 * 1024
"""Of an answer about one thing: 16 KB of user data are 22 KB there."""
_ABOUT_ONE: Final = frozenset({"AssumeRole", "DescribeInstanceAttribute", "GetCallerIdentity"})
_MOST_SECONDS: Final = 60.0
"""For the body of one answer, however it trickles."""
_CHUNK: Final = 64 * 1024
_BOOLEANS: Final = {"true": True, "false": False}
_MOST_DETAIL: Final = 300


class UnreadableAnswerError(boto.BotoCoreError):
    """What AWS answered is not what it answers: too much, without end, or something else altogether."""

    fmt = "{detail}"


class _Guarded(QueryParser):
    """Makes a parser of botocore's keep what it cannot read, and lose nothing else.

    A number that is none, a date, a boolean: the text is passed on as it is, and the type of the field that
    it stands in refuses it. Anything else that goes wrong is a ``ResponseParserError``.
    """

    def parse(self, response: Mapping[str, Any], shape: Any) -> dict[str, Any]:
        status = response["status_code"]
        failed = status >= 301
        try:
            parsed: dict[str, Any] = super().parse(response, shape)
        except Exception as problem:
            # A parser on foreign bytes may raise anything.
            if not failed:
                raise ResponseParserError(_said(problem)) from problem
            parsed = {"Error": {"Code": str(status), "Message": http.client.responses.get(status, "")}}
            parsed["ResponseMetadata"] = {"HTTPStatusCode": status}
        if failed:
            parsed["Error"] = _error(parsed.get("Error"))
        return parsed

    def _parse_shape(self, shape: Any, node: Any) -> Any:
        try:
            return super()._parse_shape(shape, node)  # type: ignore[misc]
        except (ValueError, TypeError, AttributeError, ArithmeticError):
            return _text(node)

    def _handle_list(self, shape: Any, node: Any) -> Any:
        # The same list twice: botocore would read the one as the first element, and the other as the second.
        twice = isinstance(node, list) and not shape.serialization.get("flattened")
        return _text(node) if twice else super()._handle_list(shape, node)  # type: ignore[misc]

    def _handle_string(self, _shape: Any, node: Any) -> Any:
        return _text(node)

    def _handle_boolean(self, _shape: Any, node: Any) -> Any:
        text = _text(node)
        # Botocore takes whatever is not "true" for false.
        return _BOOLEANS.get(text.lower(), text) if isinstance(text, str) else text


class _Ec2(_Guarded, EC2QueryParser):
    pass


class _Query(_Guarded, QueryParser):
    pass


class Parsers(botocore.parsers.ResponseParserFactory):
    """Makes the parsers of a session (its component ``response_parser_factory``)."""

    def create_parser(self, protocol_name: str) -> Any:
        guarded = {"ec2": _Ec2, "query": _Query}.get(protocol_name)
        return guarded() if guarded else super().create_parser(protocol_name)


def bound(client: Any) -> None:
    """Make ``client`` read no answer beyond its limits of size and time."""
    # Botocore itself has no way to say how much to read.
    connections = client._endpoint.http_session

    def send(request: Any, event_name: str, **_event: Any) -> Any:
        request.stream_output = True
        response = connections.send(request)
        most = _FEW_BYTES if event_name.rpartition(".")[2] in _ABOUT_ONE else MOST_BYTES
        response.raw = _Whole(_body(response.raw, most, request.url))
        return response

    client.meta.events.register("before-send", send)


class _Whole:
    """A body that has been read, where botocore looks for one that has not."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> list[bytes]:
        return [self._body]


def _body(raw: Any, most: int, url: str) -> bytes:
    until = time.monotonic() + _MOST_SECONDS
    body = bytearray()
    try:
        # What has come by now, and not a full chunk: who trickles would never be looked at.
        while chunk := raw.read1(_CHUNK):
            body += chunk
            if len(body) > most:
                raise UnreadableAnswerError(detail=f"> {most} bytes")
            if time.monotonic() > until:
                raise boto.ReadTimeoutError(endpoint_url=url)
    except HTTPError as problem:
        raise boto.HTTPClientError(error=problem) from problem
    except BaseException:
        # What is still to come is not wanted, and the connection cannot be used again.
        raw.close()
        raise
    announced = raw.headers.get("Content-Length", "")
    if announced.isdecimal() and not raw.headers.get("Content-Encoding") and len(body) < int(announced):
        # The line broke: that is no answer, and may be asked again. urllib3 leaves it to whoever reads so.
        raw.close()
        raise boto.HTTPClientError(error=f"{len(body)} of {announced} bytes came")
    return bytes(body)


def _text(node: Any) -> str | list[str]:
    """The text of an element; of one that is there several times, a list, which is no text."""
    if isinstance(node, list):
        return [str(getattr(each, "text", each) or "") for each in node]
    return str(getattr(node, "text", node) or "")


def _error(said: Any) -> dict[str, str]:
    known = said if isinstance(said, dict) else {}
    parts = {part: known.get(part) for part in ("Code", "Message")}
    return {part: said if isinstance(said, str) else "" for part, said in parts.items()}


def _said(problem: Exception) -> str:
    """In short: botocore's own message repeats the whole answer."""
    text = str(problem)[:_MOST_DETAIL]
    return text if isinstance(problem, ResponseParserError) else f"{type(problem).__name__}: {text}"
