"""The search for what no test notices: on a module whose tests are known to be weak."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.mutants import equivalent, trying
from tests.mutants.figures import write
from tests.mutants.nearest import Name, Nearest, Seen, bears
from tests.mutants.sources import Key, Source, sources

PROJECT = Path(__file__).resolve().parents[2]
MODULE = '''
"""A module."""

LIMIT = 3


class Basket:
    """What is full from three things on."""

    def __init__(self, things: list[str]) -> None:
        self.things = things

    @property
    def is_full(self) -> bool:
        return len(self.things) >= LIMIT

'''
SPINNING = '''
import functools


@functools.lru_cache
def spun(times: int) -> int:
    """How often it was spun."""
    count = 0
    while times > 0:
        times -= 1
        count += 1
    return count
'''
WEAK = """
from weak.basket import Basket

def test_a_full_basket_is_full():
    assert Basket(["a", "b", "c"]).is_full
"""
SPUN = """
from weak.basket import spun

SPUN = spun(2)

def test_spinning():
    assert spun(2) == 2
"""
BESIDE = """
import time
from pathlib import Path

def kept(folder, own, other):
    (folder / "written").touch()
    Path(own).touch()
    end = time.monotonic() + 10
    while not Path(other).exists() and time.monotonic() < end:
        time.sleep(0.01)
    assert (folder / "written").exists()

def test_one(tmp_path):
    kept(tmp_path, "one", "other")

def test_other(tmp_path):
    kept(tmp_path, "other", "one")
"""
MADE = """
from collections.abc import Callable

def at_least(limit: int) -> Callable[[int], bool]:
    def is_enough(count: int) -> bool:
        return count >= limit

    return is_enough

three = at_least(3)
"""
INHERITED = """
class Bag:
    def __init__(self) -> None:
        self.full = True

class Small(Bag):
    def __init__(self) -> None:
        super().__init__()
"""
OF_INHERITED = """
from weak.basket import Small

def test_a_small_bag_is_full():
    assert Small().full is True
"""
OF_MADE = """
from weak.basket import three

def test_three_are_enough_and_two_are_not():
    assert (three(3), three(2)) == (True, False)
"""
ENOUGH = """
def test_a_basket_with_two_things_is_not_full():
    assert not Basket(["a", "b"]).is_full
"""
SURVIVOR = """
[[equivalent]]
file = "weak/basket.py"
function = "Basket.is_full"
line = "return len(self.things) >= LIMIT"
change = "len(self.things) >= LIMIT → True"
why = "said for the test's sake"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "weak").mkdir()
    (tmp_path / "weak/__init__.py").write_text("")
    (tmp_path / "weak/basket.py").write_text(MODULE)
    (tmp_path / "test_weak.py").write_text(WEAK)
    (tmp_path / "equivalent.toml").write_text("")
    return tmp_path


def mutants(project: Path, *more: str, addopts: str = "") -> subprocess.CompletedProcess[str]:
    """The command, in a project of its own. ``addopts``: pytest's options."""
    return subprocess.run(
        [sys.executable, "-m", "tests.mutants", "weak", "--tests", "test_weak.py",
         "--equivalent", "equivalent.toml", "--processes", "1", *more],
        cwd=project, env={"PYTHONPATH": f"{PROJECT}:{project}", "PYTEST_ADDOPTS": addopts},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_what_no_test_notices_is_told_with_its_place_and_change(project: Path) -> None:
    done = mutants(project)
    assert done.returncode == 1, done.stderr
    assert "weak/basket.py:15  Basket.is_full\n" in done.stdout
    assert "-         return len(self.things) >= LIMIT\n+         return True\n" in done.stdout
    assert "- LIMIT = 3\n+ LIMIT = 2\n" in done.stdout, "what only an import tells is tried, too"
    assert "- LIMIT = 3\n+ LIMIT = 4\n" not in done.stdout
    assert "| 0 | 2 | 0 |" in done.stdout


def test_that_a_test_is_left_out_is_not_that_it_notices(project: Path) -> None:
    (project / "test_weak.py").write_text(WEAK + ENOUGH)
    assert mutants(project).returncode == 0
    left_out = "test_weak.py::test_a_basket_with_two_things_is_not_full"
    done = mutants(project, addopts=f"--deselect={left_out}")
    assert done.returncode == 1, done.stderr
    assert "- LIMIT = 3\n+ LIMIT = 2\n" in done.stdout


def test_that_pytest_asked_nothing_is_no_change_noticed(tmp_path: Path) -> None:
    source = Source(PROJECT / "kthw/network/nouns.py", PROJECT)
    (mutant, *_) = source.mutants
    with pytest.raises(RuntimeError, match="pytest ended with 5"):
        trying.anew([[str(tmp_path)]], source, mutant, Counter(), {}, 1)


def test_a_cache_that_was_filled_before_hides_nothing_and_an_endless_loop_ends(project: Path) -> None:
    (project / "weak/basket.py").write_text(SPINNING)
    (project / "test_weak.py").write_text(SPUN)
    done = mutants(project)
    assert done.returncode == 0, done.stdout
    assert "| 1 | 0 | 0 | 0 |\n" in done.stdout, (
        "one loop never ends: it is told apart from what a test noticed"
    )


def test_a_function_that_was_made_before_the_change_is_made_anew(project: Path) -> None:
    (project / "weak/basket.py").write_text(MADE)
    (project / "test_weak.py").write_text(OF_MADE)
    done = mutants(project)
    assert done.returncode == 0, done.stdout


def test_what_no_longer_asks_what_it_inherits_is_tried(project: Path) -> None:
    (project / "weak/basket.py").write_text(INHERITED)
    (project / "test_weak.py").write_text(OF_INHERITED)
    done = mutants(project)
    assert (done.returncode, "| weak/basket.py | 2 | 2 |" in done.stdout) == (0, True), done.stdout


def test_of_two_tests_at_once_neither_takes_the_others_files_away(project: Path) -> None:
    (project / "test_weak.py").write_text(WEAK + ENOUGH + BESIDE)
    done = mutants(project, "--processes", "2")
    assert done.returncode == 0, done.stderr


def test_with_a_test_for_the_other_side_none_is_left(project: Path) -> None:
    (project / "test_weak.py").write_text(WEAK + ENOUGH)
    done = mutants(project)
    assert (done.returncode, "surviving | of these untested |" in done.stdout) == (0, True), done.stdout


def test_what_is_argued_to_be_equivalent_is_no_survivor(project: Path) -> None:
    (project / "equivalent.toml").write_text(SURVIVOR)
    done = mutants(project)
    assert "| 1 | 1 | 0 |" in done.stdout
    assert "+         return True\n" not in done.stdout


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        (
            "→ True",
            "→ False",
            "is listed as equivalent, and noticed by test_weak.py::test_a_full_basket_is_full",
        ),
        ("→ True", "→ None", "is listed as equivalent, and is no mutant: return len(self.things) >= LIMIT"),
    ],
)
def test_an_argument_that_does_not_hold_fails(project: Path, was: str, now: str, said: str) -> None:
    (project / "test_weak.py").write_text(WEAK + ENOUGH)
    (project / "equivalent.toml").write_text(SURVIVOR.replace(was, now))
    done = mutants(project)
    assert done.returncode == 1
    assert said in done.stdout


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("def test_wrong():\n    assert False\n", "test_weak.py::test_wrong"),
        ("import nothing_at_all\n", "test_weak.py"),
    ],
)
def test_tests_that_fail_anyway_judge_nothing(project: Path, test: str, said: str) -> None:
    (project / "test_weak.py").write_text(test)
    done = mutants(project)
    assert done.returncode == 2
    assert said in done.stdout


@pytest.mark.parametrize("wrong", [("nowhere",), ("--write-docs",), ("--unnoticed", "nowhere/left")])
def test_it_says_how_it_is_to_be_used(project: Path, wrong: tuple[str, ...]) -> None:
    assert mutants(project, *wrong).returncode == 2


def test_what_was_left_is_all_that_is_tried_again(project: Path) -> None:
    left = project / "left"
    first = mutants(project, "--unnoticed", "left")
    told = left.read_text()
    assert (first.returncode, "len(self.things) >= LIMIT → True" in told) == (1, True), first.stderr
    (project / "test_weak.py").write_text("def test_wrong():\n    assert False\n")
    assert (mutants(project, "--unnoticed", "left").returncode, left.read_text()) == (2, told)
    (project / "test_weak.py").write_text(WEAK + ENOUGH)
    second = mutants(project, "--unnoticed", "left")
    assert (second.returncode, left.read_text()) == (0, "")
    assert f"| weak/basket.py | {len(told.splitlines())} |" in second.stdout


def changes(tmp_path: Path, text: str) -> set[str]:
    (tmp_path / "module.py").write_text(text)
    return {mutant.key.change for mutant in Source(tmp_path / "module.py", tmp_path).mutants}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = a < b", {"a < b → a <= b", "a < b → a >= b"}),
        ("x = a and b", {"a and b → a or b", "a and b → b", "a and b → a"}),
        ("x = not a", {"not a → a"}),
        ("x = a if b else c", {"a if b else c → a", "a if b else c → c"}),
        ("x = any(a)", {"any(a) → all(a)"}),
        ("x = [*a, b]", {"[*a, b] → [b]", "[*a, b] → [*a]"}),
        ("x = [a for a in b if c]", {"c → True"}),
        ("if a: x = b", {"a → False", "a → True"}),
        ("x = 1", {"1 → 2"}),
        ("x = 'a'", {"'a' → ''"}),
        ("x = sorted(a, key=b)", {"sorted(a, key=b) → list(a)", "sorted(a, key=b) → sorted(a)"}),
        ("def f() -> list[int]: return a", {"a → []"}),
        ("def f() -> bool | None: return a", {"a → True", "a → False", "a → None"}),
        ("for a in b: continue", {"continue → break"}),
        ("f()", {"f() → pass"}),
        ("x = [1, 1]", {"1 → 2", "1 → 2 (2)"}),
        ("x: Literal['a'] = b", set()),
        ('"""A docstring."""\nx = f"words {a}"', set()),
        ("key = ('name', a)", set()),
        ("X = Callable[[int], str]", set()),
        ("X = This | _That | Other", set()),
        (
            "X = THESE | THOSE",
            {"THESE | THOSE → THESE & THOSE", "THESE | THOSE → THESE", "THESE | THOSE → THOSE"},
        ),
        ("from a import b", set()),
    ],
)
def test_the_small_changes_of_a_line(tmp_path: Path, text: str, expected: set[str]) -> None:
    assert changes(tmp_path, text) == expected


def test_every_small_change_is_a_program_and_another_one() -> None:
    """Of a whole file of ours: applied each to a fresh tree."""
    path = PROJECT / "kthw/network/routing.py"
    usual = ast.unparse(ast.parse(path.read_text()))
    for n in range(len(Source(path, PROJECT).mutants)):
        source = Source(path, PROJECT)
        source.mutated(source.mutants[n])
        assert ast.unparse(source.tree) != usual, source.mutants[n]


def test_every_entry_of_our_list_is_a_mutant_of_today() -> None:
    listed = equivalent.equivalents(equivalent.FILE)
    found = sources([PROJECT / "kthw/findings", PROJECT / "kthw/network"], PROJECT)
    keys = {mutant.key for source in found for mutant in source.mutants}
    assert equivalent.stale(listed, keys, {source.file for source in found}) == []
    assert {key.file for key in listed} <= {source.file for source in found}


def test_what_bears_the_modules_name_is_asked_first_and_then_the_functions_take_turns() -> None:
    line = ("weak/basket.py", 1)
    all_, basket = Name("test_all", "test_all.py::test_all"), Name("test_basket", "test_basket.py::test_one")
    names = dict(enumerate([all_] * 3 + [basket] * 2 + [Name("test_all", "test_all.py::test_other")]))
    nearest = Nearest({n: Seen(n / 10, frozenset([line])) for n in names}, names)
    assert nearest.of(line[0], [1], "full") == [3, 4, 0, 1, 2, 5]
    assert nearest.in_turn(line[0], names) == [0, 3, 4, 5, 1, 2]
    nearest.noticed(line[0], "full", 2)
    assert nearest.of(line[0], [1], "full") == [2, 3, 4, 0, 1, 5]
    nearest.noticed(line[0], "empty", 5)
    assert nearest.of(line[0], [1], "full") == [2, 5, 3, 4, 0, 1]


@pytest.mark.parametrize(
    ("tests", "own"),
    [("test_path", True), ("test_path_shared", True), ("test_paths", False), ("path", False)],
)
def test_a_file_of_tests_bears_the_modules_name_alone_or_with_more(tests: str, own: bool) -> None:
    assert bears(tests, "path") is own


def test_an_entry_without_an_argument_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.toml").write_text(SURVIVOR.replace("said for the test's sake", " "))
    with pytest.raises(ValueError, match="no argument"):
        equivalent.equivalents(tmp_path / "list.toml")
    (tmp_path / "list.toml").write_text(SURVIVOR)
    key = Key(
        "weak/basket.py",
        "Basket.is_full",
        "return len(self.things) >= LIMIT",
        "len(self.things) >= LIMIT → True",
    )
    assert list(equivalent.equivalents(tmp_path / "list.toml")) == [key]


def test_the_figures_take_the_place_of_the_old_ones_of_the_whole_run_and_of_what_it_left(
    tmp_path: Path,
) -> None:
    page = tmp_path / "mutants.md"
    page.write_text((PROJECT / "docs/mutants.md").read_text())
    for _ in range(2):
        write(page, "the whole run", "| 1 |")
        write(page, "what it left, tried again", "| 2 |")
    text = page.read_text()
    assert (text.count("| 1 |"), text.count("| 2 |")) == (1, 1)
    assert text.index("| 1 |") < text.index("| 2 |")
