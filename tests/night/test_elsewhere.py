"""The same night without GitHub, by cron and by systemd, as far as this machine can; and GitHub's own."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are no dependency of ours

from kthw.findings.judging import judge
from kthw.night.__main__ import _parser as parser
from kthw.night.came import Night
from kthw.night.webhook import document
from kthw.verdict.outcome import reported
from kthw.words.messages import catalogue
from sandbox.box import why_no_packets
from tests.findings.clusters import OK
from tests.night.listener import Listener, Reply
from tests.plugin.conftest import clean
from tests.repository.machine import PROJECT, tracked

NIGHT: Final = PROJECT / "docs" / "night"
PAGES: Final = ("night.md", "noite.pt-BR.md")
WHERE: Final = "/opt/kthw-routes"
"""Where the shipped files say that the checkout is."""
NO_PACKETS: Final = why_no_packets(catalogue("en").say)
MOMENT: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
BARE: Final = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LOGNAME": "kthw"}
"""All that cron gives; HOME is left out on purpose: not every scheduler sets it."""


def shipped(name: str, checkout: Path) -> str:
    return (NIGHT / name).read_text(encoding="utf-8").replace(WHERE, str(checkout))


def crons_command(checkout: Path, settings: Path) -> str:
    (line,) = [line for line in shipped("kthw-night.cron", checkout).splitlines() if re.match(r"[\d*]", line)]
    *when, user, command = line.split(maxsplit=6)
    assert len(when) == 5
    assert user == "kthw"
    return command.replace("/etc/kthw-night.conf", str(settings))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A fresh checkout of all that is in git, or about to be, with the ``.venv`` of this one."""
    if not (PROJECT / ".venv" / "kthw-run.stamp").is_file():
        pytest.skip(".venv was not made by ./run: a clone would install it anew")
    made = tmp_path / "clone"
    for path in tracked():
        name = path.relative_to(PROJECT)
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, made / name)
    (made / ".venv").symlink_to((PROJECT / ".venv").resolve())
    return made


@pytest.mark.slow
@pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)
@pytest.mark.skipif(not shutil.which("flock"), reason="flock is not installed (Debian: util-linux)")
def test_crons_line_runs_the_night_from_a_bare_environment_and_tells_what_came_of_it(
    checkout: Path, tmp_path: Path
) -> None:
    """In a fresh clone; a sandbox stands for the account, and the night says so.

    Four nights: before the routes chapter, after it, without credentials, and with an option misspelt.
    """
    settings, lab = tmp_path / "night.conf", tmp_path / "lab.toml"
    lab.write_text('workers = ["worker-0", "worker-1", "worker-2"]\nlanguage = "pt-BR"\n')
    command = shlex.quote(crons_command(checkout, settings))
    bare = shlex.join(f"{name}={value}" for name, value in BARE.items())
    script = f"""
        night() {{
            set +e
            env -i {bare} sh -c "$1" </dev/null >"$NIGHTS/$2" 2>&1
            echo "$2 $?" >>"$NIGHTS/codes"
            set -e
        }}
        {{
            env | grep -E '^(AWS_|KTHW_SSH)' | sed "s/=\\(.*\\)/='\\1'/"
            echo "KTHW_LAB='$LAB'"
            echo "KTHW_NOTIFY='$HOOK'"
        }} >"$SETTINGS"
        command={command}
        night "$command" red
        "$CLONE/run" provision apply >/dev/null
        night "$command" green
        night "$command --no-such-option" misused
        echo 'unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY' >>"$SETTINGS"
        echo 'AWS_REGION=us-east-1' >>"$SETTINGS"
        for name in AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE; do echo "$name=/dev/null" >>"$SETTINGS"; done
        echo 'AWS_EC2_METADATA_DISABLED=true' >>"$SETTINGS"
        night "$command" unseen
    """
    nights = tmp_path / "nights"
    nights.mkdir()
    with Listener(lambda _asked: Reply(204, b"")).open() as listener:
        done = subprocess.run(
            [sys.executable, "-m", "sandbox", "run", "--", "bash", "-eu", "-c", script],
            cwd=PROJECT, capture_output=True, text=True, check=False, timeout=400,
            env={
                **clean(), "PYTHONPATH": str(PROJECT), "NIGHTS": str(nights),
                "HOOK": f"{listener.url}/secret", "CLONE": str(checkout),
                "SETTINGS": str(settings), "LAB": str(lab), "LC_ALL": "C.UTF-8",
            },
        )  # fmt: skip
    said = {file.name: file.read_text(encoding="utf-8") for file in nights.iterdir()}
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:] + str(said)
    assert said["codes"].split() == ["red", "1", "green", "0", "misused", "4", "unseen", "10"], str(said)
    assert [asked.body["verdict"] for asked in listener.asked] == ["broken", "whole", "no-run", "unseen"]
    assert {cause["code"] for cause in listener.asked[0].body["causes"]} == {"route-missing"}
    assert "credentials-missing" in [each["code"] for each in listener.asked[3].body["not_looked_at"]]
    assert listener.asked[0].body["target"]["local"] is True
    assert "um endpoint local, nenhuma conta" in said["red"], "a sandbox is never shown as an account"
    assert not [name for name, text in said.items() if "/secret" in text or "Traceback" in text]


def test_the_nights_script_tells_a_night_that_never_came_to_look_and_keeps_the_suites_code(
    tmp_path: Path,
) -> None:
    made = tmp_path / "a clone"
    (made / "docs" / "night").mkdir(parents=True)
    shutil.copy2(NIGHT / "night.sh", made / "docs" / "night" / "night.sh")
    (made / "run").write_text(
        '#!/bin/sh\necho "$* ${KTHW_NOTIFY-unset}" >>"$LOG"\n[ "$1" = night ] || exit 7\nexit 1\n'
    )
    (made / "run").chmod(0o755)
    (tmp_path / "conf").write_text(
        f"LOG={shlex.quote(str(tmp_path / 'log'))}\nKTHW_NOTIFY=https://x/secret\n"
    )
    done = subprocess.run(
        [made / "docs/night/night.sh", "conf", "--after", "workers"], cwd=tmp_path, env=BARE, check=False
    )
    assert done.returncode == 7
    looked, told = (tmp_path / "log").read_text().splitlines()
    assert looked == "routes --target aws --after workers unset"
    assert re.sub(MOMENT, "THEN", told) == "night notify --code 7 --since THEN https://x/secret"


def test_a_night_that_is_ended_waits_for_its_suite_and_tells_it(tmp_path: Path) -> None:
    """As systemd ends it, and a terminal: all of its processes are told."""
    made = tmp_path / "clone"
    (made / "docs" / "night").mkdir(parents=True)
    shutil.copy2(NIGHT / "night.sh", made / "docs" / "night" / "night.sh")
    (made / "run").write_text(
        '#!/bin/sh\necho "$*" >>"$LOG"\n[ "$1" = routes ] || exit 0\n'
        'trap "echo took back >>$LOG; exit 2" TERM\necho looking\nwhile :; do sleep 0.05; done\n'
    )
    (made / "run").chmod(0o755)
    (tmp_path / "conf").write_text(f"LOG={shlex.quote(str(tmp_path / 'log'))}\nKTHW_NOTIFY=https://x\n")
    with subprocess.Popen(
        [made / "docs/night/night.sh", tmp_path / "conf"],
        env=BARE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    ) as night:  # fmt: skip
        assert night.stdout is not None
        assert night.stdout.readline() == "looking\n"
        os.killpg(night.pid, signal.SIGTERM)
        assert night.wait(30) == 2
    assert re.sub(MOMENT, "THEN", (tmp_path / "log").read_text()).splitlines() == [
        "routes --target aws", "took back", "night notify --code 2 --since THEN"
    ]  # fmt: skip


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_the_nights_script_is_clean_to_shellcheck() -> None:
    done = subprocess.run(["shellcheck", NIGHT / "night.sh"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert os.access(NIGHT / "night.sh", os.X_OK)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_understands_the_units_and_when_they_run(tmp_path: Path) -> None:
    units = [tmp_path / name for name in ("kthw-night.service", "kthw-night.timer")]
    for unit in units:
        unit.write_text(shipped(unit.name, PROJECT))
    # The manuals are not everywhere; whether the user exists is the machine's business.
    verify = ["systemd-analyze", "verify", "--man=no", *map(str, units)]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    (when,) = re.findall(r"^OnCalendar=(.*)", units[1].read_text(), re.MULTILINE)
    done = subprocess.run(["systemd-analyze", "calendar", when], capture_output=True, text=True, check=False)
    assert (done.returncode, "Next elapse" in done.stdout) == (0, True)
    units[0].write_text(units[0].read_text().replace("ExecStart=", "ExecStrat="))
    assert subprocess.run(verify, capture_output=True, check=False).stderr, "a fault is told"


def workflow() -> dict[str, Any]:
    text = (PROJECT / ".github/workflows/nightly.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def test_the_workflow_ends_red_in_a_step_that_says_why_and_tells_it_first() -> None:
    steps = workflow()["jobs"]["routes"]["steps"]
    names = [step.get("id") or step.get("name", "") for step in steps]
    ends = {
        name: condition
        for step in steps
        if (name := step.get("name", "")) and "exit 1" in step.get("run", "")
        and (condition := step["if"])
    }  # fmt: skip
    assert list(ends) == names[-3:]
    assert ["== '1'" in each for each in ends.values()] == [True, False, False]
    assert ["== '10'" in each for each in ends.values()] == [False, True, False]
    assert '"0", "1", "10"' in list(ends.values())[2]
    told = [step for step in steps if "run night" in step.get("run", "")]
    assert [re.findall(r"run night (\w+)", step["run"]) for step in told] == [["summary"], ["notify"]]
    assert all("always()" in step["if"] for step in told)
    assert all(step["env"]["CODE"] == "${{ steps.suite.outputs.code }}" for step in told)
    told.append(workflow()["jobs"]["issue"]["steps"][-1])
    typed = set(re.findall(r"--[a-z-]+", " ".join(step["run"] for step in told)))
    assert typed <= set(parser(catalogue("en")).known)
    # What somebody else may have chosen is never put into a command by GitHub itself.
    assert not any("${{" in step.get("run", "") for step in steps)


def test_what_looks_at_the_account_may_not_open_issues_and_what_opens_them_has_no_role() -> None:
    jobs = workflow()["jobs"]
    assert workflow()["permissions"] == {}
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "routes": {"id-token": "write", "contents": "read"},
        "issue": {"contents": "read", "issues": "write"},
    }
    kept, fetched = (
        next(step for step in jobs[name]["steps"] if "artifact" in step.get("uses", "")) for name in jobs
    )
    assert (kept["with"]["name"], kept["with"]["path"]) == tuple(fetched["with"].values())
    assert jobs["routes"]["outputs"] == {"code": "${{ steps.suite.outputs.code }}"}
    told = jobs["issue"]["steps"][-1]
    assert (told["run"], told["env"]["CODE"]) == (
        './run night issue --code "$CODE"', "${{ needs.routes.outputs.code }}"
    )  # fmt: skip
    assert "always()" in jobs["issue"]["if"], "a red night is one to tell of"


def test_the_workflow_comments_its_settings() -> None:
    text = (PROJECT / ".github/workflows/nightly.yml").read_text(encoding="utf-8")
    head, _, body = text.partition("name: nightly")
    used = set(re.findall(r"(?:vars|secrets)\.KTHW_\w+", body))
    assert used == set(re.findall(r"^#   ((?:vars|secrets)\.KTHW_\w+)", head, re.MULTILINE))


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_the_workflows_steps_are_shell_that_keeps_the_suites_code(tmp_path: Path) -> None:
    (step,) = [step for step in workflow()["jobs"]["routes"]["steps"] if step.get("id") == "suite"]
    (tmp_path / "run").write_text("#!/bin/sh\nexit 10\n")
    (tmp_path / "run").chmod(0o755)
    output = tmp_path / "output"
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]], cwd=tmp_path, check=False,
        env={**BARE, "ACCOUNT": "1", "PROVISION": "--no-provision", "GITHUB_OUTPUT": str(output)},
    )  # fmt: skip
    assert (done.returncode, output.read_text()) == (0, "code=10\n")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_what_there_is(name: str) -> None:
    page = (PROJECT / "docs" / name).read_text(encoding="utf-8")
    for file in NIGHT.iterdir():
        assert f"night/{file.name}" in page, file.name
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page)
    assert [link for link in links if not (PROJECT / "docs" / link).exists()] == []
    (shown,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert json.loads(shown).keys() == _document().keys()


def test_both_pages_show_the_same_commands() -> None:
    shown = [
        set(
            re.findall(
                r"\./run [a-z]+(?: [a-z]+)?|--[a-z-]+|[A-Z]+_[A-Z_]+", (PROJECT / "docs" / name).read_text()
            )
        )
        for name in PAGES
    ]
    assert shown[0] == shown[1]


def _document() -> dict[str, Any]:
    return document(Night(kind="whole", report=reported(judge(OK)), code=0), catalogue("en"))
