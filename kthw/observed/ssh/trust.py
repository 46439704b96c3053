"""Whether a host is the one we know: its key against the known_hosts files, or why we do not log in."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

from kthw.errors import CouldNotLook
from kthw.observed.ssh import known_hosts
from kthw.observed.ssh.hop import Hop

Failure = Callable[..., CouldNotLook]
"""``failure(code, detail, hop, **facts)``: an error about the worker that is being logged in to."""


def known_kinds(hop: Hop, failure: Failure) -> set[str]:
    """The kinds of key that are known of the host: these are asked for. Raises ``CouldNotLook``."""
    try:
        return {line.kind for line in known_hosts.lines_about(hop.known_hosts, hop.host_key_name)}
    except OSError as problem:
        file, said = str(problem.filename or hop.known_hosts[0]), (problem.strerror or "").lower()
        raise failure(
            "ssh-host-key-unknown", f"{file}: {said}", hop, variant="unreadable", known_hosts=file
        ) from problem


def check(hop: Hop, kind: str, key: bytes, failure: Failure) -> None:
    """Go on only with a key that is known, or new where new ones are accepted; such a one is remembered.

    Raises ``CouldNotLook``: ``ssh-host-key-unknown``, ``ssh-host-key-changed``.
    """
    name = hop.host_key_name
    judgement = known_hosts.judge(hop.known_hosts, name, kind, key)
    if judgement.verdict == "known":
        return
    file = judgement.line.file if judgement.line else _where_to_remember(hop)
    facts = {
        "fingerprint": known_hosts.fingerprint(key),
        "key_type": kind,
        "host_key_name": name,
        "known_hosts": str(file),
        "forget": shlex.join(["ssh-keygen", "-f", str(file), "-R", name]),
    }
    seen = f"{name} showed {kind} {facts['fingerprint']}"
    if judgement.line:
        facts["line"] = f"{file}:{judgement.line.number}"
        said = "is revoked" if judgement.verdict == "revoked" else "has another key"
        detail = f"{seen}; {facts['line']} {said}"
        raise failure("ssh-host-key-changed", detail, hop, variant=judgement.verdict, **facts)
    if not hop.accept_new:
        raise failure("ssh-host-key-unknown", seen, hop, **facts)
    try:
        known_hosts.remember(file, name, kind, key)
    except OSError as problem:
        detail = f"{seen}; {file}: {problem.strerror}"
        raise failure("ssh-host-key-unknown", detail, hop, variant="unwritable", **facts) from problem


def _where_to_remember(hop: Hop) -> Path:
    return (*hop.known_hosts, Path("~/.ssh/known_hosts").expanduser())[0]
