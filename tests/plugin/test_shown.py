"""What is shown, wherever it goes: printable, always written, and clear about what was looked at."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import unicodedata
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from fixtures import gathering
from kthw.errors import LookError
from kthw.observed.evidence import Evidence, TargetSeen
from kthw.observed.recording import encode, write
from kthw.target import is_local
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.changed_aws import (
    inventory_of,
    with_inventory,
    with_table,
    with_user_data,
    without_instance,
)
from tests.findings.changed_nodes import failing, with_cni, with_forward_chain, with_node
from tests.findings.clusters import healthy
from tests.plugin.conftest import PROJECT, PYTEST, Ran, Run, asked, clean

NASTY = "a\x1b]0;owned\x07b\u202ec\x9b31md\x00e\ud800f\u2028g<script>\U000e0001é"
ENDPOINT = "http://127.0.0.1:5000"
ASCII_ONLY = {
    "PYTHONIOENCODING": "ascii:strict",
    "PYTHONUTF8": "0",
    "LC_ALL": "C",
    "PYTHONCOERCECLOCALE": "0",
}
LATIN_1 = {"PYTHONIOENCODING": "latin-1:strict", "PYTHONUTF8": "0", "LANG": "pt_BR.ISO-8859-1"}


def nasty() -> Evidence:
    """Foreign text of every kind, with what steers a terminal in it, or what UTF-8 cannot say."""
    evidence = with_forward_chain(healthy(), "worker-0", f'-m comment --comment "{NASTY}" -j DROP')
    evidence = with_cni(evidence, "worker-1", problem=NASTY, file=f"10-{NASTY}.conf")
    evidence = with_node(evidence, "worker-2", hostname=NASTY, login=f"ssh {NASTY}")
    evidence = failing(with_table(evidence, name=NASTY), ("worker-0", "*"), detail=NASTY)
    evidence = with_user_data(evidence, "worker-2", name=NASTY, pod_cider=NASTY)
    evidence = with_inventory(
        evidence, vpcs=tuple(replace(vpc, name=NASTY) for vpc in inventory_of(healthy()).vpcs)
    )
    error = LookError(code="aws-refused", subject=NASTY, detail=NASTY, facts={"operation": NASTY})
    return replace(evidence, errors=(error,), gathered_at=NASTY)


def is_shown(text: str) -> bool:
    """Nothing in it but what a terminal prints, line ends aside."""
    return all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp", "Cn") for c in text if c != "\n")


def on_an_endpoint(endpoint: str) -> Evidence:
    target = TargetSeen(kind="aws", endpoint=endpoint, account="123456789012", region="us-east-1")
    return replace(healthy(), target=target)


@pytest.mark.parametrize("environment", [{}, ASCII_ONLY, LATIN_1], ids=["UTF-8", "ASCII", "Latin-1"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_is_in_the_evidence_it_is_told_and_every_report_is_written(
    language: str, environment: dict[str, str], judge: Run
) -> None:
    ran = judge(nasty(), "--language", language, **environment)
    assert ran.code == 1
    assert "Traceback" not in ran.output
    assert is_shown(ran.output)
    assert catalogue(language).say("report-fix") in ran.output
    assert "forward-dropped" in ran.codes
    assert "\x1b" not in ran.page
    assert "\u202e" not in ran.page
    assert "<script>\U000e0001" not in ran.page
    ElementTree.parse(ran.reports / "junit.xml")  # noqa: S314 -- our own file
    json.loads((ran.reports / "report.json").read_text(encoding="utf-8"))


def test_a_hostile_report_is_judged_again(judge: Run, run_pytest: Run, tmp_path: Path) -> None:
    first = judge(nasty())
    (tmp_path / "again.json").write_bytes((first.reports / "report.json").read_bytes())
    assert run_pytest("suites/routes", "--evidence", str(tmp_path / "again.json")).codes == first.codes


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "evidence", [healthy(), without_instance(healthy(), "worker-1")], ids=["well", "ill"]
)
def test_an_endpoint_on_this_machine_is_never_shown_as_an_account(
    evidence: Evidence, language: str, judge: Run
) -> None:
    ran = judge(replace(evidence, target=on_an_endpoint(ENDPOINT).target), "--language", language)
    said = {"en": "a local endpoint, no account", "pt-BR": "um endpoint local, nenhuma conta"}[language]
    tells_nothing = catalogue(language).say("run-local-tells-nothing")
    for first, second in (ran.lines[:2], ran.lines[-2:]):
        assert said in first.replace("num ", "um ")
        assert second == tells_nothing
    assert '<div class="kthw-target kthw-sandbox">' in ran.page
    assert tells_nothing in ran.page
    assert ran.document["target"]["local"] is True
    suite = ElementTree.parse(ran.reports / "junit.xml").getroot()[0]  # noqa: S314 -- our own file
    assert {p.attrib["name"]: p.attrib["value"] for p in suite.iter("property")}["target"] == ran.lines[0]


@pytest.mark.parametrize("where", ["profile", "AWS_ENDPOINT_URL_EC2"])
def test_an_endpoint_is_shown_wherever_it_is_configured(where: str, tmp_path: Path, run_pytest: Run) -> None:
    """From the first line on, and also where nobody answers there."""
    endpoint = "http://127.0.0.1:9"
    said = f"endpoint_url = {endpoint}\n" if where == "profile" else ""
    (tmp_path / "config").write_text(f"[profile mine]\nregion = sa-east-1\n{said}")
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}
    ran = run_pytest(
        "suites/routes/test_workers.py", "--target", "aws", AWS_PROFILE="mine",
        AWS_CONFIG_FILE=str(tmp_path / "config"), AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true", **keys,
        **({"AWS_ENDPOINT_URL_EC2": endpoint} if where != "profile" else {}),
        AWS_ENDPOINT_URL_STS=endpoint, LC_ALL="C.UTF-8",
    )  # fmt: skip
    assert ran.lines[0] == f"Target: a local endpoint, no account: {endpoint}, region sa-east-1"
    assert ran.lines[-2].startswith(f"target: a local endpoint, no account: {endpoint}, ")
    assert ran.document["target"]["local"] is True


def test_an_account_is_shown_as_one(judge: Run) -> None:
    ran = judge(on_an_endpoint(""))
    assert "local" not in ran.lines[-1]
    assert '<div class="kthw-target kthw-aws">' in ran.page
    assert ran.document["target"]["local"] is False


@pytest.mark.parametrize(
    ("endpoint", "local"),
    [
        ("http://127.0.0.1:5000", True),
        ("http://127.8.9.10", True),
        ("http://localhost:4566/", True),
        ("https://LOCALHOST.localstack.cloud:4566", True),
        ("http://ec2.localhost", True),
        ("http://[::1]:5000", True),
        ("http://0.0.0.0:5000", True),
        ("https://ec2.us-east-1.amazonaws.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_what_is_on_this_machine_is_known_by_its_name_or_its_number(endpoint: str, local: bool) -> None:
    assert is_local(endpoint) is local


@pytest.mark.parametrize("name", ["report.json", "link.json"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_recording_is_never_overwritten_by_judging_it(
    name: str, language: str, tmp_path: Path, run_pytest: Run
) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    recording = folder / "report.json"
    write(healthy(), recording)
    (folder / "link.json").symlink_to(recording)
    before = recording.read_bytes()
    narrowed = ("--workers", "worker-0", "--language", language)
    ran = run_pytest("suites/routes", "--evidence", str(folder / name), *narrowed)
    assert ran.code in (0, 1), ran.output
    assert recording.read_bytes() == before
    assert catalogue(language).say("run-recording-kept", file=str(recording)) in ran.output
    assert {path.name for path in folder.iterdir()} == {
        "report.json",
        "link.json",
        "report.html",
        "junit.xml",
    }


def test_no_other_report_is_written_over_the_recording(tmp_path: Path, run_pytest: Run) -> None:
    write(healthy(), tmp_path / "e.json")
    file = str(tmp_path / "e.json")
    for option in (f"--html={file}", f"--junit-xml={file}"):
        ran = run_pytest("suites/routes", "--evidence", file, option)
        assert (ran.code, len(ran.lines)) == (4, 1), ran.output
    assert (tmp_path / "e.json").read_bytes() != b""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("suite", [[], ["suites/routes"]], ids=["pytest", "run"])
def test_two_recordings_at_once_are_one_too_many_and_that_is_said(
    suite: list[str], language: str, run_pytest: Run
) -> None:
    files = ("--evidence", "a.json", "b.json", "c.json")
    ran = run_pytest(*suite, *files, "--language", language)
    said = catalogue(language).say("run-one-evidence", value="a.json", other="b.json")
    assert (ran.code, ran.lines) == (4, [f"ERROR: {said}"])


def to_a_full_disk(tmp_path: Path, *arguments: str) -> Ran:
    """The run with /dev/full for its standard output."""
    write(healthy(), tmp_path / "e.json")
    reports = tmp_path / "reports"
    options = ("--evidence", str(tmp_path / "e.json"), "--reports", str(reports))
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PYTEST, "suites/routes", *options, *arguments],
            cwd=PROJECT, env=clean(), stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    return Ran(done.returncode, done.stderr, reports, tmp_path / "journal.jsonl")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_run_nobody_can_read_says_so_in_one_sentence_writes_its_reports_and_does_not_end_well(
    language: str, tmp_path: Path
) -> None:
    ran = to_a_full_disk(tmp_path, "--language", language)
    say = catalogue(language).say
    assert ran.lines == [say("run-output-unwritten", detail="No space left on device")]
    assert ran.code == 1
    assert ran.document["summary"]["passed"] == asked()
    assert "<svg" in ran.page


def test_reports_that_cannot_be_written_are_told_in_a_sentence_and_are_no_success(
    tmp_path: Path, run_pytest: Run
) -> None:
    """As on a full disk: each file ends after a kilobyte or less."""
    write(healthy(), tmp_path / "e.json")
    through = ("sh", "-c", 'ulimit -f 1; exec "$@"', "sh")
    ran = run_pytest("suites/routes", "--evidence", str(tmp_path / "e.json"), through=through)
    assert ran.code == 1
    assert "Traceback" not in ran.output
    assert "File too large" in ran.output
    assert not (ran.reports / "report.json").exists()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENOSPC], ids=["descriptors", "room"])
def test_a_machine_that_is_short_of_something_is_told_in_one_sentence(
    code: int, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Short:
        def __init__(self, *_: object) -> None: ...

        def gathered(self, _: object) -> None:
            raise OSError(code, os.strerror(code))

    monkeypatch.setattr(gathering, "_Look", Short)
    settings: Any = SimpleNamespace(words=catalogue(language))
    config: Any = None
    with pytest.raises(pytest.UsageError) as refused:
        gathering.gathered(config, settings)
    said = catalogue(language).say("run-machine-short", detail=os.strerror(code))
    assert str(refused.value) == said


def test_a_look_with_too_few_file_descriptors_is_refused_in_one_sentence(run_pytest: Run) -> None:
    through = ("sh", "-c", 'ulimit -n 20; exec "$@"', "sh")
    ran = run_pytest("suites/routes", through=through)
    said = catalogue("en").say("run-machine-short", detail=os.strerror(errno.EMFILE))
    assert (ran.code, ran.lines) == (4, [f"ERROR: {said}"])


def test_few_file_descriptors_are_enough_to_judge(tmp_path: Path, run_pytest: Run) -> None:
    (tmp_path / "e.json").write_bytes(encode(healthy()))
    through = ("sh", "-c", 'ulimit -n 20; exec "$@"', "sh")
    ran = run_pytest("suites/routes", "--evidence", str(tmp_path / "e.json"), through=through)
    assert ran.code == 0, ran.output
