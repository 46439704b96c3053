"""Random packets on the sandbox's kernel, held against the model, one by one.

``KTHW_PACKETS=10400 ./run test tests/faults/test_all_packets.py`` sends more of them.
"""

from __future__ import annotations

import itertools
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any, Final

import pytest

from kthw.findings.proof import fate
from kthw.network.flows import Flow
from kthw.network.model import Network
from kthw.observed.evidence import Evidence
from kthw.observed.gather import gather
from kthw.words.messages import catalogue
from sandbox.access import Access
from sandbox.box import Sandbox, ec2_client, start, why_no_packets
from sandbox.building import build
from sandbox.dressing import dress
from sandbox.faults import stages
from sandbox.faults.names import names
from tests.asked import intended
from tests.faults.random_rules import PODS, Rules
from tests.faults.volley import Shot, Volley

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

NO_PACKETS = why_no_packets(catalogue("en").say)
pytestmark = [pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS), pytest.mark.slow]

PACKETS: Final = int(os.environ.get("KTHW_PACKETS", "2600"))
LABS: Final = 8
EACH: Final = PACKETS // LABS
PROTOCOLS: Final = ("icmp", "tcp", "tcp", "tcp", "udp", "udp", "udp")
WORKERS: Final = tuple(f"worker-{n}" for n in range(3))


class Cluster:
    """Three workers in two subnets, with made-up pods, whose rules are drawn anew for each lab."""

    def __init__(self, box: Sandbox, stage: str) -> None:
        self._box = box
        self._chance = random.Random(stage)  # noqa: S311 -- a seed, no secret
        self._ec2: EC2Client = ec2_client(box.target.endpoint)
        lab = stages.STAGES[stage]
        self._intended = intended(lab.options, lab.names(), box.target)
        built = build(self._ec2, lab, lab.names(), Access(box.directory).key)
        dress(self._ec2, lab, built, box.directory)
        found = self._ec2.describe_instances(InstanceIds=list(built))["Reservations"]
        vpc = found[0]["Instances"][0]["VpcId"]
        self._ids = names(self._ec2, vpc, self._intended.workers)
        self._addresses = {
            worker: sorted(self._chance.sample(range(10, 255), 40)) for worker in self._intended.workers
        }
        self.volley = Volley(box.directory, self._addresses, masked="bare" not in stage)
        self._card = self.volley.run(WORKERS[0], "ip -4 route show default").split(" dev ")[1].split()[0]
        self._parts: list[str] = []
        self._numbers = itertools.count()

    def draw(self) -> Rules:
        """Other rules than those that there are."""
        nodes = [self._ids[f"WORKER_{n}_IP"] for n in range(len(WORKERS))]
        rules = Rules(self._chance, nodes)
        self._draw_group(rules)
        for acl in {self._ids["ACL"], self._ids["ACL_2"]}:
            self._draw_acl(acl, rules)
        self._draw_routes(rules)
        for worker in WORKERS:
            self.volley.run(
                worker,
                "iptables -P FORWARD ACCEPT; iptables -F; iptables -X; nft delete table ip volley || true",
            )
            if rules.maybe(0.5):
                make = rules.iptables if rules.maybe(0.6) else rules.nft
                self.volley.run(worker, make(self._card))
        return rules

    def _draw_group(self, rules: Rules) -> None:
        group = self._ids["SG"]
        there: Any = self._ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
        self._ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=there["IpPermissions"])
        self._ec2.revoke_security_group_egress(GroupId=group, IpPermissions=there["IpPermissionsEgress"])
        self._ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules.ingress())
        self._ec2.authorize_security_group_egress(GroupId=group, IpPermissions=rules.egress())

    def _draw_acl(self, acl: str, rules: Rules) -> None:
        (there,) = self._ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"]
        for entry in there["Entries"]:
            if entry["RuleNumber"] < 32767:
                self._ec2.delete_network_acl_entry(
                    NetworkAclId=acl, RuleNumber=entry["RuleNumber"], Egress=entry["Egress"]
                )
        for entry in rules.acl():
            self._ec2.create_network_acl_entry(NetworkAclId=acl, **entry)
        for egress in (False, True):
            self._ec2.create_network_acl_entry(
                NetworkAclId=acl,
                RuleNumber=100,
                Egress=egress,
                RuleAction="allow",
                Protocol="-1",
                CidrBlock="0.0.0.0/0",
            )

    def _draw_routes(self, rules: Rules) -> None:
        tables = {self._ids["TABLE"], self._ids["TABLE_2"]}
        for table in tables:
            for part in self._parts:
                self._ec2.delete_route(RouteTableId=table, DestinationCidrBlock=part)
        drawn = rules.routes()
        self._parts = [part for part, _ in drawn]
        for table in tables:
            for part, number in drawn:
                target: Any = (
                    {"GatewayId": self._ids["IGW"]}
                    if number < 0
                    else {"InstanceId": self._ids[f"WORKER_{number}"]}
                )
                self._ec2.create_route(RouteTableId=table, DestinationCidrBlock=part, **target)

    def look(self) -> Evidence:
        return gather(self._box.target, self._intended)

    def shoot(self, count: int, ports: list[int]) -> tuple[dict[str, list[Shot]], set[int]]:
        """So many flows at random, by who sends them, and the numbers of those that were answered."""
        shots: dict[str, list[Shot]] = {worker: [] for worker in WORKERS}
        askers = {worker: self._chance.sample(range(32768, 61000), count) for worker in WORKERS}
        for place, number in zip(range(count), self._numbers, strict=False):
            one, other = self._chance.sample(range(3), 2)
            protocol = self._chance.choice(PROTOCOLS)
            port = (
                self._chance.choice(ports) if self._chance.random() < 0.6 else self._chance.randint(1, 65535)
            )
            asker = askers[WORKERS[one]][place]
            likely = [each for each in ports if each >= 32768 and each < 61000]
            if likely and self._chance.random() < 0.3:
                chosen = self._chance.choice(likely)
                asker = chosen if all(s.asker != chosen for s in shots[WORKERS[one]]) else asker
            has_ports = protocol != "icmp"
            shots[WORKERS[one]].append(
                Shot(
                    number,
                    protocol,
                    str(PODS[one][self._chance.choice(self._addresses[WORKERS[one]])]),
                    str(PODS[other][self._chance.choice(self._addresses[WORKERS[other]])]),
                    port if has_ports else 0,
                    asker if has_ports else 0,
                )
            )
        with self.volley.answering():
            return shots, self.volley.answered(shots)


@pytest.fixture(scope="module", params=["two subnets", "two subnets, bare"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with start(empty=True) as box:
        yield Cluster(box, request.param)


def test_a_pod_that_comes_and_goes_takes_no_packet_of_another(cluster: Cluster) -> None:
    """The bridges keep their address while a port with a lower one is there (``volley.BRIDGE``)."""
    port = "ip link add low address 02:00:00:00:00:01 type veth peer name far; ip link set low master cnio0"
    address = "cat /sys/class/net/cnio0/address"
    for worker in WORKERS:
        told = cluster.volley.run(worker, f"{address}; {port}; {address}; ip link del low")
        before, meanwhile = told.split()
        assert before == meanwhile


@pytest.mark.parametrize("lab", range(LABS // 2))
def test_each_of_many_random_packets_has_the_fate_that_the_model_says(
    cluster: Cluster, lab: int, record_property: Callable[[str, object], None]
) -> None:
    """Any address, protocol and port between pods, under rules at random; and not all of one fate."""
    ports = cluster.draw().ports
    evidence = cluster.look()
    assert not evidence.errors, evidence.errors
    network = Network(evidence)
    shots, answered = cluster.shoot(EACH, ports)
    count: Counter[tuple[str, bool]] = Counter()
    wrong = []
    for source, each in shots.items():
        for shot in each:
            destination = f"worker-{shot.destination.split('.')[2]}"
            flow = Flow(
                source=IPv4Address(shot.source),
                destination=IPv4Address(shot.destination),
                protocol=shot.protocol,  # type: ignore[arg-type]  # one of PROTOCOLS
                port=shot.port,
                asker=shot.asker,
            )
            said = fate(network, source, destination, flow)
            came = shot.number in answered
            count[said.outcome, came] += 1
            if said.outcome != "unknown" and (said.outcome == "proved") != came:
                wrong.append((str(flow), said.outcome, said.stop and said.stop.where, came))
    told = ", ".join(f"{said} {'answered' if came else 'lost'}: {n}" for (said, came), n in count.items())
    record_property("agreement", f"lab {lab}: {told}")
    print(f"lab {lab}: {told}")  # noqa: T201 -- what the docs state
    assert not wrong, f"{len(wrong)} of {EACH}: {wrong[:10]}"
