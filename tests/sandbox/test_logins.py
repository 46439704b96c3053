"""A node lets in the user that its image has, and nobody else; the suite says which."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kthw.findings.judging import Verdict, judge
from kthw.intended import tutorial
from kthw.observed.gather import gather
from kthw.words.messages import LANGUAGES, catalogue
from sandbox import images, labs
from sandbox.access import Access
from sandbox.box import Sandbox, ec2_client, start
from sandbox.building import build
from sandbox.dressing import dress
from sandbox.lab import Lab
from tests.asked import intended, way_in, with_keys_only
from tests.ordinary_user import AS_USER, whoever
from tests.sandbox.test_commands import NO_PACKETS, ROOT

pytestmark = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)
DEBIAN = labs.lab("debian")
JUMP = labs.lab("private").but(others=(), workers=2, image=images.AMAZON_LINUX.id)
_OPTIONS = "--workers 'node-*' --pod-cidrs '10.200.{n}.0/24'"
_BY_HAND = f"""
sed '/^    User /d' "$KTHW_SSH_CONFIG" >mine && chmod 600 mine && export KTHW_SSH_CONFIG=$PWD/mine
suite() {{ {sys.executable} -m pytest -q -p no:cacheprovider {ROOT}/suites/routes --rootdir {ROOT} \\
    --target aws --reports reports {_OPTIONS} "$@"; echo "ended with $?"; }}
suite
suite --ssh-user admin
"""


@pytest.mark.slow
@pytest.mark.parametrize("user", ["me", pytest.param("student", marks=AS_USER)])
def test_the_user_of_the_image_is_said_and_typing_it_is_enough(user: str, tmp_path: Path) -> None:
    """The default is refused and ``admin`` is named; with ``--ssh-user admin`` all holds."""
    with whoever(user, tmp_path) as who:
        inside = ("sh", "-c", f"cd {who.home}\n{_BY_HAND}")
        done = subprocess.run(
            [*who.through, sys.executable, "-m", "sandbox", "run", "--like", "debian", "--", *inside],
            cwd=ROOT, env={**os.environ, **who.environment, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, check=False, timeout=240,
        )  # fmt: skip
    refused, _, green = " ".join(done.stdout.split()).partition("ended with ")
    assert "did not let me in as ubuntu: its image has the user admin" in refused, done.stdout + done.stderr
    assert images.DEBIAN.name in refused
    assert "./run routes --target aws --ssh-user admin" in refused
    assert not green.startswith("0"), done.stdout
    assert green.endswith("ended with 0"), done.stdout


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with start(empty=True) as box:
        yield box


@contextlib.contextmanager
def built(box: Sandbox, lab: Lab) -> Iterator[None]:
    ec2 = ec2_client(box.target.endpoint)
    machines = build(ec2, lab, lab.names(), Access(box.directory).key)
    try:
        dress(ec2, lab, machines, box.directory)
        yield
    finally:
        ec2.terminate_instances(InstanceIds=list(machines))
        ec2.delete_tags(Resources=list(machines))


def judged(box: Sandbox, lab: Lab, folder: Path, *options: str) -> Verdict:
    typed = dict(zip(lab.options[::2], lab.options[1::2], strict=True)) | {"--ssh-user": "ubuntu"}
    typed |= dict(zip(options[::2], options[1::2], strict=True))
    words = [word for option in typed.items() for word in option]
    target = way_in(words, with_keys_only(box.target, folder))
    return judge(gather(target, intended(words, lab.names(), target)))


@pytest.mark.slow
def test_root_is_let_in_to_be_told_whom_to_log_in_as(box: Sandbox, tmp_path: Path) -> None:
    """As cloud-init leaves it: the sentence is the node's own."""
    with built(box, DEBIAN):
        errors = judged(box, DEBIAN, tmp_path, "--ssh-user", "root").errors
    assert {error.worker for error in errors} == set(DEBIAN.names())
    for error in errors:
        assert error.code == "ssh-auth-failed"
        assert 'Please login as the user "admin" rather than the user "root".' in error.detail
        for language in LANGUAGES:
            assert "--ssh-user admin" in catalogue(language).error(error).fix


@pytest.mark.slow
def test_a_jump_host_s_image_is_the_one_that_is_told_of_it(box: Sandbox, tmp_path: Path) -> None:
    with built(box, JUMP):
        told = {error.variant for error in judged(box, JUMP, tmp_path).errors}
        mended = judged(box, JUMP, tmp_path, "--ssh-user", "ec2-user")
    assert told == {"jump-user"}
    assert [str(error) for error in mended.errors] == []
    assert {probe.reached for probe in mended.evidence.probes if probe.kind == "pod"} == {True}


def test_an_image_that_nobody_knows_is_an_ubuntu_s(box: Sandbox) -> None:
    """A person's own, made of an instance."""
    lab, ec2 = Lab(others=(), workers=1), ec2_client(box.target.endpoint)
    with built(box, lab):
        running: Any = [{"Name": "instance-state-name", "Values": ["running"]}]
        (found,) = ec2.describe_instances(Filters=running)["Reservations"]
        own = ec2.create_image(InstanceId=found["Instances"][0]["InstanceId"], Name="own")["ImageId"]
    with built(box, lab.but(image=own)):
        config = str(box.directory / "ssh_config")
        done = subprocess.run(
            ["ssh", "-F", config, "worker-0", "id -un"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.stdout == f"{tutorial.SSH_USER}\n", done.stderr
