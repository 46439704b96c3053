"""What ``--pod-cidrs`` means, and what is said of what it cannot mean."""

from __future__ import annotations

import pytest

from kthw.intended.cluster import BadNames
from kthw.intended.pod_cidrs import pod_cidrs

THREE = ("worker-0", "worker-1", "worker-2")


@pytest.mark.parametrize(
    ("text", "workers", "expected"),
    [
        ("10.200.{n}.0/24", THREE, ["10.200.0.0/24", "10.200.1.0/24", "10.200.2.0/24"]),
        ("10.200.{n+1}.0/24", THREE, ["10.200.1.0/24", "10.200.2.0/24", "10.200.3.0/24"]),
        ("10.200.{number}.0/24", ("node7", "node-9"), ["10.200.7.0/24", "10.200.9.0/24"]),
        ("10.200.{number-1}.0/24", ("worker-1", "worker-2"), ["10.200.0.0/24", "10.200.1.0/24"]),
        ("10.200.{ n }.0/24", ("a",), ["10.200.0.0/24"]),
        ("10.{n}.0.0/16", ("k8s-2-worker-5",), ["10.0.0.0/16"]),
        ("10.{number}.0.0/16", ("k8s-2-worker-5",), ["10.5.0.0/16"]),
        ("172.20.0.0/16", ("alone",), ["172.20.0.0/16"]),
        ("worker-1=10.9.0.0/24, worker-0=10.8.0.0/24", THREE[:2], ["10.8.0.0/24", "10.9.0.0/24"]),
        ("worker-1=10.9.0.0/24\nworker-0=10.8.0.0/24", THREE[:2], ["10.8.0.0/24", "10.9.0.0/24"]),
    ],
    ids=["n", "n+1", "number", "number-1", "spaces", "place", "last", "one", "list", "lines"],
)
def test_each_worker_gets_the_one_that_is_meant(
    text: str, workers: tuple[str, ...], expected: list[str]
) -> None:
    assert pod_cidrs(text, workers) == dict(zip(workers, expected, strict=True))


def test_a_list_may_leave_workers_out() -> None:
    assert pod_cidrs("worker-2=10.9.0.0/24", THREE) == {"worker-2": "10.9.0.0/24"}


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("10.200.0.0/24", "run-same-pod-cidrs"),
        ("10.200.{n}.0", "run-bad-pod-cidr"),
        ("10.200.{n}.1/24", "run-bad-pod-cidr"),
        ("10.200.{n}.0/31", "run-bad-pod-cidr"),
        ("10.200.{n+254}.0/24", "run-bad-pod-cidr"),
        ("10.200.{n-1}.0/24", "run-bad-pod-cidr"),
        ("10.200.{i}.0/24", "run-bad-pod-cidr"),
        ("", "run-bad-pod-cidr"),
        ("worker-0=10.200.0.0/24,worker-9=10.200.9.0/24", "run-pod-cidr-of-nobody"),
        ("worker-0=10.200.0.0/24,worker-0=10.200.9.0/24", "run-pod-cidr-twice"),
        ("worker-0=10.200.0.0.24", "run-bad-pod-cidr"),
    ],
    ids=[
        "same", "no-prefix", "host-bits", "too-small", "too-far", "below", "unknown", "empty", "nobody",
        "twice", "dot",
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(text: str, phrase: str) -> None:
    with pytest.raises(BadNames) as refused:
        pod_cidrs(text, THREE)
    assert refused.value.key == phrase


def test_a_name_without_a_number_is_refused_where_one_is_needed() -> None:
    with pytest.raises(BadNames) as refused:
        pod_cidrs("10.200.{number}.0/24", ("worker-1", "blue"))
    assert (refused.value.key, refused.value.facts["worker"]) == ("run-no-number", "blue")
