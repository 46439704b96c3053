"""What a worker's user data says its pod CIDR is, and what it says instead when it does not."""

from __future__ import annotations

import difflib
import ipaddress
import re
import shlex
from ipaddress import IPv4Network
from typing import Final, Literal

import msgspec

from kthw.foreign import printable
from kthw.intended import tutorial
from kthw.intended.pod_cidrs import SMALLEST, WIDEST
from kthw.observed.evidence import Statement, UserData

_ALIKE: Final = 0.7
_MOST_SHOWN: Final = 160

MEANT_IN_USER_DATA: Final = ("empty", "misspelt", "twice-encoded", "several")
"""Why user data says no pod CIDR although somebody meant it to: nothing is to be assumed instead."""

_CIDR = re.compile(r"(?P<address>\d{1,3}(?:\.\d{1,3}){3})/(?P<prefix>\d{1,2})(?![\d.])")
_PARTED_OTHERWISE = re.compile(r"\A(\d{1,3}(?:\.\d{1,3}){3})[.,:\\_ -](\d{1,2})\Z")
"""A range whose slash was mistyped: ``10.200.1.0.24``."""
_ASSIGNMENT = re.compile(rf"([A-Za-z_][\w.-]*)\s*[=:]\s*[\"']?({_CIDR.pattern.replace('?P<', '?P<in_')})")


class PodCidr(msgspec.Struct, frozen=True, kw_only=True):
    """``problem`` is empty when the value can be used as it is; ``variant`` the situation within it.

    ``network`` is also there for a value with host bits set: AWS makes a route for it all the same, so
    the routes can still be judged. ``observed`` and ``near_miss`` as in a finding. ``hint`` is what was
    probably meant, a network or not, or empty. ``statement``: how it was said, where not as the chapter says.
    """

    network: IPv4Network | None = None
    problem: Literal["", "pod-cidr-missing", "pod-cidr-invalid"] = ""
    variant: str = ""
    observed: str
    near_miss: str = ""
    hint: str = ""
    statement: Statement | None = None


def read(data: UserData) -> PodCidr:
    """The pod CIDR in ``data``: by the tutorial's key, which the chapters ``grep`` for, or said otherwise."""
    value = data.pairs.get(tutorial.POD_CIDR_KEY)
    own = valid(value) if value else None
    if data.statements and not (own and own.network):
        return _otherwise(data)
    if value is None:
        return _missing(data)
    return own or _missing_as("empty", _as_text(data))


def _otherwise(data: UserData) -> PodCidr:
    first = data.statements[0]
    if len({statement.cidr for statement in data.statements}) > 1:
        each = ", ".join(_said(statement) for statement in data.statements)
        return _missing_as("several", each)
    read = valid(first.cidr, first.key)
    return msgspec.structs.replace(read, statement=first)


def _said(statement: Statement) -> str:
    return f"{statement.key}={statement.cidr}" if statement.key else statement.cidr


def mended(data: UserData | None, worker: str, pod_cidr: str) -> str:
    """User data with ``pod_cidr`` in it, quoted for a shell: the pairs that were right stay.

    Not those of a script, nor what the evidence does not have as it was: masked, or cut. Nor what cannot
    be printed as it is, and so not be pasted.
    """
    kept = {} if data is None or data.is_script else data.whole
    whole = {key: value for key, value in kept.items() if printable(f"{key}={value}") == f"{key}={value}"}
    pairs = {key: value for key, value in whole.items() if not _is_alike(key)}
    if tutorial.NAME_KEY not in pairs:
        return shlex.quote(tutorial.user_data(worker, pod_cidr))
    return shlex.quote("|".join(f"{k}={v}" for k, v in {**pairs, tutorial.POD_CIDR_KEY: pod_cidr}.items()))


def is_network(text: str) -> bool:
    """Whether ``text`` is a pod CIDR that AWS and the CNI plugins take as it is."""
    return not valid(text).problem


def valid(value: str, key: str = tutorial.POD_CIDR_KEY) -> PodCidr:
    """A network in CIDR notation, large enough, without host bits: the CNI's ``host-local`` insists.

    ``host-local`` refuses ``10.200.1.7/24`` ("Network has host bits set") although AWS quietly makes
    a route for ``10.200.1.0/24`` of it, so such a worker has a route and no pods.
    """
    found = _CIDR.search(value)
    try:
        network = ipaddress.IPv4Network(found[0], strict=False) if found else None
    except ValueError:
        network = None
    if network is None:
        return _invalid(key, value, "not-a-network", hint=_meant(value))
    usable = _is_usable(network)
    if value == str(network):
        return PodCidr(network=network, observed=value) if usable else _invalid(key, value, "unusable")
    hint = str(network) if usable else ""
    if _CIDR.fullmatch(value):
        return _invalid(key, value, "host-bits" if usable else "unusable", hint=hint, network=network)
    return _invalid(key, value, "not-a-network", hint=hint)


def _is_usable(network: IPv4Network) -> bool:
    """Whether its size holds pods, and its addresses may be a pod's."""
    odd = network.is_loopback or network.is_multicast or network.is_link_local
    return WIDEST <= network.prefixlen <= SMALLEST and not odd


def _meant(value: str) -> str:
    """``10.200.1.0/24`` for ``10.200.1.0/255.255.255.0`` or ``10.200.1.0.24``, else nothing."""
    try:
        network = ipaddress.IPv4Network(_PARTED_OTHERWISE.sub(r"\1/\2", value), strict=False)
    except ValueError:
        return ""
    return str(network) if _is_usable(network) else ""


def _invalid(
    key: str, value: str, variant: str, hint: str = "", network: IPv4Network | None = None
) -> PodCidr:
    return PodCidr(
        network=network,
        problem="pod-cidr-invalid",
        variant=variant,
        observed=f"{key}={_shown(value)}" if key else _shown(value),
        near_miss=hint,
        hint=hint,
    )


def _missing(data: UserData) -> PodCidr:
    text = _as_text(data)
    if not text:
        return _missing_as("absent", "—")
    inner = data.encoded_text
    if inner:
        return _missing_as("twice-encoded", text, _shown(inner), _hint(inner))
    if data.is_script:
        near = _ASSIGNMENT.search(data.text)
        return _missing_as("script", text, *near.group(0, 2)) if near else _missing_as("script", text)
    key = _nearest_key(data.pairs)
    if key:
        return _missing_as("misspelt", text, f"{key}={data.pairs[key]}", data.pairs[key])
    return _missing_as("other", text, hint=_hint(text))


def _missing_as(variant: str, text: str, near_miss: str = "", hint: str = "") -> PodCidr:
    return PodCidr(
        problem="pod-cidr-missing",
        variant=variant,
        observed=_shown(text),
        near_miss=near_miss,
        hint=hint,
    )


def _nearest_key(pairs: dict[str, str]) -> str:
    """The key that reads most like the tutorial's; failing that, one whose value is a network."""
    alike = filter(_is_alike, pairs)
    return max(alike, key=_likeness, default=next((k for k, value in pairs.items() if is_network(value)), ""))


def _is_alike(key: str) -> bool:
    return _likeness(key) >= _ALIKE


def _likeness(key: str) -> float:
    letters = re.sub(r"[^a-z]", "", key.lower())
    return difflib.SequenceMatcher(None, letters, re.sub(r"[^a-z]", "", tutorial.POD_CIDR_KEY)).ratio()


def _hint(text: str) -> str:
    found = _CIDR.search(text)
    return found[0] if found else ""


def _as_text(data: UserData) -> str:
    return data.text.strip() or "|".join(f"{key}={value}" for key, value in data.pairs.items())


def _shown(text: str) -> str:
    """``text`` on one line, and no longer than a person reads."""
    line = " ⏎ ".join(part.strip() for part in text.splitlines() if part.strip())
    return line if len(line) <= _MOST_SHOWN else f"{line[:_MOST_SHOWN]}…"
