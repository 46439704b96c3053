"""What is said of a bridge whose pods' packets iptables is not asked for."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.findings.bridge_netfilter import CODE
from kthw.findings.judging import judge
from kthw.observed.evidence import Chain, CniConfig, Evidence
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.changed_nodes import with_node
from tests.findings.clusters import healthy

OK = healthy()
FORWARD = Chain(
    tool="iptables",
    table="filter",
    name="FORWARD",
    policy="ACCEPT",
    rules=("-A FORWARD -m conntrack --ctstate NEW -j KUBE-SERVICES",),
)
KUBE_PROXY = (FORWARD, Chain(tool="iptables", table="filter", name="KUBE-SERVICES"))
"""Its chain is empty in the filter table as long as each service has a backend."""
NO_KUBE_PROXY = (replace(FORWARD, rules=()),)
FLANNEL = (CniConfig(file="10-flannel.conflist", type="flannel"),)
VPC_CNI = (CniConfig(file="10-aws.conflist", type="aws-cni"),)


def seen(state: str, firewall: tuple[Chain, ...] | None = KUBE_PROXY, **changes: object) -> Evidence:
    return with_node(OK, "worker-1", bridge_netfilter=state, firewall=firewall, **changes)


@pytest.mark.parametrize(("state", "told"), [("off", "nf-call-iptables is 0"), ("none", "not loaded")])
def test_with_kube_proxy_a_bridge_that_iptables_is_not_asked_for_is_worth_a_word(
    state: str, told: str
) -> None:
    """Red when 0, or a file that is not there, passes for 1."""
    verdict = judge(seen(state))
    (remark,) = verdict.remarks
    assert verdict.network is not None
    assert (remark.code, remark.worker) == (CODE, "worker-1")
    assert remark.facts == {"login": verdict.network.login("worker-1")}
    assert {o.status for o in verdict.outcomes} == {"passed"}
    assert told in catalogue("en").remark(remark).what
    for language in LANGUAGES:
        fix = catalogue(language).remark(remark).fix
        assert "sudo modprobe br_netfilter;" in fix
        assert "sudo sysctl -w net.bridge.bridge-nf-call-iptables=1" in fix
        assert "/etc/sysctl.d/99-bridge-netfilter.conf" in fix
        assert "/etc/modules-load.d/bridge-netfilter.conf" in fix


def test_a_bridge_that_flannel_makes_is_one() -> None:
    """Its plugin writes a file for the bridge plugin, and runs that."""
    (remark,) = judge(seen("off", cni=FLANNEL)).remarks
    assert (remark.code, remark.worker) == (CODE, "worker-1")


QUIET = {
    "1, with kube-proxy": seen("on"),
    "0, without kube-proxy": seen("off", NO_KUBE_PROXY),
    "no module, without kube-proxy": seen("none", NO_KUBE_PROXY),
    "a recording of before it was looked at": seen(""),
    "the firewall was not looked at": seen("off", None),
    "kube-proxy that works by nft": seen("off", (Chain(tool="nft", table="ip kube", name="KUBE-SERVICES"),)),
    "pods that are on no bridge": seen("off", cni=VPC_CNI),
    "no CNI file at all": seen("off", cni=()),
}


@pytest.mark.parametrize("evidence", QUIET.values(), ids=QUIET)
def test_elsewhere_nothing_is_said_of_it(evidence: Evidence) -> None:
    assert CODE not in {remark.code for remark in judge(evidence).remarks}
