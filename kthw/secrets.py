"""Masking what looks like a credential, in text that goes into the evidence, a message or the report.

For text that we show as it is: what AWS or a tool answered. Of user data, where people put credentials in
every shape, only what is known to be harmless is kept (``kept``).
"""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "***"

_WORDS: Final = (
    r"secret|passw|passphrase|senha|contrase[nñ]a|token|api[_-]?key|private[_-]?key|access[_-]?key|credential|pwd"
    r"|(?:signing|encryption|master|license|account|shared|auth)[_-]?key|(?<!by)(?<!com)pass(?=[_.\d-]|\b)|_auth\b"
    r"|\bpw\b|parola|пароль|密码|密碼|パスワード|비밀번호"
)
"""What names of secrets have in them."""
_VALUE: Final = r"""(?:"[^"\n]*"|'[^'\n]*'|[^\s"'|&;,]+)"""
_HIDDEN: Final = tuple(
    re.compile(pattern, re.IGNORECASE if pattern.startswith("(?P<") else 0)
    for pattern in (
        r"-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|\Z)",
        # Logins in URLs, and what is signed or secret in their queries.
        r"(?<=://)[^/\s:@]{0,200}:[^\s@]{1,200}(?=@)",
        r"(?<=://)[^/\s:@]{8,200}(?=@)",
        r"(?P<kept>[?&][\w-]{0,40}(?:token|key|sig|signature|secret|auth|passw|pwd)[\w-]{0,40}=)[^&\s\"']+",
        # Kinds of keys that say so themselves.
        r"\b(?:AKIA|ASIA)[A-Z0-9]{8,}\b",
        r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[a-z]-|AIza|npm_|pypi-|dckr_pat_|hf_|hvs\.|dop_v1_|shp\w\w_"
        r"|[sr]k_(?:live|test)_|ya29\.|SG\.|AGE-SECRET-KEY-)[\w.-]{6,}",
        r"\bsk-[\w-]{16,}",
        r"\beyJ[\w-]{8,}(?:\.[\w-]*)*",
        r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b",  # of kubeadm
        r"\$(?:\d\w?|y|gy|apr1|argon2\w*|pbkdf2\S{0,40}?)\$[\w./$,=+-]{8,}",  # of crypt(5)
        r"\{(?:S?SHA\d*|S?MD5|CRYPT)\}\S+",
        # What programs take as arguments.
        rf"(?P<kept>(?:^|\s)--?[\w-]{{0,40}}(?:{_WORDS})[\w-]{{0,40}}\s+){_VALUE}",
        r"(?P<kept>\s(?:-u|-U|--user|--proxy-user)\s*)(?:[\w.@-]*:\S+|[\"'][^\"']*:[^\"']*[\"'])",
        r"(?P<kept>\b(?:mysql\w*|mariadb\w*|sshpass)\b[^\n|;&]{0,200}?\s-p\s*)\S+",
        r"(?P<kept>\bhtpasswd\s)[^\n|;&]+",
        r"(?P<kept>:)[^\s:\"'|]+(?=[\"']?\s*\|\s*(?:sudo\s+)?chpasswd)",
        r"(?P<kept>\bchpasswd\b)[\s\S]*",
        rf"(?P<kept>\bidentified\s+by\s+){_VALUE}",
        rf"(?P<kept>\blogin\s+\S+\s+password\s+){_VALUE}",
        r"(?P<kept>\bauthorization[\"']?\s{0,9}[:=]\s{0,9}[\"']?)[^\"'\n]+",
        r"(?P<kept>\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}",
    )
)
"""In this order. The group ``kept`` stays in front of the mask."""
_NAMED: Final = re.compile(
    # Bounded runs, here and above: an unbounded one is tried from each of a long text's characters.
    rf"""(?P<name>(?:{_WORDS})[\w.-]{{0,40}}["']?\s{{0,9}}(?:=>|[:=])\s{{0,9}})(?P<value>{_VALUE})""",
    re.IGNORECASE,
)
_REFUSAL: Final = re.compile(
    r"\b(?:Invalid|Expired|Missing|Incomplete|Malformed|Unrecognized|Unauthorized|Token|Credentials?)"
    r"(?:[A-Z][a-z]+)+: [A-Z][a-z]*"
)
"""An error code of AWS's, ``ExpiredToken: The …``: what follows is a sentence and no token."""
_LONGEST_CODE: Final = 60
_ARN_OR_LONG: Final = re.compile(r"(?P<arn>\barn:aws[\w-]*:\S+)|(?P<long>[A-Za-z0-9+/_-]{32,}={0,2})")
_HEX: Final = re.compile(r"[0-9a-fA-F]{32,}")
_SECRETIVE: Final = re.compile(
    rf"{_WORDS}|authorization|chpasswd|bearer|cookie|\bpin\b|\bclave\b|\bpasse\b", re.IGNORECASE
)


def masked(text: str) -> str:
    """``text`` with everything like a credential replaced by ``***``.

    Masked are: keys that say so themselves (of AWS, GitHub, …), PEM blocks, password hashes, logins in URLs,
    the values of names like ``password`` and ``token``, what programs take as one (``curl -u``), and long
    strings that are hexadecimal or mix capitals, small letters and digits (secret keys, session tokens,
    AWS's encoded authorization messages). ARNs are kept: they say who was refused.
    """
    for pattern in _HIDDEN:
        text = pattern.sub(_hidden, text)
    text = _NAMED.sub(_value, text)
    return _ARN_OR_LONG.sub(_long, text)


def is_secretive(text: str) -> bool:
    """Whether ``text`` names a kind of secret: then no word beside it is trusted to be harmless."""
    return bool(_SECRETIVE.search(text))


def _hidden(found: re.Match[str]) -> str:
    return f"{found.groupdict().get('kept') or ''}{MASK}"


def _value(found: re.Match[str]) -> str:
    begins = max(0, found.start() - _LONGEST_CODE)
    refusals = _REFUSAL.finditer(found.string, begins, found.end())
    is_sentence = any(each.end() == found.end() for each in refusals)
    return found[0] if is_sentence else f"{found['name']}{MASK}"


def _long(found: re.Match[str]) -> str:
    text = found["long"]
    if text is None:
        return found["arn"]
    kinds = (str.isupper, str.islower, str.isdigit)
    if _HEX.search(text) or all(any(kind(c) for c in text) for kind in kinds):
        return MASK
    return text
