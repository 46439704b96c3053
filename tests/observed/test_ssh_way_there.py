"""The way to a worker: what refuses, is silent, drops or stands in between."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kthw.observed.ssh.login import Deadlines
from kthw.target import SshAccess
from tests.observed.logins import HERE, NO_SSHD, PATIENT, SHORT, error_of, hostname_over, left_behind, open_
from tests.observed.private_sshd import (
    Middleman,
    Sshd,
    descendants,
    forward,
    proxy_line,
)

pytestmark = NO_SSHD


def test_a_refused_connection_is_told_at_once(sshd: Sshd) -> None:
    with socket.create_server((HERE, 0)) as free:
        port = free.getsockname()[1]
    began = time.monotonic()
    error = error_of(sshd.access(f"Port {port}"))
    assert (error.code, error.variant) == ("ssh-unreachable", "refused")
    assert time.monotonic() - began < PATIENT.connect


def test_a_server_that_never_speaks_costs_the_connect_deadline_once(
    sshd: Sshd, middleman: Callable[..., Middleman]
) -> None:
    done = threading.Event()
    port = middleman(lambda _, client: client if done.wait(120) else None).port
    once = Deadlines(connect=4.0, login=4.0, total=60.0)
    began = time.monotonic()
    error = error_of(sshd.access(f"Port {port}"), once)
    done.set()
    assert (error.code, error.variant) == ("ssh-unreachable", "silent")
    assert once.connect - 0.1 < time.monotonic() - began < 2 * once.connect


def test_a_server_frozen_in_the_handshake_ends_at_the_deadline(
    sshd: Sshd, middleman: Callable[..., Middleman]
) -> None:
    done = threading.Event()

    def greet(_: int, client: socket.socket) -> None:
        client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        done.wait(120)

    began = time.monotonic()
    error = error_of(sshd.access(f"Port {middleman(greet).port}"), SHORT)
    done.set()
    assert (error.code, error.variant) in [
        ("ssh-unreachable", "silent"),
        ("ssh-unreachable", "dropped"),
    ]
    assert time.monotonic() - began < 60


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
    assert hostname_over(access)
    assert between.connections == 4


def test_a_server_that_always_drops_ends_at_the_total_deadline(
    sshd: Sshd, middleman: Callable[..., Middleman]
) -> None:
    between = middleman(lambda _, client: client.close())
    began = time.monotonic()
    error = error_of(sshd.access(f"Port {between.port}"), SHORT)
    assert (error.code, error.variant) == ("ssh-unreachable", "dropped")
    assert 1 < between.connections < 20
    assert time.monotonic() - began < SHORT.total + 30


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
    assert hostname_over(server.access())
    release.join()
    assert "MaxStartups" in (server.directory / "sshd.log").read_text()


def test_a_proxy_command_is_used_and_leaves_no_process(sshd: Sshd) -> None:
    before = descendants()
    session = open_(sshd.access(proxy_line(sshd.port)))
    assert any("ProxyCommand" not in line and str(sshd.port) in line for line in descendants() - before)
    session.close()
    assert not left_behind(before, besides="sshd")


def test_a_proxy_command_that_fails_is_quoted(sshd: Sshd) -> None:
    before = descendants()
    began = time.monotonic()
    error = error_of(sshd.access("ProxyCommand sh -c 'echo no such bastion >&2; exit 3'"))
    assert (error.code, error.variant) == ("ssh-unreachable", "proxy")
    assert error.detail == "no such bastion"
    assert time.monotonic() - began < PATIENT.connect
    assert not left_behind(before, besides="sshd")


def test_a_proxy_command_that_hangs_is_ended_with_all_it_started(sshd: Sshd) -> None:
    before = descendants()
    command = "sh -c 'trap \"\" TERM; sleep 61 & sleep 62'"
    error = error_of(sshd.access(f"ProxyCommand {command}"), SHORT)
    assert (error.code, error.variant) == ("ssh-unreachable", "silent")
    assert not left_behind(before, besides="sshd")


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
    assert hostname_over(access)
    for hop in hops:
        assert "Accepted publickey" in (hop.directory / "sshd.log").read_text()


def test_a_jump_host_that_cannot_reach_the_worker_is_said(sshd: Sshd) -> None:
    with socket.create_server((HERE, 0)) as free:
        port = free.getsockname()[1]
    access = sshd.access("Host worker-1", f"Port {port}", f"ProxyJump {HERE}:{sshd.port}")
    error = error_of(access)
    assert (error.code, error.variant) == ("ssh-unreachable", "tunnel")
    assert "jump host" in error.detail


def test_an_ssh_config_that_is_missing_is_said(sshd: Sshd) -> None:
    error = error_of(SshAccess(config="/nonexistent/ssh_config"))
    assert (error.code, error.variant) == ("ssh-unreachable", "config")
