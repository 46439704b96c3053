"""Where user data says a pod CIDR, in whatever form people write it.

The chapter's own form is a pair, ``pod-cidr=10.200.0.0/24``. Other tutorials on AWS, and their readers, put
it into pairs of other names and other separators, into a script that assigns or writes it, into cloud-config
or a MIME part, or leave nothing else there at all. What is said so is as clear to a person; only the
chapter's loop, which greps, would not find it.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterable, Iterator
from typing import Final

from kthw.observed.evidence import Statement

_MOST: Final = 8
"""Statements that are kept: two that disagree say as much as a hundred."""
_CIDR: Final = r"\d{1,3}(?:\.\d{1,3}){3}/\d{1,2}(?![\w./])"
_KEY: Final = r"pod[-_. ]?cidr(?:[-_. ]?(?:range|block|subnet|network|address))?s?"
_ASSIGNED: Final = re.compile(
    rf"(?<![A-Za-z0-9])(?P<key>(?:[A-Za-z0-9]{{1,20}}[-_.]){{0,4}}?{_KEY}|[A-Za-z]{{0,20}}?PodCidr)"
    rf"[\"']?\s*(?:=|:=|:|=>|\s)\s*\[?\s*[\"'\\]*(?P<cidr>{_CIDR})",
    re.IGNORECASE,
)
"""``pod-cidr=…``, ``export POD_CIDR="…"``, ``podCIDR: …``, ``{"pod_cidr": "…"}``, ``--pod-cidr …``."""
_WRITTEN: Final = re.compile(
    rf"(?P<cidr>{_CIDR})[\"']?[^\n|;&]{{0,200}}(?:>>?|\|\s*(?:sudo\s+)?tee(?:\s+-a)?)\s*[\"']?(?P<file>[^\s\"';]{{1,200}})"
)
"""``echo 10.200.0.0/24 > /opt/pod_cidr.txt``, ``… | sudo tee /etc/pod-cidr``."""
_ABOUT_PODS: Final = re.compile(_KEY, re.IGNORECASE)
_OTHERS: Final = re.compile(r"cluster|service|svc|vpc|subnet|node|docker|allow|route", re.IGNORECASE)
"""What other ranges in the same text are called: those of everybody's pods, of services, of the VPC."""
_ANY: Final = re.compile(rf"(?<![\d.]){_CIDR}")
_HEREDOC_OR_COMMENT: Final = re.compile(r"^\s*#(?!!)")


def statements(text: str, *, script: bool) -> tuple[Statement, ...]:
    """What ``text``, decoded, says a pod CIDR is: each value once, by the clearest form that says any.

    ``script``: cloud-init would run it. Values are as written: ``10.200.0.7/24`` is one, and is for the
    judgement to refuse. Empty where nothing is said, or more than one could be meant and nothing tells which.
    """
    parts = list(_parts(text)) if script else [text]
    for form, found in (
        ("assigned", (each for part in parts for each in _assigned(part))),
        ("written", (each for part in parts for each in _written(part))),
        ("alone", _alone(parts, script=script)),
    ):
        said = {cidr: Statement(cidr=cidr, form=form, key=key[:60]) for key, cidr in reversed([*found])}
        if said:
            return tuple(reversed(said.values()))[:_MOST]
    return ()


def is_pod_cidr_key(key: str) -> bool:
    """Whether a tag of that key says a pod CIDR: ``pod-cidr``, ``POD_CIDR``, ``PodCidr``, …"""
    before, about, _ = key.partition(found[0]) if (found := _ABOUT_PODS.search(key)) else ("", "", "")
    return bool(about) and not _OTHERS.search(before)


def _parts(text: str) -> Iterator[str]:
    """A MIME message's parts, decoded; any other script as it is. Without the lines that are comments."""
    if re.match(r"(?:content-type|mime-version):", text.lstrip(), re.IGNORECASE):
        message = email.message_from_string(text.lstrip(), policy=email.policy.default)
        for part in message.walk():
            if not part.is_multipart():
                payload = part.get_payload(decode=True)
                said = payload.decode("utf-8", errors="replace") if isinstance(payload, bytes) else ""
                yield _without_comments(said)
        return
    yield _without_comments(text)


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if not _HEREDOC_OR_COMMENT.match(line))


def _assigned(text: str) -> Iterable[tuple[str, str]]:
    for found in _ASSIGNED.finditer(text.replace("\\n", "\n").replace('\\"', '"')):
        if not _OTHERS.search(found["key"].lower().split("pod")[0]):
            yield found["key"], found["cidr"]


def _written(text: str) -> Iterable[tuple[str, str]]:
    """Written into a file that is named after it; else into the only file any range is written into."""
    found = [(each["file"], each["cidr"]) for each in _WRITTEN.finditer(text)]
    named = [each for each in found if _ABOUT_PODS.search(each[0])]
    return named or (found if len({cidr for _, cidr in found}) == 1 else [])


def _alone(parts: list[str], *, script: bool) -> Iterable[tuple[str, str]]:
    """The only range there is: nothing else in the whole text; in a script, none other that is assigned."""
    whole = "\n".join(parts).strip()
    if not script:
        return [("", whole)] if re.fullmatch(_CIDR, whole) else []
    said = [
        found[0] for line in whole.split("\n") if not _OTHERS.search(line) for found in _ANY.finditer(line)
    ]
    return [("", said[0])] if len(set(said)) == 1 else []
