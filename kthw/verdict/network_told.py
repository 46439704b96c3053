"""By which network model the lab was judged, and why: a line, and what it leaves to remark."""

from __future__ import annotations

from typing import Any

from kthw.findings.kept_routes import CODE, NotKept, not_kept
from kthw.network.model import Network
from kthw.network.node_routes import network_model
from kthw.words.messages import Catalogue
from kthw.words.pasting import NotWhole


def network_told(network: Network | None, words: Catalogue) -> list[tuple[str, str]]:
    """The line, and one for each worker whose routes are not kept; each with the command, if it has one.

    Nothing of a lab like the chapter's: with VPC routes, and no others.
    """
    if network is None:
        return []
    said = _said(network, words)
    return [*([(said, "")] if said else []), *(_remark(each, words) for each in not_kept(network))]


def network_document(network: Network | None, words: Catalogue) -> dict[str, Any] | None:
    """The same for ``report.json``; ``None`` where AWS could not be looked at."""
    if network is None:
        return None
    model = network_model(network)
    return {
        "model": model.name,
        "asked": network.evidence.intended.network,
        "why": model.why,
        "what": _said(network, words),
        "vpc_routes": model.vpc,
        "node_routes": model.nodes,
        "ways": model.ways,
        "not_kept": [
            {"code": CODE, "worker": each.worker, "subject": each.subject, "routes": list(each.routes)}
            | dict(zip(("what", "fix"), _remark(each, words), strict=True))
            for each in not_kept(network)
        ],
    }


def _said(network: Network, words: Catalogue) -> str:
    model = network_model(network)
    if model.why == "vpc":
        return ""
    key = f"report-network-{model.why}" + (f"-{model.name}" if model.why == "both" else "")
    return words.say(key, model=model.name, vpc=model.vpc, nodes=model.nodes, ways=model.ways)


def _remark(remark: NotKept, words: Catalogue) -> tuple[str, str]:
    try:
        fix = words.say("report-not-kept-fix", **remark.facts)
    except NotWhole:
        fix = ""
    return words.say("report-not-kept", **remark.facts), fix
