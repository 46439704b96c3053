"""``python -m kthw.provision`` says what it does, in two languages, and its exit code is its verdict."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.observed.aws.inventory import read_inventory
from kthw.observed.aws.reader import Reader
from kthw.observed.evidence import Inventory
from kthw.provision.entry import Place
from kthw.provision.turns import turn
from kthw.words.messages import catalogue
from tests.provision.account import ROOT, Account, Run


def test_plan_is_the_default_and_never_writes(aws_account: Account, run: Run) -> None:
    aws_account.build()
    before = aws_account.look().route_tables
    code, said, complaints = run()
    assert (code, complaints) == (0, "")
    assert f"Account {aws_account.id}, region us-east-1" in said
    assert f"{aws_account.table} has 2 IPv4 routes now, 3 to add" in said
    assert "10.0.1.20 10.200.0.0/24" in said
    worker = aws_account.instance("worker-0")
    assert (
        f"aws ec2 create-route --route-table-id {aws_account.table} "
        f"--destination-cidr-block 10.200.0.0/24 --instance-id {worker}"
    ) in said
    assert aws_account.look().route_tables == before
    assert not (aws_account.directory / "journal.jsonl").exists()


def test_apply_then_rollback_leave_things_as_they_were(aws_account: Account, run: Run) -> None:
    before = aws_account.build().look()
    code, said, _ = run("apply")
    assert code == 0
    lines = [line for line in said.splitlines() if line.startswith("10.0.1.")]
    assert [line[:23] for line in lines] == [f"10.0.1.2{n} 10.200.{n}.0/24" for n in range(3)]
    assert all("created in" in line for line in lines)
    assert len(aws_account.pod_routes()) == 3
    code, said, _ = run("apply")
    assert (code, said.count("already there")) == (0, 3)
    code, said, _ = run("rollback")
    assert (code, said.count("taken back")) == (0, 3)
    assert aws_account.look() == before
    code, said, _ = run("rollback")
    assert code == 0
    assert "Nothing to take back" in said


@pytest.mark.parametrize("action", ["plan", "apply"])
def test_wrong_target_is_exit_code_one_and_tells_the_command(
    aws_account: Account, run: Run, action: str
) -> None:
    aws_account.build()
    stranger = aws_account.instance("controller-0")
    aws_account.ec2.create_route(
        RouteTableId=aws_account.table, DestinationCidrBlock="10.200.1.0/24", InstanceId=stranger
    )
    code, said, _ = run(action)
    assert code == 1
    assert f"{stranger} active" in said
    assert f"aws ec2 replace-route --route-table-id {aws_account.table} " in said
    assert aws_account.pod_routes()["10.200.1.0/24"] == stranger


def test_missing_worker_is_exit_code_one_and_the_others_are_served(aws_account: Account, run: Run) -> None:
    aws_account.build()
    code, said, _ = run("apply", "--workers", "worker-[0-3]")
    assert code == 1
    assert "no instance is named worker-3" in said
    assert len(aws_account.pod_routes()) == 3


def test_worker_without_a_pod_cidr_is_exit_code_one(aws_account: Account, run: Run) -> None:
    aws_account.build().set_user_data("worker-1", "#!/bin/sh\n")
    code, said, _ = run()
    assert code == 1
    assert "10.0.1.21 —" in said
    assert "has no pod-cidr" in said


def test_user_data_that_could_not_be_read_is_exit_code_two_and_the_others_are_served(
    aws_account: Account, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws_account.build()
    worker = aws_account.instance("worker-1")

    def denied(reader: Reader, *arguments: Any, **more: Any) -> tuple[Inventory, tuple[LookError, ...]]:
        inventory, _ = read_inventory(reader, *arguments, **more)
        instances = tuple(replace(i, user_data=None) if i.id == worker else i for i in inventory.instances)
        error = LookError(code="access-denied", subject=f"worker-1 ({worker})", worker="worker-1")
        return replace(inventory, instances=instances), (error,)

    monkeypatch.setattr("kthw.provision.__main__.read_inventory", denied)
    code, said, complaints = run("apply")
    assert code == 2
    assert f"user data of worker-1 ({worker}) could not be read" in said
    assert complaints.strip()
    assert sorted(aws_account.pod_routes()) == ["10.200.0.0/24", "10.200.2.0/24"]


def test_portuguese_is_spoken_where_the_locale_is_portuguese(aws_account: Account, run: Run) -> None:
    aws_account.build()
    assert "Conta " in run(LC_ALL="pt_BR.UTF-8")[1]
    assert "Account " in run("--language", "en", LC_ALL="pt_BR.UTF-8")[1]
    assert "laço" in run("--help", "--language", "pt-BR")[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "--workers", "worker-[2-0]"),
        ("plan", "--workers", "worker-0,,worker-1"),
        ("plan", "--workers", "worker-[a-b]"),
        ("plan", "--expect-account", "my-account"),
        ("plan", "--language", "klingon"),
        ("undo",),
        ("plan", "--worker", "worker-0"),
    ],
    ids=["backwards", "empty-name", "no-range", "account", "language", "action", "abbreviation"],
)
def test_bad_usage_is_one_sentence_and_exit_code_two(run: Run, arguments: tuple[str, ...]) -> None:
    code, said, complaints = run(*arguments)
    assert (code, said) == (2, "")
    assert complaints.splitlines()[-1].startswith("python -m kthw.provision: error: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("aply",), "aply: isso não existe; você quis dizer apply?"),
        (("undo",), "undo: isso não existe; o que existe: plan, apply, rollback"),
        (("plan", "--worker", "worker-0"), "--worker: isso não existe; você quis dizer --workers?"),
        (("plan", "--expect-account"), "--expect-account: falta um valor depois"),
        (("plan", "--language", "pt"), "--language: pt: isso não existe; o que existe: en, pt-BR"),
    ],
)
def test_what_is_mistyped_is_told_in_portuguese_with_what_was_meant(
    run: Run, arguments: tuple[str, ...], said: str
) -> None:
    code, out, complaints = run(*arguments, LC_ALL="pt_BR.UTF-8")
    assert (code, out) == (2, "")
    assert complaints.splitlines()[-1].endswith(said)
    assert complaints.startswith("uso: python -m kthw.provision ")
    assert "error" not in complaints


@pytest.mark.parametrize("language", ["en", "pt-BR"])
@pytest.mark.parametrize("action", ["plan", "apply"])
def test_an_instance_that_may_be_anybody_s_keeps_everything_from_being_created(
    aws_account: Account, run: Run, monkeypatch: pytest.MonkeyPatch, action: str, language: str
) -> None:
    aws_account.build()

    def garbled(reader: Reader, *arguments: Any, **more: Any) -> tuple[Inventory, tuple[LookError, ...]]:
        inventory, _ = read_inventory(reader, *arguments, **more)
        nameless = LookError(
            code="aws-unreadable",
            subject="i-0f",
            detail="Tags: x",
            kind="nameless",
            resource="i-0f",
            facts=reader.facts,
        )
        return inventory, (nameless,)

    monkeypatch.setattr("kthw.provision.__main__.read_inventory", garbled)
    code, said, complaints = run(action, "--language", language)
    assert code == 2
    assert catalogue(language).say("provision-nameless") in said
    assert "create-route" not in said
    assert "i-0f" in complaints
    assert aws_account.pod_routes() == {}


@pytest.mark.parametrize("action", ["plan", "apply", "rollback"])
@pytest.mark.parametrize(
    "environment",
    [
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
        {"AWS_PROFILE": "no-such-profile"},
        {"AWS_REGION": ""},
        {"AWS_REGION": "us east 1"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
        {"AWS_ENDPOINT_URL": "nonsense"},
    ],
    ids=["no-credentials", "no-profile", "no-region", "bad-region", "nobody", "no-url"],
)
def test_could_not_look_is_said_and_is_exit_code_two(
    run: Run, action: str, environment: dict[str, str]
) -> None:
    code, said, complaints = run(action, **environment)
    assert (code, said) == (2, "")
    assert complaints.strip()
    assert "Traceback" not in complaints


@pytest.mark.parametrize("action", ["plan", "apply", "rollback"])
def test_wrong_account_is_refused(aws_account: Account, run: Run, action: str) -> None:
    aws_account.build()
    code, said, complaints = run(action, "--expect-account", "999999999999")
    assert (code, said) == (2, "")
    assert complaints.strip()
    assert aws_account.pod_routes() == {}


def test_expected_account_is_worked_on(aws_account: Account, run: Run) -> None:
    aws_account.build()
    assert run("apply", "--expect-account", aws_account.id)[0] == 0


def test_journal_that_cannot_be_written_is_exit_code_two(aws_account: Account, run: Run) -> None:
    aws_account.build()
    (aws_account.directory / "journal.jsonl").mkdir()
    code, _, complaints = run("apply")
    assert code == 2
    assert "journal.jsonl" in complaints
    assert aws_account.pod_routes() == {}


def test_rollback_tells_of_a_line_nobody_can_read_and_takes_back_the_others(
    aws_account: Account, run: Run
) -> None:
    aws_account.build()
    run("apply")
    journal = aws_account.directory / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:4], b"half a li\n"]))
    code, said, complaints = run("rollback")
    assert (code, said.count("taken back")) == (2, 2)
    assert "5" in complaints
    assert str(journal) in complaints
    code, said, complaints = run("rollback")
    assert code == 2
    assert "Nothing to take back" not in said
    assert complaints.count("cannot be read") == 1


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_route_that_may_be_ours_is_left_and_the_command_that_deletes_it_is_told(
    aws_account: Account, run: Run, language: str
) -> None:
    aws_account.build()
    run("apply")
    journal = aws_account.directory / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().splitlines(keepends=True)[0])
    code, said, _ = run("rollback", "--language", language)
    assert code == 1
    assert len(aws_account.pod_routes()) == 3
    assert said.splitlines()[-1].strip() == (
        f"aws ec2 delete-route --route-table-id {aws_account.table} --destination-cidr-block 10.200.0.0/24"
    )


def test_foreign_text_steers_no_terminal(aws_account: Account, run: Run) -> None:
    aws_account.build()
    run("apply")
    journal = aws_account.directory / "journal.jsonl"
    journal.write_text(journal.read_text().replace("worker-1", "\\u001b[2J\\u202eworker-1"))
    code, said, _ = run("rollback")
    assert code == 0
    assert "\\x1b[2J\\u202eworker-1 10.200.1.0/24" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("text", ["dono=João", "#!/bin/sh\n# instalação\n", "café", "ação" * 500])
def test_user_data_with_accents_is_a_worker_without_a_pod_cidr_and_the_others_are_served(
    aws_account: Account, run: Run, text: str
) -> None:
    aws_account.build().set_user_data("worker-1", text)
    code, said, complaints = run("apply")
    assert (code, complaints) == (1, "")
    assert "has no pod-cidr" in said
    assert sorted(aws_account.pod_routes()) == ["10.200.0.0/24", "10.200.2.0/24"]


def test_pod_cidr_beside_an_accent_is_read(aws_account: Account, run: Run) -> None:
    aws_account.build().set_user_data("worker-1", "dono=João|name=worker-1|pod-cidr=10.200.1.0/24")
    assert run("apply")[0] == 0
    assert len(aws_account.pod_routes()) == 3


def test_second_run_waits_for_its_turn_and_says_for_whom(
    aws_account: Account, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws_account.build()
    place = Place(account=aws_account.id, region="us-east-1", endpoint=aws_account.endpoint)
    monkeypatch.setattr("kthw.provision.__main__.turn", partial(turn, patience=0.1))
    with turn(place, [aws_account.table], waiting=lambda *_: None):
        code, said, complaints = run("apply")
    assert code == 2
    assert f"Another run of mine on this machine (process {os.getpid()}, since" in said
    assert aws_account.table in complaints
    assert aws_account.pod_routes() == {}


def test_ctrl_c_says_how_to_take_back_and_is_exit_code_130(
    aws_account: Account, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws_account.build()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kthw.provision.writer.Writer.create", interrupt)
    code, _, complaints = run("apply")
    assert code == 130
    assert "rollback" in complaints


def test_module_runs_as_a_command_and_survives_a_closed_pipe(aws_account: Account) -> None:
    """What a person types: ``python -m kthw.provision | head -1``, in a terminal that knows no arrows."""
    aws_account.build()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with subprocess.Popen(
        [sys.executable, "-m", "kthw.provision", "--language", "pt-BR"],
        env={**kept, **aws_account.environment, "PYTHONIOENCODING": "ascii"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("Conta ")
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
    assert process.returncode in (0, 1)
