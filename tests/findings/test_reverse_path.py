"""A kernel that takes packets from one interface only is told of where the VPC's route leads to another."""

from __future__ import annotations

import pytest

from kthw.findings.path import obstacles
from kthw.findings.reverse_path import all_filtered
from kthw.network.model import Network
from kthw.observed.evidence import Evidence
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.changed_aws import with_instance, with_inventory
from tests.findings.faults_of_reverse_path import FAULTS, HEALTHY


@pytest.mark.parametrize(
    ("fault", "senders"),
    [
        ("packets come in by another interface than answers leave by", ["worker-0", "worker-2"]),
        ("another interface, and the sender in another subnet", ["worker-0"]),
    ],
)
def test_it_stands_in_the_way_of_those_who_send_that_way(fault: str, senders: list[str]) -> None:
    network = Network(FAULTS[fault][0])
    (found,) = all_filtered(network, "worker-1")
    met = {other: obstacles(network, other, "worker-1") for other in ("worker-0", "worker-2")}
    blocked = [other for other, there in met.items() if found.cause in {each.cause for each in there}]
    assert blocked == senders
    assert obstacles(network, "worker-1", "worker-0") == []


@pytest.mark.parametrize("evidence", HEALTHY.values(), ids=HEALTHY)
def test_it_stands_in_nobodys_way_where_it_is_not_found(evidence: Evidence) -> None:
    network = Network(evidence)
    assert all_filtered(network, "worker-1") == []
    assert obstacles(network, "worker-0", "worker-1") == []


@pytest.mark.parametrize(
    "fault",
    [
        "another interface, and the range of the pods is the VPC's own",
        "a VPN takes the way to a peer, and the one interface is strict",
    ],
)
def test_it_is_not_told_where_the_range_is_wrong_nor_of_the_primary_interface(fault: str) -> None:
    assert all_filtered(Network(FAULTS[fault][0]), "worker-1") == []


def test_where_something_was_not_seen_it_is_not_found() -> None:
    strict = FAULTS["strict everywhere"][0]
    unread = Network(with_instance(strict, "worker-1", user_data=None))
    assert all_filtered(unread, "worker-1") == []
    no_table = Network(with_inventory(strict, route_tables=()))
    assert obstacles(no_table, "worker-0", "worker-1") == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_told_by_which_interfaces_packets_come_and_go(language: str) -> None:
    (found,) = all_filtered(Network(FAULTS["strict everywhere"][0]), "worker-1")
    said = catalogue(language).finding(found)
    assert "ens6" in said.what
    assert "ens5" in said.why
    assert "rp_filter=2" in said.fix
    assert (found.expected, found.observed) == (
        "net.ipv4.conf.all.rp_filter = 2",
        "net.ipv4.conf.ens6.rp_filter = 1",
    )
