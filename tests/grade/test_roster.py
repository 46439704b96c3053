"""The roster: a CSV as spreadsheets write it, and what is wrong with one in a sentence with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from kthw.grade.roster import Student, read
from kthw.intended.cluster import BadNames
from kthw.words.messages import LANGUAGES, catalogue

READ = {
    "commas": b"name,account\nAna,123456789012\n",
    "semicolons, as in Brazil": b"nome;conta\nAna;123456789012\n",
    "tabs": b"name\taccount\nAna\t123456789012\n",
    "a mark of the byte order, and other ends of lines": b"\xef\xbb\xbfName,Account\r\nAna,123456789012\r\n",
    "more columns than are known": b"id,name,mark,account\n1,Ana,x,123456789012\n",
    "empty lines": b"name,account\n\n,\nAna,123456789012\n",
}


@pytest.mark.parametrize("content", READ.values(), ids=READ)
def test_a_table_of_a_spreadsheet_is_read(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(content)
    assert read(str(tmp_path / "r.csv")).students == (Student(name="Ana", account="123456789012"),)


def test_what_a_spreadsheet_does_to_accents_and_to_noughts_is_undone(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes("nome,conta,idioma\nJoão,12345678901,pt-BR\n".encode("cp1252"))
    (student,) = read(str(tmp_path / "r.csv")).students
    assert student == Student(name="João", account="012345678901", language="pt-BR")


REFUSED = {
    "no name": (b"file,account\na,1\n", "grade-roster-no-name", ":1"),
    "nobody": (b"name\n", "grade-roster-empty", ""),
    "nothing": (b"", "grade-roster-empty", ""),
    "an account of letters": (b"name,account\nAna,abc\n", "grade-roster-account", ":2"),
    "an account too long": (b"name,account\nAna,1234567890123\n", "grade-roster-account", ":2"),
    "an external id with a blank": (b"name,external-id\nAna,a b\n", "grade-accounts-external-id", ":2"),
    "an external id of one letter": (b"name,external-id\nAna,x\n", "grade-accounts-external-id", ":2"),
    "a language we do not speak": (b"name,language\nAna,tlh\n", "grade-roster-language", ":2"),
    "twice the same": (b"name\nAna\nBo\nAna\n", "grade-roster-twice", ":4"),
    "a line without a name": (b"name,file\n,ana\n", "grade-roster-nameless", ":2"),
    "a cell without an end": (b'name\n"' + b"a" * 200_000 + b"\n", "grade-roster-no-csv", ""),
}


@pytest.mark.parametrize(("content", "key", "place"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_wrong_with_a_roster_is_one_sentence_and_where(
    content: bytes, key: str, place: str, language: str, tmp_path: Path
) -> None:
    (tmp_path / "r.csv").write_bytes(content)
    with pytest.raises(BadNames) as refused:
        read(str(tmp_path / "r.csv"))
    assert refused.value.key == key
    assert refused.value.place.endswith(place)
    said = catalogue(language).refusal(refused.value)
    assert "\n" not in said
    assert not any(word in said for word in ("VALUE", "NAME", "FOUND", "DETAIL", "KNOWN"))


def test_a_roster_that_is_not_there_or_never_ends_is_refused() -> None:
    for file in ("/nowhere/r.csv", "/dev/zero", "/"):
        with pytest.raises(BadNames) as refused:
            read(file)
        assert refused.value.key == "grade-unread"
