"""What in an answer of AWS's does not fit: where it stands, and one line that says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct, ValidationError

from kthw.foreign import printable
from kthw.observed.values import Identifier
from kthw.secrets import masked

_PATH: Final = re.compile(r"at `\$(?P<path>[^`]*)`\Z")
_STEP: Final = re.compile(r"\.(?P<field>\w+)|\[(?P<index>\d+)\]")
_LACKING: Final = re.compile(r"missing required field `(?P<field>\w+)`")
_MOST_SHOWN: Final = 80
_NOTHING: Final = "—"


class Unfit(Struct, frozen=True, kw_only=True):
    """One resource that AWS's answer garbles. ``id`` is empty where that is no id either.

    ``detail``: ``NetworkInterfaces[0].Attachment.DeviceIndex: x``. ``answer`` is what was parsed.
    """

    kind: str
    id: str
    detail: str
    answer: object = None


def told(kind: str, id_field: str, problem: ValidationError, answer: object) -> Unfit:
    """``problem`` with ``answer``, a resource of ``kind`` that has its id in ``id_field``."""
    said = answer.get(id_field) if isinstance(answer, Mapping) else None
    return Unfit(kind=kind, id=identifier(said), detail=detail(problem, answer), answer=answer)


def identifier(said: object) -> str:
    """``said`` where it is an id of AWS's, else nothing."""
    try:
        return msgspec.convert(said, Identifier)
    except ValidationError:
        return ""


def place(problem: ValidationError) -> tuple[str, int | None]:
    """The outermost field that does not fit, and which of its elements, if it is a list.

    The field is empty where the whole does not fit, or lacks a field.
    """
    found = _PATH.search(str(problem))
    steps = list(_STEP.finditer(found["path"])) if found else []
    if not steps or not steps[0]["field"]:
        return "", None
    index = steps[1]["index"] if len(steps) > 1 else None
    return steps[0]["field"], int(index) if index else None


def detail(problem: ValidationError, answer: object) -> str:
    """``Routes[2].DestinationCidrBlock: 10.0.0.0/99``: the place and what is there, printable and cut."""
    text = str(problem)
    found = _PATH.search(text)
    path = found["path"] if found else ""
    lacking = _LACKING.search(text)
    if lacking:
        return f"{path}.{lacking['field']}: {_NOTHING}".lstrip(".")
    for step in _STEP.finditer(path):
        answer = _inside(answer, step)
    if isinstance(answer, Mapping):
        # It is not the value that is wrong but what is not there; our own words say which.
        return f"{path}.{text.partition(' - at ')[0]}".lstrip(".")
    if isinstance(answer, list):
        answer = f"× {len(answer)}"
    return f"{path}: {masked(printable(str(answer), _MOST_SHOWN))}".lstrip(".")


def _inside(answer: object, step: re.Match[str]) -> object:
    if step["field"]:
        return answer.get(step["field"]) if isinstance(answer, Mapping) else None
    index = int(step["index"])
    return answer[index] if isinstance(answer, list) and index < len(answer) else None
