"""Reading a worker's user data: ``name=worker-0|pod-cidr=10.200.0.0/24`` in base64, if all is well."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from typing import Final

from kthw.intended import tutorial
from kthw.observed.evidence import MOST_VALUE, UserData
from kthw.observed.secrets import masked

MOST_TEXT: Final = 2000
"""Characters of user data that are kept where no pod CIDR was found in it."""
_MOST_UNPACKED: Final = 16 * 1024
_GZIP: Final = b"\x1f\x8b"

_PAIR = re.compile(r"([A-Za-z_][\w.-]*)=(.*)")
_SEPARATOR = re.compile(r"[|\r\n]+")


def read_user_data(value: str) -> UserData:
    """What ``value``, as ``DescribeInstanceAttribute`` returns it (base64, maybe empty), says.

    Pairs are separated by ``|`` as in the tutorial, or by line ends. Where no key is, or resembles,
    ``pod-cidr``, or cloud-init would run it, the decoded text is kept as well, so that a person sees what
    is there instead: a script, text encoded twice, something gzipped (``gzip: …``) or binary (escaped).
    """
    if not value:
        return UserData()
    text = _decoded(value)
    pairs = _pairs(text)
    said = UserData(pairs=pairs, text=_kept(text))
    if not said.is_script and any(_is_like_pod_cidr(key) for key in pairs):
        return UserData(pairs=pairs)
    return said


def _decoded(value: str) -> str:
    try:
        data = base64.b64decode(value, validate=False)
    except binascii.Error:
        return value
    if not data.startswith(_GZIP):
        return _as_text(data)
    try:
        unpacked = zlib.decompressobj(wbits=31).decompress(data, _MOST_UNPACKED)
    except zlib.error:
        return _as_text(data)
    return f"gzip: {_as_text(unpacked)}"


def _as_text(data: bytes) -> str:
    text = data.decode("utf-8", errors="backslashreplace")
    return "".join(c if c.isprintable() or c in "\r\n\t" else repr(c)[1:-1] for c in text)


def _pairs(text: str) -> dict[str, str]:
    """The pairs, the first of equal keys; values that look like a credential are masked."""
    pairs: dict[str, str] = {}
    for part in _SEPARATOR.split(text):
        found = _PAIR.fullmatch(part)
        if found:
            key, value = found[1], found[2].strip()
            shown = masked(f"{key}={value}").removeprefix(f"{key}=")
            pairs.setdefault(key, shown[:MOST_VALUE])
    return pairs


def _is_like_pod_cidr(key: str) -> bool:
    letters = re.sub(r"[-_.]", "", key.lower())
    return letters.startswith(tutorial.POD_CIDR_KEY.replace("-", "")[:5])


def _kept(text: str) -> str:
    """``text`` without credentials; base64 around harmless text is no credential but the finding."""
    stripped = text.strip()
    try:
        inner = base64.b64decode(stripped, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        inner = ""
    harmless = bool(_pairs(inner)) and masked(inner) == inner
    return (text if harmless else masked(text))[:MOST_TEXT]
