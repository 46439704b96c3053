"""User data is shown as it is, whatever a student put there, and never with a credential in it."""

from __future__ import annotations

import base64
import gzip
import time

import pytest

from kthw.findings import pod_cidr
from kthw.observed.evidence import UserData
from kthw.observed.secrets import masked
from kthw.observed.user_data import MOST_TEXT, read_user_data

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
        (_base64("POD_CIDR=10.200.0.0/24"), UserData(pairs={"POD_CIDR": "10.200.0.0/24"})),
        ("", UserData()),
        (_base64("name=worker-0"), UserData(pairs={"name": "worker-0"}, text="name=worker-0")),
        (_base64("hello"), UserData(text="hello")),
        (_base64(_base64(_TUTORIAL)), UserData(text=_base64(_TUTORIAL))),
        (_base64("#!/bin/sh\nset -e\n"), UserData(text="#!/bin/sh\nset -e\n")),
        (
            _base64("#!/bin/sh\nPOD_CIDR=10.2.0.0/24\n"),
            UserData(pairs={"POD_CIDR": "10.2.0.0/24"}, text="#!/bin/sh\nPOD_CIDR=10.2.0.0/24\n"),
        ),
        (_base64(gzip.compress(b"#cloud-config\n")), UserData(text="gzip: #cloud-config\n")),
        (_base64(b"\x7fELF\x02\x01"), UserData(text="\\x7fELF\\x02\\x01")),
        (_base64(b"\x1f\x8bnot gzip at all"), UserData(text="\\x1f\\x8bnot gzip at all")),
        ("not base64!", UserData(text="not base64!")),
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


def test_text_is_cut_at_two_thousand_characters_after_masking() -> None:
    text = "x" * (MOST_TEXT - 10) + " AKIAIOSFODNN7EXAMPLE"
    kept = read_user_data(_base64(text)).text
    assert len(kept) <= MOST_TEXT
    assert "AKIA" not in kept


def test_bomb_of_gzip_is_not_unpacked_whole() -> None:
    assert len(read_user_data(_base64(gzip.compress(b"0 " * 10_000_000))).text) == MOST_TEXT


@pytest.mark.parametrize("text", ["0" * 16_000, "token" * 3_200, "password " * 1_800, "token" + " " * 16_000])
def test_long_text_is_masked_in_no_time(text: str) -> None:
    started = time.monotonic()
    masked(text)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ("aws_session ASIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"),
        ("aws_secret_access_key = abc", "abc"),
        ("AWS_SECRET_ACCESS_KEY='a b c'", "a b c"),
        ("curl -u admin --password=hunter2", "hunter2"),
        ("senha: segredo", "segredo"),
        ("bootstrap-token=ab12cd.0123456789abcdef", "0123456789abcdef"),
        ("Authorization: Bearer eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzI1NiJ9"),
        ("git clone https://ana:hunter2@example.org/x", "hunter2"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIEow"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow", "MIIEow"),
        ("echo wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("echo 0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"),
    ],
)
def test_credentials_are_masked(text: str, secret: str) -> None:
    assert secret not in masked(text)
    assert secret not in str(read_user_data(_base64(f"#!/bin/sh\n{text}\n")))
    assert secret not in str(read_user_data(_base64(_base64(f"name=worker-0\n{text}\n"))))


def test_credential_beside_the_pod_cidr_is_masked() -> None:
    said = read_user_data(_base64(f"{_TUTORIAL}|token=s3cr3t|key=0123456789abcdef0123456789abcdef"))
    assert said.pairs == {**_PAIRS, "token": "***", "key": "***"}


@pytest.mark.parametrize(
    "text",
    [
        _TUTORIAL,
        "i-0123456789abcdef0 rtb-0123456789abcdef0 10.200.0.0/24 2001:db8::/32",
        "/usr/local/share/ca-certificates/kubernetes-the-hard-way",
        "59dbff89-35bd-4eac-99ed-be587aabbccd",
    ],
)
def test_ids_addresses_and_paths_are_not_masked(text: str) -> None:
    assert masked(text) == text
