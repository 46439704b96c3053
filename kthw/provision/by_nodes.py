"""The command for kernel routes on nodes (``--network node-routes``): plan, apply and roll back over SSH."""

from __future__ import annotations

from datetime import UTC, datetime

from kthw.errors import LookError
from kthw.intended.cluster import Intended
from kthw.network.model import RUNNING, Network
from kthw.network.node_routes import senders
from kthw.observed.aws import listing
from kthw.observed.aws.inventory import in_time
from kthw.observed.aws.reader import Reader
from kthw.observed.evidence import Evidence, Instance, Inventory, Node, ProvisionStep, TargetSeen
from kthw.observed.pod_answers import first_pod
from kthw.provision.entry import Place
from kthw.provision.journal import Journal
from kthw.provision.node_apply import apply
from kthw.provision.node_plan import plan
from kthw.provision.node_rollback import claims_here, machines, rollback
from kthw.provision.nodes import Nodes
from kthw.provision.terminal import Terminal
from kthw.provision.turns import turn
from kthw.provision.wording import node_step_line
from kthw.target import Target


def carry_out(
    terminal: Terminal,
    target: Target,
    reader: Reader,
    seen: tuple[Inventory, Intended],
    journal: Journal | None,
) -> tuple[tuple[ProvisionStep, ...], list[LookError]]:
    """Look at the nodes and say what is missing; with a ``journal`` add it. The steps, and who was not seen.

    Raises ``CouldNotLook`` (``route-table-busy``, ``journal-unusable``).
    """
    inventory, intended = seen
    network = _network(reader, inventory, intended, {})
    there = {name: it for name, it in senders(network).items() if it.state == RUNNING}
    towards = {w: (first_pod(cidr), str(cidr)) for w, cidr in network.pod_cidrs.items()}
    towards = {worker: to for worker, to in towards.items() if to[0]}
    place = place_of(reader, inventory.account)
    # One at a time for each node: what another run of ours adds meanwhile is not missing.
    busy = [instance.id for instance in there.values()] if journal else []

    def say(step: ProvisionStep) -> None:
        terminal.print(node_step_line(terminal.words, step))

    with (
        turn(place, busy, waiting=terminal.waiting),
        Nodes(
            target, inventory.instances, there, writes=journal is not None, progress=terminal.logging_in
        ) as nodes,
    ):
        steps = plan(_network(reader, inventory, intended, nodes.look(towards)))
        if journal:
            steps = apply(nodes, place, steps, journal, say)
            if any(step.outcome == "created" for step in steps):
                terminal.say("provision-node-not-kept")
        else:
            for step in steps:
                say(step)
    return steps, nodes.errors


def roll_back(
    terminal: Terminal, target: Target, reader: Reader, account: str, journal: Journal
) -> tuple[tuple[ProvisionStep, ...], list[LookError]]:
    """Take back the kernel routes that the journal knows here. Raises ``CouldNotLook``."""
    place = place_of(reader, account)
    claims = claims_here(place, journal)
    if not claims:
        return (), []
    instances = [each.instance for each in in_time(reader, "instances", lambda: listing.tagged(reader.ec2))]
    by_id: dict[str, Instance] = {instance.id: instance for instance in instances}
    there = machines(claims, instances)
    with (
        turn(place, (instance.id for instance in there.values()), waiting=terminal.waiting),
        Nodes(target, instances, there, writes=True, progress=terminal.logging_in) as nodes,
    ):
        steps = rollback(
            nodes,
            claims,
            by_id,
            journal,
            lambda step: terminal.print(node_step_line(terminal.words, step)),
        )
    return steps, nodes.errors


def place_of(reader: Reader, account: str) -> Place:
    """Which AWS the nodes are in."""
    return Place(account=account, region=reader.region, endpoint=reader.ec2.meta.endpoint_url)


def _network(reader: Reader, inventory: Inventory, intended: Intended, nodes: dict[str, Node]) -> Network:
    evidence = Evidence(
        gathered_at=datetime.now(UTC).isoformat(timespec="seconds"),
        target=TargetSeen(kind="aws", endpoint=reader.facts["endpoint"]),
        intended=intended,
        inventory=inventory,
        nodes=nodes,
    )
    return Network(evidence)
