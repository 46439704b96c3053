"""``./run grade --accounts``: each student's account by a role in it, judged as a hand-in is; only read."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from kthw.grade.__main__ import main
from kthw.grade.accounts import target
from kthw.grade.roster import Student
from kthw.intended.cluster import BadNames
from kthw.words.messages import LANGUAGES
from tests.iam.policies import actions, document, sent
from tests.in_process import Run, bare, running
from tests.provision.account import REGION, Account
from tests.provision.wire import Answer, Carry, Wire, refused

NOBODY = "100000000009"


@pytest.fixture
def run(
    tmp_path: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """The command in an empty folder, as a teacher with credentials of their own, by way of the wire."""
    bare(monkeypatch)
    mine = {"AWS_ACCESS_KEY_ID": "teacher", "AWS_SECRET_ACCESS_KEY": "teacher", "AWS_REGION": "eu-west-1"}
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    for name, value in (mine | nothing | {"AWS_ENDPOINT_URL": wire.endpoint}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    return running(main, capsys)


def with_routes(account: Account) -> Account:
    """The chapter, done."""
    account.build()
    for number in range(3):
        account.ec2.create_route(
            RouteTableId=account.table,
            DestinationCidrBlock=f"10.200.{number}.0/24",
            InstanceId=account.instance(f"worker-{number}"),
        )
    return account


def listed(*lines: str) -> str:
    file = Path("accounts.csv")
    file.write_text("\n".join(("name,account,region,role,external-id", *lines)) + "\n", encoding="utf-8")
    return str(file)


def table() -> dict[str, dict[str, str]]:
    text = Path("grades/grades.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.reader(text.splitlines()))
    return {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[1:]}


def test_a_class_is_looked_at_account_by_account_and_nothing_is_written(
    run: Run, wire: Wire, aws_endpoint: str, tmp_path: Path
) -> None:
    done = with_routes(Account(aws_endpoint, tmp_path))
    undone = Account(aws_endpoint, tmp_path).build()
    strange = Account(aws_endpoint, tmp_path).build()
    arns: list[str] = []

    def assume(asked: dict[str, str]) -> Answer | None:
        """A role is given to who knows the external id of its student."""
        if asked["Action"] != "AssumeRole":
            return None
        arns.append(asked["RoleArn"])
        if asked.get("ExternalId") == "class-of-2026" and asked["RoleSessionName"] == "kthw-grade":
            return None
        return refused(
            "AccessDenied", f"not authorized: sts:AssumeRole on resource: {asked['RoleArn']}", 403
        )(_unsent)

    wire.refuse = assume
    file = listed(
        f"Ana,{done.id},{REGION},,class-of-2026",
        f"Bia,{undone.id},{REGION},look,class-of-2026",
        f"Caio,{NOBODY},{REGION},arn:aws:iam::{strange.id}:role/look,class-of-2026",
        f"Davi,{strange.id},{REGION},,another",
    )
    code, out, err = run("--accounts", file, "--language", "en")
    assert (code, err) == (1, ""), out
    assert arns[:2] == [f"arn:aws:iam::{done.id}:role/kthw-verify", f"arn:aws:iam::{undone.id}:role/look"]
    said = out.splitlines()
    told = {line.partition(":")[0]: line for line in said}
    assert "route-missing" not in told["Ana"]
    assert "route-missing" in told["Bia"]
    assert "wrong-account" in told["Caio"]
    assert "access-denied" in told["Davi"]
    assert any(f"account {strange.id}, and you expect {NOBODY}" in line for line in said)
    assert any("I was not given the role." in line and "sts:AssumeRole" in line for line in said)
    assert sent(wire) <= actions(document("verify")) | {"sts:AssumeRole"}
    assert "nobody can log in" in said[-2]
    page = Path("grades/class.html").read_text(encoding="utf-8")
    assert "by a role in it that only reads" in page
    assert "on the student&#39;s machine" not in page
    assert list(table()) == ["Ana", "Bia", "Caio", "Davi"]
    assert "nobody can log in" in Path("grades/students/ana.html").read_text(encoding="utf-8")


def _unsent() -> Answer:
    raise AssertionError


def test_a_class_without_a_fault_is_exit_code_10_since_no_packet_was_sent(
    run: Run, aws_endpoint: str, tmp_path: Path
) -> None:
    done = with_routes(Account(aws_endpoint, tmp_path))
    code, out, _ = run("--accounts", listed(f"Ana,{done.id},{REGION},,"), "--language", "en")
    assert code == 10, out
    assert "1 not looked at in full" in out


def test_an_answer_without_end_where_a_role_is_asked_for_is_read_no_further_than_others(
    run: Run, wire: Wire, aws_endpoint: str, tmp_path: Path
) -> None:
    done = with_routes(Account(aws_endpoint, tmp_path))
    wire.on("AssumeRole", always=padded)
    code, out, err = run("--accounts", listed(f"Ana,{done.id},{REGION},,"), "--language", "en")
    assert (code, err) == (10, ""), out
    assert "aws-unreadable" in out
    assert "DescribeInstances" not in wire.sent


def padded(carry: Carry) -> Answer:
    """What AWS says, and then blanks, which mean nothing to a parser."""
    answer = carry()
    return Answer(answer.status, answer.body + b" " * 100_000)


def test_without_credentials_of_the_teachers_own_nobody_is_judged(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    code, out, err = run("--accounts", listed(f"Ana,{NOBODY},{REGION},,"), "--language", "pt-BR")
    assert (code, out) == (2, "")
    assert "Não encontrei credenciais" in err


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (Student(name="Ana"), "grade-accounts-none"),
        (Student(name="Ana", account="1" * 12, region="us east"), "grade-accounts-region"),
        (Student(name="Ana", account="1" * 12, role="a role"), "grade-accounts-role"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_line_that_cannot_be_meant_is_refused_before_anybody_is_looked_at(line: Student, key: str) -> None:
    with pytest.raises(BadNames) as caught:
        target(line, "")
    assert caught.value.key == key


def test_the_role_is_in_the_partition_of_its_region() -> None:
    role = target(Student(name="x", account="1" * 12, region="cn-north-1"), "").role
    assert role
    assert role.arn == f"arn:aws-cn:iam::{'1' * 12}:role/kthw-verify"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "arguments",
    [("ana.json",), ("--roster", "class.csv"), ("--student", "Ana"), ("--workers", "tag:Role=worker")],
    ids=lambda each: each[0],
)
def test_what_makes_no_sense_with_accounts_is_one_sentence(
    run: Run, arguments: tuple[str, ...], language: str
) -> None:
    code, out, err = run("--accounts", listed(f"Ana,{NOBODY},,,"), "--language", language, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--accounts" in err
