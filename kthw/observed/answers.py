"""The agent's answers as the nouns of the evidence."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import msgspec

from kthw.intended import tutorial
from kthw.observed.evidence import Chain, CniConfig, Instance, Link, Node, Probe, Way
from kthw.observed.secrets import masked


def node(worker: str, login: str, answer: dict[str, Any]) -> Node:
    """A node, from the answer to ``facts``."""
    return Node(
        worker=worker,
        login=login,
        hostname=answer["hostname"],
        addresses=tuple(answer["addresses"]),
        ip_forward=answer["ip_forward"],
        cni=tuple(msgspec.convert(each, CniConfig) for each in answer["cni"]),
        cni_plugins=tuple(answer["cni_plugins"]),
        imds=answer["imds"],
    )


def with_surroundings(node: Node, answer: dict[str, Any]) -> Node:
    """``node`` with what its pods' packets meet, from the answer to ``ways``."""
    firewall = answer["firewall"]
    return msgspec.structs.replace(
        node,
        links=tuple(msgspec.convert(each, Link) for each in answer["links"]),
        rp_filter=answer["rp_filter"],
        ways=tuple(msgspec.convert(each, Way) for each in answer["ways"]),
        firewall=None if firewall is None else tuple(_chain(each) for each in firewall),
    )


def _chain(told: dict[str, Any]) -> Chain:
    """As the node's tool printed it, but for what looks like a credential: rules have comments."""
    return msgspec.convert({**told, "rules": [masked(rule) for rule in told["rules"]]}, Chain)


def pod_cidr(instance: Instance | None) -> IPv4Network | None:
    """The network that the user data names, where it names one."""
    pairs = instance.user_data.pairs if instance and instance.user_data else {}
    try:
        return IPv4Network(pairs.get(tutorial.POD_CIDR_KEY, ""), strict=False)
    except ValueError:
        return None


def first_pod(cidr: IPv4Network | None) -> str:
    """The address ``host-local`` gives first (the gateway has the one before); empty where there is none."""
    return str(cidr[2]) if cidr and cidr.num_addresses > 2 else ""


def probe(worker: str, pod: str, told: list[Any]) -> Probe:
    """One measurement, from the answer to ``probe``; ``pod`` is the sending pod's address."""
    kind, destination, address, protocol, reached, detail, milliseconds = told
    return Probe(
        source=worker,
        source_address=pod,
        destination=destination,
        destination_address=address,
        kind=kind,
        protocol=protocol,
        reached=reached,
        detail=detail,
        milliseconds=milliseconds,
    )
