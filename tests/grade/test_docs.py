"""What the two pages about grading say is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kthw.findings.registry import AREAS
from kthw.grade.__main__ import _parser as parser
from kthw.grade.points import Scheme, read
from kthw.grade.roster import _COLUMNS as COLUMNS
from kthw.grade.row import DOUBTED
from kthw.words.messages import catalogue

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("grading.md", "avaliacao.pt-BR.md")


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    return str((DOCS / request.param).read_text(encoding="utf-8"))


def code(page: str) -> set[str]:
    """What stands as code, in a block or in a line."""
    return set(re.findall(r"--[a-z][a-z-]+", "\n".join(re.findall(r"```.*?```|`[^`\n]+`", page, re.DOTALL))))


def test_both_pages_name_the_same_options_and_those_there_are() -> None:
    english, portuguese = (code((DOCS / name).read_text(encoding="utf-8")) for name in PAGES)
    assert english == portuguese
    known = set(parser(catalogue("en")).known)
    assert known - english <= {"--language", "--help", "-h"}
    of_aws = {
        "--role-name", "--assume-role-policy-document", "--policy-name", "--policy-document",
    }  # fmt: skip
    assert english - known == {"--target", "--expect-account"} | of_aws


def test_the_scheme_that_is_shown_is_one(page: str, tmp_path: Path) -> None:
    (shown,) = re.findall(r"```\n(total = .*?)```", page, re.DOTALL)
    (tmp_path / "points.toml").write_text(shown)
    assert read(str(tmp_path / "points.toml")) == Scheme(
        required=("one-running-instance",), without_required=0.5, count=("same-account",),
        areas={"routes": 4}, checks={"route-to-worker": 3}, per_day=0.1, grace_hours=12, most_late=0.5,
    )  # fmt: skip
    assert f"# {', '.join(AREAS)}".replace("leftovers", "") in page.replace("leftovers", "")


def test_all_that_is_told_and_not_counted_is_in_its_table(page: str) -> None:
    assert {name for name in DOUBTED if f"`{name}`" not in page} == set()


def test_the_columns_of_a_roster_are_in_its_table(page: str) -> None:
    assert {name for name in COLUMNS if f"`{name}`" not in page} <= {"login", "aluna"}


@pytest.mark.parametrize("name", PAGES)
def test_its_links_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (DOCS / name).read_text(encoding="utf-8"))
    assert [link for link in links if not (DOCS / link).exists()] == []
