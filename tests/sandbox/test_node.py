"""A node as the workers chapter and every debugging page use it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.box import Sandbox, start
from tests.sandbox.login import login, typed
from tests.sandbox.test_commands import NO_PACKETS

pytestmark = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)
NODE, ADDRESS = "worker-0", "10.0.1.20"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with start((NODE,)) as box:
        yield box


def test_it_is_an_ubuntu_by_its_own_account(box: Sandbox) -> None:
    """Scripts ask; and Ubuntu's PATH has sbin in it, for everybody."""
    assert typed(box, NODE, ". /etc/os-release; echo $ID $VERSION_ID") == "ubuntu 22.04\n"
    assert typed(box, NODE, "echo $PATH").startswith("/usr/local/sbin:/usr/local/bin:/usr/sbin:")
    assert typed(box, NODE, "command -v sysctl").strip().endswith("sbin/sysctl")


def test_root_has_a_shell_of_its_own(box: Sandbox) -> None:
    assert typed(box, NODE, "sudo -i whoami; sudo -i pwd") == "root\n/root\n"


def test_what_is_put_into_usr_local_stays_and_nothing_of_this_computer_s_is_there(box: Sandbox) -> None:
    """Where the workers chapter has kubelet and the others."""
    assert typed(box, NODE, "find /usr/local/bin /usr/local/lib -type f -o -type l") == ""
    put = "cp /bin/true kubelet && chmod +x kubelet && sudo mv kubelet /usr/local/bin/ && kubelet && echo ran"
    assert typed(box, NODE, put) == "ran\n"


def test_the_vpc_s_resolver_answers_for_private_names(box: Sandbox) -> None:
    """By the search domain too; over TCP; at either of its addresses. It answers no ping."""
    for name in ("ip-10-0-1-21.ec2.internal", "ip-10-0-1-21"):
        assert typed(box, NODE, f"getent hosts {name}").split() == ["10.0.1.21", "ip-10-0-1-21.ec2.internal"]
    assert typed(box, NODE, "getent hosts 10.0.1.10").split() == ["10.0.1.10", "ip-10-0-1-10.ec2.internal"]
    assert typed(box, NODE, "cat /etc/resolv.conf") == "nameserver 10.0.0.2\nsearch ec2.internal\n"
    assert typed(box, NODE, "cat /run/systemd/resolve/resolv.conf").startswith("nameserver 10.0.0.2\n")
    for server in ("10.0.0.2", "169.254.169.253"):
        assert typed(box, NODE, f"timeout 5 bash -c '</dev/tcp/{server}/53' && echo open") == "open\n"
        assert login(box, NODE, f"timeout 2 bash -c '</dev/tcp/{server}/80'").returncode == 124


def test_a_name_on_the_internet_is_no_lie(box: Sandbox) -> None:
    """What is in the sandbox's internet has an address; of the rest nobody says that it did not exist."""
    assert typed(box, NODE, "getent hosts one.one.one.one").split()[0] == "1.1.1.1"
    told = """python3 -c '
import socket
for name in ("github.com", "nobody.ec2.internal"):
    try:
        socket.getaddrinfo(name, 443)
    except socket.gaierror as problem:
        print(name, problem.errno == socket.EAI_AGAIN, problem.errno == socket.EAI_NONAME)'"""
    assert typed(box, NODE, told) == "github.com True False\nnobody.ec2.internal False True\n"


def test_it_knows_its_own_name(box: Sandbox) -> None:
    assert typed(box, NODE, "hostname; hostname -f") == "ip-10-0-1-20\nip-10-0-1-20.ec2.internal\n"


def test_everybody_may_ping(box: Sandbox) -> None:
    """As on a real one, where systemd lets every group: ping has a socket without being root."""
    asked = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)"
    typed(box, NODE, f"python3 -c '{asked}'")
