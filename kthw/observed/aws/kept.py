"""What is kept of user data: what a finding needs, and of the rest only what is known to be harmless.

People put credentials into user data in more shapes than anybody can list. So the pairs and the lines that
speak of pod CIDRs are kept, words of plain letters beside them, and how a script begins; everything else is
``…``, and lines that are left out are counted (``… (+12 ⏎)``).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from kthw.intended import tutorial
from kthw.secrets import MASK, is_secretive, masked

MOST_VALUE: Final = 200
"""Characters of a value that are kept."""
_MOST_PAIRS: Final = 30
"""Pairs that no finding needs, and are kept to be written back when one is mended."""
_MOST_LINES: Final = 40
_MOST_WORDS: Final = 12
_MOST_WORDS_OF_VALUE: Final = 2
_GAP: Final = "…"
_PARTS: Final = ("Mn", "Mc", "So", "Cf")

_PAIR: Final = re.compile(r"([A-Za-z_][\w.-]{0,59})=(.*)")
_SEPARATOR: Final = re.compile(r"[|\n]+")
_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})+[A-Za-z0-9+/]{2}(?:==|[A-Za-z0-9+/]=)")
_ADDRESS: Final = r"\d{1,3}(?:\.\d{1,3}){3}"
_NETWORK: Final = rf"{_ADDRESS}(?:/\d{{1,3}}(?:\.\d{{1,3}}){{0,3}})?"
_ASSIGNED: Final = re.compile(
    rf"(?:\\ufeff|[{{[])?(?:[\"']?[\w.-]{{1,40}}[\"']?[=:])?[\"']?{_NETWORK}[\"']?[\]}},;]{{0,3}}"
)
_CIDR: Final = re.compile(rf"(?<![\d.]){_ADDRESS}/\d")
_HEAD: Final = re.compile(
    r"\s*(?:#! ?/[\w./-]{1,40}(?: [\w-]{1,12})?|#cloud-[a-z-]+|#include(?:-once)?|#part-handler"
    r"|## template:(?: ?[a-z]+)?|content-type:(?: ?[\w/-]+)?|mime-version:(?: ?[\d.]+)?)",
    re.IGNORECASE,
)
"""How what cloud-init runs begins; a here-document's end or a password is no part of it."""
_HARMLESS: Final = re.compile(
    r"(?:"
    r"|\d{1,3}"
    rf"|{_NETWORK}"
    r"|v?\d{1,3}(?:\.\d{1,3}){1,3}"
    r"|[a-z]{2}(?:-[a-z]+){1,3}-\d[a-z]?"  # a region, a zone
    r"|[a-z]\d[a-z]{0,3}\.\d{0,2}[a-z]+"  # an instance type
    r"|(?:i|vpc|subnet|sg|rtb|eni|ami|igw)-[0-9a-f]{8,17}"
    r"|[a-z]{1,20}(?:-[a-z]{1,20}){0,3}-\d{1,3}"  # worker-0
    r")"
)


def pairs(text: str, *, script: bool) -> dict[str, str]:
    """The ``key=value`` pairs, separated by ``|`` as in the tutorial or by line ends.

    Of equal keys the first. ``***`` is a value that may be a secret. Of a script's variables only those
    about pod CIDRs are kept.
    """
    kept: dict[str, str] = {}
    others = 0
    for part in _SEPARATOR.split(text):
        found = _pair(part)
        if not found or found[0] in kept:
            continue
        if not _is_needed(*found):
            others += 1
            if script or others > _MOST_PAIRS:
                continue
        kept[found[0]] = _value(*found)
    return kept


def lines(text: str, *, script: bool) -> str:
    """The lines that a finding shows, in their order: the first, those about pod CIDRs, those of pairs."""
    shown: list[str] = []
    left_out, first = 0, True
    for line in text.split("\n"):
        if not line.strip():
            shown.append("")
            continue
        now = _line(line, first=first, script=script) if len(shown) < _MOST_LINES else ""
        first = False
        if now:
            shown.append(now)
        else:
            left_out += 1
    kept = "\n".join(shown)
    return f"{kept.rstrip()}\n{_GAP} (+{left_out} ⏎)" if left_out else kept


def is_like_pod_cidr(key: str) -> bool:
    """Whether a key reads like the tutorial's."""
    letters = re.sub(r"[-_.]", "", key.lower())
    return letters.startswith(tutorial.POD_CIDR_KEY.replace("-", "")[:5])


def _line(line: str, *, first: bool, script: bool) -> str:
    """What is kept of one line; empty if nothing."""
    if first and script:
        head = _HEAD.match(line)
        said = head[0].rstrip() if head else _GAP
        return said if head and head.end() == len(line.rstrip()) else f"{said} {_GAP}"
    parts = line.split("|")
    found = [_pair(part) for part in parts]
    about = any(each and _is_needed(*each) for each in found)
    if any(found) and (about or not script):
        return "|".join(
            f"{each[0]}={_value(*each)}" if each else _words(part)
            for each, part in zip(found, parts, strict=True)
        )
    if first or _CIDR.search(line) or any(is_like_pod_cidr(word.strip("\"'=:")) for word in line.split()):
        return _words(line)
    return ""


def _pair(part: str) -> tuple[str, str] | None:
    found = _PAIR.fullmatch(part.rstrip())
    if not found:
        return None
    key, value = found[1], found[2].strip()
    if (
        key != tutorial.NAME_KEY
        and not is_like_pod_cidr(key)
        and (_BASE64.fullmatch(part) or masked(key) != key)
    ):
        return None
    return key, _value(key, value)


def _value(key: str, value: str) -> str:
    whole = f"{key}={value}"
    if is_secretive(whole) or masked(whole) != whole:
        return MASK
    if key == tutorial.NAME_KEY or is_like_pod_cidr(key):
        plain = len(value) <= 60 and len(value.split()) < 2
        return value if plain else _words(value)[:MOST_VALUE] + MASK
    bare = value[1:-1] if value[:1] in ("'", '"') and value[-1:] == value[:1] else value
    words = bare.split(" ")
    letters = len(words) <= _MOST_WORDS_OF_VALUE and all(_is_letters(word) for word in words)
    return value if letters or _HARMLESS.fullmatch(bare) else MASK


def _is_needed(key: str, value: str) -> bool:
    return key == tutorial.NAME_KEY or is_like_pod_cidr(key) or bool(_CIDR.search(value))


def _words(text: str) -> str:
    """``text`` with every word that could be a secret replaced by ``…``."""
    secretive = is_secretive(text) or masked(text) != text
    shown: list[str] = []
    named = False  # by the word before: an option, a key
    for word in text.split()[:_MOST_WORDS]:
        bare = word.strip("\"'`,;:!?()[]{}=.")
        needed = bool(_ASSIGNED.fullmatch(word)) or (
            is_like_pod_cidr(bare) and len(bare) < 30 and bare.isascii()
        )
        harmless = not (secretive or named) and (_is_letters(bare) or (len(word) < 3 and not word.isalnum()))
        long_option = re.fullmatch(r"--[a-z-]{2,30}", word)
        named = word.startswith("-") or word[-1] in ":="
        if needed or harmless or (long_option and not secretive):
            shown.append(word)
        elif shown[-1:] != [_GAP]:
            shown.append(_GAP)
    if len(text.split()) > _MOST_WORDS and shown[-1:] != [_GAP]:
        shown.append(_GAP)
    return " ".join(shown)


def _is_letters(word: str) -> bool:
    """A word of one of the world's languages, and no more: cases mixed within it are somebody's key."""
    cases = (word.lower(), word.upper(), word.capitalize())
    return 0 < len(word) <= 20 and word in cases and all(_is_letter(c) for c in word)


def _is_letter(character: str) -> bool:
    """Of a script, or a part of one (accents, joiners), or a picture."""
    return character.isalpha() or character in "-_." or unicodedata.category(character) in _PARTS
