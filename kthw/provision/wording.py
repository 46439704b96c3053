"""A step as a person reads it, in any language, and what it leaves behind as an error."""

from __future__ import annotations

from typing import Final

from kthw.errors import LookError
from kthw.foreign import printable
from kthw.observed.evidence import ProvisionStep
from kthw.provision.fate import PATIENCE_SECONDS
from kthw.provision.turns import PATIENCE_SECONDS as TURN_SECONDS
from kthw.provision.turns import Holder
from kthw.words.messages import Catalogue

_SHOWS_COMMAND: Final = (
    "create",
    "wrong-target",
    "blackhole",
    "failed",
    "gave-up",
    "not-tried",
    "unsure",
    "maybe",
    "replace",
    "kept",
)
_OF_REPLACED: Final = ("maybe", "unsure", "gave-up")
"""What is told otherwise of a route that was there before us."""
_SHOWS_OF_NODES: Final = ("create", "wrong-hop", "failed")
_BY_NODES: Final = ("off-link", "pod-cidr-missing")
_NOT_TAKEN_BACK: Final = ("failed", "not-tried")


def step_line(words: Catalogue, step: ProvisionStep) -> str:
    """What the chapter's loop prints, then what came of it, then the command where one is needed."""
    facts = {name: printable(str(getattr(step, name))) for name in step.__struct_fields__}
    facts["seconds"] = f"{PATIENCE_SECONDS:.0f}"
    reason = f"-{step.detail}" if step.outcome == "impossible" else ""
    if step.before and step.outcome in _OF_REPLACED:
        reason = "-replaced"
    outcome = words.say(f"provision-{step.outcome}{reason}", **facts)
    line = f"{facts['address'] or facts['worker']} {facts['pod_cidr'] or '—'}  {outcome}"
    return f"{line}\n    {facts['command']}" if step.outcome in _SHOWS_COMMAND and step.command else line


def node_step_line(words: Catalogue, step: ProvisionStep) -> str:
    """A step about a node's kernel: whose, to where, what came of it, the command where one is needed."""
    facts = {name: printable(str(getattr(step, name))) for name in step.__struct_fields__}
    if step.outcome == "impossible":
        shared = step.detail not in _BY_NODES
        outcome = words.say(f"provision-{'' if shared else 'node-'}impossible-{step.detail}", **facts)
    else:
        outcome = words.say(f"provision-node-{step.outcome}", **facts)
    towards = " via ".join(filter(None, (facts["pod_cidr"], facts["target"])))
    line = f"{facts['worker']} {towards or '—'}  {outcome}"
    return f"{line}\n    {facts['command']}" if step.outcome in _SHOWS_OF_NODES and step.command else line


def waiting_line(words: Catalogue, table: str, holder: Holder) -> str:
    """That another run is waited for: which, because of what, and for how long at most."""
    facts = {"table": printable(table), "pid": str(holder.pid), "since": printable(holder.since)}
    return words.say("provision-waiting", **facts, seconds=f"{TURN_SECONDS:.0f}")


def left_behind(step: ProvisionStep) -> LookError | None:
    """What of a run's own is still there, or may be, after it was to be taken back; or ``None``."""
    facts = {"route_table": step.route_table, "pod_cidr": step.pod_cidr, "operation": "DeleteRoute"}
    if step.outcome == "maybe":
        code = "route-left-behind"
    elif step.outcome in _NOT_TAKEN_BACK:
        code = "aws-refused"
    else:
        return None
    subject = f"{step.route_table} · {step.pod_cidr}"
    return LookError(code=code, subject=subject, detail=step.detail, worker=step.worker, facts=facts)
