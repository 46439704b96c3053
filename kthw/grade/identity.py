"""Which student a hand-in is of: by its file's name, else by the account, else by what it says itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from kthw.grade.naming import Submitter
from kthw.grade.roster import Roster, Student
from kthw.grade.row import Note
from kthw.observed.evidence import Evidence


class Identity(Struct, frozen=True, kw_only=True):
    """``name`` as it is shown, ``key`` the same for all that one hands in. ``listed``: in the roster."""

    name: str
    key: str
    listed: bool
    language: str = ""
    notes: tuple[Note, ...] = ()


def of_file(submitter: Submitter, file: str, roster: Roster) -> Identity:
    """Of a file that could not be read: only its name says anything."""
    found = roster.by_file(file)
    return _identity(found, submitter.name or file, submitter.key or file, roster)


def of_look(student: str, roster: Roster) -> Identity:
    """Of what we saw ourselves, in the account that the roster says."""
    return _identity([each for each in roster.students if each.name == student], student, student, roster)


def of_recording(submitter: Submitter, file: str, evidence: Evidence, roster: Roster) -> Identity:
    """Of a recording. What a student could have written into it counts last, and is told where it differs."""
    account = account_of(evidence)
    said = evidence.student
    found = roster.by_file(file) or roster.by_account(account) or roster.by_said(said)
    name = submitter.name or said or account or file
    key = submitter.key if submitter.name else f"={name}"
    identity = _identity(found, name, key, roster)
    if len(found) != 1:
        return identity
    notes = (*identity.notes, *_differing(found[0], account, said, roster))
    return Identity(
        name=identity.name, key=identity.key, listed=True, language=identity.language, notes=notes
    )


def account_of(evidence: Evidence) -> str:
    """The AWS account that was looked at; empty where it was none."""
    target = evidence.target
    local = target.kind != "aws" or target.is_local
    return "" if local else (evidence.inventory.account if evidence.inventory else "") or target.account


def _identity(found: Sequence[Student], name: str, key: str, roster: Roster) -> Identity:
    if len(found) == 1:
        (student,) = found
        return Identity(name=student.name, key=f"@{student.name}", listed=True, language=student.language)
    if found:
        names = ", ".join(student.name for student in found[:5])
        return Identity(name=name, key=key, listed=False, notes=(Note("ambiguous", "", {"names": names}),))
    unlisted = (Note("unlisted"),) if roster.students else ()
    return Identity(name=name, key=key, listed=not unlisted, notes=unlisted)


def _differing(student: Student, account: str, said: str, roster: Roster) -> Iterator[Note]:
    if account and student.account and account != student.account:
        yield Note("other-account", "", {"account": account, "theirs": student.account})
    others = roster.by_said(said)
    if others and student not in others:
        yield Note("other-name", "", {"said": said})
