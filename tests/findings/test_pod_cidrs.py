"""What user data says its pod CIDR is, what it says instead, and what is written back of it."""

from __future__ import annotations

import base64

import pytest

from kthw.network import pod_cidr
from kthw.observed.evidence import Statement, UserData

ONE, OTHER = "10.200.1.0/24", "10.200.9.0/24"


@pytest.mark.parametrize(
    ("pairs", "text", "variant", "near_miss", "hint"),
    [
        ({}, "", "absent", "", ""),
        ({"pod-cidr": ""}, "", "empty", "", ""),
        ({"pod-cider": ONE}, "", "misspelt", f"pod-cider={ONE}", ONE),
        ({"POD_CIDR": ONE}, "", "misspelt", f"POD_CIDR={ONE}", ONE),
        ({"cidr": ONE}, "", "misspelt", f"cidr={ONE}", ONE),
        ({"range": ONE}, "", "misspelt", f"range={ONE}", ONE),
        # Of two that read like it the one that does most, wherever it stands.
        ({"pod-cidrange": OTHER, "POD_CIDR": ONE}, "", "misspelt", f"POD_CIDR={ONE}", ONE),
        # Alike enough, and it is the letters that count.
        ({"pod-cidr-abcdef": "x"}, "", "misspelt", "pod-cidr-abcdef=x", "x"),
        ({"my.pod.1.cidr-0": "x"}, "", "misspelt", "my.pod.1.cidr-0=x", "x"),
        ({"pod-cidr-abcdefg": "x"}, "", "other", "", ""),
        ({"name": "worker-1"}, "name=worker-1", "other", "", ""),
        ({}, f"#!/bin/sh\nPOD_CIDR={ONE}", "script", f"POD_CIDR={ONE}", ONE),
        ({"x": "y"}, "#cloud-config\nx=y", "script", "", ""),
        ({"POD_CIDR": ONE}, f"#!/bin/sh\nPOD_CIDR={ONE}", "script", f"POD_CIDR={ONE}", ONE),
        ({}, base64.b64encode(b"pod-cidr=10.200.1.0/24").decode(), "twice-encoded", f"pod-cidr={ONE}", ONE),
        ({}, "hello there", "other", "", ""),
        ({}, f"pods are in {ONE}", "other", "", ONE),
    ],
)
def test_user_data_without_a_pod_cidr_is_recognised(
    pairs: dict[str, str], text: str, variant: str, near_miss: str, hint: str
) -> None:
    seen = pod_cidr.read(UserData(pairs=pairs, text=text))
    assert (seen.problem, seen.variant, seen.near_miss) == ("pod-cidr-missing", variant, near_miss)
    assert seen.hint == hint


def test_near_what_is_right_nothing_is_told() -> None:
    seen = pod_cidr.valid(ONE)
    assert (seen.problem, seen.variant, seen.near_miss, seen.hint) == ("", "", "", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("hello\n \n  there\n", "hello ⏎ there"),
        ("x" * 160, "x" * 160),
        ("x" * 161, f"{'x' * 160}…"),
    ],
)
def test_what_is_shown_of_user_data_is_one_line_for_a_person(text: str, shown: str) -> None:
    assert pod_cidr.read(UserData(text=text)).observed == shown


def test_pairs_are_shown_as_they_are_written() -> None:
    assert pod_cidr.read(UserData(pairs={"name": "x", "zone": "a"})).observed == "name=x|zone=a"


SAID = Statement(cidr=OTHER, form="assigned", key="POD_CIDR")


@pytest.mark.parametrize(
    ("pair", "network"), [(ONE, ONE), ("10.200.1.7/24", ONE), ("hello", OTHER), ("", OTHER)]
)
def test_the_chapters_own_pair_rules_where_it_says_a_network(pair: str, network: str) -> None:
    seen = pod_cidr.read(UserData(pairs={"pod-cidr": pair}, statements=(SAID,)))
    assert str(seen.network) == network
    assert (seen.statement is SAID) == (network == OTHER)


def test_what_has_no_key_is_shown_without_one() -> None:
    alone = Statement(cidr="10.200.1.7/24", form="alone")
    assert pod_cidr.read(UserData(statements=(alone,))).observed == "10.200.1.7/24"
    several = pod_cidr.read(UserData(statements=(alone, SAID)))
    assert (several.variant, several.observed) == ("several", f"10.200.1.7/24, POD_CIDR={OTHER}")


@pytest.mark.parametrize(
    ("value", "variant", "near_miss"),
    [
        ("hello", "not-a-network", ""),
        ("10.200.1.0", "not-a-network", ""),
        ("10.200.1.0/33", "not-a-network", ""),
        ("10.200.1.256/24", "not-a-network", ""),
        ("fd00::/64", "not-a-network", ""),
        ("10.200.1.0/255.255.255.0", "not-a-network", "10.200.1.0/24"),
        ("10.200.1.7/255.255.255.0", "not-a-network", "10.200.1.0/24"),
        ("10.200.1.0/255.255.255.254", "not-a-network", ""),
        ("10.200.1.0.24", "not-a-network", "10.200.1.0/24"),
        ("10.200.1.0\\24", "not-a-network", "10.200.1.0/24"),
        ("10.200.1.0 24", "not-a-network", "10.200.1.0/24"),
        ("10.200.1.0.33", "not-a-network", ""),
        ("10.200.1.0.31", "not-a-network", ""),
        ("10.200.1.0.0.24", "not-a-network", ""),
        ('"10.200.1.0/31"', "not-a-network", ""),
        ('"10.200.1.0/24"', "not-a-network", "10.200.1.0/24"),
        ("10.200.1.7/24", "host-bits", "10.200.1.0/24"),
        ("10.200.1.0/31", "unusable", ""),
        ("10.200.1.1/31", "unusable", ""),
        ("127.0.0.1/24", "unusable", ""),
        ("10.0.0.0/7", "unusable", ""),
        ("127.0.0.0/24", "unusable", ""),
        ("169.254.1.0/24", "unusable", ""),
        ("224.0.1.0/24", "unusable", ""),
    ],
)
def test_a_pod_cidr_that_the_cni_would_refuse_is_invalid(value: str, variant: str, near_miss: str) -> None:
    seen = pod_cidr.read(UserData(pairs={"pod-cidr": value}))
    assert (seen.problem, seen.variant, seen.near_miss) == ("pod-cidr-invalid", variant, near_miss)
    assert seen.hint == near_miss


@pytest.mark.parametrize("value", [ONE, "10.0.0.0/8", "10.200.0.0/16", "172.20.16.0/20", "10.200.1.0/30"])
def test_a_network_is_a_pod_cidr(value: str) -> None:
    seen = pod_cidr.read(UserData(pairs={"pod-cidr": value}))
    assert (seen.problem, seen.variant, seen.observed, seen.hint) == ("", "", value, "")
    assert str(seen.network) == value


def test_user_data_is_mended_with_what_was_right_in_it() -> None:
    data = UserData(pairs={"name": "worker-1", "zone": "a", "pod-cider": "10.200.1.0/24"})
    assert (
        pod_cidr.mended(data, "worker-1", "10.200.1.0/24") == "'name=worker-1|zone=a|pod-cidr=10.200.1.0/24'"
    )


@pytest.mark.parametrize("value", ["***", "x***y", "x" * 200, "a\x1b[1mb"])
def test_user_data_that_the_evidence_does_not_have_whole_is_not_written_back(value: str) -> None:
    data = UserData(pairs={"name": "worker-1", "zone": value})
    assert pod_cidr.mended(data, "worker-1", "10.200.1.0/24") == "'name=worker-1|pod-cidr=10.200.1.0/24'"


@pytest.mark.parametrize(
    "first", ["#!/bin/sh", "#cloud-config", "Content-Type: multipart/mixed", "gzip: #!/bin/sh"]
)
def test_what_a_script_says_is_not_written_back(first: str) -> None:
    data = UserData(pairs={"name": "x", "pod-cidr": "hello"}, text=f"{first}\nname=x\npod-cidr=hello")
    assert pod_cidr.mended(data, "worker-1", "10.200.1.0/24") == "'name=worker-1|pod-cidr=10.200.1.0/24'"
