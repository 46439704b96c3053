"""Where a run looked, beyond account and region: as whom, in which VPC, by which route tables."""

from __future__ import annotations

from collections.abc import Iterable

from kthw.findings.judging import Verdict
from kthw.network.model import Network
from kthw.verdict.report import Report
from kthw.words.messages import Catalogue


def where(verdict: Verdict, words: Catalogue) -> list[str]:
    """A line about who asked, and one about the workers' network; each where that is known."""
    arn = verdict.evidence.target.arn
    lines = [words.say("run-where-as", arn=arn)] if arn else []
    network = verdict.network
    return lines if network is None else [*lines, *_network(network, words)]


def recorded(report: Report, words: Catalogue) -> list[str]:
    """What a recording says of where it was made; where that was no account, what that does not tell."""
    seen, nothing = report.evidence.target, words.say("run-target-unknown")
    local = seen.kind == "aws" and seen.is_local
    line = words.say(
        "run-target-recorded-local" if local else "run-target-recorded",
        kind=seen.kind,
        account=seen.account or nothing,
        region=seen.region or nothing,
        endpoint=seen.endpoint or ("AWS" if seen.kind == "aws" else "—"),
        at=report.evidence.gathered_at,
    )
    told = ["run-local-tells-nothing"] if local else ["run-sandbox-tells-nothing"] if report.is_local else []
    return [line, *map(words.say, told), *report.network(words)]


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
