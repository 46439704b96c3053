"""A recording is read whole or refused in one sentence: nothing unsound reaches a check."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kthw.errors import CouldNotLook
from kthw.observed.recording import encode, read
from tests.findings.clusters import healthy
from tests.plugin.conftest import Run

Spoil = Callable[[dict[str, Any]], object]


def _route(document: dict[str, Any]) -> dict[str, Any]:
    route: dict[str, Any] = document["inventory"]["route_tables"][0]["routes"][0]
    return route


UNSOUND: dict[str, tuple[Spoil, str]] = {
    "another kind of target": (lambda d: d["target"].update(kind="gcp"), "target.kind 'gcp'"),
    "a worker twice": (lambda d: d["intended"].update(workers=["a", "b", "a"]), "a, b, a"),
    "a route to nowhere": (lambda d: _route(d).update(destination="pl-1"), "'pl-1'"),
    "a VPC of no addresses": (lambda d: d["inventory"]["vpcs"][0].update(cidrs=["x/16"]), "'x/16'"),
    "a subnet of no addresses": (
        lambda d: d["inventory"]["subnets"][0].update(cidr="10.0.0/99"),
        "10.0.0/99",
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
    assert "'pl-1' is no IPv4 CIDR" in ran.output
