"""``kthw.toml``, read: the one door for a file that somebody else may have written.

A file that is merely found in the current folder is not trusted with what runs programs: an ``ssh_config``
can (``ProxyCommand``), and whoever unpacks an archive and enters its folder has not asked for that. Such a
line counts only where a person named the file.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from kthw.intended.cluster import BadNames
from kthw.lab.values import check
from kthw.observed import bounded_file

NAME: Final = "kthw.toml"
NO_FILE: Final = "none"
"""OpenSSH's word for no file at all: not even the one in the current folder."""
_MOST: Final = 256 << 10
_FILES: Final = ("ssh-key", "ssh-config")
_ONLY_NAMED: Final = ("ssh-config", "ssh-jump")
"""What can run a program, or lead a login over a machine of somebody else's."""

Value = str | bool


class Lab(Struct, frozen=True, kw_only=True):
    """What the file says, by the name of the option that says the same, and as that option takes it.

    ``file`` is absolute, or ``None`` where there is none; ``named``: a person named it, and it was not merely
    found. ``lines``: where in it each is.
    """

    file: Path | None = None
    named: bool = False
    values: Mapping[str, Value] = MappingProxyType({})
    lines: Mapping[str, int] = MappingProxyType({})

    def only(self, names: Collection[str]) -> Lab:
        """The same of these options."""
        return replace(self, values={name: said for name, said in self.values.items() if name in names})

    def place(self, name: str) -> str:
        """The file, and the line in it: ``…/kthw.toml:3``."""
        return _place(self.file, self.lines.get(name, 0)) if self.file else ""


NOTHING: Final = Lab()


def lab(named: str, folder: Path) -> Lab:
    """The lab file that is ``named``, relative to ``folder``; else the one in ``folder``; else ``NOTHING``.

    Raises ``BadNames`` with the place in the file, for whatever is wrong with it.
    """
    if named == NO_FILE:
        return NOTHING
    file = folder / (expanded(named) if named else NAME)
    if not named and not os.path.lexists(file):
        return NOTHING
    values: dict[str, Value] = {}
    lines: dict[str, int] = {}
    text = _text(file, named=bool(named))
    for keys, value in _said(_document(file, text)):
        line = _line(text, keys)
        try:
            name, values_of_it = _read(keys, value, file)
            if name in _ONLY_NAMED and not named:
                raise BadNames("lab-only-named", name=".".join(keys), file=str(file))
        except BadNames as problem:
            problem.place = _place(file, line)
            raise
        values[name], lines[name] = values_of_it, line
    return Lab(file=file, named=bool(named), values=values, lines=lines)


def _place(file: Path, line: int) -> str:
    return f"{file}:{line}" if line else str(file)


def expanded(name: str) -> str:
    """``name`` with its ``~``; that of nobody stays, and is a file that does not exist."""
    try:
        return str(Path(name).expanduser())
    except RuntimeError:
        return name


def _text(file: Path, *, named: bool) -> str:
    try:
        data = bounded_file.read(file, _MOST, ours=not named)
    except bounded_file.OpenToOthersError as problem:
        raise BadNames("lab-of-others", file=str(file), detail=str(problem)) from problem
    except (OSError, ValueError) as problem:
        detail = getattr(problem, "strerror", "") or str(problem)
        raise BadNames("lab-unreadable", file=str(file), detail=detail) from problem
    try:
        # Some editors put a mark of the byte order first.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data[: problem.start].count(b"\n") + 1
        raise _at(BadNames("lab-no-utf8", byte=f"0x{data[problem.start]:02x}"), file, line) from problem


def _document(file: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as problem:
        # What Python says of a number of thousands of digits goes on with advice for programmers.
        said = str(problem).partition(": value has")[0]
        found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", said)
        line = int(found[1] or text.rstrip().count("\n") + 1) if found else 0
        told = said[: found.start()] if found else said
        raise _at(BadNames("lab-no-toml", detail=told), file, line) from problem


def _at(problem: BadNames, file: Path, line: int) -> BadNames:
    problem.place = _place(file, line)
    return problem


def _said(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each key with its value, those of ``[ssh]`` one by one."""
    for key, value in document.items():
        if key == _SSH and isinstance(value, dict):
            yield from (((key, inner), each) for inner, each in value.items())
        else:
            yield (key,), value


def _read(keys: tuple[str, ...], value: object, file: Path) -> tuple[str, Value]:
    key = ".".join(keys)
    if key not in _KEYS:
        written = key.replace("_", "-").lower()
        close = difflib.get_close_matches(written, _KEYS, n=1)
        if close:
            raise BadNames("lab-key-near", name=key, near=close[0])
        raise BadNames("lab-key-unknown", name=key, known=", ".join(_KEYS))
    name = "-".join(keys)
    takes, example = _KEYS[key]
    read = takes(value)
    if read is None:
        raise BadNames("lab-bad-type", name=key, example=example)
    if isinstance(read, str):
        check(name, read)
        if name in _FILES:
            read = str(file.absolute().parent / expanded(read))
    return name, read


def _as_text(value: object) -> Value | None:
    return value if isinstance(value, str) else None


def _as_list(value: object) -> Value | None:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    return _as_text(value)


def _as_pairs(value: object) -> Value | None:
    if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return ",".join(f"{worker}={cidr}" for worker, cidr in value.items())
    return _as_text(value)


def _as_count(value: object) -> Value | None:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _as_yes_or_no(value: object) -> Value | None:
    return value if isinstance(value, bool) else None


_SSH: Final = "ssh"
_KEYS: Final[Mapping[str, tuple[Callable[[object], Value | None], str]]] = MappingProxyType(
    {
        "workers": (_as_list, 'workers = ["worker-0", "worker-1"]'),
        "expect-workers": (_as_count, "expect-workers = 3"),
        "also": (_as_list, 'also = ["controller-0"]'),
        "pod-cidrs": (_as_pairs, 'pod-cidrs = "10.200.{n}.0/24"'),
        "network": (_as_text, 'network = "vpc-routes"'),
        "after": (_as_text, 'after = "routes"'),
        "region": (_as_text, 'region = "us-east-1"'),
        "profile": (_as_text, 'profile = "default"'),
        "expect-account": (_as_text, 'expect-account = "123456789012"'),
        "language": (_as_text, 'language = "pt-BR"'),
        "ssh.user": (_as_text, 'ssh.user = "ubuntu"'),
        "ssh.key": (_as_text, 'ssh.key = "kubernetes.id_rsa"'),
        "ssh.config": (_as_text, 'ssh.config = "ssh_config"'),
        "ssh.jump": (_as_text, 'ssh.jump = "jumpbox"'),
        "ssh.accept-new": (_as_yes_or_no, "ssh.accept-new = true"),
    }
)
"""By key, how its value is read, and an example."""


def _line(text: str, keys: tuple[str, ...]) -> int:
    """Where the key is, or the table it is in; 0 where neither is seen (TOML has many ways to write one)."""
    table: tuple[str, ...] = ()
    near = 0
    for number, line in enumerate(text.split("\n"), start=1):
        header = _HEADER.match(line)
        assigned = None if header else _ASSIGNED.match(line)
        if header:
            table = here = _parts(header[1])
        elif assigned:
            here = (*table, *_parts(assigned[1]))
        else:
            continue
        if here[: len(keys)] == keys:
            return number
        if here == keys[: len(here)]:
            near = number
    return near


_HEADER: Final = re.compile(r"\s*\[+([^\[\]]+)\]")
_ASSIGNED: Final = re.compile(r"\s*([^=#\[]+?)\s*=")


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in key.split("."))
