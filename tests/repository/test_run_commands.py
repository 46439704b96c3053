"""The script ``run``: its words, and what it hands over to."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.repository.machine import PROJECT, Machine, lines_of

COMMANDS = (
    "routes", "test", "pytest", "sandbox", "provision", "lab", "grade", "history", "night", "mutants", "help",
)  # fmt: skip


def test_run_is_executable_posix_shell() -> None:
    assert (PROJECT / "run").stat().st_mode & stat.S_IXUSR
    assert (PROJECT / "run").read_text().startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", PROJECT / "run"], check=True)


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_run_and_what_it_runs_as_root_are_clean_to_shellcheck() -> None:
    script = (PROJECT / "run").read_text()
    inner = script.split("\ninstall_as_root='", 1)[1].split("\n'\n", 1)[0]
    for text, shell in ((script, "sh"), (script, "dash"), (inner, "sh")):
        done = subprocess.run(
            ["shellcheck", f"--shell={shell}", "-"], input=text, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("arguments", [(), ("help",), ("--help",)])
def test_without_a_command_it_says_what_there_is_and_succeeds(
    machine: Machine, arguments: tuple[str, ...]
) -> None:
    done = machine.run(*arguments)
    assert done.returncode == 0
    assert all(f"./run {command}" in done.stdout for command in COMMANDS)
    assert not (machine.checkout / ".venv").exists()


def test_it_speaks_portuguese_to_whoever_does(machine: Machine) -> None:
    assert "sua conta" in machine.run("help", LANG="pt_BR.UTF-8").stdout
    assert "não existe o comando" in machine.run("rotas", LC_ALL="pt_BR.UTF-8", LANG="C").stderr


@pytest.mark.parametrize(
    ("language", "said"), [("C", "folder is no more"), ("pt_BR.UTF-8", "não existe mais")]
)
@pytest.mark.parametrize("command", ["provision", "lab", "routes", "grade"])
def test_from_a_folder_that_is_no_more_there_is_one_sentence(
    machine: Machine, tmp_path: Path, command: str, language: str, said: str
) -> None:
    gone = 'mkdir gone && cd gone && rm -r ../gone && exec "$@"'
    done = subprocess.run(
        ["sh", "-c", gone, "sh", machine.checkout / "run", command],
        cwd=tmp_path, env=machine.environment({"LANG": language}), check=False,
        text=True, capture_output=True,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if line.startswith("run: ")]
    assert (done.returncode, len(ours), said in ours[0]) == (2, 1, True)


def test_an_unknown_command_gets_a_sentence_and_exit_code_2(machine: Machine) -> None:
    done = machine.run("rotas")
    assert done.returncode == 2
    assert lines_of(done.stderr, "rotas") == [
        "run: there is no command 'rotas'; "
        "there are: routes, cleanup, test, mutants, pytest, sandbox, provision, lab, grade, history, night, "
        "help."
    ]


def test_routes_runs_the_suite_of_this_project_from_wherever_it_is_called(
    machine: Machine, tmp_path: Path
) -> None:
    done = machine.run("routes", "--ssh-key", "my key")
    root = machine.checkout
    suite = f"--rootdir {root} -c {root}/pytest.ini {root}/suites/routes"
    assert done.returncode == 0, done.stderr
    assert f"here: {tmp_path}\n" in done.stdout, "a relative --ssh-key must mean the caller's folder"
    assert f"ran: -P -m kthw.start pytest {suite} --ssh-key my key\n" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "runs"),
    [
        (("sandbox", "run", "--", "aws", "x y"), "-P -m kthw.start sandbox run -- aws x y"),
        (("provision", "plan"), "-P -m kthw.start kthw.provision plan"),
        (("lab", "--no-ssh"), "-P -m kthw.start kthw.lab --no-ssh"),
        (("grade", "my class"), "-P -m kthw.start kthw.grade my class"),
        (("history", "compare", "2", "1"), "-P -m kthw.start kthw.history compare 2 1"),
        (("night", "notify", "--code", "1"), "-P -m kthw.start kthw.night notify --code 1"),
        (("mutants", "kthw/network"), "-P -m kthw.start tests.mutants kthw/network"),
        (("pytest", "suites/routes", "-x"), "-P -m kthw.start pytest suites/routes -x"),
    ],
)
def test_each_command_becomes_its_python_program(
    machine: Machine, arguments: tuple[str, ...], runs: str
) -> None:
    assert f"ran: {runs}\n" in machine.run(*arguments).stdout


def test_through_a_symbolic_link_it_finds_its_own_folder(machine: Machine, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere"
    link.symlink_to(machine.checkout / "run")
    done = subprocess.run(
        [link, "pytest"], cwd=tmp_path, env=machine.environment(), capture_output=True, text=True, check=True
    )
    assert f"here: {machine.checkout}\n" in done.stdout


def test_the_exit_code_is_the_commands(machine: Machine) -> None:
    assert machine.run("provision", "plan", FAILING="kthw.provision").returncode == 3


def test_the_script_is_replaced_by_the_command_so_signals_reach_it(machine: Machine) -> None:
    machine.run("provision")
    python = machine.checkout / ".venv/bin/python"
    python.write_text("#!/bin/sh\necho $$\n")
    started = machine.start("provision")
    output, _ = started.communicate(timeout=20)
    assert output == f"{started.pid}\n"


def test_what_is_compiled_is_kept_whatever_a_container_says(machine: Machine) -> None:
    machine.run("provision")
    (machine.checkout / ".venv/bin/python").write_text('#!/bin/sh\necho "${PYTHONDONTWRITEBYTECODE-unset}"\n')
    assert machine.run("provision", PYTHONDONTWRITEBYTECODE="1").stdout == "unset\n"


def test_the_tests_are_four_checks_and_one_failure_fails_them_all(machine: Machine) -> None:
    passed = machine.run("test", "-k", "x")
    assert [line.removeprefix("ran: -P -m ") for line in lines_of(passed.stdout, "ran: ")] == [
        "ruff check", "ruff format --check", "mypy",
        "kthw.start pytest tests -n auto --maxprocesses 8 --dist worksteal -k x",
    ]  # fmt: skip
    assert passed.returncode == 0
    failed = machine.run("test", FAILING="ruff check")
    assert failed.returncode == 1
    assert "ran: -P -m kthw.start pytest tests" in failed.stdout, (
        "an early failure must not hide the later ones"
    )
    assert lines_of(failed.stderr, "ruff check")


@pytest.mark.parametrize(
    "tests", ["tests", "tests/findings", "./tests/findings/test_path.py", "tests/a.py::test_b[c]"]
)
def test_named_tests_run_without_the_other_checks(machine: Machine, tests: str) -> None:
    done = machine.run("test", "-x", tests)
    assert lines_of(done.stdout, "ran: ") == [f"ran: -P -m kthw.start pytest -x {tests}"]
    assert machine.run("test", tests, FAILING="pytest").returncode == 3


def test_routes_says_which_suite_it_added_itself(machine: Machine) -> None:
    python = "python3"
    machine.stub(python, (machine.bin / python).read_text().split("\n", 1)[1] + 'echo "added: $KTHW_SUITE"\n')
    done = machine.run("routes", "suites/routes/test_pods.py")
    assert f"{machine.checkout}/suites/routes suites/routes/test_pods.py\n" in done.stdout
    assert f"added: {machine.checkout}/suites/routes\n" in done.stdout


def test_cleanup_looks_in_an_account_where_nothing_else_is_said(machine: Machine) -> None:
    python = "python3"
    machine.stub(python, (machine.bin / python).read_text().split("\n", 1)[1] + 'echo "in: $KTHW_TARGET"\n')
    done = machine.run("cleanup", "--expect-account", "123456789012")
    suite = f"--rootdir {machine.checkout} -c {machine.checkout}/pytest.ini {machine.checkout}/suites/cleanup"
    assert f"ran: -P -m kthw.start pytest {suite} --expect-account 123456789012\n" in done.stdout
    assert "in: aws\n" in done.stdout
    assert "in: sandbox\n" in machine.run("cleanup", KTHW_TARGET="sandbox").stdout
