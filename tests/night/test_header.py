"""Whose account it is stands in the first lines; and another than the expected one is asked nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin.conftest import NOT_ALL_SEEN, PROJECT, Run, clean
from tests.provision.account import Account
from tests.provision.wire import Answer, Carry, Wire, carried

LOOKING = ("--target", "aws", "--after", "machines")
OTHER = "999999999999"


def test_account_identity_region_vpc_and_route_table_are_in_the_first_lines(
    aws_account: Account, run_pytest: Run
) -> None:
    aws_account.build()
    ran = run_pytest("suites/routes", *LOOKING, **aws_account.environment)
    assert ran.code == 0, ran.output
    first = "\n".join(ran.lines[: ran.lines.index(next(x for x in ran.lines if "[100%]" in x))])
    (vpc,) = {i.vpc for i in aws_account.look().instances if i.name.startswith("worker-")}
    assert f"account {aws_account.id}, region us-east-1" in first
    assert f"asked as arn:aws:sts::{aws_account.id}:assumed-role/tests/tests" in first
    assert f"the workers are in VPC {vpc}; route table that rules their subnets: {aws_account.table}" in first


def test_an_identity_that_turns_what_follows_or_is_missing_is_no_obstacle(
    aws_account: Account, wire: Wire, run_pytest: Run
) -> None:
    aws_account.build()

    def steering(carry: Carry) -> Answer:
        answer = carry()
        return Answer(answer.status, answer.body.replace(b"assumed-role", b"\xe2\x80\xae"))

    def without(carry: Carry) -> Answer:
        answer = carry()
        before, _, rest = answer.body.partition(b"<Arn>")
        return Answer(answer.status, before + rest.partition(b"</Arn>")[2])

    environment = Account.over(wire, aws_account).environment
    wire.on("GetCallerIdentity", without)
    ran = run_pytest("suites/routes", *LOOKING, **environment)
    assert (ran.code, "asked as" in ran.output) == (0, False), ran.output
    wire.on("GetCallerIdentity", steering)
    ran = run_pytest("suites/routes", *LOOKING, **environment)
    assert ran.code == 0, ran.output
    assert "\u202e" not in ran.output, ran.output


@pytest.mark.parametrize("said", ["typed", "lab file"])
@pytest.mark.parametrize(
    "command",
    [
        ("-m", "pytest", "-p", "no:cacheprovider", "suites/routes", *LOOKING),
        ("-m", "pytest", "-p", "no:cacheprovider", "suites/routes", *LOOKING, "--provision"),
        ("-m", "pytest", "-p", "no:cacheprovider", "suites/routes", *LOOKING, "--workers", "tag:Role=worker"),
        ("-m", "pytest", "-p", "no:cacheprovider", "suites/cleanup", "--target", "aws"),
        ("-m", "kthw.provision", "plan"),
        ("-m", "kthw.provision", "apply", "--workers", "tag:Role=worker"),
        ("-m", "kthw.provision", "rollback"),
    ],
    ids=lambda command: " ".join(command[1:]),
)
def test_another_account_than_expected_is_asked_who_it_is_and_nothing_else(
    said: str, command: tuple[str, ...], aws_account: Account, wire: Wire, tmp_path: Path
) -> None:
    wire.on("GetCallerIdentity", always=carried)
    lab, options = tmp_path / "kthw.toml", ["--expect-account", OTHER]
    if said == "lab file":
        lab.write_text(f'expect-account = "{OTHER}"\n')
        options = ["--lab", str(lab)]
    if "pytest" in command:
        options += ["--reports", str(tmp_path / "reports")]
    done = subprocess.run(
        [sys.executable, *command, *options],
        cwd=PROJECT, env={**clean(), **Account.over(wire, aws_account).environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = done.stdout + done.stderr
    assert done.returncode in (2, 4, NOT_ALL_SEEN), told
    assert OTHER in told
    assert aws_account.id in told
    assert "Traceback" not in told
    assert set(wire.sent) == {"GetCallerIdentity"}
