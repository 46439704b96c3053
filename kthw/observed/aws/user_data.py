"""Reading a worker's user data: ``name=worker-0|pod-cidr=10.200.0.0/24`` in base64, if all is well."""

from __future__ import annotations

import base64
import codecs
import re
import zlib
from typing import Final

from kthw.foreign import printable
from kthw.intended import tutorial
from kthw.observed.aws import kept
from kthw.observed.aws.statements import statements
from kthw.observed.evidence import UserData

MOST_TEXT: Final = 2000
"""Characters of user data that are kept where no pod CIDR was found in it."""
_MOST: Final = 64 * 1024
"""Characters that are looked at, in base64 or unpacked: AWS takes 16 KB."""
_FOLLOWED: Final = re.compile(r"[\d.]+/\d+\s*(?:[,;\s]|\\n)")
"""A range, and then something else: separated otherwise than the chapter does it."""
_GZIP: Final = b"\x1f\x8b"
_MAGIC: Final = 4
"""Bytes that tell which kind of file something is."""


def read_user_data(value: str) -> UserData:
    """What ``value``, as ``DescribeInstanceAttribute`` returns it (base64, maybe empty), says.

    Nothing is kept that could be a secret and that no finding needs (``kept``). Where no key is, or reads
    like, ``pod-cidr``, or cloud-init would run it, lines of the text are kept as well, so that a person sees
    what is there instead: a script, text encoded twice, something gzipped (``gzip: …``), of another encoding
    (``utf-16: …``) or binary (``binary: \\x7fELF…``). The chapters read none of these: they have no pairs.
    """
    if not value:
        return UserData()
    form, text = _decoded(value[:_MOST])
    script = UserData(text=f"{form}{text[:200]}").is_script
    pairs = {} if form else kept.pairs(text, script=script)
    # The chapter's own key has the chapter's own value, and what is wrong with that is told.
    value = "" if script else pairs.get(tutorial.POD_CIDR_KEY, "")
    said = (
        ()
        if (value and not _FOLLOWED.match(value)) or form.startswith("binary")
        else statements(text, script=script)
    )
    if not script and any(kept.is_like_pod_cidr(key) for key in pairs):
        return UserData(pairs=pairs, statements=said)
    shown = text if form.startswith("binary") else _shown(text, script=script)
    return UserData(pairs=pairs, text=f"{form}{shown}"[:MOST_TEXT], statements=said)


def _decoded(value: str) -> tuple[str, str]:
    """The form, for a person to read, where it is no plain text; and the text."""
    packed = re.sub(r"\s+", "", value)
    try:
        data = base64.b64decode(packed[: len(packed) & ~3] if len(value) == _MOST else packed)
    except ValueError:
        return "", _printable(value)
    form = ""
    if data.startswith(_GZIP):
        try:
            data, form = zlib.decompressobj(wbits=31).decompress(data, _MOST), "gzip: "
        except zlib.error:
            return _binary(data)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return f"{form}utf-16: ", _printable(data.decode("utf-16", errors="replace"))
    if _is_binary(data):
        return _binary(data)
    return form, _printable(data.decode("utf-8", errors="backslashreplace"))


def _is_binary(data: bytes) -> bool:
    return any(byte < 0x20 and byte not in b"\t\n\r\f\x1b" for byte in data)


def _binary(data: bytes) -> tuple[str, str]:
    return "binary: ", f"{repr(data[:_MAGIC])[2:-1]}… ({len(data)})"


def _printable(text: str) -> str:
    return printable(text.replace("\r\n", "\n").replace("\r", "\n"), _MOST, lines=True)


def _shown(text: str, *, script: bool) -> str:
    inner = UserData(text=text).encoded_text
    if not inner:
        return kept.lines(text, script=script)
    # Encoded twice is the finding: so what is kept of it stays encoded.
    harmless = kept.lines(inner, script=UserData(text=inner).is_script)
    return text if harmless == inner else base64.b64encode(harmless.encode()).decode()
