"""Files that were handed in: found in folders and archives, and bounded however they are packed."""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from kthw.grade import hand_in
from kthw.grade.collecting import collected
from kthw.grade.hand_in import BadFile, HandIn, content
from kthw.intended.cluster import BadNames
from tests.grade.made_class import zipped

RECORDING = b'{"schema": 1}'


def names(*named: Path) -> list[str]:
    return [each.name for each in collected([str(each) for each in named])]


def test_a_recording_is_read_plain_packed_and_in_an_archive(tmp_path: Path) -> None:
    made = {
        "a.json": RECORDING,
        "b.json.gz": gzip.compress(RECORDING),
        "c.zip": zipped(("reports/report.json", RECORDING), ("reports/report.html", b"<html>")),
        "d.zip": zipped(("mine.json", RECORDING)),
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    found = collected([str(tmp_path)])
    assert [each.name for each in found] == list(made)
    assert [content(each) for each in found] == [RECORDING] * 4


def test_an_archive_of_a_class_is_the_files_in_it(tmp_path: Path) -> None:
    inner = zipped(("report.json", RECORDING))
    (tmp_path / "class.zip").write_bytes(
        zipped(
            ("b_1_2_report.json", RECORDING),
            ("a_1_2_report.zip", inner),
            ("../../etc/passwd.json", RECORDING),
            ("__MACOSX/._b_1_2_report.json", b"\0"),
            (".git/config", b""),
        )
    )
    found = collected([str(tmp_path / "class.zip")])
    assert [each.name for each in found] == ["a_1_2_report.zip", "b_1_2_report.json"]
    assert [content(each) for each in found] == [RECORDING] * 2
    assert sorted(tmp_path.iterdir()) == [tmp_path / "class.zip"]


def test_a_repository_is_the_file_in_it_and_not_its_history(tmp_path: Path) -> None:
    for name in ("lab-ana/reports/report.json", "lab-ana/.git/report.json", "lab-bo/reports/report.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(RECORDING)
    assert names(tmp_path) == ["lab-ana/reports/report.json", "lab-bo/reports/report.json"]
    assert names(tmp_path / "lab-ana/reports/report.json") == ["lab-ana/report.json"]


def _encrypted() -> bytes:
    data = bytearray(zipped(("report.json", RECORDING)))
    data[6] |= 1
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1
    return bytes(data)


def _link() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        link = zipfile.ZipInfo("report.json")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    return packed.getvalue()


def _damaged() -> bytes:
    data = bytearray(zipped(("report.json", RECORDING * 100)))
    data[60] ^= 0xFF
    return bytes(data)


def _many_said() -> bytes:
    return zipped(("report.json", RECORDING))[:-22] + struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFE, 0xFFFE, 46, 60, 0
    )


def _with_64(data: bytes) -> bytes:
    return data[:-22] + b"PK\x06\x07" + bytes(16) + data[-22:]


BOMB = b"[" * (hand_in.MOST_BYTES + 1)
HOSTILE = {
    "a bomb of zip": ("x.zip", zipped(("report.json", BOMB)), "large"),
    "a bomb of gzip": ("x.json.gz", gzip.compress(BOMB), "large"),
    "half a gzip": ("x.json.gz", gzip.compress(RECORDING)[:-4], "archive"),
    "a bomb in a zip in a zip": ("x.zip", zipped(("report.zip", zipped(("report.json", BOMB)))), "none"),
    "too large as it is": ("x.json", BOMB, "large"),
    "a link in a zip": ("x.zip", _link(), "link"),
    "a password": ("x.zip", _encrypted(), "encrypted"),
    "damaged": ("x.zip", _damaged(), "archive"),
    "no zip at all": ("x.zip", b"PK\x03\x04 and nothing more", "archive"),
    "more files than there are": ("x.zip", _many_said(), "many"),
    "a list of files elsewhere": ("x.zip", _with_64(zipped(("report.json", RECORDING))), "many"),
    "nothing of ours": ("x.zip", zipped(("essay.pdf", b"%PDF")), "none"),
    "two": ("x.zip", zipped(("a/report.json", RECORDING), ("b/report.json", RECORDING)), "several"),
}


@pytest.mark.parametrize(("name", "data", "why"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_bounded_file_is_refused_with_the_reason(
    name: str, data: bytes, why: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    found = [HandIn(file=str(tmp_path / name), name=name)]
    with pytest.raises(BadFile) as refused:
        content(found[0])
    assert refused.value.why == why


def test_a_link_a_pipe_and_what_nobody_may_read_are_told_and_never_opened(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.json").write_bytes(RECORDING)
    (tmp_path / "in" / "ana.json").symlink_to(tmp_path / "secret.json")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    os.mkfifo(tmp_path / "in" / "pipe.json")
    told = {each.name: each.bad for each in collected([str(tmp_path / "in")])}
    assert told == {"ana.json": "link", "loop": "link", "pipe.json": "special"}


def test_folders_in_folders_have_an_end(tmp_path: Path) -> None:
    deep = tmp_path / "/".join("x" for _ in range(40))
    deep.mkdir(parents=True)
    (deep / "report.json").write_bytes(RECORDING)
    assert names(tmp_path) == []


def test_what_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadNames, match="grade-no-such"):
        collected([str(tmp_path / "nowhere")])


def test_a_class_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kthw.grade.collecting.MOST_FILES", 2)
    for name in "abc":
        (tmp_path / f"{name}.json").write_bytes(RECORDING)
    with pytest.raises(BadNames, match="grade-too-many"):
        collected([str(tmp_path)])
