"""Nothing that AWS's answers, an option or an ssh_config says becomes a line of ssh_config or a command."""

from __future__ import annotations

import getpass
import os
import shlex
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kthw.errors import CouldNotLook, LookError
from kthw.observed import bounded_file
from kthw.observed.ssh import config, match_exec, names
from kthw.observed.ssh.hop import Hop, jump_hop, worker_hop
from kthw.observed.ssh.login import Deadlines, open_session
from kthw.target import SshAccess
from kthw.words.messages import LANGUAGES, catalogue

pytestmark = pytest.mark.usefixtures("home")

NOBODY = 9
"""The port of discard: nobody listens there."""
SHORT = Deadlines(connect=5.0, login=1.0, total=1.0)

HOSTILE = {
    "substitution": "$(touch {marker})",
    "backticks": "`touch {marker}`",
    "list": "a;touch {marker}",
    "pipe": "a|touch {marker}",
    "background": "a&touch {marker}",
    "redirection": "a>{marker}",
    "double-quote": 'a";touch {marker};"',
    "single-quote": "a';touch {marker};'",
    "variable": "$HOME",
    "backslash": "a\\",
    "group": "a(b)",
    "brace": "a{{b,c}}",
    "home": "~root",
    "proxy-line": "54.0.0.7\n    ProxyCommand touch {marker}",
    "match-line": '54.0.0.7\nMatch exec "touch {marker}"',
    "carriage-return": "54.0.0.7\r\nUser root",
    "form-feed": "54.0.0.7\x0cUser root",
    "next-line": "54.0.0.7\x85ProxyCommand touch {marker}",
    "line-separator": "54.0.0.7\u2028ProxyCommand touch {marker}",
    "space": "54.0.0.7 -oProxyCommand=touch",
    "no-break-space": "54.0.0.7\u00a0x",
    "option": "-oProxyCommand=touch {marker}",
    "nul": "54.0.0.7\x00",
    "escape": "\x1b]0;x\x07",
    "right-to-left": "\u202e7.0.0.45",
    "lone-surrogate": "\udcff",
    "long": "a" * 300,
}
"""Strings that run something, or say something else, wherever a line or a shell meets them."""


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """What a hostile string would make, if it ran."""
    return tmp_path / "pwned"


def config_of(home: Path, *lines: str) -> Path:
    file = home / ".ssh/config"
    file.write_bytes(("\n".join(lines) + "\n").encode(errors="surrogateescape"))
    file.chmod(0o600)
    return file


def error_of(access: SshAccess, address: str = "54.0.0.7", worker: str = "worker-1") -> LookError:
    with pytest.raises(CouldNotLook) as raised:
        open_session(access, worker, address, deadlines=SHORT).close()
    return raised.value.error


def is_one_sentence(error: LookError) -> bool:
    """Written in both languages, on lines that no fact has broken, in characters that can be printed."""
    for language in LANGUAGES:
        words = catalogue(language).error(error)
        if not words.what.isprintable() or not words.fix.replace("\n", "").isprintable():
            return False
    return bool(error.detail) and error.detail.isprintable() and bool(str(error).encode())


@pytest.mark.parametrize("name", HOSTILE)
def test_an_address_that_is_none_is_refused_before_anything_reads_it(
    home: Path, marker: Path, name: str
) -> None:
    """Not as a line of ssh_config, and not as %h of a ProxyCommand."""
    config_of(home, "Host *", "ProxyCommand echo %h %n %r >&2")
    error = error_of(SshAccess(), HOSTILE[name].format(marker=marker))
    assert (error.code, error.variant) == ("ssh-unreachable", "unfit")
    assert is_one_sentence(error)
    assert not marker.exists()


@pytest.mark.parametrize("name", [name for name, text in HOSTILE.items() if text.isprintable()])
@pytest.mark.parametrize("keyword", ["HostName", "HostKeyAlias", "ProxyJump"])
def test_a_host_that_ssh_config_names_is_checked_as_well(
    home: Path, marker: Path, name: str, keyword: str
) -> None:
    value = HOSTILE[name].format(marker=marker)
    config_of(home, "Host *", f"{keyword} {value}", "User x", f"Port {NOBODY}")
    error = error_of(SshAccess(), "127.0.0.1")
    assert error.variant in ("unfit", "config")
    assert is_one_sentence(error)
    assert not marker.exists()


@pytest.mark.parametrize("name", [name for name in HOSTILE if name not in ("long", "right-to-left")])
def test_a_user_of_that_kind_is_refused(home: Path, marker: Path, name: str) -> None:
    user = HOSTILE[name].format(marker=marker)
    error = error_of(SshAccess(user=user))
    assert (error.code, error.variant) == ("ssh-unreachable", "unfit")
    assert is_one_sentence(error)
    assert not marker.exists()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_worker_of_that_name_is_asked_for_by_its_address(home: Path, marker: Path, name: str) -> None:
    """A tag may say anything; ssh_config is asked only about what could be a host."""
    config_of(home, "Host w* a* $* -*", "User admin", "Host *", "ProxyCommand echo %n; touch %n")
    hop = worker_hop(SshAccess(), HOSTILE[name].format(marker=marker), "54.0.0.7")
    assert hop.alias == "54.0.0.7"
    assert hop.proxy_command == "echo 54.0.0.7; touch 54.0.0.7"


@pytest.mark.parametrize(
    ("spec", "host", "user", "port"),
    [
        ("bastion", "bastion", "", 22),
        ("me@bastion:99", "bastion", "me", 99),
        ("[2001:db8::1]:99", "2001:db8::1", "", 99),
        ("2001:db8::1", "2001:db8::1", "", 22),
        ("CORP\\ana@bastion", "bastion", "CORP\\ana", 22),
        ("josé@bücher.example", "bücher.example", "josé", 22),
    ],
)
def test_a_jump_host_of_any_usual_kind_is_understood(spec: str, host: str, user: str, port: int) -> None:
    hop = jump_hop(SshAccess(), spec)
    assert (hop.host, hop.user, hop.port) == (host, user or getpass.getuser(), port)


@pytest.mark.parametrize(
    "spec", ["", "$(id)", "a:b", "a:0", "a:65536", "a:１", "-oX@a", "a;b@c", "a@-b", "a\nUser root"]
)
def test_a_jump_host_of_another_kind_is_refused(spec: str) -> None:
    with pytest.raises(names.UnfitNameError):
        jump_hop(SshAccess(), spec)


def test_what_openssh_refuses_of_hosts_is_refused_here(marker: Path) -> None:
    """Asked of the ssh that is installed, which reads its arguments and connects to nobody."""
    for text in (each.format(marker=marker) for each in HOSTILE.values()):
        if "\0" in text or "\udcff" in text:
            continue
        said = subprocess.run(
            ["ssh", "-G", "-F", "none", "--", text], capture_output=True, text=True, check=False
        )
        assert said.returncode == 0 or not names.is_host(text), text
    assert not marker.exists()


# --------------------------------------------------------------------------- the file itself


def _fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, 0o600)


def _directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _device(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


def _large(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(1 << 30)


def _include_pipe(file: Path) -> None:
    os.mkfifo(f"{file}.d")
    file.write_text(f"Include {file}.d\n")


def _bomb(file: Path) -> None:
    file.write_text(f"Include {file}\n" * 3)


def _no_domains(file: Path) -> None:
    file.write_text("CanonicalizeHostname yes\nCanonicalizeMaxDots 9\n")


CONFIGS: dict[str, tuple[Callable[[Path], object], str]] = {
    "group-writable": (lambda file: file.chmod(0o620), "0620"),
    "world-writable": (lambda file: file.chmod(0o602), "0602"),
    "pipe": (_fifo, "pipe"),
    "directory": (_directory, "directory"),
    "device": (_device, "device"),
    "gigabyte": (_large, "larger than 1024 KiB"),
    "include-bomb": (_bomb, "1000 files"),
    "include-pipe": (_include_pipe, "pipe"),
    "include-device": (lambda file: file.write_text("Include /dev/zero\n"), "device"),
    "include-of-nobody": (lambda file: file.write_text("Include ~nosuchuser/x\n"), "home directory"),
    "nonsense": (lambda file: file.write_text("Nonsense\n"), "Unparsable"),
    "binary": (lambda file: file.write_bytes(bytes(range(256)) * 4), "Unparsable"),
    "latin-1-user": (lambda file: file.write_bytes(b"User jo\xe3o\n"), "UTF-8"),
    "no-port": (lambda file: file.write_text("Port ssh\n"), "no port"),
    "half-quote": (lambda file: file.write_text("Match host 'x\n"), "quotation"),
    "no-domains": (_no_domains, "domains"),
}  # fmt: skip
"""Files that are no configuration, or nobody's own: how to make one of a good one, and what is said of it."""


@pytest.mark.parametrize("asked_for", [True, False], ids=["asked-for", "at-home"])
@pytest.mark.parametrize("name", CONFIGS)
def test_a_configuration_that_cannot_be_used_is_one_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, asked_for: bool
) -> None:
    make, said = CONFIGS[name]
    monkeypatch.setattr(bounded_file, "_is_private", lambda _group, _owner: False)
    file = config_of(home, "Host *", "User admin")
    make(file)
    began = time.monotonic()
    error = error_of(SshAccess(config=str(file) if asked_for else ""))
    assert time.monotonic() - began < 5
    assert error.code == "ssh-unreachable"
    assert error.variant in ("config", "config-open", "unfit")
    assert said in error.detail
    assert is_one_sentence(error)


def test_a_configuration_of_another_user_is_not_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSH's rule, and for every file: one in a shared folder may be anybody's."""
    file = config_of(home, "Host *", "ProxyCommand touch pwned")
    if os.getuid() == 0:
        os.chown(file, 4242, -1)
    else:
        monkeypatch.setattr(os, "getuid", lambda: 4242)
    error = error_of(SshAccess(config=str(file)))
    assert error.variant == "config-open"
    assert "another user" in error.detail
    for language in LANGUAGES:
        assert f"chmod go-w {file}" in catalogue(language).error(error).fix


def test_an_included_file_that_others_may_write_is_named(home: Path) -> None:
    file = config_of(home, f"Include {home}/more")
    (home / "more").write_text("User admin\n")
    (home / "more").chmod(0o666)
    error = error_of(SshAccess(config=str(file)))
    assert (error.variant, error.facts["file"]) == ("config-open", str(home / "more"))


def test_a_file_that_only_its_owner_s_own_group_may_write_is_read(home: Path) -> None:
    """umask 002 is Ubuntu's default where every user has a group, and its OpenSSH has the same mercy."""
    file = config_of(home, "Host *", "User admin")
    file.chmod(0o660)
    state = file.stat()
    if bounded_file._is_private(state.st_gid, state.st_uid):
        assert worker_hop(SshAccess(config=str(file)), "w", "54.0.0.7").user == "admin"
    file.chmod(0o666)
    with pytest.raises(bounded_file.OpenToOthersError):
        worker_hop(SshAccess(config=str(file)), "w", "54.0.0.7")


@pytest.mark.parametrize("file", ["none", "/dev/null"])
def test_no_configuration_at_all_can_be_asked_for(file: str) -> None:
    """As with ``ssh -F none``; neither the user's nor the system's is read."""
    assert not config.text_of(file).strip()


def test_comments_names_and_paths_may_be_in_any_script(home: Path) -> None:
    """Nor does a line separator of Unicode's end a comment: OpenSSH knows the line feed only."""
    config_of(
        home,
        "# instalação do João 🎉\u2028Nonsense \x85 Nonsense",
        "Host trabalhador-é 作業員",
        "User joão",
        f"IdentityFile {home}/chaves/instalação.pem",
        f"UserKnownHostsFile {home}/conhecidos-é",
    )
    hop = worker_hop(SshAccess(), "trabalhador-é", "54.0.0.7")
    assert (hop.alias, hop.user) == ("trabalhador-é", "joão")
    assert hop.identity_files == (f"{home}/chaves/instalação.pem",)
    assert hop.known_hosts[0] == home / "conhecidos-é"
    assert worker_hop(SshAccess(), "作業員", "54.0.0.7").alias == "作業員"


def test_a_path_in_latin_1_is_that_path(home: Path) -> None:
    config_of(home, "IdentityFile /k/jo\udce3o", "Port 9", "User x", "# Jo\udce3o")
    hop = worker_hop(SshAccess(), "w", "54.0.0.7")
    assert os.fsencode(hop.identity_files[0]) == b"/k/jo\xe3o"
    assert is_one_sentence(error_of(SshAccess(key="/k/jo\udce3o"), "127.0.0.1"))


# --------------------------------------------------------------------------- Match exec


def test_match_exec_runs_only_where_what_stands_before_it_is_met(home: Path, marker: Path) -> None:
    """So OpenSSH does, left to right."""
    config_of(home, f'Match host nobody exec "touch {marker}"', "User wrong")
    assert worker_hop(SshAccess(), "w", "54.0.0.7").user == "ubuntu"
    assert not marker.exists()
    config_of(home, f'Match host 54.0.0.7 exec "touch {marker}; test %h = 54.0.0.7"', "User right")
    assert worker_hop(SshAccess(), "w", "54.0.0.7").user == "right"
    assert marker.exists()


@pytest.mark.parametrize(
    ("criteria", "met"),
    [
        ("exec true", True),
        ("exec false", False),
        ("!exec false", True),
        ("!exec true", False),
        ("exec true originalhost 54.*", True),
        ("exec true originalhost 55.*", False),
        ("!host 55.*", True),
        ("sessiontype sftp", False),
        ("localnetwork 0.0.0.0/0", False),
        ("all", True),
    ],
)
def test_match_is_met_by_all_of_its_criteria(home: Path, criteria: str, met: bool) -> None:
    """One that nobody here knows is not met, rather than met."""
    config_of(home, f"Match {criteria}", "User met")
    assert (worker_hop(SshAccess(), "w", "54.0.0.7").user == "met") is met


def test_match_exec_that_hangs_is_ended_and_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_exec, "PATIENCE", 0.3)
    config_of(home, f'Match exec "echo $$ >{home}/pid; trap : TERM; sleep 63 & wait; sleep 64"', "User met")
    began = time.monotonic()
    error = error_of(SshAccess())
    assert (error.variant, time.monotonic() - began < 2) == ("config", True)
    assert "Match exec did not end" in error.detail
    group = int((home / "pid").read_text())
    until = time.monotonic() + 5
    while _lives(group) and time.monotonic() < until:
        time.sleep(0.01)
    assert not _lives(group)


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_command_that_is_printed_can_be_pasted(home: Path) -> None:
    """Its words are those it was made of, whatever the path of the configuration."""
    file = home / "minha configuração $(id)"
    file.write_text("Host *\nPort 9\nUser admin\n")
    file.chmod(stat.S_IRUSR | stat.S_IWUSR)
    error = error_of(SshAccess(config=str(file)), "127.0.0.1")
    assert shlex.split(error.facts["login"]) == ["ssh", "-F", str(file), "-p", "9", "admin@127.0.0.1"]


def test_a_hop_is_what_it_was(home: Path) -> None:
    """A healthy configuration means what it meant."""
    config_of(
        home, "Host worker-1", "HostName 54.0.0.9", "Port 2222", "User admin", "ProxyCommand nc %h %p %r %n"
    )
    assert worker_hop(SshAccess(), "worker-1", "54.0.0.7") == Hop(
        alias="worker-1",
        host="54.0.0.9",
        port=2222,
        user="admin",
        known_hosts=(home / ".ssh/known_hosts", Path("/etc/ssh/ssh_known_hosts")),
        proxy_command="nc 54.0.0.9 2222 admin worker-1",
    )
