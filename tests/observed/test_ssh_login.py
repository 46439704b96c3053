"""Logging in to a worker: a real sshd, and every key that it takes or not."""

from __future__ import annotations

import shlex
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from kthw.target import SshAccess
from tests.observed.logins import NO_SSHD, error_of, hostname_over
from tests.observed.private_sshd import (
    Sshd,
    make_key,
    stop,
)

pytestmark = NO_SSHD


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


def test_a_key_the_server_does_not_take_is_named(sshd: Sshd, tmp_path: Path) -> None:
    wrong = make_key(tmp_path / "wrong")
    error = error_of(sshd.access("IdentitiesOnly yes", key=wrong))
    assert error.code == "ssh-auth-failed"
    assert error.facts["user"] in error.detail
    assert str(wrong) in error.detail


def test_a_key_of_nobody_s_is_missing(sshd: Sshd) -> None:
    error = error_of(replace(sshd.access(), key="~nosuchuser/key"))
    assert (error.code, error.variant) == ("ssh-key-unusable", "missing")


def test_an_include_of_nobody_s_is_one_sentence(sshd: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Include ~nosuchuser/config\n")
    error = error_of(replace(sshd.access(), config=str(config)))
    assert (error.code, error.variant) == ("ssh-unreachable", "config")


def test_a_missing_key_file_is_unusable(sshd: Sshd, tmp_path: Path) -> None:
    error = error_of(sshd.access(key=tmp_path / "nowhere"))
    assert (error.code, error.variant) == ("ssh-key-unusable", "missing")
    assert error.facts["key"] == str(tmp_path / "nowhere")


def test_a_key_others_may_read_is_unusable(sshd: Sshd, tmp_path: Path) -> None:
    key = shutil.copy(sshd.key, tmp_path / "open")
    Path(key).chmod(0o644)
    error = error_of(sshd.access(key=Path(key)))
    assert (error.code, error.variant) == ("ssh-key-unusable", "permissions")
    assert "0644" in error.detail


def test_a_key_under_a_passphrase_is_unusable(sshd: Sshd, tmp_path: Path) -> None:
    for number, form in enumerate((["ed25519"], ["rsa", "-b", "2048", "-m", "PEM"])):
        locked = make_key(tmp_path / f"locked{number}", *form, passphrase="secret words")  # noqa: S106 -- made here
        error = error_of(sshd.access(key=locked))
        assert (error.code, error.variant) == ("ssh-key-unusable", "passphrase")
        assert "secret" not in str(error)


def test_a_file_that_is_no_key_is_unusable(sshd: Sshd, tmp_path: Path) -> None:
    public = tmp_path / "id.pub"
    public.write_text((sshd.directory / "id.pub").read_text())
    public.chmod(0o600)
    error = error_of(sshd.access(key=public))
    assert (error.code, error.variant) == ("ssh-key-unusable", "format")


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
