"""Where nobody got in to a worker: whether AWS's answers say why.

That nobody answers at an address is no more than an error. Of what the way in to a public address is made of,
AWS tells two things for certain: that there is no such address, and that no rule of the security groups lets
anybody from outside in. The third, the internet route, has a check of its own. Where somebody got in, by
whatever way, nothing is wrong with it.
"""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Final

from kthw.errors import JUMP, CouldNotLook, LookError
from kthw.findings.finding import Finding
from kthw.findings.workers import one_running_instance
from kthw.intended import tutorial
from kthw.network.filters import Need, rule_text
from kthw.network.model import Network
from kthw.network.routing import ACTIVE
from kthw.observed.evidence import Instance

_SSH: Final = Need("tcp", 22, 22)
_EVERYWHERE: Final = IPv4Network(tutorial.EVERYWHERE)
_UNREACHED: Final = "ssh-unreachable"
_NO_ANSWER: Final = ("dropped", "no-route", "private", "private-alone", "silent", "timeout")


def can_be_logged_in_to(network: Network, worker: str) -> list[Finding]:
    """Whether what AWS answers explains that the worker was not reached at all."""
    error, instance = unreached(network, worker), network.instance(worker)
    if instance is None:
        return one_running_instance(network, worker)
    if error is None or error.kind == JUMP:
        return []
    # What a person's own ProxyCommand says of its way is theirs; the sandbox's says what dialling says.
    silent = error.variant in _NO_ANSWER or (error.variant == "proxy" and network.evidence.target.is_local)
    if not silent or error.resource != (instance.public_address or instance.address):
        return []
    look = _no_rule if instance.public_address else _no_address
    return look(network, worker, instance)


def unreached(network: Network, worker: str) -> LookError | None:
    """What the login met where nothing answered; nothing where somebody got in, or was answered no."""
    errors = () if worker in network.evidence.nodes else network.errors_on_node(worker)
    return next((each for each in errors if each.code == _UNREACHED), None)


def _no_address(network: Network, worker: str, instance: Instance) -> list[Finding]:
    """A worker whose subnet leads to an internet gateway is meant to have one; any other has a jump host."""
    ruling = network.ruling(worker)
    route = network.lookup(ruling.effective.id).exactly(_EVERYWHERE) if ruling else None
    if route is None or route.state != ACTIVE or not route.gateway.startswith("igw-"):
        return []
    others = ((other, network.instance(other)) for other in network.workers)
    near = next((network.noun(other) for other, found in others if found and found.public_address), "")
    return [
        Finding(
            code="public-address-missing",
            subject=network.noun(worker),
            worker=worker,
            expected="PublicIpAddress",
            observed="—",
            near_miss=near,
            variant="" if near else "all",
            facts={
                "instance": instance.id,
                "gateway": route.gateway,
                "worker_noun": network.noun(worker),
            },
        )
    ]


def _no_rule(network: Network, worker: str, instance: Instance) -> list[Finding]:
    groups = network.groups.of(instance.primary_interface)
    if not groups:
        raise CouldNotLook(
            LookError(code="aws-refused", subject=network.noun(worker), detail="DescribeSecurityGroups")
        )
    rules = network.groups.rules(groups, "ingress")
    near = rules.about(_SSH)
    if any(map(rules.is_for_strangers, near)):
        return []
    ids = ", ".join(group.id for group in groups)
    return [
        Finding(
            code="ssh-port-closed",
            subject=f"{ids} · {_SSH}",
            worker=worker,
            expected=f"{_SSH} ← {tutorial.EVERYWHERE}",
            observed="—",
            near_miss=", ".join(rule_text(rule, "←") for rule in near),
            facts={"groups": ids, "group": groups[0].id, "worker_noun": network.noun(worker)},
        )
    ]
