"""The journal: what it keeps, what it makes of lines and files that are not as we write them."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kthw.errors import CouldNotLook
from kthw.observed.evidence import ProvisionStep
from kthw.provision.entry import Entry, Event, Place
from kthw.provision.journal import Journal

PLACE = Place(account="123456789012", region="us-east-1", endpoint="https://ec2.us-east-1.amazonaws.com")


def step(number: int = 0) -> ProvisionStep:
    return ProvisionStep(
        worker=f"worker-{number}",
        outcome="create",
        pod_cidr=f"10.200.{number}.0/24",
        route_table="rtb-1",
        instance="i-1",
        target="i-1",
    )


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "reports" / "journal.jsonl")


def sound(journal: Journal, *events: Event, number: int = 0) -> bytes:
    """The journal with these lines about one route, and its last line."""
    for event in events or ("created",):
        journal.record(event, step(number), PLACE)
    return journal.path.read_bytes().splitlines()[-1]


def changed(line: bytes, **fields: Any) -> bytes:
    return json.dumps({**json.loads(line), **fields}).encode()


def known(journal: Journal) -> list[str]:
    return [claim.entry.worker for claim in journal.open() if claim.known]


def test_journal_holds_one_json_document_per_line(journal: Journal) -> None:
    sound(journal, "create-intended", "created")
    entries = [msgspec.json.decode(line, type=Entry) for line in journal.path.read_bytes().splitlines()]
    assert [entry.event for entry in entries] == ["create-intended", "created"]
    assert {entry.run for entry in entries} == {journal.run}
    assert {entry.place for entry in entries} == {PLACE}


KNOWN: dict[str, tuple[list[Event], list[bool]]] = {
    "intent": (["create-intended"], [False]),
    "yes": (["create-intended", "created"], [True]),
    "no answer": (["create-intended", "create-unknown"], [False]),
    "refused": (["create-intended", "create-refused"], []),
    "refused, then yes": (["create-intended", "create-refused", "create-intended", "created"], [True]),
    "no answer, then yes": (["create-intended", "create-unknown", "create-intended", "created"], [True]),
    "deletion begun": (["create-intended", "created", "delete-intended"], [False]),
    "deletion refused": (["create-intended", "created", "delete-intended", "delete-refused"], [True]),
    "deletion refused of what was not known": (
        ["create-intended", "delete-intended", "delete-refused"],
        [False],
    ),
    "deleted": (["create-intended", "created", "delete-intended", "deleted"], []),
    "gone": (["create-intended", "created", "gone"], []),
    "left": (["create-intended", "created", "left"], []),
    "made anew": (["create-intended", "created", "deleted", "create-intended", "created"], [True]),
}


@pytest.mark.parametrize(("events", "claimed"), KNOWN.values(), ids=KNOWN)
def test_only_what_aws_said_yes_to_is_known_to_be_ours(
    journal: Journal, events: list[Event], claimed: list[bool]
) -> None:
    sound(journal, *events)
    assert [claim.known for claim in journal.open()] == claimed


def test_later_run_that_created_the_same_route_owns_it(journal: Journal) -> None:
    """The earlier run must not take it away under the later one's feet."""
    later = Journal(journal.path)
    sound(journal, "create-intended", "created")
    sound(later, "create-intended")
    assert [(claim.entry.run, claim.known) for claim in journal.open()] == [(later.run, False)]
    sound(later, "create-refused")
    assert [(claim.entry.run, claim.known) for claim in journal.open()] == [(journal.run, False)]
    sound(later, "create-intended", "created")
    assert [(claim.entry.run, claim.known) for claim in journal.open()] == [(later.run, True)]
    sound(later, "deleted")
    assert journal.open() == []


DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "no date": lambda line: changed(line, at="yesterday"),
    "a date without a zone": lambda line: changed(line, at="2026-01-01T00:00:00"),
    "a date that is a number": lambda line: changed(line, at=5),
    "an endless date": lambda line: changed(line, at="2" * 10_000),
    "no CIDR": lambda line: changed(line, destination="10.200.0.0/99"),
    "a CIDR with host bits": lambda line: changed(line, destination="10.200.0.7/24"),
    "a CIDR with a line end": lambda line: changed(line, destination="10.200.0.0/24\n"),
    "a table that is an option": lambda line: changed(line, route_table="--cli-input-json"),
    "a table that is a command": lambda line: changed(line, route_table="$(touch x)"),
    "a target with an escape": lambda line: changed(line, target="i-1\x1b[2J"),
    "an unknown event": lambda line: changed(line, event="eaten"),
    "a process id that is none": lambda line: changed(line, pid=-1),
    "a process id without end": lambda line: changed(line, pid=10**400),
    "a thousand interfaces": lambda line: changed(line, network_interfaces=["eni-1"] * 1000),
    "a place that is a list": lambda line: changed(line, place=[]),
    "a lone surrogate": lambda line: line.replace(b"worker-0", b"\\ud800"),
    "Latin-1": lambda line: line.replace(b"worker-0", b"jo\xe3o"),
    "UTF-16": lambda line: line.decode().encode("utf-16"),
    "half a line": lambda line: line[: len(line) // 2],
    "another language": lambda _line: b"route 10.200.0.0/24 created",
    "an array": lambda line: b"[" + line + b"]",
    "null": lambda _line: b"null",
    "NULs": lambda _line: bytes(4096),
    "deep nesting": lambda line: line[:-1] + b',"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "a megabyte": lambda line: changed(line, worker="w" * 2**20),
}


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED)
def test_line_nobody_can_read_hides_no_sound_one_and_is_named(
    journal: Journal, damaged: Callable[[bytes], bytes]
) -> None:
    line = sound(journal)
    sound(journal, number=1)
    lines = journal.path.read_bytes().splitlines()
    journal.path.write_bytes(
        b"\n".join([lines[1], damaged(line), b"", lines[1].replace(b".1.0", b".2.0")]) + b"\n"
    )
    assert [claim.entry.destination for claim in journal.open()] == ["10.200.1.0/24", "10.200.2.0/24"]
    unread = journal.unread()
    assert unread is not None
    assert unread.code == "journal-damaged"
    assert "2" in unread.facts["lines"].split(", ")


def test_many_lines_nobody_can_read_are_one_sentence(journal: Journal) -> None:
    journal.path.parent.mkdir()
    journal.path.write_bytes(b"x\n" * 1000)
    unread = journal.unread()
    assert unread is not None
    assert unread.facts["lines"] == "1, 2, 3, 4, 5 … (+995)"


def test_sound_journal_has_no_unread_lines(journal: Journal) -> None:
    assert journal.unread() is None
    sound(journal)
    assert journal.unread() is None


def test_field_of_a_later_version_is_passed_over(journal: Journal) -> None:
    line = sound(journal)
    journal.path.write_bytes(changed(line, colour="blue") + b"\n")
    assert known(journal) == ["worker-0"]
    assert journal.unread() is None


def test_line_cut_off_by_a_kill_spoils_neither_the_others_nor_the_next(journal: Journal) -> None:
    sound(journal)
    sound(journal, number=1)
    journal.path.write_bytes(journal.path.read_bytes()[:-40])
    sound(journal, number=2)
    assert known(journal) == ["worker-0", "worker-2"]


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**40)


def _of_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _of_another_file(path: Path) -> None:
    target = path.with_name("theirs")
    target.write_bytes(b"")
    path.symlink_to(target)


INSTEAD: dict[str, Callable[[Path], None]] = {
    "a pipe": _fifo,
    "a folder": Path.mkdir,
    "a huge file": _huge,
    "a link to a device": _of_a_device,
    "a link to a file": _of_another_file,
}


@pytest.mark.parametrize("instead", INSTEAD.values(), ids=INSTEAD)
def test_what_is_no_file_of_ours_is_neither_read_nor_written_nor_waited_for(
    journal: Journal, instead: Callable[[Path], None]
) -> None:
    journal.path.parent.mkdir()
    instead(journal.path)
    for use in (journal.open, journal.unread, lambda: sound(journal)):
        with pytest.raises(CouldNotLook) as caught:
            use()
        assert caught.value.error.code == "journal-unusable"
        assert caught.value.error.detail
    theirs = journal.path.with_name("theirs")
    assert not theirs.exists() or theirs.read_bytes() == b""


def test_device_is_not_read() -> None:
    with pytest.raises(CouldNotLook) as caught:
        Journal(Path("/dev/zero")).open()
    assert caught.value.error.code == "journal-unusable"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_file_that_somebody_else_has_placed_is_not_believed(journal: Journal) -> None:
    sound(journal)
    os.chown(journal.path, 65534, 65534)
    with pytest.raises(CouldNotLook) as caught:
        journal.open()
    assert "65534" in caught.value.error.detail
    os.chown(journal.path.parent, 65534, 65534)
    assert known(journal) == ["worker-0"], "a folder that is all theirs is another matter"


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077], ids=oct)
def test_journal_is_private_under_any_umask(journal: Journal, umask: int) -> None:
    before = os.umask(umask)
    try:
        sound(journal)
    finally:
        os.umask(before)
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


def test_journal_of_an_older_version_becomes_private(journal: Journal) -> None:
    sound(journal)
    journal.path.chmod(0o644)
    sound(journal, number=1)
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert known(journal) == ["worker-0", "worker-1"]
