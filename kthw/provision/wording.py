"""A step as a person reads it, in any language."""

from __future__ import annotations

from typing import Final

from kthw.observed.evidence import ProvisionStep
from kthw.verdict.messages import Catalogue

_SHOWS_COMMAND: Final = ("create", "wrong-target", "blackhole", "failed")


def step_line(words: Catalogue, step: ProvisionStep) -> str:
    """What the chapter's loop prints, then what came of it, then the command where one is needed."""
    facts = {name: getattr(step, name) for name in step.__struct_fields__}
    reason = f"-{step.detail}" if step.outcome == "impossible" else ""
    outcome = words.say(f"provision-{step.outcome}{reason}", **facts)
    line = f"{step.address or step.worker} {step.pod_cidr or '—'}  {outcome}"
    return f"{line}\n    {step.command}" if step.outcome in _SHOWS_COMMAND and step.command else line
