"""Workers and pod CIDRs as evidence shows them."""

from __future__ import annotations

import base64

from msgspec.structs import replace

from kthw.observed.evidence import (
    Elsewhere,
    Evidence,
    Instance,
    Inventory,
    Namesake,
    Statement,
    UserData,
    Vpc,
)
from tests.findings.changed_aws import (
    with_instance,
    with_inventory,
    with_more_instances,
    with_route,
    with_user_data,
    without_instance,
    without_route,
)
from tests.findings.changed_nodes import with_cni, with_node
from tests.findings.clusters import LOCAL, OK, ONE, VPC, healthy, instance, route
from tests.findings.judged import Faults, Healthy


def pods(evidence: Evidence, worker: str, cidr: str) -> Evidence:
    """Give a worker another pod CIDR, everywhere but in the VPC's routes."""
    evidence = with_user_data(evidence, worker, name=worker, pod_cidr=cidr)
    return with_cni(evidence, worker, subnet=cidr)


def stating(evidence: Evidence, *cidrs: str) -> Evidence:
    """Let worker-1's user data be a script that assigns these."""
    said = tuple(Statement(cidr=cidr, form="assigned", key="POD_CIDR") for cidr in cidrs)
    return with_instance(evidence, "worker-1", user_data=UserData(text="#!/bin/sh", statements=said))


UNSAID = with_cni(without_route(with_user_data(OK, "worker-1"), ONE), "worker-1", subnet="")
"""Nothing says worker-1's pod CIDR, and none can be assumed."""
TAGGED = with_instance(with_user_data(OK, "worker-1"), "worker-1", pod_cidr_tags={"PodCidr": ONE})
BY_OPTION = replace(
    with_user_data(OK, "worker-1"), intended=replace(OK.intended, pod_cidrs={"worker-1": ONE})
)
BY_KUBELET = with_node(
    with_cni(with_user_data(OK, "worker-1"), "worker-1", subnet=""), "worker-1", kubelet_pod_cidr=ONE
)


ZERO = "10.200.0.0/24"


def expecting(evidence: Evidence, count: int) -> Evidence:
    return replace(evidence, intended=replace(evidence.intended, expected=count))


CHOSEN = replace(
    OK,
    intended=replace(OK.intended, instances={f"worker-{n}": f"i-0{n}" for n in range(3)}),
)
"""The workers are the instances that ``--workers`` found."""

ENCODED = base64.b64encode(b"name=worker-1|pod-cidr=10.200.1.0/24").decode()
PADDED = base64.b64encode(b"name=worker-1|pod-cidr=10.200.1.0/24\n").decode()

ELSEWHERE = Elsewhere(
    regions=("eu-west-1", "sa-east-1"),
    found=tuple(
        Namesake(name=name, id=f"i-0e{n}", region="eu-west-1", state="running")
        for n, name in enumerate(OK.intended.workers)
    ),
)
NOWHERE = Elsewhere(regions=("eu-west-1", "sa-east-1"))
NOBODY = replace(OK, inventory=Inventory(account="1", region="us-east-1"), nodes={}, probes=())
"""A region without any worker."""
TWELVE = without_route(healthy(12), "10.200.10.0/24", "10.200.11.0/24")
STRANGERS = (Instance(id="i-0x", state="running", name="nodo-a"), Instance(id="i-0y", state="stopped"))

FAULTS: Faults = {
    "another region": (with_inventory(NOBODY, elsewhere=ELSEWHERE), 3 * ("worker-missing",)),
    "others in this region, and the workers in another": (
        with_inventory(NOBODY, elsewhere=ELSEWHERE, instances=STRANGERS),
        3 * ("worker-missing",),
    ),
    "a worker in another region": (
        with_inventory(without_route(without_instance(OK, "worker-1"), ONE), elsewhere=ELSEWHERE),
        ("worker-missing",),
    ),
    "nobody but strangers, anywhere": (
        with_inventory(NOBODY, elsewhere=NOWHERE, instances=STRANGERS),
        3 * ("worker-missing",),
    ),
    "nobody at all, anywhere": (with_inventory(NOBODY, elsewhere=NOWHERE), 3 * ("worker-missing",)),
    "nobody here, and no other region looked into": (NOBODY, 3 * ("worker-missing",)),
    "chosen, and gone since": (
        without_route(with_instance(CHOSEN, "worker-1", state="terminated"), ONE),
        ("worker-missing",),
    ),
    "chosen, in another VPC": (
        without_route(with_instance(CHOSEN, "worker-1", vpc="vpc-0b", subnet="subnet-0z"), ONE),
        ("worker-missing",),
    ),
    "nobody but many strangers, anywhere": (
        with_inventory(
            NOBODY,
            elsewhere=NOWHERE,
            instances=tuple(Instance(id=f"i-0{n}", state="running") for n in range(5)),
        ),
        3 * ("worker-missing",),
    ),
    "nobody but a stranger that is terminated, anywhere": (
        with_inventory(NOBODY, elsewhere=NOWHERE, instances=(replace(STRANGERS[0], state="terminated"),)),
        3 * ("worker-missing",),
    ),
    "nobody here, and no other region answered": (
        with_inventory(NOBODY, elsewhere=Elsewhere()),
        3 * ("worker-missing",),
    ),
    "twelve workers where thirteen are expected": (expecting(healthy(12), 13), ("workers-unexpected",)),
    "thirteen workers where twelve are expected": (expecting(healthy(13), 12), ("workers-unexpected",)),
    "chosen by something else than its name, in another VPC": (
        without_route(
            with_instance(CHOSEN, "worker-1", name="node-b", vpc="vpc-0b", subnet="subnet-0z"), ONE
        ),
        ("worker-missing",),
    ),
    "fewer workers than expected": (expecting(OK, 4), ("workers-unexpected",)),
    "more workers than expected": (expecting(healthy(12), 11), ("workers-unexpected",)),
    # The workers. A route to an instance that is gone stays behind as a leftover.
    "worker never launched": (
        without_route(without_instance(OK, "worker-1"), ONE),
        ("worker-missing",),
    ),
    "worker terminated, route left": (
        with_route(with_instance(OK, "worker-1", state="terminated"), route(1, ONE, state="blackhole")),
        ("route-stale", "worker-missing"),
    ),
    "worker named otherwise": (
        with_instance(OK, "worker-1", name="Worker_1"),
        ("worker-missing",),
    ),
    "worker misspelt": (with_instance(OK, "worker-1", name="wrker-1"), ("route-stale", "worker-missing")),
    "four named much like the worker": (
        with_more_instances(
            without_instance(without_route(OK, ONE), "worker-1"),
            *(instance(7 + n, name) for n, name in enumerate(("wrkr-1", "wrker-1", "work-er1x", "woker-1"))),
        ),
        ("worker-missing",),
    ),
    "worker stopped": (
        with_route(with_instance(OK, "worker-1", state="stopped"), route(1, ONE, state="blackhole")),
        ("worker-not-running", "route-blackhole"),
    ),
    "worker still pending": (with_instance(OK, "worker-1", state="pending"), ("worker-not-running",)),
    "worker being stopped": (with_instance(OK, "worker-1", state="stopping"), ("worker-not-running",)),
    "worker being stopped, its route a blackhole": (
        with_route(with_instance(OK, "worker-1", state="stopping"), route(1, ONE, state="blackhole")),
        ("worker-not-running", "route-blackhole"),
    ),
    "two stopped namesakes": (
        with_more_instances(
            with_instance(OK, "worker-1", state="stopped"), instance(7, "worker-1", state="stopped")
        ),
        ("worker-not-running",),
    ),
    "two running namesakes": (with_more_instances(OK, instance(7, "worker-1")), ("worker-ambiguous",)),
    "worker in another VPC": (with_instance(OK, "worker-1", vpc="vpc-0other"), ("worker-missing",)),
    "stopped worker in another VPC": (
        with_instance(OK, "worker-1", vpc="vpc-0other", state="stopped"),
        ("worker-missing",),
    ),
    "namesake in another VPC": (
        with_more_instances(OK, instance(7, "worker-1", vpc="vpc-0other")),
        ("worker-ambiguous",),
    ),
    # The pod CIDR.
    "no user data": (with_user_data(UNSAID, "worker-1"), ("pod-cidr-missing",)),
    "empty pod-cidr": (with_user_data(OK, "worker-1", name="worker-1", pod_cidr=""), ("pod-cidr-missing",)),
    "pod-cider": (with_user_data(OK, "worker-1", name="worker-1", pod_cider=ONE), ("pod-cidr-missing",)),
    "pod-cider, among what is right": (
        with_user_data(
            without_route(OK, ONE), "worker-1", name="worker-1", zone="a", pod_cider="10.200.7.0/24"
        ),
        ("pod-cidr-missing",),
    ),
    "empty pod-cidr, and routes to the worker": (
        with_route(
            with_user_data(without_route(OK, ONE), "worker-1", name="worker-1", pod_cidr=""),
            *(route(1, each) for each in ("10.200.7.7/32", "10.200.7.0/24")),
        ),
        ("pod-cidr-missing",),
    ),
    "podCIDR": (with_user_data(OK, "worker-1", name="worker-1", podCIDR=ONE), ("pod-cidr-missing",)),
    "POD_CIDR script": (
        with_user_data(UNSAID, "worker-1", text=f"#!/bin/bash\nexport POD_CIDR={ONE}\n", export="x"),
        ("pod-cidr-missing",),
    ),
    "encoded twice": (with_user_data(OK, "worker-1", text=ENCODED), ("pod-cidr-missing",)),
    "encoded twice, padded": (with_user_data(OK, "worker-1", text=PADDED), ("pod-cidr-missing",)),
    "other text": (with_user_data(UNSAID, "worker-1", text="hello"), ("pod-cidr-missing",)),
    "several pod CIDRs": (stating(OK, "10.200.1.0/24", "10.200.2.0/24"), ("pod-cidr-missing",)),
    "host bits, said otherwise": (stating(OK, "10.200.1.7/24"), ("pod-cidr-invalid",)),
    "tag without a mask": (
        with_instance(with_user_data(OK, "worker-1"), "worker-1", pod_cidr_tags={"pod-cidr": "10.200.1.0"}),
        ("pod-cidr-invalid",),
    ),
    "only kubelet says it, and there is no subnet": (BY_KUBELET, ("cni-subnet-mismatch",)),
    "overlap by the option": (
        replace(OK, intended=replace(OK.intended, pod_cidrs={"worker-1": "10.200.0.0/24"})),
        ("pod-cidr-overlap",),
    ),
    "overlap by a tag": (
        with_instance(with_user_data(OK, "worker-1"), "worker-1", pod_cidr_tags={"PodCidr": "10.200.0.0/24"}),
        ("pod-cidr-overlap",),
    ),
    "inside the VPC by the option": (
        replace(OK, intended=replace(OK.intended, pod_cidrs={"worker-1": "10.0.9.0/24"})),
        ("pod-cidr-inside-vpc",),
    ),
    "inside the VPC by a tag": (
        with_instance(with_user_data(OK, "worker-1"), "worker-1", pod_cidr_tags={"PodCidr": "10.0.9.0/24"}),
        ("pod-cidr-inside-vpc",),
    ),
    "no network": (with_user_data(OK, "worker-1", pod_cidr="hello"), ("pod-cidr-invalid",)),
    "no mask": (with_user_data(OK, "worker-1", pod_cidr="10.200.1.0"), ("pod-cidr-invalid",)),
    "netmask": (with_user_data(OK, "worker-1", pod_cidr="10.200.1.0/255.255.255.0"), ("pod-cidr-invalid",)),
    "prefix 33": (with_user_data(OK, "worker-1", pod_cidr="10.200.1.0/33"), ("pod-cidr-invalid",)),
    "IPv6": (with_user_data(OK, "worker-1", pod_cidr="fd00::/64"), ("pod-cidr-invalid",)),
    "quoted": (with_user_data(OK, "worker-1", pod_cidr=f'"{ONE}"'), ("pod-cidr-invalid",)),
    "host bits": (pods(OK, "worker-1", "10.200.1.7/24"), ("pod-cidr-invalid",)),
    "too small for a pod": (with_user_data(OK, "worker-1", pod_cidr="10.200.1.0/31"), ("pod-cidr-invalid",)),
    "same pod CIDR twice": (
        pods(without_route(OK, ONE), "worker-1", "10.200.0.0/24"),
        ("pod-cidr-overlap",),
    ),
    "three pod CIDRs that overlap": (
        pods(pods(TWELVE, "worker-10", "10.200.2.0/23"), "worker-11", "10.200.2.0/24"),
        ("pod-cidr-overlap",) * 2,
    ),
    "a pod CIDR around two, which were given out in another order": (
        pods(
            pods(pods(with_route(OK, route(1, ZERO), route(0, ONE)), "worker-0", ONE), "worker-1", ZERO),
            "worker-2",
            "10.200.0.0/23",
        ),
        ("pod-cidr-overlap",),
    ),
    "one pod CIDR within another": (
        pods(with_route(OK, route(0, "10.200.0.0/23")), "worker-0", "10.200.0.0/23"),
        ("pod-cidr-overlap",),
    ),
    "pod CIDR in the VPC": (
        pods(without_route(OK, ONE), "worker-1", "10.0.5.0/24"),
        ("pod-cidr-inside-vpc",),
    ),
    "pod CIDR in a secondary VPC CIDR": (
        with_route(
            with_inventory(OK, vpcs=(Vpc(id=VPC, cidrs=("10.0.0.0/16", "10.200.0.0/20")),)),
            replace(LOCAL, destination="10.200.0.0/20"),
        ),
        ("pod-cidr-inside-vpc",) * 3,
    ),
}

HEALTHY: Healthy = {
    "as many workers as expected": expecting(OK, 3),
    "tutorial": OK,
    "one worker": healthy(1),
    "twelve workers": healthy(12),
    "names in another style": healthy(names="ip-10-0-1-{}.node"),
    "other pod range": healthy(pods="172.20.{}.0/24"),
    "pod ranges of /20": healthy(pods="10.2{}.16.0/20"),
    "pod CIDR in a script": stating(OK, ONE),
    "pod CIDR in a tag": TAGGED,
    "pod CIDR by the option": BY_OPTION,
    "pod CIDR by the option, user data unread": with_instance(BY_OPTION, "worker-1", user_data=None),
    "user data against the tag": with_instance(OK, "worker-1", pod_cidr_tags={"pod-cidr": "10.200.9.0/24"}),
    "pod CIDR as the CNI file has it": with_user_data(OK, "worker-1"),
    "terminated namesake": with_more_instances(OK, instance(7, "worker-1", state="terminated")),
    "stopped namesake": with_more_instances(OK, instance(7, "worker-1", state="stopped")),
}
