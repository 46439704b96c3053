"""Nobody got in to worker-1, as evidence shows it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from kthw.errors import LookError
from kthw.observed.evidence import Evidence, PrefixList, Route, SecurityRule
from tests.findings.changed_aws import with_group, with_instance, with_inventory
from tests.findings.clusters import ALL_IN, GROUP, OK
from tests.findings.judged import Faults, Healthy

PUBLIC, ADDRESS = "203.0.113.21", "10.0.1.21"
EVERYBODY = SecurityRule(protocol="tcp", from_port=22, to_port=22, cidrs=("0.0.0.0/0",))
MISSING, CLOSED = "public-address-missing", "ssh-port-closed"


def unreached(evidence: Evidence = OK, *, worker: str = "worker-1", **changes: Any) -> Evidence:
    """Nobody got in to the worker: as when nothing answers at its public address."""
    told: dict[str, Any] = {"code": "ssh-unreachable", "variant": "timeout", "resource": PUBLIC, **changes}
    error = LookError(subject=worker, worker=worker, detail="no answer in 10 s", **told)
    nodes = {name: node for name, node in evidence.nodes.items() if name != worker}
    return replace(evidence, nodes=nodes, errors=(*evidence.errors, error))


def letting_in(*rules: SecurityRule, evidence: Evidence = OK) -> Evidence:
    return with_group(evidence, ingress=(ALL_IN, *rules))


def private(evidence: Evidence = OK, *workers: str) -> Evidence:
    for worker in workers or ("worker-1",):
        evidence = with_instance(evidence, worker, public_address="")
    return evidence


def ssh_from(cidr: str, **changes: Any) -> SecurityRule:
    return replace(EVERYBODY, cidrs=(cidr,), **changes)


def listed(*entries: str, read: bool = True) -> Evidence:
    rule = replace(EVERYBODY, cidrs=(), prefix_lists=("pl-0a",))
    unread = None if read else LookError(code="access-denied", subject="pl-0a")
    seen = PrefixList(id="pl-0a", entries=entries, unread=unread)
    return with_inventory(letting_in(rule), prefix_lists=(seen,))


NAT = Route(destination="0.0.0.0/0", other="nat-0a")
UNLIKELY = letting_in(
    ssh_from("0.0.0.0/0", from_port=23, to_port=65535),
    ssh_from("0.0.0.0/0", protocol="udp"),
    ssh_from("10.0.0.0/8"),
    ssh_from("192.168.1.7/32"),
    ssh_from("172.16.0.0/12"),
    replace(EVERYBODY, cidrs=(), groups=(GROUP,)),
)


FAULTS: Faults = {
    "nobody got in: no rule for port 22": (unreached(letting_in()), (CLOSED,)),
    "nobody got in: rules for port 22, of which none is for anybody outside": (
        unreached(UNLIKELY),
        (CLOSED,),
    ),
    "nobody got in: a list without an address outside": (unreached(listed("10.0.0.0/8")), (CLOSED,)),
    "nobody got in, and the port is shut: dropped": (unreached(letting_in(), variant="dropped"), (CLOSED,)),
    "nobody got in, and the port is shut: silent": (unreached(letting_in(), variant="silent"), (CLOSED,)),
    "nobody got in: no public address": (
        unreached(private(), variant="private", resource=ADDRESS),
        (MISSING,),
    ),
    "nobody got in: no worker has a public address": (
        unreached(private(OK, *OK.intended.workers), variant="private-alone", resource=ADDRESS),
        (MISSING,),
    ),
}

HEALTHY: Healthy = {
    "somebody got in by another way than a public address and port 22": private(letting_in()),
    "somebody was answered no": unreached(letting_in(), code="ssh-auth-failed", variant=""),
}
