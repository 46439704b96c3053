"""A recorded run: the evidence as a file, written to be judged again, and not believed when it is read."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from kthw.errors import CouldNotLook, LookError
from kthw.foreign import printable, writable
from kthw.intended.cluster import is_worker_name
from kthw.observed.evidence import KINDS, SCHEMA, Evidence
from kthw.observed.node_evidence import Node

MOST_BYTES: Final = 200_000_000
"""A file that is larger is not read. A run of 200 workers with all their packets is a third of it."""
_WITH_A_KIND: Final = (
    "access-denied",
    "aws-refused",
    "aws-unreachable",
    "aws-unreadable",
    "credentials-expired",
    "credentials-missing",
    "credentials-refused",
    "region-missing",
    "throttled",
)
_ONCE_FACTS: Final = {
    **{code: {"kind": "kind"} for code in _WITH_A_KIND},
    "aws-unreadable": {"kind": "kind", "id": "resource"},
    "routes-changed": {"destination": "destination"},
}
"""By code, the facts of older recordings that are fields now; what others call ``kind`` is another thing."""
_MOST_SHOWN: Final = 80
_PLACE: Final = re.compile(r" - at (?:`key` in )?`(\$[^`]*)`$")
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_GZIP: Final = b"\x1f\x8b"
_UTF8_BOM: Final = b"\xef\xbb\xbf"


class _File(msgspec.Struct):
    """The outer part: an evidence, or a report that carries one. What it does not name is passed over."""

    schema: msgspec.Raw = msgspec.Raw(b"null")
    evidence: msgspec.Raw = msgspec.Raw(b"null")


class _Refused(Exception):  # noqa: N818 -- not an error of ours: what is read is no recording
    """``variant`` chooses the sentence in the catalogues, ``facts`` fill it; ``detail`` says it in short."""

    def __init__(self, variant: str, detail: str, **facts: str) -> None:
        super().__init__(detail)
        self.variant = variant
        self.detail = printable(detail)
        self.facts = facts


def write(evidence: Evidence, path: Path) -> None:
    """Write the document as readable JSON."""
    path.write_bytes(msgspec.json.format(encode(evidence), indent=1))


def encode(evidence: Evidence) -> bytes:
    """The document as JSON. ``schema`` is always in it, though it is a default."""
    # As it is within: of many probes a copy costs as much as the writing.
    return as_json(msgspec.structs.asdict(evidence))


def as_json(document: object) -> bytes:
    """``document`` as JSON in UTF-8; what that has no bytes for (a lone surrogate) is written as its code."""
    try:
        return msgspec.json.encode(document)
    except UnicodeEncodeError:
        return msgspec.json.encode(_writable(msgspec.to_builtins(document)))


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return writable(value)
    if isinstance(value, (list, tuple)):
        return [_writable(each) for each in value]
    if isinstance(value, dict):
        return {_writable(key): _writable(each) for key, each in value.items()}
    return value


def read(path: Path) -> Evidence:
    """The evidence in ``path``: an evidence file, or a ``report.json`` that carries one.

    Raises ``CouldNotLook`` (``evidence-unreadable``) for what is no regular file, is too large, is no JSON in
    UTF-8, has another schema, or does not fit the evidence's types; the ``variant`` says which.
    """
    try:
        content = _content(path)
    except _Refused as refused:
        raise _unreadable(str(path), refused) from refused
    return decoded(content, str(path))


def decoded(content: bytes, name: str) -> Evidence:
    """The same of what was in a file; ``name``: what that is called. Raises ``CouldNotLook`` as ``read``."""
    try:
        return _evidence(content.removeprefix(_UTF8_BOM))
    except _Refused as refused:
        raise _unreadable(name, refused) from refused


def _unreadable(file: str, refused: _Refused) -> CouldNotLook:
    return CouldNotLook(
        LookError(
            code="evidence-unreadable",
            subject=file,
            detail=refused.detail,
            variant=refused.variant,
            facts={"file": file, **refused.facts},
        )
    )


def _content(path: Path) -> bytes:
    """The bytes of a regular file of bounded size. Never waits: a pipe is not opened to be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as problem:
        reason = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
        raise _Refused("missing", reason, reason=reason) from problem
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise _Refused("no-file", "not a regular file")
        if about.st_size > MOST_BYTES:
            raise _Refused("too-large", f"{about.st_size} bytes", most=f"{MOST_BYTES // 1_000_000} MB")
        # As much as it had then, should it grow.
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(about.st_size)
    finally:
        os.close(descriptor)


def _evidence(content: bytes) -> Evidence:
    if content.startswith(_GZIP):
        raise _Refused("compressed", "gzip")
    if content.startswith(_BOMS):
        raise _Refused("encoding", "UTF-16")
    try:
        file = msgspec.json.decode(content, type=_File)
        _check_keys(content)
        _check_schema(file)
        inner = bytes(file.evidence)
        if inner.startswith(b"{"):
            content = inner
            _check_schema(msgspec.json.decode(content, type=_File))
        seen = _typed(content)
    except RecursionError as problem:
        raise _Refused("deep", "nested too deeply") from problem
    except UnicodeDecodeError as problem:
        raise _Refused("encoding", "not UTF-8") from problem
    except msgspec.MsgspecError as problem:
        raise _Refused("malformed", str(problem), reason=str(problem)) from problem
    _check_names(seen)
    return replace(seen, errors=tuple(map(_of_today, seen.errors)))


def _check_schema(file: _File) -> None:
    found = printable(bytes(file.schema).decode("utf-8", "backslashreplace").strip(), _MOST_SHOWN)
    if found != str(SCHEMA):
        found = "None" if found == "null" else found
        raise _Refused("schema", f"schema {found}", found=found, known=str(SCHEMA))


def _check_keys(content: bytes) -> None:
    """A key that is there twice says two things, and another reader would take the other one."""

    def once(pairs: list[tuple[str, object]]) -> None:
        if len(dict(pairs)) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise _Refused("twice", f"{twice!r} twice", value=printable(repr(twice), _MOST_SHOWN))

    try:
        json.loads(content, object_pairs_hook=once)
    except UnicodeDecodeError:
        raise
    except ValueError as problem:
        raise _Refused("malformed", str(problem), reason=str(problem)) from problem


def _typed(content: bytes) -> Evidence:
    try:
        return msgspec.json.decode(content, type=Evidence)
    except msgspec.ValidationError as problem:
        place, value = _blamed(content, str(problem))
        raise _Refused("shape", f"{place}: {value}", place=place, value=value) from problem


def _of_today(error: LookError) -> LookError:
    """``error``, with what an older recording has among the facts where it stands now."""
    once = {"variant": "variant", **_ONCE_FACTS.get(error.code, {})}
    lifted = {field: error.facts[fact] for fact, field in once.items() if fact in error.facts}
    if not lifted:
        return error
    return replace(error, **lifted, facts={k: v for k, v in error.facts.items() if k not in once})


def _blamed(content: bytes, problem: str) -> tuple[str, str]:
    """Where in the document it is wrong, and the value that is there (or what is said of it)."""
    said = _PLACE.search(problem)
    place, reason = (said[1], problem[: said.start()]) if said else ("$", problem)
    if place.startswith("$.nodes[...]"):
        return _blamed_node(content, reason)
    value = _value_at(content, place) if "`key`" not in problem and "[...]" not in place else None
    return printable(place, _MOST_SHOWN), printable(reason if value is None else value, _MOST_SHOWN)


def _blamed_node(content: bytes, reason: str) -> tuple[str, str]:
    nodes = msgspec.json.decode(_raw_at(content, "$.nodes") or b"{}", type=dict[str, msgspec.Raw])
    for name, node in nodes.items():
        try:
            msgspec.json.decode(node, type=Node)
        except msgspec.ValidationError as problem:
            place, value = _blamed(bytes(node), str(problem))
            return f"$.nodes[{printable(json.dumps(name), _MOST_SHOWN)}]{place[1:]}", value
    return "$.nodes", printable(reason, _MOST_SHOWN)


def _value_at(content: bytes, place: str) -> str | None:
    found = _raw_at(content, place)
    return None if found is None else bytes(found).decode("utf-8", "backslashreplace")


def _raw_at(content: bytes, place: str) -> msgspec.Raw | None:
    """The JSON at a place, ``$.inventory.vpcs[0].cidrs[0]``; ``None`` where there is none."""
    raw = msgspec.Raw(content)
    try:
        for name, number in _STEP.findall(place):
            if name:
                raw = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])[name]
            else:
                raw = msgspec.json.decode(raw, type=list[msgspec.Raw])[int(number)]
    except (msgspec.MsgspecError, KeyError, IndexError):
        return None
    return raw


def _check_names(evidence: Evidence) -> None:
    """What no look can have written, though it has the types."""
    kind, workers = evidence.target.kind, evidence.intended.workers
    if kind not in KINDS:
        raise _Refused("shape", f"$.target.kind: {kind!r}", place="$.target.kind", value=repr(kind))
    for n, worker in enumerate(workers):
        place, value = f"$.intended.workers[{n}]", printable(repr(worker), _MOST_SHOWN)
        if not is_worker_name(worker):
            raise _Refused("shape", f"{place}: {value}", place=place, value=value)
    for name in evidence.intended.also:
        if not is_worker_name(name):
            value = printable(repr(name), _MOST_SHOWN)
            raise _Refused("shape", f"$.intended.also: {value}", place="$.intended.also", value=value)
    if len(set(workers)) < len(workers):
        twice = next(repr(worker) for worker in workers if workers.count(worker) > 1)
        raise _Refused("twice", f"$.intended.workers: {twice} twice", value=twice)
