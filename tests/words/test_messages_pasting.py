"""What is printed to be pasted runs the commands that are meant, whatever names and recorded runs say.

The fixes are run by bash, with every program played by a function that notes its words.
"""

from __future__ import annotations

import shlex
import string
import subprocess
import tempfile
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from kthw.errors import LookError
from kthw.findings.finding import Finding
from kthw.words.messages import LANGUAGES, Catalogue, catalogue
from kthw.words.pasting import NotWhole, filled
from tests.findings.faults import FAULTS
from tests.findings.judged import everything

EVIL = "a b;touch x $(touch x) `touch x` ' \" \\ # & | > y"
UNPRINTABLE = f"{EVIL}\ntouch x\r\x1b[2J\u2028touch x\u202e\x9b31m"
HARMLESS = "SAFE"

PROGRAMS = (
    "aws kubectl sudo touch ls chmod cat tr base64 dirname date ping tcpdump ip tc nft timeout uptime "
    "ssh-add ssh-keygen run LOGIN WHERE_LOGIN AT_LOGIN tracepath getent COMMAND gunzip python3 last curl "
    "uname sed"
)
PLAYED = f"""
PATH=/nowhere
note() {{ local each all=''; for each; do all+=$each$'\\1'; done; printf '%s\\2' "$all" >&9; }}
for program in {PROGRAMS}; do
    eval "$program() {{ note $program \\"\\$@\\"; while read -r _; do :; done; }}"
done
ssh() {{
    note ssh "$@"
    while :; do case $1 in -*) shift 2 ;; *) break ;; esac; done
    shift
    eval "$*"
}}
"""


def _ran(*fixes: str) -> list[list[str]]:
    """The words of every command that pasting the fixes runs, sorted: some run in the background.

    They run in an empty folder, for what they write.
    """
    pasted = "".join(f"(\n{fix}\nwait\n) >/dev/null\n" for fix in fixes)
    script = PLAYED + pasted.replace("./run ", "run ")
    checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["bash", "-c", 'exec 9>&1 </dev/null; eval "$0"', script],
            cwd=folder,
            text=True,
            capture_output=True,
            check=False,
        )
    assert done.stderr == "", fixes
    return sorted(command.split("\1")[:-1] for command in done.stdout.split("\2")[:-1])


def _tables(words: Catalogue) -> dict[tuple[str, str, str], str]:
    """The fixes as they are written, by kind, code and variant."""
    found = {}
    for kind, tables in (("finding", words.findings), ("error", words.errors)):
        for code, table in tables.items():
            found[kind, code, ""] = table["fix"]
            variants: dict[str, Any] = {key: each for key, each in table.items() if isinstance(each, dict)}
            for variant, each in variants.items():
                found[kind, code, variant] = each.get("fix", table["fix"])
    return found


def _facts(template: str, said: str) -> dict[str, str]:
    quoted = shlex.quote(said)
    by_kind = {
        "": said,
        "remote": said,
        "plain": "10.200.1.0/24",
        "words": quoted,
        "option": f"--instance-id {quoted}",
        "command": f"ssh -i {quoted} {quoted}",
    }
    placeholders = [(name, kind or "") for _, name, kind, _ in string.Formatter().parse(template) if name]
    facts = {name: by_kind[kind] for name, kind in placeholders}
    if "forget" in facts:
        facts["forget"] = f"ssh-keygen -f {quoted} -R {quoted}"
    for command in facts.keys() & {"command", "keep"}:
        facts[command] = shlex.quote(f"sudo {quoted}")
    return facts


def _fix(words: Catalogue, key: tuple[str, str, str], facts: Mapping[str, str]) -> str:
    kind, code, variant = key
    told: dict[str, Any] = {"code": code, "subject": "x", "variant": variant, "facts": dict(facts)}
    if kind == "error":
        return words.error(LookError(**told)).fix
    found = Finding(**told, worker="x", expected="x", observed="x")
    return words.finding(found).fix


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", _tables(catalogue("en")), ids=lambda key: "-".join(filter(None, key)))
def test_a_hostile_name_stays_one_word_of_the_command_it_is_in(
    key: tuple[str, str, str], language: str
) -> None:
    words = catalogue(language)
    template = _tables(words)[key]
    meant, hostile = (_fix(words, key, _facts(template, said)) for said in (HARMLESS, EVIL))
    expected = [[word.replace(HARMLESS, "\0") for word in command] for command in _ran(meant)]
    seen = [[word.replace(EVIL, "\0") for word in command] for command in _ran(hostile)]
    # What ssh is told to run has the name quoted in it: what then runs is among the others.
    here, there = ([command for command in each if command[0] != "ssh"] for each in (seen, expected))
    assert sorted(here) == sorted(there)
    logins, expected_logins = ([len(c) for c in each if c[0] == "ssh"] for each in (seen, expected))
    assert logins == expected_logins


def test_a_fact_is_filled_in_the_same_way_in_both_languages() -> None:
    english, portuguese = (_tables(catalogue(language)) for language in LANGUAGES)
    for key, template in english.items():
        kinds = [
            {(n, kind) for _, n, kind, _ in string.Formatter().parse(t) if n}
            for t in (template, portuguese[key])
        ]
        assert kinds[0] == kinds[1], key


def test_a_cni_file_that_cannot_be_read_is_moved_away_and_the_tutorial_s_is_written() -> None:
    folder = "/etc/cni/net.d"
    for name, files in (
        ("broken CNI file", ["10-bridge.conf"]),
        ("broken CNI files of others", ["10-calico.conflist", "10 x.conf"]),
    ):
        (found,) = everything(FAULTS[name][0])
        ran = [command for command in _ran(catalogue("en").finding(found).fix) if command[0] == "sudo"]
        moves = [["sudo", "mv", f"{folder}/{file}", f"{folder}/{file}.broken"] for file in files]
        assert ran == sorted([*moves, ["sudo", "tee", f"{folder}/10-bridge.conf"]])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_can_be_pasted_as_the_terminal_indents_it(language: str) -> None:
    """Each is complete by itself: indented, a here-document never ends, and a quoted text is another."""
    words = catalogue(language)
    fixes = {words.finding(found).fix for evidence, _ in FAULTS.values() for found in everything(evidence)}
    fixes |= {_fix(words, key, _facts(fix, HARMLESS)) for key, fix in _tables(words).items()}
    every: dict[str, None] = {}  # many fixes have lines in common: each is asked about once
    for fix in fixes:
        lines = [f"    {line}" for line in fix.splitlines()]
        every |= dict.fromkeys(("\n".join(lines), *lines))
        assert not any("<<" in line for line in lines), fix
    for pasted in every:
        checked = subprocess.run(["bash", "-nc", pasted], text=True, capture_output=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, ""), pasted


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_comment_is_harmless_where_the_shell_takes_it_for_a_command(language: str) -> None:
    """As macOS's does: zsh knows no comment in what is typed. A quote that is left open takes in the commands
    that follow, and so does ``; if``.
    """
    words = catalogue(language)
    fixes = [_fix(words, key, _facts(fix, HARMLESS)) for key, fix in _tables(words).items()]
    comments = [line for fix in fixes for line in fix.splitlines() if line.startswith("#")]
    assert comments
    for comment in comments:
        assert shlex.split(comment), comment
        assert not set(comment) & set(";&|<>`"), comment


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", _tables(catalogue("en")), ids=lambda key: "-".join(filter(None, key)))
def test_a_hostile_name_adds_no_line(key: tuple[str, str, str], language: str) -> None:
    words = catalogue(language)
    template = _tables(words)[key]
    for evil in (EVIL, UNPRINTABLE):
        meant, hostile = (_fix(words, key, _facts(template, said)) for said in (HARMLESS, evil))
        assert len(hostile.splitlines()) == len(meant.splitlines())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", _tables(catalogue("en")), ids=lambda key: "-".join(filter(None, key)))
def test_what_is_not_printable_as_it_is_goes_into_no_command(
    key: tuple[str, str, str], language: str
) -> None:
    """Its placeholder's name stands there: what is shown and what would be pasted are never two things."""
    words = catalogue(language)
    template = _tables(words)[key]
    nothing = {
        name: "10.200.1.0/24" if kind == "plain" else ""
        for _, name, kind, _ in string.Formatter().parse(template)
        if name
    }
    assert _fix(words, key, _facts(template, UNPRINTABLE)) == _fix(words, key, nothing)


_SPOILT = ("worker-1", "i-01", "i-07", "rtb-0a", "eni-01", "203.0.113.21", "cnio0", "10-bridge.conf")


def _hostile(value: Any, evil: str) -> Any:
    """The same with names and ids that no door lets in: a fix is safe whatever the doors do."""
    if isinstance(value, str):
        return f"{value}{evil}" if value in _SPOILT else value
    if isinstance(value, tuple):
        return tuple(_hostile(each, evil) for each in value)
    if isinstance(value, dict):
        return {_hostile(key, evil): _hostile(each, evil) for key, each in value.items()}
    if isinstance(value, msgspec.Struct):
        return type(value)(**{name: _hostile(getattr(value, name), evil) for name in value.__struct_fields__})
    return value


@pytest.mark.parametrize("evil", [EVIL, UNPRINTABLE], ids=["printable", "unprintable"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_hostile_recorded_run_makes_no_fix_run_anything_else(name: str, evil: str) -> None:
    found = everything(_hostile(FAULTS[name][0], evil))
    for language in LANGUAGES:
        ran = _ran(*(catalogue(language).finding(finding).fix for finding in found))
        assert not [command for command in ran if command[0] == "touch"]


def test_names_as_they_usually_are_are_printed_as_they_are() -> None:
    for usual in ("worker-0", "i-0ab12", "10.200.1.0/24", "kubernetes.id_rsa", "ubuntu", "/etc/cni/net.d/x"):
        for kind in ("", ":word", ":remote", ":plain", ":words"):
            assert filled(f"{{fact{kind}}}", {"fact": usual}, pasted=True) == usual


@pytest.mark.parametrize(
    "login",
    [
        "touch x",
        "ssh -o ProxyCommand='touch x' ubuntu@203.0.113.21",
        "ssh -oProxyCommand=touch ubuntu@203.0.113.21",
        "ssh ubuntu@203.0.113.21 touch x",
        "ssh ubuntu@203.0.113.21; touch x",
        "ssh ubuntu@203.0.113.21 'never closed",
        "ssh-keygen -f x -R y -D evil",
        "",
    ],
)
def test_a_command_that_is_not_of_our_making_is_not_printed(login: str) -> None:
    assert filled("{login:command} true", {"login": login}, pasted=True) == "LOGIN true"


@pytest.mark.parametrize(
    "login",
    [
        "ssh -i kubernetes.id_rsa ubuntu@203.0.113.21",
        "ssh -F 'my config' -i 'my key' -p 2222 -o HostName=203.0.113.21 ubuntu@worker-1",
        "ssh-keygen -f known_hosts -R '[203.0.113.21]:2222'",
    ],
)
def test_a_command_of_our_making_is_printed_as_it_is(login: str) -> None:
    assert filled("{login:command}", {"login": login}, pasted=True) == login


@pytest.mark.parametrize(
    ("template", "fact"),
    [
        ("{fact}", "--endpoint-url=http://evil"),
        ("{fact}", ""),
        ("{fact:remote}", "-x"),
        ("{fact:plain}", "10.200.1.0/24#e"),
        ("{fact:words}", "i-01 --endpoint-url=http://evil"),
        ("{fact:words}", "'"),
        ("{fact:option}", "--instance-id i-01 --endpoint-url=http://evil"),
        ("{fact:option}", "touch x"),
    ],
)
def test_what_does_not_fit_its_place_is_its_own_name(template: str, fact: str) -> None:
    assert filled(template, {"fact": fact}, pasted=True) == "FACT"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_stays_on_one_line_whatever_it_tells_of(language: str) -> None:
    told = Finding(
        code="route-missing",
        subject=UNPRINTABLE,
        worker=UNPRINTABLE,
        expected="x",
        observed=UNPRINTABLE,
        facts={"table": UNPRINTABLE, "pod_cidr": "x" * 5000, "worker_noun": UNPRINTABLE},
    )
    said = catalogue(language).finding(told)
    assert said.what.isprintable()
    assert "\\x1b[2J" in said.what
    assert "\\u202e\\x9b31m" in said.what
    assert "… (+4000)" in said.what
    assert all(value.isprintable() for _, value in catalogue(language).compared(told))


@pytest.mark.parametrize("kind", ["", ":word", ":remote", ":plain", ":words", ":option", ":command"])
@pytest.mark.parametrize("hidden", ["ssh -i *** ubuntu@worker-0", "10.200.1.0… (+12)"])
def test_a_command_that_would_need_what_is_masked_or_cut_is_none(kind: str, hidden: str) -> None:
    with pytest.raises(NotWhole):
        filled(f"{{fact{kind}}}", {"fact": hidden}, pasted=True)
    assert filled("{fact}", {"fact": hidden}) == hidden


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [name for name in FAULTS if "something masked" in name])
def test_nothing_masked_is_part_of_a_fix(name: str, language: str) -> None:
    (found,) = everything(FAULTS[name][0])
    said = catalogue(language).finding(found)
    assert "***" in said.what
    assert "***" not in said.fix
    assert "--line-numbers" in said.fix or "handle 4" in said.fix


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_fix_that_would_need_what_is_masked_says_to_look_by_hand(language: str) -> None:
    found = Finding(
        code="node-route-conflict",
        subject="worker-1 · a route",
        worker="worker-1",
        expected="x",
        observed="x",
        facts={"login": "ssh ubuntu@203.0.113.21", "command": "'sudo ip route del *** dev x'"},
    )
    words = catalogue(language)
    assert words.finding(found).fix == words.say("report-fix-by-hand", subject="worker-1 · a route")
    assert words.finding(found).fix.startswith("# ")
