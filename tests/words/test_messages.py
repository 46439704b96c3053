"""Every code has words in both languages, filled with the facts of real findings, and commands to paste."""

from __future__ import annotations

import re
import shlex
import string
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from kthw import errors
from kthw.errors import LookError
from kthw.findings.codes import CODES
from kthw.findings.finding import Finding
from kthw.findings.judging import judge
from kthw.observed.agent import datagrams, mesh
from kthw.observed.evidence import Probe
from kthw.words.messages import LANGUAGES, Catalogue, catalogue, error_facts, finding_facts
from tests.findings.changed_aws import without_route
from tests.findings.changed_nodes import failing
from tests.findings.cleaned import SITUATIONS, cleaned
from tests.findings.clusters import OK
from tests.findings.faults import FAULTS
from tests.findings.judged import everything

SSH_FACTS = {
    "worker": "worker-1",
    "address": "203.0.113.21",
    "host": "203.0.113.21",
    "port": "22",
    "user": "ubuntu",
    "key": "kubernetes.id_rsa",
    "login": "ssh -i kubernetes.id_rsa ubuntu@203.0.113.21",
    "forget": "ssh-keygen -f known_hosts -R 203.0.113.21",
    "budget": "45",
    "known_hosts": "known_hosts",
    "vpc": "vpc-0ab1",
    "candidate": "jumpbox",
    "image": "debian-12-amd64",
    "image_user": "admin",
    "to": "admin@203.0.113.5",
    "version": "3.5.2",
    "oldest": "3.6",
}
AWS_FACTS = {
    "profile": "default",
    "region": "us-east-1",
    "endpoint": "",
    "action": "ec2:DescribeVpcs",
    "seconds": "60",
}
OWN_FACTS = {
    "account": "1", "expected": "2", "file": "reports/report.json", "reason": "said so", "most": "100 MB",
    "found": "2", "known": "1", "folder": "kthw-0", "place": "$.inventory", "value": "[]",
}  # fmt: skip
ROUTES_FACTS = {
    "table": "rtb-1", "change": "10.200.1.0/24: i-1 → —", "route_table": "rtb-1", "pod_cidr": "10.200.1.0/24",
    "lines": "2, 3", "pid": "123", "since": "12:00:00", "seconds": "120",
}  # fmt: skip
PARTS = ("what", "why", "fix")
MARK = "looks"
"""Over a fix that changes nothing; see test_messages_looks.py."""


def _findings() -> Iterator[Finding]:
    explained = failing(without_route(OK, "10.200.1.0/24"), ("worker-0", "worker-1"))
    cut_off = failing(OK, ("worker-0", "*"))
    for kind in ("node", "internet"):
        cut_off = failing(cut_off, ("worker-0", "*"), ("worker-0", ""), kind=kind)
    for evidence in (*(evidence for evidence, _ in FAULTS.values()), explained, cut_off):
        yield from everything(evidence)
    for left in SITUATIONS:
        yield from judge(cleaned(left)).findings


FINDINGS = list(_findings())
IDS = [f"{n}-{found.code}-{found.variant}" for n, found in enumerate(FINDINGS)]
ERRORS = [
    LookError(
        code=code,
        subject="worker-1 (i-01, 10.0.1.21)",
        worker="worker-1",
        detail="said so",
        variant=variant,
        facts={**SSH_FACTS, **AWS_FACTS, **OWN_FACTS, **ROUTES_FACTS},
    )
    for code in sorted(errors.CODES)
    for variant in (
        "",
        *(key for key, table in catalogue("en").errors[code].items() if isinstance(table, dict)),
    )
]


def _tables(words: Catalogue) -> dict[tuple[str, ...], dict[str, str]]:
    """Every table of findings and errors, those of the variants as well, by its name."""
    found: dict[tuple[str, ...], dict[str, str]] = {}

    def walk(name: tuple[str, ...], table: dict[str, Any]) -> None:
        found[name] = {key: value for key, value in table.items() if isinstance(value, str)}
        for key, value in table.items():
            if isinstance(value, dict):
                walk((*name, key), value)

    for kind, tables in (("finding", words.findings), ("error", words.errors)):
        for code, table in tables.items():
            walk((kind, code), table)
    return found


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.fixture(params=LANGUAGES)
def words(request: pytest.FixtureRequest) -> Catalogue:
    return catalogue(request.param)


def test_every_code_has_what_why_and_fix(words: Catalogue) -> None:
    assert set(words.findings) == set(CODES)
    assert set(words.errors) == errors.CODES
    for table in (*words.findings.values(), *words.errors.values()):
        assert set(PARTS) <= set(table)
        assert all(table[part].strip() for part in PARTS)


def test_both_languages_have_the_same_tables_keys_and_placeholders() -> None:
    english, portuguese = (_tables(catalogue(language)) for language in LANGUAGES)
    assert list(english) == list(portuguese)
    for name, table in english.items():
        other = portuguese[name]
        assert set(table) == set(other), name
        assert set(table) <= {*PARTS, MARK}, name
        for part, text in table.items():
            assert _placeholders(text) == _placeholders(other[part]), (name, part)


def test_both_languages_have_the_same_phrases_and_placeholders() -> None:
    english, portuguese = (catalogue(language).phrases for language in LANGUAGES)
    assert set(english) == set(portuguese)
    for key, text in english.items():
        assert _placeholders(text) == _placeholders(portuguese[key]), key


def test_what_came_of_a_probe_is_told_in_the_reader_s_language() -> None:
    """Every outcome the agent can tell: those it has a table for, and those it makes."""
    told = {*filter(None, mesh.REFUSALS.values()), "reached"}
    for kind, code in [(datagrams.UNREACHABLE, each) for each in range(16)] + [(datagrams.TIME_EXCEEDED, 0)]:
        for mtu in (0, 1300):
            told.add(datagrams.told_of(struct.pack("!BBHHH", kind, code, 0, 0, mtu), "10.0.1.21"))
    told |= {"no answer in 3.0 s", "10.200.1.2 answered", "10.200.1.2 is this pod's own address"}
    english, portuguese = (catalogue(language) for language in LANGUAGES)
    assert set(english.outcomes) == set(portuguese.outcomes)
    for outcome in told:
        probe = _probe(outcome)
        assert english.seen(probe) == f"10.200.0.2@worker-0 → 10.200.1.2@worker-1: tcp {outcome}"
        assert portuguese.seen(probe).startswith("10.200.0.2@worker-0 → 10.200.1.2@worker-1: tcp ")
        assert outcome not in portuguese.seen(probe)
    assert portuguese.seen(_probe("{seconds} of silence")) == str(_probe("{seconds} of silence"))
    assert portuguese.seen("a route → igw-1 active") == "a route → igw-1 active"


def _probe(outcome: str) -> Probe:
    return Probe(
        source="worker-0",
        source_address="10.200.0.2",
        destination="worker-1",
        destination_address="10.200.1.2",
        kind="pod",
        protocol="tcp",
        reached=outcome == "reached",
        detail=outcome,
    )


def test_no_sentence_was_left_untranslated() -> None:
    english, portuguese = (_tables(catalogue(language)) for language in LANGUAGES)
    for name, table in english.items():
        for part in ("what", "why"):
            assert part not in table or table[part] != portuguese[name][part], (name, part)
        for line in table.get("fix", "").splitlines():
            remark = re.match(r"# (?!arn:)\w", line)
            assert not remark or line not in portuguese[name]["fix"].splitlines(), (name, line)


def test_commands_are_the_same_in_both_languages() -> None:
    for found in FINDINGS:
        fixes = (catalogue(language).finding(found).fix for language in LANGUAGES)
        english, portuguese = ([li for li in fix.splitlines() if not li.startswith("#")] for fix in fixes)
        if found.code != "worker-ambiguous":  # its new name for the spare is a word
            assert english == portuguese


@pytest.mark.parametrize("found", FINDINGS, ids=IDS)
def test_a_real_finding_fills_every_placeholder(found: Finding, words: Catalogue) -> None:
    table = words.findings[found.code]
    said = {**table, **table.get(found.variant, {})}
    for part in PARTS:
        assert _placeholders(said[part]) <= set(finding_facts(found)), (found.code, part)
    rendered = words.finding(found)
    assert "{" not in rendered.what + rendered.why
    assert rendered.what
    assert rendered.why
    assert rendered.fix


def test_what_chooses_the_words_is_no_fact_that_fills_them() -> None:
    assert [found for found in FINDINGS if "variant" in found.facts] == []


@pytest.mark.parametrize("found", FINDINGS, ids=IDS)
def test_a_command_has_no_empty_argument(found: Finding, words: Catalogue) -> None:
    flags = {"--no-source-dest-check", "--local-target", "--ingress", "--egress"}
    for command in _commands(words.finding(found).fix):
        arguments = shlex.split(command)
        assert all(arguments), command
        for option, value in zip(arguments, [*arguments[1:], "--"], strict=True):
            takes_value = option.startswith("--") and option not in flags
            assert not (takes_value and value.startswith("--")), command


def test_every_variant_is_the_situation_of_some_finding(words: Catalogue) -> None:
    met = {(found.code, found.variant) for found in FINDINGS}
    written = {
        (code, key)
        for code, table in words.findings.items()
        for key, value in table.items()
        if isinstance(value, dict)
    }
    assert written <= met


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: f"{e.code}-{e.variant}")
def test_every_error_is_told_with_the_facts_it_brings(error: LookError, words: Catalogue) -> None:
    table = words.errors[error.code]
    said = {**table, **table.get(error.variant, {})}
    for part in PARTS:
        assert _placeholders(said[part]) <= set(error_facts(error)), (error.code, part)
    rendered = words.error(error)
    assert rendered.what
    assert rendered.why
    assert rendered.fix


COMMON = (
    "route-missing",
    "route-wrong-target",
    "route-blackhole",
    "source-dest-check-on",
    "subnet-not-associated",
)


@pytest.mark.parametrize("code", COMMON)
def test_the_fix_names_the_real_ids(code: str, words: Catalogue) -> None:
    for found in (found for found in FINDINGS if found.code == code):
        fix = words.finding(found).fix
        assert re.search(r"\b(rtb|eni|i|subnet)-[01]\w+", fix), fix


def test_the_commonest_finding_reads_like_this() -> None:
    (found,) = everything(without_route(OK, "10.200.1.0/24"))
    english, portuguese = (catalogue(language).finding(found) for language in LANGUAGES)
    assert english.what == (
        "Route table rtb-0a has no route for 10.200.1.0/24, the pods of worker-1 (i-01, 10.0.1.21)."
    )
    assert portuguese.what == (
        "A tabela de rotas rtb-0a não tem rota para 10.200.1.0/24, os pods de worker-1 (i-01, 10.0.1.21)."
    )
    assert english.fix == (
        "aws ec2 create-route --route-table-id rtb-0a "
        "--destination-cidr-block 10.200.1.0/24 --instance-id i-01"
    )


def test_a_placeholder_without_a_fact_is_its_own_name(words: Catalogue) -> None:
    bare = Finding(code="route-missing", subject="x", worker="worker-1", expected="x", observed="—")
    assert "TABLE" in words.finding(bare).fix


def test_text_with_braces_is_printed_as_it_is(words: Catalogue) -> None:
    facts = {"table": "{rtb}", "pod_cidr": "{0}", "worker_noun": "{", "target_option": "}"}
    odd = Finding(code="route-missing", subject="{x}", worker="w", expected="x", observed="—", facts=facts)
    assert "{rtb}" in words.finding(odd).what


def test_a_phrase_nobody_wrote_is_its_own_key(words: Catalogue) -> None:
    assert words.say("no-such-phrase", fact="x") == "no-such-phrase"


def test_a_language_we_do_not_speak_is_refused() -> None:
    with pytest.raises(ValueError, match="tlh"):
        catalogue("tlh")


def _commands(fix: str) -> Iterator[str]:
    """The ``aws`` commands in a fix, command substitutions aside."""
    for line in fix.splitlines():
        if line.startswith("aws "):
            yield re.sub(r'"\$\(.*\)"', "VALUE", line).replace('"$gateway"', "igw-0new")


_COUNTED = {
    "report-right": ("1 requirement holds", "1 requisito atendido"),
    "report-verdict-right": ("1 requirement holds", "1 requisito atendido"),
    "report-verdict-partly": ("1 requirement holds; 1 was not", "1 requisito atendido; 1 não foi"),
    "report-verdict-interrupted": ("1 requirement holds", "1 requisito atendido"),
    "report-cost": ("1 AWS call · 1 SSH session", "1 chamada à AWS · 1 sessão SSH"),
    "report-more-reasons": ("1 more reason", "mais 1 motivo"),
    "provision-elsewhere": ("1 more route in the journal is", "Mais 1 rota do diário está"),
}


@pytest.mark.parametrize("key", _COUNTED)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_counted_is_one_thing_or_several(language: str, key: str) -> None:
    facts = ("count", "skipped", "calls", "sessions")
    one, two = (catalogue(language).say(key, **dict.fromkeys(facts, number)) for number in (1, 2))
    said = _COUNTED[key][LANGUAGES.index(language)]
    assert re.search(rf"{said}\b", one)
    assert not re.search(rf"{said.replace('1', '2')}\b", two)
    assert "|" not in one + two
