"""Logging in to a worker: a real sshd, and everything that can go wrong on the way to it."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from kthw.errors import CouldNotLook, LookError
from kthw.observed.ssh.login import Deadlines, open_session
from kthw.observed.ssh.session import Session
from kthw.target import SshAccess
from tests.observed.private_sshd import (
    Middleman,
    Sshd,
    descendants,
    forward,
    make_key,
    proxy_line,
    start,
    stop,
)

pytestmark = pytest.mark.skipif(not Path("/usr/sbin/sshd").exists(), reason="openssh-server is not installed")

SHORT = Deadlines(connect=1.0, login=2.0, total=2.0)
HERE = "127.0.0.1"
PLACES = {"configs": "/nonexistent", "plugins": "/nonexistent"}


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    server = start(tmp_path_factory.mktemp("sshd"))
    yield server
    stop(server.process)


@pytest.fixture
def own_sshd(tmp_path: Path) -> Iterator[Callable[..., Sshd]]:
    """Starts servers for one test alone, and ends them however it ends."""
    servers: list[Sshd] = []

    def begin(*options: str) -> Sshd:
        servers.append(start(tmp_path / f"sshd{len(servers)}", *options))
        return servers[-1]

    yield begin
    for server in servers:
        for line in descendants(server.process.pid):
            with contextlib.suppress(ProcessLookupError):  # it may end between our look and our kill
                os.kill(int(line.split()[0]), signal.SIGKILL)
        stop(server.process)


@pytest.fixture
def middleman() -> Iterator[Callable[[Callable[[int, socket.socket], None]], Middleman]]:
    opened: list[Middleman] = []

    def make(treat: Callable[[int, socket.socket], None]) -> Middleman:
        opened.append(Middleman(treat))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def open_(access: SshAccess, deadlines: Deadlines = SHORT, address: str = HERE) -> Session:
    return open_session(access, "worker-1", address, deadlines=deadlines)


def hostname_over(access: SshAccess, deadlines: Deadlines = SHORT) -> str:
    session = open_(access, deadlines)
    try:
        return str(session.request("facts", deadline=5, **PLACES)["hostname"])
    finally:
        session.close()


def error_of(access: SshAccess, deadlines: Deadlines = SHORT, address: str = HERE) -> LookError:
    with pytest.raises(CouldNotLook) as raised:
        open_(access, deadlines, address).close()
    return raised.value.error


def test_the_key_that_was_given_lets_us_in(sshd: Sshd) -> None:
    """A login with the given key reaches an agent that answers."""
    assert hostname_over(sshd.access()) == socket.gethostname()


def test_every_error_names_the_worker_and_the_way_in(sshd: Sshd) -> None:
    error = error_of(sshd.strangers())
    assert error.worker == "worker-1"
    assert error.subject == "worker-1 (127.0.0.1)"
    assert error.facts["port"] == str(sshd.port)
    assert error.facts["login"].startswith("ssh -F ")


@pytest.mark.parametrize("entry", ["Host *", "Host worker-1", "Host worker-1\nHostName 127.0.0.1"])
def test_the_command_to_try_by_hand_works(sshd: Sshd, entry: str) -> None:
    """Whichever entry was used: the fact ``login`` is what a person can paste."""
    error = error_of(
        sshd.access(entry, "IdentitiesOnly yes", key=make_key(sshd.directory / f"k{hash(entry)}"))
    )
    assert error.code == "ssh-auth-failed"
    command = shlex.split(error.facts["login"])
    command[command.index("-i") + 1] = str(sshd.key)
    done = subprocess.run([*command, "echo hello"], capture_output=True, text=True, check=False, timeout=10)
    assert done.stdout == "hello\n", done.stderr


# --------------------------------------------------------------------------- host keys


def test_an_unknown_host_key_is_refused_with_its_fingerprint(sshd: Sshd) -> None:
    error = error_of(sshd.strangers())
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(sshd.directory / "host.pub")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert error.code == "ssh-host-key-unknown"
    assert error.facts["fingerprint"] == shown.stdout.split()[1]
    assert not (sshd.directory / "nobody_known").exists()


def test_an_unknown_host_key_is_recorded_when_the_user_says_so(sshd: Sshd, tmp_path: Path) -> None:
    """The file is made for the user only, and the next login needs no such permission."""
    known = tmp_path / "new" / "known_hosts"
    hostname_over(sshd.strangers(accept_new=True, known_hosts=known))
    assert stat.S_IMODE(known.stat().st_mode) == 0o600
    assert known.read_text() == f"[127.0.0.1]:{sshd.port} {' '.join(sshd.host_key)}\n"
    hostname_over(sshd.strangers(known_hosts=known))


def test_ssh_config_may_accept_new_keys(sshd: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    hostname_over(sshd.strangers("StrictHostKeyChecking accept-new", known_hosts=known))
    assert known.exists()


@pytest.mark.parametrize("config", ["", "StrictHostKeyChecking no"])
def test_a_changed_host_key_is_always_refused(sshd: Sshd, tmp_path: Path, config: str) -> None:
    other = make_key(tmp_path / "other")
    known = tmp_path / "known_hosts"
    known.write_text(
        f"[127.0.0.1]:{sshd.port} {' '.join((tmp_path / 'other.pub').read_text().split()[:2])}\n"
    )
    error = error_of(sshd.strangers(config, accept_new=True, known_hosts=known))
    assert other.exists()
    assert error.code == "ssh-host-key-changed"
    assert error.facts["line"] == f"{known}:1"
    assert error.facts["forget"] == f"ssh-keygen -f {known} -R '[127.0.0.1]:{sshd.port}'"


def test_the_key_type_that_is_known_is_asked_for(own_sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    """Where only a host's RSA key is known, its ed25519 key does not make it a stranger."""
    rsa = make_key(tmp_path / "rsa", "rsa", "-b", "2048")
    server = own_sshd(f"HostKey={rsa}")
    known = tmp_path / "known_hosts"
    key = " ".join((tmp_path / "rsa.pub").read_text().split()[:2])
    known.write_text(f"[127.0.0.1]:{server.port} {key}\n")
    assert hostname_over(server.strangers(known_hosts=known))


# --------------------------------------------------------------------------- keys


def test_a_key_the_server_does_not_take_is_named(sshd: Sshd, tmp_path: Path) -> None:
    wrong = make_key(tmp_path / "wrong")
    error = error_of(sshd.access("IdentitiesOnly yes", key=wrong))
    assert error.code == "ssh-auth-failed"
    assert error.facts["user"] in error.detail
    assert str(wrong) in error.detail


def test_a_key_of_nobody_s_is_missing(sshd: Sshd) -> None:
    error = error_of(replace(sshd.access(), key="~nosuchuser/key"))
    assert (error.code, error.facts["variant"]) == ("ssh-key-unusable", "missing")


def test_an_include_of_nobody_s_is_one_sentence(sshd: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Include ~nosuchuser/config\n")
    error = error_of(replace(sshd.access(), config=str(config)))
    assert (error.code, error.facts["variant"]) == ("ssh-unreachable", "config")


def test_a_missing_key_file_is_unusable(sshd: Sshd, tmp_path: Path) -> None:
    error = error_of(sshd.access(key=tmp_path / "nowhere"))
    assert (error.code, error.facts["variant"]) == ("ssh-key-unusable", "missing")
    assert error.facts["key"] == str(tmp_path / "nowhere")


def test_a_key_others_may_read_is_unusable(sshd: Sshd, tmp_path: Path) -> None:
    key = shutil.copy(sshd.key, tmp_path / "open")
    Path(key).chmod(0o644)
    error = error_of(sshd.access(key=Path(key)))
    assert (error.code, error.facts["variant"]) == ("ssh-key-unusable", "permissions")
    assert "0644" in error.detail


def test_a_key_under_a_passphrase_is_unusable(sshd: Sshd, tmp_path: Path) -> None:
    for number, form in enumerate((["ed25519"], ["rsa", "-b", "2048", "-m", "PEM"])):
        locked = make_key(tmp_path / f"locked{number}", *form, passphrase="secret words")  # noqa: S106 -- made here
        error = error_of(sshd.access(key=locked))
        assert (error.code, error.facts["variant"]) == ("ssh-key-unusable", "passphrase")
        assert "secret" not in str(error)


def test_a_file_that_is_no_key_is_unusable(sshd: Sshd, tmp_path: Path) -> None:
    public = tmp_path / "id.pub"
    public.write_text((sshd.directory / "id.pub").read_text())
    public.chmod(0o600)
    error = error_of(sshd.access(key=public))
    assert (error.code, error.facts["variant"]) == ("ssh-key-unusable", "format")


def test_a_key_that_cannot_be_used_does_not_hide_one_that_can(sshd: Sshd, tmp_path: Path) -> None:
    locked = make_key(tmp_path / "locked", passphrase="secret")  # noqa: S106 -- made here
    access = sshd.access(f"IdentityFile {locked}", f"IdentityFile {sshd.key}")
    assert hostname_over(SshAccess(config=access.config))


def test_the_rsa_key_of_an_ec2_key_pair_lets_us_in(sshd: Sshd, tmp_path: Path) -> None:
    """EC2 hands out RSA keys as PEM."""
    key = make_key(tmp_path / "kubernetes.id_rsa", "rsa", "-b", "2048", "-m", "PEM")
    with (sshd.directory / "authorized_keys").open("a") as authorized:
        authorized.write(Path(f"{key}.pub").read_text())
    assert hostname_over(sshd.access(key=key))


def test_a_key_of_the_agent_lets_us_in(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the file itself is locked, as OpenSSH does."""
    key = Path(shutil.copy(sshd.key, tmp_path / "id"))
    shutil.copy(f"{sshd.key}.pub", f"{key}.pub")
    sock = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(sock)], stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 5
        while not sock.exists() and time.monotonic() < until:
            time.sleep(0.01)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(sock))
        subprocess.run(["ssh-add", "-q", str(key)], check=True, capture_output=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-p", "-N", "locked", "-f", str(key)], check=True, capture_output=True
        )
        access = sshd.access(f"IdentityAgent {sock}", "IdentitiesOnly yes", key=key)
        assert hostname_over(access)
    finally:
        stop(agent)


# --------------------------------------------------------------------------- the way there


def test_a_refused_connection_is_told_at_once(sshd: Sshd) -> None:
    with socket.create_server((HERE, 0)) as free:
        port = free.getsockname()[1]
    began = time.monotonic()
    error = error_of(sshd.access(f"Port {port}"), Deadlines())
    assert (error.code, error.facts["variant"]) == ("ssh-unreachable", "refused")
    assert time.monotonic() - began < 2


def test_a_server_that_never_speaks_costs_the_connect_deadline_once(
    sshd: Sshd, middleman: Callable[..., Middleman]
) -> None:
    done = threading.Event()
    port = middleman(lambda _, client: client if done.wait(10) else None).port
    began = time.monotonic()
    error = error_of(sshd.access(f"Port {port}"))
    done.set()
    assert (error.code, error.facts["variant"]) == ("ssh-unreachable", "silent")
    assert 0.9 < time.monotonic() - began < 2


def test_a_server_frozen_in_the_handshake_ends_at_the_deadline(
    sshd: Sshd, middleman: Callable[..., Middleman]
) -> None:
    done = threading.Event()

    def greet(_: int, client: socket.socket) -> None:
        client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        done.wait(10)

    began = time.monotonic()
    error = error_of(sshd.access(f"Port {middleman(greet).port}"))
    done.set()
    assert (error.code, error.facts["variant"]) in [
        ("ssh-unreachable", "silent"),
        ("ssh-unreachable", "dropped"),
    ]
    assert time.monotonic() - began < 5


def test_connections_dropped_before_the_login_are_tried_again(
    sshd: Sshd, middleman: Callable[..., Middleman]
) -> None:
    """What sshd does above MaxStartups, in its three forms: a word and the end, the end, a reset."""

    def treat(number: int, client: socket.socket) -> None:
        if number == 0:
            client.sendall(b"Exceeded MaxStartups\r\n")
        if number == 2:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if number < 3:
            client.close()
        else:
            forward(client, sshd.port)

    between = middleman(treat)
    (sshd.directory / "through").write_text(f"[{HERE}]:{between.port} {' '.join(sshd.host_key)}\n")
    access = sshd.strangers(f"Port {between.port}", known_hosts=sshd.directory / "through")
    assert hostname_over(access, Deadlines(connect=2, login=5, total=20))
    assert between.connections == 4


def test_a_server_that_always_drops_ends_at_the_total_deadline(
    sshd: Sshd, middleman: Callable[..., Middleman]
) -> None:
    between = middleman(lambda _, client: client.close())
    began = time.monotonic()
    error = error_of(sshd.access(f"Port {between.port}"))
    assert (error.code, error.facts["variant"]) == ("ssh-unreachable", "dropped")
    assert 1 < between.connections < 10
    assert time.monotonic() - began < SHORT.total + 2


def test_a_real_sshd_above_its_max_startups_lets_us_in_when_it_calms_down(
    own_sshd: Callable[..., Sshd],
) -> None:
    server = own_sshd("MaxStartups=1")
    holder = socket.create_connection((HERE, server.port))
    while holder.recv(4) != b"SSH-":  # the look that found it listening counts for a moment
        holder.close()
        holder = socket.create_connection((HERE, server.port))
    release = threading.Timer(1.0, holder.close)
    release.start()
    assert hostname_over(server.access(), Deadlines(connect=2, login=5, total=20))
    release.join()
    assert "MaxStartups" in (server.directory / "sshd.log").read_text()


def test_a_proxy_command_is_used_and_leaves_no_process(sshd: Sshd) -> None:
    before = descendants()
    session = open_(sshd.access(proxy_line(sshd.port)), Deadlines())  # a Python starts, and may take its time
    assert any("ProxyCommand" not in line and str(sshd.port) in line for line in descendants() - before)
    session.close()
    assert not left_behind(before, besides="sshd")


def left_behind(before: set[str], besides: str = "", seconds: float = 10.0) -> set[str]:
    """The processes that are still there when the time is up, ``besides`` those with that in their line."""
    until = time.monotonic() + seconds
    while left := {line for line in descendants() - before if not besides or besides not in line}:
        if time.monotonic() > until:
            return left
        time.sleep(0.02)
    return set()


def test_a_proxy_command_that_fails_is_quoted(sshd: Sshd) -> None:
    before = descendants()
    began = time.monotonic()
    error = error_of(sshd.access("ProxyCommand sh -c 'echo no such bastion >&2; exit 3'"), Deadlines())
    assert (error.code, error.facts["variant"]) == ("ssh-unreachable", "proxy")
    assert error.detail == "no such bastion"
    assert time.monotonic() - began < 2
    assert not left_behind(before)


def test_a_proxy_command_that_hangs_is_ended_with_all_it_started(sshd: Sshd) -> None:
    before = descendants()
    command = "sh -c 'trap \"\" TERM; sleep 61 & sleep 62'"
    error = error_of(sshd.access(f"ProxyCommand {command}"))
    assert (error.code, error.facts["variant"]) == ("ssh-unreachable", "silent")
    assert not left_behind(before)


@pytest.mark.parametrize("jumps", [1, 2])
def test_proxy_jump_goes_through_each_host(own_sshd: Callable[..., Sshd], tmp_path: Path, jumps: int) -> None:
    """Each hop has its own entry, key and host key."""
    *hops, last = [own_sshd() for _ in range(jumps + 1)]
    known = tmp_path / "known_hosts"
    known.write_text("".join(f"[{HERE}]:{each.port} {' '.join(each.host_key)}\n" for each in [*hops, last]))
    lines = []
    for number, hop in enumerate(hops):
        lines += [f"Host hop{number}", f"HostName {HERE}", f"Port {hop.port}", f"IdentityFile {hop.key}"]
    way = ",".join(f"hop{number}" for number in range(jumps))
    lines += ["Host worker-1", f"ProxyJump {way}"]
    access = last.strangers(*lines, known_hosts=known)
    assert hostname_over(access, Deadlines(connect=2, login=5, total=5))
    for hop in hops:
        assert "Accepted publickey" in (hop.directory / "sshd.log").read_text()


def test_a_jump_host_that_cannot_reach_the_worker_is_said(sshd: Sshd) -> None:
    with socket.create_server((HERE, 0)) as free:
        port = free.getsockname()[1]
    access = sshd.access("Host worker-1", f"Port {port}", f"ProxyJump {HERE}:{sshd.port}")
    error = error_of(access)
    assert (error.code, error.facts["variant"]) == ("ssh-unreachable", "proxy")
    assert "jump host" in error.detail


def test_an_ssh_config_that_is_missing_is_said(sshd: Sshd) -> None:
    error = error_of(SshAccess(config="/nonexistent/ssh_config"))
    assert (error.code, error.facts["variant"]) == ("ssh-unreachable", "config")


# --------------------------------------------------------------------------- afterwards


def test_a_worker_that_freezes_ends_the_request_at_its_deadline(own_sshd: Callable[..., Sshd]) -> None:
    """The connection stays open and silent: only our own deadline notices."""
    server = own_sshd()
    session = open_(server.access())
    for line in descendants(server.process.pid):
        os.kill(int(line.split()[0]), signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(CouldNotLook) as raised:
        session.request("facts", deadline=1, **PLACES)
    assert raised.value.error.code == "probe-timeout"
    assert time.monotonic() - began < 2
    session.close()


def test_a_connection_that_breaks_is_no_timeout(own_sshd: Callable[..., Sshd]) -> None:
    server = own_sshd()
    session = open_(server.access())
    for line in descendants(server.process.pid):
        os.kill(int(line.split()[0]), signal.SIGKILL)
    with pytest.raises(CouldNotLook) as raised:
        session.request("facts", deadline=10, **PLACES)
    assert (raised.value.error.code, raised.value.error.facts["variant"]) == ("ssh-unreachable", "lost")
    session.close()


def test_a_closed_session_leaves_no_thread(sshd: Sshd) -> None:
    before = set(threading.enumerate())
    hostname_over(sshd.access())
    assert set(threading.enumerate()) <= before


def test_stop_ends_the_waiting_at_once(sshd: Sshd, middleman: Callable[..., Middleman]) -> None:
    done = threading.Event()
    port = middleman(lambda _, client: client if done.wait(10) else None).port
    halt = threading.Event()
    threading.Timer(0.3, halt.set).start()
    began = time.monotonic()
    with pytest.raises(CouldNotLook) as raised:
        open_session(sshd.access(f"Port {port}"), "worker-1", HERE, stop=halt)
    done.set()
    assert raised.value.error.facts["variant"] == "interrupted"
    assert time.monotonic() - began < 1.5
