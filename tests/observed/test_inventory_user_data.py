"""User data is shown as far as a finding needs it, whatever a student put there, in whatever encoding."""

from __future__ import annotations

import base64
import gzip
import time

import pytest

from kthw.network import pod_cidr
from kthw.observed.aws.user_data import MOST_TEXT, read_user_data
from kthw.observed.evidence import Statement, UserData
from kthw.secrets import masked

_TUTORIAL = "name=worker-0|pod-cidr=10.200.0.0/24"
_PAIRS = {"name": "worker-0", "pod-cidr": "10.200.0.0/24"}


def _base64(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (_base64(_TUTORIAL), UserData(pairs=_PAIRS)),
        (_base64("name=worker-0\npod-cidr=10.200.0.0/24\n"), UserData(pairs=_PAIRS)),
        (_base64("name=worker-0\r\npod-cidr=10.200.0.0/24\r\n"), UserData(pairs=_PAIRS)),
        (_base64("pod-cidr=10.2.0.0/24|pod-cidr=10.3.0.0/24"), UserData(pairs={"pod-cidr": "10.2.0.0/24"})),
        (_base64("name=w|pod-cider=10.2.0.0/24"), UserData(pairs={"name": "w", "pod-cider": "10.2.0.0/24"})),
        (
            _base64("POD_CIDR=10.200.0.0/24"),
            UserData(
                pairs={"POD_CIDR": "10.200.0.0/24"},
                statements=(Statement(cidr="10.200.0.0/24", form="assigned", key="POD_CIDR"),),
            ),
        ),
        ("", UserData()),
        (_base64("name=worker-0"), UserData(pairs={"name": "worker-0"}, text="name=worker-0")),
        (_base64("hello"), UserData(text="hello")),
        (_base64(_base64(_TUTORIAL)), UserData(text=_base64(_TUTORIAL))),
        (_base64("#!/bin/sh\nset -e\n"), UserData(text="#!/bin/sh\n… (+1 ⏎)")),
        (
            _base64("#!/bin/sh\nPOD_CIDR=10.2.0.0/24\n"),
            UserData(
                pairs={"POD_CIDR": "10.2.0.0/24"},
                text="#!/bin/sh\nPOD_CIDR=10.2.0.0/24\n",
                statements=(Statement(cidr="10.2.0.0/24", form="assigned", key="POD_CIDR"),),
            ),
        ),
        (_base64(gzip.compress(b"#cloud-config\n")), UserData(text="gzip: #cloud-config\n")),
        (_base64(b"\x7fELF\x02\x01"), UserData(text="binary: \\x7fELF… (6)")),
        (_base64(b"\x1f\x8bnot gzip at all"), UserData(text="binary: \\x1f\\x8bno… (17)")),
        ("not encoded!", UserData(text="not encoded!")),
    ],
    ids=[
        "tutorial", "lines", "crlf", "twice", "misspelt", "shouted", "absent", "no-cidr", "plain",
        "encoded-twice", "script", "script-with-pairs", "gzip", "binary", "broken-gzip", "no-base64",
    ],
)  # fmt: skip
def test_user_data_is_read(value: str, expected: UserData) -> None:
    assert read_user_data(value) == expected


def test_user_data_encoded_twice_is_recognised_by_the_judgement() -> None:
    said = pod_cidr.read(read_user_data(_base64(_base64(_TUTORIAL))))
    assert (said.problem, said.variant, said.hint) == ("pod-cidr-missing", "twice-encoded", "10.200.0.0/24")


def test_bomb_of_gzip_is_not_unpacked_whole() -> None:
    began = time.process_time()
    said = read_user_data(_base64(gzip.compress(b"pod-cidr: 10.2.0.0/24\n" * 2_000_000)))
    assert len(said.text) <= MOST_TEXT
    assert time.process_time() - began < 5


def test_ten_megabytes_cost_what_sixteen_kilobytes_cost() -> None:
    began = time.process_time()
    said = read_user_data(_base64(f"{_TUTORIAL}\n" + "x=y\n" * 2_500_000))
    assert said.pairs["pod-cidr"] == "10.200.0.0/24"
    assert len(said.pairs) < 50
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "text",
    [
        "0" * 16_000, "token" * 3_200, "password " * 1_800, "token" + " " * 16_000, "://a:" * 3_000,
        "mysql " * 2_600, "$pbkdf2" * 2_000, "?token" * 2_500, "--token " * 2_000,
        "10.2.0.0/16 a=b\n" * 1_000, "10.2.0.0/16 " * 1_300, "#!/bin/sh\n" + "a-" * 8_000,
        "#!/bin/sh\n" + "pod-" * 4_000, "#!/bin/sh\n" + "pod_cidr=" * 1_700, "#!/bin/sh\n" + "p" * 16_000,
        "Content-Type: multipart/mixed; boundary=a\n\n" + "--a\n\n" * 2_000,
    ],
    ids=[
        "digits", "word", "words", "spaces", "logins", "mysql", "hashes", "queries", "options", "lines",
        "ranges", "segments", "pods", "keys", "letter", "parts",
    ],
)  # fmt: skip
def test_long_text_is_masked_in_no_time(text: str) -> None:
    started = time.process_time()
    masked(text)
    read_user_data(_base64(text))
    assert time.process_time() - started < 2


SCRIPTS = {
    "portuguese": "João",
    "arabic": "مدير",
    "japanese": "管理者",
    "hindi": "प्रबंधक",
    "emoji": "🎉",
    "family": "👩\u200d👩\u200d👧",
    "decomposed": "Joa\u0303o",
}


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize(
    "form",
    [
        "name=worker-0|dono={}|pod-cidr=10.200.0.0/24",
        "dono={}\nname=worker-0\npod-cidr=10.200.0.0/24\n",
        "# {}\nname=worker-0\npod-cidr=10.200.0.0/24\n",
    ],
    ids=["pairs", "lines", "comment"],
)
def test_a_letter_of_any_script_beside_the_pod_cidr_is_one(script: str, form: str) -> None:
    """It is read as it was written, and is still there when user data is mended."""
    said = read_user_data(_base64(form.format(SCRIPTS[script])))
    assert pod_cidr.read(said).network is not None
    assert said.pairs.get("dono", SCRIPTS[script]) == SCRIPTS[script]


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("encode", ["once", "twice"])
def test_a_letter_of_any_script_in_what_is_no_pod_cidr_is_shown(script: str, encode: str) -> None:
    text = f"name=worker-0|dono={SCRIPTS[script]}|x=#"
    value = _base64(text) if encode == "once" else _base64(_base64(text))
    seen = pod_cidr.read(read_user_data(value))
    assert seen.problem == "pod-cidr-missing"
    assert SCRIPTS[script] in f"{seen.observed} {seen.near_miss}"


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("name=João".encode("latin-1"), "name=Jo\\xe3o"),
        ("name=worker-0|pod-cidr=10.200.0.0/24".encode("utf-16-be"), "binary: "),
        (b"\xfe\xff" + "dono=João".encode("utf-16-be"), "utf-16: dono=João"),
        (b"\xff\xfe\x00", "utf-16: "),
        ("\ufeffpod-cidr=10.200.0.0/24".encode(), "\\ufeffpod-cidr=10.200.0.0/24"),
        (gzip.compress("#!/bin/sh\n# João\n".encode()), "gzip: #!/bin/sh"),
        (bytes(range(256)), "binary: "),
        (b"\xc3", "…"),
        ("João".encode(), "João"),
        (base64.b64encode("João".encode("latin-1")), "…"),
        (base64.b64encode(b"\xff=#"), "…"),
    ],
    ids=[
        "latin-1", "utf-16-bare", "utf-16-be", "utf-16-cut", "mark", "gzip",
        "every-byte", "half", "letters", "twice-latin-1", "twice-binary",
    ],
)  # fmt: skip
def test_bytes_of_any_kind_are_shown_and_never_raise(data: bytes, shown: str) -> None:
    """What the chapters' ``curl`` cannot read either is no pod CIDR."""
    said = read_user_data(_base64(data))
    seen = pod_cidr.read(said)
    assert shown in said.text
    assert seen.problem == "pod-cidr-missing"
    assert seen.observed.isprintable()


@pytest.mark.parametrize(
    "data",
    [
        "#!/bin/sh\n# instalação\nexport POD_CIDR=10.200.1.0/24\n".encode(),
        "name=worker-1|pod-cidr=10.200.1.0/24".encode("utf-16"),
        gzip.compress(b"name=worker-1|pod-cidr=10.200.1.0/24"),
    ],
    ids=["comment", "utf-16", "gzip"],
)
def test_what_only_the_chapters_loop_cannot_read_is_said(data: bytes) -> None:
    seen = pod_cidr.read(read_user_data(_base64(data)))
    assert (seen.problem, str(seen.network)) == ("", "10.200.1.0/24")
    assert seen.statement is not None


def test_a_value_that_is_no_base64_is_shown() -> None:
    for value in ("João", "=", "a", "\udcff", "ＡＢＣＤ"):
        assert pod_cidr.read(read_user_data(value)).problem == "pod-cidr-missing"


def test_a_recording_with_any_text_in_it_is_judged() -> None:
    """The second decoding is the judgement's, and recordings come from anywhere."""
    for text in ("João", "é" * 8, "YQ", "////", "\ud800"):
        assert pod_cidr.read(UserData(text=text)).problem == "pod-cidr-missing"
