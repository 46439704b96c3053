"""What a VPC's resolver answers to a name, and how the answer is written."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import replace

import pytest

from sandbox.names import NOWHERE, OUT_OF_SIGHT, Known, look_up
from sandbox.resolver import answer
from sandbox.state import Eni, LoadBalancer, State, Vpc

A, AAAA, PTR = 1, 28, 12
HERE = Vpc("vpc-1", ("10.0.0.0/16",), names_public=True)
NEXT = Vpc("vpc-2", ("10.9.0.0/16",), region="sa-east-1", names_public=True)


def eni(vpc: str, address: str, public: str) -> Eni:
    return Eni(f"eni-{vpc}", "subnet-1", vpc, f"i-{vpc}", 0, (address,), ((address, public),))


STATE = State(
    vpcs={vpc.id: vpc for vpc in (HERE, NEXT)},
    enis={
        e.id: e for e in (eni("vpc-1", "10.0.1.20", "203.0.113.4"), eni("vpc-2", "10.9.1.4", "203.0.113.9"))
    },
)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("ip-10-0-1-21.ec2.internal", Known("10.0.1.21")),
        ("ip-10-9-1-4.ec2.internal", NOWHERE),
        ("ip-10-0-1-21.sa-east-1.compute.internal", NOWHERE),
        ("ip-10-0-1-999.ec2.internal", NOWHERE),
        ("21.1.0.10.in-addr.arpa", Known(name="ip-10-0-1-21.ec2.internal")),
        ("4.113.0.203.in-addr.arpa", Known(name="ec2-203-0-113-4.compute-1.amazonaws.com")),
        ("1.1.1.1.in-addr.arpa", Known(name="one.one.one.one")),
        ("7.7.7.10.in-addr.arpa", NOWHERE),
        ("ec2-203-0-113-4.compute-1.amazonaws.com", Known("10.0.1.20")),
        ("ec2-203-0-113-9.sa-east-1.compute.amazonaws.com", Known("203.0.113.9")),
        ("ec2-203-0-113-9.compute-1.amazonaws.com", OUT_OF_SIGHT),
        ("instance-data.ec2.internal", Known("169.254.169.254")),
        ("one.one.one.one", Known("1.1.1.1")),
        ("github.com", OUT_OF_SIGHT),
        ("worker-0", NOWHERE),
    ],
)
def test_a_name_stands_for_what_aws_says(name: str, known: Known) -> None:
    """A public name for the private address within its VPC; what else is on the internet, nobody knows."""
    assert look_up(name, HERE, STATE) == known


def test_a_load_balancer_s_name_stands_for_what_it_is_reached_at() -> None:
    """The public address where it faces the internet, for its own VPC as well; else the private one."""
    faces, inside = eni("vpc-1", "10.0.1.9", "203.0.113.7"), replace(eni("vpc-1", "10.0.1.8", ""), public=())
    balancers = {
        each.id: LoadBalancer(f"arn:{name}", f"{name}-1.elb.us-east-1.amazonaws.com", each)
        for name, each in (
            ("Kubernetes", replace(faces, id="eni-8")),
            ("inside", replace(inside, id="eni-9")),
        )
    }
    state = replace(STATE, load_balancers=balancers)
    assert look_up("kubernetes-1.elb.us-east-1.amazonaws.com", HERE, state) == Known("203.0.113.7")
    assert look_up("inside-1.elb.us-east-1.amazonaws.com", NEXT, state) == Known("10.0.1.8")
    assert look_up("nobody-1.elb.us-east-1.amazonaws.com", HERE, state) == OUT_OF_SIGHT


def test_another_region_has_its_own_names() -> None:
    assert look_up("ip-10-9-1-4.sa-east-1.compute.internal", NEXT, STATE) == Known("10.9.1.4")
    assert look_up("ec2-203-0-113-4.compute-1.amazonaws.com", NEXT, STATE) == Known("203.0.113.4")
    assert (NEXT.domain, NEXT.resolver) == ("sa-east-1.compute.internal", "10.9.0.2")


def test_a_vpc_gives_public_names_only_where_it_is_told_to() -> None:
    state = replace(STATE, vpcs={"vpc-1": replace(HERE, names_public=False), "vpc-2": NEXT})
    for name in ("ec2-203-0-113-4.compute-1.amazonaws.com", "4.113.0.203.in-addr.arpa"):
        assert not look_up(name, state.vpcs["vpc-1"], state).exists


def asked(name: str, kind: int = A, number: int = 7) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!HH", kind, 1)


@pytest.mark.parametrize(
    ("name", "kind", "code", "data"),
    [
        ("IP-10-0-1-21.EC2.internal", A, 0, ipaddress.IPv4Address("10.0.1.21").packed),
        ("21.1.0.10.in-addr.arpa", PTR, 0, b"\x0cip-10-0-1-21\x03ec2\x08internal\0"),
        ("ip-10-0-1-21.ec2.internal", AAAA, 0, b""),
        ("nobody.ec2.internal", A, 3, b""),
        ("github.com", A, 2, b""),
    ],
)
def test_an_answer_has_the_question_its_code_and_its_record(
    name: str, kind: int, code: int, data: bytes
) -> None:
    """No such name and no such record are two things, and what cannot be known is a third."""
    query = asked(name, kind)
    said = answer(query, STATE, "vpc-1")
    number, flags, questions, answers, _, _ = struct.unpack_from("!HHHHHH", said)
    assert (number, flags, questions, answers) == (7, 0x8180 | code, 1, int(bool(data)))
    assert said[12 : len(query)] == query[12:]
    assert said[len(query) :] == (
        struct.pack("!HHHIH", 0xC00C, kind, 1, 60, len(data)) + data if data else b""
    )


def test_one_that_is_switched_off_says_nothing_and_neither_does_one_that_is_not_asked_anything() -> None:
    """enableDnsSupport; rubbish, and an answer instead of a question."""
    silent = replace(STATE, vpcs={"vpc-1": replace(HERE, resolves=False)})
    assert answer(asked("ip-10-0-1-21.ec2.internal"), silent, "vpc-1") == b""
    whole = asked("ip-10-0-1-21.ec2.internal")
    rubbish = [whole[:end] for end in range(len(whole))]
    rubbish += [whole[:2] + b"\x81" + whole[3:], whole[:12] + b"\xc0\x0c\0\1\0\1", whole[:12] + b"\xff" * 300]
    assert {answer(each, STATE, "vpc-1") for each in rubbish} == {b""}
