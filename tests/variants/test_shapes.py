"""Of each shape that people build, the suite says what is wrong with it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kthw.findings.judging import Verdict, judge
from kthw.intended import tutorial
from kthw.intended.cluster import worker_names
from kthw.observed.gather import gather
from kthw.target import Target
from kthw.verdict.report import Report, Summary
from kthw.words.messages import catalogue
from sandbox.access import Access
from sandbox.box import Sandbox, ec2_client, start, why_no_packets
from sandbox.building import build
from sandbox.dressing import dress
from sandbox.images import IMAGES
from tests.asked import by_jump_host, intended, way_in, with_keys_only
from tests.provision.account import Account
from tests.variants.shape import Shape
from tests.variants.shapes import SHAPES
from tests.variants.variants import VARIANTS

NO_PACKETS = why_no_packets(catalogue("en").say)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    if NO_PACKETS:
        pytest.skip(NO_PACKETS)
    with start(empty=True) as box:
        yield box


@pytest.mark.parametrize("shape", [s for s in SHAPES if not s.packets], ids=lambda shape: shape.name)
def test_what_aws_says_of_a_shape_is_judged_as_it_is(aws_account: Account, shape: Shape) -> None:
    build(aws_account.ec2, shape.lab, shape.lab.names(), aws_account.directory / tutorial.KEY_FILE)
    target = msgspec.structs.replace(aws_account.target, no_packets="They would add nothing.")
    _hold(_verdict(target, shape), shape)


def _with_users() -> list[Any]:
    """Each shape with packets, once with each user that one of its variants types."""
    typed = {(name, variant.user) for variant in VARIANTS for name in variant.shapes}
    return [
        pytest.param(shape, user, id=f"{shape.name}, {user}")
        for shape in SHAPES
        if shape.packets
        for user in sorted(user for name, user in typed if name == shape.name)
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "user"), _with_users())
def test_a_shape_with_packets_is_judged_as_it_is(
    box: Sandbox, shape: Shape, user: str, tmp_path: Path
) -> None:
    """Of an image that lets in the user whom its variants type, and by that user."""
    ec2 = ec2_client(box.target.endpoint)
    image = next(image for image in IMAGES if image.user == user)
    lab = shape.lab.but(image=image.id)
    built = build(ec2, lab, lab.names(), Access(box.directory).key)
    try:
        dress(ec2, lab, built, box.directory)
        target = with_keys_only(box.target, tmp_path)
        verdict = _verdict(way_in(("--ssh-user", user), target), shape)
        _hold(verdict, shape)
        reached = {probe.reached for probe in verdict.evidence.probes if probe.kind == "pod"}
        if shape.silent:
            assert reached == set()
            assert "run-skip-plugin-pods" in {o.skip.reason for o in verdict.outcomes if o.skip}
        else:
            assert reached == {not shape.said} or (shape.said and False in reached)
    finally:
        ec2.terminate_instances(InstanceIds=list(built))
        ec2.delete_tags(Resources=list(built))


def _verdict(target: Target, shape: Shape) -> Verdict:
    target = by_jump_host(target, shape.lab.jump) if shape.lab.front else target
    return judge(gather(target, intended(shape.lab.options, worker_names(tutorial.WORKERS), target)))


def _hold(verdict: Verdict, shape: Shape) -> None:
    workers = verdict.evidence.intended.workers
    assert len(workers) == shape.lab.workers
    found = {
        (f.code, f.worker) for f in verdict.findings if f.code != "pod-unreachable" or not f.explained_by
    }
    words = catalogue("en")
    assert shape.plugin in " ".join(Report(verdict, Summary()).network(words))
    assert found == shape.told(workers), "\n".join(words.finding(f).what for f in verdict.findings)
    assert [str(error) for error in verdict.errors] == []
    assert [outcome for outcome in verdict.outcomes if outcome.status == "broken"] == []
