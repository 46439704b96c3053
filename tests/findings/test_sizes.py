"""Full-size packets, UDP and losses: which place is named, what mends it, and when nothing can be said."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.findings import losses, reachability, sizes
from kthw.findings.judging import judge
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, Probe
from kthw.verdict.matrix import outcomes
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.changed_aws import without_route
from tests.findings.changed_nodes import failing, losing, not_probed
from tests.findings.clusters import OK
from tests.findings.faults import FAULTS
from tests.findings.faults_of_installed_networks import UNCHECKED
from tests.findings.faults_of_sizes import sized
from tests.findings.judged import asked, everything

MEASURED = ("udp-between-pods", "full-size-between-pods", "no-packets-lost")


def of(fault: str) -> list[tuple[str, str, str]]:
    return too_big(FAULTS[fault][0])


def too_big(evidence: Evidence) -> list[tuple[str, str, str]]:
    """Its packets-too-big: the sender, the situation, and the command that mends it in English."""
    found = [f for f in everything(evidence) if f.code == "packets-too-big"]
    return [(f.worker, f.variant, catalogue("en").finding(f).fix.partition("\n")[0]) for f in found]


def ssh(number: int) -> str:
    return f"ssh -i kubernetes.id_rsa ubuntu@203.0.113.{20 + number}"


def test_the_card_is_one_cause_to_all_whose_packets_it_stops() -> None:
    fault = "one network card takes less than the pods send"
    assert of(fault) == [("worker-1", "eni", f"{ssh(1)} 'sudo ip link set ens5 mtu 9001'")]
    told = [asked(FAULTS[fault][0], "full-size-between-pods", f"worker-{n}").findings for n in range(3)]
    assert told[0] == told[1] == told[2]
    assert told[0][0].facts["pairs"] == "worker-0 → worker-1, worker-1 → worker-0, worker-1 → worker-2, … (4)"


def test_where_all_cards_take_less_each_sender_s_own_is_told_and_gets_what_aws_gives() -> None:
    assert of("all network cards take less than the pods send") == [
        (f"worker-{n}", "eni", f"{ssh(n)} 'sudo ip link set ens5 mtu 9001'") for n in (0, 2)
    ]


def test_a_bridge_is_to_take_what_its_pods_send() -> None:
    fix = f"{ssh(1)} 'sudo ip link set cnio0 mtu 1500'"
    fault = "one bridge takes less than its pods"
    assert of(fault) == [("worker-1", "bridge", fix)]
    statuses = [asked(FAULTS[fault][0], "full-size-between-pods", f"worker-{n}").status for n in range(3)]
    assert statuses == ["failed", "passed", "failed"]


@pytest.mark.parametrize(
    ("fault", "worker", "fix"),
    [
        (
            "a bridge takes less, and a firewall swallows what is told of it",
            "worker-0",
            f"{ssh(0)} 'sudo nft delete rule inet filter forward handle 4'",
        ),
        (
            "the same with iptables, at the other sender",
            "worker-2",
            f"{ssh(2)} 'sudo iptables -D FORWARD -p icmp -m icmp --icmp-type 3/4 -j DROP'",
        ),
        (
            "the same by its code",
            "worker-0",
            f"{ssh(0)} 'sudo nft delete rule inet filter forward handle 4'",
        ),
    ],
)
def test_a_filter_that_swallows_the_message_is_named_beside(fault: str, worker: str, fix: str) -> None:
    assert (worker, "filter", fix) in of(fault)
    assert sorted(variant for _, variant, _ in of(fault)) == ["bridge", "filter"]


@pytest.mark.parametrize(
    ("fault", "number", "mtu"),
    [
        ("the pods of one worker are jumbo", 1, 1500),
        ("the pods of one worker take less", 1, 1500),
        ("of two workers' pods one takes less", 0, 1400),
    ],
)
def test_the_odd_pods_are_given_the_mtu_of_the_others(fault: str, number: int, mtu: int) -> None:
    for _, variant, fix in of(fault):
        assert variant == "pods"
        assert fix.startswith(f"{ssh(number)} 'sudo python3 -c ")
        assert fix.endswith(f"/etc/cni/net.d/10-bridge.conf {mtu}'")


def test_a_route_loses_its_mtu() -> None:
    fix = f"{ssh(0)} 'sudo ip route change 10.200.1.0/24 via 10.0.1.1 dev ens5'"
    assert of("a kernel route says a smaller mtu") == [("worker-0", "route", fix)]


def test_beyond_a_gateway_aws_carries_less_and_the_pods_are_to_send_less() -> None:
    ((_, variant, fix),) = of("jumbo pods, and the way is through a gateway")
    assert variant == "gateway"
    assert fix.endswith("10-bridge.conf 8500'")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fault", [name for name, (_, codes) in FAULTS.items() if "packets-too-big" in codes])
def test_that_small_packets_pass_is_said_with_the_size_that_does_not(fault: str, language: str) -> None:
    small = {"en": "small packets arrive", "pt-BR": "os pacotes pequenos chegam"}
    for found in everything(FAULTS[fault][0]):
        if found.code == "packets-too-big":
            said = catalogue(language).finding(found).what
            assert found.facts["size"] in said
            assert found.variant == "filter" or small[language] in said


LOSSES = {
    "a rule of iptables drops by lot": (
        "rule",
        f"{ssh(1)} 'sudo iptables -D FORWARD -m statistic --mode random --probability 0.20000000019 -j DROP'",
    ),
    "a rule of nftables drops by lot": (
        "rule",
        f"{ssh(1)} 'sudo nft delete rule inet filter forward handle 4'",
    ),
    "a rule drops what is beyond a rate": (
        "rule",
        f"{ssh(1)} 'sudo nft delete rule inet filter forward handle 4'",
    ),
    "a rule with a secret drops by lot": ("rule", f"{ssh(1)} 'sudo iptables -L FORWARD -n --line-numbers'"),
    "a rule drops by lot what is for another range": ("", ""),
    "a third of what one worker exchanges is lost": ("", ""),
}


@pytest.mark.parametrize(("fault", "told"), LOSSES.items(), ids=LOSSES)
def test_a_rule_that_drops_by_chance_is_named_and_taken_away(fault: str, told: tuple[str, str]) -> None:
    variant, fix = told
    for found in everything(FAULTS[fault][0]):
        assert found.variant == variant
        assert not fix or catalogue("en").finding(found).fix.partition("\n")[0] == fix


def test_of_rules_at_both_ends_each_pair_is_told_the_first_on_its_way() -> None:
    found = everything(FAULTS["a rule at either end drops by lot"][0])
    assert {f.worker: f.facts["pairs"] for f in found} == {
        "worker-0": "worker-0 → worker-1",
        "worker-1": "worker-1 → worker-0, worker-1 → worker-2, worker-2 → worker-1",
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_share_is_told_with_its_bounds(language: str) -> None:
    (found,) = everything(FAULTS["one pair loses a fifth"][0])
    assert found.observed == "worker-0 → worker-1 icmp: 40/200 = 20 % (14 %-28 %)"
    assert "20 % (14 %-28 %)" in catalogue(language).finding(found).why


LOST = (
    "one pair loses nearly all",
    "a share is lost, and some of what is sent never arrived",
    "three of 50 are lost, and no connection came about",
)


@pytest.mark.parametrize("fault", LOST)
def test_what_is_lost_in_part_is_neither_reached_nor_unreachable(fault: str) -> None:
    """Its checks are skipped until that is mended; the drawing shows it as reached in part."""
    evidence = FAULTS[fault][0]
    for check, worker in (("reaches-others", "worker-0"), ("is-reached-by-others", "worker-1")):
        outcome = asked(evidence, check, worker)
        assert outcome.status == "skipped"
        assert outcome.skip
        assert outcome.skip.told_by == "no-packets-lost"
        assert outcome.skip.after
        assert outcome.skip.after.code == "packets-lost"
    assert asked(evidence, "udp-between-pods", "worker-0").status == "skipped"
    assert outcomes(evidence)["worker-0", "worker-1"] == "partly"


def test_a_pair_of_which_only_the_count_came_back_is_drawn_as_reached_in_part() -> None:
    pair = ("worker-0", "worker-1")
    evidence = failing(losing(OK, 40, pair, sent=50, reached=False), pair)
    assert outcomes(evidence)[pair] == "partly"
    assert outcomes(failing(losing(OK, 50, pair, sent=50, reached=False), pair))[pair] == "failed"


def test_what_is_shut_is_told_although_a_share_is_lost_as_well() -> None:
    evidence = FAULTS["a share is lost, and UDP is shut"][0]
    (found,) = reachability.reaches_others_by_udp(Network(evidence), "worker-0")
    assert found.explained_by == ("security-group-blocks",)
    assert {lost.probe.protocol for lost in found.lost} == {"udp"}
    assert reachability.reaches_others(Network(evidence), "worker-0") == []


def test_a_pair_that_loses_next_to_nothing_is_reached() -> None:
    evidence = losing(OK, 3, ("worker-0", "worker-1"), reached=False)
    assert asked(evidence, "reaches-others", "worker-0").status == "passed"
    assert asked(evidence, "no-packets-lost", "worker-0").status == "passed"


def test_where_small_packets_fail_larger_ones_say_nothing_more() -> None:
    evidence = failing(OK, ("worker-0", "worker-1"))
    assert sizes.full_size_between(Network(evidence), "worker-0") == []
    assert losses.no_packets_lost(Network(evidence), "worker-0") == []
    for check in ("full-size-between-pods", "no-packets-lost"):
        outcome = asked(evidence, check, "worker-0")
        assert outcome.skip
        assert (outcome.skip.reason, outcome.skip.told_by) == ("run-skip-after", "reaches-others")


def _but(evidence: Evidence, *, protocol: str = "", size: bool = False) -> Evidence:
    """Without the probes of one protocol, or without those of full size, from worker-0 to worker-1."""

    def left(probe: Probe) -> bool:
        pair = (probe.source, probe.destination) == ("worker-0", "worker-1")
        return not (pair and (probe.protocol == protocol or (size and probe.size)))

    return replace(evidence, probes=tuple(filter(left, evidence.probes)))


def test_what_was_not_sent_is_no_pass() -> None:
    assert asked(_but(OK, protocol="udp"), "udp-between-pods", "worker-0").status == "error"
    assert asked(_but(OK, protocol="udp"), "no-packets-lost", "worker-0").status == "error"
    assert asked(_but(OK, size=True), "full-size-between-pods", "worker-0").status == "error"
    for check in MEASURED:
        assert asked(not_probed(OK, "worker-0", "worker-1"), check, "worker-0").status == "error"
        assert asked(OK, check, "worker-0").status == "passed"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_recording_from_before_is_not_looked_at_for_what_it_does_not_have(language: str) -> None:
    """And judged as before by all others."""
    small = tuple(probe for probe in OK.probes if probe.protocol != "udp" and not probe.size)
    verdict = judge(replace(OK, probes=small))
    errors = [each.error for each in verdict.outcomes if each.status == "error"]
    assert {each.check for each in verdict.outcomes if each.status != "passed"} == {*MEASURED}
    assert {error.variant for error in errors if error} == {"untold"}
    said = catalogue(language).error(verdict.errors[0])
    assert "UDP" in said.what
    assert "probes in time" not in said.what


def test_where_a_plugin_hands_packets_on_the_vpc_s_table_is_not_in_the_way() -> None:
    network = Network(
        sized(without_route(UNCHECKED, "10.200.0.0/24", "10.200.1.0/24", "10.200.2.0/24"), 8900)
    )
    large = [probe for probe in network.evidence.probes if probe.size]
    assert large
    assert [sizes.narrow(network, probe) for probe in large] == [[]] * len(large)
