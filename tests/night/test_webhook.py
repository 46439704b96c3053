"""A webhook is told once, by one document without a secret; and nothing depends on whether it heard it."""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from kthw.night import sending, webhook
from kthw.night.came import night
from kthw.observed.recording import write
from kthw.words.messages import LANGUAGES
from tests.findings.changed_aws import with_instance, without_route
from tests.findings.clusters import OK
from tests.night.conftest import Tell
from tests.night.listener import Asked, Listener, Reply
from tests.plugin.conftest import Run
from tests.provision.account import Account
from tests.verdict.shown import unreachable

RED = without_route(OK, "10.200.1.0/24")
UNSEEN = unreachable(OK, "worker-1")
ACCOUNT = "123456789012"


def yes(_asked: Asked) -> Reply:
    return Reply(204, b"")


def of_account(evidence: Any) -> Any:
    arn = f"arn:aws:iam::{ACCOUNT}:user/ana"
    return replace(
        evidence, target=replace(evidence.target, kind="aws", account=ACCOUNT, arn=arn, endpoint="")
    )


@pytest.mark.parametrize(
    ("evidence", "code", "verdict", "causes", "unseen"),
    [
        (OK, "0", "whole", [], []),
        (RED, "1", "broken", ["route-missing"], []),
        (UNSEEN, "10", "unseen", [], ["ssh-unreachable"]),
        (RED, "2", "no-run", None, None),
        (RED, "0", "broken", ["route-missing"], []),
        (OK, "1", "unseen", [], []),
        (OK, "10", "unseen", [], []),
        (None, "", "no-run", None, None),
        (None, "1", "no-run", None, None),
        (None, "10", "no-run", None, None),
        (replace(OK, target=replace(OK.target, no_packets="no namespaces")), "0", "unseen", [], []),
        (RED, None, "broken", ["route-missing"], []),
        (UNSEEN, None, "unseen", [], ["ssh-unreachable"]),
    ],
)
def test_one_document_tells_broken_from_not_looked_at(
    tell: Tell, evidence: Any, code: str | None, verdict: str, causes: Any, unseen: Any
) -> None:
    arguments = [] if code is None else ["--code", code]
    with Listener(yes).open() as listener:
        ended, said, complaints = tell(
            evidence, "notify", "--url", f"{listener.url}/T0/secret?key=k", *arguments
        )
    assert (ended, complaints) == (0, "")
    assert "secret" not in said
    (asked,) = listener.asked
    assert (asked.method, asked.path) == ("POST", "/T0/secret?key=k")
    assert asked.headers["Content-Type"] == "application/json; charset=utf-8"
    assert asked.body["schema"] == 1
    assert asked.body["verdict"] == verdict
    for key, codes in (("causes", causes), ("not_looked_at", unseen)):
        assert (
            [each["code"] for each in asked.body[key]] == codes
            if codes is not None
            else key not in asked.body
        )


def test_nothing_in_it_is_secret_and_of_the_account_there_is_only_the_end(tell: Tell) -> None:
    named = with_instance(of_account(unreachable(RED, "worker-2")), "worker-1", name="worker-1")
    with Listener(yes).open() as listener:
        tell(named, "notify", "--url", listener.url, "--code", "1")
    (asked,) = listener.asked
    assert asked.body["target"] == {
        "kind": "aws", "local": False, "account": "…9012", "region": OK.target.region
    }  # fmt: skip
    public = [each.public_address for each in OK.inventory.instances if each.public_address]  # type: ignore[union-attr]
    for secret in (ACCOUNT, "ana", "arn:", "ssh -i", "aws ec2", *public):
        assert secret not in str(asked.body), secret


def test_an_old_recording_is_another_nights(tell: Tell, tmp_path: Any) -> None:
    write(replace(RED, gathered_at="2026-01-01T04:00:00+00:00"), tmp_path / "old.json")
    assert night(tmp_path / "old.json", code=1).report is None
    assert night(tmp_path / "old.json", code=0).kind == "no-run", "green is not said of what nobody has seen"
    assert night(tmp_path / "old.json").report is not None, "who asks about it by name gets it"


@pytest.mark.parametrize(
    ("at", "kind"),
    [("04:22:59", "no-run"), ("04:23:00", "broken"), ("04:30:00", "broken"), ("06:00:00", "no-run")],
)
def test_a_recording_is_this_runs_from_when_it_began_until_now(tmp_path: Any, at: str, kind: str) -> None:
    since, now = (datetime(2026, 11, 30, 4, minute, 0, 500, tzinfo=UTC) for minute in (23, 40))
    write(replace(RED, gathered_at=f"2026-11-30T{at}+00:00"), tmp_path / "new.json")
    assert night(tmp_path / "new.json", code=1, since=since, now=now).kind == kind


def test_when_a_run_began_is_a_moment_with_a_zone(tell: Tell) -> None:
    old = replace(RED, gathered_at="2026-11-30T04:22:00+00:00")
    with Listener(yes).open() as listener:
        asked = ("notify", "--url", listener.url, "--code", "1", "--since")
        assert tell(old, *asked, "2026-11-30T04:23:00Z")[0] == 0
        code, _, complaints = tell(old, *asked, "2026-11-30T04:23:00")
    assert (code, "--since 2026-11-30T04:23:00" in complaints) == (2, True)
    assert [each.body["verdict"] for each in listener.asked] == ["no-run"]


SILENT: dict[str, Any] = {
    "it refuses": (Reply(403, b"no"), "answered 403"),
    "it breaks down": (Reply(500, b"<html>"), "answered 500"),
    "it sends us elsewhere": (Reply(302, b"", (("Location", "/elsewhere"),)), "answered 302"),
}


@pytest.mark.parametrize("what", SILENT)
def test_who_does_not_take_it_is_told_about_in_one_sentence(tell: Tell, what: str) -> None:
    reply, tells = SILENT[what]
    with Listener(lambda _asked: reply).open() as listener:
        code, _, complaints = tell(RED, "notify", "--url", f"{listener.url}/secret", "--code", "1")
    assert (code, len(complaints.splitlines())) == (1, 1)
    assert tells in complaints
    assert "secret" not in complaints
    assert len(listener.asked) == 1, "once, and nobody else"


def test_nobody_there_and_a_name_that_nobody_knows_are_one_sentence(tell: Tell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/secret", "https://nobody.invalid/secret"):
        code, _, complaints = tell(RED, "notify", "--url", url, "--code", "1")
        assert (code, len(complaints.splitlines())) == (1, 1)
        assert "secret" not in complaints


def test_an_answer_drop_by_drop_ends_in_time(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook.told, "__kwdefaults__", {"seconds": 0.5})
    over = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            while not over.wait(0.1):
                connection.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = threading.Thread(target=drip, args=(server,))
        dripping.start()
        since = time.monotonic()
        code, _, complaints = tell(
            RED, "notify", "--url", f"http://127.0.0.1:{server.getsockname()[1]}", "--code", "1"
        )
        assert time.monotonic() - since < 5
        over.set()
        dripping.join()
    assert (code, "no answer within 0.5 s" in complaints) == (1, True)


def test_an_answer_without_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MOST_ANSWERED", 1000)
    with (
        Listener(lambda _asked: Reply(200, b"x" * 5000)).open() as listener,
        pytest.raises(sending.NotSent) as caught,
    ):
        sending.sent("GET", listener.url, None, {})
    assert caught.value.key == "night-unsent"


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/x", "ftp://hooks.example.org", "https://ana:secret@hooks.example.org/",
        "https:///x", "hooks.example.org", "https://hooks.example.org/a b", "https://[", "",
        "http://127.0.0.1.example.org/", "https://hooks.example.org:0/",
            "https://hooks..example.org/", f"https://{'a' * 64}.example.org/",
    ],
)  # fmt: skip
def test_what_can_be_read_on_the_way_or_is_no_address_is_refused(tell: Tell, url: str) -> None:
    code, _, complaints = tell(RED, "notify", "--code", "1", "--url", url)
    assert (code, len(complaints.splitlines())) == (2, 1)
    assert "secret" not in complaints


def test_the_suite_tells_it_itself_and_a_webhook_that_fails_changes_no_exit_code(judge: Run) -> None:
    with Listener(yes).open() as listener:
        ran = judge(RED, "--notify", f"{listener.url}/secret")
    assert ran.code == 1
    (asked,) = listener.asked
    assert (asked.body["verdict"], asked.body["exit_code"]) == ("broken", 1)
    assert asked.body["counts"] == {
        name: ran.document["summary"][name] for name in ("passed", "failed", "errors", "skipped")
    }
    assert "secret" not in ran.output + ran.page
    for evidence, code, kind in ((OK, 0, "whole"), (UNSEEN, 10, "unseen")):
        with Listener(yes).open() as listener:
            assert judge(evidence, "--notify", f"{listener.url}/secret").code == code
        (asked,) = listener.asked
        assert (asked.body["verdict"], asked.body["exit_code"]) == (kind, code)
        ran = judge(evidence, "--notify", f"{listener.url}/secret")  # it has gone
        assert ran.code == code
        assert "127.0.0.1 was not told" in ran.output
        assert "secret" not in ran.output


def test_the_environments_webhook_is_told_of_accounts_only(
    aws_account: Account, judge: Run, run_pytest: Run
) -> None:
    aws_account.build()
    with Listener(yes).open() as listener:
        assert judge(RED, KTHW_NOTIFY=listener.url).code == 1
        assert listener.asked == [], "judging a recording again is nobody's night"
        looking = ("suites/routes", "--target", "aws", "--after", "machines")
        ran = run_pytest(*looking, KTHW_NOTIFY=listener.url, **aws_account.environment)
        assert ran.code == 0, ran.output
        assert [asked.body["verdict"] for asked in listener.asked] == ["whole"]


def test_an_address_that_is_unsafe_ends_the_suite_before_it_looks(judge: Run) -> None:
    ran = judge(OK, "--notify", "http://hooks.example.org/secret")
    assert ran.code == 4
    assert "hooks.example.org is another machine" in ran.output
    assert "secret" not in ran.output.replace("--notify http://hooks.example.org/secret", "")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("summary", "--url", "https://hooks.example.org/"), "--url"),
        (("summary", "--label", "ours"), "--label"),
        (("notify", "--url", "https://hooks.example.org/", "--repository", "our/lab"), "--repository"),
        (("summary", "--since", "2026-11-30T04:23:00Z"), "--code"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_would_say_nothing_is_told_and_not_passed_over(
    tell: Tell, arguments: tuple[str, ...], named: str, language: str
) -> None:
    code, said, complaints = tell(RED, *arguments, "--language", language)
    assert (code, said, len(complaints.splitlines())) == (2, "", 1)
    assert named in complaints
