"""What is so of all packets is told by a run: on the terminal, on the page, in ``report.json``."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.findings.sent import to_send
from kthw.words.messages import catalogue
from tests.findings.changed_nodes import with_forward_chain
from tests.findings.clusters import OK
from tests.plugin.conftest import Run

ONE_PORT_SHUT = with_forward_chain(OK, "worker-1", "-p udp -m udp --dport 19 -j DROP")


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_a_run_tells_the_packet_that_does_not_come_through_and_is_green(language: str, judge: Run) -> None:
    ran = judge(replace(ONE_PORT_SHUT, sent=to_send(ONE_PORT_SHUT)), "--language", language)
    words = catalogue(language)
    output = " ".join(ran.output.split())
    assert ran.code == 0
    for said in (
        words.say("report-proof-part", count=6, proved=2, stopped=4, unknown=0),
        "udp 10.200.0.2:32768 → 10.200.1.2:19",
        words.say("report-proof-needless"),
        words.say("report-proof-lost"),
    ):
        assert said in output
    assert words.say("report-proof") in ran.page
    assert words.say("report-proof-lost") in ran.page
    assert ran.document["proof"]["pairs"][0]["sent"] == "lost"
