"""A worker's host key: known, unknown or changed, at a real sshd."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.observed.logins import NO_SSHD, error_of, hostname_over
from tests.observed.private_sshd import (
    Sshd,
    make_key,
)

pytestmark = NO_SSHD


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
