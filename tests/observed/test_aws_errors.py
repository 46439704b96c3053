"""What botocore raises becomes a could-not-look error with the right code, and no secret in it."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore import exceptions as boto
from botocore.stub import Stubber

from kthw.errors import CouldNotLook
from kthw.observed.aws.inventory import read_inventory
from kthw.observed.aws.reader import Reader, aws_code, look_error, looking
from kthw.target import Target
from tests.provision.account import REGION, THREE, Account

_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105 -- AWS's documented example
_TOKEN = "IQoJb3JpZ2luX2VjEDMaCXVzLWVhc3QtMSJHMEUCIQD1example0token" * 3


def _answer(
    code: str, message: str = "", operation: str = "DescribeRouteTables", status: int = 400
) -> Exception:
    """What botocore raises for an error answer of AWS's."""
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return boto.ClientError(response, operation)


def _id(value: object) -> str:
    return aws_code(value) or type(value).__name__ if isinstance(value, Exception) else str(value)


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (boto.NoCredentialsError(), "credentials-missing"),
        (
            boto.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
            "credentials-missing",
        ),
        (boto.ProfileNotFound(profile="lab"), "credentials-missing"),
        (boto.CredentialRetrievalError(provider="process", error_msg="exit 1"), "credentials-missing"),
        (boto.ConfigParseError(path="config", error="no section"), "credentials-missing"),
        (boto.TokenRetrievalError(provider="sso", error_msg="Token has expired"), "credentials-expired"),
        (boto.UnauthorizedSSOTokenError(), "credentials-expired"),
        (boto.SSOTokenLoadError(error_msg="no token"), "credentials-expired"),
        (_answer("ExpiredToken"), "credentials-expired"),
        (_answer("RequestExpired"), "credentials-expired"),
        (_answer("AuthFailure", status=401), "credentials-refused"),
        (_answer("InvalidClientTokenId", status=403), "credentials-refused"),
        (_answer("SignatureDoesNotMatch", status=403), "credentials-refused"),
        (_answer("UnauthorizedOperation", status=403), "access-denied"),
        (_answer("AccessDenied", status=403), "access-denied"),
        (_answer("RequestLimitExceeded", status=503), "throttled"),
        (_answer("Throttling"), "throttled"),
        (boto.NoRegionError(), "region-missing"),
        (boto.InvalidRegionError(region_name="us east"), "region-missing"),
        (boto.EndpointConnectionError(endpoint_url="https://ec2.us-east-1.amazonaws.com"), "aws-unreachable"),
        (boto.ConnectTimeoutError(endpoint_url="https://ec2.us-east-1.amazonaws.com"), "aws-unreachable"),
        (boto.ReadTimeoutError(endpoint_url="https://ec2.us-east-1.amazonaws.com"), "aws-unreachable"),
        (
            boto.SSLError(endpoint_url="https://ec2.us-east-1.amazonaws.com", error=OSError("self-signed")),
            "aws-unreachable",
        ),
        (boto.ProxyConnectionError(proxy_url="http://proxy:3128"), "aws-unreachable"),
        (_answer("InternalError", status=500), "aws-unreachable"),
        (_answer("OptInRequired", status=403), "aws-refused"),
        (_answer("InvalidVpcID.NotFound"), "aws-refused"),
    ],
    ids=_id,
)
def test_each_exception_has_its_code(problem: Exception, code: str) -> None:
    with pytest.raises(CouldNotLook) as caught, looking("account", region="us-east-1"):
        raise problem
    assert caught.value.error.code == code


def test_region_that_aws_does_not_have_is_told_apart_from_an_unreachable_aws() -> None:
    problem = boto.EndpointConnectionError(endpoint_url="https://ec2.us-esat-1.amazonaws.com/")
    error = look_error(problem, "AWS", region="us-esat-1")
    assert (error.code, error.variant) == ("region-missing", "unknown")
    problem = boto.EndpointConnectionError(endpoint_url="http://127.0.0.1:4566/")
    assert look_error(problem, "AWS", region="us-esat-1").code == "aws-unreachable"


def test_refusal_names_the_iam_action_that_is_lacking() -> None:
    facts = look_error(_answer("UnauthorizedOperation"), "route tables", profile="lab").facts
    assert facts["action"] == "ec2:DescribeRouteTables"
    assert facts["operation"] == "DescribeRouteTables"
    assert facts["profile"] == "lab"
    denied = _answer("AccessDenied", operation="AssumeRole")
    assert look_error(denied, "credentials").facts["action"] == "sts:AssumeRole"


def test_any_other_refusal_is_told_in_awss_own_words() -> None:
    error = look_error(_answer("InvalidVpcID.NotFound", "The vpc ID 'vpc-1' does not exist"), "network")
    assert error.detail == "InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist"


@pytest.mark.parametrize("secret", [_SECRET, _TOKEN, "AKIAIOSFODNN7EXAMPLE"])
def test_no_secret_gets_into_the_detail(secret: str) -> None:
    message = f"The canonical string should have been 'GET / x-amz-security-token:{secret} {secret}'"
    error = look_error(_answer("SignatureDoesNotMatch", message), "account")
    assert secret not in error.detail
    assert "SignatureDoesNotMatch: The canonical string" in error.detail


def test_who_was_refused_stays_readable() -> None:
    arn = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Student_0123456789abcdef/ana"
    message = f"User: {arn} is not authorized. Encoded authorization failure message: {_TOKEN}"
    detail = look_error(_answer("UnauthorizedOperation", message), "account").detail
    assert arn in detail
    assert _TOKEN not in detail


def test_one_error_names_every_permission_the_network_needs(aws_account: Account) -> None:
    reader = Reader(aws_account.build().target)

    def deny(model: object, **_event: object) -> None:
        name = getattr(model, "name", "")
        if name in ("DescribeSubnets", "DescribeNetworkAcls"):
            raise _answer("UnauthorizedOperation", "You are not authorized", name, 403)

    reader.ec2.meta.events.register("before-call", deny)
    with pytest.raises(CouldNotLook) as caught:
        read_inventory(reader, THREE)
    assert caught.value.error.code == "access-denied"
    assert caught.value.error.facts["action"] == "ec2:DescribeNetworkAcls, ec2:DescribeSubnets"


def test_user_data_that_cannot_be_read_is_an_error_about_that_worker_only(aws_account: Account) -> None:
    reader = Reader(aws_account.build().target)
    refused = aws_account.instance("worker-1")

    def deny(model: object, params: dict[str, object], **_event: object) -> None:
        asked = getattr(model, "name", "") == "DescribeInstanceAttribute"
        if asked and params["InstanceId"] == refused:
            raise _answer("UnauthorizedOperation", "You are not authorized", "DescribeInstanceAttribute", 403)

    reader.ec2.meta.events.register("provide-client-params", deny)
    inventory, errors = read_inventory(reader, THREE)
    assert [(error.code, error.worker) for error in errors] == [("access-denied", "worker-1")]
    assert errors[0].facts["action"] == "ec2:DescribeInstanceAttribute"
    assert errors[0].subject == f"worker-1 ({refused}, 10.0.1.21)"
    read = {i.name: i.user_data is not None for i in inventory.instances if i.name.startswith("worker")}
    assert read == {"worker-0": True, "worker-1": False, "worker-2": True}


def test_worker_that_vanishes_while_we_look_is_not_in_the_inventory(
    aws_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kthw.observed.aws.inventory._SETTLING_SECONDS", 0.1)
    reader = Reader(aws_account.build().target)
    gone = aws_account.instance("worker-1")

    def vanish(model: object, params: dict[str, object], **_event: object) -> None:
        asked = getattr(model, "name", "") == "DescribeInstanceAttribute"
        if asked and params["InstanceId"] == gone:
            raise _answer("InvalidInstanceID.NotFound", "no such instance", "DescribeInstanceAttribute")

    reader.ec2.meta.events.register("provide-client-params", vanish)
    inventory, errors = read_inventory(reader, THREE)
    assert errors == ()
    workers = [instance.name for instance in inventory.instances if instance.name.startswith("worker")]
    assert sorted(workers) == ["worker-0", "worker-2"]


def test_worker_that_aws_does_not_know_yet_is_asked_about_again(
    aws_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kthw.observed.aws.inventory._FIRST_WAIT", 0.01)
    reader = Reader(aws_account.build().target)
    refusals = [_answer("InvalidInstanceID.NotFound", "not yet", "DescribeInstanceAttribute")]

    def not_yet(model: object, **_event: object) -> None:
        if getattr(model, "name", "") == "DescribeInstanceAttribute" and refusals:
            raise refusals.pop()

    reader.ec2.meta.events.register("provide-client-params", not_yet)
    inventory, errors = read_inventory(reader, THREE)
    assert errors == ()
    assert inventory == aws_account.look()


def test_throttling_that_does_not_end_is_an_error() -> None:
    target = Target(kind="sandbox", endpoint="http://127.0.0.1:9", region=REGION, credentials=("a", "b"))
    reader = Reader(target)
    with Stubber(reader.sts) as stub:
        stub.add_client_error("get_caller_identity", "RequestLimitExceeded", "slow down", 503)
        with pytest.raises(CouldNotLook) as caught:
            reader.account()
    assert caught.value.error.code == "throttled"
    assert caught.value.error.facts["action"] == "sts:GetCallerIdentity"


@pytest.fixture
def web_page() -> Iterator[str]:
    """The URL of a web server that knows nothing of AWS."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html><body>Welcome!<br></body></html>")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_web_page_in_place_of_an_api_is_an_error_and_no_traceback(web_page: str) -> None:
    target = Target(kind="sandbox", endpoint=web_page, region=REGION, credentials=("a", "b"))
    with pytest.raises(CouldNotLook) as caught:
        Reader(target).account()
    assert caught.value.error.code == "aws-unreadable"
    assert "Unable to parse response" in caught.value.error.detail
