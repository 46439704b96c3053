"""One sandbox, one cluster in it at a time: broken, looked at, put right."""

from __future__ import annotations

import contextlib
import re
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec
from botocore.exceptions import ClientError

from kthw.findings.sent import to_send
from kthw.intended.cluster import Intended
from kthw.intended.tutorial import CHAPTERS
from kthw.observed.evidence import Evidence
from kthw.observed.gather import PACKETS_AFTER, Doubt, gather
from sandbox.access import DIAL_SOCKET, Access
from sandbox.box import Sandbox, ec2_client, start
from sandbox.building import build
from sandbox.dial import connection
from sandbox.dressing import dress
from sandbox.faults import stages
from sandbox.faults.names import names
from sandbox.faults.terminal import PRELUDE, Terminal
from sandbox.internet import LAPTOP
from tests.asked import intended
from tests.faults.volley import run_on

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

_BOOT_SECONDS: Final = 15.0
_BOOTS: Final = ("launch ", "user_data ", "run-instances", "start-instances", "reboot-instances")
"""What is followed by a moment in which sshd does not listen yet: a person is slower than that."""


def _touching_nodes() -> re.Pattern[str]:
    machines = {f"{does}-instances" for does in ("run", "start", "stop", "reboot", "terminate")}
    words = {"ssh", *machines, "attach-network-interface", "detach-network-interface"}
    functions = re.findall(r"^(\w+)\(\) *\{(.*?)\}$", PRELUDE, re.MULTILINE | re.DOTALL)
    for name, does in functions * 2:  # those that call others, too
        if any(re.search(rf"(?<![\w-]){word}(?![\w-])", does) for word in words):
            words.add(name)
    return re.compile(rf"(?<![\w-])({'|'.join(sorted(words))})(?![\w-])")


TOUCHES_NODES: Final = _touching_nodes()
"""A word by which a line changes more than what AWS lists: by hand on a machine, or a machine itself."""


class Lab:
    """``intended`` is what the cluster on stage should be; ``usual`` what it looks like when all is well."""

    def __init__(self, box: Sandbox) -> None:
        self.ec2: EC2Client = ec2_client(box.target.endpoint)
        self.intended = Intended(workers=())
        self.usual: tuple[object, ...] = ()
        self.stage = ""
        self._box = box
        self._terminal = Terminal(box)
        self._vpc = ""
        self._names: dict[str, str] = {}
        self._exported: dict[str, str] = {}
        self._seen: Evidence | None = None
        self._in_aws: Evidence | None = None

    def close(self) -> None:
        self._terminal.close()

    def set(self, name: str) -> None:
        """Put that cluster on stage, unless it is there already; what was there before is terminated."""
        if name == self.stage:
            return
        self.clear()
        stage = stages.STAGES[name]
        self.intended = intended(stage.options, stage.names(), self._box.target)
        # The tutorial's own rules, for everybody, would hide what its nodes may do.
        closed = stage.but(opened_to=f"{LAPTOP}/32")
        built = build(self.ec2, closed, stage.names(), Access(self._box.directory).key)
        self._vpc = self._vpc_of(*built)
        self._names, self._exported = {}, {}
        dress(self.ec2, stage, built, self._box.directory)
        self.stage, self.usual, self._seen, self._in_aws = name, (), None, None

    def _vpc_of(self, instance: str, *_others: str) -> str:
        found = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
        return found[0]["Instances"][0]["VpcId"]

    def clear(self) -> None:
        """Take the cluster from the stage, so that the next one has nothing of this one's."""
        if self._vpc:
            inside: Any = [{"Name": "vpc-id", "Values": [self._vpc]}]
            found = self.ec2.describe_instances(Filters=inside)["Reservations"]
            ids = [i["InstanceId"] for r in found for i in r["Instances"]]
            if ids:
                self.ec2.terminate_instances(InstanceIds=ids)
        self.stage, self._vpc = "", ""

    def on(self, worker: str, script: str) -> str:
        """What a script prints that root runs there: to look, since no case is to be changed by it."""
        return run_on(self._box.directory, worker, script)

    def forget(self) -> None:
        """Take their names from terminated instances, still listed: a later fault has none of them."""
        gone: Any = [{"Name": "instance-state-name", "Values": ["terminated"]}]
        found = self.ec2.describe_instances(Filters=gone)["Reservations"]
        ids = [i["InstanceId"] for r in found for i in r["Instances"] if i.get("Tags")]
        if ids:
            self.ec2.delete_tags(Resources=ids, Tags=[{"Key": "Name"}])

    def types(self, lines: str) -> None:
        """Type the catalogue's own lines. Raises ``TypingError`` where one of them fails."""
        if lines:
            self._seen = self._in_aws = None
            self._names |= names(self.ec2, self._vpc, self.intended.workers)
            self._names["PODS"] = stages.STAGES[self.stage].pod_range(len(self.intended.workers))
            self._exported |= self._terminal.types(lines, {**self._names, **self._exported})
            self._settle(lines)

    def pastes(self, printed: str) -> None:
        """Paste what was printed, as it is. Raises ``TypingError``."""
        self._seen = self._in_aws = None
        self._terminal.types(printed)
        self._settle(printed)

    def look(self) -> Evidence:
        """All that a run of the suite looks at and sends; the same again while nothing was typed since."""
        self._seen = self._seen or gather(self._box.target, self.intended, doubt=to_send)
        return self._seen

    def look_and_send(self, doubt: Doubt) -> Evidence:
        """Look again, and send what ``doubt`` says."""
        return gather(self._box.target, self.intended, doubt=doubt)

    def cleans(self, lines: str) -> None:
        """Type what tidies up after a case that has just been looked at.

        What is typed to AWS alone is looked at in AWS alone: all else was seen a moment ago, and the next
        case looks at everything again.
        """
        looked = self._seen or self._in_aws
        self.types(lines)
        if lines and looked and self.usual and not TOUCHES_NODES.search(lines):
            chapter = CHAPTERS[CHAPTERS.index(PACKETS_AFTER) - 1]
            self._in_aws = gather(self._box.target, msgspec.structs.replace(self.intended, after=chapter))

    def is_usual(self) -> bool:
        """Whether all that a later fault could notice is as it was when this cluster was first looked at."""
        if self._in_aws:
            return _lasting(self._in_aws)[:1] == self.usual[:1]
        evidence = self.look()
        seen = _lasting(evidence)
        self.usual = self.usual or seen
        return seen == self.usual and all(p.reached for p in evidence.probes if p.kind != "internet")

    def _settle(self, lines: str) -> None:
        if any(word in lines for word in _BOOTS):
            self._wait_for_ssh()

    def _wait_for_ssh(self) -> None:
        """Until every running worker's sshd greets, or cannot: some faults shut the way to it."""
        inside: Any = [
            {"Name": "vpc-id", "Values": [self._vpc]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
        found = self.ec2.describe_instances(Filters=inside)["Reservations"]
        deadline = time.monotonic() + _BOOT_SECONDS
        for instance in [i for r in found for i in r["Instances"]]:
            address = instance.get("PublicIpAddress", "")
            while address and not self._greets(address) and time.monotonic() < deadline:
                time.sleep(0.05)

    def _greets(self, address: str) -> bool:
        with (
            contextlib.suppress(OSError),
            connection(str(self._box.directory / DIAL_SOCKET), address, "22") as remote,
        ):
            remote.settimeout(2.0)
            return remote.recv(4) == b"SSH-"
        return False


def _lasting(evidence: Evidence) -> tuple[object, ...]:
    """The inventory without what comes and goes by itself: public addresses, and terminated instances."""
    inventory = evidence.inventory
    if inventory is None:
        return ()
    instances = tuple(
        msgspec.structs.replace(
            instance,
            public_address="",
            network_interfaces=tuple(
                msgspec.structs.replace(eni, public_address="") for eni in instance.network_interfaces
            ),
        )
        for instance in inventory.instances
        if instance.state != "terminated"
    )
    tables = tuple(
        msgspec.structs.replace(table, routes=tuple(sorted(table.routes, key=lambda r: r.destination)))
        for table in inventory.route_tables
    )
    nodes = tuple(
        (node.worker, node.ip_forward, node.cni, sorted((r.destination, r.via) for r in node.routes or ()))
        for node in evidence.nodes.values()
    )
    return (msgspec.structs.replace(inventory, instances=instances, route_tables=tables), nodes)


class Labs(contextlib.ExitStack):
    """One lab at a time, another when that one cannot be put right."""

    def __init__(self) -> None:
        super().__init__()
        self._lab: Lab | None = None
        self.booted = 0

    @property
    def one(self) -> Lab:
        if self._lab is None:
            with contextlib.ExitStack() as opened:  # or its sandbox would stay and each try add one
                box = opened.enter_context(start(empty=True))
                self._lab = opened.enter_context(contextlib.closing(Lab(box)))
                self.callback(opened.pop_all().close)
            self.booted += 1
        return self._lab

    def tidy(self, *, fresh: bool = False) -> None:
        """After a test: take a cluster away that is not as it was, and a sandbox where that fails too.

        ``fresh``: take it away in any case.
        """
        lab = self._lab
        try:
            if lab and lab.stage and (fresh or not lab.is_usual()):
                lab.clear()
            if lab:
                lab.forget()
        except ClientError:
            self._lab = None
            self.close()
