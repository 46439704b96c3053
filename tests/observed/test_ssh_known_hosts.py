"""Known host keys, against files that OpenSSH wrote and against its own rules."""

from __future__ import annotations

import base64
import stat
import subprocess
from pathlib import Path

import pytest

from kthw.observed.ssh.known_hosts import fingerprint, judge, remember

KEY = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + b"k" * 32
OTHER = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + b"o" * 32
KIND = "ssh-ed25519"
TEXT = base64.b64encode(KEY).decode()


def verdict(tmp_path: Path, line: str, name: str, key: bytes = KEY, kind: str = KIND) -> str:
    file = tmp_path / "known_hosts"
    file.write_text(f"# a comment\n\n{line}\n")
    return judge((tmp_path / "missing", file), name, kind, key).verdict


@pytest.mark.parametrize(
    ("hosts", "name"),
    [
        ("54.0.0.7", "54.0.0.7"),
        ("worker-0,54.0.0.7", "54.0.0.7"),
        ("*.example.com", "a.example.com"),
        ("Worker-0", "worker-0"),
        ("[54.0.0.7]:2222", "[54.0.0.7]:2222"),
    ],
)
def test_a_key_that_is_listed_is_known(tmp_path: Path, hosts: str, name: str) -> None:
    assert verdict(tmp_path, f"{hosts} {KIND} {TEXT} comment", name) == "known"
    assert verdict(tmp_path, f"{hosts} {KIND} {TEXT}", name, OTHER) == "changed"


@pytest.mark.parametrize(
    ("hosts", "name"),
    [
        ("54.0.0.7", "54.0.0.8"),
        ("54.0.0.7", "[54.0.0.7]:2222"),
        ("*.example.com,!a.example.com", "a.example.com"),
        ("[54.0.0.7]:2222", "[54.0.0.7]:2223"),
    ],
)
def test_another_host_is_unknown(tmp_path: Path, hosts: str, name: str) -> None:
    assert verdict(tmp_path, f"{hosts} {KIND} {TEXT}", name) == "unknown"


def test_names_that_openssh_hashed_are_found(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"54.0.0.7 {KIND} {TEXT}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    assert "54.0.0.7" not in file.read_text()
    assert judge((file,), "54.0.0.7", KIND, KEY).verdict == "known"
    assert judge((file,), "54.0.0.8", KIND, KEY).verdict == "unknown"


def test_a_revoked_key_is_revoked_and_an_authority_says_nothing(tmp_path: Path) -> None:
    assert verdict(tmp_path, f"@revoked * {KIND} {TEXT}", "54.0.0.7") == "revoked"
    assert verdict(tmp_path, f"@cert-authority * {KIND} {TEXT}", "54.0.0.7") == "unknown"


def test_a_key_of_another_type_is_no_change(tmp_path: Path) -> None:
    assert verdict(tmp_path, f"54.0.0.7 ssh-rsa {TEXT}", "54.0.0.7", OTHER) == "unknown"


def test_the_line_that_disagrees_is_named(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"\n54.0.0.7 {KIND} {TEXT}\n")
    line = judge((file,), "54.0.0.7", KIND, OTHER).line
    assert line
    assert (line.file, line.number) == (file, 2)


def test_remembering_adds_a_line_and_changes_no_other(tmp_path: Path) -> None:
    file = tmp_path / "new" / "known_hosts"
    remember(file, "54.0.0.7", KIND, KEY)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("# mine, without an end of line")
    remember(file, "54.0.0.8", KIND, KEY)
    assert file.read_text() == f"# mine, without an end of line\n54.0.0.8 {KIND} {TEXT}\n"
    assert judge((file,), "54.0.0.8", KIND, KEY).verdict == "known"


def test_fingerprints_are_those_of_ssh_keygen(tmp_path: Path) -> None:
    public = tmp_path / "key.pub"
    public.write_text(f"{KIND} {TEXT}\n")
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(public)], capture_output=True, text=True, check=True
    )
    assert fingerprint(KEY) == shown.stdout.split()[1]
