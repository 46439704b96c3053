"""``python -m sandbox`` as a person types it: what goes wrong is one sentence, and the exit code tells."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kthw.words.messages import catalogue
from sandbox import surroundings
from sandbox.box import why_no_packets

ROOT = Path(__file__).resolve().parents[2]
NO_PACKETS = why_no_packets(catalogue("en").say)


def sandbox(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
    )  # fmt: skip


@pytest.mark.parametrize("language", ["C.UTF-8", "pt_BR.UTF-8"])
@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("run", "--workers", "many", "--", "true"), "--workers many"),
        (("run", "--workers", "-3", "--", "true"), "--workers"),
        (("up", "--workers", "1001"), "--workers 1001"),
        (("up", "--like", "main-table", "--workers", "500"), "490"),
        (("up", "--like", "node-rutes"), "node-routes"),
        (("up", "--like"), "  three-zones: "),
        (("run", "--like", "--", "true"), "[--workers 'node-*' --pod-cidrs '10.200.{n}.0/24']"),
        (("up", "--delay", "soon"), "--delay"),
        (("up", "--lag", "-1"), "-1"),
        (("run",), "./run sandbox run -- bash"),
        (("run", "--"), "./run sandbox run -- bash"),
        (("practice", "--seed", "-1"), "--seed 0"),
        (("practice", "--seed", "sete"), "--seed sete"),
        (("practice", "--seed", "9" * 5000), "999999"),
        (("practice", "--faults", "0"), "--faults 1"),
        (("practice", "--faults", "4", "--level", "hard"), "3"),
        (("practice", "--level", "herd"), "hard"),
        (("practice", "--language", "fr"), "pt-BR"),
        (("practice", "--sead", "7"), "--seed"),
    ],
)
def test_bad_usage_says_what_to_type_and_exits_with_2(
    arguments: tuple[str, ...], word: str, language: str
) -> None:
    done = sandbox(*arguments, LC_ALL=language)
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "falta isto: up|run|ssh|env|status|practice|beliefs"),
        (("ssh",), "falta isto: name\n"),
        (("upp",), "upp: isso não existe; você quis dizer up?"),
        (("xyz",), "xyz: isso não existe; o que existe: up, run, ssh, env, status, practice, beliefs"),
        (("up", "--worker", "3"), "--worker: isso não existe; você quis dizer --workers?"),
        (("--wokers", "3", "up"), "--wokers: isso não existe; você quis dizer --workers?"),
        (("run", "--workers"), "--workers: falta um valor depois"),
        (("up", "--empty=1"), "--empty: não recebe valor, e aí está '1'"),
    ],
)
def test_what_is_mistyped_is_told_in_portuguese_with_what_was_meant(
    arguments: tuple[str, ...], said: str
) -> None:
    done = sandbox(*arguments, LC_ALL="pt_BR.UTF-8")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.startswith("uso: python -m sandbox ")
    assert "error" not in done.stderr


def test_a_command_that_does_not_exist_is_named() -> None:
    done = sandbox("run", "--empty", "no-such-command")
    assert done.returncode == 127
    assert "no-such-command could not be started" in done.stderr


def test_options_of_the_command_are_the_command_s() -> None:
    """Without ``--`` too: ``sandbox run aws … --output json``."""
    done = sandbox(
        "run", "--empty", sys.executable, "-c", "import sys; print(sys.argv[1:])", "--output", "json"
    )
    assert done.stdout == "['--output', 'json']\n"


def test_what_would_lead_elsewhere_is_not_in_the_command_s_environment() -> None:
    done = sandbox(
        "run", "--empty", "env",
        AWS_PROFILE="mine", AWS_ENDPOINT_URL_EC2="https://elsewhere.invalid", NO_PROXY="a.invalid",
    )  # fmt: skip
    environment = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL_EC2"} & environment.keys()
    assert environment["NO_PROXY"] == "a.invalid,127.0.0.1"
    assert environment["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")


def test_the_person_s_own_region_and_files_are_neither_read_nor_written(tmp_path: Path) -> None:
    """The region it was started with stands in a file of the sandbox's own, which ``aws`` may change."""
    own = tmp_path / "config"
    own.write_text("[default]\nregion = ap-south-1\n")
    script = "env; aws configure get region; aws configure set region sa-east-1; aws configure get region"
    done = sandbox(
        "run", "--empty", "sh", "-c", script, AWS_CONFIG_FILE=str(own), AWS_REGION="eu-west-1",
        AWS_DEFAULT_REGION="us-west-2",
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert lines[-2:] == ["eu-west-1", "sa-east-1"]
    assert not [line for line in lines if line.startswith(("AWS_REGION=", "AWS_DEFAULT_REGION="))]
    assert own.read_text() == "[default]\nregion = ap-south-1\n"


def test_what_is_pasted_elsewhere_takes_away_all_that_leads_elsewhere() -> None:
    """Nobody knows what that terminal has; one that is known is told no more than it must do."""
    pasted = surroundings.lines({"A": "x y"}, "/bin/ours")
    assert pasted.splitlines()[:2] == ["export A='x y'", 'export PATH=/bin/ours:"$PATH"']
    assert pasted.splitlines()[2] == f"unset {' '.join(surroundings.UNSET)}"
    known = {"PATH": "/bin/ours:/bin", "AWS_PROFILE": "prod", "HOME": "/"}
    assert surroundings.lines({}, "/bin/ours", known) == "unset AWS_PROFILE\n"


def test_a_region_that_there_is_not_ends_with_its_name() -> None:
    done = sandbox("run", "--", "true", AWS_REGION="mars-1")
    assert done.returncode == 2
    assert "There is no region mars-1" in done.stderr


@pytest.mark.parametrize("command", ["env", "status"])
def test_what_asks_for_a_running_one_says_how_to_start_one(command: str, tmp_path: Path) -> None:
    alone = {"TMPDIR": str(tmp_path), "XDG_RUNTIME_DIR": "", "KTHW_SSH_CONFIG": ""}
    done = sandbox(command, **alone)
    assert (done.returncode, done.stdout) == (2, "")
    assert "./run sandbox up" in done.stderr
    done = sandbox(command, "nobody", **alone, LC_ALL="pt_BR.UTF-8")
    assert done.returncode == 2
    assert "Nenhum sandbox chamado nobody" in done.stderr


def test_ssh_without_a_sandbox_says_how_to_start_one(tmp_path: Path) -> None:
    done = sandbox("ssh", "worker-0", TMPDIR=str(tmp_path), XDG_RUNTIME_DIR="", KTHW_SSH_CONFIG="")
    assert done.returncode == 2
    assert "sandbox up" in done.stderr


def test_ssh_into_one_that_has_ended_says_so(tmp_path: Path) -> None:
    done = sandbox("ssh", "worker-0", KTHW_SSH_CONFIG=str(tmp_path / "ssh_config"))
    assert done.returncode == 2
    assert "unset KTHW_SSH_CONFIG" in done.stderr


def test_ssh_to_an_unknown_machine_lists_those_there_are(tmp_path: Path) -> None:
    config = tmp_path / "ssh_config"
    config.write_text("Host worker-0 54.0.0.1\n    HostName 54.0.0.1\n\nHost *\n    User ubuntu\n")
    done = sandbox("ssh", "nobody", KTHW_SSH_CONFIG=str(config))
    assert done.returncode == 2
    assert "54.0.0.1, worker-0" in done.stderr
    assert "*" not in done.stderr


@pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)
def test_ctrl_c_in_a_login_is_no_traceback() -> None:
    """Ctrl-C ends the login as it would end ssh, and nothing is said about it."""
    script = f"exec {sys.executable} -m sandbox ssh worker-0 'echo in; exec sleep 60'"
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox", "run", "--workers", "1", "--", "sh", "-c", script],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "in\n"
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "Traceback" not in said


def test_ctrl_c_as_the_command_ends_loses_no_exit_code() -> None:
    """The signal and the end at the same moment, often enough to hit whatever gap there were."""
    script = """
import collections, os
from sandbox.command import until_it_ends
command = ["sh", "-c", "kill -INT $PPID; exit 7"]
print(dict(collections.Counter(until_it_ends(command, dict(os.environ)) for _ in range(400))))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr) == ("{7: 400}\n", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_ends_us_ends_the_command_first(number: signal.Signals) -> None:
    """A signal to `sandbox run` alone reaches its command; how that ended is our exit code."""
    name = number.name.removeprefix("SIG")
    script = f"trap 'echo told; exit 5' {name}; kill -{name} $PPID; while :; do sleep 0.05; done"
    done = sandbox("run", "--empty", "--", "sh", "-c", script)
    assert (done.stdout, done.returncode) == ("told\n", 5)
