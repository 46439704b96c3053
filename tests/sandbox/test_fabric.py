"""Whatever fails half way: the next call brings kernel and API together."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kthw.verdict.messages import catalogue
from sandbox.box import why_no_packets
from tests.sandbox import fabric_story
from tests.sandbox.api_lab import Lab, Server

NO_PACKETS = why_no_packets(catalogue("en").say)
pytestmark = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)

_ROOT = Path(__file__).parents[2]
_HARNESS = Path(__file__).with_name("fabric_harness.py")
_WAYS = ("every-way",) if os.environ.get("KTHW_EVERY_WAY") else ()
"""Each failure in one of three ways, in turn; with ``KTHW_EVERY_WAY=1`` in all of them (five minutes)."""
_USER = () if os.geteuid() == 0 else ("--user", "--map-root-user", "--map-auto")


class Harness:
    """``fabric_harness.py`` at work on a story."""

    def __init__(self, steps: fabric_story.Steps, directory: Path) -> None:
        self.names = [name for name, _ in steps]
        path = directory / "states"
        path.write_bytes(pickle.dumps([state for _, state in steps]))
        self._log = directory / "stderr"
        self.process = subprocess.Popen(
            ["unshare", *_USER, "--net", "--mount", "--ipc", "--pid", "--fork", "--kill-child",
             "--mount-proc", sys.executable, _HARNESS, path, *_WAYS],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log.open("wb"), text=True,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
        )  # fmt: skip
        ready = self.answer()
        assert ready["calls"] == len(steps)
        assert ready["flows"] > 8, "too few packets flow for their flow to show anything"

    def answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self._log.read_text()
        return json.loads(line)

    def broken(self, number: int) -> Any:
        """That call with a failure at each of its points, one after the other."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        return self.answer()


@pytest.fixture(scope="module")
def harness(api_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    made = Harness(fabric_story.tell(api_server), tmp_path_factory.mktemp("fabric"))
    yield made
    made.process.kill()
    made.process.wait()


def test_after_any_failure_of_any_call_the_next_one_heals(harness: Harness) -> None:
    """Each call of a network's life, with each of its kernel commands failing in turn: afterwards the kernel
    has what it would have without the failure, and packets flow so."""
    found = {name: harness.broken(number) for number, name in enumerate(harness.names)}
    problems = {name: each["problems"] for name, each in found.items() if each["problems"]}
    assert not problems
    assert sum(each["points"] for each in found.values()) > 300


def test_every_kind_of_call_is_made_to_fail(harness: Harness, api_lab: Lab) -> None:
    """What the API's own list of changes has, the story above has too, but for what no kernel knows of."""
    elsewhere = {"create_key_pair", "create_tags"}
    assert ({*api_lab.mutations()} - elsewhere) <= {name.split("#")[0] for name in harness.names}
