"""Each command runs with its policy and needs all of it: one action more, or one never used, fails here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.findings.judging import judge
from kthw.intended.cluster import Intended
from kthw.lab.__main__ import main as lab_command
from kthw.observed.aws.image_users import with_image_users
from kthw.observed.aws.reader import Reader
from kthw.observed.evidence import Evidence, Inventory
from kthw.observed.gather import gather
from kthw.target import Target
from kthw.words.messages import LANGUAGES, catalogue
from tests.iam.policies import actions, by_night, document, enforce, of_account, sent, without
from tests.plugin.conftest import NOT_ALL_SEEN
from tests.plugin.conftest import Run as Pytest
from tests.provision.account import THREE, Account, Run
from tests.provision.wire import Wire

AWS = Target(kind="aws")
BEFORE_PODS = replace(THREE, after="machines")
CLEANED_UP = replace(THREE, after="cleanup")
ONE_MORE = replace(BEFORE_PODS, workers=(*THREE.workers, "worker-3"))
VERIFY, CLEANUP = document("verify"), document("cleanup")
ONLY_TELL_MORE = {"ec2:DescribeImages", "ec2:DescribeRegions"}
"""Without these a sentence is shorter, and everything is judged."""


def with_prefix_list(account: Account) -> None:
    """A route of the workers' table names a list."""
    made = account.ec2.create_managed_prefix_list(
        PrefixListName="x", MaxEntries=1, AddressFamily="IPv4", Entries=[{"Cidr": "192.0.2.0/24"}]
    )["PrefixList"]["PrefixListId"]
    account.ec2.create_route(
        RouteTableId=account.table, DestinationPrefixListId=made, InstanceId=account.instance("worker-0")
    )


def looked(intended: Intended = BEFORE_PODS) -> Evidence:
    return gather(AWS, intended)


def asked_for_images(inventory: Inventory) -> tuple[LookError, ...]:
    """As where a worker refused the login."""
    (one,) = (each for each in inventory.instances if each.name == "worker-0")
    error = LookError(code="ssh-auth-failed", subject="x", worker="worker-0", resource=one.public_address)
    return with_image_users(Reader(AWS), inventory, {"worker-0": one}, (error,))


def test_a_run_that_only_reads_uses_all_of_verify_and_nothing_else(lab: Account, wire: Wire) -> None:
    with_prefix_list(lab)
    enforce(wire, lab, VERIFY)
    whole, lacking = looked(), looked(ONE_MORE)
    assert whole.inventory
    asked_for_images(whole.inventory)
    assert (whole.errors, lacking.errors) == ((), ())
    assert whole.inventory.prefix_lists[0].entries == ("192.0.2.0/24",)
    assert lacking.inventory
    assert lacking.inventory.elsewhere
    assert lacking.inventory.elsewhere.regions
    assert sent(wire) == actions(VERIFY)


def test_the_lab_command_needs_no_more_than_verify(
    lab: Account, wire: Wire, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enforce(wire, lab, VERIFY)
    lab_command(["--no-ssh", "--out", str(tmp_path / "kthw.toml"), "--language", "en"])
    assert "worker-0" in capsys.readouterr().out
    assert sent(wire) < actions(VERIFY)


def test_the_clean_up_uses_all_of_its_policy_and_nothing_else(lab: Account, wire: Wire) -> None:
    vpc = lab.look().vpcs[0].id
    lab.ec2.create_security_group(GroupName="second", Description="x", VpcId=vpc)
    enforce(wire, lab, CLEANUP)
    evidence = looked(CLEANED_UP)
    assert evidence.errors == ()
    assert evidence.leftovers
    assert sent(wire) == actions(CLEANUP)


def test_the_suite_runs_with_verify_alone_from_its_first_line_to_its_exit_code(
    lab: Account, wire: Wire, run_pytest: Pytest
) -> None:
    enforce(wire, lab, VERIFY)
    over = {**lab.environment, "AWS_ENDPOINT_URL": wire.endpoint}
    ran = run_pytest("suites/routes", "--target", "aws", "--after", "machines", **over)
    assert ran.code == 0, ran.output
    enforce(wire, lab, without(VERIFY, "ec2:DescribeNetworkAcls"))
    ran = run_pytest("suites/routes", "--target", "aws", "--after", "machines", **over)
    assert ran.code == NOT_ALL_SEEN, ran.output
    assert ran.codes == []
    assert "AWS refused ec2:DescribeNetworkAcls." in ran.output


@pytest.mark.parametrize("action", sorted(actions(VERIFY) - ONLY_TELL_MORE))
def test_an_action_that_is_denied_is_told_by_its_name_and_is_no_finding(
    lab: Account, wire: Wire, action: str
) -> None:
    with_prefix_list(lab)
    enforce(wire, lab, without(VERIFY, action))
    evidence = looked()
    lists = evidence.inventory.prefix_lists if evidence.inventory else ()
    errors = [*evidence.errors, *(each.unread for each in lists if each.unread)]
    assert {(error.code, error.facts["action"]) for error in errors} == {("access-denied", action)}
    assert judge(evidence).findings == ()
    for language in LANGUAGES:
        assert action in catalogue(language).error(errors[0]).what


@pytest.mark.parametrize("action", sorted(ONLY_TELL_MORE))
def test_without_what_only_tells_more_all_is_judged(lab: Account, wire: Wire, action: str) -> None:
    enforce(wire, lab, without(VERIFY, action))
    evidence = looked(ONE_MORE)
    assert evidence.errors == ()
    assert evidence.inventory
    (error,) = asked_for_images(evidence.inventory)
    assert error.code == "ssh-auth-failed"
    assert action in sent(wire)
    assert {finding.code for finding in judge(evidence).findings} == {"worker-missing"}


@pytest.mark.parametrize("action", sorted(actions(CLEANUP) - actions(VERIFY)))
def test_a_kind_that_may_not_be_listed_is_told_and_is_no_pass(lab: Account, wire: Wire, action: str) -> None:
    lab.ec2.create_security_group(GroupName="x", Description="x", VpcId=lab.look().vpcs[0].id)
    enforce(wire, lab, without(CLEANUP, action))
    evidence = looked(CLEANED_UP)
    assert [error.facts["action"] for error in evidence.errors] == [action]
    assert {outcome.status for outcome in judge(evidence).outcomes} & {"error"}


@pytest.fixture
def over_wire(run: Run, wire: Wire) -> Callable[..., tuple[int, str, str]]:
    """``./run provision``, on the account of the wire."""

    def command(*arguments: str) -> tuple[int, str, str]:
        return run(*arguments, "--language", "en", AWS_ENDPOINT_URL=wire.endpoint)

    return command


def led_astray(lab: Account) -> None:
    """A route of the lab that somebody pointed at another worker."""
    lab.ec2.create_route(
        RouteTableId=lab.table,
        DestinationCidrBlock="10.200.1.0/24",
        InstanceId=lab.instance("worker-0"),
    )


def test_provisioning_needs_both_policies_and_uses_all_of_its_own(
    lab: Account, wire: Wire, over_wire: Run
) -> None:
    enforce(wire, lab, VERIFY, of_account(lab))
    led_astray(lab)
    before = lab.pod_routes()
    code, out, err = over_wire("apply", "--replace-wrong")
    assert (code, len(lab.pod_routes())) == (0, 3), out + err
    code, out, err = over_wire("rollback")
    assert (code, lab.pod_routes()) == (0, before), out + err
    assert sent(wire) - actions(VERIFY) == actions(document("provision"))


def test_a_night_that_provisions_uses_all_of_its_role_and_leaves_what_leads_elsewhere(
    lab: Account, wire: Wire, run_pytest: Pytest
) -> None:
    enforce(wire, lab, VERIFY, by_night(of_account(lab)))
    led_astray(lab)
    before = lab.pod_routes()
    over = {**lab.environment, "AWS_ENDPOINT_URL": wire.endpoint}
    ran = run_pytest("suites/routes", "--target", "aws", "--after", "machines", "--provision", **over)
    assert (ran.code, lab.pod_routes()) == (0, before), ran.output
    steps = ran.document["evidence"]["provisioned"]
    assert [step["outcome"] for step in steps] == ["created", "wrong-target", "created"]
    assert sent(wire) - actions(VERIFY) == actions(by_night(document("provision")))


@pytest.mark.parametrize("action", sorted(actions(document("provision"))))
def test_a_write_that_is_denied_is_told_by_its_name(
    lab: Account, wire: Wire, over_wire: Run, action: str
) -> None:
    enforce(wire, lab, VERIFY, without(of_account(lab), action))
    led_astray(lab)
    code, out, err = over_wire("apply", "--replace-wrong")
    if action == "ec2:DeleteRoute":
        code, out, err = over_wire("rollback")
    assert (code, action in out + err) == (1, True), out + err


@pytest.mark.parametrize("why", ["another table", "another tag"])
def test_no_other_route_table_can_be_changed_with_the_policy(lab: Account, wire: Wire, why: str) -> None:
    enforce(wire, lab, VERIFY, of_account(lab))
    table = lab.table
    if why == "another tag":
        lab.ec2.create_tags(Resources=[table], Tags=[{"Key": "Name", "Value": "production"}])
    else:
        table = next(each.id for each in lab.look().route_tables if each.id != table)
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        Account.over(wire, lab).ec2.create_route(
            RouteTableId=table, DestinationCidrBlock="10.200.9.0/24", InstanceId=lab.instance("worker-0")
        )
