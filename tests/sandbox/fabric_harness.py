"""The fabric alone, in namespaces of its own, made to fail at every step: what ``test_fabric`` talks to.

``python fabric_harness.py STATES [every-way]``: the pickled states of a region, one for each API call made.
Once without any failure, to see what the kernel should have after each. Then, for each number read from
standard input, that call with each of its kernel commands failing in turn; one line of JSON answers each.
With ``follow``: all of them one after the other, with a failure now and then, and one answer.
"""

from __future__ import annotations

import contextlib
import json
import pickle
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sandbox import fabric, internet, namespaces
from sandbox.looking import named
from sandbox.namespaces import CommandError
from sandbox.node import Grounds
from sandbox.state import Instance, State

PORT = 2222
_T = TypeVar("_T")


class Faults:
    """Stands between the fabric and the kernel: counts what it does there, and can stop it.

    ``after``: how many points pass before the first failure. A batch of n commands has n + 1 points, a
    transaction two: failed, and done but told as failed. ``lasting``: all that follows fails as well.
    """

    def __init__(self) -> None:
        self.points = 0
        self.after: int | None = None
        self.lasting = False
        self._run, self._sysctl, self._inside = namespaces.run, namespaces.sysctl, namespaces.inside
        namespaces.run = self.run
        namespaces.sysctl = self.sysctl
        namespaces.inside = self.inside

    @contextlib.contextmanager
    def failing(self, after: int | None, *, lasting: bool = False) -> Iterator[None]:
        self.points, self.after, self.lasting = 0, after, lasting
        try:
            yield
        finally:
            self.after = None

    def allowed(self, wanted: int) -> int:
        """How many of ``wanted`` points may pass now; fewer than that: then it fails."""
        start = self.points
        self.points += wanted
        if self.after is None:
            return wanted
        left = self.after - start
        if left < 0 and not self.lasting:
            return wanted
        return max(0, min(wanted, left))

    def step(self, what: str) -> None:
        if not self.allowed(1):
            raise CommandError(f"made to fail: {what}")

    def run(self, command: list[str], stdin: str = "") -> str:
        if "-batch" in command:
            lines = stdin.splitlines()
            allowed = self.allowed(len(lines) + 1)
            if allowed > len(lines):
                return self._run(command, stdin)
            if allowed:
                self._run(command, "\n".join(lines[:allowed]) + "\n")
            raise CommandError(f"made to fail: {lines[min(allowed, len(lines) - 1)]}")
        self.step(" ".join(command))
        said = self._run(command, stdin)
        if stdin:
            self.step("after " + " ".join(command))
        return said

    def sysctl(self, namespace: str, settings: dict[str, str]) -> None:
        self.step("sysctl")
        self._sysctl(namespace, settings)
        self.step("after sysctl")

    def inside(self, namespace: str, act: Callable[[], _T]) -> _T:
        self.step(f"inside {namespace}")
        return self._inside(namespace, act)


class Machine:
    """In a node's place: no disk to speak of, and one listener instead of an sshd."""

    host_key = "ssh-ed25519 AAAA"

    def __init__(self, grounds: Grounds, instance: Instance, *_: object) -> None:
        FAULTS.step("disk")
        self._id, self._root = instance.id, grounds.disks / instance.id
        self._root.mkdir(parents=True)
        self._listener: socket.socket | None = None
        if not FAULTS.allowed(1):
            raise OSError("made to fail: no space left on device")

    @property
    def powered(self) -> bool:
        return self._listener is not None

    def start(self) -> None:
        listen = partial(socket.create_server, ("0.0.0.0", PORT))  # noqa: S104 -- a namespace's
        self._listener = namespaces.inside(self._id, listen)
        FAULTS.step("after start")

    def stop(self) -> None:
        FAULTS.step("stop")
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def discard(self) -> None:
        self.stop()
        FAULTS.step("discard")
        self._root.rmdir()


class Kernel:
    """A fabric, and what the kernel has of it under the API's names instead of its own numbers."""

    def __init__(self) -> None:
        self.fabric = fabric.Fabric(
            Grounds(Path("/run/disks"), Path("/run/sudo"), as_root=True, directory=Path("/run"))
        )

    def has(self) -> dict[str, Any]:
        names: dict[str, str] = {}
        for vpc, router in self.fabric._vpcs.items():
            near, far = internet.link_addresses(router.index)
            names |= {router.far_link: f"far {vpc}", near: f"near {vpc}", far: f"far {vpc}"}
            names |= {address.split("/")[0]: name for address, name in list(names.items()) if "/" in address}
            names |= {str(number): table for table, number in router._tables.items()}
        with ThreadPoolExecutor(8) as pool:
            spaces = sorted(named())
            return dict(zip(spaces, pool.map(partial(_everything, names=names), spaces), strict=True))


def _everything(space: str, names: dict[str, str]) -> Any:
    questions = ("link show", "addr show", "neigh show nud permanent", "rule show", "route show table all")
    # It is asked thousands of times: few processes, and not one for each question.
    said = subprocess.run(
        ["nsenter", f"--net={namespaces.NAMED / space}", "sh", "-ec",
         "ip -4 -N -j -batch -; nft -j list ruleset"],
        input="\n".join(questions), capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    *rows, rules = [json.loads(line) for line in said.splitlines() if line]
    tables = [sorted((_plain(row, names) for row in answer if row), key=repr) for answer in rows]
    # Rules of one chain keep their order, which is what they mean.
    chains: dict[str, list[Any]] = {}
    others = []
    for item in rules["nftables"]:
        if "rule" in item:
            chains.setdefault(item["rule"]["chain"], []).append(_plain(item["rule"]["expr"], names))
        elif "metainfo" not in item:
            others.append(_plain(item, names))
    return {
        **dict(zip(questions, tables, strict=True)),
        "chains": dict(sorted(chains.items())),
        "sets": sorted(others, key=repr),
    }


_NUMBERS = (
    "ifindex", "link", "link_index", "link_netnsid", "link_netns", "handle", "txqlen", "group", "operstate",
    "valid_life_time", "preferred_life_time", "broadcast", "qdisc", "counter",
)  # fmt: skip


def _plain(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        # The two ends of the link to the internet have addresses that the kernel draws.
        drawn = ("address",) if str(value.get("ifname")) in ("igw", *names) else ()
        return {key: _plain(item, names) for key, item in value.items() if key not in (*_NUMBERS, *drawn)}
    if isinstance(value, list):
        if "BROADCAST" in value:
            return "UP" in value  # the other flags come a moment later
        items = [_plain(item, names) for item in value]
        return sorted(items, key=repr)
    text = str(int(value, 16)) if isinstance(value, str) and value.startswith("0x") else str(value)
    return names.get(text, text)


def flows(state: State, wanted: set[str] | None = None) -> set[str]:
    """Which running machine's addresses answer which other's TCP, the internet, and from it.

    With ``wanted`` known, what should answer is waited for and the rest is not.
    """
    running = [eni for eni in state.enis.values() if state.instances[eni.instance].running]
    pairs = {(a.instance, b) for a in running for eni in running for b in eni.addresses}
    pairs |= {(eni.instance, "1.1.1.1") for eni in running}
    pairs |= {(internet.NAMESPACE, public) for eni in running for _, public in eni.public}

    def try_one(pair: tuple[str, str]) -> str:
        source, address = pair
        port = 443 if address == "1.1.1.1" else PORT
        patience = 1.0 if wanted is None else 10.0 if " ".join(pair) in wanted else 0.2
        with contextlib.suppress(OSError):
            namespaces.inside(source, partial(socket.create_connection, (address, port), patience)).close()
            return " ".join(pair)
        return ""

    with ThreadPoolExecutor(32) as pool:
        return set(pool.map(try_one, sorted(pairs))) - {""}


def difference(wanted: Any, found: Any, where: str = "") -> list[str]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        keys = sorted(wanted.keys() | found.keys())
        return [d for key in keys for d in difference(wanted.get(key), found.get(key), f"{where} / {key}")]
    if wanted == found:
        return []
    if isinstance(wanted, list) and isinstance(found, list):
        missing, extra = [w for w in wanted if w not in found], [f for f in found if f not in wanted]
        return [f"{where}: missing {missing[:4]}, extra {extra[:4]}"]
    return [f"{where}: wanted {str(wanted)[:200]}, found {str(found)[:200]}"]


def main(states: list[State], *, every_way: bool) -> None:
    kernel = Kernel()
    should: list[Any] = []
    flow: dict[int, set[str]] = {}
    for number, state in enumerate(states):
        kernel.fabric.reconcile(state)
        should.append(kernel.has())
        if number % 5 == 0:
            flow[number] = flows(state)
    for state in reversed(states):
        kernel.fabric.reconcile(state)
    _say({"calls": len(states), "flows": max(map(len, flow.values()))})
    for line in sys.stdin:
        _say(Breaker(kernel, states, should, flow, int(line)).break_it(every_way=every_way))


def follow(states: list[State], seed: int) -> None:
    """Every state in turn, every other one with a failure by chance; then what the kernel has of the last one
    is compared with what it has when that one is made from nothing."""
    kernel, chance = Kernel(), random.Random(seed)  # noqa: S311 -- repeatable, not secret
    failures = 0
    for state in states:
        broken = chance.random() < 1 / 2
        try:
            with FAULTS.failing(chance.randrange(6) if broken else None, lasting=broken):
                kernel.fabric.reconcile(state)
        except (CommandError, OSError):
            if not broken:
                raise
            failures += 1
    kernel.fabric.reconcile(states[-1])
    found = kernel.has()
    kernel.fabric.reconcile(State())
    kernel.fabric.reconcile(states[-1])
    _say({"failures": failures, "problems": difference(kernel.has(), found)})


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


class Breaker:
    """Call ``number`` with failures. ``once``: one command fails, and the call itself mends that.
    ``again``: all fail from there on; the same state again heals. ``next``: the next call does."""

    WAYS = ("once", "again", "next")

    def __init__(
        self, kernel: Kernel, states: list[State], should: list[Any], flow: dict[int, set[str]], number: int
    ) -> None:
        self._kernel, self._should, self._flow, self._number = kernel, should, flow, number
        self._before = states[number - 1] if number else State()
        self._after = states[number]
        self._next = states[number + 1] if number + 1 < len(states) else None

    def break_it(self, *, every_way: bool) -> dict[str, Any]:
        """How many points the call has, and what was wrong after failures at each of them."""
        reconcile = self._kernel.fabric.reconcile
        reconcile(self._before)
        with FAULTS.failing(None):
            reconcile(self._after)
        points, problems = FAULTS.points, []
        for point in range(points):
            for turn, way in enumerate(self.WAYS):
                if every_way or (point + self._number) % len(self.WAYS) == turn:
                    problems += [f"{way} at {point}: {each}" for each in self._fail_at(point, way)]
        return {"points": points, "problems": problems}

    def _fail_at(self, point: int, way: str) -> list[str]:
        reconcile, number = self._kernel.fabric.reconcile, self._number
        reconcile(self._before)
        failed = False
        with FAULTS.failing(point, lasting=way != "once"):
            try:
                reconcile(self._after)
            except (CommandError, OSError):
                failed = True
        if way == "next" and self._next is not None:
            number += 1
            reconcile(self._next)
        elif way != "once":
            reconcile(self._after)
        problems = difference(self._should[number], self._kernel.has())
        if failed == (way == "once"):
            problems.append("failed" if failed else "did not fail")
        if point == 0 and number in self._flow:
            wanted = self._flow[number]
            found = flows(self._after if number == self._number else self._next or State(), wanted)
            problems += [f"packets: {pair}" for pair in sorted(wanted ^ found)]
        return problems


FAULTS = Faults()

if __name__ == "__main__":
    setattr(fabric, "Node", Machine)  # noqa: B010 -- mypy forbids the other way
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    namespaces.NAMED.mkdir()
    told = pickle.loads(Path(sys.argv[1]).read_bytes())  # noqa: S301 -- our own
    if "follow" in sys.argv:
        follow(told, seed=1)
    else:
        main(told, every_way="every-way" in sys.argv)
