"""Where a run looked, beyond account and region: as whom, in which VPC, by which route tables."""

from __future__ import annotations

from collections.abc import Iterable

from kthw.findings.judging import Verdict
from kthw.network.model import Network
from kthw.observed.evidence import TargetSeen
from kthw.verdict.report import Report
from kthw.words.messages import Catalogue
from kthw.words.moments import moment


def where(verdict: Verdict, words: Catalogue) -> list[str]:
    """A line about who asked, and one about the workers' network; each where that is known."""
    arn = verdict.evidence.target.arn
    lines = [words.say("run-where-as", arn=arn)] if arn else []
    network = verdict.network
    return lines if network is None else [*lines, *_network(network, words)]


def target_told(seen: TargetSeen, words: Catalogue, *, recorded: str | None = None) -> list[str]:
    """What was looked at, in one line; where that was no account, a second about what that does not tell.

    ``recorded``: when, of a run that is over, in ISO 8601. Where it sent no packets, a line says why: one
    that goes on says that itself.
    """
    local = seen.kind == "aws" and seen.is_local
    nothing = words.say("run-target-unknown")
    kind = "local" if local else seen.kind
    if recorded is not None:
        kind = "recorded-local" if local else "recorded"
    lines = [
        words.say(
            f"run-target-{kind}",
            kind=seen.kind,
            account=seen.account or nothing,
            region=seen.region or nothing,
            endpoint=seen.endpoint or ("AWS" if seen.kind == "aws" else "—"),
            at=moment(recorded or "", words),
        )
    ]
    if local or seen.kind == "sandbox":
        lines.append(words.say("run-local-tells-nothing" if local else "run-sandbox-tells-nothing"))
    if recorded is not None and seen.no_packets:
        lines.append(words.say("run-no-packets", reason=seen.no_packets))
    return lines


def recorded(report: Report, words: Catalogue) -> list[str]:
    """What a recording says of where it was made, and by which network it is judged."""
    seen, at = report.evidence.target, report.evidence.gathered_at
    return [*target_told(seen, words, recorded=at), *report.network(words)]


def _network(network: Network, words: Catalogue) -> Iterable[str]:
    there = (network.instance(worker) for worker in network.workers)
    vpcs = list(dict.fromkeys(instance.vpc for instance in there if instance and instance.vpc))
    tables = list(dict.fromkeys(ruling.effective.id for ruling in network.rulings))
    if vpcs:
        yield words.say(
            "run-where-in",
            count=len(vpcs),
            vpcs=", ".join(vpcs),
            number=len(tables),
            tables=", ".join(tables) or "—",
        )
