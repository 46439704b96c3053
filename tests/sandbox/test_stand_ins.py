"""The programs that stand in for others are where they are looked for, and have words for all they say."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from kthw.words.messages import LANGUAGES, catalogue
from sandbox import stand_ins
from sandbox.on_node import absent, apt, modprobe, speaking
from sandbox.on_node.called import POWER, PROGRAMS, main

SOURCES = sorted(Path(stand_ins.__file__).with_name("on_node").glob("*.py"))
SAID = {key for path in SOURCES for key in re.findall(r'"(node-[a-z-]+)"', path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("language", LANGUAGES)
def test_they_have_words_for_all_that_they_say_and_no_others(language: str, tmp_path: Path) -> None:
    stand_ins.prepare(tmp_path / "programs", catalogue(language))
    words = json.loads((tmp_path / "programs/words.json").read_text(encoding="utf-8"))
    assert words.keys() - {"node-motd"} == SAID
    greeting = (tmp_path / "programs/motd").read_text(encoding="utf-8")
    assert {"en": "This is a node of a sandbox", "pt-BR": "Este é um nó de um sandbox"}[language] in greeting


def test_they_start_by_the_name_they_are_called_by(tmp_path: Path) -> None:
    """By a link too; as the node's own Python starts them, which need not be ours."""
    folder = tmp_path / "programs"
    stand_ins.prepare(folder, catalogue("en"))
    run = folder / stand_ins.RUN
    run.write_text(run.read_text().replace(stand_ins.FOLDER, str(folder)))
    (tmp_path / "lsmod").symlink_to(run)
    done = subprocess.run([tmp_path / "lsmod"], capture_output=True, text=True, check=False)
    assert (done.stdout.split()[:2], done.stderr) == (["Module", "Size"], "")
    assert list(folder.rglob("__pycache__")) == []


def test_each_of_them_is_found_on_a_node_in_one_way() -> None:
    """Covered, or led to by a link; what this computer has of the others is its own."""
    covered, links = stand_ins.covered(), stand_ins.links(of_debian=False)
    assert {Path(path).name for path in (*covered, *links)} >= {*PROGRAMS, *POWER}
    assert not {Path(path).name for path in covered} & {Path(path).name for path in links}
    assert all(not Path(path).is_symlink() for path in covered), "what is behind a link is several programs"
    assert {"bin/dnf", "bin/yum"} & {*links} - {*stand_ins.links(of_debian=True)} or "/usr/bin/dnf" in covered


def test_a_program_that_has_come_meanwhile_is_the_one_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []

    def execv(*what: object) -> None:
        started.append(what)
        raise SystemExit

    monkeypatch.setattr("os.execv", execv)
    monkeypatch.setattr(Path, "exists", lambda path: str(path) == "/usr/sbin/tcpdump")
    with pytest.raises(SystemExit):
        absent.main("tcpdump", ["-i", "ens5"])
    assert started == [(Path("/usr/sbin/tcpdump"), ["tcpdump", "-i", "ens5"])]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "words.json").write_text("{}")
    monkeypatch.setattr(speaking, "WORDS", tmp_path / "words.json")


@pytest.mark.usefixtures("said")
@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["-y", "install", "socat"], ["socat"]),
        (["install", "-o", "DPkg::Lock::Timeout=9", "-qq", "socat", "ipset"], ["socat", "ipset"]),
        (["install", "--no-install-recommends", "kubelet=1.30.0-1.1"], ["kubelet=1.30.0-1.1"]),
    ],
)
def test_apt_get_is_asked_for_packages_among_its_options(
    words: list[str], asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def version(package: str) -> str:
        looked.append(package)
        return "1"

    monkeypatch.setattr(apt, "_version", version)
    assert main("/usr/bin/apt-get", words) == 0
    assert looked == asked


@pytest.mark.usefixtures("said")
def test_what_it_removes_is_nothing() -> None:
    for words in (["remove", "sudo"], ["purge", "-y", "sudo"], [], ["install"]):
        assert apt.main(words) == 100


@pytest.mark.usefixtures("said")
def test_a_module_that_the_kernel_has_is_no_news(capsys: pytest.CaptureFixture[str]) -> None:
    """Loaded, or built in; what comes after its name are its parameters."""
    has = next(path.name for path in sorted(Path("/sys/module").iterdir()))
    assert modprobe.main([has, "nosuch=1"]) == 0
    assert modprobe.main(["-a", has, "nosuch"]) == 1
    assert modprobe.main(["-r", has]) == 1
    assert capsys.readouterr().out == ""
