"""Facts within the text of a message: on one line always, and quoted where the text is pasted into a shell.

A fact may say anything: names come from tags, from options, and from other people's recorded runs. A
placeholder says what it stands for; one that does not is a word where the text is made of commands, and
plain text elsewhere:

- ``{worker:word}``: one word of a command, or a part of one, quoted if need be;
- ``{file:remote}``: one word of a command for another machine's shell, which is itself within ``'…'``;
- ``{pod_cidr:plain}``: a part of a word that is quoted by hand, so of harmless characters only;
- ``{user_data:words}``: words that came quoted: taken apart, and each quoted again;
- ``{target_option:option}``: likewise an option and its value;
- ``{login:command}``: a whole command, which must be of a kind that we make;
- ``{count:session|sessions}``: no value at all, but the word that goes with one, or with any other number.

In plain text a fact is made printable: on one line, marks and escapes as codes, and cut with the cut said.
A value that is not printable as it is goes into no command. Nor does one of which the evidence has only a
part, masked or cut: then there is no command at all (``NotWhole``), as it would mean something else.

No command goes on over a line end: the terminal's report indents every line, which a here-document's end,
or a quoted text, would not survive.

What does not fit, and for a shell what is empty, is printed as the placeholder's own name, in capitals,
as is what there is no fact for.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Final

from kthw.foreign import CUT, printable
from kthw.secrets import MASK

_LINE_ENDS: Final = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
_MOST_TOLD: Final = 1000
"""Characters of a fact in a sentence."""
_MOST_PASTED: Final = 50_000
"""Characters of a fact in a command: less than a command line may have, and more than 2000 names."""
_PLAIN: Final = re.compile(r"[\w.:/@%+=,-]+", re.ASCII)
_OPTION: Final = re.compile(r"--[a-z-]+")
_SSH_OPTIONS: Final = r"(?:\0-F\0[^\0]+|\0-i\0[^\0]+|\0-p\0\d+|\0-o\0HostName=[^\0]+)*"
_WAY: Final = re.compile(rf"ssh{_SSH_OPTIONS}\0-W\0%h:%p\0[^\0-][^\0]*")
"""Through a jump host: the one ProxyCommand that we make."""
_COMMANDS: Final = (
    re.compile(rf"ssh{_SSH_OPTIONS}(\0-o\0ProxyCommand=(?P<way>[^\0]+))?\0[^\0-][^\0]*"),
    re.compile(r"ssh-keygen\0-f\0[^\0]+\0-R\0[^\0]+"),
)
"""The kinds of commands we make, a NUL between the words. Other options of ssh run programs."""


def one_line(text: str) -> str:
    """``text`` as it is told: printable, line ends as spaces, and not longer than a person reads."""
    return printable(_LINE_ENDS.sub(" ", text), _MOST_TOLD)


class NotWhole(Exception):  # noqa: N818 -- no error: there is no such command to print
    """A command needs a value of which only a part is known."""


def filled(template: str, facts: Mapping[str, object], *, pasted: bool = False) -> str:
    """The text with its facts. ``pasted``: it is made of commands and remarks.

    Raises ``NotWhole`` where a command would need what is masked or cut.
    """
    return template.format_map(_Facts(facts, pasted=pasted)).strip()


class _Facts(dict[str, object]):
    def __init__(self, facts: Mapping[str, object], *, pasted: bool) -> None:
        super().__init__(facts)
        self._unsaid = "word" if pasted else "text"

    def __getitem__(self, name: str) -> _Fact:
        return _Fact(name.upper(), str(self.get(name, name.upper())), self._unsaid)


class _Fact:
    def __init__(self, name: str, value: str, unsaid: str) -> None:
        self._name = name
        self._value = value
        self._unsaid = unsaid

    def __format__(self, kind: str) -> str:
        kind = kind or self._unsaid
        if "|" in kind:
            one, many = kind.split("|")
            return one if self._value == "1" else many
        if kind == "text":
            return one_line(self._value)
        if MASK in self._value or CUT in self._value:
            raise NotWhole(self._name)
        as_it_is = self._value == printable(self._value, _MOST_PASTED)
        return (as_it_is and _KINDS[kind](self._value)) or self._name


def _word(value: str) -> str:
    # What begins with a dash would be taken for an option.
    return "" if not value or value.startswith("-") else shlex.quote(value)


def _remote(value: str) -> str:
    return _word(value).replace("'", "'\\''")


def _plain(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else ""


def _split(value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError:  # a quote without its other half
        return []


def _words(value: str) -> str:
    words = [_word(word) for word in _split(value)]
    return " ".join(words) if all(words) else ""


def _option(value: str) -> str:
    option, *values = _split(value) or [""]
    return f"{option} {_word(values[0])}" if _OPTION.fullmatch(option) and len(values) == 1 else ""


def _command(value: str) -> str:
    words = _split(value)
    found = next(filter(None, (kind.fullmatch("\0".join(words)) for kind in _COMMANDS)), None)
    way = found.groupdict().get("way") if found else None
    return shlex.join(words) if found and (way is None or _is_a_way(way)) else ""


def _is_a_way(text: str) -> bool:
    """Whether a shell, after ssh has filled in its two tokens, runs ``text`` as what it looks like."""
    words = _split(text)
    tokens = text.replace("%%", "").count("%")
    return bool(_WAY.fullmatch("\0".join(words))) and shlex.join(words) == text and tokens == 2


_KINDS: Final[Mapping[str, Callable[[str], str]]] = {
    "word": _word,
    "remote": _remote,
    "plain": _plain,
    "words": _words,
    "option": _option,
    "command": _command,
}
