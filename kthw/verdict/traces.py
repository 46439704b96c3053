"""How far the packets of a failed pair came, in a sentence."""

from __future__ import annotations

from kthw.network.traces import Fate, fate
from kthw.observed.evidence import Trace
from kthw.words.messages import Catalogue


def traced(trace: Trace | None, words: Catalogue) -> str:
    """``sent again: last seen at …, never at …``; empty for a pair that was not watched for."""
    return _sentence(fate(trace), words) if trace else ""


def _sentence(came: Fate, words: Catalogue) -> str:
    last, missing = _place(came.last, words), _place(came.missing, words)
    if came.situation == "through":
        return words.say("report-trace-through")
    if came.astray:
        return words.say("report-trace-astray", astray=", ".join(_place(each, words) for each in came.astray))
    if came.situation.startswith("reply"):
        return words.say(
            "report-trace-reply" if last else "report-trace-no-reply", last=last, missing=missing
        )
    return words.say("report-trace-request" if last else "report-trace-unsent", last=last, missing=missing)


def _place(place: str, words: Catalogue) -> str:
    """``eni worker-0`` as a person says it."""
    what, _, worker = place.partition(" ")
    if what in ("pod", "bridge", "eni"):
        return words.say(f"report-place-{what}", worker=worker)
    return words.say("report-place-other", place=what, worker=worker) if what else ""
