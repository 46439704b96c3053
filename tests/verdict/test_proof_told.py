"""What is so of all packets, as it is told: in a line, on the page, and in ``report.json``."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.findings.judging import judge
from kthw.observed.evidence import Evidence, Sent
from kthw.verdict.page import page
from kthw.verdict.report import Report, Summary
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.changed_aws import with_route
from tests.findings.changed_nodes import with_forward_chain, with_node
from tests.findings.clusters import OK, route
from tests.findings.faults_of_installed_networks import HEALTHY as INSTALLED

ENGLISH = catalogue("en")
ONE_PORT_SHUT = with_forward_chain(OK, "worker-1", "-p udp -m udp --dport 19 -j DROP")
SENT = Sent(source="worker-0", destination="worker-1", protocol="udp", port=19, asker=32768)


def told(evidence: Evidence) -> list[str]:
    proofs = Report(judge(evidence), Summary()).proofs
    return [" ".join(proofs.lines(each, ENGLISH)) for each in proofs.told]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_healthy_cluster_is_proved_in_one_line(language: str) -> None:
    report, words = Report(judge(OK), Summary()), catalogue(language)
    line = report.proofs.summary(words)
    assert "(6 " in line
    assert line in page(report, words, ["target"])
    assert report.document(words)["proof"]["proved"] == 6


def test_one_shut_port_that_nobody_needs_is_no_finding_and_is_told() -> None:
    report = Report(judge(ONE_PORT_SHUT), Summary())
    assert report.findings == ()
    (shut,) = report.proofs.unfound
    first, finding, sent = report.proofs.lines(shut, ENGLISH)
    assert first == (
        "worker-0 → worker-1, worker-1 → worker-0, worker-1 → worker-2, … (4): "
        "udp 10.200.0.2:32768 → 10.200.1.2:19 does not come through; it is stopped by "
        "worker-1: -A FORWARD -p udp -m udp --dport 19 -j DROP."
    )
    assert finding == ENGLISH.say("report-proof-needless")
    assert sent == ENGLISH.say("report-proof-unsent")
    proof = report.document(ENGLISH)["proof"]
    assert (proof["proved"], proof["stopped"], proof["unknown"]) == (2, 4, 0)
    assert proof["pairs"][0] == {
        "source": "worker-0",
        "destination": "worker-1",
        "outcome": "stopped",
        "flow": "udp 10.200.0.2:32768 → 10.200.1.2:19",
        "where": "worker-1: -A FORWARD -p udp -m udp --dport 19 -j DROP",
        "code": "",
        "doubt": "",
        "sent": "",
    }


@pytest.mark.parametrize(("reached", "key"), [(False, "lost"), (True, "arrived")])
def test_what_came_of_the_packet_that_was_sent_is_told(*, reached: bool, key: str) -> None:
    evidence = replace(ONE_PORT_SHUT, sent=(replace(SENT, reached=reached),))
    assert told(evidence)[0].endswith(ENGLISH.say(f"report-proof-{key}"))
    other = replace(ONE_PORT_SHUT, sent=(replace(SENT, port=20, reached=reached),))
    assert told(other)[0].endswith(ENGLISH.say("report-proof-unsent"))


def test_a_part_of_the_pods_that_is_led_away_is_part_of_its_finding() -> None:
    evidence = with_route(OK, route(0, "10.200.1.128/25"))
    (found,) = told(evidence)
    assert "icmp 10.200.0.2 → 10.200.1.128 does not come through" in found
    assert ENGLISH.say("report-proof-of", code="route-shadowed") in found
    assert found.endswith(ENGLISH.say("report-proof-unsent"))
    sent = Sent(
        source="worker-0", destination="worker-1", protocol="icmp", destination_address="10.200.1.128"
    )
    (found,) = told(replace(evidence, sent=(sent,)))
    assert found.endswith(ENGLISH.say("report-proof-lost"))
    (found,) = told(replace(evidence, sent=(replace(sent, taken=True),)))
    assert found.endswith(ENGLISH.say("report-proof-taken"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_known_says_why(language: str) -> None:
    report, words = Report(judge(with_node(OK, "worker-1", firewall=None)), Summary()), catalogue(language)
    (unknown,) = report.proofs.told
    (line,) = report.proofs.lines(unknown, words)
    assert words.say("report-proof-doubt-firewall", where="worker-1") in line
    assert report.proofs.unfound == []


def test_nothing_is_proved_where_no_node_was_seen_or_a_plugin_has_ways_of_its_own() -> None:
    for evidence in (replace(OK, nodes={}, probes=()), next(iter(INSTALLED.values()))):
        report = Report(judge(evidence), Summary())
        assert report.proofs.summary(ENGLISH) == ""
        assert report.document(ENGLISH)["proof"] is None
