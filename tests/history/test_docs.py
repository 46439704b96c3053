"""What the two pages about the history say is so, and the workflow that publishes it does what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are no dependency of ours

from kthw.history import tracks
from kthw.history.__main__ import _parser as parser
from kthw.history.lines import MOST_BYTES
from kthw.history.run import MOST_CAUSES, encoded
from kthw.words.messages import catalogue
from tests.history.story import story

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"
PAGES = ("history.md", "historico.pt-BR.md")
WORKFLOW = PROJECT / ".github/workflows/history-page.yml"


def options(page: str) -> set[str]:
    """What stands as an option in code, in a block or in a line."""
    code = re.findall(r"```.*?```|`[^`\n]+`", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    return set(re.findall(r"--[a-z][a-z-]+", "\n".join(code)))


def test_both_pages_name_the_same_options_and_those_there_are() -> None:
    english, portuguese = map(options, PAGES)
    assert english == portuguese
    known = set(parser(catalogue("en")).known)
    assert english - known == {"--target", "--keep", "--history", "--no-history", "--evidence"}
    assert known - english <= {"--language", "--help", "-h", "--nights", "--last"}


@pytest.mark.parametrize("name", PAGES)
def test_its_numbers_and_links_are_those_of_the_code(name: str) -> None:
    page = (DOCS / name).read_text(encoding="utf-8")
    assert re.search(rf"\b{tracks.CHANGES} (times|vezes)", page)
    assert re.search(rf"\b{tracks.WITHIN.days} (days|dias)", page)
    assert page.count(f"{MOST_BYTES // 1_000_000} MB") == 2
    assert re.search(rf"\b{MOST_CAUSES} caus[ea]s", page)
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page)
    assert [link for link in links if not (DOCS / link).exists()] == []


@pytest.fixture
def workflow() -> dict[Any, Any]:
    return dict(yaml.safe_load(WORKFLOW.read_text(encoding="utf-8")))


def step(workflow: dict[Any, Any], name: str) -> str:
    return next(str(each["run"]) for each in workflow["jobs"]["page"]["steps"] if each.get("name") == name)


def test_the_page_is_published_only_where_somebody_said_so(workflow: dict[Any, Any]) -> None:
    said = re.fullmatch(r"\$\{\{ (.*) \}\}", workflow["jobs"]["page"]["if"])
    assert said
    assert said[1].split(" && ") == [
        "vars.KTHW_HISTORY == 'true'",
        'contains(fromJSON(\'["schedule","workflow_dispatch"]\'), github.event.workflow_run.event)',
        "github.event.workflow_run.head_branch == github.event.repository.default_branch",
        "github.event.workflow_run.head_repository.full_name == github.repository",
    ], "a pull request of a fork would publish what it made up"
    assert workflow[True] == {"workflow_run": {"workflows": ["nightly"], "types": ["completed"]}}
    assert "./run history page --reports kept --out site/index.html" in step(workflow, "The page")


def test_who_writes_the_branch_publishes_nothing_and_who_publishes_writes_no_branch(
    workflow: dict[Any, Any],
) -> None:
    jobs = workflow["jobs"]
    assert workflow["permissions"] == {}
    assert jobs["page"]["permissions"] == {"actions": "read", "contents": "write"}
    assert jobs["deploy"]["permissions"] == {"id-token": "write", "pages": "write"}
    assert jobs["deploy"]["needs"] == "page", "it is left out where the other is"
    assert [each.get("run") for each in jobs["deploy"]["steps"]] == [None]


def test_each_night_joins_the_others_on_their_branch(workflow: dict[Any, Any], tmp_path: Path) -> None:
    """The step as it stands, in a repository with a remote: the first night, another, one without a line."""
    script = step(workflow, "Its line joins the others")
    environment = {
        **os.environ, "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": "me@here" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }  # fmt: skip

    def run(*command: str, folder: Path = tmp_path) -> str:
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    run("git", "init", "--quiet", "--bare", "remote")
    run("git", "clone", "--quiet", "remote", "first")
    command = f'shift; PYTHONPATH={PROJECT} exec {sys.executable} -P -m kthw.history "$@"'
    (tmp_path / "first/run").write_text(f"#!/bin/sh\n{command}\n")
    (tmp_path / "first/run").chmod(0o755)
    run("git", "add", ".", folder=tmp_path / "first")
    run("git", "commit", "--quiet", "-m", "code", folder=tmp_path / "first")
    run("git", "push", "--quiet", "origin", "HEAD:refs/heads/main", folder=tmp_path / "first")
    before: list[bytes] = []
    for number, night in enumerate((story()[0], story()[1], None)):
        checkout = tmp_path / f"runner-{number}"
        run("git", "clone", "--quiet", "--branch", "main", "remote", checkout.name)
        (checkout / "night").mkdir()
        if night:
            lines = (*before, b"<b>no run</b>", encoded(night))
            (checkout / "night/history.jsonl").write_bytes(b"\n".join(lines))
            before.append(encoded(night))
        run("bash", "-e", "-c", script, folder=checkout)
        assert {each.name for each in (checkout / "kept").iterdir()} == {".git", "history.jsonl"}
    kept = (checkout / "kept/history.jsonl").read_bytes()
    assert kept.splitlines() == [encoded(night) for night in story()[:2]]
    assert run("git", "rev-list", "--count", "history", folder=tmp_path / "remote").strip() == "2"
