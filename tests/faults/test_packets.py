"""What breaks the network breaks exactly the pairs it should, measured pod to pod, and is named.

One sandbox with routes; each test makes one change through the API, looks with the library, judges
with the suite's own checks, and puts things right again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from kthw.intended.cluster import Intended
from kthw.observed.evidence import Evidence
from kthw.observed.gather import gather
from kthw.words.messages import catalogue
from sandbox.box import Sandbox, ec2_client, start, why_no_packets
from tests.faults.judge import findings
from tests.own_address import OWN_ADDRESS

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

NO_PACKETS = why_no_packets(catalogue("en").say)
pytestmark = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)

WORKERS = ("worker-0", "worker-1", "worker-2")
INTENDED = Intended(workers=WORKERS)
ALL = {(a, b) for a in WORKERS for b in WORKERS if a != b}
NODE_RANGE: Any = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
LAPTOP: Any = [{"CidrIp": "198.51.100.10/32"}]
PORT_22: Any = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": LAPTOP}


class Lab:
    """The tutorial's cluster with its three routes, and the ids a change needs."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.ec2: EC2Client = ec2_client(box.target.endpoint)
        kubernetes: Any = [{"Name": "tag:Name", "Values": ["kubernetes"]}]
        self.table = self.ec2.describe_route_tables(Filters=kubernetes)["RouteTables"][0]["RouteTableId"]
        groups = self.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["kubernetes"]}])
        self.group = groups["SecurityGroups"][0]["GroupId"]
        self.ids = {
            tag["Value"]: instance["InstanceId"]
            for reservation in self.ec2.describe_instances()["Reservations"]
            for instance in reservation["Instances"]
            for tag in instance["Tags"]
        }
        for number in range(3):
            self.route(number)

    def route(self, number: int) -> None:
        self.ec2.create_route(
            RouteTableId=self.table,
            DestinationCidrBlock=f"10.200.{number}.0/24",
            InstanceId=self.ids[f"worker-{number}"],
        )

    def unroute(self, number: int) -> None:
        self.ec2.delete_route(RouteTableId=self.table, DestinationCidrBlock=f"10.200.{number}.0/24")

    def check(self, worker: str, *, on: bool) -> None:
        self.ec2.modify_instance_attribute(InstanceId=self.ids[worker], SourceDestCheck={"Value": on})

    def look(self) -> Evidence:
        return gather(self.box.target, INTENDED)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with start(WORKERS, like=OWN_ADDRESS) as box:
        yield Lab(box)


def cut(evidence: Evidence) -> set[tuple[str, str]]:
    """The pairs with a probe that did not get through; all six must have been measured, both ways."""
    pairs = [probe for probe in evidence.probes if probe.kind == "pod"]
    measured = {(p.source, p.destination, p.protocol, p.size) for p in pairs}
    assert measured == {
        (a, b, protocol, size) for a, b in ALL for protocol in ("icmp", "tcp", "udp") for size in (0, 1500)
    }
    failed = {(p.source, p.destination) for p in pairs if not p.reached}
    whole = {(p.source, p.destination) for p in pairs if p.reached}
    assert not failed & whole, "all protocols and sizes share every fate here"
    return failed


def codes(evidence: Evidence) -> set[tuple[str, str]]:
    """(code, worker) of every finding but the symptom."""
    return {(f.code, f.worker) for f in findings(evidence) if f.code != "pod-unreachable"}


def test_with_all_routes_every_pair_talks(lab: Lab) -> None:
    """The healthy cluster: six pairs both ways, their own node, the internet; no finding."""
    seen = lab.look()
    assert not seen.errors
    assert cut(seen) == set()
    assert all(probe.reached for probe in seen.probes)
    assert findings(seen) == []


@pytest.mark.parametrize("number", range(3))
def test_a_deleted_route_cuts_the_pairs_it_carried(lab: Lab, number: int) -> None:
    """Without the route to a worker's pods, exactly the pairs that end there fail."""
    lab.unroute(number)
    seen = lab.look()
    lab.route(number)
    worker = f"worker-{number}"
    assert cut(seen) == {(a, b) for a, b in ALL if b == worker}
    assert codes(seen) == {("route-missing", worker)}


def test_source_dest_check_cuts_the_pairs_that_end_there(lab: Lab) -> None:
    """On again at one worker: exactly the pairs that end there fail (masquerade hides the others)."""
    lab.check("worker-1", on=True)
    seen = lab.look()
    lab.check("worker-1", on=False)
    assert cut(seen) == {(a, b) for a, b in ALL if b == "worker-1"}
    assert codes(seen) == {("source-dest-check-on", "worker-1")}


def test_without_the_node_range_rule_nothing_crosses(lab: Lab) -> None:
    """All cross-node traffic fails, though the pod-range rule is there: masquerade shows node addresses."""
    lab.ec2.revoke_security_group_ingress(GroupId=lab.group, IpPermissions=[NODE_RANGE])
    seen = lab.look()
    lab.ec2.authorize_security_group_ingress(GroupId=lab.group, IpPermissions=[NODE_RANGE])
    assert cut(seen) == ALL
    assert {code for code, _ in codes(seen)} == {"security-group-blocks"}


def test_a_stopped_worker_is_a_blackhole(lab: Lab) -> None:
    """Its route turns to blackhole, it is not running, and the other two still talk."""
    lab.ec2.stop_instances(InstanceIds=[lab.ids["worker-2"]])
    seen = lab.look()
    lab.ec2.start_instances(InstanceIds=[lab.ids["worker-2"]])
    assert codes(seen) == {("worker-not-running", "worker-2"), ("route-blackhole", "worker-2")}
    others = [p for p in seen.probes if p.kind == "pod"]
    assert {(p.source, p.destination) for p in others} == {("worker-0", "worker-1"), ("worker-1", "worker-0")}
    assert all(p.reached for p in others)


def test_without_port_22_nothing_of_a_node_is_claimed_but_that_nobody_may_log_in(lab: Lab) -> None:
    """Nobody can log in: an SSH error for each worker, nothing measured; and AWS's rules say why."""
    lab.ec2.revoke_security_group_ingress(GroupId=lab.group, IpPermissions=[PORT_22])
    seen = lab.look()
    lab.ec2.authorize_security_group_ingress(GroupId=lab.group, IpPermissions=[PORT_22])
    assert {(e.code, e.worker) for e in seen.errors} == {("ssh-unreachable", worker) for worker in WORKERS}
    assert seen.probes == ()
    assert {(f.code, f.worker) for f in findings(seen)} == {("ssh-port-closed", worker) for worker in WORKERS}


def test_what_was_gathered_is_judged_the_same_from_its_file(lab: Lab) -> None:
    """Evidence written as JSON and read again is the same evidence, with the same findings."""
    lab.unroute(0)
    seen = lab.look()
    lab.route(0)
    again = msgspec.convert(msgspec.to_builtins(seen), Evidence)
    assert again == seen
    assert findings(again) == findings(seen) != []
