"""Whatever one worker answers is an error about that worker: the others are asked and judged the same."""

from __future__ import annotations

import itertools
import random
import time
from typing import Any

import msgspec
import pytest

from kthw.observed import again, pods
from kthw.observed.seen import Seen
from kthw.observed.ssh import session
from tests.observed.hostile_answers import ANYWHERE, IN_PHASE, IN_TRACE, LATE, PHASES, Answer
from tests.observed.scripted import Lab, Output, Script, ScriptedChannel, dripping, encoded

PROTOCOLS = ("icmp", "tcp", "udp")
HONEST = ("worker-0", "worker-2")
HOSTILE = "worker-1"
SECONDS = 1.0
EVERYWHERE = {
    f"{phase}: {name}": (phase, answer, code) for phase in PHASES for name, (answer, code) in ANYWHERE.items()
}
ALL = {**EVERYWHERE, **IN_PHASE}


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lab:
    """With deadlines for an agent in this process."""
    for deadline in ("FACTS", "WAYS", "POD", "END"):
        monkeypatch.setattr(pods, f"{deadline}_DEADLINE", SECONDS)
    monkeypatch.setattr(again, "TRACE_DEADLINE", SECONDS)
    monkeypatch.setattr(pods, "PROBE_DEADLINE", 0.0)
    monkeypatch.setattr(pods, "_SLACK", SECONDS)
    monkeypatch.setattr("tests.observed.scripted.START_DEADLINE", SECONDS)
    return Lab(monkeypatch)


def saying(do: str, answer: Answer) -> Script:
    """A script that gives ``answer`` to ``do``, and the honest one to everything else."""

    def script(asked: str, _: dict[str, Any], honest: dict[str, Any]) -> Output:
        return answer(honest) if asked == do else encoded(honest)

    return script


def look(lab: Lab, script: Script | None, hears: tuple[str, ...] = (*HONEST, HOSTILE)) -> Seen:
    honest = (ScriptedChannel(worker, hears=hears) for worker in HONEST)
    return lab.look(*honest, ScriptedChannel(HOSTILE, script, hears=hears))


def of_the_honest(seen: Seen) -> dict[str, Any]:
    """What is seen of the honest workers, but for what is about the other one."""
    nodes = {
        worker: msgspec.structs.replace(
            seen.nodes[worker], ways=tuple(w for w in seen.nodes[worker].ways if w.towards != HOSTILE)
        )
        for worker in HONEST
    }
    probes = [p for p in seen.probes if p.source in HONEST and p.destination != HOSTILE]
    traces = [t for t in seen.traces if HOSTILE not in (t.source, t.destination)]
    return {"nodes": nodes, "probes": probes, "traces": traces}


def told(seen: Seen) -> list[tuple[str, str]]:
    return [(error.code, error.worker) for error in seen.errors]


@pytest.fixture(scope="module")
def without_it() -> Seen:
    """What is seen where the hostile one cannot be reached at all.

    Deadlines are short here: on a busy machine an honest one may miss them too. All others are compared with
    this, so it is looked at again then.
    """
    for _ in range(5):
        with pytest.MonkeyPatch.context() as patch:
            seen = Lab(patch).look(*(ScriptedChannel(worker) for worker in HONEST))
        if seen.nodes.keys() >= set(HONEST):
            return seen
    pytest.fail(f"the honest ones were not seen: {told(seen)}")


@pytest.mark.parametrize(("do", "answer", "code"), ALL.values(), ids=ALL)
def test_an_answer_that_cannot_be_is_one_error_about_that_worker(
    lab: Lab, without_it: Seen, do: str, answer: Answer, code: str
) -> None:
    """Within its deadline; and what the others are asked, and what is seen of them, is as without it."""
    began = time.monotonic()
    seen = look(lab, saying(do, answer))
    assert time.monotonic() - began < 8
    assert told(seen) == [(code, HOSTILE)]
    assert of_the_honest(seen) == of_the_honest(without_it)
    (error,) = seen.errors
    assert len(error.detail) < 500
    assert error.detail.isprintable()
    assert msgspec.json.decode(msgspec.json.encode(seen), type=Seen) == seen


@pytest.mark.parametrize(("do", "answer", "code"), IN_TRACE.values(), ids=IN_TRACE)
def test_a_sighting_that_cannot_be_is_one_error_about_that_worker(
    lab: Lab, do: str, answer: Answer, code: str
) -> None:
    seen = look(lab, saying(do, answer), hears=())
    assert told(seen) == [(code, HOSTILE)]
    assert {(trace.source, trace.destination) for trace in seen.traces} == {HONEST, HONEST[::-1]}


def test_an_honest_worker_is_no_error(lab: Lab, without_it: Seen) -> None:
    """So that the tests above fail for the answer's sake."""
    seen = look(lab, None)
    assert (told(seen), set(seen.nodes)) == ([], {*HONEST, HOSTILE})
    assert of_the_honest(seen) == of_the_honest(without_it)


def test_a_claim_to_anothers_pod_stays_measured_and_hurts_nobody_else(lab: Lab, without_it: Seen) -> None:
    """That two workers have one pod CIDR is a mistake people make."""
    seen = look(lab, saying("pod", lambda honest: encoded({**honest, "address": "10.200.0.2"})))
    assert told(seen) == []
    assert seen.nodes[HOSTILE].pod == seen.nodes["worker-0"].pod == "10.200.0.2"
    assert of_the_honest(seen) == of_the_honest(without_it)


def test_rows_that_are_missing_are_not_measured_and_the_others_are(lab: Lab) -> None:
    seen = look(lab, saying("probe", lambda honest: encoded({**honest, "probes": honest["probes"][1:]})))
    assert told(seen) == [("answer-unreadable", HOSTILE)]
    mine = [(p.destination, p.protocol, p.size) for p in seen.probes if p.source == HOSTILE]
    to_pods = [(w, protocol, size) for w in HONEST for protocol in PROTOCOLS for size in (0, 1500)]
    assert mine[: len(to_pods) - 1] == to_pods[1:]


def test_what_a_worker_could_not_see_is_an_error_and_the_rest_of_its_answer_holds(lab: Lab) -> None:
    failure = {"code": "node-unreadable", "detail": "ip: exit status 1", "facts": {"tool": "ip"}}
    seen = look(
        lab, saying("ways", lambda honest: encoded({**honest, "links": [], "ways": [], "failed": [failure]}))
    )
    assert told(seen) == [("node-unreadable", HOSTILE)]
    assert seen.nodes[HOSTILE].firewall
    assert seen.nodes[HOSTILE].pod


LOSING = {
    f"{how} at {do}": (do, answer)
    for how, answer in {
        "lost": lambda _: None,
        "stopped": lambda _: b"",
        "taken over": lambda _: b"[]\n",
    }.items()
    for do in ("ways", "probe", "end")
}


@pytest.mark.parametrize(("do", "answer"), LOSING.values(), ids=LOSING)
def test_a_worker_that_is_lost_after_its_pod_was_made_is_not_measured(
    lab: Lab, do: str, answer: Answer
) -> None:
    """It is not that packets to it were lost; the error is its own, and its pod is forgotten."""
    seen = look(lab, saying(do, answer), hears=HONEST)
    assert [worker for _, worker in told(seen)] == [HOSTILE]
    assert lab.channels[HOSTILE].asked[-1][0] == do, "nothing more is asked of it"
    assert seen.nodes[HOSTILE].pod == ""
    assert [str(probe) for probe in seen.probes if not probe.reached] == []
    assert seen.traces == ()
    pairs = {(p.source, p.destination) for p in seen.probes if p.kind == "pod" and p.source in HONEST}
    assert pairs == {HONEST, HONEST[::-1]}


def test_a_pair_that_fails_between_workers_that_stay_is_measured(lab: Lab) -> None:
    seen = look(lab, None, hears=HONEST)
    assert told(seen) == []
    failed = {(p.source, p.destination) for p in seen.probes if not p.reached}
    assert failed == {(worker, HOSTILE) for worker in HONEST}
    assert {(trace.source, trace.destination) for trace in seen.traces} == failed


def test_who_is_late_with_the_watching_only_is_no_error(lab: Lab) -> None:
    """Its answer comes while it is asked for the next thing, and is passed over."""
    began: list[float] = []

    def late(asked: str, _: dict[str, Any], honest: dict[str, Any]) -> Output:
        if asked == "watch":
            began.append(time.monotonic())
            return iter(())
        if asked == "end":
            watched = {"id": honest["id"] - 1}
            return encoded(watched) + encoded(honest)
        return encoded(honest)

    seen = look(lab, late, hears=())
    assert began
    assert told(seen) == []
    assert len({(trace.source, trace.destination) for trace in seen.traces}) == 6


def test_a_worker_has_one_budget_of_time_for_all_questions(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that answers each just before its deadline is not waited for in each."""
    monkeypatch.setattr(pods, "BUDGET", 0.5)
    monkeypatch.setattr(pods, "_BUDGET_PER_WORKER", 0.0)
    monkeypatch.setattr(pods, "probe_deadline", lambda _: 0.0)
    for deadline in ("FACTS", "WAYS", "POD", "END"):
        monkeypatch.setattr(pods, f"{deadline}_DEADLINE", 10.0)

    def slow(_: str, __: dict[str, Any], honest: dict[str, Any]) -> Output:
        line = encoded(honest)
        return itertools.chain(dripping(b" " * 10), [line])

    seen = look(lab, slow)
    assert told(seen) == [(LATE, HOSTILE)]
    assert seen.errors[0].variant == "spent"
    assert seen.errors[0].facts["budget"] == "0"


def test_what_floods_its_standard_error_is_late_and_no_more(lab: Lab) -> None:
    """Reading it must not keep us from looking at the clock."""
    channels = {worker: ScriptedChannel(worker) for worker in HONEST}
    flooding = ScriptedChannel(HOSTILE, saying("facts", lambda _: b""))
    flooding.complaint = itertools.repeat(b"x" * 65536)
    seen = lab.look(*channels.values(), flooding)
    assert told(seen) == [(LATE, HOSTILE)]


def test_a_question_that_nobody_reads_is_late(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does one that is read a byte at a time take longer than its deadline."""
    channel = ScriptedChannel(HOSTILE)

    def reluctant(data: bytes) -> int:
        time.sleep(0.01)
        return 1

    monkeypatch.setattr(channel, "send", reluctant)
    began = time.monotonic()
    seen = lab.look(*(ScriptedChannel(worker) for worker in HONEST), channel)
    assert time.monotonic() - began < 8
    assert told(seen) == [(LATE, HOSTILE)]


def test_two_looks_at_one_cluster_are_the_same(lab: Lab) -> None:
    """Whoever answers first."""
    chance = random.Random(1)  # noqa: S311 -- no secret

    def at_leisure(_: str, __: dict[str, Any], honest: dict[str, Any]) -> Output:
        return itertools.chain(dripping(b" ", chance.uniform(0, 0.03)), [encoded(honest)])

    def shuffled(asked: str, fields: dict[str, Any], honest: dict[str, Any]) -> Output:
        if asked == "probe":
            honest = {**honest, "probes": chance.sample(honest["probes"], len(honest["probes"]))}
        return at_leisure(asked, fields, honest)

    looks = [
        lab.look(*(ScriptedChannel(f"worker-{n}", shuffled, hears=("worker-2",)) for n in range(3)))
        for _ in range(4)
    ]
    assert len({msgspec.json.encode(seen) for seen in looks}) == 1


VALUES: tuple[Any, ...] = (
    None, True, -1, 7, 10**30, 1.5, 1e300, "", "x", "10.0.1.20", "10.200.1.2\nroute add x", "$(id)",
    "\x1b[2J", "x" * 6000, "\u202e", "é", [], {}, [[]], {"x": []}, ["10.0.1.1"] * 3,
)  # fmt: skip


def mutated(document: Any, chance: random.Random) -> Any:
    """``document`` with something in it changed, left out, doubled or put elsewhere."""
    if isinstance(document, dict) and document and chance.random() < 0.8:
        key = chance.choice(sorted(document))
        changed = {**document, key: mutated(document[key], chance)}
        if chance.random() < 0.15:
            del changed[key]
        return changed
    if isinstance(document, list) and document and chance.random() < 0.8:
        n = chance.randrange(len(document))
        if chance.random() < 0.2:
            return [*document[:n], *document[n + 1 :], *chance.choices(document, k=chance.randrange(3))]
        return [*document[:n], mutated(document[n], chance), *document[n + 1 :]]
    return chance.choice(VALUES)


@pytest.mark.parametrize("seed", range(12))
def test_mutated_answers_hurt_nobody_else(lab: Lab, without_it: Seen, seed: int) -> None:
    """Some still are answers; the others are an error about that worker. Never more than that."""
    chance = random.Random(seed)  # noqa: S311 -- no secret
    for _ in range(25):
        turn, number = chance.choice(PHASES), chance.randrange(1, 3)

        def script(asked: str, _: dict[str, Any], honest: Any, do: str = turn, times: int = number) -> Output:
            for _turn in range(times if asked == do else 0):
                honest = mutated(honest, chance)
            return encoded(honest)

        seen = look(lab, script)
        assert {worker for _, worker in told(seen)} <= {HOSTILE}
        assert of_the_honest(seen) == of_the_honest(without_it)
        assert msgspec.json.decode(msgspec.json.encode(seen), type=Seen) == seen


def test_a_line_is_refused_as_soon_as_it_is_too_long(lab: Lab) -> None:
    """And not kept: 4 MB and a little for each worker are the most that is held of one."""
    read = itertools.count()

    def flood() -> Any:
        for _ in read:
            yield b"x" * 65536

    look(lab, saying("facts", lambda _: flood()))
    assert next(read) * 65536 < session.MOST_BYTES + 3 * (8 << 10) + 3 * 65536
