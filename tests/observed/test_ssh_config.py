"""The user's ssh_config, as OpenSSH would read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kthw.observed.ssh import config, protocol
from kthw.observed.ssh.hop import Hop, jump_hop, worker_hop
from kthw.target import SshAccess

pytestmark = pytest.mark.usefixtures("home")

ADDRESS = "54.0.0.7"


def hop_of(home: Path, *lines: str, user: str = "ubuntu", worker: str = "worker-0") -> Hop:
    (home / ".ssh/config").write_text("\n".join(lines) + "\n")
    return worker_hop(SshAccess(user=user), worker, ADDRESS)


def test_without_a_file_the_address_and_the_defaults_count(home: Path) -> None:
    hop = worker_hop(SshAccess(), "worker-0", ADDRESS)
    assert (hop.host, hop.port, hop.user) == (ADDRESS, 22, "ubuntu")
    assert hop.known_hosts[0] == home / ".ssh/known_hosts"
    assert not hop.accept_new


def test_an_entry_for_the_worker_counts(home: Path) -> None:
    hop = hop_of(home, "Host worker-0", "HostName bastion.example", "Port 2222", "User admin")
    assert (hop.host, hop.port, hop.user) == ("bastion.example", 2222, "admin")


def test_an_entry_without_a_host_name_goes_to_the_address_aws_gave(home: Path) -> None:
    hop = hop_of(home, "Host worker-*", "ProxyCommand nc -x proxy %h %p")
    assert hop.host == ADDRESS
    assert hop.proxy_command == f"nc -x proxy {ADDRESS} 22"


def test_an_entry_for_the_address_counts_where_none_names_the_worker(home: Path) -> None:
    assert hop_of(home, "Host 54.*", "User admin").user == "admin"


def test_an_entry_for_everything_is_none_for_the_worker(home: Path) -> None:
    assert not config.names("Host *\nHost other\n", "worker-0")
    assert not config.names("Host !worker-0 worker-*\n", "worker-0")
    assert config.names("host = 'worker-0' other\n", "worker-0")


def test_a_user_that_was_asked_for_beats_the_file(home: Path) -> None:
    assert hop_of(home, "Host *", "User admin", user="ec2-user").user == "ec2-user"


def test_of_proxy_command_and_proxy_jump_the_first_counts(home: Path) -> None:
    command = hop_of(home, "Host worker-0", "ProxyCommand one", "Host *", "ProxyJump bastion")
    assert (command.proxy_command, command.jumps) == ("one", ())
    jump = hop_of(home, "Host worker-0", "ProxyJump a, b", "Host *", "ProxyCommand one")
    assert (jump.proxy_command, jump.jumps) == ("", ("a", "b"))
    assert hop_of(home, "Host worker-0", "ProxyJump none", "Host *", "ProxyJump x").jumps == ()


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("bastion", ("10.9.9.9", 2200, "hop")),
        ("me@bastion:99", ("10.9.9.9", 99, "me")),
        ("ssh://me@bastion:99", ("10.9.9.9", 99, "me")),
    ],
)
def test_a_jump_host_has_its_own_entry(home: Path, spec: str, expected: tuple[str, int, str]) -> None:
    (home / ".ssh/config").write_text("Host bastion\nHostName 10.9.9.9\nPort 2200\nUser hop\n")
    hop = jump_hop(SshAccess(), spec)
    assert (hop.host, hop.port, hop.user) == expected


def test_include_is_followed_inside_its_block(home: Path) -> None:
    """Names are patterns below ~/.ssh; after the included file the block goes on."""
    (home / ".ssh/conf.d").mkdir()
    (home / ".ssh/conf.d/a").write_text("User included\nHost other\nUser other\n")
    hop = hop_of(home, "Host worker-0", "Include conf.d/*", "Port 2222")
    assert (hop.user, hop.port) == ("included", 2222)


def test_an_include_that_includes_itself_ends(home: Path) -> None:
    assert hop_of(home, "Include config", "User admin").user == "admin"


def test_a_file_nobody_can_understand_is_a_value_error(home: Path) -> None:
    with pytest.raises(ValueError, match="Unparsable"):
        hop_of(home, "Host worker-0", "Nonsense")


def test_known_hosts_are_those_of_the_file(home: Path) -> None:
    hop = hop_of(home, "Host *", "UserKnownHostsFile ~/mine /tmp/second", "GlobalKnownHostsFile none")
    assert hop.known_hosts == (home / "mine", Path("/tmp/second"))  # noqa: S108 -- nothing is written there


def test_the_file_is_parsed_once_however_many_workers_there_are(home: Path) -> None:
    lines = [f"Host worker-{n}\n    HostName 203.0.113.{n + 1}\n    Port {2200 + n}" for n in range(60)]
    before = protocol._parsed.cache_info().misses
    hops = [hop_of(home, *lines, worker=f"worker-{n}") for n in range(60)]
    assert [hop.port for hop in hops] == [2200 + n for n in range(60)]
    assert protocol._parsed.cache_info().misses - before <= 3
