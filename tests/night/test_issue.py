"""An issue is opened on the first red night, kept up to date, and closed on a green one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kthw.observed.evidence import Evidence
from tests.findings.changed_aws import with_interface, without_route
from tests.findings.clusters import OK
from tests.night.conftest import Tell
from tests.night.listener import GitHub, Listener
from tests.verdict.shown import unreachable

TOKEN = "f00d-feed-XYZ"  # noqa: S105 -- of a server of the test's own, in no shape that is known
RED = without_route(OK, "10.200.1.0/24")
REDDER = with_interface(RED, "worker-0", source_dest_check=True)
UNSEEN = unreachable(OK, "worker-1")


class Nights:
    """Nights that follow each other, told to one repository."""

    def __init__(self, tell: Tell, github: GitHub, listener: Listener) -> None:
        self.github = github
        self.asked = listener.asked
        self._tell = tell
        self._environment = {
            "GITHUB_API_URL": listener.url,
            "GITHUB_REPOSITORY": "our/lab",
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_SERVER_URL": "https://github.example.org",
            "GITHUB_RUN_ID": "77",
        }

    def told(self, evidence: Evidence | None, *arguments: str, **environment: str) -> tuple[int, str, str]:
        code, said, complaints = self._tell(
            evidence, "issue", *arguments, **{**self._environment, **environment}
        )
        assert TOKEN not in said + complaints
        return code, said, complaints

    def night(self, evidence: Evidence | None, code: int | str) -> list[str]:
        """What was asked of GitHub, but for its list."""
        before = len(self.asked)
        assert self.told(evidence, "--code", str(code))[0] == 0
        return [f"{each.method} {each.path}" for each in self.asked[before:] if each.method != "GET"]

    @property
    def one(self) -> dict[str, Any]:
        (issue,) = self.github.issues.values()
        return issue


@pytest.fixture
def nights(tell: Tell) -> Iterator[Nights]:
    github = GitHub(TOKEN)
    with Listener(github.reply).open() as listener:
        yield Nights(tell, github, listener)


OPEN, UPDATE = "POST /repos/our/lab/issues", "PATCH /repos/our/lab/issues/1"
COMMENT, CLOSE = "POST /repos/our/lab/issues/1/comments", UPDATE


def test_a_lab_that_breaks_and_is_mended_has_one_issue_from_its_first_red_night_to_the_green_one(
    nights: Nights,
) -> None:
    assert nights.night(OK, 0) == []
    assert nights.night(RED, 1) == [OPEN]
    assert nights.one["title"] == "The lab is broken: route-missing"
    assert "Seen in 1 night:" in nights.one["body"]
    assert "aws ec2 create-route --route-table-id" in nights.one["body"]
    assert "https://github.example.org/our/lab/actions/runs/77" in nights.one["body"]
    assert nights.night(RED, 1) == [UPDATE], "the same once more is no news"
    assert "Seen in 2 nights:" in nights.one["body"]
    assert nights.night(REDDER, 1) == [UPDATE, COMMENT]
    assert "source-dest-check-on" in nights.one["body"]
    assert nights.night(OK, 0) == [COMMENT, CLOSE]
    assert (nights.one["state"], nights.one["state_reason"]) == ("closed", "completed")
    assert nights.night(OK, 0) == []
    assert nights.night(RED, 1) == [OPEN], "and the next time is another issue"


@pytest.mark.parametrize(("evidence", "code"), [(UNSEEN, "10"), (None, "2"), (None, ""), (None, "0")])
def test_a_night_that_saw_not_everything_opens_nothing_and_closes_nothing_and_says_so_once(
    nights: Nights, evidence: Evidence | None, code: str
) -> None:
    assert nights.night(evidence, code) == []
    nights.night(RED, 1)
    assert nights.night(evidence, code) == [UPDATE, COMMENT]
    assert nights.night(evidence, code) == []
    assert nights.one["state"] == "open"
    assert "10.200.1.0/24" in nights.one["body"], "what was seen last stays to be read"
    assert nights.night(RED, 1) == [UPDATE, COMMENT], "that it was seen again is news"
    assert "Seen in 2 nights:" in nights.one["body"]


def test_issues_without_our_label_and_pull_requests_are_nobodys_business(nights: Nights) -> None:
    nights.github.put("somebody else's <!-- kthw-night -->", "bug")
    nights.github.put("a pull request", "kthw-night", pull_request={"url": "x"})
    assert nights.night(OK, 0) == []
    assert nights.night(RED, 1) == [OPEN]


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(nights: Nights) -> None:
    code, said, _ = nights.told(RED, "--code", "1", "--dry-run")
    assert code == 0
    assert said.startswith('POST /repos/our/lab/issues\n{\n "title": "The lab is broken: route-missing"')
    assert {each.method for each in nights.asked} == {"GET"}
    assert nights.github.issues == {}


def test_a_text_that_somebody_has_changed_by_hand_begins_to_count_anew(nights: Nights) -> None:
    nights.night(RED, 1)
    nights.one["body"] = "<!-- kthw-night since=now; nights=9e9 causes=x last=x -->"
    assert nights.night(RED, 1) == [UPDATE, COMMENT]
    assert "Seen in 1 night:" in nights.one["body"]


@pytest.mark.parametrize(
    ("status", "tells"),
    [
        (403, "permissions: issues: write"),
        (404, "knows no our/lab"),
        (410, "has no issues (410)"),
        (422, "refuses it (422)"),
        (500, "answered 500"),
        (301, "answered 301"),
    ],
)
def test_a_refusal_is_one_sentence_without_the_token_and_exit_code_one(
    nights: Nights, status: int, tells: str
) -> None:
    nights.github.refusing = {"POST": status}
    code, _, complaints = nights.told(RED, "--code", "1")
    assert code == 1
    assert tells in complaints
    assert len(complaints.splitlines()) == 1


def test_a_token_that_is_not_accepted_and_one_that_is_missing_are_told(nights: Nights) -> None:
    code, _, complaints = nights.told(RED, "--code", "1", GITHUB_TOKEN="ghs_another1234567890")  # noqa: S106
    assert (code, "does not accept the token" in complaints) == (1, True)
    assert "ghs_another" not in complaints
    code, _, complaints = nights.told(RED, "--code", "1", GITHUB_TOKEN="")
    assert (code, "GITHUB_TOKEN is not set" in complaints) == (2, True)


@pytest.mark.parametrize("token", ["ghs_1\n", "ghs_1\nX-Other: 1", "ghs 1", "ghs_\u00e9"])
def test_what_can_be_no_token_is_told_as_that_and_sent_to_nobody(nights: Nights, token: str) -> None:
    code, _, complaints = nights.told(RED, "--code", "1", GITHUB_TOKEN=token)
    assert (code, complaints.startswith("GITHUB_TOKEN is no token")) == (2, True)
    assert (nights.asked, "ghs" in complaints) == ([], False)


def test_an_issue_that_the_next_night_would_not_find_is_told(nights: Nights) -> None:
    nights.github.may_label = False
    code, _, complaints = nights.told(RED, "--code", "1")
    assert (code, "without the label kthw-night" in complaints) == (1, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"GITHUB_REPOSITORY": "our/lab/../../x"},
        {"GITHUB_REPOSITORY": ""},
        {"GITHUB_API_URL": "http://api.github.example.org"},
        {"GITHUB_API_URL": "file:///etc/passwd"},
    ],
    ids=str,
)
def test_what_is_no_repository_and_no_safe_address_is_refused_before_anything_is_sent(
    nights: Nights, wrong: dict[str, str]
) -> None:
    code, _, complaints = nights.told(RED, "--code", "1", **wrong)
    assert (code, len(complaints.splitlines())) == (2, 1)
    assert nights.asked == []
