"""The files around the code: locks, licence, both READMEs, what CI runs."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest

from tests.repository.machine import PROJECT, tracked

LOCKS = ("requirements.lock", "requirements-dev.lock")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(lock: str) -> dict[str, set[str]]:
    """Name → versions of a lock (several where they differ by Python version)."""
    versions: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.\[\]-]+)==(\S+)", (PROJECT / lock).read_text(), re.MULTILINE):
        versions.setdefault(normal(name.split("[")[0]), set()).add(version)
    return versions


def declared(group: str) -> set[str]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] if group == "project" else project["dependency-groups"][group]
    return {normal(re.split(r"[^\w.-]", requirement)[0]) for requirement in wanted}


def test_the_lock_holds_every_dependency() -> None:
    assert declared("project") <= pinned("requirements.lock").keys()


def test_the_dev_lock_holds_everything_at_the_same_versions() -> None:
    dev = pinned("requirements-dev.lock")
    assert declared("project") | declared("dev") <= dev.keys()
    assert {name: dev[name] for name in pinned("requirements.lock")} == pinned("requirements.lock")


def test_what_the_readme_runs_in_a_sandbox_is_installed_with_it() -> None:
    """``./run sandbox run -- aws …`` right after ``./run routes``."""
    assert "sandbox run -- aws" in (PROJECT / "README.md").read_text()
    assert "awscli" in pinned("requirements.lock")


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_registry_and_hashes_everything(lock: str) -> None:
    text = (PROJECT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*-(?!-hash=sha256:)", text, re.MULTILINE), "no option of pip's but the hashes"
    for requirement in re.split(r"^(?=[\w])", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in requirement, requirement


# The names are put together here so that this file does not contain what it forbids.
PRIVATE = {
    "a package registry": re.compile(
        "|".join(("pypi" + r"\.org", "python" + "hosted", "extra" + "-index-url"))
    ),
    "a folder of one machine": re.compile(
        r"(?<![\w.$}/-])/(?:" + "|".join(("wo" + "rk/", r"root/\.", r"home/[a-z]+/")) + ")"
    ),
}


@pytest.mark.parametrize("what", PRIVATE)
def test_no_file_names(what: str) -> None:
    named = [
        f"{path.relative_to(PROJECT)}: {found.group()}"
        for path in tracked()
        if (found := PRIVATE[what].search(path.read_text(errors="replace")))
    ]
    assert not named


def test_no_link_is_tracked() -> None:
    """One leads into a folder of one machine; and git deletes what is ignored to put it there."""
    listed = subprocess.run(
        ["git", "ls-files", "-s"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    assert [line for line in listed.stdout.splitlines() if line.startswith("120000")] == []


def commands(readme: str) -> set[str]:
    """Every command and option in the code of a README."""
    text = (PROJECT / readme).read_text()
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))
    shown = (
        r"\./run [a-z]+|python -m [a-z.]+(?: [a-z]+)?|pytest suites/[a-z]+"
        r"|(?<![\w-])--?[a-z][a-z-]*|[A-Z]+_[A-Z_]+"
    )
    return set(re.findall(shown, code))


def test_both_readmes_show_the_same_commands_and_options() -> None:
    english, portuguese = commands("README.md"), commands("README.pt-BR.md")
    assert {"./run routes", "./run test", "--target", "--language", "KTHW_TARGET"} <= english
    assert english == portuguese


def test_both_readmes_have_the_same_sections() -> None:
    sections = [
        [line.split()[0] for line in (PROJECT / name).read_text().splitlines() if re.match(r"#+ ", line)]
        for name in ("README.md", "README.pt-BR.md")
    ]
    assert sections[0] == sections[1]


@pytest.mark.parametrize("page", ["README.md", "README.pt-BR.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_inside_the_project_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (PROJECT / page).read_text())
    assert [link for link in links if not (PROJECT / link).exists()] == []


def test_the_changelog_has_a_place_for_what_is_not_released() -> None:
    assert re.search(r"^## \[Unreleased\]$", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_the_licence_is_the_one_that_the_project_declares() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0" in (PROJECT / "LICENSE").read_text()


def test_ci_runs_the_command_that_the_readme_gives() -> None:
    ci = PROJECT / ".ci/run"
    assert ci.stat().st_mode & 0o100
    assert re.search(r"^exec \./run test ", ci.read_text(), re.MULTILINE)
    assert "./run test" in (PROJECT / "README.md").read_text()


def test_each_workflow_names_an_action_by_its_commit_and_all_the_same_one() -> None:
    files = [file for file in tracked() if file.suffix == ".yml" and {"workflows", "docs"} & {*file.parts}]
    used = {use for file in files for use in re.findall(r"^\s*(?:- )?uses: (.*)", file.read_text(), re.M)}
    assert len(used) > 5
    odd = {use for use in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use)}
    assert not odd, "a tag can be moved to other code, and some of these jobs hold a key"
    assert len({use.partition("@")[0] for use in used}) == len(used)
