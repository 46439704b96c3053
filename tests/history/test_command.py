"""``./run history``: what it shows and writes, what it says of what it cannot read, its exit codes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from kthw.foreign import printable
from kthw.history import lines
from kthw.history.__main__ import main
from kthw.history.lines import FILE, append, read
from kthw.history.run import encoded
from kthw.observed.recording import write
from kthw.words.messages import catalogue
from tests.findings.changed_aws import with_instance, without_route
from tests.findings.clusters import OK
from tests.history.story import BLIND, BREAKS, FLAPS, MENDED, at, evidence, story
from tests.plugin.conftest import PROJECT, clean


class Done(NamedTuple):
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]
SAY = catalogue("en").say
ODD_YEAR = "at: no year from 2000 to 2100"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A folder with the whole story, and the recordings of its nights 19 and 20."""
    (tmp_path / "history").mkdir()
    for night, run in zip(range(1, 54), story(), strict=False):
        name = ""
        if night in (BREAKS - 1, BREAKS):
            name = f"{at(night):%Y%m%dT%H%M%SZ}-{night}.json"
            write(evidence(night), tmp_path / "history" / name)
        append(tmp_path / FILE, replace(run, recording=name))
    return tmp_path


@pytest.fixture
def history(
    reports: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """``history(*arguments)``: the command, on a terminal of 200 columns, in Greenwich."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()

    def run(*arguments: str, folder: Path = reports, columns: int = 200) -> Done:
        monkeypatch.setenv("COLUMNS", str(columns))
        try:
            code = main([*arguments, "--reports", str(folder)])
        except SystemExit as ended:
            code = int(str(ended.code))
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    yield run
    monkeypatch.undo()
    time.tzset()


def number(night: int) -> str:
    """What ``show`` calls the run of that night, of 53."""
    return str(53 - night + 1)


def test_show_is_what_it_does_without_a_word_and_names_the_runs_by_number(history: Command) -> None:
    done = history(columns=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == history("show", columns=60).stdout
    assert f"{number(50):>4}  14 Nov 2026, 04:23 UTC  !" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 60


def test_its_moments_are_of_this_machine_and_say_so(
    history: Command, reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "<-03>3")
    time.tzset()
    done = history(columns=60)
    assert f"{number(50):>4}  14 Nov 2026, 01:23 UTC-03:00  !" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 60
    compared = history("compare", number(BREAKS - 1), number(BREAKS))
    assert "Seen 15 Oct 2026, 01:23 UTC-03:00, and not yet 14 Oct" in " ".join(compared.stdout.split())
    assert "15 Oct 2026, 01:23 UTC-03:00" in (reports / "compare.html").read_text(encoding="utf-8")


def test_it_is_a_program_that_runs_from_anywhere(reports: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kthw.history", "--reports", str(reports), "--last", "1"],
        cwd=tmp_path, env={**clean(os.environ), "PYTHONPATH": str(PROJECT)}, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    assert "   1  " in done.stdout


def test_compare_tells_the_night_that_broke_and_what_changed_in_the_network(history: Command) -> None:
    done = history("compare", number(BREAKS - 1), number(BREAKS))
    assert done.returncode == 1
    assert "✗ New (1)\n    route-wrong-target · worker-1 (i-01, 10.0.1.21) · rtb-0a\n" in done.stdout
    changed = " ".join(done.stdout.partition("Seen 15 Oct 2026, 04:23 UTC")[2].split())
    assert changed.startswith(
        ", and not yet 14 Oct 2026, 04:23 UTC: - The route to 10.200.1.0/24 in rtb-0a leads to worker-2 "
        "(i-02, 10.0.1.22); before it led to worker-1 (i-01, 10.0.1.21)."
    )


@pytest.mark.parametrize(
    ("was", "now", "code"),
    [
        (BREAKS - 1, BREAKS, 1), (BREAKS, BREAKS + 1, 0), (MENDED - 1, MENDED, 0), (1, 2, 0),
        (FLAPS[0] - 1, FLAPS[0], 1), (MENDED - 1, BLIND, 10), (1, BLIND, 10),
    ],
)  # fmt: skip
def test_its_exit_code_says_whether_it_became_worse(history: Command, was: int, now: int, code: int) -> None:
    done = history("compare", number(was), number(now))
    assert done.returncode == code, done.stdout + done.stderr


def test_a_night_is_named_by_its_day_as_well_and_so_is_a_file(
    history: Command, reports: Path, tmp_path: Path
) -> None:
    by_day = history("compare", "2026-10-14", "2026-10-15")
    by_number = history("compare", number(BREAKS - 1), number(BREAKS))
    assert by_day.stdout.partition("\n\n")[2] == by_number.stdout.partition("\n\n")[2]
    write(evidence(BREAKS), tmp_path / "monday.json")
    by_file = history("compare", number(BREAKS - 1), str(tmp_path / "monday.json"))
    assert by_file.returncode == 1
    assert "leads to worker-2" in by_file.stdout
    folder = history("compare", str(tmp_path / "monday.json"), number(MENDED))
    assert "✓ Gone (1)" in folder.stdout
    assert SAY("history-no-recording").split("--keep")[0].split(".")[0] in " ".join(folder.stdout.split())


def test_two_labs_are_compared_and_it_is_said_that_they_are_two(history: Command, tmp_path: Path) -> None:
    for name, made in (("one", OK), ("other", without_route(OK, "10.200.1.0/24"))):
        write(made, tmp_path / f"{name}.json")
    mixed = history("compare", number(1), str(tmp_path / "other.json"))
    assert SAY("history-other-place") in " ".join(mixed.stdout.split())
    same = history("compare", str(tmp_path / "one.json"), str(tmp_path / "other.json"))
    assert "! " not in same.stdout
    assert same.returncode == 1


def test_a_night_with_more_causes_than_a_line_holds_is_compared_with_a_doubt(
    history: Command, reports: Path
) -> None:
    append(reports / FILE, replace(story()[52], cut=7))
    assert SAY("history-cut") in " ".join(history("compare", "2", "1").stdout.split())
    assert SAY("history-cut") not in " ".join(history("compare", "3", "2").stdout.split())


def test_the_pages_are_one_file_each_in_the_language_asked_for(history: Command, reports: Path) -> None:
    assert history("page", "--language", "pt-BR").returncode == 0
    text = (reports / "history.html").read_text(encoding="utf-8")
    assert '<html lang="pt-BR">' in text
    assert catalogue("pt-BR").say("history-grid") in text
    assert "leva a worker-2 (i-02, 10.0.1.22)" in re.sub("</?k-w>", "", text)
    assert (
        history("compare", number(BREAKS - 1), number(BREAKS), "--out", str(reports / "x.html")).returncode
        == 1
    )
    assert "leads to" in (reports / "x.html").read_text(encoding="utf-8")
    assert not (reports / "compare.html").exists()


@pytest.mark.parametrize(
    ("arguments", "key", "facts"),
    [
        (("show", "2"), "history-nothing-to-name", {"value": "2"}),
        (("compare", "1", "2", "3"), "history-two", {"value": "3"}),
        (("compare", "99", "1"), "history-no-such-number", {"value": "99", "count": 53}),
        (("compare", "2026-01-01", "1"), "history-no-such-day", {"value": "2026-01-01"}),
        (("compare", "gone.json", "1"), "history-no-such", {"value": "gone.json"}),
        (("page", "--nights", "0"), "history-bad-number", {"option": "--nights", "value": "0", "most": 400}),
        (("--last", "many"), "history-bad-number", {"option": "--last", "value": "many", "most": 100_000}),
        *(
            (
                (command, *names, option, "a b"),
                "history-not-its-option",
                {"value": option, "command": command, "instead": f"{instead} {option} 'a b'"},
            )
            for command, names, option, instead in (
                ("show", (), "--out", "page"),
                ("join", ("x",), "--out", "page"),
                ("show", (), "--nights", "page"),
                ("compare", ("1", "2"), "--last", "show"),
            )
        ),
    ],
)
def test_what_is_typed_wrongly_gets_one_sentence_and_exit_code_2(
    history: Command, arguments: tuple[str, ...], key: str, facts: dict[str, object]
) -> None:
    done = history(*arguments)
    assert (done.returncode, done.stderr) == (2, f"{SAY(key, **facts)}\n")


def test_join_adds_the_runs_of_another_folder_each_once_and_trims(
    history: Command, reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, other = tmp_path / "new", tmp_path / "other.jsonl"
    new.mkdir()
    other.write_bytes(b"\n".join([encoded(story()[0]), b"\x1b[2J", *map(encoded, story()[53:55])]))
    done = history("join", str(other))
    assert (done.returncode, done.stdout) == (
        0, SAY("history-joined", file=reports / FILE, count=2, there=1) + "\n",
    )  # fmt: skip
    assert done.stderr.startswith(f"{other}, line 2: ")
    assert [run.at for run in read(reports / FILE).runs] == [run.at for run in story()[:55]]
    size = (reports / FILE).stat().st_size
    assert SAY("history-joined", file=reports / FILE, count=0, there=3) in history("join", str(other)).stdout
    assert (reports / FILE).stat().st_size == size
    monkeypatch.setattr(lines, "MOST_BYTES", 10_000)
    assert history("join", str(reports / FILE), folder=new).returncode == 0
    assert (new / FILE).stat().st_size <= 10_000
    assert read(new / FILE).runs[-1] == story()[54]


def test_what_cannot_be_joined_is_refused_and_changes_nothing(
    history: Command, reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (reports / FILE).read_bytes()
    bad, large = tmp_path / "bad", tmp_path / "large"
    bad.write_bytes(b"{}\n")
    large.write_bytes(encoded(story()[53]) + b"\n" * 8_000_000)
    for names, key, value in (
        ((), "history-one-to-join", ""),
        (("a", "b"), "history-one-to-join", ""),
        (("none",), "history-no-file-to-join", "none"),
        ((str(bad),), "history-none-to-join", bad),
    ):
        done = history("join", *names)
        assert (done.returncode, done.stderr.splitlines()[-1]) == (2, SAY(key, value=value))
    for file in (large, tmp_path):
        done = history("join", str(file))
        assert done.returncode == 2
        assert done.stderr.startswith(f"{file} cannot be read (")
    assert (reports / FILE).read_bytes() == before
    monkeypatch.chdir(tmp_path)
    done = history("join", str(reports / FILE), folder=tmp_path / "nowhere")
    assert done.returncode == 2
    assert done.stderr.startswith(f"{tmp_path / 'nowhere' / FILE} cannot be read or written (")


def test_where_there_is_no_history_it_says_how_to_begin_one(history: Command, tmp_path: Path) -> None:
    for arguments in ((), ("page",), ("compare",)):
        done = history(*arguments, folder=tmp_path / "nowhere")
        assert (done.returncode, done.stderr) == (2, f"{SAY('history-none')}\n")


def test_a_misspelt_command_is_told_with_the_near_one(history: Command) -> None:
    done = history("compair")
    assert done.returncode == 2
    assert "compare" in done.stderr


def test_a_line_of_an_odd_year_is_told_and_all_else_is_shown(history: Command, reports: Path) -> None:
    whole = history().stdout
    old = encoded(story()[0]).replace(str(at(1).year).encode(), b"0001", 1)
    with (reports / FILE).open("ab") as opened:
        opened.write(old + b"\n")
    for command in ("show", "page"):
        done = history(command)
        assert done.returncode == 0
        told = SAY("history-bad-line", file=reports / FILE, number=54, detail=ODD_YEAR)
        assert done.stderr == f"{told}\n"
    assert history().stdout == whole


def test_bad_lines_are_told_by_number_and_all_others_are_shown(history: Command, reports: Path) -> None:
    whole = history().stdout
    with (reports / FILE).open("ab") as opened:
        opened.write(b'{"schema":1,\x1b[31m\n' + b"x\n" * 9)
    done = history()
    assert (done.returncode, done.stdout) == (0, whole)
    assert "\x1b" not in done.stderr
    assert "line 54: " in done.stderr
    assert SAY("history-more-bad-lines", file=reports / FILE, count=5) in done.stderr


def test_a_recording_that_is_broken_leaves_the_causes_to_compare(history: Command, reports: Path) -> None:
    for file in (reports / "history").iterdir():
        file.write_text("{")
    done = history("compare", number(BREAKS - 1), number(BREAKS))
    assert done.returncode == 1
    assert "route-wrong-target" in done.stdout
    assert history("page").returncode == 0


def test_a_file_that_is_no_recording_is_refused_in_a_sentence(history: Command, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    done = history("compare", str(tmp_path / "x.json"), "1")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_could_not_be_looked_at_now_is_not_called_gone(history: Command) -> None:
    done = history("compare", number(MENDED - 1), number(BLIND))
    assert SAY("history-causes-hidden") in done.stdout
    assert SAY("history-causes-gone") not in done.stdout


def test_a_recording_of_no_day_and_with_any_names_is_compared_all_the_same(
    history: Command, tmp_path: Path
) -> None:
    """Whoever wrote it: what it says is shown, and steers nothing."""
    for n, state in enumerate(("running", "stopped")):
        made = with_instance(OK, "worker-1", name=f"\x1b[31m<b>{n}", state=state)
        write(replace(made, gathered_at=f"once {n}\x1b[2J"), tmp_path / f"{n}.json")
    done = history("compare", str(tmp_path / "0.json"), str(tmp_path / "1.json"))
    assert done.returncode in (0, 1, 10), done.stderr
    page = (tmp_path / "compare.html").read_text(encoding="utf-8")
    assert "is stopped; before it was running" in done.stdout
    assert "\x1b" not in done.stdout + page
    assert "<b>" not in page


@pytest.mark.parametrize("out", ["page", ".", "..", "/", "page/none/x.html", "file/x.html", "x" * 300])
def test_an_unwritable_page_is_a_sentence(
    history: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("page").mkdir()
    Path("file").touch()
    before = sorted(each.name for each in tmp_path.rglob("*"))
    done = history("page", "--out", out)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert SAY("history-unwritten", value=printable(out, 400), detail="").split("(")[0] in done.stderr
    assert sorted(each.name for each in tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "out"),
    [(("page",), FILE), (("compare", "0.json", "1.json"), "1.json"), (("page",), "link")],
)
def test_a_page_is_not_written_over_what_it_is_made_from(
    history: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for n in range(2):
        write(OK, tmp_path / f"{n}.json")
    Path("link").symlink_to(FILE)
    before = Path(out).read_bytes()
    done = history(*arguments, "--out", out)
    assert (done.returncode, SAY("history-over-itself", value=out) in done.stderr) == (2, True)
    assert Path(out).read_bytes() == before


def test_a_page_takes_no_pipes_place(history: Command, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert history("page", "--out", str(tmp_path / "pipe")).returncode == 2
    assert (tmp_path / "pipe").is_fifo()


def test_names_may_stand_behind_options(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--reports", str(reports), "3", "2"]) in (0, 1, 10)
    assert capsys.readouterr().err == ""


def test_where_no_line_is_a_runs_that_is_said(history: Command, reports: Path) -> None:
    (reports / FILE).write_text("{}\nnothing\n")
    done = history()
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, SAY("history-all-bad"))


@pytest.mark.parametrize("named", ["~nobody-of-that-name/x", "x" * 300])
def test_a_name_that_is_no_files_is_a_sentence(history: Command, named: str) -> None:
    for arguments in (("compare", named), ("page", "--out", f"{named}/{named}"), ("join", named)):
        done = history(*arguments)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), arguments


@pytest.mark.parametrize(("language", "begins"), [("en", "usage: "), ("pt-BR", "uso: ")])
def test_its_own_name_is_whole_in_each_language(
    capsys: pytest.CaptureFixture[str], language: str, begins: str
) -> None:
    with pytest.raises(SystemExit):
        main(["--language", language, "--help"])
    assert capsys.readouterr().out.startswith(f"{begins}python -m kthw.history ")
