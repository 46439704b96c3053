"""A node as the workers chapter and every debugging page use it."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import images, labs
from sandbox.box import Sandbox, ec2_client, start
from sandbox.on_node.absent import PACKAGES
from sandbox.release import release
from tests.ordinary_user import AS_USER, whoever
from tests.sandbox.login import login, typed
from tests.sandbox.test_commands import NO_PACKETS, ROOT
from tests.test_architecture import OURS, imports_of, sources

pytestmark = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)
NODE, ADDRESS = "worker-0", "10.0.1.20"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with start((NODE,)) as box:
        yield box


def test_it_is_an_ubuntu_by_its_own_account(box: Sandbox) -> None:
    """Scripts ask; and Ubuntu's PATH has sbin in it, for everybody."""
    system = release(images.name_of(labs.lab(labs.TUTORIAL).image))
    assert typed(box, NODE, ". /etc/os-release; echo $ID $VERSION_ID") == f"{system.id} {system.version}\n"
    assert system.is_ubuntu
    assert typed(box, NODE, "echo $PATH").startswith("/usr/local/sbin:/usr/local/bin:/usr/sbin:")
    assert typed(box, NODE, "command -v sysctl").strip().endswith("sbin/sysctl")


def test_root_has_a_shell_of_its_own(box: Sandbox) -> None:
    assert typed(box, NODE, "sudo -i whoami; sudo -i pwd") == "root\n/root\n"


def test_what_is_put_into_usr_local_stays_and_nothing_of_this_computer_s_is_there(box: Sandbox) -> None:
    """Where the workers chapter has kubelet and the others."""
    assert (
        typed(box, NODE, "find /usr/local -type f; find /usr/local -type l ! -lname /opt/sandbox/run") == ""
    )
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


def test_its_routes_are_those_that_dhcp_brings(box: Sandbox) -> None:
    """With a metric, so that a default route that somebody adds comes first. One is the sandbox's: to the
    subnet's machines by the router, for they cannot all be in the kernel's one table of neighbours."""
    lines = [" ".join(line.split()) for line in typed(box, NODE, "ip route").splitlines()]
    lines.remove("10.0.1.0/24 via 10.0.1.1 dev ens5 src 10.0.1.20 metric 100")
    assert lines == [
        "default via 10.0.1.1 dev ens5 proto dhcp src 10.0.1.20 metric 100",
        "10.0.1.0/24 dev ens5 proto kernel scope link src 10.0.1.20 metric 1100",
        "10.0.1.1 dev ens5 proto dhcp scope link src 10.0.1.20 metric 100",
    ]


def test_everybody_may_ping(box: Sandbox) -> None:
    """As on a real one, where systemd lets every group: ping has a socket without being root."""
    asked = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)"
    typed(box, NODE, f"python3 -c '{asked}'")


# --- programs that stand in for those that could not work --------------------------------------------------


def test_sshd_is_restarted_and_who_is_logged_in_stays(box: Sandbox) -> None:
    said = typed(box, NODE, "cat /run/sshd.pid; sudo systemctl restart sshd && cat /run/sshd.pid; echo here")
    before, after, here = said.split()
    assert (before != after, here) == (True, "here")
    assert (
        typed(box, NODE, "systemctl is-active ssh; sudo service ssh status | head -1")
        == "active\n● ssh.service\n"
    )


def test_a_setting_that_sshd_refuses_is_told_and_it_goes_on(box: Sandbox) -> None:
    spoil = "echo Nonsense yes | sudo tee -a /etc/ssh/sshd_config >/dev/null; sudo systemctl reload ssh"
    heal = "sudo sed -i /Nonsense/d /etc/ssh/sshd_config; sudo systemctl restart ssh"
    done = login(box, NODE, f"{spoil}; sudo systemctl stop ssh; sudo systemctl start ssh; echo $?; {heal}")
    assert done.stdout.splitlines()[-1] == "1"
    assert "Nonsense" in done.stderr
    assert typed(box, NODE, "systemctl is-active ssh") == "active\n"


UNIT = """[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/sbin/ip route replace 10.200.9.0/24 \\
    via 10.0.1.10
[Install]
WantedBy=multi-user.target
"""
DAEMON = "[Service]\nExecStart=/bin/sleep 600\n"


def test_a_unit_that_somebody_writes_is_run_and_again_after_a_restart(box: Sandbox) -> None:
    """How people keep kernel routes; enabled it comes back, and the name that was set does too."""
    write = f"printf '%s' '{UNIT}' | sudo tee /etc/systemd/system/pods.service >/dev/null"
    told = typed(box, NODE, f"{write}; sudo systemctl daemon-reload; sudo systemctl enable --now pods")
    assert told.startswith("Created symlink /etc/systemd/system/multi-user.target.wants/pods.service")
    assert "via 10.0.1.10" in typed(box, NODE, "ip route show 10.200.9.0/24; systemctl is-active pods")
    typed(box, NODE, "sudo hostnamectl set-hostname node-0; sudo -n true")
    ec2 = ec2_client(box.target.endpoint)
    identifier = typed(box, NODE, "cat /var/lib/cloud/data/instance-id").strip()
    ec2.stop_instances(InstanceIds=[identifier])
    ec2.start_instances(InstanceIds=[identifier])
    wait = (
        "for n in $(seq 100); do ip route show 10.200.9.0/24 | grep via && break; sleep 0.1; done; hostname"
    )
    assert typed(box, NODE, wait) == "10.200.9.0/24 via 10.0.1.10 dev ens5 \nnode-0\n"
    assert login(box, NODE, "sudo hostname true; true").stderr == "", "sudo knows the node's own name"


def test_a_service_runs_until_it_is_stopped(box: Sandbox) -> None:
    write = f"printf '%s' '{DAEMON}' | sudo tee /etc/systemd/system/kubelet.service >/dev/null"
    typed(box, NODE, f"{write}; sudo systemctl start kubelet; systemctl status kubelet >/dev/null")
    assert (
        typed(box, NODE, "sudo systemctl stop kubelet; systemctl is-active kubelet || echo $?")
        == "inactive\n3\n"
    )
    typed(box, NODE, "sudo sed -i s#/bin/sleep#/usr/local/bin/kubelet-1# /etc/systemd/system/kubelet.service")
    done = login(box, NODE, "sudo systemctl start kubelet")
    assert (done.returncode, "kubelet-1: No such file" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("sudo apt-get update", 0, "fetched and changed nothing"),
        ("sudo apt-get -y install sudo", 0, ""),
        ("sudo apt-get install -y no-such-thing", 100, "apt-get install no-such-thing"),
        ("sudo systemctl daemon-reload", 0, "no systemd"),
        ("systemctl restart ssh", 1, ""),
        ("sudo systemctl start containerd", 5, "there is no containerd.service"),
        ("sudo swapoff -a", 0, "no swap of its own"),
        ("swapon --show", 0, ""),
        ("sudo modprobe no_such_module", 1, "sudo modprobe no_such_module"),
        ("sudo reboot", 1, "aws ec2 reboot-instances --instance-ids i-"),
        ("hostnamectl set-hostname me", 1, ""),
    ],
)  # fmt: skip
def test_each_says_what_it_did_and_did_not(box: Sandbox, line: str, code: int, said: str) -> None:
    done = login(box, NODE, line)
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", sorted(PACKAGES))
def test_a_program_that_this_computer_lacks_says_how_it_comes(box: Sandbox, name: str) -> None:
    if shutil.which(name):
        pytest.skip(f"{name} is here")
    done = login(box, NODE, f"sudo {name} 10.0.1.10")
    assert done.returncode == 127
    assert f"sudo apt-get install {PACKAGES[name]}" in done.stderr


def test_root_of_a_node_changes_neither_this_computer_s_kernel_nor_its_clock(box: Sandbox) -> None:
    """Capabilities 16 and 25, sys_module and sys_time, nobody has there."""
    bounds = typed(box, NODE, "sudo grep CapBnd /proc/self/status").split()[1]
    assert int(bounds, 16) & (1 << 16 | 1 << 25) == 0


def test_whoever_logs_in_to_type_is_told_what_it_is(box: Sandbox) -> None:
    assert "a node of a sandbox" in typed(box, NODE, "cat /etc/motd")


def test_they_import_nothing_that_an_older_python_lacks() -> None:
    """And nothing of ours but each other: they run on the node by the system's own."""
    for path in sources("sandbox/on_node"):
        tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
        assert tree.body
        for each in imports_of(path):
            ours = each.name.partition(".")[0] in OURS
            assert each.name.startswith("sandbox.on_node") if ours else is_stdlib(each.name), each


def is_stdlib(name: str) -> bool:
    return name.partition(".")[0] in {*sys.stdlib_module_names, "__future__"}


# --- instance metadata --------------------------------------------------------------------------------

IMDS = "http://169.254.169.254/latest"
LIFETIME = "X-aws-ec2-metadata-token-ttl-seconds: 60"
STATUS = "curl -s -o /dev/null -w '%{http_code} '"
POD = """
sudo ip netns add pod && sudo ip link add to-pod type veth peer name eth0 netns pod
sudo ip addr add 10.200.0.1/24 dev to-pod && sudo ip link set to-pod up
inside() { sudo nsenter --net=/run/netns/pod "$@"; }
inside ip addr add 10.200.0.9/24 dev eth0 && inside ip link set eth0 up
inside ip route add default via 10.200.0.1
sudo iptables -t nat -A POSTROUTING -s 10.200.0.0/24 ! -d 10.200.0.0/24 -j MASQUERADE
"""


def test_metadata_is_asked_as_every_page_asks_it(box: Sandbox) -> None:
    """HEAD; a token, which lives as long as it was told to; and a page for who asks for what is not there."""
    asked = (
        f"{STATUS} -I {IMDS}/meta-data/; {STATUS} -X PUT {IMDS}/api/token; {STATUS} {IMDS}/meta-data/nothing"
    )
    assert typed(box, NODE, asked).split() == ["200", "400", "404"]
    token = f"TOKEN=$(curl -s -X PUT {IMDS}/api/token -H '{LIFETIME}')"
    whole = f'{token}; curl -s -H "X-aws-ec2-metadata-token: $TOKEN" {IMDS}/meta-data/local-ipv4'
    assert typed(box, NODE, whole) == ADDRESS
    assert "<h1>404 - Not Found</h1>" in typed(box, NODE, f"curl -s {IMDS}/meta-data/nothing")
    mac = typed(box, NODE, f"cat /sys/class/net/ens5/address; curl -s {IMDS}/meta-data/mac").split()
    assert mac[0] == mac[1]


def test_a_token_goes_as_far_as_the_hop_limit(box: Sandbox) -> None:
    """With one hop, as it is, a pod that its node forwards for gets none, though it is told all the rest."""
    typed(box, NODE, f"set -e; {POD}")
    within = "sudo nsenter --net=/run/netns/pod"
    status = f"{within} {STATUS} -m 2"
    asked = f"{status} {IMDS}/user-data; {status} -X PUT {IMDS}/api/token -H '{LIFETIME}'"
    assert login(box, NODE, asked).stdout.split() == ["200", "000"]
    identifier = typed(box, NODE, "cat /var/lib/cloud/data/instance-id").strip()
    ec2_client(box.target.endpoint).modify_instance_metadata_options(
        InstanceId=identifier, HttpPutResponseHopLimit=2
    )
    assert login(box, NODE, asked).stdout.split() == ["200", "200"]


_BY_ANYBODY = """
getent hosts ip-10-0-1-21; sudo -i whoami; sudo systemctl restart ssh && systemctl is-active ssh
sudo hostnamectl set-hostname node-0; hostname; sudo apt-get -y install sudo >/dev/null && echo installed
sudo touch /usr/local/bin/kubelet && ls /usr/local/bin/kubelet
python3 -c "from socket import *; socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)" && echo pings
"""


@pytest.mark.slow
@AS_USER
def test_a_node_of_an_ordinary_user_s_is_the_same(tmp_path: Path) -> None:
    with whoever("student", tmp_path) as who:
        done = subprocess.run(
            [*who.through, sys.executable, "-m", "sandbox", "run", "--workers", "1", "--",
             "ssh", NODE, _BY_ANYBODY],
            cwd=ROOT, env={**os.environ, **who.environment, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, check=False, timeout=240,
        )  # fmt: skip
    assert done.stdout.split() == [
        "10.0.1.21", "ip-10-0-1-21.ec2.internal", "root", "active", "node-0", "installed",
        "/usr/local/bin/kubelet", "pings",
    ], done.stderr  # fmt: skip
