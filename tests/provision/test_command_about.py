"""Whom ``python -m kthw.provision`` is about: workers by what they are, a lab file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.provision.account import Account, Run


def test_workers_may_be_asked_for_by_what_they_are(aws_account: Account, run: Run) -> None:
    aws_account.build()
    code, said, _ = run("apply", "--workers", "w*-[1-2],10.0.1.20")
    assert (code, said.count("  created in")) == (0, 3)
    code, said, _ = run("plan", "--workers", "tag:Name=work*")
    assert (code, said.count("  already there in")) == (0, 3)


def test_where_nobody_is_found_it_is_told_who_is_there(aws_account: Account, run: Run) -> None:
    aws_account.build()
    code, said, problem = run("apply", "--workers", "wrker-*")
    assert (code, said) == (2, "")
    assert f"worker-1 ({aws_account.instance('worker-1')}, 10.0.1.21) running" in problem
    assert "  ./run provision --workers 'worker-*'" in problem
    assert aws_account.pod_routes() == {}


def test_a_lab_file_says_whose_routes_and_where(
    aws_account: Account, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same workers, pod CIDRs and account as the suite takes from it, and what it cannot make is told."""
    aws_account.build().set_user_data("worker-1", "#!/bin/sh\n")
    monkeypatch.chdir(tmp_path)
    lab = tmp_path / "kthw.toml"
    lab.write_text("workers = ['worker-1']\n[pod-cidrs]\nworker-1 = '10.200.1.0/24'\n")
    code, said, _ = run("apply", KTHW_LAB="")
    assert (code, said.count("created in")) == (0, 1)
    assert f"Lab file: {lab}, found in the current folder. From it: workers, pod-cidrs" in said
    assert list(aws_account.pod_routes()) == ["10.200.1.0/24"]
    lab.write_text("expect-account = '999999999999'\n")
    assert run("rollback", KTHW_LAB="")[0] == 2
    lab.write_text("\nnetwork = 'node-routes'\n")
    assert "knows of no kernel route" in run("rollback", KTHW_LAB="")[1]
    lab.write_text("\nnetwork = 'overlay'\n")
    assert run(KTHW_LAB="")[2].startswith(f"{lab}:2: --network overlay: ")
    code, said, _ = run("rollback", "--lab", "none", KTHW_LAB="")
    assert (code, said.count("taken back"), "Lab file" in said) == (0, 1, False)


@pytest.mark.parametrize("action", ["plan", "apply"])
def test_a_bad_list_of_other_machines_is_told_by_its_own_option(run: Run, action: str) -> None:
    code, said, problem = run(action, "--also", "a,,b")
    assert (code, said) == (2, "")
    assert problem.startswith("--also a,,b: ")
    assert "--workers" not in problem
