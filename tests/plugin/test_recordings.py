"""A recording is read whole or refused in one sentence: nothing unsound reaches a check."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kthw.errors import CouldNotLook
from kthw.observed.recording import encode, read, write
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.changed_nodes import with_node
from tests.findings.clusters import healthy
from tests.plugin.conftest import Run

Spoil = Callable[[dict[str, Any]], object]


def _route(document: dict[str, Any]) -> dict[str, Any]:
    route: dict[str, Any] = document["inventory"]["route_tables"][0]["routes"][0]
    return route


def _node(document: dict[str, Any]) -> dict[str, Any]:
    node: dict[str, Any] = document["nodes"]["worker-1"]
    return node


UNSOUND: dict[str, tuple[Spoil, str]] = {
    "another kind of target": (lambda d: d["target"].update(kind="gcp"), "$.target.kind: 'gcp'"),
    "a worker twice": (lambda d: d["intended"].update(workers=["a", "b", "a"]), "'a' twice"),
    "no worker": (lambda d: d["intended"].update(workers=[]), "$.intended.workers: []"),
    "an instance of no worker": (
        lambda d: d["intended"].update(instances={"worker-9": "i-0a"}),
        '$.intended: {"workers"',
    ),
    "two workers that are one instance": (
        lambda d: d["intended"].update(instances={"worker-0": "i-0a", "worker-1": "i-0a"}),
        '$.intended: {"workers"',
    ),
    "a worker with a bracket": (
        lambda d: d["intended"].update(workers=["a", "b[1]"]),
        "$.intended.workers[1]: 'b[1]'",
    ),
    "a worker with an outer space": (
        lambda d: d["intended"].update(workers=["a", "b "]),
        "$.intended.workers[1]: 'b '",
    ),
    "a route to nowhere": (
        lambda d: _route(d).update(destination="pl-1"),
        '$.inventory.route_tables[0].routes[0]: {"destination": "pl-1"',
    ),
    "a VPC of no addresses": (
        lambda d: d["inventory"]["vpcs"][0].update(cidrs=["x/16"]),
        '$.inventory.vpcs[0].cidrs[0]: "x/16"',
    ),
    "a subnet of no addresses": (
        lambda d: d["inventory"]["subnets"][0].update(cidr="10.0.0/99"),
        '$.inventory.subnets[0].cidr: "10.0.0/99"',
    ),
    "a pod of no address": (
        lambda d: _node(d).update(pod="\x1b[31m10.200.1.2" + "x" * 1000),
        '$.nodes["worker-1"].pod: "\\u001b[31m10.200.1.2xxx',
    ),
    "an MTU of no size": (
        lambda d: _node(d)["links"][0].update(mtu=-1),
        '$.nodes["worker-1"].links[0].mtu: -1',
    ),
}


def recorded(tmp_path: Path, document: dict[str, Any]) -> Path:
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(("spoil", "said"), UNSOUND.values(), ids=UNSOUND)
def test_an_unsound_recording_is_unreadable(spoil: Spoil, said: str, tmp_path: Path) -> None:
    document = json.loads(encode(healthy()))
    assert read(recorded(tmp_path, document)) == healthy()
    spoil(document)
    with pytest.raises(CouldNotLook) as refused:
        read(recorded(tmp_path, document))
    assert refused.value.error.code == "evidence-unreadable"
    assert said in refused.value.error.detail


def test_foreign_routes_and_subnets_without_ipv4_are_sound(tmp_path: Path) -> None:
    document = json.loads(encode(healthy()))
    _route(document).update(destination="2600::/56", foreign=True)
    document["inventory"]["subnets"][0]["cidr"] = ""
    assert read(recorded(tmp_path, document)).inventory is not None


@pytest.mark.parametrize("schema", [2, None])
def test_a_report_of_another_schema_is_unreadable(schema: int | None, tmp_path: Path) -> None:
    report = {"schema": 1, "evidence": json.loads(encode(healthy()))}
    assert read(recorded(tmp_path, report)) == healthy()
    report["schema"] = schema
    with pytest.raises(CouldNotLook) as refused:
        read(recorded(tmp_path, report))
    assert f"schema {schema}" in refused.value.error.detail


def test_an_unsound_recording_is_refused_in_one_sentence(tmp_path: Path, run_pytest: Run) -> None:
    document = json.loads(encode(healthy()))
    _route(document)["destination"] = "pl-1"
    ran = run_pytest("suites/routes", "--evidence", str(recorded(tmp_path, document)))
    assert ran.code == 4
    assert len(ran.lines) == 1
    assert "at $.inventory.route_tables[0].routes[0] there is" in ran.output
    assert "pl-1" in ran.output


def _twice(text: str) -> bytes:
    return text.replace('"inventory":', '"inventory":null,"inventory":', 1).encode()


NO_RECORDING: dict[str, tuple[Callable[[str], bytes], str]] = {
    "nothing": (lambda _: b"", "malformed"),
    "a list": (lambda _: b"[1, 2]", "malformed"),
    "compressed": (lambda text: gzip.compress(text.encode()), "compressed"),
    "UTF-16": (lambda text: text.encode("utf-16"), "encoding"),
    "Latin-1": (lambda text: text.replace("worker-1", "Jo\xe3o").encode("latin-1"), "encoding"),
    "nested deeply": (lambda _: b'{"schema":1,"evidence":' + b"[" * 200_000, "deep"),
    "nested deeply where nobody looks": (
        lambda text: text[:-1].encode() + b',"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        "deep",
    ),
    "NaN": (lambda text: text.replace('"mtu":9001', '"mtu":NaN', 1).encode(), "malformed"),
    "a key twice": (_twice, "twice"),
    "no object of evidence": (lambda _: b'{"schema":1,"evidence":[]}', "shape"),
}


@pytest.mark.parametrize(("make", "variant"), NO_RECORDING.values(), ids=NO_RECORDING)
def test_what_is_no_recording_is_refused_and_said_why(
    make: Callable[[str], bytes], variant: str, tmp_path: Path
) -> None:
    path = tmp_path / "evidence.json"
    path.write_bytes(make(encode(healthy()).decode()))
    with pytest.raises(CouldNotLook) as refused:
        read(path)
    assert refused.value.error.variant == variant
    for language in LANGUAGES:
        said = catalogue(language).error(refused.value.error).what
        assert said.isprintable()
        assert str(path) in said


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    path.write_bytes(b"\xef\xbb\xbf" + encode(healthy()))
    assert read(path) == healthy()


@pytest.mark.parametrize(
    ("file", "variant"),
    [("pipe", "no-file"), ("/dev/zero", "no-file"), (".", "no-file"), ("large", "too-large")],
)
def test_what_would_never_end_is_not_read(file: str, variant: str, tmp_path: Path, run_pytest: Run) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as large:
        large.truncate(2**30)
    begun = time.monotonic()
    with pytest.raises(CouldNotLook) as refused:
        read(tmp_path / file)
    assert refused.value.error.variant == variant
    assert time.monotonic() - begun < 20
    ran = run_pytest("suites/routes", "--evidence", str(tmp_path / file), "--language", "pt-BR")
    assert (ran.code, ran.lines) == (4, [f"ERROR: {catalogue('pt-BR').error(refused.value.error).what}"])


def test_what_utf_8_cannot_say_is_written_as_its_code(tmp_path: Path) -> None:
    evidence = with_node(healthy(), "worker-1", hostname="n\ud800")
    write(evidence, tmp_path / "evidence.json")
    assert read(tmp_path / "evidence.json").nodes["worker-1"].hostname == "n\\ud800"
