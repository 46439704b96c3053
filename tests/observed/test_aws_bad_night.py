"""Whatever AWS, or what stands in its place, does: an error in a sentence, no finding, and in time."""

from __future__ import annotations

import http.server
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import pytest

from kthw.findings.judging import judge
from kthw.intended.cluster import Intended
from kthw.observed.aws import inventory
from kthw.observed.aws.reader import preload
from kthw.observed.evidence import Evidence
from kthw.observed.gather import gather
from kthw.target import Target
from kthw.words.messages import LANGUAGES, catalogue
from tests.observed.api_answers import HEALTHY, WORKERS, Answer, Api, reply, serving
from tests.observed.api_answers import user_data as user_data_of

THREE: Final = Intended(workers=WORKERS, after="machines")
FIRST, LATER, ONE_EACH = "GetCallerIdentity", "DescribeRouteTables", "DescribeInstanceAttribute"
_SECONDS: Final = 3.0
_ENOUGH: Final = 20.0
"""With both limits at ``_SECONDS``, and attempts of the first call that are over sooner."""
_REFUSED: Final = "AWS was not able to validate the provided access credentials"
_OLD: Final = "Signature expired: 20261127T010000Z is now earlier than 20261127T013500Z"
_PAGE: Final = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Hotel &amp; WLAN</body></html>"


class Night(NamedTuple):
    """What an action is answered with, and the code and the variant of the error."""

    answer: Answer
    code: str
    variant: str = ""


def says(code: str, message: str = "", status: int = 403) -> Answer:
    """An error as EC2 writes it; botocore reads the same of STS."""

    def answer(handler: http.server.BaseHTTPRequestHandler, _asked: dict[str, str]) -> None:
        error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        reply(handler, f"<Response><Errors>{error}</Errors></Response>".encode(), status)

    return answer


def page(handler: http.server.BaseHTTPRequestHandler, _asked: dict[str, str]) -> None:
    reply(handler, _PAGE, 200)


def proxy(handler: http.server.BaseHTTPRequestHandler, _asked: dict[str, str]) -> None:
    reply(handler, _PAGE, 502)


def half(handler: http.server.BaseHTTPRequestHandler, asked: dict[str, str]) -> None:
    """As much as came before the line broke."""
    body = user_data_of("i-00") if asked["Action"] == ONE_EACH else HEALTHY[asked["Action"]].encode()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])
    handler.close_connection = True


def half_a_document(_handler: object, asked: dict[str, str]) -> bytes:
    body = user_data_of("i-00") if asked["Action"] == ONE_EACH else HEALTHY[asked["Action"]].encode()
    return body[: len(body) // 2]


def reset(handler: http.server.BaseHTTPRequestHandler, _asked: object) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


class Slow:
    """Nothing comes before the test ends."""

    ended = threading.Event()

    def __call__(self, _handler: object, _asked: object) -> None:
        self.ended.wait(60)


NIGHTS: Final = {
    "expired token": Night(says("ExpiredToken", "The token has expired", 400), "credentials-expired"),
    "expired request": Night(says("RequestExpired", "Request has expired.", 400), "credentials-expired"),
    "refused key": Night(says("AuthFailure", _REFUSED, 401), "credentials-refused"),
    "clock behind": Night(says("SignatureDoesNotMatch", _OLD), "credentials-refused", "clock"),
    "clock ahead": Night(
        says("SignatureDoesNotMatch", "Signature not yet current: 2026 is still later than 2025"),
        "credentials-refused",
        "clock",
    ),
    "wrong secret": Night(
        says("SignatureDoesNotMatch", "The request signature we calculated does not match"),
        "credentials-refused",
    ),
    "denied": Night(says("UnauthorizedOperation", "You are not authorized"), "access-denied"),
    "throttled": Night(says("RequestLimitExceeded", "Request limit exceeded.", 503), "throttled"),
    "slow": Night(Slow(), "aws-unreachable", "slow"),
    "garbage": Night(b"\x00\xff{]<\x1b[2J", "aws-unreadable"),
    "half an answer": Night(half, "aws-unreachable"),
    "half a document": Night(half_a_document, "aws-unreadable"),
    "reset": Night(reset, "aws-unreachable"),
    "a page": Night(page, "aws-unreadable"),
    "a page of a proxy that fails": Night(proxy, "aws-unreachable"),
}


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    preload()
    with serving() as served:
        yield served


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(inventory, "_STEP_SECONDS", _SECONDS)
    monkeypatch.setattr(inventory, "_READING_SECONDS", _SECONDS)
    Slow.ended.clear()
    yield
    Slow.ended.set()


def looked(api: Api, *, endpoint: str | None = None, region: str = "us-east-1") -> Evidence:
    """In no more time than is allowed."""
    where = api.endpoint if endpoint is None else endpoint
    target = Target(kind="sandbox", credentials=("a", "b"), no_packets="x", endpoint=where, region=region)
    begun = time.monotonic()
    evidence = gather(target, THREE)
    assert time.monotonic() - begun < _ENOUGH
    return evidence


def told(evidence: Evidence) -> None:
    """Errors and no finding; each in one line, in both languages, with nothing that acts on a terminal."""
    verdict = judge(evidence)
    assert verdict.findings == ()
    statuses = {outcome.status for outcome in verdict.outcomes}
    assert "error" in statuses
    assert "broken" not in statuses
    assert evidence.errors
    for language in LANGUAGES:
        for error in evidence.errors:
            said = catalogue(language).error(error)
            assert said.what.isprintable()
            assert said.fix


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("action", [FIRST, LATER, ONE_EACH])
@pytest.mark.parametrize("night", NIGHTS.values(), ids=[name.replace(" ", "-") for name in NIGHTS])
def test_a_bad_answer_is_an_error_and_what_does_not_depend_on_it_is_judged(
    api: Api, night: Night, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(api.hostile, action, night.answer)
    evidence = looked(api)
    if {(error.code, error.variant) for error in evidence.errors} == {("aws-unreachable", "slow")}:
        evidence = looked(api)  # a busy machine may not have had its first answer by then
    told(evidence)
    errors = evidence.errors
    slowed = {("throttled", "slow"), ("aws-unreachable", "slow")}
    seen = {(error.code, error.variant) for error in errors}
    assert seen <= {(night.code, night.variant)} | slowed
    assert {code for code, _ in seen} == {night.code}
    if action == ONE_EACH:
        held = {o.check for o in judge(evidence).outcomes if o.status == "passed"}
        assert held >= {"one-running-instance", "source-dest-check-off"}
        assert {error.worker for error in errors} == set(WORKERS)


@pytest.mark.usefixtures("hurried")
def test_credentials_that_expire_in_mid_run_cost_what_was_not_read_by_then(api: Api) -> None:
    came: list[str] = []

    def expires(handler: http.server.BaseHTTPRequestHandler, asked: dict[str, str]) -> bytes | None:
        came.append(asked["InstanceId"])
        if len(came) > 1:
            expired: Callable[..., bytes | None] = NIGHTS["expired token"].answer  # type: ignore[assignment]
            return expired(handler, asked)
        return user_data_of(asked["InstanceId"])

    api.hostile[ONE_EACH] = expires
    try:
        evidence = looked(api)
    finally:
        del api.hostile[ONE_EACH]
    told(evidence)
    assert {error.code for error in evidence.errors} == {"credentials-expired"}
    assert len(evidence.errors) == 2
    left = set(WORKERS) - {error.worker for error in evidence.errors}
    passed = {(o.check, o.subject) for o in judge(evidence).outcomes if o.status == "passed"}
    assert left <= {subject for check, subject in passed if check == "one-running-instance"}


@pytest.mark.usefixtures("hurried")
def test_nobody_at_the_address_and_no_such_name_are_errors(api: Api) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        gone = f"http://127.0.0.1:{closed.getsockname()[1]}"
    for endpoint in (gone, "http://ec2.us-east-1.invalid"):
        evidence = looked(api, endpoint=endpoint)
        told(evidence)
        (error,) = evidence.errors
        assert error.code == "aws-unreachable"
        assert urlsplit(endpoint).netloc in error.detail


@pytest.mark.usefixtures("hurried")
def test_a_region_that_does_not_exist_is_told_by_its_name(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked of AWS's own name for it, which no resolver finds: here, and in a night without DNS, alike."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ENDPOINT_URL_STS", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)

    def nowhere(*_asked: object, **_more: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    codes = {}
    for region in ("us-esat-1", "us-east-1"):
        evidence = looked(api, endpoint="", region=region)
        told(evidence)
        codes[region] = [(error.code, error.variant) for error in evidence.errors]
    assert codes == {"us-esat-1": [("region-missing", "unknown")], "us-east-1": [("aws-unreachable", "")]}
