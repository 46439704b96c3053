"""A run that looks: at an account it only reads, unless it is to provision; and what it then takes back."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from kthw.findings import needs
from tests.plugin.conftest import NOT_ALL_SEEN, PROJECT, Run, asked, clean
from tests.provision.account import Account
from tests.provision.wire import Wire, then, unanswered

SUITE = "suites/routes"
AWS = ("--target", "aws")
BEFORE_PODS = ("--after", "machines")
"""Looks at AWS only: there is nobody to log in to at an API without machines."""


@pytest.fixture
def account(aws_account: Account) -> Account:
    return aws_account.build()


def events(journal: Path) -> list[str]:
    lines = journal.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["event"] for line in lines]


def test_an_account_is_read_with_a_call_per_worker_and_eight_more(account: Account, run_pytest: Run) -> None:
    ran = run_pytest(SUITE, *AWS, *BEFORE_PODS, **account.environment)
    assert ran.code == 0, ran.output
    assert ran.document["summary"]["aws_calls"] == 3 + 8
    assert ran.document["target"] == {
        "kind": "aws", "endpoint": account.endpoint, "account": account.id, "region": "us-east-1",
        "arn": f"arn:aws:sts::{account.id}:assumed-role/tests/tests", "local": True,
    }  # fmt: skip
    assert account.pod_routes() == {}


def test_xdist_reads_the_account_no_more_often(account: Account, run_pytest: Run) -> None:
    ran = run_pytest(SUITE, *AWS, *BEFORE_PODS, "-n", "2", **account.environment)
    assert ran.code == 0, ran.output
    assert ran.document["summary"]["aws_calls"] == 3 + 8
    assert ran.output.count("asking AWS … 9/9") == 1


def test_the_environment_may_choose_the_target(account: Account, run_pytest: Run) -> None:
    ran = run_pytest(SUITE, *BEFORE_PODS, KTHW_TARGET="aws", **account.environment)
    assert ran.code == 0, ran.output
    assert ran.lines[0].startswith(f"Target: a local endpoint, no account: {account.endpoint}")
    assert ran.lines[-2] == (
        f"target: a local endpoint, no account: {account.endpoint}, which calls itself account {account.id}, "
        "region us-east-1"
    )
    assert "sandbox" not in ran.output


def test_another_account_than_expected_is_an_error(account: Account, run_pytest: Run) -> None:
    expected = ("--expect-account", "999999999999")
    ran = run_pytest(SUITE, *AWS, *BEFORE_PODS, *expected, **account.environment)
    assert ran.code == NOT_ALL_SEEN
    assert [error["code"] for error in ran.document["errors"]] == ["wrong-account"]
    assert f"account {account.id}, region us-east-1" in ran.lines[-2]
    assert ran.document["summary"]["failed"] == ran.document["summary"]["passed"] == 0


def test_no_credentials_are_an_error_told_once(account: Account, run_pytest: Run) -> None:
    lost = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    environment = {name: value for name, value in account.environment.items() if name not in lost}
    ran = run_pytest(SUITE, *AWS, **environment)
    assert ran.code == NOT_ALL_SEEN
    assert ran.output.count("! credentials-missing") == 1
    assert "Traceback" not in ran.output


def test_what_was_provisioned_is_taken_back_at_the_end(account: Account, run_pytest: Run) -> None:
    ran = run_pytest(SUITE, *AWS, *BEFORE_PODS, "--provision", **account.environment)
    assert ran.code == 0, ran.output
    assert "10.0.1.20 10.200.0.0/24  created in" in ran.output
    assert account.pod_routes() == {}
    assert events(ran.journal).count("deleted") == 3
    provisioned = ran.document["evidence"]["provisioned"]
    assert [step["outcome"] for step in provisioned] == ["created"] * 3


def test_the_rollback_command_finds_what_a_run_kept_wherever_its_reports_went(
    account: Account, tmp_path: Path
) -> None:
    environment = {**clean(), **account.environment}
    python = (sys.executable, "-m")
    keeping = ("--provision", "--keep-routes", "--reports", str(tmp_path / "reports"))
    for arguments in (
        ("pytest", "-p", "no:cacheprovider", SUITE, *AWS, *BEFORE_PODS, *keeping),
        ("kthw.provision", "rollback"),
    ):
        done = subprocess.run(
            [*python, *arguments], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(account.pod_routes()) == (3 if "pytest" in arguments else 0)


def test_what_is_to_be_kept_is_kept(account: Account, run_pytest: Run) -> None:
    ran = run_pytest(SUITE, *AWS, *BEFORE_PODS, "--provision", "--keep-routes", **account.environment)
    assert ran.code == 0, ran.output
    assert len(account.pod_routes()) == 3


def test_routes_that_were_there_before_are_left_alone(account: Account, run_pytest: Run) -> None:
    account.ec2.create_route(
        RouteTableId=account.table,
        DestinationCidrBlock="10.200.1.0/24",
        InstanceId=account.instance("worker-1"),
    )
    before = account.pod_routes()
    ran = run_pytest(SUITE, *AWS, *BEFORE_PODS, "--provision", **account.environment)
    assert ran.code == 0, ran.output
    assert account.pod_routes() == before


def test_a_worker_nobody_can_log_in_to_is_an_error_and_its_routes_are_still_judged(
    account: Account, tmp_path: Path, run_pytest: Run
) -> None:
    config = tmp_path / "ssh_config"
    config.write_text("Host *\n  ProxyCommand false\n")
    ran = run_pytest(SUITE, *AWS, "--ssh-config", str(config), **account.environment)
    summary = ran.document["summary"]
    assert ran.code == 1
    assert {finding["code"] for finding in ran.document["findings"]} == {"route-missing"}
    assert {error["code"] for error in ran.document["errors"]} == {"ssh-unreachable"}
    unseen = asked(needing=needs.logged_in) + asked(needing=needs.login_tried)
    assert (summary["failed"], summary["errors"]) == (3, unseen)


def test_progress_on_a_terminal_is_one_line_rewritten(account: Account, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", SUITE, *AWS, *BEFORE_PODS, "--reports", str(tmp_path)],
        cwd=PROJECT,
        env={**clean(), **account.environment},
        stdout=theirs,
    )
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):  # EIO: the other end is closed
        while part := os.read(ours, 65536):
            said += part
    os.close(ours)
    assert process.wait() == 0
    lines = [line for line in said.decode().split("\n") if "asking AWS" in line]
    assert len(lines) == 1
    assert lines[0].count("\r") > 1
    assert "9/9" in lines[0]


def test_routes_that_somebody_else_takes_away_while_we_look_are_an_error_and_no_finding(
    account: Account, tmp_path: Path, wire: Wire, run_pytest: Run
) -> None:
    """Another run, on another machine, ends: what it had made was there for provisioning, and is gone now."""
    for name, destination in (("worker-0", "10.200.0.0/24"), ("worker-1", "10.200.1.0/24")):
        account.ec2.create_route(
            RouteTableId=account.table, DestinationCidrBlock=destination, InstanceId=account.instance(name)
        )

    def taken_back() -> None:
        if "10.200.0.0/24" in account.pod_routes():
            account.ec2.delete_route(RouteTableId=account.table, DestinationCidrBlock="10.200.0.0/24")

    config = tmp_path / "ssh_config"
    config.write_text("Host *\n  ProxyCommand false\n")
    wire.on("CreateRoute", always=then(taken_back))
    environment = {**account.environment, "AWS_ENDPOINT_URL": wire.endpoint}
    ran = run_pytest(SUITE, *AWS, "--provision", "--ssh-config", str(config), **environment)
    assert ran.code == NOT_ALL_SEEN, ran.output
    assert ran.codes == []
    changed = [error for error in ran.document["errors"] if error["code"] == "routes-changed"]
    assert [error["subject"] for error in changed] == [f"{account.table} · 10.200.0.0/24"]
    assert list(account.pod_routes()) == ["10.200.1.0/24"]


def test_a_route_that_may_be_left_behind_is_an_error_with_the_command_that_deletes_it(
    account: Account, wire: Wire, run_pytest: Run
) -> None:
    wire.on("CreateRoute", unanswered)
    environment = {**account.environment, "AWS_ENDPOINT_URL": wire.endpoint}
    ran = run_pytest(SUITE, *AWS, *BEFORE_PODS, "--provision", **environment)
    assert ran.code == NOT_ALL_SEEN, ran.output
    (error,) = ran.document["errors"]
    assert (error["code"], error["subject"]) == ("route-left-behind", f"{account.table} · 10.200.0.0/24")
    delete = f"delete-route --route-table-id {account.table} --destination-cidr-block 10.200.0.0/24"
    assert f"aws ec2 {delete}" in ran.output
    assert list(account.pod_routes()) == ["10.200.0.0/24"]
