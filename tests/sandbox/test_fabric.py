"""Whatever fails half way: the next call brings kernel and API together."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kthw.words.messages import catalogue
from sandbox.box import why_no_packets
from sandbox.state import State
from tests.sandbox import fabric_story
from tests.sandbox.api_fuzz import Fuzz
from tests.sandbox.api_lab import Lab, Server

NO_PACKETS = why_no_packets(catalogue("en").say)
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)]

_ROOT = Path(__file__).parents[2]
_HARNESS = Path(__file__).with_name("fabric_harness.py")
_WAYS = ("every-way",) if os.environ.get("KTHW_EVERY_WAY") else ()
"""Each failure in one of three ways, in turn; with ``KTHW_EVERY_WAY=1`` in all of them (five minutes)."""
_OF_NO_KERNEL = {"create_key_pair", "create_tags"}
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"  # an ordinary user's often lacks these
_USER = () if os.geteuid() == 0 else ("--user", "--map-root-user", "--map-auto")


class Harness:
    """``fabric_harness.py`` at work on a story."""

    def __init__(self, states: list[State], directory: Path, *words: str) -> None:
        path = directory / "states"
        path.write_bytes(pickle.dumps(states))
        self._log = directory / "stderr"
        self.process = subprocess.Popen(
            ["unshare", *_USER, "--net", "--mount", "--ipc", "--pid", "--fork", "--kill-child",
             "--mount-proc", sys.executable, _HARNESS, path, *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log.open("wb"), text=True,
            env={**os.environ, "PATH": _PATH, "PYTHONPATH": str(_ROOT)},
        )  # fmt: skip

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

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def test_after_any_failure_of_any_call_the_next_one_heals(
    api_server: Server, api_lab: Lab, tmp_path: Path
) -> None:
    """Each call of a network's life, with each of its kernel commands failing in turn: afterwards the kernel
    has what it would have without the failure, and packets flow so."""
    kinds = {*api_lab.mutations()} - _OF_NO_KERNEL
    steps = fabric_story.tell(api_server)
    assert kinds <= {name.split("#")[0] for name, _ in steps}, "a call of some kind is not in the story"
    harness = Harness([state for _, state in steps], tmp_path, *_WAYS)
    try:
        ready = harness.answer()
        assert ready["calls"] == len(steps)
        assert ready["flows"] > 8, "too few packets flow for their flow to show anything"
        found = {name: harness.broken(number) for number, (name, _) in enumerate(steps)}
    finally:
        harness.end()
    problems = {name: each["problems"] for name, each in found.items() if each["problems"]}
    assert not problems
    assert sum(each["points"] for each in found.values()) > 300


def test_whatever_was_asked_for_and_failed_the_kernel_has_what_the_api_says(
    api_server: Server, tmp_path: Path
) -> None:
    """A hundred calls drawn by chance, failures among them: at the end the kernel is as if it had been made
    from nothing."""
    api_server.forget()
    fuzz = Fuzz(api_server, seed=4)
    fuzz.run(150)
    assert not fuzz.failures
    harness = Harness(fuzz.states, tmp_path, "follow")
    try:
        found = harness.answer()
    finally:
        harness.end()
    assert found["problems"] == []
    assert found["failures"] > 4
