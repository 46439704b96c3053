"""What is printed as mending mends, and what only shows more is printed as that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.findings.finding import Finding
from kthw.words.messages import LANGUAGES, Catalogue, catalogue

CHANGES: Final = re.compile(
    r"aws \w+ (create|delete|replace|modify|associate|authorize|start|attach|terminate|release|revoke)"
    r"|\b(tee|mv|rm|install|mkdir|modprobe|chmod)\b|sysctl -w|sed .*-i\b"
    r"|ip (route|link|rule) (add|del|replace)|export |ssh-add|aws configure$|aws sso login"
)
"""What a command that changes something has in it, of the commands that the catalogues print."""
MARKED: Final = ("pod-unreachable", "ssh-unreachable", "node-unreadable", "access-denied", "packets-too-big")


def _fixes(words: Catalogue) -> Iterator[tuple[str, dict[str, Any]]]:
    for code, table in {**words.findings, **words.errors}.items():
        yield code, table
        yield from ((f"{code}.{variant}", each) for variant, each in table.items() if isinstance(each, dict))


FIXES: Final = {
    f"{language} {name}": table
    for language in LANGUAGES
    for name, table in _fixes(catalogue(language))
    if "fix" in table
}


def _pasted(fix: str) -> list[str]:
    return [line for line in fix.splitlines() if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("table", FIXES.values(), ids=FIXES)
def test_what_is_marked_as_looking_changes_nothing(table: dict[str, Any]) -> None:
    commands = _pasted(table["fix"])
    if table.get("looks"):
        assert not [command for command in commands if CHANGES.search(command)]
    else:
        asked = (
            re.fullmatch(r"aws \w+ (describe|get|list)-\S+ .*", commands[0]) if len(commands) == 1 else None
        )
        assert not asked, "a question alone mends nothing"


def test_the_mark_goes_with_the_fix_it_stands_over_and_not_with_the_code() -> None:
    """A situation with a fix of its own mends, though the code's usual one only looks."""
    words = catalogue("en")
    found = Finding(code="packets-too-big", subject="s", worker="worker-0", expected="", observed="")
    assert words.finding(found).looks
    facts = {"at_login": "ssh a", "command": "b"}
    assert not words.finding(replace(found, variant="eni", facts=facts)).looks


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_most_often_only_looks_is_marked(language: str) -> None:
    words = catalogue(language)
    assert all({**words.findings, **words.errors}[code]["looks"] for code in MARKED)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_way_in_which_a_login_comes_to_nothing_has_its_own_first_step(language: str) -> None:
    """A machine that refuses a connection was reached: its security group is not to be looked at."""
    facts = {
        "worker": "worker-1",
        "login": "ssh ubuntu@203.0.113.21",
        "host": "w",
        "user": "ubuntu",
        "forget": "x",
    }
    ways = [
        ("ssh-unreachable", variant) for variant in ("timeout", "refused", "no-route", "unknown-name", "lost")
    ] + [("ssh-auth-failed", "key"), ("ssh-auth-failed", "no-commands"), ("ssh-host-key-changed", "")]
    steps = {
        (code, variant): catalogue(language)
        .error(LookError(code=code, subject="s", variant=variant, facts=facts))
        .fix
        for code, variant in ways
    }
    assert len(set(steps.values())) == len(ways)
    assert "security-groups" in steps["ssh-unreachable", "timeout"]
    assert "security-groups" not in steps["ssh-unreachable", "refused"]
