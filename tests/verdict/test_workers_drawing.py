"""A worker that is drawn tells what its node says of itself."""

from __future__ import annotations

import pytest

from kthw.findings.judging import judge
from kthw.verdict.drawing import drawing
from kthw.words.messages import catalogue
from tests.findings.changed_nodes import with_node
from tests.findings.clusters import OK


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "worker-1; it calls itself ip-10-0-1-21: ens5 MTU 9001, cnio0 MTU 1500"),
        ("pt-BR", "worker-1; diz que se chama ip-10-0-1-21: ens5 MTU 9001, cnio0 MTU 1500"),
    ],
)
def test_a_node_s_name_and_its_interfaces_mtu_are_shown(language: str, said: str) -> None:
    evidence = with_node(OK, "worker-1", hostname="ip-10-0-1-21")
    drawn = drawing(judge(evidence), catalogue(language))
    assert f"<title>{said}</title>" in drawn
    assert "<title>worker-0</title>" in drawn


def test_what_a_node_calls_itself_is_no_markup() -> None:
    drawn = drawing(judge(with_node(OK, "worker-1", hostname="<b>\x1b[2J")), catalogue("en"))
    assert "&lt;b&gt;" in drawn
    assert "<b>" not in drawn
    assert "\x1b" not in drawn
