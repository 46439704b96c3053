"""``--notify URL``: one JSON document that tells what a night came to, to whatever listens there.

Nothing secret is in it, and nothing that lets somebody else reach the lab: no evidence, no command, no public
address of a worker, and of the account's number only the last four digits. It is told once; that it could not
be told is a sentence, and changes no verdict.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from kthw.errors import LookError
from kthw.findings.finding import Finding
from kthw.foreign import printable
from kthw.night.came import Night
from kthw.night.sending import SECONDS, NotSent, sent
from kthw.observed.recording import as_json
from kthw.verdict.markdown import masked_account
from kthw.verdict.outcome import outcome
from kthw.words.messages import Catalogue

SCHEMA: Final = 1
AGENT: Final = "kthw-routes"
_MOST: Final = 50
"""Causes, and errors; how many there are in all is told beside."""
_MOST_SAID: Final = 600


def document(night: Night, words: Catalogue) -> dict[str, Any]:
    """What is sent. ``text`` is the sentence that a chat shows, with nothing in it but words of ours."""
    report = night.report
    told: dict[str, Any] = {
        "schema": SCHEMA,
        "verdict": night.kind,
        "text": night.said(words),
        "exit_code": night.code,
    }
    if report is None:
        return told
    seen, roots = report.evidence.target, [root.finding for root in report.roots]
    each = [*(root.code for root in roots), *(error.code for error in report.errors)]
    codes = ", ".join(dict.fromkeys(each))
    counted = outcome(report, words).said
    return told | {
        "text": " ".join(filter(None, (night.said(words), counted, f"({codes})" if codes else ""))),
        "at": _said(report.evidence.gathered_at),
        "target": {
            "kind": seen.kind,
            "local": report.is_local,
            "account": masked_account(seen.account) if not report.is_local else "",
            "region": seen.region,
        },
        "counts": {name: getattr(report.summary, name) for name in ("passed", "failed", "errors", "skipped")},
        "causes": _each(roots),
        "causes_in_all": len(roots),
        "not_looked_at": _each(report.errors),
        "not_looked_at_in_all": len(report.errors),
    }


def told(night: Night, url: str, words: Catalogue, *, seconds: float = SECONDS) -> str:
    """Send it to ``url``, which ``sending.address`` has let through; why it did not arrive, or empty."""
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": AGENT}
    try:
        answer = sent("POST", url, as_json(document(night, words)), headers, seconds=seconds)
    except NotSent as problem:
        return words.say(problem.key, **problem.facts)
    return "" if answer.is_yes else words.say("night-webhook-refused", status=answer.status)


def _each(causes: Iterable[Finding | LookError]) -> list[dict[str, str]]:
    return [{"code": cause.code, "subject": _said(cause.subject)} for cause in list(causes)[:_MOST]]


def _said(text: str) -> str:
    return printable(masked_account(text), _MOST_SAID)


def printed(night: Night, words: Catalogue) -> str:
    """The document as a person reads it, for a dry run."""
    return msgspec.json.format(as_json(document(night, words)), indent=1).decode()
