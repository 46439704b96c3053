"""Options, then the environment, then the lab file: what counts, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from kthw.intended.cluster import BadNames
from kthw.lab.file import NAME, lab
from kthw.lab.given import Given, lab_named
from kthw.target import SshAccess, Target
from kthw.words.messages import LANGUAGES, catalogue

FILE = """
workers = ["a", "b"]
pod-cidrs = "10.200.{n}.0/24"
region = "sa-east-1"
profile = "class"
expect-account = "123456789012"
[ssh]
user = "admin"
key = "class.pem"
config = "ssh_config"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / NAME).write_text(FILE)
    for name in ("class.pem", "ssh_config", "mine.pem", "my_config"):
        (tmp_path / name).touch()
    return tmp_path


def given(folder: Path, environment: dict[str, str] | None = None, **typed: str) -> Given:
    options = {name.replace("_", "-"): value for name, value in typed.items()}
    return Given(options.get, lab(NAME, folder), environment or {}, folder)


def test_the_file_counts_where_nothing_else_does(folder: Path) -> None:
    each = given(folder)
    assert each.value("workers") == "a,b"
    assert each.pod_cidrs(("a", "b"), {}) == {"a": "10.200.0.0/24", "b": "10.200.1.0/24"}
    ssh = SshAccess(user="admin", key=str(folder / "class.pem"), config=str(folder / "ssh_config"))
    assert each.ssh() == ssh
    assert each.target(ssh) == Target(kind="aws", region="sa-east-1", profile="class", ssh=ssh)
    (used, exported) = each.told(catalogue("en"))
    assert "workers, pod-cidrs, region, profile, expect-account, ssh-user, ssh-key, ssh-config" in used
    assert str(folder / NAME) in used
    assert exported.endswith(": export AWS_PROFILE=class AWS_REGION=sa-east-1")


def test_what_is_typed_counts_before_it(folder: Path) -> None:
    each = given(folder, workers="c", ssh_user="root", ssh_key="mine.pem", pod_cidrs="c=10.9.0.0/24")
    assert each.value("workers") == "c"
    assert each.pod_cidrs(("c",), {}) == {"c": "10.9.0.0/24"}
    assert each.ssh().user == "root"
    assert each.ssh().key == str(folder / "mine.pem")
    assert "workers (a,b), since --workers" in "\n".join(each.told(catalogue("en")))


def used(each: Given) -> None:
    each.pod_cidrs(("a", "b"), {})
    each.ssh()


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_a_region_of_the_environment_counts_before_it_and_that_is_said(folder: Path, variable: str) -> None:
    each = given(folder, {variable: "eu-west-1"})
    assert each.target().region == ""
    told = each.told(catalogue("en"))
    assert f"Not from it: region (sa-east-1), since {variable}=eu-west-1 counts before it." in told
    assert "AWS_REGION=sa" not in "".join(told)


@pytest.mark.parametrize(
    ("variable", "shown"),
    [
        ("AWS_PROFILE", "AWS_PROFILE=mine"),
        ("AWS_DEFAULT_PROFILE", "AWS_DEFAULT_PROFILE=mine"),
        ("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID"),
    ],
)
def test_credentials_of_the_environment_count_before_its_profile(
    folder: Path, variable: str, shown: str
) -> None:
    each = given(folder, {variable: "mine"})
    assert each.target().profile == ""
    assert f"Not from it: profile (class), since {shown} counts before it." in each.told(catalogue("en"))


def test_what_the_environment_says_as_well_is_not_told_of(folder: Path) -> None:
    each = given(folder, {"AWS_REGION": "sa-east-1", "AWS_PROFILE": "class"})
    assert len(each.told(catalogue("en"))) == 1


def test_an_ssh_config_of_the_environment_counts_before_it(folder: Path) -> None:
    each = given(folder, {"KTHW_SSH_CONFIG": "my_config"})
    assert each.ssh().config == str(folder / "my_config")
    assert given(folder, {"KTHW_SSH_CONFIG": "x"}, ssh_config="my_config").ssh().config.endswith("my_config")


def test_the_account_that_is_expected_is_so_whatever_the_environment_says(folder: Path) -> None:
    surroundings = {"AWS_PROFILE": "mine", "AWS_REGION": "eu-west-1", "KTHW_EXPECT_ACCOUNT": "1"}
    assert given(folder, surroundings).checked("expect-account") == "123456789012"


def test_a_file_of_the_environment_counts_unless_another_is_typed(folder: Path) -> None:
    (folder / "other.toml").write_text("region = 'eu-west-1'")
    environment = {"KTHW_LAB": "other.toml"}
    assert lab_named(None, environment, folder).values == {"region": "eu-west-1"}
    assert lab_named(None, environment, folder).named
    assert lab_named(NAME, environment, folder).values["region"] == "sa-east-1"
    assert lab_named("none", environment, folder).file is None
    assert lab_named(None, {"KTHW_LAB": "none"}, folder).file is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pod-cidrs = '10.200.0.0/24'", "{n}"),
        ("[pod-cidrs]\nc = '10.200.0.0/24'", "--pod-cidrs c=10.200.0.0/24"),
        ("pod-cidrs = '10.200.{n}.7/24'", "10.200.0.7/24"),
        ("ssh.key = 'gone.pem'", "gone.pem"),
    ],
)
def test_what_only_shows_when_it_is_used_has_its_place_as_well(
    text: str, said: str, language: str, tmp_path: Path
) -> None:
    (tmp_path / NAME).write_text(f"\n{text}\n")
    each = Given(lambda _name: None, lab("", tmp_path), {}, tmp_path)
    with pytest.raises(BadNames) as raised:
        used(each)
    told = catalogue(language).refusal(raised.value)
    assert told.startswith(f"{tmp_path / NAME}:2: ")
    assert said in told
