"""``history.jsonl``: whole lines by runs side by side, whatever was killed or written there by others."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from kthw.findings.judging import judge
from kthw.history import kept, lines
from kthw.history.lines import BadLine, append, read
from kthw.history.run import Run, decoded, encoded, run_of
from kthw.observed.evidence import Evidence
from kthw.verdict.since import Stood
from tests.findings.cleaned import LEFT, cleaned
from tests.findings.clusters import OK
from tests.history.story import story

RUN = story()[25]
UNSENT = replace(OK, target=replace(OK.target, no_packets="macos"))
EACH = 200
YEARS = (b"0001", b"0900", b"1999", b"2101", b"9999")
SIDE_BY_SIDE = f"""
import sys
import threading
import time
from pathlib import Path
from msgspec.structs import replace
from kthw.history import lines
from kthw.history.run import decoded
file, writer = Path(sys.argv[1]), sys.argv[2]
run = decoded(Path(sys.argv[3]).read_bytes())
print("ready", flush=True)
sys.stdin.readline()
for n in range({EACH}):
    lines.append(file, replace(run, versions=dict(writer=f"{{writer}}-{{n}}")))
"""


def written_by_four(file: Path) -> dict[int, list[int]]:
    """By process, which of its lines are there in the end; all begin at once."""
    given = file.with_name("run.json")
    given.write_bytes(encoded(RUN))
    started = [
        subprocess.Popen(
            [sys.executable, "-c", SIDE_BY_SIDE, str(file), str(n), str(given)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for n in range(4)
    ]  # fmt: skip
    assert [each.stdout and each.stdout.readline() for each in started] == ["ready\n"] * 4
    for each in started:
        assert each.stdin
        each.stdin.write("\n")
        each.stdin.flush()
    for each in started:
        each.communicate(timeout=60)
        assert each.returncode == 0
    found = read(file)
    assert not found.bad
    there: dict[int, list[int]] = {n: [] for n in range(4)}
    for run in found.runs:
        writer, _, number = run.versions["writer"].partition("-")
        there[int(writer)].append(int(number))
    return {writer: sorted(numbers) for writer, numbers in there.items()}


def test_runs_side_by_side_lose_no_line(tmp_path: Path) -> None:
    there = written_by_four(tmp_path / "h.jsonl")
    assert there == {n: list(range(EACH)) for n in range(4)}


def test_who_waits_while_another_puts_a_shorter_file_in_its_place_writes_into_that(tmp_path: Path) -> None:
    file, shorter = tmp_path / "h.jsonl", tmp_path / "shorter"
    append(file, RUN)
    append(shorter, replace(RUN, cut=1))
    with file.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        locks, waiting = Path("/proc/locks"), f":{os.fstat(held.fileno()).st_ino} "
        thread = threading.Thread(target=append, args=(file, replace(RUN, cut=2)))
        thread.start()
        until = time.monotonic() + 20
        while thread.is_alive() and time.monotonic() < until:
            # The kernel lists who waits for a lock, after an arrow.
            if any("->" in each and waiting in each for each in locks.read_text().splitlines()):
                break
        shorter.replace(file)
    thread.join(timeout=20)
    assert read(file).runs == (replace(RUN, cut=1), replace(RUN, cut=2))


def test_what_a_killed_run_left_half_costs_its_own_line_only(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    append(file, RUN)
    with file.open("ab") as opened:
        opened.write(encoded(RUN)[:100])
    append(file, replace(RUN, cut=1))
    found = read(file)
    assert found.runs == (RUN, replace(RUN, cut=1))
    assert [bad.number for bad in found.bad] == [2]


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"[" * 100_000,
        b"\xff\xfe",
        b"{}",
        encoded(RUN).replace(b'"schema":1', b'"schema":2')
        if b'"schema"' in encoded(RUN)
        else b'{"schema":2}',
        encoded(RUN).replace(b'"verdict":"bad"', b'"verdict":"<img>"'),
        encoded(RUN).replace(b"2026-10-21T", b"someday-T"),
        *(encoded(RUN).replace(b"2026-10-21T", year + b"-01-05T") for year in YEARS),
        encoded(replace(RUN, recording="../../etc/passwd")),
        encoded(replace(RUN, phases={"aws": -1.0})),
        encoded(replace(RUN, causes=(Stood(code="<b>", subject="x"),))),
    ],
    ids=[
        "text",
        "deep",
        "bytes",
        "empty",
        "schema",
        "verdict",
        "moment",
        *(f"year-{year.decode()}" for year in YEARS),
        "path",
        "phase",
        "code",
    ],
)
def test_a_line_that_is_no_run_is_told_and_the_others_are_read(line: bytes, tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_bytes(b"\n".join([encoded(story()[0]), line, encoded(RUN), b""]))
    found = read(file)
    assert found.runs == (story()[0], RUN)
    (bad,) = found.bad
    assert bad == BadLine(2, bad.detail)
    assert bad.detail.isprintable()
    assert bad.detail


def test_a_run_that_is_there_twice_is_one(tmp_path: Path) -> None:
    """Two copies of a history may be put together with ``cat``."""
    file = tmp_path / "history.jsonl"
    file.write_bytes(2 * b"".join(encoded(run) + b"\n" for run in reversed(story())))
    assert read(file).runs == story()


def test_where_it_would_grow_too_large_the_older_half_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "history.jsonl"
    monkeypatch.setattr(lines, "MOST_BYTES", 10_000)
    for run in story():
        append(file, run)
        assert file.stat().st_size <= 10_000
    found = read(file)
    assert not found.bad
    assert found.runs == story()[-len(found.runs) :]
    assert len(found.runs) >= 5
    assert [each.name for each in tmp_path.iterdir()] == ["history.jsonl"]


def test_a_pipe_in_its_place_is_refused_and_waited_for_by_nobody(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    os.mkfifo(file)
    with pytest.raises(OSError, match="regular"):
        append(file, RUN)
    with pytest.raises(OSError, match="regular"):
        read(file)


def test_a_line_has_no_evidence_and_nothing_of_a_login() -> None:
    said = json.loads(encoded(RUN))
    assert set(said) <= set(Run.__struct_fields__)
    assert "evidence" not in said
    assert b"ssh " not in encoded(RUN)
    assert decoded(encoded(RUN)) == RUN


def test_of_the_recordings_the_newest_are_kept_and_strangers_stay(tmp_path: Path) -> None:
    for n in range(5):
        name = f"2026112{n}T042300Z-{n + 1}.json"
        kept.keep(tmp_path, name, b"{}", 2)
    (tmp_path / "history" / "mine.json").write_text("{}")
    kept.keep(tmp_path, kept.name_of("2026-11-25T04:23:00+00:00"), b"{}", 2)
    names = sorted(each.name for each in (tmp_path / "history").iterdir())
    assert names == ["20261124T042300Z-5.json", f"20261125T042300Z-{os.getpid()}.json", "mine.json"]


def test_what_a_killed_run_left_of_a_recording_is_dropped_when_it_is_an_hour_old(tmp_path: Path) -> None:
    folder = tmp_path / "history"
    folder.mkdir()
    halves = [f".20261124T042300Z-812.json{end}" for end in ("", ".812")]
    for name in (*halves, ".20261124T042300Z-813.json.813", ".mine.json"):
        (folder / name).write_bytes(b"{")
    for name in (*halves, ".mine.json"):
        os.utime(folder / name, times=(time.time() - 4000,) * 2)
    kept.keep(tmp_path, "20261125T042300Z-1.json", b"{}", 2)
    left = sorted(each.name for each in folder.iterdir())
    assert left == [".20261124T042300Z-813.json.813", ".mine.json", "20261125T042300Z-1.json"]


def test_a_line_of_a_run_to_come_does_not_hide_those_before_it(tmp_path: Path) -> None:
    append(tmp_path / "h", RUN)
    append(tmp_path / "h", replace(RUN, at="2030-01-01T00:00:00+00:00"))
    found = read(tmp_path / "h", now=RUN.moment)
    assert found.runs == (RUN,)
    assert [(bad.number, "still to come" in bad.detail) for bad in found.bad] == [(2, True)]


def test_a_line_whose_verdict_is_another_than_its_causes_say_is_none(tmp_path: Path) -> None:
    for verdict, causes in (("good", (Stood(code="route-missing", subject="x"),)), ("bad", ())):
        said = json.loads(encoded(RUN)) | {"verdict": verdict}
        said["causes"] = [{"code": each.code, "subject": each.subject} for each in causes]
        (tmp_path / "h").write_text(json.dumps(said) + "\n")
        found = read(tmp_path / "h")
        assert (found.runs, len(found.bad)) == ((), 1)
        assert "verdict" in found.bad[0].detail


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (OK, "good"),
        (replace(UNSENT, probes=()), "unknown"),
        (cleaned(LEFT["vpc"]), "bad"),
        # After the last chapter nobody asks for packets.
        (replace(cleaned(), target=UNSENT.target), "good"),
    ],
    ids=["whole", "unsent", "left", "cleaned"],
)
def test_a_line_says_of_a_run_what_the_suite_of_its_chapter_says(evidence: Evidence, verdict: str) -> None:
    assert run_of(judge(evidence)).verdict == verdict
