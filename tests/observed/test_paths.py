"""What is too large for a link, and what is lost on one, measured on a sandbox of three workers."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from benchmarks.costs import route_all
from kthw.intended.cluster import Intended
from kthw.observed.aws.inventory import read_inventory
from kthw.observed.aws.reader import Reader
from kthw.observed.evidence import Inventory, Probe
from kthw.observed.pods import look_into_nodes
from kthw.observed.seen import Seen
from kthw.words.messages import catalogue
from sandbox.box import Sandbox, start, why_no_packets

NO_PACKETS = why_no_packets(catalogue("en").say)
pytestmark = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)

WORKERS = ("worker-0", "worker-1", "worker-2")
INTENDED = Intended(workers=WORKERS)
ODD = "worker-1"
OTHERS = {("worker-0", "worker-2"), ("worker-2", "worker-0")}


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with start() as sandbox:
        route_all(sandbox.target.endpoint, WORKERS)
        yield sandbox


@pytest.fixture(scope="module")
def inventory(box: Sandbox) -> Inventory:
    return read_inventory(Reader(box.target), INTENDED)[0]


def on(box: Sandbox, command: str) -> None:
    """Run a command on the odd one, as a person would."""
    subprocess.run(
        ["ssh", "-F", str(box.directory / "ssh_config"), ODD, command],
        check=True,
        timeout=20,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def looked(box: Sandbox, inventory: Inventory, before: str, after: str) -> Seen:
    on(box, before)
    try:
        return look_into_nodes(box.target, inventory, INTENDED)
    finally:
        on(box, after)


def pairs(seen: Seen, *, full: bool) -> dict[tuple[str, str], list[Probe]]:
    found: dict[tuple[str, str], list[Probe]] = {}
    for probe in seen.probes:
        if probe.kind == "pod" and bool(probe.size) is full:
            found.setdefault((probe.source, probe.destination), []).append(probe)
    return found


def test_of_a_narrow_card_small_packets_pass_and_the_limit_of_each_direction_is_told(
    box: Sandbox, inventory: Inventory
) -> None:
    seen = looked(box, inventory, "sudo ip link set ens5 mtu 1300", "sudo ip link set ens5 mtu 9001")
    assert [str(probe) for probe in seen.probes if not probe.size and not probe.reached] == []
    assert seen.errors == ()
    for pair, probes in pairs(seen, full=True).items():
        how = {probe.protocol: probe for probe in probes}
        if pair in OTHERS:
            assert all(probe.reached for probe in probes), pair
            continue
        assert not how["icmp"].reached
        assert not how["udp"].reached
        # A virtual link takes in four bytes more than its MTU; out of it, the kernel lets nothing larger.
        limit, said = (1300, "1300 bytes") if pair[0] == ODD else (1304, "no answer in")
        assert (how["icmp"].limit, how["udp"].limit) == (limit, limit)
        assert said in how["icmp"].detail


@pytest.mark.parametrize(("share", "least", "most"), [(20, 45, 100), (5, 4, 45)])
def test_of_a_node_that_loses_a_share_it_is_counted_and_no_pair_is_told_as_unreachable(
    box: Sandbox, inventory: Inventory, share: int, least: int, most: int
) -> None:
    """It loses of what it hands on, so of a packet as of its answer. Who noticed nothing counts nothing."""
    chain = "add chain ip lose c { type filter hook forward priority 0; }"
    table = f"sudo nft add table ip lose; sudo nft '{chain}'"
    rule = f"sudo nft add rule ip lose c numgen random mod 100 '<' {share} drop"
    seen = looked(box, inventory, f"{table}; {rule}", "sudo nft delete table ip lose")
    between = pairs(seen, full=False)
    assert [str(probe) for probes in between.values() for probe in probes if not probe.reached] == []
    counts = {pair: probes[0] for pair, probes in between.items()}
    assert {(counts[pair].protocol, counts[pair].sent, counts[pair].lost) for pair in OTHERS} == {
        ("icmp", 20, 0)
    }
    counted = [count for count in counts.values() if count.sent == 200]
    assert len(counted) == 4 or (share < 20 and counted)
    assert all(least <= count.lost <= most for count in counted)
