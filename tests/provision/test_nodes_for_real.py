"""Kernel routes on a sandbox's nodes: planned, added over SSH, found right with packets, and taken back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kthw.findings.judging import judge
from kthw.intended.cluster import Intended
from kthw.observed.evidence import ProvisionStep
from kthw.observed.gather import gather
from kthw.provision.__main__ import main
from kthw.provision.journal import Journal
from kthw.words.messages import catalogue
from sandbox.box import Sandbox, start, why_no_packets

NODES = ("worker-0", "worker-1")
NO_PACKETS = why_no_packets(catalogue("en").say)
THERE = "10.200.1.0/24 via 10.0.1.21 dev ens5 proto 85"


def routes(box: Sandbox, node: str, *commands: str) -> list[str]:
    """The routes of a node to pods elsewhere, once the commands have been typed there."""
    typed = "; ".join([*commands, "ip route show"])
    ssh = ["ssh", "-F", box.environment["KTHW_SSH_CONFIG"], node, f"sudo sh -ec '{typed}'"]
    done = subprocess.run(ssh, capture_output=True, text=True, check=True)
    return [
        line.strip() for line in done.stdout.splitlines() if line.startswith("10.200.") and " via " in line
    ]


@pytest.mark.slow
@pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)
def test_what_it_adds_carries_packets_and_only_that_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "journal.jsonl"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def run(action: str) -> tuple[int, str]:
        code = main(
            [
                *(action, "--network", "node-routes", "--workers", ",".join(NODES), "--also", "controller-0"),
                *("--journal", str(file), "--language", "en"),
            ]
        )
        told = capsys.readouterr()
        return code, told.out + told.err

    with start(NODES) as box:
        for name, value in box.environment.items():
            monkeypatch.setenv(name, value)
        code, said = run("plan")
        assert (code, said.count("missing; this would add it")) == (0, 4), said
        assert "sudo ip route add 10.200.1.0/24 via 10.0.1.21" in said
        assert [routes(box, node) for node in NODES] == [[], []]

        code, said = run("apply")
        assert (code, said.count("  added on ")) == (0, 4), said
        assert routes(box, "worker-0") == [THERE]
        meant = Intended(workers=NODES, network="node-routes", also={"controller-0": ""})
        evidence = gather(box.target, meant)
        assert (evidence.errors, judge(evidence).findings) == ((), ())
        assert run("apply")[1].count("nothing to add") == 4

        # What a run that was killed before its request went out leaves: a line, and no route.
        lines = Journal(file).open()
        cut = ProvisionStep(
            worker="worker-0", outcome="create", pod_cidr="10.200.9.0/24", target="10.0.1.21",
            instance=next(c.entry.instance for c in lines if c.entry.worker == "worker-0"),
        )  # fmt: skip
        Journal(file).record("create-intended", cut, lines[0].entry.place)
        # Somebody's own: the same route, but not of our making.
        theirs = routes(box, "worker-1", "ip route replace 10.200.0.0/24 via 10.0.1.20")
        assert theirs == ["10.200.0.0/24 via 10.0.1.20 dev ens5"]

        code, said = run("rollback")
        assert code == 0, said
        assert (said.count("taken back from"), said.count("not on worker-0 any more")) == (3, 1), said
        assert "left alone on worker-1: there is 10.200.0.0/24 via 10.0.1.20" in said
        assert [routes(box, node) for node in (*NODES, "controller-0")] == [[], theirs, []]
        assert "Nothing to take back" in run("rollback")[1]
