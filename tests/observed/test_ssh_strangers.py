"""What an endpoint on this machine calls an address is nobody's, or a stranger's: it is not dialled."""

from __future__ import annotations

import errno
import socket
import threading
import time
from pathlib import Path

import pytest

from kthw.errors import CouldNotLook, LookError
from kthw.intended.cluster import Intended
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, Instance, Inventory, TargetSeen
from kthw.observed.pods import look_into_nodes
from kthw.observed.ssh import dial
from kthw.observed.ssh.login import Deadlines, open_session
from kthw.target import SshAccess, Target, is_local
from kthw.words.messages import LANGUAGES, catalogue

pytestmark = pytest.mark.usefixtures("home")

LOCAL = "http://127.0.0.1:5000"
SHORT = Deadlines(connect=1.0, login=1.0, total=1.0)
NOT_OURS = (
    *("54.214.7.7", "8.8.8.8", "192.0.2.7", "198.51.100.7", "203.0.113.7", "10.0.1.20", "172.17.0.2"),
    *("192.168.1.7", "169.254.169.254", "255.255.255.255", "224.0.0.1"),
)  # fmt: skip


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address that a connection is tried to; nobody is there, and nothing leaves this machine."""
    tried: list[str] = []

    def refuse(_connection: socket.socket, address: tuple[str, int]) -> int:
        tried.append(address[0])
        return errno.ECONNREFUSED

    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    return tried


def error_of(address: str, *lines: str, home: Path | None = None, endpoint: str = LOCAL) -> LookError:
    config = ""
    if home:
        file = home / "config"
        file.write_text("\n".join(lines) + "\n")
        config = str(file)
    with pytest.raises(CouldNotLook) as raised:
        open_session(
            SshAccess(config=config), "worker-1", address, endpoint=endpoint, deadlines=SHORT
        ).close()
    return raised.value.error


@pytest.mark.parametrize("address", NOT_OURS)
def test_no_address_is_dialled_that_ssh_config_knows_no_way_to(dialled: list[str], address: str) -> None:
    """Not the documentation's either: nobody answers there, and the right words come at once."""
    error = error_of(address)
    assert (error.code, error.variant) == ("ssh-unreachable", "not-dialled")
    assert not dialled
    for language in LANGUAGES:
        words = catalogue(language).error(error)
        assert "KTHW_SSH_CONFIG" in words.fix
        assert not any(line.startswith("ssh ") for line in words.fix.splitlines())
        assert f"ubuntu@{address}" not in f"{words} {error}"


@pytest.mark.parametrize("host", ["54.214.7.8", "203.0.113.8", "::ffff:54.214.7.8", "2600:1f00::1"])
def test_an_entry_that_leads_to_a_stranger_is_not_followed(dialled: list[str], home: Path, host: str) -> None:
    """It was written for an account, of which this endpoint knows nothing."""
    error = error_of("192.0.2.7", "Host worker-1", f"HostName {host}", home=home)
    assert (error.variant, dialled) == ("not-dialled", [])


def test_nor_is_a_jump_host_that_is_one(dialled: list[str], home: Path) -> None:
    lines = ("Host worker-1", "ProxyJump bastion", "Host bastion", "HostName 54.214.7.8")
    assert error_of("192.0.2.7", *lines, home=home).variant == "not-dialled"
    assert not dialled


def test_nor_is_a_name_of_one(dialled: list[str], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("54.214.7.8", 22))]
    monkeypatch.setattr(dial, "_addresses", lambda *_: found)
    error = error_of("192.0.2.7", "Host worker-1", "HostName worker-1.example", home=home)
    assert (error.variant, dialled) == ("not-dialled", [])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "172.17.0.2", "10.0.1.20"])
def test_an_entry_that_leads_to_a_neighbour_is_followed(dialled: list[str], home: Path, host: str) -> None:
    """A simulation's machines may be containers."""
    error = error_of("192.0.2.7", "Host worker-1", f"HostName {host}", home=home)
    assert (error.variant, dialled) == ("refused", [host])


def test_an_entry_with_a_proxy_command_is_followed(dialled: list[str], home: Path) -> None:
    """As the sandbox's own has."""
    error = error_of("192.0.2.7", "Host *", "ProxyCommand sh -c 'echo went %h >&2; exit 3'", home=home)
    assert (error.variant, error.detail, dialled) == ("proxy", "went 192.0.2.7", [])


def test_an_account_s_workers_are_dialled(dialled: list[str]) -> None:
    error = error_of("54.214.7.7", endpoint="")
    assert (error.variant, dialled) == ("refused", ["54.214.7.7"])


def test_a_whole_run_on_a_local_endpoint_dials_nobody(
    dialled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where only the environment says which endpoint it is."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", LOCAL)
    instance = Instance(
        id="i-1",
        name="worker-0",
        state="running",
        vpc="vpc-1",
        address="10.0.1.20",
        public_address="54.214.7.7",
    )
    inventory = Inventory(account="1", region="us-east-1", instances=(instance,))
    intended = Intended(workers=("worker-0",))
    seen = look_into_nodes(Target(kind="aws"), inventory, intended)
    assert [(error.worker, error.variant) for error in seen.errors] == [("worker-0", "not-dialled")]
    assert not dialled
    evidence = Evidence(
        gathered_at="now",
        target=TargetSeen(kind="aws", endpoint=LOCAL),
        intended=intended,
        inventory=inventory,
    )
    assert Network(evidence).login("worker-0").startswith("ssh -F KTHW_SSH_CONFIG ")


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:5000", "http://127.1.2.3", "http://localhost:4566", "https://ec2.localhost/",
        "http://[::1]:80", "http://0.0.0.0:80", "http://LOCALHOST.:1", "http://localhost.localstack.cloud:4566",
    ],
)  # fmt: skip
def test_an_endpoint_on_this_machine_is_known_as_one(endpoint: str) -> None:
    assert is_local(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "", "nonsense", "http://[", "https://ec2.us-east-1.amazonaws.com", "http://notlocalhost",
        "http://127.0.0.1.example", "https://vpce-1.ec2.us-east-1.vpce.amazonaws.com",
    ],
)  # fmt: skip
def test_any_other_endpoint_is_none(endpoint: str) -> None:
    assert not is_local(endpoint)


# --------------------------------------------------------------------------- names


@pytest.fixture
def deaf_name_server(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Looking up a name takes until the event is set."""
    done = threading.Event()
    known = socket.getaddrinfo

    def ask(host: str, port: int, **rest: int) -> object:
        if not rest.get("flags"):
            done.wait(120)
        return known("127.0.0.1" if not rest.get("flags") else host, port, **rest)

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    return done


def test_looking_up_a_name_is_within_the_deadline(home: Path, deaf_name_server: threading.Event) -> None:
    began = time.monotonic()
    error = error_of("192.0.2.7", "Host worker-1", "HostName worker-1.example", home=home)
    assert time.monotonic() - began < 30
    deaf_name_server.set()
    assert (error.variant, error.detail) == (
        "unknown-name",
        "worker-1.example: no name server answered in 1 s",
    )


def test_looking_up_a_name_ends_when_told_to_stop(deaf_name_server: threading.Event) -> None:
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    began = time.monotonic()
    with pytest.raises(InterruptedError):
        dial.connect("worker-1.example", 22, 60.0, stop)
    deaf_name_server.set()
    assert time.monotonic() - began < 30


def test_a_name_that_can_be_none_is_an_unknown_one(home: Path) -> None:
    """More than 63 characters without a dot, or none between two."""
    for name in ("a" * 70, "a..b"):
        error = error_of("192.0.2.7", "Host worker-1", f"HostName {name}", home=home, endpoint="")
        assert error.variant == "unknown-name"
