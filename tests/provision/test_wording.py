"""What came of a step, and of a request, is told in both languages, with the command where one is needed."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from kthw.observed.evidence import ProvisionStep
from kthw.provision.fate import Fate, fate_of
from kthw.provision.wording import left_behind, step_line
from kthw.words.messages import LANGUAGES, catalogue

COMMAND = "aws ec2 some-route --route-table-id rtb-1"
WITH_COMMAND = ("create", "wrong-target", "blackhole", "failed", "gave-up", "not-tried", "unsure", "maybe")
WITHOUT = ("created", "exists", "carried", "deleted", "gone", "left", "running")


def step(outcome: str, **more: str) -> ProvisionStep:
    facts: Any = {"worker": "worker-1", "address": "10.0.1.21", "pod_cidr": "10.200.1.0/24", **more}
    return ProvisionStep(
        outcome=outcome, route_table="rtb-1", instance="i-1", target="i-1", command=COMMAND, **facts
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("outcome", [*WITH_COMMAND, *WITHOUT])
def test_each_outcome_has_a_sentence_and_a_command_where_one_is_needed(language: str, outcome: str) -> None:
    first, *rest = step_line(catalogue(language), step(outcome, detail="so it is")).splitlines()
    assert first.startswith("10.0.1.21 10.200.1.0/24  ")
    assert "provision-" not in first
    assert "rtb-1" in first
    assert [line.strip() for line in rest] == ([COMMAND] if outcome in WITH_COMMAND else [])


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_of_others_steers_nothing(language: str) -> None:
    line = step_line(
        catalogue(language), step("failed", address="", worker="\x1b]0;x\x07", detail="a\x1b[2Jb\u202e")
    )
    assert line.replace("\n", "").isprintable()


def test_what_may_be_left_behind_is_an_error_and_what_is_not_is_none() -> None:
    codes = {outcome: left_behind(step(outcome)) for outcome in (*WITH_COMMAND, *WITHOUT)}
    told = {outcome: error.code for outcome, error in codes.items() if error}
    assert told == {"maybe": "route-left-behind", "failed": "aws-refused", "not-tried": "aws-refused"}


def answer(code: str, status: int) -> boto.ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return boto.ClientError(response, "CreateRoute")


FATES: dict[str, tuple[Exception, Fate]] = {
    "refused": (answer("UnauthorizedOperation", 403), "refused"),
    "exists": (answer("RouteAlreadyExists", 400), "refused"),
    "throttled": (answer("RequestLimitExceeded", 503), "throttled"),
    "not ready": (answer("IncorrectInstanceState", 400), "not-ready"),
    "broken down": (answer("InternalError", 500), "unknown"),
    "overloaded": (answer("Unavailable", 503), "unknown"),
    "a proxy's page": (answer("407", 407), "unknown"),
    "a redirection": (answer("Moved", 301), "unknown"),
    "no code": (answer("", 400), "unknown"),
    "nobody listens": (boto.EndpointConnectionError(endpoint_url="http://x"), "unsent"),
    "nobody answers the call": (boto.ConnectTimeoutError(endpoint_url="http://x"), "unsent"),
    "no way through the proxy": (boto.ProxyConnectionError(proxy_url="http://x"), "unsent"),
    "no credentials": (boto.NoCredentialsError(), "unsent"),
    "a login that is over": (boto.SSOTokenLoadError(error_msg="x"), "unsent"),
    "time-out": (boto.ReadTimeoutError(endpoint_url="http://x"), "unknown"),
    "hung up": (boto.ConnectionClosedError(endpoint_url="http://x"), "unknown"),
    "TLS broke": (boto.SSLError(endpoint_url="http://x", error=OSError("x")), "unknown"),
    "half an answer": (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), "unknown"),
    "garbage": (ResponseParserError("x"), "unknown"),
}


@pytest.mark.parametrize(("problem", "fate"), FATES.values(), ids=FATES)
def test_a_request_counts_as_done_or_undone_only_where_that_is_certain(
    problem: Exception, fate: Fate
) -> None:
    assert fate_of(problem) == fate
