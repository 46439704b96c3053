"""The two ends of a pair: what holds for each alone, and where one end's node makes a difference."""

from __future__ import annotations

from kthw.findings.ends import End
from kthw.findings.path import obstacles
from kthw.network.model import Network
from kthw.observed.evidence import Evidence
from tests.findings.changed_aws import by_eni, in_two_subnets, with_route, with_second_interface, with_table
from tests.findings.changed_nodes import with_cni, with_node
from tests.findings.clusters import OK, ONE, SUBNET, SUBNET_2, TABLE
from tests.findings.faults_of_cni import NO_GATEWAY, unmade, with_another
from tests.findings.faults_of_policy_rules import FAULTS as OF_RULES
from tests.findings.judged import asked


def end(evidence: Evidence) -> End:
    return End(Network(evidence), "worker-1")


def test_pods_that_are_shut_in_or_were_not_made_are_in_the_way() -> None:
    assert [each.variant for each in end(NO_GATEWAY).pods] == ["no-gateway"]
    assert [each.code for each in end(unmade("refused", "said")).pods] == ["cni-plugin-fails"]


def test_what_pods_of_another_files_range_send_goes_out_behind_a_masquerade() -> None:
    elsewhere = end(with_another("10.88.0.0/16"))
    assert [each.variant for each in elsewhere.pods] == ["another"]
    assert elsewhere.towards("worker-2") == []
    bare = end(with_another("10.88.0.0/16", ip_masq=False))
    assert [each.variant for each in bare.towards("worker-2")] == ["another"]
    shut_in = end(with_cni(OK, "worker-1", gateway=False))
    assert [each.variant for each in shut_in.towards("worker-2")] == ["no-gateway"]


def test_answers_that_another_table_misleads_to_one_node_reach_the_other() -> None:
    rules = OF_RULES["a policy rule by source takes answers and the internet along"][0].nodes["worker-1"]
    astray = tuple(way for way in rules.beyond if way.towards == "worker-0")
    evidence = with_node(OK, "worker-1", lookups=rules.lookups, beyond=astray)
    network = Network(evidence)
    assert [each.code for each in obstacles(network, "worker-0", "worker-1")] == ["node-route-conflict"]
    assert list(obstacles(network, "worker-2", "worker-1")) == []
    # Those to pods that are not masqueraded are for the pods, which that table leads right.
    assert obstacles(Network(with_cni(evidence, "worker-0", ip_masq=False)), "worker-0", "worker-1") == []


def test_an_interface_that_a_route_leads_to_is_to_hand_on_as_well() -> None:
    """It is known by any of its addresses; sysctl has a slash where its name has a dot."""
    second = with_route(with_second_interface(OK, 1), *by_eni(ONE))
    links = OK.nodes["worker-1"].links
    addresses = ("192.168.7.1/24", "10.0.1.121/24")
    link = type(links[0])(name="ens6.7", up=True, mtu=9001, addresses=addresses, forwarding=False)
    (found,) = asked(with_node(second, "worker-1", links=(*links, link)), "forwarding-on").findings
    assert found.observed == "net.ipv4.conf.ens6/7.forwarding = 0"
    assert asked(with_node(OK, "worker-1", links=(*links, link)), "forwarding-on").findings == ()


def test_of_two_subnets_that_no_table_names_a_packet_meets_its_own_alone() -> None:
    network = Network(with_table(in_two_subnets(OK, table=TABLE), subnets=()))
    assert {each.subject for each in obstacles(network, "worker-0", "worker-1")} == {SUBNET}
    assert {each.subject for each in obstacles(network, "worker-2", "worker-0")} == {SUBNET_2}
