"""Answers that AWS would never give, and what each costs: one worker, one kind of thing, all, or nothing."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.observed.api_answers import HEALTHY, Answer, user_data

EVERYTHING = "everything"
NOTHING = "nothing"
"""What is wrong is read by nobody, or said in a way that is believed."""


@dataclass(frozen=True)
class Hostile:
    """``detail``: what the error says, at least. ``cost`` is one of

    ``EVERYTHING``; ``NOTHING``; a worker; ``lost:worker``, of which the id is not known either;
    ``user-data:worker``; ``nameless``, and ``nameless:worker`` where it is that worker's name;
    ``finding:code``: it is believed, and nothing but that is found; or a kind of resource.
    """

    name: str
    action: str
    answer: Answer
    cost: str
    detail: str = ""


def _changed(action: str, old: str, new: str, count: int = 1) -> bytes:
    healthy = HEALTHY[action]
    assert old in healthy, (action, old)
    return healthy.replace(old, new, count).encode(errors="surrogatepass")


_VALUES: dict[tuple[str, str], list[tuple[str, str, str]]] = {
    ("DescribeInstances", "worker-0"): [
        ("public address runs a command", "<ipAddress>203.0.113.20</ipAddress>",
         "<ipAddress>$(touch x)</ipAddress>"),
        ("public address has a newline", "<ipAddress>203.0.113.20</ipAddress>",
         "<ipAddress>203.0.113.20\nx</ipAddress>"),
        ("public address is IPv6", "<ipAddress>203.0.113.20</ipAddress>",
         "<ipAddress>2001:db8::1</ipAddress>"),
        ("public address is too high", "<ipAddress>203.0.113.20</ipAddress>",
         "<ipAddress>203.0.113.256</ipAddress>"),
        ("public address is an option", "<ipAddress>203.0.113.20</ipAddress>",
         "<ipAddress>-oProxyCommand=x</ipAddress>"),
        ("public address twice", "<ipAddress>203.0.113.20</ipAddress>",
         "<ipAddress>203.0.113.20</ipAddress>" * 2),
        ("private address runs a command", "<privateIpAddress>10.0.1.20</privateIpAddress>",
         "<privateIpAddress>`id`</privateIpAddress>"),
        ("private address is IPv6", "<privateIpAddress>10.0.1.20</privateIpAddress>",
         "<privateIpAddress>fd00::1</privateIpAddress>"),
        ("private address is very long", "<privateIpAddress>10.0.1.20</privateIpAddress>",
         f"<privateIpAddress>{'1' * 10**6}</privateIpAddress>"),
        ("no state", "<name>running</name>", ""),
        ("state is a sentence", "<name>running<", "<name>\x7f run; rm -rf<"),
        ("vpc is no id", "<vpcId>vpc-0a</vpcId><subnetId>", "<vpcId>vpc 0a</vpcId><subnetId>"),
        ("subnet is no id", "<subnetId>subnet-0a<", "<subnetId>$x<"),
        ("device index is x", "<deviceIndex>0<", "<deviceIndex>x<"),
        ("device index is negative", "<deviceIndex>0<", "<deviceIndex>-1<"),
        ("device index is huge", "<deviceIndex>0<", f"<deviceIndex>{'9' * 5000}<"),
        ("interface id has an escape", "<networkInterfaceId>eni-00<", "<networkInterfaceId>eni [31m<"),
        ("no interface id", "<networkInterfaceId>eni-00</networkInterfaceId>", ""),
        ("source/dest check is maybe", "<sourceDestCheck>false<", "<sourceDestCheck>maybe<"),
        ("source/dest check twice", "<sourceDestCheck>false</sourceDestCheck>",
         "<sourceDestCheck>false</sourceDestCheck><sourceDestCheck>true</sourceDestCheck>"),
        ("group of an interface is empty", "<groupId>sg-0a<", "<groupId><"),
        ("secondary address is text", "<item><privateIpAddress>10.0.1.20<", "<item><privateIpAddress>ten<"),
        ("public address of the interface", "<publicIp>203.0.113.20<", "<publicIp>$(id)<"),
    ],
    ("DescribeInstances", "lost:worker-0"): [
        ("no instance id", "<instanceId>i-00</instanceId>", ""),
        ("instance id is a path", "<instanceId>i-00<", "<instanceId>../../x y<"),
        ("instance id is empty", "<instanceId>i-00<", "<instanceId><"),
    ],
    ("DescribeInstances", "finding:worker-not-running"): [
        ("state is unheard of", "<name>running<", "<name>hibernating<"),
    ],
    ("DescribeInstances", NOTHING): [
        ("another tag is very long", "<value>ana-0<", f"<value>{'a' * 5000}<"),
        ("another tag has escapes", "<value>ana-0<", "<value>\u202e\u009b31m<"),
        ("launch time is no time", "2026-01-01T00:00:00.000Z", "yesterday"),
        ("a number that nobody reads", "<code>16<", "<code>sixteen<"),
        ("machine that is no worker", "<privateIpAddress>10.0.1.23<", "<privateIpAddress>x<"),
    ],
    ("DescribeInstances", "nameless:worker-0"): [
        ("names twice", "<value>worker-0</value>", "<value>worker-0</value><value>x</value>"),
        ("name is endless", "<value>worker-0<", f"<value>{'w' * 10**5}<"),
        ("tags twice", "<tagSet>", "<tagSet/><tagSet>"),
    ],
    ("DescribeInstances", "nameless"): [
        ("reservation without instances", "</reservationSet>", "<item/></reservationSet>"),
    ],
    ("DescribeRouteTables", "route-table"): [
        ("route to no range", "<destinationCidrBlock>10.200.1.0/24</destinationCidrBlock>",
         "<destinationCidrBlock>10.200.1.0/99</destinationCidrBlock>"),
        ("route to text", "<destinationCidrBlock>10.200.1.0/24</destinationCidrBlock>",
         "<destinationCidrBlock>$(id)</destinationCidrBlock>"),
        ("route to nowhere", "<destinationCidrBlock>10.200.1.0/24</destinationCidrBlock>", ""),
        ("route to IPv6 as IPv4", "<destinationCidrBlock>10.200.1.0/24</destinationCidrBlock>",
         "<destinationCidrBlock>::/0</destinationCidrBlock>"),
        ("route to an instance with a newline", "<instanceId>i-01<", "<instanceId>i-01\n<"),
        ("state of a route is empty", "igw-0a</gatewayId><state>active<", "igw-0a</gatewayId><state><"),
        ("routes twice", "<routeTableId>rtb-0a</routeTableId>",
         "<routeTableId>rtb-0a</routeTableId><routeSet/>"),
        ("main is perhaps", "<main>false<", "<main>perhaps<"),
        ("no table id", "<routeTableId>rtb-0a</routeTableId>", ""),
        ("associated with no id", "<subnetId>subnet-0a<", "<subnetId>a b<"),
    ],
    ("DescribeRouteTables", "finding:internet-route-blackhole"): [
        ("state of a route is unheard of", "igw-0a</gatewayId><state>active<",
         "igw-0a</gatewayId><state>filtered<"),
    ],
    ("DescribeRouteTables", NOTHING): [
        ("main table that rules no worker", "<gatewayId>local<", "<gatewayId>lo cal<"),
    ],
    ("DescribeSecurityGroups", "security-group"): [
        ("range of a group is no range", "<cidrIp>10.200.0.0/16</cidrIp>", "<cidrIp>10.200.0.0</cidrIp>"),
        ("range of a group is IPv6", "<cidrIp>10.200.0.0/16</cidrIp>", "<cidrIp>fd00::/8</cidrIp>"),
        ("rule without protocol", "<ipProtocol>-1</ipProtocol>", ""),
        ("protocol is a sentence", "<ipProtocol>-1<", "<ipProtocol>any of them<"),
        ("port is text", "<ipProtocol>-1</ipProtocol>",
         "<ipProtocol>tcp</ipProtocol><fromPort>ssh</fromPort>"),
        ("port is too high", "<ipProtocol>-1</ipProtocol>",
         "<ipProtocol>tcp</ipProtocol><toPort>70000</toPort>"),
        ("group of a rule is no id", "<ipRanges>",
         "<groups><item><groupId>!</groupId></item></groups><ipRanges>"),
        ("no group id", "<groupId>sg-0a</groupId>", ""),
        ("group's name is endless", "of sg-0a", "x" * 10**5),
    ],
    ("DescribeSecurityGroups", NOTHING): [
        ("group that no worker has", "<groupId>sg-0z<", "<groupId>sg 0z<"),
    ],
    ("DescribeNetworkAcls", "network-acl"): [
        ("rule number is text", "<ruleNumber>100<", "<ruleNumber>first<"),
        ("rule neither allows nor denies", "<ruleAction>allow<", "<ruleAction>ask<"),
        ("direction is both", "<egress>true<", "<egress>both<"),
        ("range of an entry", "<cidrBlock>0.0.0.0/0<", "<cidrBlock>0.0.0.0/33<"),
        ("entry without a range", "<cidrBlock>0.0.0.0/0</cidrBlock>", ""),
    ],
    ("DescribeNetworkAcls", NOTHING): [
        ("acl of another subnet", "<networkAclId>acl-0z<", "<networkAclId><"),
    ],
    ("DescribeVpcs", "vpc"): [
        ("range of the vpc", "<cidrBlock>10.0.0.0/16<", "<cidrBlock>10.0.0.0/16; id<"),
        ("range of the vpc is missing", "<vpcId>vpc-0a</vpcId><cidrBlock>10.0.0.0/16</cidrBlock>",
         "<vpcId>vpc-0a</vpcId>"),
        ("further range of the vpc", "<item><cidrBlock>10.0.0.0/16<", "<item><cidrBlock>ten<"),
        ("no vpc id", "<vpcId>vpc-0a</vpcId>", ""),
    ],
    ("DescribeSubnets", NOTHING): [
        ("range of a subnet", "10.0.1.0/24", "10.0.1.0"),
        ("number of free addresses", "<availableIpAddressCount>250<", "<availableIpAddressCount>many<"),
    ],
    ("DescribeInternetGateways", "internet-gateway"): [
        ("gateway's vpc is no id", "<vpcId>vpc-0a<", "<vpcId>\u00a0<"),
        ("no gateway id", "<internetGatewayId>igw-0a</internetGatewayId>", ""),
        ("attachments twice", "<attachmentSet><item>", "<attachmentSet/><attachmentSet><item>"),
    ],
    ("DescribeInternetGateways", NOTHING): [
        ("gateway that is nowhere", "<internetGatewayId>igw-0z<", "<internetGatewayId>i g w<"),
    ],
}  # fmt: skip
"""By call and cost: one value in a healthy answer, and what stands there instead."""


def _values() -> Iterator[Hostile]:
    for (action, cost), rows in _VALUES.items():
        for name, old, new in rows:
            yield Hostile(name, action, _changed(action, old, new), cost)


_WHOLE: dict[str, bytes] = {
    "nothing at all": b"",
    "web page": b"<html><body>Welcome!<br></body></html>",
    "web page that is XML": b"<html><body><p>Welcome!</p></body></html>",
    "other document": b'<?xml version="1.0"?><feed><entry>1</entry></feed>',
    "json": b'{"Reservations": []}',
    "binary": bytes(range(256)) * 10,
    "entities without end": b'<!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]><x>&a11;</x>",
    "very deep": b"<a>" * 100_000 + b"</a>" * 100_000,
    "other encoding": '<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16"),
}  # fmt: skip
_OF_KIND = {
    "DescribeVpcs": "vpc",
    "DescribeSubnets": NOTHING,
    "DescribeRouteTables": "route-table",
    "DescribeInternetGateways": "internet-gateway",
    "DescribeSecurityGroups": "security-group",
    "DescribeNetworkAcls": "network-acl",
}


def _answers() -> Iterator[Hostile]:
    """Another answer altogether, with status 200."""
    for action in ("GetCallerIdentity", "DescribeInstances"):
        for name, body in _WHOLE.items():
            yield Hostile(f"{name} for {action}", action, body, EVERYTHING)
    for (action, cost), (name, body) in zip(_OF_KIND.items(), itertools.cycle(_WHOLE.items()), strict=False):
        yield Hostile(f"{name} for {action}", action, body, cost)
        cut = HEALTHY[action][: len(HEALTHY[action]) // 2].encode()
        yield Hostile(f"half of {action}", action, cut, cost)
        swapped = HEALTHY["DescribeVpcs" if action != "DescribeVpcs" else "DescribeSubnets"]
        yield Hostile(f"another call's answer for {action}", action, swapped.encode(), cost)


def _too_much(text: str) -> Answer:
    encoded = base64.b64encode(text.encode()).decode()
    return _for_worker_0(lambda said: said.replace(b"<value>", b"<value>" + encoded.encode()))


def _for_worker_0(changed: Callable[[bytes], bytes]) -> Answer:
    def said(_handler: object, asked: dict[str, str]) -> bytes:
        instance = asked["InstanceId"]
        return changed(user_data(instance)) if instance == "i-00" else user_data(instance)

    return said


def _next_page(token: Callable[[int], str], action: str) -> Answer:
    numbers = itertools.count()

    def page(_handler: object, _asked: object) -> bytes:
        end = f"</{action}Response>"
        more = f"<nextToken>{token(next(numbers))}</nextToken>{end}"
        return HEALTHY[action].replace(end, more).encode()

    return page


def _bounds() -> Iterator[Hostile]:
    """Too much, and without end."""
    attribute = "DescribeInstanceAttribute"
    of_one = "user-data:worker-0"
    yield Hostile("10 MB of user data", attribute, _too_much("x" * 10_000_000), of_one, detail="bytes")
    yield Hostile("30 KB of user data", attribute, _too_much("x" * 30_000), of_one, detail="UserData.Value")
    page = b"<html><p>busy</p></html>"
    yield Hostile("web page for user data", attribute, _for_worker_0(lambda _said: page), of_one)
    yield Hostile("user data twice", attribute, _for_worker_0(_twice), of_one)
    tokens: list[tuple[str, str, Callable[[int], str], str, str]] = [
        ("same token again", "DescribeVpcs", lambda _n: "again", "vpc", "pages"),
        ("two tokens in turn", "DescribeVpcs", lambda n: "ab"[n % 2], "vpc", "pages"),
        ("always a new token", "DescribeNetworkAcls", str, "network-acl", "pages"),
        ("always a new token for instances", "DescribeInstances", str, EVERYTHING, "pages"),
    ]
    for name, action, token, cost, detail in tokens:
        yield Hostile(name, action, _next_page(token, action), cost, detail=detail)
    big = HEALTHY["DescribeSecurityGroups"].encode() + b" " * (40 * 1024 * 1024)
    yield Hostile("40 MB of groups", "DescribeSecurityGroups", big, "security-group", detail="bytes")
    yield Hostile("1 MB of account", "GetCallerIdentity", b"<a>" + b"x" * 2**20, EVERYTHING, detail="bytes")


def _twice(said: bytes) -> bytes:
    return said.replace(b"<value>", b"<value>eA==</value><value>")


HOSTILE = (*_values(), *_answers(), *_bounds())
