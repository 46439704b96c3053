"""The program that a worker runs for us: the command that starts it, and its text, which follows on stdin."""

from __future__ import annotations

import ast
import functools
import itertools
import shlex
import threading
from collections.abc import Iterator
from importlib import resources
from typing import Final

from kthw.observed import agent

NO_PYTHON: Final = 90
NO_SUDO: Final = 91
OLD_PYTHON: Final = "kthw: python3 is "
"""How the command ends where it cannot start the program: by exit status, or by what it says."""
OLDEST: Final = ".".join(str(each) for each in agent.OLDEST_PYTHON)
# The standard library alone: what else is installed there would cost time, and may be broken.
_PYTHON: Final = "python3 -ISu"
_SCRIPT: Final = (
    f"command -v python3 >/dev/null || exit {NO_PYTHON}; "
    f'if [ "$(id -u)" = 0 ]; then exec {_PYTHON} -c "$1"; fi; '
    f"command -v sudo >/dev/null || exit {NO_SUDO}; "
    # We read what sudo says.
    f'export LC_ALL=C; exec sudo -n {_PYTHON} -c "$1"'
)
# A Python that is too old compiles this line and no other: it is all of what such a Python can read.
_BOOTSTRAP: Final = (
    "import sys;"
    f'sys.version_info<{agent.OLDEST_PYTHON} and sys.exit("{OLD_PYTHON}"+sys.version.split()[0]);'
    'f=open(0,"rb",0,closefd=False);n=int(f.readline());b=b"";'
    'exec("while len(b)<n:b+=f.read(n-len(b)) or sys.exit(0)");'
    'exec(compile(b,"kthw","exec"))'
)
_IMPORTING: Final = """\
import gc, sys
gc.disable()
class Importing:
    def find_spec(self, name, path=None, target=None):
        if name in SOURCES:
            return type(sys.__spec__)(name, self, is_package=not SOURCES[name])
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        exec(compile(SOURCES[module.__name__], module.__name__, "exec"), module.__dict__)
sys.meta_path.insert(0, Importing())
"""
COMMAND: Final = f"exec sh -c {shlex.quote(_SCRIPT)} kthw {shlex.quote(_BOOTSTRAP)}"
"""What the login shell on the worker is asked to run; the program follows on its standard input."""

_ONE: Final = threading.Lock()


def program(*, writes: bool = False) -> bytes:
    """The agent's modules as one program, the same for every worker; with those that write, or without.

    It compiles a module when that is imported, as most of its start is compiling; nothing of that is garbage.
    """
    with _ONE:  # sixteen workers that start at once must not all make it
        return _program(writes)


@functools.cache
def _program(writes: bool) -> bytes:
    package = resources.files(agent)
    folders = itertools.accumulate(agent.__name__.split("."), lambda above, name: f"{above}.{name}")
    sources = dict.fromkeys(folders, "")
    for name in (*agent.SOURCES, *(agent.WRITING if writes else ())):
        text = package.joinpath(f"{name}.py").read_text(encoding="utf-8")
        sources[f"{agent.__name__}.{name}"] = unannotated(text)
    begins = list(sources)[-1]
    return f"SOURCES = {sources!a}\n{_IMPORTING}from {begins} import main\ngc.enable()\nmain()\n".encode()


def unannotated(source: str) -> str:
    """``source`` without its annotations, and what is there for them only, line for line.

    Python 3.6 evaluates them, cannot evaluate those of today, and has no ``annotations`` in ``__future__``;
    and every Python takes longer to import ``typing`` than most of what a module does.
    """
    text = source.encode()
    lines = [0, *itertools.accumulate(len(line) for line in text.splitlines(keepends=True))]

    def begin(node: ast.expr | ast.stmt | ast.arg) -> int:
        return lines[node.lineno - 1] + node.col_offset

    def end(node: ast.expr | ast.stmt | ast.arg) -> int:
        return lines[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)

    def spans() -> Iterator[tuple[int, int, bytes]]:
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.ImportFrom(module="__future__" | "typing"):
                    yield begin(node), end(node), b""
                case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                    yield begin(node), end(node), b""
                case ast.FunctionDef(returns=ast.expr() as said):
                    yield text.rindex(b"->", 0, begin(said)), end(said), b""
                case ast.arg(annotation=ast.expr() as said):
                    yield begin(node) + len(node.arg.encode()), end(said), b""
                case ast.AnnAssign(value=None):
                    yield begin(node), end(node), b"pass"
                case ast.AnnAssign():
                    yield end(node.target), end(node.annotation), b""

    for first, last, instead in sorted(spans(), reverse=True):
        # What goes over several lines leaves their ends: whoever reads a line's number finds it here.
        text = text[:first] + instead + b"\n" * text.count(b"\n", first, last) + text[last:]
    return text.decode()
