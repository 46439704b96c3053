"""The small changes: what may stand in the place of one node of a syntax tree.

Each is one that a tired person could have typed, or forgotten to: a comparison the wrong way round, a clause
too few, a constant off by one. What only documents (annotations, docstrings) or only tells (f-strings) is
left alone; `sources.py` keeps away from it.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

_Node = TypeVar("_Node", bound=ast.AST)

_COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_OTHER_NAMES: Final = {"any": "all", "all": "any", "min": "max", "max": "min"}
_OTHER_METHODS: Final = {"startswith": "endswith", "endswith": "startswith", "lower": "upper"}
_ORDERING: Final = ("sorted", "reversed")
_UNITED: Final = (ast.List, ast.Tuple, ast.Set, ast.ListComp, ast.Constant, ast.JoinedStr)
_EMPTY: Final = {
    "list": ("[]",), "Sequence": ("[]",), "tuple": ("()",), "set": ("set()",), "dict": ("{}",),
    "str": ("''",), "bool": ("True", "False"), "None": ("None",),
}  # fmt: skip


def others(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in the place of an expression. New nodes; they may hold parts of the old one."""
    change = _CHANGES.get(type(node))
    if change:
        yield from change(node)


def returned_instead(annotation: ast.expr | None, value: ast.expr) -> Iterator[ast.expr]:
    """What a function of that return type may return in the place of ``value``: nothing at all."""
    for name in _alternatives(annotation):
        texts = (text for text in _EMPTY[name] if text != ast.unparse(value))
        yield from (ast.parse(text, mode="eval").body for text in texts)


def droppable(statement: ast.stmt) -> ast.stmt | None:
    """What may stand in the place of a whole statement: ``pass``, or the other way out of a loop."""
    match statement:
        case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()) | ast.AugAssign() | ast.Raise():
            return ast.Pass()
        case ast.Continue():
            return ast.Break()
        case ast.Break():
            return ast.Continue()
    return None


def _alternatives(annotation: ast.expr | None) -> Iterator[str]:
    match annotation:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from _alternatives(left)
            yield from _alternatives(right)
        case ast.Subscript(value=value):
            yield from _alternatives(value)
        case ast.Name(id=name) if name in _EMPTY:
            yield name
        case ast.Constant(value=None):
            yield "None"


def _compared(node: ast.Compare) -> Iterator[ast.AST]:
    for n, operator in enumerate(node.ops):
        for other in _COMPARISONS[type(operator)]:
            yield _with(node, ops=[*node.ops[:n], other(), *node.ops[n + 1 :]])


def _clauses(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for n in range(len(node.values)):
        left = [*node.values[:n], *node.values[n + 1 :]]
        yield _with(node, values=left) if len(left) > 1 else left[0]


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Not):
        yield node.operand


def _binary(node: ast.BinOp) -> Iterator[ast.AST]:
    united = isinstance(node.left, _UNITED) or isinstance(node.right, _UNITED)
    if type(node.op) in _ARITHMETIC and not (united and isinstance(node.op, (ast.Add, ast.Mod))):
        yield _with(node, op=_ARITHMETIC[type(node.op)]())
    if isinstance(node.op, (ast.Add, ast.Sub, ast.BitOr, ast.BitAnd)):
        yield from (node.left, node.right)


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    match node.value:
        case bool():
            yield ast.Constant(not node.value)
        case int():
            yield ast.Constant(node.value + 1)
            if node.value > 1:
                yield ast.Constant(node.value - 1)
        case str():
            yield ast.Constant("" if node.value else "x")


def _chosen(node: ast.IfExp) -> Iterator[ast.AST]:
    yield from (node.body, node.orelse)


def _called(node: ast.Call) -> Iterator[ast.AST]:
    match node.func:
        case ast.Name(id=name) if name in _OTHER_NAMES:
            yield _with(node, func=ast.Name(_OTHER_NAMES[name], ast.Load()))
        case ast.Name(id=name) if name in _ORDERING:
            yield _with(node, func=ast.Name("list", ast.Load()), keywords=[])
        case ast.Attribute(attr=name) if name in _OTHER_METHODS:
            yield _with(node, func=_with(node.func, attr=_OTHER_METHODS[name]))
    for keyword in node.keywords:
        if keyword.arg in ("key", "reverse", "default", "strict"):
            yield _with(node, keywords=[each for each in node.keywords if each is not keyword])


def _gathered(node: ast.List | ast.Tuple | ast.Set) -> Iterator[ast.AST]:
    """One element less, where others are poured in: a row of named things is its constants' affair."""
    if any(isinstance(element, ast.Starred) for element in node.elts):
        for element in node.elts:
            yield _with(node, elts=[each for each in node.elts if each is not element])


def _with(node: _Node, **changes: object) -> _Node:
    changed = copy.copy(node)
    for field, value in changes.items():
        setattr(changed, field, value)
    return changed


_CHANGES: Final[dict[type[ast.AST], Callable[..., Iterator[ast.AST]]]] = {
    ast.Compare: _compared,
    ast.BoolOp: _clauses,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.Constant: _constant,
    ast.IfExp: _chosen,
    ast.Call: _called,
    ast.List: _gathered,
    ast.Tuple: _gathered,
    ast.Set: _gathered,
}
