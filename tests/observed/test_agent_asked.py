"""What the agent is asked, it checks: it is root on somebody's node, and is told what others said."""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kthw.errors import CouldNotLook
from kthw.observed import answers
from kthw.observed.agent import pod, system
from kthw.observed.agent.asked import checked, read_request
from kthw.observed.agent.calls import Call, Probe
from kthw.observed.agent.datagrams import Datagrams
from kthw.observed.agent.mesh import Mesh
from kthw.observed.agent.system import AgentError, writable
from kthw.observed.agent.turns import Turns
from kthw.observed.agent.watch import MAGIC, Watch
from tests.observed.local_channel import LocalChannel

PEER = {"worker": "worker-1", "address": "10.200.1.2", "port": 8080}
PROBE = {"peers": [PEER], "node": "10.0.1.20", "internet": ["1.1.1.1", 443], "seconds": 3.0}
PLACES = {"configs": "/etc/cni/net.d", "plugins": "/opt/cni/bin"}
POD = {"worker": "worker-0", "run": "0af3", "port": 8080, **PLACES}
PAIR = [0, "icmp", "10.200.0.2", "10.0.1.20", "10.200.1.2"]
WATCH = {"mark": "0123456789abcdef", "port": 8080, "pairs": [PAIR]}
SEND = {"pairs": [[0, "tcp", "10.200.1.2"]], "times": 3, "pause": 0.1}
SINGLE = [0, "udp", "worker-1", "10.200.1.2", 19, 32768, ""]
PING = [0, "icmp", "worker-1", "10.200.1.2", 0, 0, "10.200.0.9"]
GOOD: dict[str, tuple[str, dict[str, Any]]] = {
    "facts": ("facts", PLACES),
    "facts of a runtime": ("facts", {**PLACES, "runtime": "/etc/containerd/config.toml"}),
    "pod": ("pod", POD),
    "pod of an accent": ("pod", {**POD, "worker": "nó de João 👩\u200d🔧"}),
    "ways": ("ways", {"towards": {"worker-1": ["10.200.1.2", "10.200.1.0/24"], "w": ["10.9.9.9", ""]}}),
    "no ways": ("ways", {"towards": {}}),
    "probe": ("probe", PROBE),
    "probe of pods alone": ("probe", {"peers": [PEER], "seconds": 1}),
    "watch": ("watch", WATCH),
    "send": ("send", SEND),
    "seen": ("seen", {"seconds": 0.5}),
    "listen": ("listen", {"ports": [["tcp", 1, ""], ["udp", 65535, "10.200.1.9"]]}),
    "single": ("single", {"packets": [SINGLE, PING], "seconds": 2.5}),
    "further": ("further", {"addresses": ["10.200.1.9"]}),
    "end": ("end", {}),
}  # fmt: skip
INJECTED = "10.200.0.9\nnetns add kthwx\nnetns exec kthwx touch /root/pwned"


def towards(address: Any, around: Any = "", worker: Any = "worker-1") -> tuple[str, dict[str, Any]]:
    return "ways", {"towards": {worker: [address, around]}}


def peer(**changes: Any) -> tuple[str, dict[str, Any]]:
    return "probe", {**PROBE, "peers": [{**PEER, **changes}]}


BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "more lines than an address": towards(INJECTED),
    "a line end behind an address": towards("10.200.0.9\n"),
    "an option for an address": towards("-batch"),
    "a name for an address": towards("localhost"),
    "other digits": towards("١٠.200.0.9"),
    "a leading nought": towards("010.200.0.9"),
    "a number for an address": towards(184549385),
    "null for an address": towards(None),
    "IPv6": towards("fd00::1"),
    "a space in an address": towards("10.200.0.9 dev lo"),
    "more lines than a range": towards("10.200.0.9", "10.200.0.0/24\nnetns add x"),
    "a range with host bits": towards("10.200.0.9", "10.200.0.9/24"),
    "a range that is an address": towards("10.200.0.9", "10.200.0.9"),
    "a line end in a name": towards("10.200.0.9", "", "worker-1\nx"),
    "an escape in a name": towards("10.200.0.9", "", "\x1b[2J"),
    "half a surrogate pair in a name": towards("10.200.0.9", "", "\ud800"),
    "no name": towards("10.200.0.9", "", ""),
    "too long a name": towards("10.200.0.9", "", "x" * 301),
    "20,000 workers": ("ways", {"towards": {f"w{n}": ["10.9.9.9", ""] for n in range(20_000)}}),
    "ways that are a list": ("ways", {"towards": [["10.9.9.9", ""]]}),
    "a way too long": ("ways", {"towards": {"x": ["10.9.9.9", "", ""]}}),
    "a peer's address": peer(address=INJECTED),
    "a peer's port": peer(port=0),
    "a peer's port by name": peer(port="8080"),
    "a peer's port that is true": peer(port=True),
    "a peer's port with a fraction": peer(port=80.5),
    "a peer with more": peer(more=1),
    "a peer that is a text": ("probe", {**PROBE, "peers": ["10.9.9.9"]}),
    "a node": ("probe", {**PROBE, "node": "$(id)"}),
    "an internet of three": ("probe", {**PROBE, "internet": ["1.1.1.1", 443, 1]}),
    "seconds below nothing": ("probe", {**PROBE, "seconds": -1}),
    "seconds without an end": ("probe", {**PROBE, "seconds": float("inf")}),
    "seconds that are none": ("probe", {**PROBE, "seconds": float("nan")}),
    "seconds by word": ("probe", {**PROBE, "seconds": "3"}),
    "a path that is relative": ("facts", {**PLACES, "configs": "etc"}),
    "a path with a NUL": ("facts", {**PLACES, "plugins": "/opt\0/x"}),
    "a runtime that is no path": ("facts", {**PLACES, "runtime": "-x"}),
    "a path that is null": ("facts", {**PLACES, "plugins": None}),
    "a run with a space": ("pod", {**POD, "run": "a b"}),
    "a port of a million": ("pod", {**POD, "port": 1_000_000}),
    "a mark that is no hex": ("watch", {**WATCH, "mark": "zz" * 8}),
    "a long mark": ("watch", {**WATCH, "mark": "00" * 800}),
    "a pair's number": ("watch", {**WATCH, "pairs": [[-1, *PAIR[1:]]]}),
    "a pair's huge number": ("watch", {**WATCH, "pairs": [[10**30, *PAIR[1:]]]}),
    "a pair's protocol": ("watch", {**WATCH, "pairs": [[0, "sctp", *PAIR[2:]]]}),
    "3,000 pairs": ("watch", {**WATCH, "pairs": [PAIR] * 3000}),
    "a pair to nowhere": ("send", {**SEND, "pairs": [[0, "tcp", "x"]]}),
    "a million times": ("send", {**SEND, "times": 1_000_000}),
    "a pause of an hour": ("send", {**SEND, "pause": 3600}),
    "a port to listen at that is none": ("listen", {"ports": [["tcp", 0, ""]]}),
    "a thousand ports to listen at": ("listen", {"ports": [["tcp", 9, ""]] * 1000}),
    "a ping to a port": ("single", {"packets": [[0, "icmp", *SINGLE[2:]]], "seconds": 1}),
    "a ping from a port": ("single", {"packets": [[*PING[:5], 9, ""]], "seconds": 1}),
    "a packet from no port": ("single", {"packets": [[*SINGLE[:5], 0, ""]], "seconds": 1}),
    "a packet to a name": ("single", {"packets": [[*SINGLE[:3], "x", 1, 2, ""]], "seconds": 1}),
    "a packet from a name": ("single", {"packets": [[*SINGLE[:6], "x"]], "seconds": 1}),
    "a pod with a range": ("further", {"addresses": ["10.200.1.0/24"]}),
    "nine pods": ("further", {"addresses": [f"10.200.1.{n}" for n in range(9)]}),
    "a pod with another argument": ("further", {"addresses": ["10.200.1.9;K8S_POD_NAME=x"]}),
    "an answer that is waited for an hour": ("single", {"packets": [SINGLE], "seconds": 3600}),
    "a wait of an hour": ("seen", {"seconds": 3600}),
    "a field that is missing": ("seen", {}),
    "a field more": ("end", {"now": True}),
    "something else": ("shell", {"command": "id"}),
    "nothing": ("", {}),
}  # fmt: skip


@pytest.mark.parametrize(("do", "fields"), GOOD.values(), ids=GOOD)
def test_what_a_run_asks_for_is_taken(do: str, fields: dict[str, Any]) -> None:
    assert checked(do, fields) == fields


@pytest.mark.parametrize(("do", "fields"), BAD.values(), ids=BAD)
def test_what_no_run_asks_for_is_refused(do: str, fields: dict[str, Any]) -> None:
    with pytest.raises(AgentError) as refused:
        checked(do, fields)
    assert refused.value.answer["code"] == "answer-unreadable"
    assert refused.value.answer["facts"] == {"variant": "refused"}


@pytest.mark.parametrize(
    "line",
    [
        b"", b"x", b"[]", b"7", b"null", b"\xff", b"[" * 100_000, b'{"do": "end"}',
        b'{"id": true, "do": "end"}', b'{"id": -1}', b'{"id": "1"}', b'{"id": 1e3}',
    ],
)  # fmt: skip
def test_a_line_that_is_no_request_is_refused(line: bytes) -> None:
    with pytest.raises(AgentError):
        read_request(line)


# --------------------------------------------------------------------------- the program itself


@pytest.fixture
def node(tmp_path: Path) -> Iterator[LocalChannel]:
    """An agent on this machine, without root: it is asked for what needs none."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "id").write_text("#!/bin/sh\necho 0\n")
    (programs / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    channel = LocalChannel(environment={"PATH": f"{programs}:/usr/bin:/bin"})
    yield channel
    channel.hang_up(patience=5)


def test_the_agent_refuses_lines_for_ip_and_goes_on(node: LocalChannel) -> None:
    session = node.session()
    session.start()
    with pytest.raises(CouldNotLook) as refused:
        session.request("ways", deadline=10, towards={"worker-1": [INJECTED, ""]})
    assert refused.value.error.code == "answer-unreadable"
    assert refused.value.error.variant == "refused"
    assert session.request("facts", deadline=10, **PLACES)["hostname"]


def test_a_line_that_is_no_json_does_not_end_the_agent(node: LocalChannel) -> None:
    session = node.session()
    session.start()
    node.send(b"\xff[[[\n")
    with pytest.raises(CouldNotLook) as refused:
        session.request("facts", deadline=10, **PLACES)
    assert refused.value.error.variant == "refused"


FILES: dict[str, bytes] = {
    "half a surrogate pair": rb'{"name": "\ud800", "type": "bridge", "ipam": {"subnet": "\udfff"}}',
    "a Latin-1 letter": b'{"name": "Jo\xe3o", "type": "bridge"}',
    "a NUL": rb'{"name": "a\u0000b", "type": "bri\u0000dge"}',
    "too deep a nest": b"[" * 100_000,
    "two megabytes": b'{"name": "' + b"x" * 2_000_000 + b'", "type": "bridge"}',
    "a number for all": b'{"name": 1, "type": 2, "bridge": 3, "ipam": 4, "plugins": 5}',
    "lists for all": b'{"name": [], "type": [1], "bridge": [], "ipam": {"ranges": [[[]]]}}',
    "long words": b'{"name": "' + b"n" * 9000 + b'", "type": "' + b"t" * 9000 + b'"}',
    "a list of numbers": b'{"plugins": [1, 2]}',
    "10,000 plugins": b'{"plugins": [' + b'{"type": "x"},' * 9999 + b'{"type": "x"}]}',
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_whatever_a_cni_file_says_the_answer_is_one(
    node: LocalChannel, tmp_path: Path, content: bytes
) -> None:
    """It can be read, written as UTF-8, and kept."""
    (tmp_path / "10-bridge.conf").write_bytes(content)
    session = node.session()
    session.start()
    places = {"configs": str(tmp_path), "plugins": "/nonexistent"}
    answer = session.ask("facts", answers.Facts, deadline=15, **places)
    assert [each.file for each in answer.cni] == ["10-bridge.conf"]


def test_names_of_files_that_are_no_utf8_are_told(node: LocalChannel, tmp_path: Path) -> None:
    """A letter of Latin-1 as that letter."""
    Path(str(tmp_path).encode().decode() + "/10-jo\udce3o.conf").write_text('{"type": "bridge"}')
    (tmp_path / "plug").mkdir()
    Path(f"{tmp_path}/plug/p\udcff").touch(mode=0o755)
    session = node.session()
    session.start()
    places = {"configs": str(tmp_path), "plugins": str(tmp_path / "plug")}
    answer = session.ask("facts", answers.Facts, deadline=15, **places)
    assert [each.file for each in answer.cni] == ["10-joão.conf"]
    assert answer.cni_plugins == ("pÿ",)


def test_a_cni_file_that_is_a_pipe_holds_up_nothing(node: LocalChannel, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "10-bridge.conf")
    session = node.session()
    session.start()
    answer = session.request("facts", deadline=10, configs=str(tmp_path), plugins="/nonexistent")
    assert [each["problem"] for each in answer["cni"]] == ["no regular file"]


def test_every_text_is_made_writable() -> None:
    """A hostname in Latin-1 (as Python reads it), half a surrogate pair, keys too."""
    document = {"jo\udce3o": ["jo\udce3o", {"x": "\ud800"}], "n": 7, "t": ("é", None, True, 1.5)}
    made = writable(document)
    assert made == {"joão": ["joão", {"x": "\ufffd"}], "n": 7, "t": ["é", None, True, 1.5]}
    json.dumps(made, ensure_ascii=False).encode()


def test_a_bridge_stays_where_nobody_can_say_what_hangs_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def failing(*command: str, **_: Any) -> Any:
        ran.append(command[2])
        raise PermissionError

    monkeypatch.setattr(system, "tool", failing)
    monkeypatch.setattr(pod, "tool", failing)
    monkeypatch.setattr(pod, "has_interface", lambda _: True)
    pod.drop_bridge("cnio0", "kthw-probe-1-1-bridge")
    assert "delete" not in ran
    assert len(ran) == 1


# --------------------------------------------------------------------------- what other workers send it


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"kthw r1 worker-2\n", "worker-2 answered"),
        ("kthw r1 nó de João\n".encode(), "nó de João answered"),
        (b"kthw r1 \x1b[2J\n", "something that is no probe pod answered"),
        (b"kthw r1 \xff\x00\n", "something that is no probe pod answered"),
        (b"kthw r1 " + b"x" * 600, f"{'x' * 100} answered"),
        (b"HTTP/1.1 400 Bad Request\r\n", "something that is no probe pod answered"),
    ],
)
def test_a_stranger_who_answers_puts_no_words_into_the_agents_mouth(said: bytes, told: str) -> None:
    """A pod's own worker would be held to account for what it says about another's."""
    ours, theirs = socket.socketpair()
    probe = Probe("pod", "worker-1", "10.200.1.2", "tcp", 8080)
    call = Call([probe], b"kthw r1 worker-1\n", "r1")
    mesh = Mesh([call], 3.0, object.__new__(Datagrams), Turns())
    call.socket = ours
    with theirs:
        theirs.sendall(said)
        while not probe.done:
            mesh._on_connection(call)
    assert probe.told(3.0)[5:7] == [False, told]


@pytest.mark.parametrize(("number", "seen"), [(0, (0, "request")), (1, None), (65535, None)])
def test_a_marked_packet_of_no_pair_is_not_seen(number: int, seen: tuple[int, str] | None) -> None:
    """The others know the mark, and could make us tell of pairs that nobody watches."""
    watch = object.__new__(Watch)
    watch.mark, watch.numbers, watch.port = MAGIC + b"12345678", {0}, 8080
    head = bytes([0x45, *[0] * 8, socket.IPPROTO_ICMP, *[0] * 10])
    packet = head + bytes([8, *[0] * 7]) + watch.mark + struct.pack("!H", number) + b"\0\0"
    assert watch._whose(packet) == seen


@pytest.mark.parametrize(
    ("late", "pauses", "ends"),
    [(0.0, None, 3.0), (2.9, None, 4.4), (0.0, (0.2, 0.4), 3.0)],
    ids=["in time", "starved", "in a hurry"],
)
def test_what_is_lost_has_its_tries_on_a_busy_node_too(
    monkeypatch: pytest.MonkeyPatch, late: float, pauses: tuple[float, float] | None, ends: float
) -> None:
    """Where nobody let us try for most of a probe's time, that is no proof that the other pod is dead."""
    probe, clock = Probe("pod", "worker-1", "10.200.1.2", "icmp"), [100.0]
    sent: list[float] = []

    def send(*_: object) -> int:
        sent.append(clock[0])
        return len(sent)

    datagrams = object.__new__(Datagrams)
    monkeypatch.setattr(datagrams, "send", send)
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    mesh = Mesh([Call([probe])], 3.0, datagrams, Turns(), pauses)
    while mesh.left and clock[0] < 120:
        clock[0] += max(mesh.advance(), 0.001) + (late if len(sent) == 1 else 0)
    assert clock[0] - 100 == pytest.approx(ends, abs=0.25)
    assert len(sent) >= 3
    assert not probe.reached
