"""Labs as they were recorded on AWS, re-made: what the reader reads of them, and what is judged of that."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kthw.findings.judging import judge
from kthw.intended.cluster import Intended
from kthw.observed.evidence import Evidence
from tests.findings.changed_nodes import failing, masquerade_off, with_cni, with_node
from tests.findings.clusters import healthy
from tests.findings.faults_of_node_routes import by_nodes
from tests.observed.recorded_account import (
    GATEWAY,
    GROUP,
    TABLE,
    Answer,
    account,
    aged,
    by_instance,
    group,
    instance,
    pings,
    port,
    read,
    rule,
    ruling,
    table,
    through,
)

WORKERS = ("worker-0", "worker-1", "worker-2")
THREE = Intended(workers=WORKERS)
SAID = {f"i-0aaaaaaaaaaaaaa0{n}": f"name=worker-{n}|pod-cidr=10.200.{n}.0/24" for n in range(3)}
PODS = [by_instance(n, f"10.200.{n}.0/24") for n in range(3)]
ELSEWHERE = [by_instance(n, f"172.22.{n}.0/24") for n in range(3)]
NODES = group(
    GROUP,
    [
        pings("0.0.0.0/0"),
        *(port(number, "0.0.0.0/0") for number in (22, 443, 6443)),
        rule("-1", "10.0.0.0/16", "10.200.0.0/16"),
    ],
)
JUMP, CONTROL = "sg-07777777777777772", "sg-07777777777777773"
MISSING, CHECKED, BLOCKED = ("route-missing",), ("source-dest-check-on",), ("security-group-blocks",)


def workers(*, check: bool = False) -> list[Answer]:
    return [instance(n, name, check=check) for n, name in enumerate(WORKERS)]


def controllers(count: int, *, check: bool = True, groups: tuple[str, ...] = (GROUP,)) -> list[Answer]:
    return [instance(7 + n, f"controller-{n}", check=check, groups=groups) for n in range(count)]


def pinged(evidence: Evidence) -> Evidence:
    """Nothing that a pod sends to another node's is answered; what it sends to its own node is."""
    return failing(evidence, ("*", "*"))


def of_terraform(intended: Intended, *, looked: bool) -> Evidence:
    """Made by Terraform: the check is on everywhere, no user data, no pod routes yet."""
    answers = account([*workers(check=True), *controllers(3)], [ruling()], [NODES])
    return read(answers, intended, {}, healthy() if looked else None)


def by_kernel_routes(*, check: bool = False) -> dict[str, Answer]:
    """Two nodes, a server and a jump host; a group that knows the nodes' subnet and no pods."""
    nodes = [instance(n, f"node-{n}", check=check) for n in range(2)]
    others = [instance(7, "server", check=True), instance(8, "jumpbox", check=True)]
    known = group(GROUP, [port(22, "0.0.0.0/0"), rule("-1", "10.0.1.0/24")])
    return account([*nodes, *others], [ruling()], [known])


TWO = Intended(workers=("node-0", "node-1"), pod_cidrs={f"node-{n}": f"10.200.{n}.0/24" for n in range(2)})
KERNEL = by_nodes(healthy(2, names="node-{}"))


def of_one_range() -> Evidence:
    """Both workers' pods have addresses of the whole cluster's range, so that both have a 10.200.0.2."""
    evidence = healthy(2)
    for worker in evidence.nodes:
        evidence = with_cni(evidence, worker, subnet="10.200.0.0/16")
        evidence = with_node(evidence, worker, pod="10.200.0.2")
    answers = account(workers(check=True)[:2], [ruling(*PODS[:2])], [NODES])
    return read(answers, Intended(workers=WORKERS[:2]), SAID, pinged(evidence))


def apart() -> list[Answer]:
    """The groups of workers and controllers: each lets in the other and the jump host, and nobody itself."""
    from_jump = [port(22, groups=[JUMP]), pings(groups=[JUMP])]
    served = [*from_jump, port(80, groups=[JUMP]), rule("-1", groups=[CONTROL])]
    control = [*from_jump, port(6443, groups=[JUMP]), rule("-1", groups=[GROUP])]
    return [
        group(GROUP, served, [rule("-1", groups=[CONTROL])]),
        group(CONTROL, control, [rule("-1", groups=[GROUP])]),
        group(JUMP, [port(22, "0.0.0.0/0")]),
    ]


def three(*routes: Answer, groups: tuple[Answer, ...] = (NODES,), looked: Evidence | None = None) -> Evidence:
    """The chapter's three workers; without ``looked`` all of them and their packets are as they should be."""
    return read(account(workers(), [ruling(*routes)], [*groups]), THREE, SAID, looked or healthy())


def aged_by_ten_years() -> Evidence:
    """ENIs with ids of eight digits, which instances made later have routes to."""
    enis = [f"eni-1a2b3c4{n}" for n in range(3)]
    listed = [aged(each, eni) for each, eni in zip(workers(), enis, strict=True)]
    routes = [by_instance(n, f"10.200.{n}.0/24", NetworkInterfaceId=eni) for n, eni in enumerate(enis)]
    return read(account(listed, [ruling(*routes)], [NODES]), THREE, SAID, healthy())


def unassociated() -> Evidence:
    """The chapter's table, and no subnet that it rules."""
    loose = table(TABLE, [], *PODS, through("GatewayId", GATEWAY))
    return read(account(workers(), [loose], [NODES]), THREE, SAID, healthy())


def set_apart() -> Evidence:
    listed = [*workers(), *controllers(1, groups=(CONTROL,))]
    return read(account(listed, [ruling(*PODS)], apart()), THREE, SAID, healthy())


FOR_THE_WORLD = group(GROUP, [port(6443, "0.0.0.0/0"), port(22, "0.0.0.0/0"), pings("0.0.0.0/0")])
BY_OPTION = Intended(workers=WORKERS, pod_cidrs={w: f"10.200.{n}.0/24" for n, w in enumerate(WORKERS)})
LABS: dict[str, tuple[Callable[[], Evidence], tuple[str, ...]]] = {
    "pings between pods before the routes are there": (
        lambda: three(looked=pinged(healthy())),
        (*MISSING * 3, *("pod-unreachable",) * 6),
    ),
    "pings between pods after": (lambda: three(*PODS), ()),
    "no names in pods: the range of all of them on both nodes, and the check is on": (
        of_one_range,
        (*CHECKED * 2, *("cni-subnet-mismatch",) * 2, *("pod-unreachable",) * 4),
    ),
    "a table that no subnet is associated with": (unassociated, ("subnet-not-associated",)),
    "a group for SSH, the API and pings": (lambda: three(*PODS, groups=(FOR_THE_WORLD,)), BLOCKED),
    "by Terraform, and nothing says a pod CIDR": (
        lambda: of_terraform(THREE, looked=False),
        (*("pod-cidr-missing",) * 3, *CHECKED * 3),
    ),
    "by Terraform, and an option says the pod CIDRs": (
        lambda: of_terraform(BY_OPTION, looked=True),
        (*CHECKED * 3, *MISSING * 3),
    ),
    "ENIs with ids of eight digits": (aged_by_ten_years, ()),
    "routes for other ranges than the user data says": (lambda: three(*ELSEWHERE), MISSING * 3),
    "kernel routes, a group without the pods' range, packets masqueraded": (
        lambda: read(by_kernel_routes(), TWO, {}, KERNEL),
        (),
    ),
    "kernel routes, a group without the pods' range, packets as the pods send them": (
        lambda: read(by_kernel_routes(), TWO, {}, masquerade_off(KERNEL)),
        BLOCKED,
    ),
    "kernel routes, and the check is on": (
        lambda: read(by_kernel_routes(check=True), TWO, {}, KERNEL),
        CHECKED * 2,
    ),
    "a group for workers without a rule for workers, neither in nor out": (set_apart, BLOCKED * 2),
}


@pytest.mark.parametrize(("lab", "codes"), LABS.values(), ids=LABS)
def test_a_lab_as_it_was_recorded(lab: Callable[[], Evidence], codes: tuple[str, ...]) -> None:
    assert tuple(finding.code for finding in judge(lab()).findings) == codes


def test_a_route_for_another_range_is_told_as_the_nearest() -> None:
    found = judge(three(*ELSEWHERE)).findings
    assert [finding.near_miss for finding in found] == [
        f"172.22.{n}.0/24 → worker-{n} (i-0aaaaaaaaaaaaaa0{n}, 10.0.1.{20 + n}) active" for n in range(3)
    ]


def test_what_a_group_lets_through_instead_is_told_by_the_group_that_it_names() -> None:
    out, into = judge(set_apart()).findings
    assert (out.subject, out.observed) == (f"{GROUP} · egress · 10.200.0.0/16", f"all → {CONTROL}")
    assert into.subject == f"{GROUP} · ingress · 10.0.0.0/16"
    assert into.observed == (f"all ← {CONTROL}; icmp ← {JUMP}; tcp 22 ← {JUMP}; tcp 80 ← {JUMP}")


def test_pods_that_do_not_answer_are_explained_by_what_stands_in_their_way() -> None:
    """Before the routes: each pair by the routes that it lacks. With one range for all: by both faults."""
    for lab, codes in (
        (three(looked=pinged(healthy())), {"route-missing"}),
        (of_one_range(), {"source-dest-check-on", "cni-subnet-mismatch"}),
    ):
        silent = [finding for finding in judge(lab).findings if finding.code == "pod-unreachable"]
        assert silent
        for finding in silent:
            assert set(finding.explained_by) == codes
