"""Masking what looks like a credential, in text that goes into the evidence, a message or the report."""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "***"

_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL)
_URL_LOGIN = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")
_ACCESS_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{8,}\b")
_NAMED = re.compile(
    # Bounded, because an unbounded run before a word is tried from each of its characters.
    r"""(?P<name>[\w.-]{0,40}(?:secret|passw|passphrase|senha|token|api[_-]?key|private[_-]?key|access[_-]?key"""
    r"""|credential)[\w.-]{0,40}["']?\s{0,9}[:=]\s{0,9})(?P<value>"[^"]*"|'[^']*'|[^\s"'|&;,]+)""",
    re.IGNORECASE,
)
_AUTHORIZATION = re.compile(r"\b(?P<scheme>bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_ARN_OR_LONG = re.compile(r"(?P<arn>\barn:aws[\w-]*:\S+)|(?P<long>[A-Za-z0-9+/_-]{32,}={0,2})")
_HEX = re.compile(r"[0-9a-fA-F]{32,}")


def masked(text: str) -> str:
    """``text`` with everything like a credential replaced by ``***``.

    Masked are: AWS access keys, PEM blocks, logins in URLs, the values of names like ``password`` and
    ``token``, and long strings that are hexadecimal or mix capitals, small letters and digits (secret
    keys, session tokens, AWS's encoded authorization messages). ARNs are kept: they say who was refused.
    """
    text = _PEM.sub(MASK, text)
    text = _URL_LOGIN.sub(MASK, text)
    text = _ACCESS_KEY.sub(MASK, text)
    text = _AUTHORIZATION.sub(lambda found: f"{found['scheme']} {MASK}", text)
    text = _NAMED.sub(lambda found: f"{found['name']}{MASK}", text)
    return _ARN_OR_LONG.sub(_long, text)


def _long(found: re.Match[str]) -> str:
    text = found["long"]
    if text is None:
        return found["arn"]
    kinds = (str.isupper, str.islower, str.isdigit)
    if _HEX.search(text) or all(any(kind(c) for c in text) for kind in kinds):
        return MASK
    return text
