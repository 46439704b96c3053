"""Which instances look like workers, where nobody said, and how they are then named."""

from __future__ import annotations

import pytest

from kthw.lab.guess import asked_for, groups
from kthw.observed.choosing import Tagged
from kthw.observed.evidence import Instance


def there(*each: tuple[str, str, dict[str, str]], state: str = "running") -> list[Tagged]:
    """Instances by name, VPC and tags, in that order of ids and addresses."""
    return [
        Tagged(
            Instance(
                id=f"i-{number:017x}",
                state=state,
                name=name,
                vpc=vpc,
                address=f"10.0.1.{20 + number}",
                pod_cidr_tags={key: value for key, value in tags.items() if key == "pod-cidr"},
            ),
            {**tags, **({"Name": name} if name else {})},
        )
        for number, (name, vpc, tags) in enumerate(each)
    ]


CONTROLLER = ("controller-0", "vpc-1", {"Role": "controller"})
ALIKE = {
    "the chapter's names": (
        [CONTROLLER, ("worker-0", "vpc-1", {}), ("worker-1", "vpc-1", {})],
        ("name", "worker-*"),
        ("worker-0", "worker-1"),
    ),
    "numbers in the order of numbers": (
        [("k8s-worker-10", "vpc-1", {}), ("k8s-worker-9", "vpc-1", {})],
        ("name", "k8s-worker-*"),
        ("k8s-worker-9", "k8s-worker-10"),
    ),
    "letters for numbers": (
        [("worker-a", "vpc-1", {}), ("worker-b", "vpc-1", {})],
        ("name", "worker-*"),
        ("worker-a", "worker-b"),
    ),
    "the present original's names": (
        [("jumpbox", "vpc-1", {}), ("node-0", "vpc-1", {}), ("node-1", "vpc-1", {})],
        ("node", "node-*"),
        ("node-0", "node-1"),
    ),
    "one name for all": (
        [("k8s-worker", "vpc-1", {}), ("k8s-worker", "vpc-1", {})],
        ("name", "k8s-worker"),
        ("tag:Name=k8s-worker",),
    ),
    "a tag, and no names": (
        [CONTROLLER, ("", "vpc-1", {"Role": "worker"}), ("", "vpc-1", {"Role": "worker"})],
        ("tag", "tag:Role=worker"),
        ("tag:Role=worker",),
    ),
    "a tag, and names of their own": (
        [("athens", "vpc-1", {"Role": "worker"}), ("berlin", "vpc-1", {"Role": "worker"})],
        ("tag", "tag:Role=worker"),
        ("athens", "berlin"),
    ),
    "a tag that no list can hold": (
        [("", "vpc-1", {"Role": "worker,big"}), ("", "vpc-1", {"Role": "worker,big"})],
        ("tag", "tag:Role=worker,big"),
        ("i-00000000000000000", "i-00000000000000001"),
    ),
    "pod CIDRs in tags": (
        [CONTROLLER, ("a0", "vpc-1", {"pod-cidr": "10.200.0.0/24"})],
        ("cidr", "a*"),
        ("a0",),
    ),
    "a name that is a list": (
        [("worker-0, old", "vpc-1", {}), ("worker-1, old", "vpc-1", {})],
        ("name", "worker-*, old"),
        ("i-00000000000000000", "i-00000000000000001"),
    ),
}


@pytest.mark.parametrize(("seen", "like", "workers"), ALIKE.values(), ids=ALIKE)
def test_workers_are_told_by_the_strongest_sign(
    seen: list[tuple[str, str, dict[str, str]]], like: tuple[str, str], workers: tuple[str, ...]
) -> None:
    every = there(*seen)
    (one,) = groups(every)
    assert (one.sign, one.what) == like
    assert asked_for(one.instances, every, one.what) == workers


@pytest.mark.parametrize(
    "name", ["controller-0", "k8s-master-1", "etcd-node-0", "bastion-node", "node-balancer", "web-1", ""]
)
def test_nobody_else_is_taken_for_a_worker(name: str) -> None:
    assert groups(there((name, "vpc-1", {"Name": name}))) == []


def test_who_is_gone_is_no_worker() -> None:
    assert groups(there(("worker-0", "vpc-1", {}), state="terminated")) == []


def test_two_networks_or_two_clusters_are_two_labs() -> None:
    networks = groups(there(("worker-0", "vpc-1", {}), ("worker-0", "vpc-2", {})))
    assert [(each.vpc, each.what) for each in networks] == [("vpc-1", "worker-*"), ("vpc-2", "worker-*")]
    clusters = groups(there(("blue-worker-0", "vpc-1", {}), ("green-worker-0", "vpc-1", {})))
    assert [each.what for each in clusters] == ["blue-worker-*", "green-worker-*"]


def test_of_two_networks_with_the_same_names_the_workers_of_one_are_named_with_their_ids() -> None:
    every = there(("worker-0", "vpc-1", {}), ("worker-0", "vpc-2", {}))
    first, second = groups(every)
    assert asked_for(first.instances, every) == ("worker-0@i-00000000000000000",)
    assert asked_for(second.instances, every) == ("worker-0@i-00000000000000001",)
