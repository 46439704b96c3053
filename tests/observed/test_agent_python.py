"""The oldest Python that the agent runs on: Ubuntu 18.04's 3.6. What is older is told so in one sentence."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Final

import pytest

from kthw.errors import LookError
from kthw.observed import agent
from kthw.observed.ssh import program
from kthw.words.messages import LANGUAGES, catalogue
from tests.observed import two_nodes
from tests.observed.two_nodes import TwoNodes, why_not

ROOT: Final = Path(__file__).parents[2]
SINCE: Final[Mapping[str, str]] = {
    "module": "contextvars dataclasses graphlib importlib.metadata importlib.resources tomllib zoneinfo",
    "name": "Annotated Final Literal ParamSpec Protocol Self TypedDict aiter anext breakpoint",
    "attribute": """
        AsyncExitStack Match Pattern batched cache cached_property comb copy_file_range create_server dist
        eventfd excepthook fromisocalendar fromisoformat get_native_id get_running_loop has_dualstack_ipv6
        hardlink_to is_junction is_relative_to isascii isqrt lcm link_to memfd_create monotonic_ns nextafter
        nullcontext pairwise perf_counter_ns pidfd_open pidfd_send_signal posix_spawn preadv process_time_ns
        prod pwritev raise_signal randbytes register_at_fork removeprefix removesuffix setns shlex.join
        singledispatchmethod strsignal subnet_of supernet_of time_ns to_thread toreadonly ulp unparse unshare
        valid_signals waitstatus_to_exitcode walk_up with_stem
    """,
    "keyword": "capture_output dirs_exist_ok missing_ok text zip.strict",
    "subscript": """
        Callable Counter Iterable Iterator Mapping OrderedDict Sequence defaultdict deque dict frozenset list
        set tuple type
    """,
}
"""What the standard library has since Python 3.7 or later, or lets be subscripted, by how it is written."""


def sent() -> Iterator[tuple[str, str]]:
    for name in agent.SOURCES:
        text = resources.files(agent).joinpath(f"{name}.py").read_text(encoding="utf-8")
        yield name, program.unannotated(text)


def too_new(tree: ast.AST) -> Iterator[str]:
    """Each use, as it runs, of something that Python 3.6 has not, with its line."""
    known = {kind: set(words.split()) for kind, words in SINCE.items()}
    for node in ast.walk(tree):
        used: list[tuple[str, str]] = []
        match node:
            case ast.Import(names=names):
                used = [("module", each.name) for each in names]
            case ast.ImportFrom(module=str(module), names=names):
                used = [("module", module), *(("name", each.name) for each in names)]
                used += [("attribute", each.name) for each in names]
                used += [("module", f"{module}.{each.name}") for each in names]
            case ast.Attribute(value=ast.Name(id=owner), attr=attr):
                used = [("attribute", attr), ("attribute", f"{owner}.{attr}")]
            case ast.Attribute(attr=attr):
                used = [("attribute", attr)]
            case ast.Name(id=name):
                used = [("name", name)]
            case ast.Call(func=function, keywords=keywords):
                used = [("keyword", str(each.arg)) for each in keywords]
                used += [("keyword", f"{ast.unparse(function)}.{each.arg}") for each in keywords]
            case ast.Subscript(value=ast.Name(id=name)):
                used = [("subscript", name)]
            case (
                ast.Return(value=ast.Tuple(elts=elements))
                | ast.Expr(value=ast.Yield(value=ast.Tuple(elts=elements)))
            ) if any(isinstance(each, ast.Starred) for each in elements):
                yield f"{node.lineno}: a starred tuple without parentheses"
            case ast.Try(finalbody=last) if any(
                isinstance(each, ast.Continue) for part in last for each in ast.walk(part)
            ):
                yield f"{node.lineno}: continue in finally"
        for kind, word in used:
            if word in known[kind]:
                yield f"{getattr(node, 'lineno', 0)}: {kind} {word}"


def test_all_that_is_sent_is_of_the_oldest_python() -> None:
    """Its syntax, and what it uses of the standard library."""
    assert agent.OLDEST_PYTHON == (3, 6)
    for name, source in sent():
        tree = ast.parse(source, feature_version=agent.OLDEST_PYTHON)
        assert [f"{name}:{each}" for each in too_new(tree)] == []
        assert not re.search(r"\{[^{}\n]*[^{}!<>=]=\}", source), f"{name}: an f-string with ="


@pytest.mark.parametrize(
    "source",
    [
        "import dataclasses",
        "from contextlib import nullcontext",
        "from importlib import resources",
        "from typing import Final",
        "'a'.isascii()",
        "shlex.join([])",
        "run(command, capture_output=True)",
        "zip(a, b, strict=True)",
        "Found = dict[str, int]",
        "def f():\n    return *a, b",
        "for a in b:\n    try:\n        pass\n    finally:\n        continue",
    ],
)
def test_what_is_too_new_is_noticed(source: str) -> None:
    assert list(too_new(ast.parse(source)))


@pytest.mark.parametrize("source", ["(a := 1)", "def f(a, /): pass", "match a:\n    case _: pass"])
def test_syntax_that_is_too_new_is_noticed(source: str) -> None:
    with pytest.raises(SyntaxError):
        ast.parse(source, feature_version=agent.OLDEST_PYTHON)


def test_annotations_are_taken_off_and_nothing_else() -> None:
    source = '''"""What Ñandú is."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Any,
)

if TYPE_CHECKING:
    from a import (
        B,
    )


class A:
    size: int
    name: str = "é: int"

    def f(self, a: dict[str, int], *b: int, c: "int | None" = None, **d: list[
        str
    ]) -> tuple[int, ...]:
        self.é: set[str] = {"->"}
        return lambda x: x
'''
    bare = program.unannotated(source)
    tree = ast.parse(bare)
    assert bare.count("\n") == source.count("\n")
    assert not any(isinstance(node, ast.AnnAssign | ast.ImportFrom) for node in ast.walk(tree))
    expected = '''"""What Ñandú is."""

class A:
    pass
    name = "é: int"

    def f(self, a, *b, c=None, **d):
        self.é = {"->"}
        return lambda x: x
'''
    assert ast.dump(tree) == ast.dump(ast.parse(expected))


IMPORTED: Final = """
import sys
for module in list(sys.modules):
    print(module)
"""
SLOW: Final = {"email", "http.client", "random", "shlex", "shutil", "ssl", "tempfile", "typing"}
"""Modules of the standard library that take milliseconds to import, here and on every worker, each time."""


def test_it_starts_without_what_takes_long_to_import_or_is_seldom_needed() -> None:
    begins, _, _ = program.program().rpartition(b"main()\n")
    source = begins.decode() + IMPORTED
    done = subprocess.run(
        [sys.executable, "-IS", "-"], input=source, capture_output=True, text=True, check=True
    )
    imported = set(done.stdout.split())
    assert imported & SLOW == set()
    ours = {name for name in agent.SOURCES if f"{agent.__name__}.{name}" in imported}
    assert set(agent.SOURCES) - ours == {"counters", "further", "single", "spaces", "unmade", "watch"}


def test_every_module_that_is_sent_can_be_imported_there() -> None:
    for writes in (False, True):
        begins, _, _ = program.program(writes=writes).rpartition(b"main()\n")
        modules = [*agent.SOURCES, *(agent.WRITING if writes else ())]
        each = "".join(f"import {agent.__name__}.{name}\n" for name in modules)
        done = subprocess.run(
            [sys.executable, "-IS", "-"], input=begins + each.encode(), capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")


def test_a_python_that_is_too_old_compiles_the_guard_before_anything_else() -> None:
    """It is one line, of what Python 3 has always had; the rest is compiled after it."""
    line = shlex.split(program.COMMAND)[-1]
    assert "\n" not in line
    tree = ast.parse(line, feature_version=(3, 4))
    assert not any(isinstance(node, ast.JoinedStr | ast.NamedExpr) for node in ast.walk(tree))
    checked = next(at for at, node in enumerate(tree.body) if "version_info" in ast.dump(node))
    compiled = next(at for at, node in enumerate(tree.body) if "compile" in ast.dump(node))
    assert checked < compiled


def test_the_words_say_what_the_code_asks_for() -> None:
    facts = {"version": "3.5.2", "oldest": program.OLDEST, "login": "ssh a@b"}
    error = LookError(
        code="python-missing", subject="worker-0", worker="worker-0", variant="old", facts=facts
    )
    for language in LANGUAGES:
        said = catalogue(language).error(error).what
        assert "3.5.2" in said
        assert "3.6" in said
    for readme in ("README.md", "README.pt-BR.md"):
        assert f"Python {program.OLDEST}" in (ROOT / readme).read_text(encoding="utf-8")


def old_python() -> str:
    """A program that is Python 3.6, or nothing."""
    found = shutil.which("python3.6")
    more = sorted(Path.home().glob(".pyenv/versions/3.6.*/bin/python3.6"))
    for each in [*([found] if found else []), *map(str, more)]:
        done = subprocess.run([each, "-V"], capture_output=True, text=True, check=False)
        if done.stdout.startswith("Python 3.6."):
            return each
    return ""


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwoNodes]:
    """Two nodes whose ``python3`` is Python 3.6."""
    python = old_python()
    if not python or why_not():
        pytest.skip(why_not() or "no Python 3.6 here; that all is of it, the other tests hold")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "python3").symlink_to(python)
    monkeypatch.setitem(two_nodes.ENVIRONMENT, "PATH", f"{programs}:{two_nodes.ENVIRONMENT['PATH']}")
    lab = TwoNodes(tmp_path)
    yield lab
    lab.close()


def test_python_3_6_itself_has_the_whole_conversation(nodes: TwoNodes) -> None:
    sessions = one, other = nodes.session(0), nodes.session(1)
    assert nodes.on(0, "python3", "-V").startswith("Python 3.6.")
    seen = one.request("facts", deadline=10, **nodes.places(0))
    assert (seen["addresses"], seen["failed"], "bridge" in seen["cni_plugins"]) == (["10.0.1.20"], [], True)
    here, there = (nodes.make_pod(session, number) for number, session in enumerate(sessions))
    around = one.request("ways", deadline=10, towards={"worker-1": [there, "10.200.1.0/24"]})
    assert around["failed"] == []
    assert "10.0.1.21" in str(around["ways"])
    peers = [{"worker": "worker-1", "address": there, "port": 8080}]
    probes = one.request("probe", deadline=20, peers=peers, node="10.0.1.20", seconds=2)["probes"]
    assert [(kind, protocol, size, reached) for kind, _, _, protocol, size, reached, *_ in probes] == [
        *(("pod", protocol, size, True) for protocol in ("icmp", "udp", "tcp") for size in (0, 1500)),
        ("node", "icmp", 0, True),
    ]
    pairs = [[7, "icmp", here, "10.0.1.20", there]]
    for session in sessions:
        session.request("watch", deadline=10, mark="0123456789abcdef", port=8080, pairs=pairs)
    one.request("send", deadline=10, pairs=[[7, "icmp", there]], times=1, pause=0.05)
    assert other.request("seen", deadline=10, seconds=1)["seen"]
    for session in sessions:
        session.request("end", deadline=10)
    assert [nodes.until_clean(number)["reservations"] for number in (0, 1)] == [[], []]
