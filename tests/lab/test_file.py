"""What a lab file may say, and what is said of one that does not: a sentence, with the file and the line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kthw.intended.cluster import BadNames
from kthw.lab.file import NAME, NOTHING, Lab, lab
from kthw.words.messages import LANGUAGES, catalogue

WHOLE = """
workers = ["worker-[0-1]", "tag:Role=w*"]
expect-workers = 3
network = "node-routes"
after = "workers"
region = "sa-east-1"
profile = "class"
expect-account = "123456789012"
language = "pt-BR"

[pod-cidrs]
worker-0 = "10.200.0.0/24"
"worker-1" = "10.200.1.0/24"

[ssh]
user = "ec2-user"
key = "keys/class.pem"
config = "~/class/ssh_config"
accept-new = true
"""
BAD = {
    "misspelt": ("\nwokers = 'a'\n", 2, "workers"),
    "underscore": ("pod_cidrs = '10.200.{n}.0/24'", 1, "pod-cidrs"),
    "misspelt in a table": ("[ssh]\nuser = 'a'\nkye = 'b'\n", 3, "ssh.key"),
    "a table's key outside of it": ("ssh-user = 'a'", 1, "ssh.user"),
    "another program's key": ("colour = 'red'", 1, "expect-account"),
    "another program's table": ("region = 'eu-west-1'\n[tool.black]\nx = 1\n", 2, "tool"),
    "number for text": ("# why\nregion = 1\n", 2, 'region = "us-east-1"'),
    "account as a number": ("expect-account = 123456789012", 1, 'expect-account = "123456789012"'),
    "text for a number": ("expect-workers = '3'", 1, "expect-workers = 3"),
    "yes for a number": ("expect-workers = true", 1, "expect-workers = 3"),
    "text for yes": ("[ssh]\naccept-new = 'yes'", 2, "ssh.accept-new = true"),
    "list of numbers": ("workers = [1, 2]", 1, 'workers = ["worker-0", "worker-1"]'),
    "text for a table": ("ssh = 'ubuntu'", 1, "ssh"),
    "name with a dot, unquoted": ("[pod-cidrs]\nnode.internal = '10.200.0.0/24'", 1, "pod-cidrs"),
    "several workers in one": ("workers = 'worker-0 worker-1'", 1, "worker-0,worker-1"),
    "number of workers": ("workers = '3'", 1, "worker-[0-2]"),
    "other machines without a name": ("also = ['a', '']", 1, "--also a,:"),
    "account too short": ("expect-account = '12'", 1, "12"),
    "no count": ("expect-workers = 0", 1, "0"),
    "no such network": ("network = 'overlay'", 1, "node-routes"),
    "no such chapter": ("after = 'lunch'", 1, "lunch"),
    "no such language": ("language = 'tlh'", 1, "pt-BR"),
    "region of nobody": ("region = 'evil.example/'", 1, "evil.example/"),
    "user with an option": ("ssh.user = '-oProxyCommand=x'", 1, "-oProxyCommand=x"),
    "empty profile": ("profile = ''", 1, "profile"),
    "escape in a profile": ('profile = "\\u001b[31m"', 1, "profile"),
    "not closed": ("region = 'a\n", 1, "TOML"),
    "said twice": ("region = 'eu-west-1'\nregion = 'eu-west-2'\n", 2, "TOML"),
    "yaml": ("workers:\n  - worker-0\n", 1, "TOML"),
    "cut off": ("workers = [", 1, "TOML"),
    "deeply nested": ("workers = " + "[" * 5000, 0, "TOML"),
    "number of many digits": ("expect-workers = " + "9" * 5000, 0, "TOML"),
}


def complaint(folder: Path, named: str = "", language: str = "en") -> str:
    with pytest.raises(BadNames) as raised:
        lab(named, folder)
    said = catalogue(language).refusal(raised.value)
    assert "\n" not in said
    assert said.isprintable()
    return said


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / NAME
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_a_whole_file_says_what_the_options_would(tmp_path: Path) -> None:
    file = written(tmp_path, WHOLE)
    read = lab(NAME, tmp_path)
    assert read.values == {
        "workers": "worker-[0-1],tag:Role=w*",
        "expect-workers": "3",
        "network": "node-routes",
        "after": "workers",
        "region": "sa-east-1",
        "profile": "class",
        "expect-account": "123456789012",
        "language": "pt-BR",
        "pod-cidrs": "worker-0=10.200.0.0/24,worker-1=10.200.1.0/24",
        "ssh-user": "ec2-user",
        "ssh-key": str(tmp_path / "keys/class.pem"),
        "ssh-config": str(Path("~/class/ssh_config").expanduser()),
        "ssh-accept-new": True,
    }
    assert read.place("region") == f"{file}:6"
    assert read.place("pod-cidrs") == f"{file}:11"
    assert read.place("ssh-key") == f"{file}:17"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("text", "line", "word"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_told_in_one_sentence_with_its_place(
    text: str, line: int, word: str, language: str, tmp_path: Path
) -> None:
    file = written(tmp_path, text)
    said = complaint(tmp_path, language=language)
    assert said.startswith(f"{file}:{line}: " if line else f"{file}: "), said
    assert word in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_in_another_encoding_is_told_with_its_line(language: str, tmp_path: Path) -> None:
    file = written(tmp_path, "region = 'sa-east-1'\nprofile = 'aviação'\n".encode("latin-1"))
    said = complaint(tmp_path, language=language)
    assert said.startswith(f"{file}:2: ")
    assert "UTF-8" in said
    assert "0xe7" in said


def test_a_mark_of_the_byte_order_and_other_line_ends_do_no_harm(tmp_path: Path) -> None:
    written(tmp_path, b"\xef\xbb\xbfregion = 'sa-east-1'\r\n[ssh]\r\nuser = 'admin'\r\n")
    assert lab("", tmp_path).values == {"region": "sa-east-1", "ssh-user": "admin"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("what", ["pipe", "folder", "large", "nowhere", "loop", "of nobody"])
def test_a_file_that_is_none_is_told_without_waiting_for_it(what: str, language: str, tmp_path: Path) -> None:
    file, named = tmp_path / NAME, NAME
    if what == "pipe":
        os.mkfifo(file)
    elif what == "folder":
        file.mkdir()
    elif what == "large":
        file.write_text("# " + "x" * (257 << 10))
    elif what == "loop":
        file.symlink_to(file)
    elif what == "of nobody":
        named = "~nosuchuser/kthw.toml"
    assert str(tmp_path / named) in complaint(tmp_path, named, language)


def test_a_link_that_leads_nowhere_is_no_missing_file(tmp_path: Path) -> None:
    (tmp_path / NAME).symlink_to(tmp_path / "gone")
    assert str(tmp_path / NAME) in complaint(tmp_path)


def test_the_file_of_the_folder_is_found_and_none_means_none(tmp_path: Path) -> None:
    assert lab("", tmp_path) == NOTHING
    file = written(tmp_path, "region = 'sa-east-1'")
    assert lab("", tmp_path) == Lab(file=file, values={"region": "sa-east-1"}, lines={"region": 1})
    assert lab("none", tmp_path) == NOTHING
    assert lab(NAME, tmp_path).named


def test_paths_are_relative_to_the_file_and_not_to_the_person(tmp_path: Path) -> None:
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / NAME).write_text("ssh.key = 'class.pem'")
    assert lab(f"class/{NAME}", tmp_path).values["ssh-key"] == str(tmp_path / "class/class.pem")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_can_run_programs_counts_only_in_a_file_that_somebody_named(
    language: str, tmp_path: Path
) -> None:
    file = written(tmp_path, "region = 'sa-east-1'\n[ssh]\nconfig = 'ssh_config'\n")
    said = complaint(tmp_path, language=language)
    assert said.startswith(f"{file}:3: ssh.config ")
    assert f"--lab {file}" in said
    assert lab(NAME, tmp_path).values["ssh-config"] == str(tmp_path / "ssh_config")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("mode", [0o646, 0o666])
def test_a_file_that_others_could_have_written_counts_only_where_it_is_named(
    mode: int, language: str, tmp_path: Path
) -> None:
    file = written(tmp_path, "region = 'sa-east-1'")
    file.chmod(mode)
    assert f"--lab {file}" in complaint(tmp_path, language=language)
    assert lab(NAME, tmp_path).values == {"region": "sa-east-1"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser gives files away")
def test_a_file_of_another_user_counts_only_where_it_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, "region = 'sa-east-1'")
    os.chown(file, 12345, 12345)
    assert f"--lab {file}" in complaint(tmp_path)
    assert lab(NAME, tmp_path).values == {"region": "sa-east-1"}
