"""The reader looks and never touches; it says what the looking cost."""

from __future__ import annotations

import os

import pytest

from kthw.errors import CouldNotLook
from kthw.intended.cluster import Intended, worker_names
from kthw.observed.aws.inventory import read_inventory, reread_routes
from kthw.observed.aws.reader import CallRefusedError, Reader, session_for
from kthw.target import Target
from tests.provision.account import REGION, THREE, Account

_KEYS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}


def test_reader_refuses_to_create_a_route_before_anything_is_sent(aws_account: Account) -> None:
    aws_account.build()
    before = aws_account.look().route_tables
    reader = Reader(aws_account.target)
    with pytest.raises(CallRefusedError, match="CreateRoute"):
        reader.ec2.create_route(
            RouteTableId=aws_account.table,
            DestinationCidrBlock="10.200.0.0/24",
            InstanceId=aws_account.instance("worker-0"),
        )
    assert reader.calls == 0
    assert aws_account.look().route_tables == before


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("terminate_instances", {"InstanceIds": ["i-0"]}),
        ("modify_instance_attribute", {"InstanceId": "i-0", "SourceDestCheck": {"Value": False}}),
        ("replace_route", {"RouteTableId": "rtb-0", "DestinationCidrBlock": "0.0.0.0/0"}),
    ],
)
def test_reader_refuses_every_operation_that_is_not_reading(
    aws_account: Account, operation: str, parameters: dict[str, object]
) -> None:
    reader = Reader(aws_account.target)
    with pytest.raises(CallRefusedError):
        getattr(reader.ec2, operation)(**parameters)
    assert reader.calls == 0


def test_reader_refuses_sts_calls_that_hand_out_credentials(aws_account: Account) -> None:
    with pytest.raises(CallRefusedError):
        Reader(aws_account.target).sts.assume_role(
            RoleArn="arn:aws:iam::1:role/x" + "x" * 9, RoleSessionName="xx"
        )


@pytest.mark.parametrize("count", [3, 50])
def test_verifying_n_workers_takes_n_calls_and_eight(aws_account: Account, count: int) -> None:
    intended = Intended(workers=worker_names(f"worker-[0-{count - 1}]"))
    aws_account.build(intended)
    reader = Reader(aws_account.target)
    told: list[tuple[int, int]] = []
    inventory, errors = read_inventory(reader, intended, progress=lambda done, of: told.append((done, of)))
    assert errors == ()
    assert reader.calls <= count + 8
    assert sum(instance.user_data is not None for instance in inventory.instances) == count
    assert told == [(done, count + 6) for done in range(count + 7)]


def test_reading_an_account_without_workers_stops_after_two_calls(aws_account: Account) -> None:
    reader = Reader(aws_account.target)
    inventory, errors = read_inventory(reader, THREE)
    assert (inventory.account, inventory.region, inventory.instances, errors) == (
        aws_account.id,
        REGION,
        (),
        (),
    )
    assert reader.calls == 2


def test_reread_routes_takes_one_call_and_sees_the_new_route(aws_account: Account) -> None:
    aws_account.build()
    reader = Reader(aws_account.target)
    inventory, _ = read_inventory(reader, THREE)
    before = reader.calls
    aws_account.ec2.create_route(
        RouteTableId=aws_account.table,
        DestinationCidrBlock="10.200.0.0/24",
        InstanceId=aws_account.instance("worker-0"),
    )
    again, errors = reread_routes(reader, inventory, THREE)
    assert errors == ()
    assert reader.calls == before + 1
    assert again != inventory
    assert again == aws_account.look()


def test_account_other_than_the_expected_one_is_an_error_that_names_both(aws_account: Account) -> None:
    reader = Reader(aws_account.target)
    with pytest.raises(CouldNotLook) as caught:
        read_inventory(reader, THREE, expect_account="999999999999")
    error = caught.value.error
    assert error.code == "wrong-account"
    assert (error.resource, error.facts["expected"]) == (aws_account.id, "999999999999")
    assert reader.calls == 1


def test_expected_account_is_accepted(aws_account: Account) -> None:
    assert Reader(aws_account.target).account(aws_account.id) == aws_account.id


def test_sandbox_session_sees_nothing_of_the_users_aws_configuration(
    aws_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/no/such/file")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    assert Reader(aws_account.target).account() == aws_account.id


def test_aws_region_is_heard_as_the_aws_cli_hears_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _as_a_user(monkeypatch, **_KEYS)
    monkeypatch.setenv("AWS_REGION", "sa-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert session_for(Target(kind="aws")).region_name == "sa-east-1"


def test_profile_that_assumes_a_role_can_read(aws_account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way to the credentials may call AssumeRole; only the reader's own clients may not."""
    config = aws_account.directory / "config"
    config.write_text(
        "[profile base]\naws_access_key_id = a\naws_secret_access_key = b\n"
        "[profile student]\nsource_profile = base\n"
        f"role_arn = arn:aws:iam::{aws_account.id}:role/student\nregion = {REGION}\n"
    )
    _as_a_user(monkeypatch, AWS_CONFIG_FILE=str(config), AWS_PROFILE="student")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_account.endpoint)
    reader = Reader(Target(kind="aws"))
    assert reader.account() == aws_account.id
    assert reader.facts["profile"] == "student"


def test_region_that_nobody_named_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    _as_a_user(monkeypatch, **_KEYS)
    with pytest.raises(CouldNotLook) as caught:
        Reader(Target(kind="aws"))
    assert caught.value.error.code == "region-missing"


def test_malformed_region_is_an_error_about_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    _as_a_user(monkeypatch, **_KEYS, AWS_REGION="us east 1")
    with pytest.raises(CouldNotLook) as caught:
        Reader(Target(kind="aws")).account()
    assert caught.value.error.code == "region-missing"
    assert caught.value.error.facts["region"] == "us east 1"
    assert caught.value.error.variant == "unknown"


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"AWS_PROFILE": "no-such-profile"},
        {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"},
    ],
    ids=["none", "no-such-profile", "half"],
)
def test_credentials_that_are_not_there_are_an_error(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    _as_a_user(monkeypatch, AWS_REGION=REGION, **environment)
    with pytest.raises(CouldNotLook) as caught:
        Reader(Target(kind="aws"))
    assert caught.value.error.code == "credentials-missing"
    assert caught.value.error.facts["profile"] == environment.get("AWS_PROFILE", "default")
    named = "no-profile" if "AWS_PROFILE" in environment else ""
    assert caught.value.error.variant == named


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "nonsense", "http://"])
def test_endpoint_where_nobody_answers_is_an_error(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    _as_a_user(monkeypatch, **_KEYS, AWS_REGION=REGION)
    with pytest.raises(CouldNotLook) as caught:
        Reader(Target(kind="aws", endpoint=endpoint)).account()
    assert caught.value.error.code == "aws-unreachable"
    assert caught.value.error.facts["endpoint"] == endpoint


def _as_a_user(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    """Nothing of the machine's AWS configuration, but ``environment``."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    for name, value in {**nothing, "AWS_EC2_METADATA_DISABLED": "true", **environment}.items():
        monkeypatch.setenv(name, value)
