"""By which network model and which pod CIDRs the lab was judged, and why."""

from __future__ import annotations

from typing import Any, Final

from kthw.network.model import Network
from kthw.network.node_routes import by_plugin, network_model
from kthw.network.nouns import some
from kthw.words.messages import Catalogue

_MOST_NAMED: Final = 12


def network_told(network: Network | None, words: Catalogue) -> str:
    """The line; empty for a lab like the chapter's: with VPC routes, and no others."""
    if network is None:
        return ""
    model = network_model(network)
    if model.why == "vpc":
        return ""
    named = model.why == "both" or (model.why == "asked" and model.plugin)
    key = f"report-network-{model.why}" + (f"-{model.name}" if named else "")
    facts: dict[str, object] = {
        "model": model.name,
        "vpc": model.vpc,
        "nodes": model.nodes,
        "ways": model.ways,
    }
    if model.ruling:
        facts |= {"plugin": model.plugin, "workers": model.ruling.workers, "of": model.ruling.of}
    return words.say(key, **facts)


def pod_cidrs_told(network: Network | None, words: Catalogue) -> list[str]:
    """A line for each place, other than user data, that states pod CIDRs; what is assumed is remarked on."""
    places: dict[str, list[str]] = {}
    for worker in network.workers if network and not by_plugin(network) else ():
        said = network.said(worker) if network else None
        if said and said.saying and said.source in ("option", "tag"):
            places.setdefault(said.saying.noun, []).append(worker)
    return [
        words.say("report-pod-cidrs", where=place, workers=some(who, _MOST_NAMED))
        for place, who in places.items()
    ]


def network_document(network: Network | None, words: Catalogue) -> dict[str, Any] | None:
    """The same for ``report.json``; ``None`` where AWS could not be looked at."""
    if network is None:
        return None
    model = network_model(network)
    return {
        "model": model.name,
        "asked": network.evidence.intended.network,
        "why": model.why,
        "what": network_told(network, words),
        "vpc_routes": model.vpc,
        "node_routes": model.nodes,
        "ways": model.ways,
        "plugin": model.plugin,
    }
