"""Workers without public addresses, through the host that ``--ssh-jump`` names: real sshds all the way."""

from __future__ import annotations

import getpass
import shlex
import socket
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace

from kthw.errors import JUMP, LookError
from kthw.observed.evidence import Instance
from kthw.observed.ssh.login import open_session
from kthw.observed.ways_in import WaysIn, ways_in
from kthw.target import SshAccess
from kthw.words.messages import LANGUAGES, catalogue
from kthw.words.pasting import filled
from tests.observed.logins import HERE, NO_SSHD, PATIENT, SHORT, error_of, hostname_over
from tests.observed.private_sshd import Sshd

pytestmark = NO_SSHD
Servers = Callable[..., Sshd]


def through(jump: Sshd, worker: Sshd, *lines: str, host: str = "jumpbox") -> SshAccess:
    """A way to ``worker`` by ``jump``, which lets the worker's key in; both host keys are known."""
    with (jump.directory / "authorized_keys").open("a") as authorized:
        authorized.write((worker.directory / "id.pub").read_text())
    known = worker.directory / "both_known"
    known.write_text("".join(f"[{HERE}]:{each.port} {' '.join(each.host_key)}\n" for each in (jump, worker)))
    entry = ("Host jumpbox", f"HostName {HERE}", f"Port {jump.port}")
    return replace(worker.strangers(*lines, *entry, known_hosts=known), jump=host)


def log_of(server: Sshd) -> str:
    return (server.directory / "sshd.log").read_text()


def test_a_worker_is_reached_through_the_jump_host_with_the_same_key(own_sshd: Servers) -> None:
    jump, worker = own_sshd(), own_sshd()
    assert hostname_over(through(jump, worker)) == socket.gethostname()
    assert log_of(jump).count("Accepted publickey") == 1
    assert log_of(worker).count("Accepted publickey") == 1


@pytest.mark.parametrize(
    "line", ["ProxyCommand sh -c 'exit 3'", "ProxyJump nowhere.invalid"], ids=["command", "jump"]
)
def test_the_option_wins_over_the_worker_s_own_way_in_ssh_config(own_sshd: Servers, line: str) -> None:
    """As ``ssh -J`` does."""
    jump, worker = own_sshd(), own_sshd()
    assert hostname_over(through(jump, worker, "Host worker-1", line)) == socket.gethostname()


def test_the_jump_host_is_where_aws_says_unless_ssh_config_knows_it(own_sshd: Servers) -> None:
    jump, worker = own_sshd(), own_sshd()
    access = replace(through(jump, worker), jump=f"box:{jump.port}", jump_address=HERE)
    assert hostname_over(access) == socket.gethostname()
    known = replace(through(jump, worker), jump_address="192.0.2.1")
    assert hostname_over(known) == socket.gethostname()


def test_the_user_is_the_workers_unless_said_otherwise(own_sshd: Servers) -> None:
    """Not the one of this machine, as of a ProxyJump: the jump host is a machine of the lab's."""
    jump, worker = own_sshd(), own_sshd()
    access = through(jump, worker)
    text = Path(access.config).read_text().replace(f"User {getpass.getuser()}\n", "")
    Path(access.config).write_text(f"{text}\nMatch host {HERE} originalhost worker-1\nUser x\n")
    error = error_of(replace(access, user="nobody-of-the-lab"))
    assert (error.kind, error.resource, error.user) == (JUMP, HERE, "nobody-of-the-lab")
    error = error_of(replace(access, jump="admin@jumpbox"))
    assert (error.kind, error.user, error.subject) == (JUMP, "admin", f"jumpbox ({HERE})")


def test_twelve_workers_at_once_never_meet_the_jump_host_s_limit(own_sshd: Servers) -> None:
    """sshd drops the eleventh login under way (``MaxStartups 10:30:100``), here for certain."""
    jump = own_sshd("MaxStartups=10:100:10")
    worker = own_sshd("MaxStartups=100")
    access = through(jump, worker)

    def log_in(number: int) -> int:
        session = open_session(access, f"worker-{number}", HERE, deadlines=PATIENT)
        session.close()
        return number

    with ThreadPoolExecutor(12) as crew:
        assert sorted(crew.map(log_in, range(12))) == list(range(12))
    assert log_of(jump).count("Accepted publickey") == 12
    assert "MaxStartups" not in log_of(jump)


def test_both_host_keys_are_checked(own_sshd: Servers) -> None:
    jump, worker = own_sshd(), own_sshd()
    access = through(jump, worker)
    known = worker.directory / "both_known"
    both = known.read_text().splitlines(keepends=True)
    known.write_text(both[1])
    error = error_of(access)
    assert (error.code, error.subject, error.worker) == (
        "ssh-host-key-unknown",
        f"jumpbox ({HERE})",
        "worker-1",
    )
    assert "Accepted" not in log_of(jump)
    known.write_text(both[0])
    error = error_of(access)
    assert (error.code, error.subject) == ("ssh-host-key-unknown", f"worker-1 ({HERE})")
    assert hostname_over(replace(access, accept_new=True)) == socket.gethostname()
    assert len(known.read_text().splitlines()) == 2


def test_a_jump_host_that_refuses_is_told_as_that_and_not_as_the_worker(own_sshd: Servers) -> None:
    jump, worker = own_sshd(), own_sshd()
    access = through(jump, worker)
    (jump.directory / "authorized_keys").write_text("")
    error = error_of(access)
    assert (error.code, error.subject, error.worker) == ("ssh-auth-failed", f"jumpbox ({HERE})", "worker-1")
    assert shlex.split(error.facts["login"])[-1] == f"{getpass.getuser()}@jumpbox"


def test_a_worker_behind_the_jump_host_that_is_not_there_is_told(own_sshd: Servers) -> None:
    jump, worker = own_sshd(), own_sshd()
    with socket.create_server((HERE, 0)) as free:
        port = free.getsockname()[1]
    error = error_of(through(jump, worker, "Host worker-1", f"Port {port}"))
    assert (error.code, error.variant) == ("ssh-unreachable", "tunnel")
    assert error.subject == f"worker-1 ({HERE})"


def test_a_jump_host_that_is_its_own_jump_host_is_one_sentence(own_sshd: Servers) -> None:
    worker = own_sshd()
    error = error_of(worker.access(f"ProxyJump {HERE}:{worker.port}"), SHORT)
    assert (error.code, error.variant) == ("ssh-unreachable", "config")
    assert "to itself" in error.detail


def test_the_printed_command_goes_the_same_way(own_sshd: Servers, tmp_path: Path) -> None:
    """With the key for both, which ``-J`` would give the worker only."""
    jump, worker = own_sshd(), own_sshd()
    access = through(jump, worker)
    odd = tmp_path / "a key of the lab's"
    odd.write_bytes(worker.key.read_bytes())
    odd.chmod(0o600)
    session = open_session(replace(access, key=str(odd)), "worker-1", HERE, deadlines=PATIENT)
    login = session.facts["login"]
    session.close()
    pasted = filled("{login:command} 'echo there'", {"login": login}, pasted=True)
    done = subprocess.run(["bash", "-c", pasted], capture_output=True, text=True, check=False)
    assert done.stdout == "there\n", done.stderr
    assert log_of(jump).count("Accepted publickey") == 2


@pytest.mark.parametrize(
    "way",
    [
        "touch x",
        "ssh -o ProxyCommand=x -W %h:%p a@b",
        "ssh -W %h:%p a@b; touch x",
        "ssh -i $(touch x) -W %h:%p a@b",
        "ssh -i %u -W %h:%p a@b",
        "ssh -W %h:%p a@b -oProxyCommand=x",
        "ssh  -W %h:%p a@b",
    ],
)
def test_no_other_way_is_printed_whatever_a_recorded_run_says(way: str) -> None:
    login = shlex.join(["ssh", "-o", f"ProxyCommand={way}", "a@b"])
    assert filled("{login:command}", {"login": login}, pasted=True) == "LOGIN"


# --------------------------------------------------------------------------- which way, and what is said


def instance(
    name: str, number: int, public: str = "", state: str = "running", vpc: str = "vpc-1"
) -> Instance:
    address = f"10.0.1.{number}"
    return Instance(
        id=f"i-{number:02}", state=state, name=name, vpc=vpc, address=address, public_address=public
    )


WORKER = instance("worker-0", 20)
PUBLIC = instance("worker-1", 21, "203.0.113.21")
CONTROLLER = instance("controller-0", 10, "203.0.113.10")
JUMPBOX = instance("jumpbox", 5, "203.0.113.5")
ELSEWHERE = instance("bastion", 6, "203.0.113.6", vpc="vpc-2")
STOPPED = instance("bastion", 7, state="stopped")
EVERYTHING = (WORKER, PUBLIC, CONTROLLER, JUMPBOX, ELSEWHERE, STOPPED)
UNREACHABLE = LookError(
    code="ssh-unreachable",
    subject="worker-0 (i-20, 10.0.1.20)",
    worker="worker-0",
    detail="no answer in 10 s",
    variant="timeout",
    resource="10.0.1.20",
    facts={"host": "10.0.1.20", "login": "ssh ubuntu@10.0.1.20"},
)


def ways(jump: str = "", *instances: Instance) -> WaysIn:
    return ways_in(SshAccess(jump=jump), instances or EVERYTHING, (WORKER, PUBLIC))


def test_without_a_jump_host_the_public_address_is_asked_where_there_is_one() -> None:
    assert ways().to(PUBLIC) == (SshAccess(), "203.0.113.21")
    assert ways().to(WORKER) == (SshAccess(), "10.0.1.20")


@pytest.mark.parametrize("called", ["jumpbox", "i-05", "203.0.113.5", "admin@jumpbox:2222"])
def test_a_jump_host_is_called_by_its_name_tag_its_id_or_its_address(called: str) -> None:
    """Then every worker is reached by its private address."""
    access = SshAccess(jump=called, jump_address="203.0.113.5")
    assert [ways(called).to(each) for each in (WORKER, PUBLIC)] == [
        (access, "10.0.1.20"),
        (access, "10.0.1.21"),
    ]


@pytest.mark.parametrize("called", ["bastion", "nobody", "192.0.2.9"])
def test_what_is_no_instance_of_the_vpc_that_can_be_reached_is_a_host_like_any(called: str) -> None:
    assert ways(called).to(WORKER) == (SshAccess(jump=called), "10.0.1.20")


def test_a_worker_that_is_the_jump_host_is_not_reached_through_itself() -> None:
    assert ways("worker-1").to(PUBLIC) == (SshAccess(), "203.0.113.21")
    assert ways("worker-1").to(WORKER)[0].jump_address == "203.0.113.21"


def test_a_private_worker_without_a_jump_host_is_told_which_machine_may_be_one() -> None:
    error = ways().told(UNREACHABLE, WORKER)
    assert (error.variant, error.facts["candidate"], error.kind) == ("private", "jumpbox", "")
    for language in LANGUAGES:
        said = catalogue(language).error(error)
        assert "10.0.1.20" in said.what
        assert "./run routes --target aws --ssh-jump jumpbox\n" in said.fix
        assert "Name=vpc-id,Values=vpc-1 " in said.fix
    plain = ways("", WORKER, PUBLIC, instance("my machine", 9, "203.0.113.9")).told(UNREACHABLE, WORKER)
    assert plain.facts["candidate"] == "203.0.113.9"
    alone = ways("", WORKER).told(UNREACHABLE, WORKER)
    assert alone.variant == "private-alone"


@pytest.mark.parametrize(
    ("jump", "variant", "dialled", "worker"),
    [
        ("", "timeout", "203.0.113.21", PUBLIC),
        ("", "timeout", "10.9.9.9", WORKER),
        ("", "config", "10.0.1.20", WORKER),
        ("jumpbox", "tunnel", "10.0.1.20", WORKER),
    ],
    ids=["public", "ssh_config knows another address", "never asked", "behind a jump host"],
)
def test_no_jump_host_is_offered_where_none_is_lacking(
    jump: str, variant: str, dialled: str, worker: Instance
) -> None:
    error = replace(UNREACHABLE, variant=variant, resource=dialled)
    assert ways(jump).told(error, worker) == error


def test_a_jump_host_that_nobody_knows_is_told_with_one_that_is_there() -> None:
    error = replace(UNREACHABLE, variant="unknown-name", kind=JUMP, resource="jmp")
    said = ways("jmp").told(error, WORKER)
    assert (said.variant, said.facts["candidate"]) == ("no-such-jump", "jumpbox")
    assert ways("jmp", WORKER).told(error, WORKER).variant == "jump"
    silent = replace(error, variant="timeout")
    assert ways("jmp").told(silent, WORKER).variant == "jump"
