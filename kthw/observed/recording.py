"""A recorded run: the evidence as a file, written to be judged again, and not believed when it is read."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import msgspec

from kthw.errors import CouldNotLook, LookError
from kthw.observed.evidence import KINDS, SCHEMA, Evidence


def write(evidence: Evidence, path: Path) -> None:
    """Write the document as readable JSON."""
    path.write_bytes(msgspec.json.format(encode(evidence), indent=1))


def encode(evidence: Evidence) -> bytes:
    """The document as JSON. ``schema`` is always in it, though it is a default."""
    document = {"schema": evidence.schema, **msgspec.to_builtins(evidence)}
    return msgspec.json.encode(document)


def read(path: Path) -> Evidence:
    """The evidence in ``path``: an evidence file, or a ``report.json`` that carries one.

    Raises ``CouldNotLook`` (``evidence-unreadable``) for a file that is missing, is no JSON, has
    another schema, or does not have the shape.
    """
    try:
        document = msgspec.json.decode(path.read_bytes())
        _check_schema(path, document)
        if isinstance(document.get("evidence"), dict):
            document = document["evidence"]
            _check_schema(path, document)
        seen = msgspec.convert(document, Evidence)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise _unreadable(path, str(problem)) from problem
    unsound = _unsound(seen)
    if unsound:
        raise _unreadable(path, unsound)
    return seen


def _check_schema(path: Path, document: object) -> None:
    found = document.get("schema") if isinstance(document, dict) else None
    if found != SCHEMA:
        raise _unreadable(path, f"schema {found!r}, and this version reads {SCHEMA}")


def _unsound(evidence: Evidence) -> str:
    """What in a recording no look can have written, though it has the shape; or nothing."""
    if evidence.target.kind not in KINDS:
        return f"target.kind {evidence.target.kind!r} is none of {', '.join(KINDS)}"
    workers = evidence.intended.workers
    if len(set(workers)) < len(workers):
        return f"intended.workers names one twice: {', '.join(workers)}"
    inventory = evidence.inventory
    if inventory is None:
        return ""
    routes = (route for table in inventory.route_tables for route in table.routes if not route.foreign)
    blocks = [
        *(cidr for vpc in inventory.vpcs for cidr in vpc.cidrs),
        # An IPv6-only subnet has none.
        *(subnet.cidr for subnet in inventory.subnets if subnet.cidr),
        *(route.destination for route in routes),
    ]
    wrong = next((block for block in blocks if not _is_ipv4(block)), None)
    return "" if wrong is None else f"{wrong!r} is no IPv4 CIDR"


def _is_ipv4(block: str) -> bool:
    try:
        ipaddress.IPv4Network(block, strict=False)
    except ValueError:
        return False
    return True


def _unreadable(path: Path, detail: str) -> CouldNotLook:
    return CouldNotLook(
        LookError(code="evidence-unreadable", subject=str(path), detail=detail, facts={"file": str(path)})
    )
