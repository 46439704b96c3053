"""What the two pages about the history say is so, and the workflow that publishes it does what they say."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are no dependency of ours

from kthw.history import tracks
from kthw.history.__main__ import _parser as parser
from kthw.history.lines import MOST_BYTES, read
from kthw.history.run import encoded
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
    assert f"{MOST_BYTES // 1_000_000} MB" in page
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page)
    assert [link for link in links if not (DOCS / link).exists()] == []


@pytest.fixture
def workflow() -> dict[Any, Any]:
    return dict(yaml.safe_load(WORKFLOW.read_text(encoding="utf-8")))


def step(workflow: dict[Any, Any], name: str) -> str:
    return next(str(each["run"]) for each in workflow["jobs"]["page"]["steps"] if each.get("name") == name)


def test_the_page_is_published_only_where_somebody_said_so(workflow: dict[Any, Any]) -> None:
    assert workflow["jobs"]["page"]["if"] == "${{ vars.KTHW_HISTORY == 'true' }}"
    assert workflow[True] == {"workflow_run": {"workflows": ["nightly"], "types": ["completed"]}}
    assert "./run history page --reports kept --out site/index.html" in step(workflow, "The page")


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
    (tmp_path / "first/run").write_text("#!/bin/sh\n")
    run("git", "add", ".", folder=tmp_path / "first")
    run("git", "commit", "--quiet", "-m", "code", folder=tmp_path / "first")
    run("git", "push", "--quiet", "origin", "HEAD:refs/heads/main", folder=tmp_path / "first")
    for number, night in enumerate((story()[0], story()[1], None)):
        checkout = tmp_path / f"runner-{number}"
        run("git", "clone", "--quiet", "--branch", "main", "remote", checkout.name)
        (checkout / "night").mkdir()
        if night:
            (checkout / "night/history.jsonl").write_bytes(encoded(night) + b"\n")
        run("bash", "-e", "-c", script, folder=checkout)
        assert {each.name for each in (checkout / "kept").iterdir()} == {".git", "history.jsonl"}
    assert read(checkout / "kept/history.jsonl").runs == story()[:2]
    assert run("git", "rev-list", "--count", "history", folder=tmp_path / "remote").strip() == "2"
