"""What we believe about EC2 holds in our own sandbox; who looks leaves nothing behind, however it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kthw.words.messages import LANGUAGES, catalogue
from sandbox.beliefs import belongings, document
from sandbox.beliefs.__main__ import ALL
from sandbox.beliefs.belief import Belief, Found, look, verdict
from sandbox.beliefs.belongings import TAG, Belongings
from sandbox.beliefs.lab import Lab, NotSeenError
from sandbox.beliefs.place import REPORTS
from sandbox.box import Sandbox, ec2_client, start, why_no_packets
from sandbox.habits import Habits
from tests.sandbox.api_lab import Lab as ApiLab

NO_PACKETS = why_no_packets(catalogue("en").say)
needs_packets = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)

Command = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    """Starts ``./run sandbox beliefs`` with these arguments and that environment."""
    begun = []

    def run(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "beliefs", "--out", str(tmp_path / "out.json"), *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **environment},
        )  # fmt: skip
        begun.append(process)
        return process

    yield run
    for process in begun:
        process.kill()
        process.wait()


@pytest.fixture
def account() -> Iterator[Sandbox]:
    """What ``--target aws`` finds there: a sandbox with nothing in it, where things take a while."""
    with start(empty=True, habits=Habits(delay=0.5)) as box:
        yield box
        for folder in (REPORTS / "beliefs").glob("kthw-beliefs-*"):
            if box.target.endpoint in (folder / "journal.jsonl").read_text():
                shutil.rmtree(folder)


def left(box: Sandbox) -> set[str]:
    """What bears the tag and is no machine that has ended."""
    ec2: Any = ec2_client(box.target.endpoint)
    filters = [{"Name": "tag-key", "Values": [TAG]}]
    found = {
        each[key]
        for call, kind, key in (
            ("vpcs", "Vpcs", "VpcId"), ("subnets", "Subnets", "SubnetId"),
            ("route_tables", "RouteTables", "RouteTableId"), ("network_acls", "NetworkAcls", "NetworkAclId"),
            ("security_groups", "SecurityGroups", "GroupId"), ("key_pairs", "KeyPairs", "KeyPairId"),
            ("internet_gateways", "InternetGateways", "InternetGatewayId"),
            ("network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
            ("volumes", "Volumes", "VolumeId"),
        )
        for each in getattr(ec2, f"describe_{call}")(Filters=filters)[kind]
    }  # fmt: skip
    for reservation in ec2.describe_instances(Filters=filters)["Reservations"]:
        found |= {i["InstanceId"] for i in reservation["Instances"] if i["State"]["Name"] != "terminated"}
    return found


@pytest.mark.slow
@needs_packets
def test_every_belief_holds_on_the_sandbox(command: Command, tmp_path: Path) -> None:
    """By real packets and the API's own answers, and the document says by which."""
    process = command("--language", "en")
    said, complained = process.communicate(timeout=300)
    assert (process.returncode, complained) == (0, ""), said
    assert said.count("\n✓ ") == len(ALL)
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["schema"] == 1
    assert found["left"] == []
    assert {row["belief"]: row["holds"] for row in found["beliefs"]} == {each.name: True for each in ALL}
    assert all(row["evidence"] for row in found["beliefs"])


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    for said in process.stdout:
        if said.startswith(line):
            return
    pytest.fail(f"it ended: {process.communicate()}")


@needs_packets
def test_who_is_interrupted_takes_everything_back(account: Sandbox, command: Command, tmp_path: Path) -> None:
    process = command("--target", "aws", "--yes", "--language", "en", **account.environment)
    wait_for(process, "✓")
    assert left(account)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert left(account) == set()
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["beliefs"][0]["holds"] is True
    assert found["beliefs"][-1]["holds"] is None


@needs_packets
def test_what_a_killed_run_left_is_taken_back_by_the_next(account: Sandbox, command: Command) -> None:
    """And while it still runs, it is left alone."""
    process = command("--target", "aws", "--yes", "--language", "en", **account.environment)
    wait_for(process, "✓")
    meanwhile = command("--target", "aws", "--take-back", "--language", "en", **account.environment)
    said, _ = meanwhile.communicate(timeout=60)
    assert "still runs" in said
    assert left(account)
    process.kill()
    process.wait()
    assert left(account)
    for told in ("Everything is taken back.", "Nothing to take back"):
        again = command("--target", "aws", "--take-back", "--language", "en", **account.environment)
        said, complained = again.communicate(timeout=60)
        assert (again.returncode, complained) == (0, "")
        assert told in said
        assert left(account) == set()


def test_nobody_is_asked_and_nothing_is_made(command: Command) -> None:
    """Where no terminal is there to answer: told what it would be, and how to go ahead."""
    with start(empty=True, no_packets="not asked for") as box:
        process = command("--target", "aws", "--language", "pt-BR", **box.environment)
        said, complained = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "endpoint local" in said
        assert "--yes" in complained
        assert left(box) == set()


@pytest.mark.parametrize(
    ("way", "code"), [("holds", 0), ("otherwise", 1), ("not seen", 10), ("no shape", 10)]
)
def test_what_could_not_be_looked_at_is_neither_held_nor_refuted(way: str, code: int) -> None:
    def looking(_lab: Lab) -> str:
        if way == "not seen":
            raise NotSeenError("ssh: refused")
        return {"holds": "yes", "otherwise": "no"}[way]

    class Nothing:
        heard: list[Any] = []  # noqa: RUF012 -- one test's

    lab: Any = Nothing()
    found = look(Belief("identical-route", "yes", "inferred", looking), lab)
    assert verdict([found]) == code
    assert verdict([found, Found(found.belief, False, "", ())]) == 1


def test_what_aws_does_not_let_go_is_told(
    api_lab: ApiLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A VPC in which somebody else made a subnet meanwhile; and the journal's last line was cut off."""
    monkeypatch.setattr(belongings, "_DEADLINE", 0.0)
    mine = Belongings(tmp_path / "run")
    mine.begin({})
    assert mine.note("vpc", api_lab.vpc) == api_lab.vpc
    with (mine.folder / belongings.JOURNAL).open("ab") as journal:
        journal.write(b'{"kind": "inst')
    ((kind, identifier, why),) = belongings.take_back(api_lab.ec2, mine, 0.01)
    assert (kind, identifier) == ("vpc", api_lab.vpc)
    assert "DependencyViolation" in why
    mine.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_belief_has_its_sentence(language: str) -> None:
    say = catalogue(language).say
    for each in ALL:
        assert document.line(Found(each, True, "", ()), say).endswith(".")
        for holds in (False, None):
            told = document.line(Found(each, holds, "something else", ()), say)
            assert f": {each.expected} · " in told
            assert told.endswith(": something else")
    assert len({each.name for each in ALL}) == len(ALL)


def test_the_account_s_number_is_not_in_the_document(tmp_path: Path) -> None:
    found = Found(ALL[0], True, "", ({"answer": {"OwnerId": "210987654321"}},))
    where = {"kind": "aws", "account": "210987654321", "region": "sa-east-1", "endpoint": ""}
    document.write(tmp_path / "a" / "out.json", where, [found], [], 1.0)
    text = (tmp_path / "a" / "out.json").read_text()
    assert "210987654321" not in text
    assert '"OwnerId": "123456789012"' in text
