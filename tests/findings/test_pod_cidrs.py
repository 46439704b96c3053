"""What user data says its pod CIDR is, what it says instead, and what is written back of it."""

from __future__ import annotations

import base64

import pytest

from kthw.network import pod_cidr
from kthw.observed.evidence import UserData


@pytest.mark.parametrize(
    ("pairs", "text", "variant", "near_miss"),
    [
        ({}, "", "absent", ""),
        ({"pod-cidr": ""}, "", "empty", ""),
        ({"pod-cider": "10.200.1.0/24"}, "", "misspelt", "pod-cider=10.200.1.0/24"),
        ({"POD_CIDR": "10.200.1.0/24"}, "", "misspelt", "POD_CIDR=10.200.1.0/24"),
        ({"cidr": "10.200.1.0/24"}, "", "misspelt", "cidr=10.200.1.0/24"),
        ({"range": "10.200.1.0/24"}, "", "misspelt", "range=10.200.1.0/24"),
        ({"name": "worker-1"}, "name=worker-1", "other", ""),
        ({}, "#!/bin/sh\nPOD_CIDR=10.200.1.0/24", "script", "POD_CIDR=10.200.1.0/24"),
        ({"x": "y"}, "#cloud-config\nx=y", "script", ""),
        (
            {"POD_CIDR": "10.200.1.0/24"},
            "#!/bin/sh\nPOD_CIDR=10.200.1.0/24",
            "script",
            "POD_CIDR=10.200.1.0/24",
        ),
        ({}, base64.b64encode(b"pod-cidr=10.200.1.0/24").decode(), "twice-encoded", "pod-cidr=10.200.1.0/24"),
        ({}, "hello there", "other", ""),
    ],
)
def test_user_data_without_a_pod_cidr_is_recognised(
    pairs: dict[str, str], text: str, variant: str, near_miss: str
) -> None:
    seen = pod_cidr.read(UserData(pairs=pairs, text=text))
    assert (seen.problem, seen.variant, seen.near_miss) == ("pod-cidr-missing", variant, near_miss)


@pytest.mark.parametrize(
    ("value", "variant", "near_miss"),
    [
        ("hello", "not-a-network", ""),
        ("10.200.1.0", "not-a-network", ""),
        ("10.200.1.0/33", "not-a-network", ""),
        ("10.200.1.256/24", "not-a-network", ""),
        ("fd00::/64", "not-a-network", ""),
        ("10.200.1.0/255.255.255.0", "not-a-network", "10.200.1.0/24"),
        ('"10.200.1.0/24"', "not-a-network", "10.200.1.0/24"),
        ("10.200.1.7/24", "host-bits", "10.200.1.0/24"),
        ("10.200.1.0/31", "unusable", ""),
        ("127.0.0.0/24", "unusable", ""),
    ],
)
def test_a_pod_cidr_that_the_cni_would_refuse_is_invalid(value: str, variant: str, near_miss: str) -> None:
    seen = pod_cidr.read(UserData(pairs={"pod-cidr": value}))
    assert (seen.problem, seen.variant, seen.near_miss) == ("pod-cidr-invalid", variant, near_miss)


@pytest.mark.parametrize("value", ["10.200.1.0/24", "10.200.0.0/16", "172.20.16.0/20", "10.200.1.0/30"])
def test_a_network_is_a_pod_cidr(value: str) -> None:
    seen = pod_cidr.read(UserData(pairs={"pod-cidr": value}))
    assert (seen.problem, str(seen.network)) == ("", value)


def test_user_data_is_mended_with_what_was_right_in_it() -> None:
    data = UserData(pairs={"name": "worker-1", "zone": "a", "pod-cider": "10.200.1.0/24"})
    assert (
        pod_cidr.mended(data, "worker-1", "10.200.1.0/24") == "'name=worker-1|zone=a|pod-cidr=10.200.1.0/24'"
    )


@pytest.mark.parametrize("value", ["***", "x***y", "x" * 200])
def test_user_data_that_the_evidence_does_not_have_whole_is_not_written_back(value: str) -> None:
    data = UserData(pairs={"name": "worker-1", "zone": value})
    assert pod_cidr.mended(data, "worker-1", "10.200.1.0/24") == "'name=worker-1|pod-cidr=10.200.1.0/24'"


@pytest.mark.parametrize(
    "first", ["#!/bin/sh", "#cloud-config", "Content-Type: multipart/mixed", "gzip: #!/bin/sh"]
)
def test_what_a_script_says_is_not_written_back(first: str) -> None:
    data = UserData(pairs={"name": "x", "pod-cidr": "hello"}, text=f"{first}\nname=x\npod-cidr=hello")
    assert pod_cidr.mended(data, "worker-1", "10.200.1.0/24") == "'name=worker-1|pod-cidr=10.200.1.0/24'"
