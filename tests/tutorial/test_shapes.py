"""Labs of the shapes that tutorials have, from an account with nothing in it to one with nothing left in it.

What is typed is real: ``aws``, ``ssh``, ``scp`` and ``ssh-keyscan`` as a person has them in ``sandbox
run``. Done whole, the suite is green; with a step left out, it tells that step and no other. A run leaves
out one for each finding, and all of them in turn with ``KTHW_EVERY_STEP=1``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from kthw.findings.judging import judge
from kthw.observed.gather import gather
from kthw.target import SshAccess
from sandbox import programs
from sandbox.box import Sandbox, start
from sandbox.faults.aws_cli import CLIENT
from tests.asked import intended
from tests.sandbox.test_commands import NO_PACKETS, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)]
_STEP: Final = "# step: "
_END: Final = "clean-up"
_REGIONS: Final = (
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1", "eu-west-1", "eu-west-2",
    "eu-west-3", "eu-central-1", "eu-north-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "us-gov-west-1", "cn-north-1", "ap-east-1",
    "me-south-1", "af-south-1", "eu-south-1", "ap-southeast-3",
)  # fmt: skip
_MEANT: Final = ("--workers", "worker-0,worker-1")
_NODES: Final = ("--workers", "node-0,node-1", "--pod-cidrs", "10.200.{n}.0/24")


@dataclass(frozen=True)
class Shape:
    """``options``: what the suite is told. ``before``: what a person did once and for all. ``left_out``: by
    the steps left out, the codes that are told; who cannot log in does not do the workers' chapter.
    ``starts``: ``aws`` starts anew for each line, as it does for a person, which takes a second each."""

    key: str
    left_out: dict[tuple[str, ...], tuple[str, ...]]
    options: tuple[str, ...] = _MEANT
    user: str = "ubuntu"
    before: str = ""
    starts: bool = False


SHAPES: Final = {
    "one_subnet": Shape(
        key="lab.id_rsa",
        starts=True,
        left_out={
            ("association",): ("subnet-not-associated",),
            ("default route", "workers"): ("internet-route-missing",),
            ("rule for the nodes",): ("security-group-blocks",),
            ("rule for SSH", "workers"): ("ssh-port-closed",),
            ("public addresses", "workers"): ("public-address-missing",),
            ("source/dest check off",): ("source-dest-check-on",),
            ("route of worker-1",): ("route-missing",),
            ("route of worker-0", "route of worker-1"): ("route-missing",),
        },
    ),
    "vpc_is_subnet": Shape(
        key="keys/kube",
        before="aws configure set default.region us-east-2",
        left_out={
            ("default route", "workers"): ("internet-route-missing",),
            ("rule for the nodes",): ("security-group-blocks",),
            ("rule for SSH", "workers"): ("ssh-port-closed",),
            ("public addresses", "workers"): ("public-address-missing",),
            ("source/dest check off",): ("source-dest-check-on",),
            ("pod CIDR in the user data",): ("pod-cidr-missing",),
            ("route of worker-0",): ("route-missing",),
        },
    ),
    "node_routes": Shape(
        key="k8s.pem",
        user="admin",
        before="export AWS_DEFAULT_REGION=sa-east-1",
        options=(*_NODES, "--also", "server", "--network", "node-routes"),
        left_out={
            ("default route", "workers", "node-0's route", "node-1's route", "the server's routes"): (
                "internet-route-missing",
            ),
            ("rule for the nodes", "rule for the nodes' range"): ("security-group-blocks",),
            ("rule for SSH", "workers", "node-0's route", "node-1's route", "the server's routes"): (
                "ssh-port-closed",
            ),
            ("public addresses", "workers", "node-0's route", "node-1's route", "the server's routes"): (
                "public-address-missing",
            ),
            ("source/dest check off",): ("source-dest-check-on",),
            ("node-0's route",): ("node-route-missing",),
            ("the server's routes",): ("node-route-missing",),
        },
    ),
}
EVERY_STEP: Final = [(name, steps) for name, shape in SHAPES.items() for steps in shape.left_out]


def _covering() -> list[tuple[str, tuple[str, ...]]]:
    """Of those, one for each finding, by turns from each shape."""
    found: dict[tuple[str, ...], tuple[str, tuple[str, ...]]] = {}
    for turn in range(max(len(shape.left_out) for shape in SHAPES.values())):
        for name, shape in SHAPES.items():
            for steps in list(shape.left_out)[turn : turn + 1]:
                found.setdefault(shape.left_out[steps], (name, steps))
    return list(found.values())


LEFT_OUT: Final = EVERY_STEP if os.environ.get("KTHW_EVERY_STEP") else _covering()


def script(name: str, *left_out: str) -> str:
    """The shape's lines without the steps left out; what is named is there."""
    head, *steps = Path(__file__).with_name("shapes").joinpath(f"{name}.sh").read_text().split(_STEP)
    named = {title.strip(): lines for title, _, lines in (step.partition("\n") for step in steps)}
    assert set(left_out) <= named.keys()
    return head + "".join(lines for title, lines in named.items() if title not in left_out)


def clean_up(name: str) -> str:
    """The lines of the last step."""
    return script(name).removeprefix(script(name, _END))


def served(folder: Path) -> str:
    """The lines after which ``aws`` is there without its start, as long as the shell lives."""
    client, asked = folder / "bin/aws", folder / "aws"
    client.parent.mkdir()
    client.write_text(f"#!{sys.executable} -IS\nSOCKET = {str(asked)!r}\n{CLIENT}")
    client.chmod(0o755)
    return f"""
exec 9> >(cd {ROOT}; exec {sys.executable} -m sandbox.faults.aws_cli {asked} >/dev/null 2>&1)
until [ -S {asked} ]; do sleep 0.1; done
PATH={client.parent}:$PATH
"""


@pytest.mark.parametrize("name", SHAPES)
def test_done_whole_it_is_green_and_taken_away_nothing_is_left(name: str, tmp_path: Path) -> None:
    shape = SHAPES[name]
    options = [*shape.options, "--ssh-key", str(tmp_path / shape.key), "--ssh-user", shape.user]
    suite = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(ROOT / "suites/routes"),
        "--rootdir", str(ROOT), "--target", "aws", "--ssh-accept-new", "--language", "en",
        "--reports", str(tmp_path / "reports"), *options,
    ]  # fmt: skip
    (tmp_path / "suite").write_text(f'cd {ROOT}\nexec "$@"\n')
    lines = f"""
set -eu
cd {tmp_path}
{shape.before}
{"" if shape.starts else served(tmp_path)}
{script(name, _END)}
sh suite "$@"
{clean_up(name)}
cd {ROOT}
{sys.executable} -m sandbox status
"""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "run", "--empty", "--", "bash", "-c", lines, "-", *suite],
        cwd=ROOT, env={**kept, "LC_ALL": "C.UTF-8"}, capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]
    assert " requirements hold" in done.stdout
    assert done.stdout.rstrip().endswith("There is no VPC in it.")


class Desk:
    """Where labs are made one after another, each in its own region, by an ``aws`` that starts at once."""

    def __init__(self, box: Sandbox, folder: Path) -> None:
        self.box = box
        self._regions = iter(_REGIONS)
        self._numbers = count()
        self._folder = folder
        path = os.environ.get("PATH", os.defpath)
        first = programs.wrapped(box.directory, path)
        own = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "KTHW_", "PYTEST"))}
        self.environment = {**own, **box.environment, "PATH": f"{first}:{path}"}

    def without(self, name: str, steps: tuple[str, ...]) -> set[str]:
        """The codes that are told of the lab made without these steps, by whoever goes on after an error."""
        shape, region, folder = SHAPES[name], next(self._regions), self._folder / str(next(self._numbers))
        folder.mkdir()
        subprocess.run(
            ["bash", "-c", served(folder) + script(name, _END, *steps)], stdin=subprocess.DEVNULL,
            cwd=folder, env={**self.environment, "AWS_DEFAULT_REGION": region}, capture_output=True,
            check=False, timeout=300,
        )  # fmt: skip
        config = self.box.target.ssh.config
        access = SshAccess(user=shape.user, key=str(folder / shape.key), config=config, accept_new=True)
        target = replace(self.box.target, kind="aws", region=region, ssh=access)
        verdict = judge(gather(target, intended(shape.options, ("worker-0",), target)))
        assert verdict.network, verdict.errors
        return {each.code for each in verdict.findings if not each.explained_by}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with start(empty=True) as box:
        yield Desk(box, tmp_path_factory.mktemp("desk"))


@pytest.mark.parametrize(("name", "steps"), LEFT_OUT, ids=[f"{name}: {steps[0]}" for name, steps in LEFT_OUT])
def test_a_step_left_out_is_told_and_nothing_else(desk: Desk, name: str, steps: tuple[str, ...]) -> None:
    assert desk.without(name, steps) == set(SHAPES[name].left_out[steps])
