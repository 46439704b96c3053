"""What changed since the run before: new, gone, still there, and what one of the two could not look at."""

from __future__ import annotations

from msgspec.structs import replace

from kthw.findings.judging import judge
from kthw.observed.evidence import Evidence
from kthw.verdict.since import KINDS, Since, since
from kthw.verdict.standing import is_comparable, standing
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.changed_aws import inventory_of, with_interface, with_inventory, without_route
from tests.findings.changed_nodes import with_forward_chain, with_node
from tests.findings.clusters import OK, healthy
from tests.verdict.shown import nobody, two_faults

ACCOUNT = replace(OK, target=replace(OK.target, kind="aws"))


def changed(was: Evidence, now: Evidence) -> Since:
    return since(standing(judge(was)), standing(judge(now)))


def codes(found: Since) -> dict[str, list[str]]:
    return {kind: [each.code for each in found.of(kind)] for kind in KINDS if found.of(kind)}


def test_causes_are_new_gone_and_still_there() -> None:
    one = without_route(OK, "10.200.1.0/24")
    assert codes(changed(OK, one)) == {"new": ["route-missing"]}
    assert codes(changed(one, OK)) == {"gone": ["route-missing"]}
    both = with_node(one, "worker-2", ip_forward=False)
    assert codes(changed(one, both)) == {"new": ["forwarding-off"], "still": ["route-missing"]}
    assert changed(OK, one).is_worse
    assert not changed(one, OK).is_worse


def test_what_could_not_be_looked_at_is_neither_gone_nor_new() -> None:
    """Nobody got into the workers this time: a firewall that dropped may drop still."""
    one = with_forward_chain(OK, "worker-2", policy="DROP")
    assert codes(changed(one, nobody())) == {"hidden": ["forward-dropped"]}
    assert codes(changed(nobody(), one)) == {"uncovered": ["forward-dropped"]}
    assert changed(nobody(), one).is_worse


def test_an_instance_that_was_replaced_has_the_same_cause() -> None:
    """Its id and address are others, and so is its network interface; the worker is the same."""
    one = with_interface(ACCOUNT, "worker-1", source_dest_check=True)
    seen = inventory_of(one).instances
    worker = next(each for each in seen if each.name == "worker-1")
    eni = replace(worker.network_interfaces[0], id="eni-0fed", addresses=("10.0.1.77",))
    anew = replace(worker, id="i-0fed", address="10.0.1.77", network_interfaces=(eni,))
    other = with_inventory(one, instances=tuple(anew if each is worker else each for each in seen))
    found = codes(changed(one, other))
    assert found["still"] == ["source-dest-check-on"]
    assert "gone" not in found


def test_a_private_sandbox_names_all_anew_and_is_compared_all_the_same() -> None:
    one = without_route(OK, "10.200.1.0/24")
    tables = tuple(
        replace(table, id=table.id.replace("rtb-0a", "rtb-0123456789abcdef0"))
        for table in inventory_of(one).route_tables
    )
    other = with_inventory(one, route_tables=tables)
    was = with_inventory(
        one,
        route_tables=tuple(
            replace(table, id=table.id.replace("rtb-0a", "rtb-0fedcba9876543210"))
            for table in inventory_of(one).route_tables
        ),
    )
    assert codes(changed(was, other)) == {"still": ["route-missing"]}


def test_only_runs_of_one_lab_in_their_order_are_compared() -> None:
    later = replace(OK, gathered_at="2026-01-02T00:00:00Z")
    assert is_comparable(OK, later)
    assert not is_comparable(later, OK)
    assert not is_comparable(OK, OK)
    assert not is_comparable(replace(OK, gathered_at="once upon a time"), later)
    assert not is_comparable(healthy(4), later)
    assert not is_comparable(replace(OK, target=replace(OK.target, account="999999999999")), later)
    assert not is_comparable(ACCOUNT, later)


def test_it_is_said_in_one_line_or_two_with_every_count() -> None:
    for language in LANGUAGES:
        words = catalogue(language)
        assert len(changed(OK, OK).lines(words)) == 1
        lines = changed(OK, two_faults()).lines(words)
        assert len(lines) == 2
        assert words.say("since-new", count=2) in lines[0]
        assert "route-missing (worker-1 · " in lines[1]
        still = changed(two_faults(), two_faults()).lines(words)
        assert [words.say("since-still", count=2) in line for line in still] == [True]
