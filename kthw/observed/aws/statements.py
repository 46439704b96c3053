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
from collections.abc import Iterable
from typing import Final

from kthw.observed.evidence import Statement
from kthw.secrets import MASK, is_secretive

_MOST: Final = 8
"""Statements that are kept: two that disagree say as much as a hundred."""
_CIDR: Final = r"\d{1,3}(?:\.\d{1,3}){3}/\d{1,2}(?![\w./])"
_KEY: Final = r"pod[-_. ]?cidr(?:[-_. ]?(?:range|block|subnet|network|address))?s?"
_ASSIGNED: Final = re.compile(
    rf"(?<![A-Za-z0-9])(?P<key>(?:[A-Za-z0-9]{{1,20}}[-_.]){{0,4}}?{_KEY}|[A-Za-z]{{0,20}}?PodCidr)"
    rf"[\"']?\s{{0,9}}(?:=>|:=|[=:]|\s)\s{{0,9}}\[?\s{{0,9}}[\"'\\]{{0,4}}(?P<cidr>{_CIDR})",
    re.IGNORECASE,
)
"""``pod-cidr=…``, ``export POD_CIDR="…"``, ``podCIDR: …``, ``{"pod_cidr": "…"}``, ``--pod-cidr …``."""
_WRITTEN: Final = re.compile(
    rf"(?P<cidr>{_CIDR})[\"']?[^\n|;&]{{0,200}}(?:>>?|\|\s{{0,9}}(?:sudo\s{{1,9}})?tee(?:\s{{1,9}}-a)?)"
    r"\s{0,9}[\"']?(?P<file>(?:[$~]\w{0,20})?/[\w./-]{1,60})(?=[\"'\s;)\]]|$)"
)
"""``echo 10.200.0.0/24 > /srv/pod_cidr.conf``, ``… | sudo tee /etc/pod-cidr``."""
_ALONE: Final = re.compile(
    rf"[ \t]*(?:-[ \t]+)?(?:(?:(?:export|readonly|local)[ \t]+)?\w{{1,40}}=)?"
    rf"[\"']?(?P<cidr>{_CIDR})[\"']?;?[ \t]*"
    rf"|[ \t]*echo[ \t]+[\"']?(?P<echoed>{_CIDR})[\"']?[ \t]*>>?[ \t]*\S{{1,200}}[ \t]*"
    rf"|[ \t]*printf[ \t]+\S{{1,20}}[ \t]+[\"']?(?P<printed>{_CIDR})[\"']?[ \t]*>>?[ \t]*\S{{1,200}}[ \t]*"
)
"""A line that is nothing but a range, assigns one to a variable, or writes one into a file."""
_ABOUT_PODS: Final = re.compile(_KEY, re.IGNORECASE)
_TAG: Final = re.compile(rf"(?:.*[^A-Za-z])?{_KEY}|(?-i:.*[a-z0-9]Pod(?:Cidr|CIDR)s?)", re.IGNORECASE)
_TAGGED: Final = re.compile(r"[\d./]{1,40}")
_OTHERS: Final = re.compile(r"cluster|service|svc|vpc|subnet|node|docker|allow|route", re.IGNORECASE)
"""What other ranges are called: those of everybody's pods, of services, of the VPC."""
_ANY: Final = re.compile(rf"(?<![\d.]){_CIDR}")
_COMMENT: Final = re.compile(r"^\s*#(?!!)")


def statements(text: str, *, script: bool) -> tuple[Statement, ...]:
    """What ``text``, decoded, says a pod CIDR is: each value once, by the clearest form that says any.

    ``script``: cloud-init would run it. Values are as written: ``10.200.0.7/24`` is one, and is for the
    judgement to refuse. Empty where nothing is said, or more than one could be meant and nothing tells which.
    Nothing else of the text is kept but the key, or the path of a file.
    """
    parts = _parts(text) if script else [text]
    for form, found in (
        ("assigned", (each for part in parts for each in _assigned(part))),
        ("written", (each for part in parts for each in _written(part))),
        ("alone", _alone(parts, script=script)),
    ):
        said = {cidr: Statement(cidr=cidr, form=form, key=key[:60]) for key, cidr in reversed([*found])}
        if said:
            return tuple(reversed(said.values()))[:_MOST]
    return ()


def said_by_tag(key: str, value: str) -> str:
    """The pod CIDR that a tag says; empty for one that is about something else or has no value.

    ``pod-cidr``, ``POD_CIDR``, ``PodCidr``, ``k8s/pod_cidr``, … What looks like no range is ``***``.
    """
    before = key[: -len(found[0])] if (found := re.search(rf"{_KEY}$", key, re.IGNORECASE)) else key
    if not value.strip() or not _TAG.fullmatch(key) or _OTHERS.search(before):
        return ""
    return value.strip() if _TAGGED.fullmatch(value.strip()) else MASK


def _parts(text: str) -> list[str]:
    """A MIME message's parts, decoded; any other script as it is. Without the lines that are comments."""
    if not re.match(r"(?:content-type|mime-version):", text.lstrip(), re.IGNORECASE):
        return [_without_comments(text)]
    message = email.message_from_string(text.lstrip(), policy=email.policy.compat32)
    payloads = [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()]
    said = [each.decode("utf-8", errors="replace") for each in payloads if isinstance(each, bytes)]
    return [_without_comments(part) for part in said]


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if not _COMMENT.match(line))


def _assigned(text: str) -> Iterable[tuple[str, str]]:
    for found in _ASSIGNED.finditer(text.replace("\\n", "\n").replace('\\"', '"')):
        if not _OTHERS.search(found["key"].lower().split("pod")[0]):
            yield found["key"], found["cidr"]


def _written(text: str) -> Iterable[tuple[str, str]]:
    """Written into a file that is named after it."""
    found = [(each["file"], each["cidr"]) for each in _WRITTEN.finditer(text)]
    return [each for each in found if _ABOUT_PODS.search(each[0]) and not is_secretive(each[0])]


def _alone(parts: list[str], *, script: bool) -> Iterable[tuple[str, str]]:
    """The only range there is: nothing else in the whole text; in a script, on a line made for it."""
    whole = "\n".join(parts).strip()
    if not script:
        return [("", whole)] if re.fullmatch(_CIDR, whole) else []
    if len(set(_ANY.findall(whole))) != 1:
        return []
    lines = (line for line in whole.split("\n") if not _OTHERS.search(line))
    found = next(filter(None, map(_ALONE.fullmatch, lines)), None)
    return [("", next(filter(None, found.groups())))] if found else []
