"""What botocore raises, as could-not-look errors with the codes a person's message hangs on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

import botocore.session
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from kthw.errors import CouldNotLook, LookError
from kthw.foreign import printable
from kthw.observed.aws.answers import UnreadableAnswerError
from kthw.secrets import masked

_EXPIRED: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "UnauthorizedException",
        "TokenRefreshRequired",
    }
)
_REFUSED_CREDENTIALS: Final = frozenset(
    {
        "AuthFailure",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "UnrecognizedClientException",
        "IncompleteSignature",
        "RequestTimeTooSkewed",
        "RequestInTheFuture",
    }
)
_DENIED: Final = frozenset({"UnauthorizedOperation", "AccessDenied", "AccessDeniedException"})
_OF_A_CLOCK: Final = ("Signature expired", "Signature not yet current", "current time", "too skewed")
"""How AWS says that the time of a request's signature is not its own."""
THROTTLED: Final = frozenset(
    {
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "EC2ThrottledException",
        "TooManyRequestsException",
        "SlowDown",
        "BandwidthLimitExceeded",
    }
)
"""Error codes that ask for patience; those of botocore's standard retry mode that EC2 and STS use."""

_MISSING_CREDENTIALS: Final = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.ProfileNotFound,
    boto.CredentialRetrievalError,
    boto.UnknownCredentialError,
    boto.NoAuthTokenError,
    boto.ConfigNotFound,
    boto.ConfigParseError,
    boto.InvalidConfigError,
    boto.RefreshWithMFAUnsupportedError,
    boto.MetadataRetrievalError,
)
_EXPIRED_LOGIN: Final = (boto.TokenRetrievalError, boto.SSOError, boto.LoginError)
_BAD_REGION: Final = (boto.NoRegionError, boto.InvalidRegionError, boto.UnknownRegionError)
_UNREACHABLE: Final = (
    boto.ConnectionError,
    boto.HTTPClientError,
    boto.IncompleteReadError,
    boto.InvalidEndpointConfigurationError,
    boto.EndpointProviderError,
    boto.BaseEndpointResolverError,
    boto.InvalidProxiesConfigError,
)

UNREADABLE: Final = (
    ResponseParserError,
    UnreadableAnswerError,
    # What a page says of the next one was no such thing, or the same again.
    boto.PaginationError,
    boto.ParamValidationError,
)
"""What is raised for an answer that is not what AWS answers."""
LOOKING_FAILS_WITH: Final = (boto.BotoCoreError, boto.ClientError, ResponseParserError)
"""Everything that is raised when a call did not bring an answer, or not one that can be read."""
_MOST_SAID: Final = 2000
"""Characters of what the other side said that are looked at."""

_SERVICES: Final = {
    "DescribeLoadBalancers": "elasticloadbalancing",
    "DescribeTargetGroups": "elasticloadbalancing",
    "GetCallerIdentity": "sts",
    "AssumeRole": "sts",
    "AssumeRoleWithWebIdentity": "sts",
    "GetRoleCredentials": "sso",
}


@contextmanager
def looking(subject: str, **facts: str) -> Iterator[None]:
    """Turn what botocore raises in this block into ``CouldNotLook`` about ``subject``.

    ``facts`` go into the error, beside those the exception brings (see ``look_error``).
    """
    try:
        yield
    except LOOKING_FAILS_WITH as problem:
        raise CouldNotLook(look_error(problem, subject, **facts)) from problem


def look_error(
    problem: Exception, subject: str, *, worker: str = "", kind: str = "", **facts: str
) -> LookError:
    """``problem``, one of ``LOOKING_FAILS_WITH``, as data; ``kind``: of what was being read, where it counts.

    Facts: the given ones (``profile``, ``region``, ``endpoint``, ``account``) and, where AWS answered,
    ``operation`` (``DescribeRouteTables``), ``action`` (``ec2:DescribeRouteTables``, as an IAM policy
    names it) and ``aws_code``. The detail is what was said, with everything like a secret masked.
    """
    variant = ""
    if isinstance(problem, boto.ClientError):
        aws_said = problem.response.get("Error", {}).get("Code", "")
        message = problem.response.get("Error", {}).get("Message", "")
        operation = problem.operation_name
        service = _SERVICES.get(operation, "ec2")
        facts |= {"operation": operation, "action": f"{service}:{operation}", "aws_code": aws_said}
        code = _code_of_answer(problem)
        variant = _variant(code, operation, message)
        detail = f"{aws_said}: {message[:_MOST_SAID]}" if message else aws_said
    else:
        code = _code_of_exception(problem, facts.get("region", ""))
        if isinstance(problem, boto.ProfileNotFound):
            variant = "no-profile"
            facts["profile"] = str(problem.kwargs.get("profile", ""))
        elif code == "region-missing" and facts.get("region"):
            variant = "unknown"  # one was named, and nobody has it
        detail = " ".join(str(problem)[:_MOST_SAID].split())
    said = printable(masked(detail), _MOST_SAID)
    return LookError(
        code=code, subject=subject, detail=said, worker=worker, kind=kind, variant=variant, facts=dict(facts)
    )


def too_slow(
    refusal: str, subject: str, seconds: float, *, worker: str = "", kind: str = "", **facts: str
) -> LookError:
    """An error about what was not answered in ``seconds``; ``refusal``: the code AWS last refused with."""
    throttled = refusal in THROTTLED
    spent = f"{seconds:.0f} s"
    return LookError(
        code="throttled" if throttled else "aws-unreachable",
        subject=subject,
        detail=f"{refusal}, {spent}" if refusal else spent,
        worker=worker,
        kind=kind,
        variant="slow",
        facts={**facts, "seconds": f"{seconds:.0f}"},
    )


def aws_code(problem: Exception) -> str:
    """AWS's own error code (``RouteAlreadyExists``), or empty when AWS did not answer."""
    if isinstance(problem, boto.ClientError):
        return problem.response.get("Error", {}).get("Code", "")
    return ""


def _code_of_answer(problem: boto.ClientError) -> str:
    said = aws_code(problem)
    for codes, code in (
        (_DENIED, "access-denied"),
        (_EXPIRED, "credentials-expired"),
        (_REFUSED_CREDENTIALS, "credentials-refused"),
        (THROTTLED, "throttled"),
    ):
        if said in codes:
            return code
    status = problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return "aws-unreachable" if status >= 500 else "aws-refused"


def _variant(code: str, operation: str, message: str) -> str:
    """A role that was not given; a request that was signed at another time than AWS's."""
    if code == "access-denied" and operation == "AssumeRole":
        return "role"
    skewed = code == "credentials-refused" and any(sign in message for sign in _OF_A_CLOCK)
    return "clock" if skewed else ""


def _code_of_exception(problem: Exception, region: str) -> str:
    if isinstance(problem, _MISSING_CREDENTIALS):
        return "credentials-missing"
    if isinstance(problem, _EXPIRED_LOGIN):
        return "credentials-expired"
    if isinstance(problem, _BAD_REGION) or _names_no_region(problem, region):
        return "region-missing"
    if isinstance(problem, _UNREACHABLE):
        return "aws-unreachable"
    return "aws-unreadable" if isinstance(problem, UNREADABLE) else "aws-refused"


def _names_no_region(problem: Exception, region: str) -> bool:
    """Whether AWS's host name was not found because ``region`` is misspelt (``us-esat-1``)."""
    if not region or not isinstance(problem, boto.EndpointConnectionError):
        return False
    host = urlsplit(str(problem.kwargs.get("endpoint_url", ""))).hostname or ""
    if region not in host:
        return False
    session = botocore.session.Session()
    known = {
        name
        for partition in session.get_available_partitions()
        for name in session.get_available_regions("ec2", partition)
    }
    return region not in known
