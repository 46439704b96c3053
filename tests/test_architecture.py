"""Which way imports run, and the one home of each outside library and of each literal.

Read from the source, so that an import inside a function counts too.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from kthw.intended import tutorial

PROJECT = Path(__file__).resolve().parent.parent
OURS = ("kthw", "sandbox", "fixtures", "suites", "tests", "benchmarks", "conftest")
GROUND = (
    "kthw.errors",
    "kthw.foreign",
    "kthw.secrets",
    "kthw.service_models",
    "kthw.settling",
    "kthw.start",
    "kthw.target",
    "kthw.whole_file",
)
"""What anybody may import; these import each other at most."""
NOUNS = (
    "kthw.intended",
    "kthw.observed.evidence",
    "kthw.observed.cni_networks",
    "kthw.observed.namesakes",
)
FLOORS = {
    **dict.fromkeys(GROUND, ()),
    "kthw.intended": (),
    "kthw.words": (),
    "kthw.observed": ("kthw.intended",),
    "kthw.network": NOUNS,
    "kthw.findings": ("kthw.network", *NOUNS),
    "kthw.verdict": ("kthw.words", "kthw.findings", "kthw.network", "kthw.observed.values", *NOUNS),
    "kthw.lab": ("kthw.words", "kthw.network", "kthw.observed", "kthw.intended"),
    "kthw.grade": (
        "kthw.verdict",
        "kthw.words",
        "kthw.findings",
        "kthw.lab",
        "kthw.observed.recording",
        "kthw.observed.bounded_file",
        "kthw.observed.gather",
        "kthw.observed.aws.reader",
        *NOUNS,
    ),
    "kthw.history": (
        "kthw.verdict",
        "kthw.words",
        "kthw.findings",
        "kthw.network.nouns",
        "kthw.observed.recording",
        "kthw.observed.bounded_file",
        "kthw.observed.values",
        *NOUNS,
    ),
    "kthw.night": (
        "kthw.verdict",
        "kthw.words",
        "kthw.findings",
        "kthw.observed.recording",
        *NOUNS,
    ),
    "kthw.provision": (
        "kthw.words",
        "kthw.lab.given",
        "kthw.network",
        "kthw.observed",
        "kthw.intended",
    ),
}
"""Which way imports run within the library: by folder, what else of it may be imported there."""
SANDBOX_MAY_USE = (
    "kthw.intended",
    "kthw.target",
    "kthw.provision",
    "kthw.errors",
    "kthw.service_models",
    "kthw.start",
    "kthw.words",
)


class Import(NamedTuple):
    """Module ``file`` imports ``name``; ``lazily``: inside a function."""

    file: str
    name: str
    lazily: bool


TESTED_FROM_WITHIN = (
    Import("benchmarks/judging.py", "fixtures.summary.Summing", lazily=False),
    Import("tests/fuzz/test_recordings.py", "fixtures.summary.Summing", lazily=False),
    Import("tests/plugin/own_steps.py", "fixtures.settings.SETTINGS", lazily=False),
    Import("tests/plugin/test_signal_handling.py", "fixtures.interruption.Interruption", lazily=False),
    Import("tests/plugin/test_shown.py", "fixtures.gathering", lazily=False),
    *(
        Import("tests/verdict/transcripts.py", f"fixtures.{name}", lazily=False)
        for name in (
            "judging.WORKER", "judging.as_text", "judging.properties", "judging.reason", "sentences.asking",
            "summary.AnyReport", "summary.Summing",
        )
    ),
)  # fmt: skip
"""Of pytest's side, what is measured, counted, tried very often, or on a machine that fails: no program; and
what writes the transcripts of many runs."""


def sources(folder: str) -> list[Path]:
    return sorted(path for path in (PROJECT / folder).rglob("*.py") if "__pycache__" not in path.parts)


def imports_of(path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
    }
    file = path.relative_to(PROJECT).as_posix()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (Import(file, name, id(node) in inside) for name in names)


@functools.cache
def imports(folder: str) -> tuple[Import, ...]:
    """Read once: nobody writes sources while they are tested, and reading them all takes seconds."""
    return tuple(each for path in sources(folder) for each in imports_of(path))


def module_of(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def is_of(name: str, *modules: str) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def test_the_sources_are_found() -> None:
    assert len(imports("kthw")) > 50
    assert len(imports("sandbox")) > 20
    assert len(imports("suites")) > 5


def test_the_library_imports_nothing_else_of_ours_and_no_pytest() -> None:
    foreign = [each for each in imports("kthw") if is_of(each.name, *OURS[1:], "pytest", "_pytest")]
    assert foreign == []


def test_imports_run_from_what_is_read_to_what_is_intended_and_never_back() -> None:
    """intended → observed → network → findings → verdict; each only from those before it."""
    wrong = []
    for folder, below in FLOORS.items():
        inside = [each for each in imports("kthw") if is_of(module_of(each.file), folder)]
        allowed = (folder, *GROUND, *below)
        wrong += [each for each in inside if is_of(each.name, "kthw") and not is_of(each.name, *allowed)]
    assert wrong == []


def test_every_folder_of_the_library_has_its_floor() -> None:
    top = {
        ".".join(module_of(path.relative_to(PROJECT).as_posix()).split(".")[:2]) for path in sources("kthw")
    }
    assert top - {"kthw"} == set(FLOORS)


def test_the_suites_know_what_a_check_is_and_nothing_of_what_was_seen() -> None:
    ours = {each.name for each in imports("suites") if is_of(each.name, *OURS)}
    assert ours <= {"kthw.findings.check.Confirm"}


def test_only_the_target_module_of_pytests_side_imports_the_sandbox_and_only_when_it_is_opened() -> None:
    of_sandbox = [each for each in imports("fixtures") if is_of(each.name, "sandbox")]
    assert of_sandbox
    assert {(each.file, each.lazily) for each in of_sandbox} == {("fixtures/target.py", True)}
    assert [each for each in imports("fixtures") if is_of(each.name, "suites", "tests")] == []


def test_the_sandbox_uses_no_reader_no_ssh_client_and_no_judgement_of_ours() -> None:
    ours = [each for each in imports("sandbox") if is_of(each.name, "kthw", *OURS[2:])]
    assert [each for each in ours if not is_of(each.name, *SANDBOX_MAY_USE)] == []


def test_nobody_imports_pytests_side_or_the_suites() -> None:
    others = [
        each for folder in ("kthw", "sandbox", "suites", "tests", "benchmarks") for each in imports(folder)
    ]
    found = [each for each in others if is_of(each.name, "fixtures", "suites")]
    assert [each for each in found if each not in TESTED_FROM_WITHIN] == []
    assert set(found) == set(TESTED_FROM_WITHIN)


def test_pytests_side_neither_reads_ec2_nor_logs_in() -> None:
    direct = [
        each for each in imports("fixtures") if is_of(each.name, "boto3", "botocore", "paramiko", "moto")
    ]
    assert direct == []


@pytest.mark.parametrize(
    ("library", "home"),
    [
        ("paramiko", "kthw/observed/ssh"),
        ("moto", "sandbox/api/"),
        ("tenacity", "kthw/settling.py"),
        ("jinja2", "kthw/verdict/templating.py"),
        ("markupsafe", "kthw/verdict/templating.py"),
    ],
    ids=["paramiko", "moto", "tenacity", "jinja2", "markupsafe"],
)
def test_an_outside_library_has_one_home(library: str, home: str) -> None:
    using = {each.file for folder in OURS[:4] for each in imports(folder) if is_of(each.name, library)}
    assert using
    assert {file for file in using if not file.startswith(home)} == set()


def test_the_reader_alone_describes_and_the_writer_alone_creates_routes() -> None:
    called = {
        (node.func.attr, path.relative_to(PROJECT).as_posix())
        for folder in ("kthw", "fixtures", "suites")
        for path in sources(folder)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        # ``commands`` writes the aws command down for a person, and calls nothing.
        and not (isinstance(node.func.value, ast.Name) and node.func.value.id == "commands")
    }
    describing = {file for name, file in called if name.startswith("describe_")}
    assert describing == {"kthw/observed/aws/inventory.py", "kthw/observed/aws/listing.py"}
    writes = ("create_route", "delete_route", "replace_route")
    assert {file for name, file in called if name in writes} == {"kthw/provision/writer.py"}


def test_the_tutorials_literals_have_one_home() -> None:
    literals = {
        tutorial.POD_RANGE, tutorial.VPC_CIDR, tutorial.KEY_FILE, tutorial.CNI_BRIDGE_FILE,
        tutorial.CNI_DIRECTORY, tutorial.INTERNET_HOST,
    }  # fmt: skip
    elsewhere = {
        (path.relative_to(PROJECT).as_posix(), node.value)
        for folder in ("kthw", "sandbox", "fixtures", "suites")
        for path in sources(folder)
        if path != Path(tutorial.__file__)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in literals
    }
    assert elsewhere == set()


READ_FACTS: Final = {
    ("kthw/words/messages.py", "remark"): "fills words",
    ("kthw/words/messages.py", "finding_facts"): "fills words",
    ("kthw/words/messages.py", "error_facts"): "fills words",
    ("kthw/words/nobody.py", "screen"): "fills words",
    ("fixtures/judging.py", "reason"): "fills words",
    ("kthw/observed/recording.py", "_unreadable"): "fills words",
    ("kthw/observed/recording.py", "_of_today"): "makes fields of them, of what an older version recorded",
    ("kthw/observed/ways_in.py", "told"): "adds words of a jump host",
    ("kthw/observed/aws/image_users.py", "_told"): "writes the user of the image into the command to paste",
    ("kthw/observed/aws/inventory.py", "_refuse_half_a_network"): "writes all that is denied into one",
}
"""Who may look at a finding's or an error's facts, and what for: nobody decides by them."""
_OTHERS_FACTS: Final = frozenset({"self", "reader", "_reader", "_writer", "session"})
"""Who has facts for all errors to come: they are no finding and no error."""
_TAGS: Final = frozenset({"kthw/observed/choosing.py", "kthw/observed/aws/elsewhere.py", "kthw/lab/guess.py"})
"""Where ``facts`` are an instance's tags and addresses, which selectors are compared with."""
_WIRE: Final = frozenset(
    {"kthw/observed/answers.py", "kthw/observed/node_answers.py", "kthw/provision/nodes.py"}
)
"""Where they are a struct of the agent's answer, with a type for each."""


def facts_read(text: str) -> Iterator[str]:
    """The functions that look at some ``.facts``; to hand on all of them, ``f(**it.facts)``, is no look."""
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef):
            continue
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
        handed_on = {id(each.value) for call in calls for each in call.keywords if each.arg is None}
        for node in ast.walk(function):
            if not (isinstance(node, ast.Attribute) and node.attr == "facts" and id(node) not in handed_on):
                continue
            of = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if isinstance(node.ctx, ast.Load) and of not in _OTHERS_FACTS:
                yield function.name


def test_nothing_is_decided_by_the_facts_of_a_finding_or_an_error() -> None:
    found = {
        (file, name)
        for folder in ("kthw", "fixtures", "suites", "sandbox")
        for path in sources(folder)
        if (file := path.relative_to(PROJECT).as_posix()) not in _TAGS | _WIRE
        for name in facts_read(path.read_text(encoding="utf-8"))
    }
    assert found == set(READ_FACTS)


@pytest.mark.parametrize(
    "reads",
    [
        'error.facts["variant"]',
        'error.facts.get("host")',
        '"jump" in error.facts',
        "{**error.facts}",
        "dict(finding.facts)",
        "[f.facts for f in found]",
    ],
)
def test_whoever_reads_facts_is_noticed(reads: str) -> None:
    assert list(facts_read(f"def decides(error):\n    return {reads}\n")) == ["decides"]
    assert list(facts_read("def tells(error):\n    return say(error.code, **error.facts)\n")) == []


def test_a_situation_is_written_as_a_field_and_not_among_the_facts() -> None:
    written = {
        path.relative_to(PROJECT).as_posix()
        for folder in ("kthw", "fixtures", "suites", "sandbox")
        for path in sources(folder)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Dict)
        and any(isinstance(key, ast.Constant) and key.value == "variant" for key in node.keys)
    }
    assert written == {"kthw/observed/recording.py"}, "what an older version recorded, and its name today"


def test_modules_stay_small() -> None:
    lengths = {
        path.relative_to(PROJECT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for folder in ("kthw", "sandbox", "fixtures", "suites")
        for path in sources(folder)
    }
    assert {name: length for name, length in lengths.items() if length > 340} == {}
