"""Key files, known_hosts, the agent and banners may be anything: one sentence each, at once."""

from __future__ import annotations

import base64
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kthw.errors import CouldNotLook, LookError
from kthw.observed.ssh import keys, protocol
from kthw.observed.ssh.keys import UnusableKeyError, key_of
from kthw.observed.ssh.login import Deadlines, open_session
from kthw.target import SshAccess
from kthw.words.messages import LANGUAGES, catalogue
from tests.observed.logins import NO_SSHD
from tests.observed.private_sshd import Sshd, make_key, start, stop

DEADLINES = Deadlines(connect=5.0, login=10.0, total=5.0)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("keys") / "id")


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    (tmp_path / "banner").write_bytes("Olá, João 🎉 \x1b[31m\n".encode() + b"Jo\xe3o \xff\xfe\n")
    server = start(tmp_path / "sshd", f"Banner={tmp_path / 'banner'}")
    yield server
    stop(server.process)


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, 0o600)


def _directory(file: Path) -> None:
    file.unlink()
    file.mkdir(0o700)


def _device(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


def _gigabyte(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(1 << 30)


def _loop(file: Path) -> None:
    file.unlink()
    file.symlink_to(file)


def _of_another_kind(file: Path) -> None:
    """A well-made key file of a kind that nobody here knows."""
    first, *body, last = file.read_text().splitlines()
    raw = base64.b64decode("".join(body)).replace(b"ssh-ed25519", b"ssh-other99")
    file.write_text("\n".join([first, base64.b64encode(raw).decode(), last]) + "\n")


def _certified_by_a_pipe(file: Path) -> None:
    os.mkfifo(f"{file}-cert.pub")


KEYS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "pipe": (_pipe, "format", "a pipe, no regular file"),
    "directory": (_directory, "format", "a directory, no regular file"),
    "device": (_device, "format", "a device, no regular file"),
    "gigabyte": (_gigabyte, "format", "larger than 64 kib"),
    "loop": (_loop, "format", "too many levels of symbolic links"),
    "other-kind": (_of_another_kind, "format", "no OpenSSH or PEM private key"),
    "empty": (lambda file: file.write_bytes(b""), "format", "no OpenSSH or PEM private key"),
    "binary": (lambda file: file.write_bytes(bytes(range(256))), "format", "no OpenSSH or PEM private key"),
    "latin-1": (lambda file: file.write_bytes(b"# Jo\xe3o\n"), "format", "no OpenSSH or PEM private key"),
    "cut": (lambda file: os.truncate(file, 200), "format", "no OpenSSH or PEM private key"),
    "certificate": (_certified_by_a_pipe, "format", "a pipe, no regular file"),
    "open": (lambda file: file.chmod(0o640), "permissions", "0640"),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_file_that_is_no_private_key_is_one_sentence(good: Path, tmp_path: Path, name: str) -> None:
    make, variant, said = KEYS[name]
    key = Path(shutil.copy(good, tmp_path / "chave é"))
    make(key)
    began = time.monotonic()
    with pytest.raises(UnusableKeyError, match=said) as raised:
        key_of(str(key))
    assert time.monotonic() - began < 20
    assert raised.value.variant == variant


def test_a_comment_in_any_script_does_not_hide_a_public_key(good: Path, tmp_path: Path) -> None:
    """With IdentitiesOnly, the public half says which of the agent's keys is meant."""
    kind, blob, *_ = good.with_suffix(".pub").read_text().split()
    for comment in ("joão@casa", "管理者 🎉", ""):
        (tmp_path / "id.pub").write_text(f"{kind} {blob} {comment}\n", encoding="utf-8")
        assert keys._public_part(str(tmp_path / "id")) == base64.b64decode(blob)
    (tmp_path / "id.pub").write_bytes(f"{kind} {blob} ".encode() + b"jo\xe3o\n")
    assert keys._public_part(str(tmp_path / "id")) == base64.b64decode(blob)
    (tmp_path / "id.pub").unlink()
    os.mkfifo(tmp_path / "id.pub")
    assert keys._public_part(str(tmp_path / "id")) == b""


@pytest.mark.parametrize("comment", ["joão@casa 🎉".encode(), b"jo\xe3o"], ids=["utf-8", "latin-1"])
def test_an_agent_s_comment_in_any_encoding_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, comment: bytes
) -> None:
    key = tmp_path / "id"
    subprocess.run(
        [b"ssh-keygen", b"-q", b"-t", b"ed25519", b"-N", b"", b"-C", comment, b"-f", os.fsencode(key)],
        check=True,
    )
    sock = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(sock)], stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 5
        while not sock.exists() and time.monotonic() < until:
            time.sleep(0.01)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(sock))
        subprocess.run(["ssh-add", "-q", str(key)], check=True, capture_output=True)
        with protocol.agent_keys() as keys:
            assert [each[0].encode() for each in keys] in ([comment], [])
            assert keys or comment.startswith(b"jo\xe3")
    finally:
        stop(agent)


# --------------------------------------------------------------------------- with a server


def error_of(access: SshAccess) -> LookError:
    with pytest.raises(CouldNotLook) as raised:
        open_session(access, "worker-1", "127.0.0.1", deadlines=DEADLINES).close()
    return raised.value.error


@NO_SSHD
@pytest.mark.parametrize("make", [_pipe, _directory, _device, _gigabyte], ids=lambda make: make.__name__[1:])
def test_known_hosts_that_are_no_file_do_not_look_empty(
    sshd: Sshd, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """A key that has changed would pass for a new one, and be accepted where new ones are."""
    known = tmp_path / "conhecidos-é"
    known.write_text("")
    make(known)
    began = time.monotonic()
    error = error_of(sshd.strangers(known_hosts=known, accept_new=True))
    assert time.monotonic() - began < 30
    assert (error.code, error.variant) == ("ssh-host-key-unknown", "unreadable")
    assert error.detail.startswith(f"{known}: ")
    for language in LANGUAGES:
        assert f"ls -l {shlex.quote(str(known))}" in catalogue(language).error(error).fix


@NO_SSHD
def test_known_hosts_may_have_comments_in_any_script_and_encoding(sshd: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known"
    line = f"[127.0.0.1]:{sshd.port} {' '.join(sshd.host_key)} João 🎉\n"
    known.write_bytes("# 鍵 \u2028 \x85 João\n".encode() + b"# Jo\xe3o \xff\n" + line.encode())
    open_session(sshd.strangers(known_hosts=known), "worker-1", "127.0.0.1", deadlines=DEADLINES).close()
    known.write_bytes(known.read_bytes().replace(sshd.host_key[1][-8:].encode(), b"AAAAAAAA"))
    error = error_of(sshd.strangers(known_hosts=known))
    assert (error.code, error.facts["line"]) == ("ssh-host-key-changed", f"{known}:3")


@NO_SSHD
def test_dev_null_is_a_file_of_known_hosts_that_knows_nobody(sshd: Sshd) -> None:
    """As people write it who want no questions asked."""
    access = sshd.strangers("StrictHostKeyChecking no", known_hosts=Path("/dev/null"))
    open_session(access, "worker-1", "127.0.0.1", deadlines=DEADLINES).close()
    assert error_of(sshd.strangers(known_hosts=Path("/dev/null"))).code == "ssh-host-key-unknown"


@NO_SSHD
def test_a_banner_in_any_encoding_keeps_nobody_out(sshd: Sshd) -> None:
    """And a path with an accent or a space is one: of the key, and of the configuration."""
    key = Path(shutil.copy(sshd.key, sshd.directory / "minha chave é"))
    access = sshd.access(key=key)
    config = sshd.directory / "configuração do ssh"
    config.write_text("# instalação 🎉\n" + Path(access.config).read_text())
    session = open_session(
        SshAccess(key=str(key), config=str(config)), "worker-1", "127.0.0.1", deadlines=DEADLINES
    )
    assert str(config) in session.facts["login"]
    session.close()
