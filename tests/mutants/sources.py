"""The mutants of a source file: each is the file with one small change, and known by what it changes where.

Left alone: annotations, docstrings, imports, decorators, what a class declares of itself, type aliases, the
words of an f-string (but not what is filled into them), and the names under which something is remembered:
any other name would do.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Final, NamedTuple

from tests.mutants.operators import droppable, others, returned_instead

_LEFT_ALONE: Final = {
    ast.FunctionDef: ("decorator_list", "returns"),
    ast.ClassDef: ("decorator_list", "bases", "keywords"),
    ast.AnnAssign: ("annotation", "target"),
    ast.arg: ("annotation",),
}
_WITHOUT_MUTANTS: Final = (ast.Import, ast.ImportFrom, ast.Assert, ast.expr_context)
_KEPT_DECORATORS: Final = frozenset(
    ["property", "cached_property", "lru_cache", "staticmethod", "classmethod"]
)
"""Those from whose result the function itself can be had again."""


class Key(NamedTuple):
    """What a mutant is known by, wherever its line moves to. ``function`` is empty outside of any."""

    file: str
    function: str
    line: str
    change: str


class Mutant(NamedTuple):
    """``key``; ``lines``: those that a test must run to notice it; ``number``: of the changed line.

    ``live``: the function (as ``Class.name``) in which it can be set at work while the program stands; empty
    where only the import of the changed module will do.
    """

    key: Key
    number: int
    lines: range
    live: str
    parent: ast.AST
    field: str
    at: int | None
    node: ast.AST
    other: ast.AST

    def apply(self) -> None:
        """Change the tree that it was found in."""
        new = ast.copy_location(self.other, self.node)
        if self.at is None:
            setattr(self.parent, self.field, new)
        else:
            getattr(self.parent, self.field)[self.at] = new
        ast.fix_missing_locations(self.parent)

    def __str__(self) -> str:
        where = f"{self.key.file}:{self.number}"
        return f"{where}  {self.key.function}".rstrip()


class Source:
    """A module and its mutants. ``name``: as it is imported."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path.resolve()
        self.file = self.path.relative_to(root).as_posix()
        self.name = self.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        self.text = path.read_text(encoding="utf-8")
        self.tree = ast.parse(self.text, self.path)
        self.mutants = _numbered(_Finder(self.file, self.text).found(self.tree))

    def mutated(self, mutant: Mutant) -> CodeType:
        """The whole module, changed. The tree is changed for good: for a process that ends with it."""
        mutant.apply()
        code: CodeType = compile(self.tree, self.path, "exec", dont_inherit=True)
        return code

    def diff(self, mutant: Mutant) -> str:
        """The change as two lines, or as many as it takes."""
        lines = self.text.encode().splitlines(keepends=True)
        node = mutant.node
        assert isinstance(node, (ast.expr, ast.stmt))
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        was = b"".join(lines[first : last + 1])
        tail = len(lines[last]) - (node.end_col_offset or 0)
        now = was[: node.col_offset] + ast.unparse(mutant.other).encode() + was[len(was) - tail :]
        return _marked("- ", was.decode()) + _marked("+ ", now.decode())


def sources(paths: list[Path], root: Path) -> list[Source]:
    """The modules in files and folders."""
    files = {file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py"))}
    return [Source(file, root) for file in sorted(files)]


def _marked(mark: str, text: str) -> str:
    return "".join(f"{mark}{line}\n" for line in text.splitlines())


def _numbered(mutants: Iterator[Mutant]) -> list[Mutant]:
    """Mutants that read alike are told apart by a number: ``a → b (2)``."""
    met: Counter[Key] = Counter()
    different = []
    for mutant in mutants:
        met[mutant.key] += 1
        if met[mutant.key] > 1:
            change = f"{mutant.key.change} ({met[mutant.key]})"
            mutant = mutant._replace(key=mutant.key._replace(change=change))
        different.append(mutant)
    return different


class _Place(NamedTuple):
    """Where in the program: ``function`` the innermost one, ``live`` the outermost that can be changed: empty
    where it cannot, ``None`` outside of any.
    """

    function: str = ""
    returns: ast.expr | None = None
    live: str | None = None
    lines: range = range(0)
    within: ast.AST | None = None
    holder: ast.AST | None = None
    """``holder``: the parent of the node; ``within``: what holds that."""


class _Finder:
    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._lines = text.splitlines()

    def found(self, tree: ast.Module) -> Iterator[Mutant]:
        """Every mutant once, in the order of the source."""
        yield from self._within(tree, _Place())

    def _within(self, parent: ast.AST, place: _Place) -> Iterator[Mutant]:
        skipped = next((fields for kind, fields in _LEFT_ALONE.items() if isinstance(parent, kind)), ())
        for field, value in ast.iter_fields(parent):
            if field in skipped:
                continue
            inside = _inside(parent, field, place)._replace(within=place.holder, holder=parent)
            if isinstance(value, list):
                for n, node in enumerate(value):
                    if isinstance(node, ast.AST):
                        yield from self._at(parent, field, n, node, inside)
            elif isinstance(value, ast.AST):
                yield from self._at(parent, field, None, value, inside)

    def _at(
        self, parent: ast.AST, field: str, index: int | None, node: ast.AST, place: _Place
    ) -> Iterator[Mutant]:
        if isinstance(node, _WITHOUT_MUTANTS) or _only_documents(parent, node):
            return
        lines = _lines_of(parent, node, place)
        place = place._replace(lines=lines)
        told = {ast.dump(node)}
        for other in _instead(parent, field, node, place):
            if ast.dump(other) not in told:
                told.add(ast.dump(other))
                yield self._mutant(parent, field, index, node, other, place)
        yield from self._within(node, place)

    def _mutant(
        self,
        parent: ast.AST,
        field: str,
        index: int | None,
        node: ast.AST,
        other: ast.AST,
        place: _Place,
    ) -> Mutant:
        assert isinstance(node, (ast.expr, ast.stmt))
        line = self._lines[node.lineno - 1].strip()
        change = f"{ast.unparse(node)} → {ast.unparse(other)}"
        key = Key(self._file, place.function, line, change)
        return Mutant(key, node.lineno, place.lines, place.live or "", parent, field, index, node, other)


def _instead(parent: ast.AST, field: str, node: ast.AST, place: _Place) -> Iterator[ast.AST]:
    if isinstance(node, ast.stmt):
        dropped = droppable(node)
        if dropped:
            yield dropped
        return
    if isinstance(parent, ast.JoinedStr) or _names_what_is_remembered(place.within, parent, node):
        return
    yield from others(node)
    if isinstance(parent, ast.Return) and isinstance(node, ast.expr):
        yield from returned_instead(place.returns, node)
    if field in ("test", "guard") and isinstance(parent, (ast.If, ast.While, ast.match_case)):
        yield ast.Constant(value=False)
    if field == "ifs" or (field in ("test", "guard") and isinstance(parent, (ast.If, ast.match_case))):
        yield ast.Constant(value=True)


def _only_documents(parent: ast.AST, node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(value=value) if isinstance(parent, ast.Module):
            return isinstance(value, ast.Subscript) or _is_a_union_of_classes(value)
    return False


def _is_a_union_of_classes(value: ast.expr) -> bool:
    """``This | That``, and not the union of two constant sets: ``THESE | THOSE``."""
    match value:
        case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Name(id=name)):
            return _is_a_class(name) and (
                _is_a_class(left.id) if isinstance(left, ast.Name) else _is_a_union_of_classes(left)
            )
    return False


def _is_a_class(name: str) -> bool:
    bare = name.lstrip("_")
    return bare[:1].isupper() and not bare.isupper()


def _names_what_is_remembered(within: ast.AST | None, parent: ast.AST, node: ast.AST) -> bool:
    """The text in ``key = ("text", …)``, or in ``….remember(("text", …), …)``."""
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str) and isinstance(parent, ast.Tuple)):
        return False
    match within:
        case ast.Assign(targets=[ast.Name(id="key")]):
            return True
        case ast.Call(func=ast.Attribute(attr="remember"), args=[first, *_]):
            return first is parent
    return False


def _lines_of(parent: ast.AST, node: ast.AST, place: _Place) -> range:
    """The lines of a statement, or of the part of a longer one that ``node`` is or is in."""
    if isinstance(node, (ast.stmt, ast.match_case, ast.ExceptHandler)):
        first = node.lineno if not isinstance(node, ast.match_case) else node.pattern.lineno
        return range(first, (getattr(node, "end_lineno", None) or first) + 1)
    if isinstance(parent, (ast.If, ast.While, ast.For, ast.With, ast.match_case)) and isinstance(
        node, ast.expr
    ):
        return range(min(place.lines.start, node.lineno), (node.end_lineno or node.lineno) + 1)
    return place.lines


def _inside(parent: ast.AST, field: str, place: _Place) -> _Place:
    if field != "body" or not isinstance(parent, (ast.FunctionDef, ast.ClassDef)):
        return place
    name = f"{place.function}.{parent.name}" if place.function else parent.name
    if isinstance(parent, ast.ClassDef):
        return place._replace(function=name)
    if place.live is None:
        kept = all(_is_kept(each) for each in parent.decorator_list)
        kept = kept and not _makes_a_function(parent) and not _asks_what_it_inherits(parent)
        place = place._replace(live=name if kept else "")
    return place._replace(function=name, returns=parent.returns)


def _makes_a_function(function: ast.FunctionDef) -> bool:
    """Whether it returns one of its own: those that were made before would keep their code."""
    inside = {node.name for node in ast.walk(function) if isinstance(node, ast.FunctionDef)} - {function.name}
    returned = (node.value for node in ast.walk(function) if isinstance(node, ast.Return))
    return any(isinstance(value, ast.Name) and value.id in inside for value in returned)


def _asks_what_it_inherits(function: ast.FunctionDef) -> bool:
    """Whether it holds its class: code that does not can never take the place of its own."""
    return any(isinstance(node, ast.Name) and node.id == "super" for node in ast.walk(function))


def _is_kept(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(called).split(".")[-1] in _KEPT_DECORATORS
