"""Selectors find instances, and each worker gets a name of its own, the same whoever looks."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.findings.judging import judge
from kthw.intended.cluster import BadNames, Intended
from kthw.intended.selectors import FoundNobody, Selector, asked_workers
from kthw.observed.choosing import Tagged, among, chosen
from kthw.observed.evidence import Evidence, Instance
from kthw.observed.namesakes import candidates
from kthw.words.messages import LANGUAGES, catalogue
from kthw.words.nobody import screen
from tests.findings.changed_aws import with_instance, with_more_instances, without_instance
from tests.findings.clusters import OK, healthy, instance

VPC = "vpc-0a"


def machine(number: int, name: str, state: str = "running", address: str = "", **tags: str) -> Tagged:
    there = address or f"10.0.1.{number}"
    seen = Instance(id=f"i-{number:017x}", state=state, name=name, vpc=VPC, address=there)
    return Tagged(seen, {**({"Name": name} if name else {}), **tags})


GROUP = [machine(n, "k8s-worker", Role="worker") for n in (22, 20, 100)]
ACCOUNT = [
    *GROUP,
    machine(1, "worker-10", Role="worker", zone="a"),
    machine(2, "worker-2", Role="Worker"),
    machine(3, "worker-1", state="terminated", Role="worker"),
    machine(4, "controller-0", Role="controller"),
    machine(5, "", Role="none"),
    machine(6, "a,b", Role="odd"),
    machine(7, "7", Role="odd"),
    machine(8, "sleeper", state="stopped", Role="old"),
]
FOUND = {
    "worker-*": ("worker-2", "worker-10"),
    "worker-?": ("worker-2",),
    "worker-[2-3]*,*-0": BadNames,
    "*er-0": ("controller-0",),
    "WORKER-*": FoundNobody,
    "tag:Role=worker": ("k8s-worker@10.0.1.20", "k8s-worker@10.0.1.22", "k8s-worker@10.0.1.100", "worker-10"),
    "tag:Role=[wW]orker": FoundNobody,
    "tag:Role=?orker,controller-0": (
        "k8s-worker@10.0.1.20", "k8s-worker@10.0.1.22", "k8s-worker@10.0.1.100", "worker-2", "worker-10",
        "controller-0",
    ),
    "tag:zone=*": ("worker-10",),
    "tag:Name=k8s-worker": ("k8s-worker@10.0.1.20", "k8s-worker@10.0.1.22", "k8s-worker@10.0.1.100"),
    "k8s-worker,tag:zone=a": ("k8s-worker", "worker-10"),
    "k8s-worker,tag:Name=k8s-w*": ("k8s-worker@10.0.1.20", "k8s-worker@10.0.1.22", "k8s-worker@10.0.1.100"),
    "worker-9,10.0.1.2": ("worker-9", "worker-2"),
    "k8s-worker@10.0.1.22": ("k8s-worker",),
    f"k8s-worker@i-{22:017x},k8s-worker@10.0.1.20": ("k8s-worker@10.0.1.22", "k8s-worker@10.0.1.20"),
    f"i-{5:017x}": (f"i-{5:017x}",),
    "tag:Role=odd": (f"i-{7:017x}", f"i-{6:017x}"),
    "tag:Role=old": ("sleeper",),
    "worker-1*": ("worker-10",),
    "10.0.1.3": FoundNobody,
}  # fmt: skip


@pytest.mark.parametrize(("typed", "expected"), FOUND.items(), ids=FOUND)
def test_a_selector_finds_the_living_instances_that_meet_it(
    typed: str, expected: tuple[str, ...] | type[BadNames]
) -> None:
    if isinstance(expected, type):
        with pytest.raises(expected):
            chosen(asked_workers(typed), ACCOUNT, typed, {})
        return
    seen = chosen(asked_workers(typed), ACCOUNT, typed, {})
    assert seen.workers == expected
    again = chosen(asked_workers(typed), ACCOUNT[::-1], typed, {})
    assert again == seen


def test_workers_that_were_found_are_found_again_by_what_they_are_called() -> None:
    """What a report or a fix prints can be typed."""
    first = chosen(asked_workers("tag:Role=worker"), ACCOUNT, "", {})
    typed = ",".join(first.workers)
    again = chosen(asked_workers(typed), ACCOUNT, typed, {})
    assert again.workers == first.workers
    named = {worker: found for worker, found in first.instances.items() if "@" in worker}
    assert {worker: found for worker, found in again.instances.items() if "@" in worker} == named


def test_two_of_one_name_and_one_address_are_told_apart_by_their_ids() -> None:
    twins = [machine(n, "node", address="10.0.1.9") for n in (1, 2)]
    seen = chosen(asked_workers("node*"), twins, "", {})
    assert seen.workers == (f"i-{1:017x}", f"i-{2:017x}")


@pytest.mark.parametrize("typed", ["tag:Role", "tag:=x", "wor;ker*", "a\u202e*", "tag:a=b\x1b[31m"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_no_selector_is_refused_with_what_there_is(typed: str, language: str) -> None:
    with pytest.raises(BadNames) as refused:
        asked_workers(typed)
    assert refused.value.key == "run-bad-selector"
    said = catalogue(language).say(refused.value.key, **refused.value.facts)
    assert said.isprintable()
    assert "tag:" in said


def test_names_that_only_resemble_selectors_are_names() -> None:
    names = ("i-am-a-worker", "user@host", "10.0.1.256", "tagged=yes", "a@b@10.0.1")
    assert asked_workers(",".join(names)) == names
    assert all(isinstance(each, Selector) for each in asked_workers("i-0123abcd,10.0.1.25,a@10.0.1.2"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_nobody_is_found_a_screen_tells_who_is_there_and_what_would_fit(language: str) -> None:
    many = [*ACCOUNT, *(machine(n, f"web-{n}") for n in range(30, 60))]
    with pytest.raises(FoundNobody) as nobody:
        chosen(asked_workers("tag:Role=Wörker"), many, "tag:Role=Wörker", {"region": "eu-west-1"})
    nobody.value.looked = 16
    text = screen(catalogue(language), nobody.value, "./run routes")
    lines = text.splitlines()
    assert len(lines) < 24
    assert "eu-west-1" in lines[0]
    assert f"  k8s-worker (i-{20:017x}, 10.0.1.20) running {VPC}" in lines
    assert "worker-1 (" not in text
    assert lines[-1] == "  ./run routes --workers tag:Role=worker"
    assert "{" not in text


@pytest.mark.parametrize(
    ("typed", "better"),
    [
        ("tag:Role=WORKER", "tag:Role=Worker"),
        ("WORKER-2*,x", "tag:Name=worker-2"),
        ("tag:Rolle=worker", "tag:Name=k8s-worker"),
        ("10.9.9.9", "tag:Name=k8s-worker"),
    ],
)
def test_what_might_have_been_meant_is_something_that_finds_somebody(typed: str, better: str) -> None:
    with pytest.raises(FoundNobody) as nobody:
        chosen(asked_workers(typed), ACCOUNT, typed, {})
    assert nobody.value.better == better
    assert chosen(asked_workers(better), ACCOUNT, better, {}).workers


def group(evidence: Evidence) -> Evidence:
    """The workers of ``evidence`` with one Name for all, asked for by a selector."""
    assert evidence.inventory is not None
    instances = evidence.inventory.instances
    by_name = {each.name: each for each in instances}
    names = {w: f"node@{by_name[w].address}" for w in evidence.intended.workers}
    renamed = tuple(replace(i, name="node") if i.name in names else i for i in instances)
    return replace(
        evidence,
        inventory=replace(evidence.inventory, instances=renamed),
        intended=Intended(workers=tuple(names.values()), instances={names[w]: by_name[w].id for w in names}),
        nodes={names[worker]: node for worker, node in evidence.nodes.items()},
        probes=tuple(
            replace(each, source=names[each.source], destination=names.get(each.destination, ""))
            for each in evidence.probes
        ),
    )


def test_a_cluster_of_one_name_is_judged_by_which_instance_is_which() -> None:
    evidence = group(healthy())
    verdict = judge(evidence)
    assert [f.code for f in verdict.findings] == []
    assert {outcome.status for outcome in verdict.outcomes} == {"passed"}
    assert len({outcome.subject for outcome in verdict.outcomes}) == len(OK.intended.workers)


def test_a_namesake_that_was_not_chosen_is_a_stranger() -> None:
    evidence = with_more_instances(group(healthy()), instance(9, "node"))
    assert judge(evidence).findings == ()
    assert evidence.inventory is not None
    assert all(
        len(found) == 1 for found in candidates(evidence.inventory.instances, evidence.intended).values()
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_chosen_worker_that_is_gone_or_elsewhere_is_told_without_its_name_tag(language: str) -> None:
    evidence = OK
    assert evidence.inventory is not None
    first = next(i for i in evidence.inventory.instances if i.name == "worker-1")
    intended = replace(evidence.intended, instances={"worker-1": first.id})
    gone = with_instance(replace(evidence, intended=intended), "worker-1", state="terminated")
    vanished = without_instance(replace(evidence, intended=intended), "worker-1")
    moved = with_instance(replace(evidence, intended=intended), "worker-1", vpc="vpc-0other")
    for seen, variant in ((gone, "chosen"), (vanished, "chosen"), (moved, "chosen-elsewhere")):
        found = next(f for f in judge(seen).findings if f.code == "worker-missing")
        assert found.variant == variant
        said = catalogue(language).finding(found)
        assert f"--instance-ids {first.id}" in said.fix
        assert "tag:Name" not in said.fix


def test_a_selector_chooses_among_the_workers_of_a_recorded_run() -> None:
    assert among(asked_workers("*-[1-2],worker-0"), OK, "") == ("worker-1", "worker-2", "worker-0")
    recorded = group(healthy())
    one = recorded.intended.workers[1]
    assert among(asked_workers(one), recorded, "") == (one,)
    assert among(asked_workers("tag:Name=node"), recorded, "") == recorded.intended.workers
    missing = without_instance(OK, "worker-1")
    assert among(asked_workers("worker-?"), missing, "") == OK.intended.workers


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("tag:Role=worker", "run-recorded-no-tags"),
        ("controller*", "run-not-recorded"),
        ("worker-0,worker-9", "run-not-recorded"),
    ],
)
def test_what_a_recorded_run_cannot_tell_is_refused(typed: str, key: str) -> None:
    with pytest.raises(BadNames) as refused:
        among(asked_workers(typed), OK, typed)
    assert refused.value.key == key
