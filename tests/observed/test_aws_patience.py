"""Reading AWS has limits of time: told when they strike, and what else was seen is there."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kthw.errors import CouldNotLook
from kthw.intended.cluster import Intended
from kthw.observed.aws import answers, inventory
from kthw.observed.aws.inventory import read_inventory
from kthw.observed.aws.reader import Reader, preload
from kthw.target import Target
from tests.observed.api_answers import WORKERS, Api, reply, serving

PROJECT = Path(__file__).resolve().parents[2]
THREE = Intended(workers=WORKERS)
_READ = """
import sys
from kthw.intended.cluster import Intended
from kthw.observed.aws import inventory
from kthw.observed.aws.reader import Reader
from kthw.target import Target
inventory._READING_SECONDS = 3.0
reader = Reader(Target(kind="sandbox", endpoint=sys.argv[1], region="us-east-1", credentials=("a", "b")))
print("loaded", bool(reader.sts), bool(reader.ec2))
_, errors = inventory.read_inventory(reader, Intended(workers=("worker-0", "worker-1", "worker-2")))
print(*(f"{e.code} {e.kind} {e.worker}" for e in errors), sep="\\n")
"""


class Silence:
    """An answer that does not come before the test ends."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    def __call__(self, _handler: object, _asked: object) -> None:
        self.ended.wait(60)


@pytest.fixture
def api() -> Iterator[Api]:
    with serving() as served:
        yield served


@pytest.fixture
def silence() -> Iterator[Silence]:
    silence = Silence()
    yield silence
    silence.ended.set()


@pytest.fixture
def hurried(warm: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "_STEP_SECONDS", 3.0)
    monkeypatch.setattr(inventory, "_READING_SECONDS", 3.0)


@pytest.fixture(scope="module")
def warm() -> None:
    """What is loaded once, and takes a while on a busy machine, is loaded."""
    preload()


def reader_at(api: Api) -> Reader:
    """With its clients made: that does not count."""
    target = Target(kind="sandbox", endpoint=api.endpoint, region="us-east-1", credentials=("a", "b"))
    reader = Reader(target)
    assert reader.sts
    assert reader.ec2
    return reader


def throttle(handler: http.server.BaseHTTPRequestHandler, _asked: object) -> None:
    body = b"<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>slow down</Message></Error>"
    reply(handler, body + b"</Errors><RequestID>r-1</RequestID></Response>", 503)


@pytest.mark.usefixtures("hurried")
def test_throttling_of_the_user_data_costs_the_user_data(api: Api) -> None:
    api.hostile["DescribeInstanceAttribute"] = throttle
    reader = reader_at(api)
    begun = time.monotonic()
    seen, errors = read_inventory(reader, THREE)
    assert time.monotonic() - begun < 10
    assert [(error.code, error.worker) for error in errors] == [("throttled", worker) for worker in WORKERS]
    assert {error.variant for error in errors} == {"slow"}
    assert "RequestLimitExceeded" in errors[0].detail
    assert len(seen.route_tables) == 2


@pytest.mark.usefixtures("hurried")
def test_list_that_does_not_come_costs_that_kind(api: Api, silence: Silence) -> None:
    api.hostile["DescribeInternetGateways"] = silence
    reader = reader_at(api)
    begun = time.monotonic()
    seen, errors = read_inventory(reader, THREE)
    assert time.monotonic() - begun < 10
    assert [(e.code, e.kind, e.worker) for e in errors] == [("aws-unreachable", "internet-gateway", "")]
    assert errors[0].facts["seconds"] == "3"
    assert [instance.user_data is not None for instance in seen.instances if instance.name in WORKERS] == [
        True
    ] * 3


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("action", ["GetCallerIdentity", "DescribeInstances"])
def test_first_answers_that_do_not_come_are_one_error(api: Api, silence: Silence, action: str) -> None:
    api.hostile[action] = silence
    begun = time.monotonic()
    with pytest.raises(CouldNotLook) as caught:
        read_inventory(reader_at(api), THREE)
    assert time.monotonic() - begun < 10
    assert (caught.value.error.code, caught.value.error.variant) == ("aws-unreachable", "slow")


def test_answer_that_trickles_is_cut_off(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_MOST_SECONDS", 0.3)
    gone = threading.Event()

    def trickle(handler: http.server.BaseHTTPRequestHandler, _asked: object) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not gone.wait(0.02):
            handler.wfile.write(b" ")

    api.hostile["GetCallerIdentity"] = trickle
    begun = time.monotonic()
    with pytest.raises(CouldNotLook) as caught:
        reader_at(api).account()
    gone.set()
    assert time.monotonic() - begun < 20
    assert caught.value.error.code == "aws-unreachable"
    assert "Read timeout" in caught.value.error.detail


def test_program_ends_though_a_call_never_comes_back(api: Api, silence: Silence) -> None:
    api.hostile["DescribeNetworkAcls"] = silence
    done = subprocess.run(
        [sys.executable, "-c", _READ, api.endpoint], cwd=PROJECT, capture_output=True, text=True, timeout=30,
        check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[1:] == [f"aws-unreachable network-acl {worker}" for worker in WORKERS]
    assert done.stderr == ""


def test_refusal_that_is_no_xml_is_told_by_its_number(api: Api) -> None:
    def refuse(handler: http.server.BaseHTTPRequestHandler, _asked: object) -> None:
        reply(handler, b"go away", 403)

    api.hostile["GetCallerIdentity"] = refuse
    with pytest.raises(CouldNotLook) as caught:
        read_inventory(reader_at(api), THREE)
    assert (caught.value.error.code, caught.value.error.detail) == ("aws-refused", "403: Forbidden")


@pytest.mark.parametrize(
    "body",
    [
        b"<Response><Errors/></Response>",
        b"<Response><Errors><Error/></Errors></Response>",
        b"<Response><Errors><Error><Code/><Code>x</Code></Error></Errors></Response>",
        b"<Response><Errors><Error>x</Error><Error>y</Error></Errors></Response>",
        b"<a>" * 5000 + b"</a>" * 5000,
    ],
    ids=["no-error", "empty", "codes", "errors", "deep"],
)
def test_refusal_that_is_another_document_is_an_error(api: Api, body: bytes) -> None:
    def refuse(handler: http.server.BaseHTTPRequestHandler, _asked: object) -> None:
        reply(handler, body, 400)

    api.hostile["DescribeInstances"] = refuse
    with pytest.raises(CouldNotLook) as caught:
        read_inventory(reader_at(api), THREE)
    assert caught.value.error.code == "aws-refused"
