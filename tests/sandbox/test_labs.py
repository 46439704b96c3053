"""Each lab of ``--like`` is built, and the suite is green in it with the options that the lab names."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kthw.findings.judging import judge
from kthw.intended import tutorial
from kthw.intended.cluster import worker_names
from kthw.observed.gather import gather
from kthw.words.messages import LANGUAGES, catalogue
from sandbox import labs
from sandbox.access import SSH_CONFIG, Access
from sandbox.box import Sandbox, ec2_client, start, why_no_packets
from sandbox.building import build
from sandbox.dressing import dress
from sandbox.lab import Lab
from tests.asked import by_jump_host, intended, way_in, with_keys_only

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

NO_PACKETS = why_no_packets(catalogue("en").say)
carried = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)
Built = Callable[[str], Lab]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with start(empty=True) as box:
        yield box


@pytest.fixture
def ec2(box: Sandbox) -> EC2Client:
    return ec2_client(box.target.endpoint)


@pytest.fixture
def built(box: Sandbox, ec2: EC2Client) -> Iterator[Built]:
    """Builds a lab; what stands at the end is taken away, and its names with it."""
    with contextlib.ExitStack() as closing:

        def one(name: str) -> Lab:
            lab = labs.lab(name)
            machines = build(ec2, lab, lab.names(), Access(box.directory).key)
            closing.callback(ec2.delete_tags, Resources=list(machines))
            closing.callback(ec2.terminate_instances, InstanceIds=list(machines))
            dress(ec2, lab, machines, box.directory)
            return lab

        yield one


@pytest.mark.slow
@carried
@pytest.mark.parametrize("name", labs.NAMES)
def test_the_suite_is_green_in_a_lab_with_the_options_it_names(
    box: Sandbox, built: Built, name: str, tmp_path: Path
) -> None:
    """But in the tutorial's: there the chapter's routes are yet to be made."""
    lab = built(name)
    target = way_in(lab.options, with_keys_only(box.target, tmp_path))
    seen = gather(target, intended(lab.options, worker_names(tutorial.WORKERS), target))
    assert len(seen.intended.workers) == lab.workers
    verdict = judge(seen)
    found = [f.code for f in verdict.findings if f.code != "pod-unreachable"]
    assert found == (["route-missing"] * lab.workers if name == labs.TUTORIAL else [])
    assert [str(error) for error in verdict.errors] == []
    assert {outcome.status for outcome in verdict.outcomes} - {"skipped"} <= {"passed", "failed"}
    lost = [str(probe) for probe in seen.probes if not probe.reached]
    assert bool(lost) == (name == labs.TUTORIAL), lost


@pytest.mark.slow
@carried
def test_who_has_no_public_address_is_logged_in_to_by_the_jump_host_and_goes_out_by_the_nat_gateway(
    box: Sandbox, ec2: EC2Client, built: Built
) -> None:
    built("private")
    assert _ssh(box, "worker-0", "hostname").stdout == "ip-10-0-1-20\n"
    assert _goes_out(box, "worker-0")
    assert not _goes_out(box, "worker-0", port=81), "nobody answers there"
    nat: Any = ec2.describe_nat_gateways()["NatGateways"][-1]
    table = next(
        table["RouteTableId"]
        for table in ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [nat["VpcId"]]}])[
            "RouteTables"
        ]
        if any(route.get("GatewayId", "").startswith("igw-") for route in table["Routes"])
    )
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock=tutorial.EVERYWHERE)
    ec2.create_route(
        RouteTableId=table, DestinationCidrBlock="198.51.100.10/32", GatewayId=_gateway(ec2, nat["VpcId"])
    )
    assert not _goes_out(box, "worker-0"), "the NAT gateway's own subnet leads nowhere"


@pytest.mark.slow
@carried
def test_a_jump_host_that_nothing_but_the_option_names_is_the_way_to_the_pods(
    box: Sandbox, ec2: EC2Client, built: Built
) -> None:
    """Called so that the sandbox's ssh_config takes it for none: that has no way to the workers then."""
    lab = built("private")
    called: Any = [{"Name": "tag:Name", "Values": [lab.jump]}]
    running: Any = [*called, {"Name": "instance-state-name", "Values": ["running"]}]
    found = ec2.describe_instances(Filters=running)["Reservations"][0]["Instances"][0]["InstanceId"]
    ec2.create_tags(Resources=[found], Tags=[{"Key": "Name", "Value": "edge"}])
    assert "10.0.1.20" not in (box.directory / SSH_CONFIG).read_text()
    verdict = judge(gather(by_jump_host(box.target, "edge"), intended((), lab.names(), box.target)))
    assert [str(error) for error in verdict.errors] == []
    pods = [probe for probe in verdict.evidence.probes if probe.kind == "pod"]
    assert pods
    assert [str(probe) for probe in pods if not probe.reached] == []


def _gateway(ec2: EC2Client, vpc: str) -> str:
    its: Any = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    return ec2.describe_internet_gateways(Filters=its)["InternetGateways"][0]["InternetGatewayId"]


def _goes_out(box: Sandbox, name: str, port: int = tutorial.INTERNET_PORT) -> bool:
    program = f'import socket; socket.create_connection(("{tutorial.INTERNET_HOST}", {port}), 2)'
    return _ssh(box, name, f"python3 -c '{program}'").returncode == 0


def _ssh(box: Sandbox, name: str, command: str) -> subprocess.CompletedProcess[str]:
    config = str(box.directory / SSH_CONFIG)
    return subprocess.run(
        ["ssh", "-F", config, name, command], capture_output=True, text=True, check=False, timeout=90
    )


@pytest.mark.parametrize("name", labs.NAMES)
def test_a_lab_has_room_for_as_many_workers_as_it_takes(name: str) -> None:
    lab = labs.lab(name)
    machines = lab.machines(lab.names(lab.most))
    assert len({machine.address for machine in machines}) == len(machines)
    pods = [IPv4Network(machine.pod_cidr) for machine in machines if machine.pod_cidr]
    assert len(pods) == lab.most
    vpc = IPv4Network(lab.vpc)
    assert all(IPv4Network(each).subnet_of(vpc) for each in lab.ranges(lab.most))
    assert not any(pod.overlaps(vpc) for pod in pods)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_lab_has_its_sentence(language: str) -> None:
    words = catalogue(language)
    assert len({words.say(f"sandbox-lab-{name}") for name in labs.NAMES}) == len(labs.NAMES) >= 14
