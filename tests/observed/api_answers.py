"""What AWS answers about a healthy lab of three workers, as XML, and a server on loopback that says it."""

from __future__ import annotations

import base64
import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs

ACCOUNT = "123456789012"
WORKERS = ("worker-0", "worker-1", "worker-2")
Answer = bytes | Callable[[http.server.BaseHTTPRequestHandler, dict[str, str]], bytes | None]
"""A body for status 200, or what makes one; ``None``: it has answered by itself."""


def _ec2(action: str, inner: str) -> str:
    namespace = "http://ec2.amazonaws.com/doc/2016-11-15/"
    return f'<{action}Response xmlns="{namespace}"><requestId>r-1</requestId>{inner}</{action}Response>'


def _instance(name: str, n: int, address: str) -> str:
    return f"""<item><ownerId>{ACCOUNT}</ownerId><instancesSet><item>
<instanceId>i-0{n}</instanceId><imageId>ami-1</imageId><instanceState><code>16</code><name>running</name>
</instanceState><launchTime>2026-01-01T00:00:0{n}.000Z</launchTime><ebsOptimized>false</ebsOptimized>
<vpcId>vpc-0a</vpcId><subnetId>subnet-0a</subnetId><privateIpAddress>{address}</privateIpAddress>
<ipAddress>203.0.113.{n + 20}</ipAddress>
<tagSet><item><key>Owner</key><value>ana-{n}</value></item><item><key>Name</key><value>{name}</value></item></tagSet>
<networkInterfaceSet><item><networkInterfaceId>eni-0{n}</networkInterfaceId><vpcId>vpc-0a</vpcId>
<subnetId>subnet-0a</subnetId><privateIpAddress>{address}</privateIpAddress><privateIpAddressesSet>
<item><privateIpAddress>{address}</privateIpAddress><primary>true</primary></item></privateIpAddressesSet>
<association><publicIp>203.0.113.{n + 20}</publicIp></association><sourceDestCheck>false</sourceDestCheck>
<groupSet><item><groupId>sg-0a</groupId></item></groupSet><attachment><deviceIndex>0</deviceIndex></attachment>
</item></networkInterfaceSet></item></instancesSet></item>"""


def _route(destination: str, target: str, origin: str = "CreateRoute") -> str:
    return (
        f"<item><destinationCidrBlock>{destination}</destinationCidrBlock>{target}<state>active</state>"
        f"<origin>{origin}</origin></item>"
    )


def _table(table: str, routes: str, association: str) -> str:
    return f"""<item><routeTableId>{table}</routeTableId><vpcId>vpc-0a</vpcId><routeSet>{routes}</routeSet>
<associationSet><item><routeTableAssociationId>rtbassoc-{table}</routeTableAssociationId>{association}
<associationState><state>associated</state></associationState></item></associationSet></item>"""


def _group(group: str) -> str:
    return f"""<item><groupId>{group}</groupId><groupName>of {group}</groupName><vpcId>vpc-0a</vpcId>
<ipPermissions><item><ipProtocol>-1</ipProtocol><ipRanges><item><cidrIp>10.0.0.0/16</cidrIp></item>
<item><cidrIp>10.200.0.0/16</cidrIp></item></ipRanges></item></ipPermissions><ipPermissionsEgress><item>
<ipProtocol>-1</ipProtocol><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item>
</ipPermissionsEgress></item>"""


def _acl(acl: str, subnet: str) -> str:
    entries = "".join(
        f"<item><ruleNumber>{number}</ruleNumber><protocol>-1</protocol><ruleAction>{action}</ruleAction>"
        f"<egress>{egress}</egress><cidrBlock>0.0.0.0/0</cidrBlock></item>"
        for egress in ("true", "false")
        for number, action in ((100, "allow"), (32767, "deny"))
    )
    return f"""<item><networkAclId>{acl}</networkAclId><vpcId>vpc-0a</vpcId><default>true</default>
<entrySet>{entries}</entrySet><associationSet><item><subnetId>{subnet}</subnetId></item></associationSet></item>"""


_LOCAL = _route("10.0.0.0/16", "<gatewayId>local</gatewayId>", "CreateRouteTable")
_PODS = "".join(
    _route(
        f"10.200.{n}.0/24",
        f"<instanceId>i-0{n}</instanceId><networkInterfaceId>eni-0{n}</networkInterfaceId>",
    )
    for n in range(3)
)
_INTERNET = _route("0.0.0.0/0", "<gatewayId>igw-0a</gatewayId>")
HEALTHY: dict[str, str] = {
    "GetCallerIdentity": '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    f"<GetCallerIdentityResult><Arn>arn:aws:iam::{ACCOUNT}:root</Arn><UserId>{ACCOUNT}</UserId>"
    f"<Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
    "DescribeInstances": _ec2(
        "DescribeInstances",
        "<reservationSet>"
        + "".join(_instance(name, n, f"10.0.1.2{n}") for n, name in enumerate((*WORKERS, "controller-0")))
        + "</reservationSet>",
    ),
    "DescribeVpcs": _ec2(
        "DescribeVpcs",
        "<vpcSet><item><vpcId>vpc-0a</vpcId><cidrBlock>10.0.0.0/16</cidrBlock><cidrBlockAssociationSet><item>"
        "<cidrBlock>10.0.0.0/16</cidrBlock><cidrBlockState><state>associated</state></cidrBlockState></item>"
        "</cidrBlockAssociationSet></item></vpcSet>",
    ),
    "DescribeSubnets": _ec2(
        "DescribeSubnets",
        "<subnetSet><item><subnetId>subnet-0a</subnetId><vpcId>vpc-0a</vpcId>"
        "<cidrBlock>10.0.1.0/24</cidrBlock><availableIpAddressCount>250</availableIpAddressCount></item>"
        "<item><subnetId>subnet-0z</subnetId><vpcId>vpc-0a</vpcId><cidrBlock>10.0.9.0/24</cidrBlock></item>"
        "</subnetSet>",
    ),
    "DescribeRouteTables": _ec2(
        "DescribeRouteTables",
        "<routeTableSet>"
        + _table("rtb-0main", _LOCAL, "<main>true</main>")
        + _table("rtb-0a", _LOCAL + _PODS + _INTERNET, "<main>false</main><subnetId>subnet-0a</subnetId>")
        + "</routeTableSet>",
    ),
    "DescribeInternetGateways": _ec2(
        "DescribeInternetGateways",
        "<internetGatewaySet><item><internetGatewayId>igw-0a</internetGatewayId><attachmentSet><item>"
        "<vpcId>vpc-0a</vpcId><state>available</state></item></attachmentSet></item><item>"
        "<internetGatewayId>igw-0z</internetGatewayId><attachmentSet/></item></internetGatewaySet>",
    ),
    "DescribeSecurityGroups": _ec2(
        "DescribeSecurityGroups",
        f"<securityGroupInfo>{_group('sg-0a')}{_group('sg-0z')}</securityGroupInfo>",
    ),
    "DescribeNetworkAcls": _ec2(
        "DescribeNetworkAcls",
        f"<networkAclSet>{_acl('acl-0a', 'subnet-0a')}{_acl('acl-0z', 'subnet-0z')}</networkAclSet>",
    ),
}
"""By action, but for the user data: see ``user_data``."""


def user_data(instance: str) -> bytes:
    """What AWS answers about the user data of ``i-0<n>``."""
    number = instance[-1]
    text = f"name=worker-{number}|pod-cidr=10.200.{number}.0/24"
    value = base64.b64encode(text.encode()).decode()
    inner = f"<instanceId>{instance}</instanceId><userData><value>{value}</value></userData>"
    return _ec2("DescribeInstanceAttribute", inner).encode()


class Api:
    """An API on loopback at ``endpoint``; ``hostile`` has what it answers instead, by action."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.hostile: dict[str, Answer] = {}

    def answer(self, handler: http.server.BaseHTTPRequestHandler, asked: dict[str, str]) -> bytes | None:
        action = asked["Action"]
        instead = self.hostile.get(action)
        if isinstance(instead, bytes):
            return instead
        if instead is not None:
            return instead(handler, asked)
        if action == "DescribeInstanceAttribute":
            return user_data(asked["InstanceId"])
        return HEALTHY[action].encode()


@contextlib.contextmanager
def serving() -> Iterator[Api]:
    """The API, as long as the block lasts."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            asked = {key: values[0] for key, values in parse_qs(self.rfile.read(length).decode()).items()}
            with contextlib.suppress(OSError):
                body = api.answer(self, asked)
                if body is not None:
                    reply(self, body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A reader that hangs up on too much is what is tested."""

    with Server(("127.0.0.1", 0), Handler) as server:
        api = Api(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()


def reply(handler: http.server.BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
