"""Workers that the region lacks are looked for in the account's other ones, and only then."""

from __future__ import annotations

import threading

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.findings.judging import judge
from kthw.intended.cluster import Intended
from kthw.observed.aws import elsewhere
from kthw.observed.aws.reader import Reader, session_for
from kthw.observed.evidence import Elsewhere, Evidence, Instance
from kthw.observed.gather import gather
from kthw.target import REGION, Target
from kthw.words.messages import LANGUAGES, catalogue
from tests.provision.account import THREE, Account
from tests.provision.wire import Wire, carried, refused

AWS = Target(kind="aws")
BEFORE_PODS = Intended(workers=THREE.workers, after="machines")
OTHER = "eu-west-1"


@pytest.fixture
def account(aws_account: Account, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account that the environment points at, by way of the wire."""
    account = Account.over(wire, aws_account)
    for name, value in account.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL_EC2"):
        monkeypatch.delenv(name, raising=False)
    return account


def launch(account: Account, *names: str, region: str = OTHER) -> dict[str, str]:
    """Instances of these names in that region; their ids."""
    ec2 = session_for(account.target).client("ec2", region_name=region, endpoint_url=account.endpoint)
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.create_default_vpc()
    made = {}
    for name in names:
        answer = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro")
        made[name] = answer["Instances"][0]["InstanceId"]
        if name:
            ec2.create_tags(Resources=[made[name]], Tags=[{"Key": "Name", "Value": name}])
    return made


def looked(wire: Wire, target: Target = AWS) -> tuple[Evidence, Elsewhere | None]:
    wire.sent.clear()
    evidence = gather(target, BEFORE_PODS)
    assert evidence.inventory is not None
    assert evidence.errors == ()
    return evidence, evidence.inventory.elsewhere


def told(evidence: Evidence, language: str = "en") -> dict[str, str]:
    """By worker, the words of ``worker-missing``."""
    found = [
        f for outcome in judge(evidence).outcomes for f in outcome.findings if f.code == "worker-missing"
    ]
    words = catalogue(language)
    return {
        f.worker: "\n".join([words.finding(f).what, words.finding(f).why, words.finding(f).fix])
        for f in found
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_workers_of_another_region_are_found_there_and_the_command_to_look_there_is_told(
    language: str, account: Account, wire: Wire
) -> None:
    made = launch(account, *THREE.workers)
    evidence, seen = looked(wire)
    assert seen is not None
    assert [(each.name, each.region, each.id, each.state) for each in seen.found] == [
        (name, OTHER, made[name], "running") for name in THREE.workers
    ]
    assert evidence.counts.aws_calls == len(wire.sent) == 3 + len(seen.regions)
    said = told(evidence, language)
    assert sorted(said) == list(THREE.workers)
    for name, text in said.items():
        assert f"{name} ({made[name]}, {OTHER}) running" in text
        assert f"\nAWS_REGION={OTHER} ./run routes --target aws" in text
        assert "run-instances" not in text
        assert "--user-data" not in text


def test_a_cluster_that_is_all_here_costs_no_call_more(account: Account, wire: Wire) -> None:
    account.build()
    evidence, seen = looked(wire)
    assert seen is None
    assert "DescribeRegions" not in wire.sent
    assert evidence.counts.aws_calls <= 3 + 8


def test_a_worker_that_went_astray_is_told_from_a_region_that_is_the_wrong_one(
    account: Account, wire: Wire
) -> None:
    account.build(Intended(workers=THREE.workers[:2]))
    made = launch(account, "worker-2")
    evidence, _ = looked(wire)
    said = told(evidence)
    assert list(said) == ["worker-2"]
    assert f"worker-2 ({made['worker-2']}, {OTHER}) running" in said["worker-2"]
    assert "Launch worker-2 again in us-east-1" in said["worker-2"]
    assert "AWS_REGION" not in said["worker-2"]


def test_names_that_are_misspelt_are_seen_in_what_is_there(account: Account, wire: Wire) -> None:
    launch(account, "node-a", "node-b", "", region="us-east-1")
    evidence, seen = looked(wire)
    assert seen is not None
    assert seen.found == ()
    text = told(evidence)["worker-0"]
    assert "node-a (i-" in text
    assert "node-b (i-" in text
    assert f"in {len(seen.regions)} other regions neither" in text


def test_all_workers_named_in_another_case_are_known_as_that(account: Account, wire: Wire) -> None:
    made = launch(account, "Worker-0", "Worker-1", "Worker-2", region="us-east-1")
    evidence, _ = looked(wire)
    assert (
        f"create-tags --resources {made['Worker-1']} --tags Key=Name,Value=worker-1"
        in told(evidence)["worker-1"]
    )


def test_of_strangers_no_more_is_kept_than_tells_who_they_are(account: Account, wire: Wire) -> None:
    launch(account, "somebody", region="us-east-1")
    evidence, _ = looked(wire)
    assert evidence.inventory is not None
    (kept,) = evidence.inventory.instances
    assert kept == Instance(id=kept.id, state="running", name="somebody", address=kept.address)


def test_an_empty_account_is_told_as_that(account: Account, wire: Wire) -> None:
    evidence, _ = looked(wire)
    text = told(evidence)["worker-0"]
    assert "no instance at all" in text
    assert "aws sts get-caller-identity" in text


def test_regions_that_refuse_are_passed_over_and_nothing_is_said_of_them(
    account: Account, wire: Wire
) -> None:
    launch(account, *THREE.workers)
    wire.on("DescribeInstances", carried, always=refused("OptInRequired", "not subscribed", status=401))
    evidence, seen = looked(wire)
    assert seen == Elsewhere()
    assert "account" in told(evidence)["worker-0"]


def test_who_may_not_list_the_regions_looks_into_those_that_the_sdk_knows(
    account: Account, wire: Wire
) -> None:
    launch(account, "worker-0")
    wire.on("DescribeRegions", always=refused("UnauthorizedOperation", status=403))
    _, seen = looked(wire)
    assert seen is not None
    assert [(each.name, each.region) for each in seen.found] == [("worker-0", OTHER)]


@pytest.mark.parametrize(
    "name",
    ["evil.example/", "eu-west-1.evil.example", "eu-west-1#", "", "EU-WEST-1", "../eu-west-1", "x" * 70],
)
def test_a_region_s_name_that_is_none_is_asked_nothing(name: str) -> None:
    assert not REGION.fullmatch(name)


@pytest.mark.parametrize(
    "name",
    ["us-east-1", "ap-southeast-7", "us-gov-west-1", "cn-northwest-1", "us-isob-east-1", "mx-central-1"],
)
def test_a_region_s_name_is_known_as_one(name: str) -> None:
    assert REGION.fullmatch(name)


def test_regions_that_do_not_answer_hold_nobody_up(
    account: Account, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()

    def silent(_carry: object) -> None:
        ended.wait(60)

    monkeypatch.setattr(elsewhere, "_SECONDS", 0.5)
    wire.on("DescribeInstances", carried, always=silent)
    try:
        _, seen = looked(wire)
    finally:
        ended.set()
    assert seen == Elsewhere()


def test_nobody_is_dialled_but_the_endpoint(
    account: Account, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch(account, "worker-1")
    asked: list[str] = []
    send = URLLib3Session.send

    def heard(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        asked.append(request.url.rstrip("/"))
        return send(session, request)

    monkeypatch.setattr(URLLib3Session, "send", heard)
    _, seen = looked(wire)
    assert seen is not None
    assert len(seen.regions) > 5
    assert set(asked) == {wire.endpoint}


def test_a_sandbox_of_our_own_is_in_one_region(account: Account, wire: Wire) -> None:
    evidence, seen = looked(wire, account.target)
    assert seen is None
    assert wire.sent == ["GetCallerIdentity", "DescribeInstances"]
    assert "--user-data" in told(evidence)["worker-0"]


def test_a_worker_that_aws_garbles_may_be_the_missing_one_and_is_looked_for_nowhere_else(
    account: Account, wire: Wire
) -> None:
    account.build()
    evidence, _ = looked(wire)
    assert evidence.inventory is not None
    instances = tuple(each for each in evidence.inventory.instances if each.name != "worker-1")
    inventory = replace(evidence.inventory, instances=instances)
    garbled = [LookError(code="aws-unreadable", subject="worker-1", worker="worker-1")]
    reader = Reader(AWS)
    seen = elsewhere.looked_elsewhere(reader, inventory, THREE, garbled, lambda _done, _of: None)
    assert seen == inventory
    assert reader.calls == 0
