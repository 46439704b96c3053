"""``--replace-wrong``: what leads elsewhere is replaced when told, and leads there again after a rollback."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys

import pytest
from msgspec.structs import replace

from kthw.observed.evidence import ProvisionStep
from kthw.provision.apply import apply
from kthw.provision.journal import Journal
from kthw.provision.plan import plan
from kthw.provision.replacement import replacing
from kthw.provision.rollback import rollback
from kthw.provision.writer import Writer
from tests.provision.account import ROOT, THREE, Account, Run
from tests.provision.interrupted import run as interrupted
from tests.provision.test_rollback import Lab
from tests.provision.wire import Answer, Carry, Deed, Wire, answered, first, lost, refused, then, unanswered

ROUTES = [f"10.200.{index}.0/24" for index in range(3)]
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.provision.interrupted"])


class Astray(Lab):
    """The route of worker-1 leads to controller-0; the others are missing."""

    def __init__(self, account: Account, wire: Wire) -> None:
        super().__init__(account, wire)
        self.create_by_hand(ROUTES[1], "controller-0")
        self.before = account.look().route_tables
        self.stranger, self.right = account.instance("controller-0"), account.instance("worker-1")

    def replace(self) -> dict[str, ProvisionStep]:
        steps = apply(self.writer, plan(self.account.look(), THREE), Journal(self.path), replace_wrong=True)
        return {step.worker: step for step in steps}


@pytest.fixture
def lab(aws_account: Account, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Astray:
    monkeypatch.setattr("kthw.provision.rollback._SETTLING_SECONDS", 0.1)
    return Astray(aws_account, wire)


def test_it_leads_to_its_worker_then_and_where_it_led_before_after_a_rollback(lab: Astray) -> None:
    steps = lab.replace()
    assert {worker: step.outcome for worker, step in steps.items()} == {
        "worker-0": "created", "worker-1": "replaced", "worker-2": "created"
    }  # fmt: skip
    assert lab.account.pod_routes()[ROUTES[1]] == lab.right
    assert lab.rollback() == {"worker-0": "deleted", "worker-1": "restored", "worker-2": "deleted"}
    assert lab.account.look().route_tables == lab.before
    assert lab.rollback() == {}


def test_what_it_led_to_is_in_the_journal_before_the_request_goes_out(lab: Astray) -> None:
    seen: list[tuple[str, str]] = []

    def look() -> None:
        line = json.loads(lab.path.read_bytes().splitlines()[-1])
        seen.append((line["event"], line["before"]))

    lab.wire.on("ReplaceRoute", first(look))
    lab.replace()
    (eni,) = (i.network_interfaces[0].id for i in lab.account.look().instances if i.id == lab.stranger)
    assert seen == [("replace-intended", eni)]


def test_a_route_that_led_nowhere_is_replaced_and_left_where_its_target_is_no_more(lab: Astray) -> None:
    lab.account.ec2.terminate_instances(InstanceIds=[lab.stranger])
    assert lab.replace()["worker-1"].outcome == "replaced"
    steps = {step.worker: step for step in lab.steps()}
    assert steps["worker-1"].outcome == "kept"
    assert steps["worker-1"].command.startswith("aws ec2 delete-route ")
    assert lab.account.pod_routes() == {ROUTES[1]: lab.right}
    assert lab.rollback() == {}


def test_a_route_to_the_internet_leads_there_again(lab: Astray) -> None:
    gateway = lab.account.ec2.describe_internet_gateways()["InternetGateways"][0]["InternetGatewayId"]
    lab.account.ec2.replace_route(
        RouteTableId=lab.account.table, DestinationCidrBlock=ROUTES[1], GatewayId=gateway
    )
    before = lab.account.look().route_tables
    assert lab.replace()["worker-1"].outcome == "replaced"
    lab.rollback()
    assert lab.account.look().route_tables == before


def test_what_was_made_and_then_replaced_is_taken_back_to_what_was_there_before_both(lab: Astray) -> None:
    lab.delete_by_hand(ROUTES[1])
    before = lab.account.look().route_tables
    lab.apply()
    lab.repoint(ROUTES[0], lab.stranger)
    wrong = lab.account.pod_routes()
    lab.replace()
    assert lab.account.pod_routes() != wrong
    # Somebody had pointed ours elsewhere: theirs, and that is where it leads again.
    assert lab.rollback() == {"worker-0": "restored", "worker-1": "deleted", "worker-2": "deleted"}
    assert lab.account.pod_routes() == {ROUTES[0]: lab.stranger}
    lab.delete_by_hand(ROUTES[0])
    lab.apply()
    intended = replace(plan(lab.account.look(), THREE)[1], outcome="replace")
    moved = replace(intended, target=lab.stranger, instance=lab.stranger, network_interfaces=(), before="")
    steps = apply(lab.writer, [replace(moved, outcome="wrong-target")], Journal(lab.path), replace_wrong=True)
    assert [step.outcome for step in steps] == ["replaced"]
    assert lab.account.pod_routes()[ROUTES[1]] == lab.stranger
    outcomes = [(step.worker, step.outcome) for step in lab.steps()]
    assert ("worker-1", "restored") in outcomes
    assert ("worker-1", "deleted") in outcomes, "below the replaced one there was ours"
    assert lab.account.look().route_tables == before


@pytest.mark.parametrize("end", ["elsewhere", "gone"])
def test_a_route_that_is_not_any_more_as_it_was_planned_on_is_left_alone(
    lab: Astray, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = replacing(plan(lab.account.look(), THREE))
    other = lab.account.instance("controller-1")
    if end == "elsewhere":
        lab.wire.on("CreateRoute", first(lambda: lab.repoint(ROUTES[1], other)))
    else:
        lab.wire.on("CreateRoute", first(lambda: lab.delete_by_hand(ROUTES[1])))
    monkeypatch.setattr("kthw.provision.creation._FRESH_SECONDS", 0.0)
    done = apply(lab.writer, steps, Journal(lab.path), replace_wrong=True)
    assert done[1].outcome == "changed"
    assert lab.account.pod_routes().get(ROUTES[1], "") == (other if end == "elsewhere" else "")


def test_what_somebody_has_pointed_elsewhere_since_is_left(lab: Astray) -> None:
    lab.replace()
    other = lab.account.instance("controller-1")
    lab.repoint(ROUTES[1], other)
    assert lab.rollback() == {"worker-0": "deleted", "worker-1": "left", "worker-2": "deleted"}
    assert lab.account.pod_routes() == {ROUTES[1]: other}


def listed(lab: Astray) -> Deed:
    """The list of the table as it is now: for a later request, an answer that is behind."""
    seen: list[bytes] = []

    def keep(carry: Carry) -> Answer:
        seen.append(carry().body)
        return Answer(200, seen[-1])

    lab.wire.on("DescribeRouteTables", keep)
    lab.writer.tables([lab.account.table])
    return answered(200, seen[0])


def test_a_list_that_is_behind_does_not_pass_for_a_route_that_leads_again_where_it_led(
    lab: Astray, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.apply()
    behind = listed(lab)
    lab.replace()
    monkeypatch.setattr("kthw.provision.rollback._SETTLING_SECONDS", 5.0)
    lab.wire.on("DescribeRouteTables", behind)
    assert lab.rollback() == {"worker-0": "deleted", "worker-1": "restored", "worker-2": "deleted"}
    assert lab.account.look().route_tables == lab.before


def test_a_list_that_is_behind_after_one_was_pointed_back_does_not_make_what_is_below_somebody_elses(
    lab: Astray, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.delete_by_hand(ROUTES[1])
    before = lab.account.look().route_tables
    lab.apply()
    again = replace(plan(lab.account.look(), THREE)[2], outcome="wrong-target", before="")
    moved = replace(again, target=lab.stranger, instance=lab.stranger, network_interfaces=())
    (step,) = apply(lab.writer, [moved], Journal(lab.path), replace_wrong=True)
    assert step.outcome == "replaced"
    behind = listed(lab)
    monkeypatch.setattr("kthw.provision.rollback._SETTLING_SECONDS", 5.0)
    lab.wire.on("ReplaceRoute", then(lambda: lab.wire.on("DescribeRouteTables", behind)))
    outcomes = [(step.worker, step.outcome) for step in lab.steps()]
    assert outcomes[-2:] == [("worker-2", "restored"), ("worker-2", "deleted")]
    assert lab.account.look().route_tables == before


BROKEN = b"<Response><Errors><Error><Code>InternalError</Code></Error></Errors></Response>"


@pytest.mark.parametrize("deed", [unanswered, answered(500, BROKEN)], ids=["unanswered", "500"])
def test_without_an_answer_nobody_knows_whose_it_is_and_the_command_to_point_it_back_is_told(
    lab: Astray, deed: object
) -> None:
    lab.wire.on("ReplaceRoute", deed)  # type: ignore[arg-type]
    step = lab.replace()["worker-1"]
    assert (step.outcome, step.command.split()[2]) == ("unsure", "replace-route")
    steps = {step.worker: step for step in lab.steps()}
    assert (steps["worker-1"].outcome, steps["worker-1"].command) == ("maybe", step.command)
    assert lab.account.pod_routes() == {ROUTES[1]: lab.right}


def test_a_request_that_never_arrived_is_sent_again_and_one_that_is_refused_is_told(lab: Astray) -> None:
    lab.wire.on("ReplaceRoute", refused("UnauthorizedOperation", "not you", status=403))
    step = lab.replace()["worker-1"]
    assert (step.outcome, step.detail) == ("failed", "UnauthorizedOperation: not you")
    assert lab.rollback() == {"worker-0": "deleted", "worker-2": "deleted"}
    assert lab.account.look().route_tables == lab.before
    lab.wire.on("ReplaceRoute", lost)
    assert lab.replace()["worker-1"].outcome == "replaced"
    lab.wire.on("ReplaceRoute", unanswered)
    assert lab.rollback()["worker-1"] == "restored", "looked at again, it leads where it led"
    assert lab.account.look().route_tables == lab.before


def test_where_two_workers_claim_the_same_addresses_neither_is_touched(lab: Astray) -> None:
    lab.account.set_user_data("worker-2", "name=worker-2|pod-cidr=10.200.1.0/24")
    assert {w: s.outcome for w, s in lab.replace().items()} == {
        "worker-0": "created", "worker-1": "impossible", "worker-2": "impossible"
    }  # fmt: skip
    assert lab.account.pod_routes()[ROUTES[1]] == lab.stranger


def test_the_command_shows_what_it_replaces_before_it_does_and_only_when_told(
    aws_account: Account, run: Run, wire: Wire
) -> None:
    lab = Astray(aws_account, wire)
    assert run("apply")[0] == 1
    assert aws_account.pod_routes()[ROUTES[1]] == lab.stranger
    code, said, _ = run("plan", "--replace-wrong")
    assert code == 0
    assert f"and leads to {lab.stranger} active instead of {lab.right}; to be pointed there" in said
    assert f"aws ec2 replace-route --route-table-id {aws_account.table} " in said
    assert aws_account.pod_routes()[ROUTES[1]] == lab.stranger
    code, said, _ = run("apply", "--replace-wrong")
    assert code == 0
    shown, done = said.index("1 route leads elsewhere and is replaced"), said.index("pointed at")
    assert shown < said.index("instead of") < done
    code, said, _ = run("rollback")
    assert (code, said.count("again in")) == (0, 1)
    assert aws_account.look().route_tables == lab.before


def test_a_plan_needs_no_journal(aws_account: Account, run: Run) -> None:
    """What lies in its place may be anything; who only looks is not kept from it."""
    aws_account.build()
    (aws_account.directory / "journal.jsonl").mkdir()
    assert run("plan")[0] == 0
    assert run("apply")[0] == 2
    assert aws_account.pod_routes() == {}


@pytest.mark.parametrize("arguments", [("rollback",), ("apply", "--network", "node-routes")])
def test_it_is_for_vpc_routes_only(aws_account: Account, run: Run, arguments: tuple[str, ...]) -> None:
    code, said, complaints = run(*arguments, "--replace-wrong")
    assert (code, said, "--replace-wrong: that is for plan and apply" in complaints) == (2, "", True)


def test_of_two_commands_at_once_one_does_it_and_the_other_finds_it_done(
    aws_account: Account, wire: Wire
) -> None:
    """The second waits for its turn at the route table; then there is nothing left to replace or to make."""
    lab = Astray(aws_account, wire)
    command = [sys.executable, "-m", "kthw.provision", "apply", "--replace-wrong", "--language", "en"]
    environment = {**os.environ, **aws_account.environment, "KTHW_LAB": "none"}
    environment["XDG_STATE_HOME"] = str(aws_account.directory / "state")
    runs = [
        subprocess.Popen(
            [*command, "--journal", str(lab.path)],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    said = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    for words, count in (("pointed at", 1), ("created in", 2), ("already there", 3)):
        assert sum(text.count(words) for text in said) == count, said
    lab.writer = Writer(aws_account.target, aws_account.id)
    assert lab.rollback() == {"worker-0": "deleted", "worker-1": "restored", "worker-2": "deleted"}
    assert aws_account.look().route_tables == lab.before


# By phase, in replacing worker-1's and in pointing it back: where it leads after the end by a signal that can
# be put off, and by SIGKILL; and what a rollback makes of it then.
ASTRAY, RIGHT = "controller-0", "worker-1"
PHASES: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "replace before replace-intended": ((RIGHT, "restored"), (ASTRAY, "")),
    "replace after replace-intended": ((RIGHT, "restored"), (ASTRAY, "restored")),
    "replace repointed": ((RIGHT, "restored"), (RIGHT, "maybe")),
    "replace after replaced": ((RIGHT, "restored"), (RIGHT, "restored")),
    "rollback before restore-intended": ((ASTRAY, ""), (RIGHT, "restored")),
    "rollback after restore-intended": ((ASTRAY, ""), (RIGHT, "maybe")),
    "rollback repointed": ((ASTRAY, ""), (ASTRAY, "restored")),
    "rollback after restored": ((ASTRAY, ""), (ASTRAY, "")),
}
CASES = [
    pytest.param(*phase.split(" ", 1), number, *ends[number is signal.SIGKILL], id=f"{number.name}-{phase}")
    for phase, ends in PHASES.items()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
]


@pytest.mark.parametrize(("action", "phase", "number", "leads", "back"), CASES)
def test_whatever_signal_comes_what_was_there_is_there_again_or_the_next_run_says_what_is_left(
    action: str, phase: str, number: signal.Signals, leads: str, back: str, lab: Astray, run: Run
) -> None:
    account = lab.account
    lab.writer = Writer(account.target, account.id)  # no wire: the command's process has another way there
    if action == "rollback":
        lab.replace()
        lab.path.write_bytes(lab.path.read_bytes().replace(b'"started":"', b'"started":"not '))
    environment = {**account.environment, "XDG_STATE_HOME": str(account.directory / "state")}
    child = _PROCESSES.Process(
        target=interrupted, args=(action, account.directory, phase, number, environment)
    )
    child.start()
    child.join(120)
    said = (account.directory / "said").read_text()
    assert child.exitcode == (-number if number is signal.SIGKILL else 128 + number), said
    assert account.pod_routes()[ROUTES[1]] == account.instance(leads), said
    if back == "maybe":
        _, told, _ = run("plan")
        assert f"An earlier run was cut off in the middle of {ROUTES[1]} ({account.table})" in told
    steps = {step.worker: step for step in rollback(lab.writer, Journal(lab.path))}
    assert (steps["worker-1"].outcome if "worker-1" in steps else "") == back
    if back == "maybe":
        words = steps["worker-1"].command.split()
        account.ec2.replace_route(
            RouteTableId=account.table, DestinationCidrBlock=ROUTES[1], NetworkInterfaceId=words[-1]
        )
        assert lab.rollback() == {"worker-1": "restored"}
    assert account.look().route_tables == lab.before
    assert lab.rollback() == {}
