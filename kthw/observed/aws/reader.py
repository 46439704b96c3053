"""The way to AWS, read-only: sessions, clients and what they may ask."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from kthw.errors import CouldNotLook, LookError
from kthw.observed.aws import configured, shapes
from kthw.observed.aws.answers import Parsers, bound
from kthw.observed.aws.assumed import assuming
from kthw.observed.aws.errors import LOOKING_FAILS_WITH, aws_code, look_error, looking
from kthw.observed.aws.rate import TokenBucket
from kthw.secrets import masked
from kthw.service_models import MODELS
from kthw.target import Target

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.model import OperationModel
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_sts import STSClient

__all__ = ["LOOKING_FAILS_WITH", "Reader", "aws_code", "look_error", "looking", "session_for"]

THREADS: Final = 8
"""Calls in flight at once; botocore keeps ten connections per client."""
_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 30
_ATTEMPTS: Final = 6
_FIRST_ATTEMPTS: Final = 3
"""The first call tells whether AWS is there at all: a person waits for it, so it gives up sooner."""
_ATTEMPTS_ABROAD: Final = 2
_PER_SECOND: Final = 20
_AT_ONCE: Final = 90
"""The published limit of each reading action per account and region (100 at once), kept by all that a reader
sends; with some room, as requests come closer together than they were sent, and as the reader that chose the
workers has sent a call per 1,000 instances by a bucket of its own.

DescribeInstanceAttribute, one a worker, has no batch form: it comes nearest to it.
"""

_NOWHERE: Final = (None, None, None, None)
_READING = re.compile(r"(Describe|Get|List)[A-Z]")


class CallRefusedError(RuntimeError):
    """Our own code asked for an operation this client must never send. Nothing was sent."""


def session_for(target: Target) -> boto3.Session:
    """A session for ``target``; raises ``CouldNotLook`` (region, credentials).

    A target that brings credentials (a sandbox) sees nothing of the user's AWS configuration. Any other
    goes through boto3's chain; ``AWS_REGION`` counts as it does for the AWS CLI (boto3 by itself reads
    ``AWS_DEFAULT_REGION`` only).
    """
    facts = facts_of(target)
    with looking("credentials", **facts):
        if target.credentials:
            key, secret = target.credentials
            alone = {"profile": _NOWHERE, "config_file": (None, None, os.devnull, None)}
            alone["credentials_file"] = alone["config_file"]
            session = boto3.Session(
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                region_name=target.region,
                botocore_session=_core(alone),
            )
        else:
            region = target.region or os.environ.get("AWS_REGION") or None
            session = boto3.Session(
                profile_name=target.profile or None, region_name=region, botocore_session=_core()
            )
        facts["profile"] = session.profile_name
        if not session.region_name:
            raise CouldNotLook(LookError(code="region-missing", subject="region", facts=facts))
        if session.get_credentials() is None:
            raise CouldNotLook(LookError(code="credentials-missing", subject="credentials", facts=facts))
        if target.role:
            session = assuming(session, target.role, _core())
    return session


def _core(variables: dict[str, Any] | None = None) -> botocore.session.Session:
    core = botocore.session.Session(session_vars=variables)
    core.register_component("data_loader", MODELS)
    core.register_component("response_parser_factory", Parsers())
    return core


def preload() -> None:
    """Read the services' models now, while something else is waited for; the first clients need not."""
    for service in ("ec2", "sts"):
        for kind in ("service-2", "endpoint-rule-set-1"):
            MODELS.load_service_model(service, kind)


def facts_of(target: Target) -> dict[str, str]:
    """The facts every error about ``target`` carries: ``profile``, ``region``, ``endpoint``."""
    return {
        "profile": target.profile or os.environ.get("AWS_PROFILE", "") or "default",
        "region": configured.region(target),
        "endpoint": configured.endpoint(target),
    }


def client_config(target: Target, *, attempts: int = _ATTEMPTS) -> Config:
    """Retries and timeouts, said aloud: botocore's own defaults differ between its releases.

    Throttling, lost connections and 5xx answers are tried again, with growing random waits; and whoever tries
    again (the adaptive mode) sends less while AWS asks for patience.
    """
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "adaptive" if attempts > 1 else "standard", "total_max_attempts": attempts},
    )
    if target.credentials:
        # A sandbox listens on loopback: no proxy, no FIPS or dual-stack name of AWS leads to it.
        alone = Config(proxies={}, use_fips_endpoint=False, use_dualstack_endpoint=False)
        return config.merge(alone)
    return config


class Reader:
    """A look at one AWS account and region that cannot write.

    ``ec2``, ``elbv2`` and ``sts`` send ``Describe…``, ``Get…`` and ``List…`` and raise ``CallRefusedError``
    for everything else before anything is sent. ``calls`` counts API calls: one per page asked for,
    retries not counted (botocore's ``before-call`` event). All that is sent, retries too, takes from one
    bucket of ``_AT_ONCE`` that fills by ``_PER_SECOND``. ``refusal`` is the code of the last answer, empty
    where that was no refusal. Raises ``CouldNotLook`` where credentials or region are missing.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._session = session_for(target)
        self._lock = threading.Lock()
        self._bucket = TokenBucket(_PER_SECOND, _AT_ONCE)
        self.calls = 0
        self.refusal = ""
        self.arn = ""
        self.region: str = self._session.region_name
        self.facts = facts_of(target) | {"region": self.region, "profile": self._session.profile_name}

    @cached_property
    def ec2(self) -> EC2Client:
        """The EC2 client."""
        with connecting(self.facts):
            client = self._session.client(
                "ec2", endpoint_url=self.target.endpoint or None, config=client_config(self.target)
            )
        self._guard(client)
        client.meta.events.register("response-received", self._hear)
        return client

    @cached_property
    def elbv2(self) -> Any:
        """The client of Elastic Load Balancing: only the clean-up asks it."""
        with connecting(self.facts):
            client = self._session.client(
                "elbv2", endpoint_url=self.target.endpoint or None, config=client_config(self.target)
            )
        self._guard(client)
        client.meta.events.register("response-received", self._hear)
        return client

    @contextmanager
    def abroad(self, region: str) -> Iterator[EC2Client]:
        """A client for another region, for a while: at the same endpoint, where one is configured.

        What it is refused is nobody's ``refusal``: a region may be closed to this account.
        """
        with self._lock:  # making clients is not for several threads at once
            client = self._session.client(
                "ec2",
                region_name=region,
                endpoint_url=self.facts["endpoint"] or None,
                config=client_config(self.target, attempts=_ATTEMPTS_ABROAD),
            )
        self._guard(client)
        try:
            yield client
        finally:
            client.close()

    def known_regions(self) -> list[str]:
        """The regions that the SDK knows of, of the partition this one is in."""
        try:
            partition = self._session.get_partition_for_region(self.region)
        except BotoCoreError:
            return []
        return self._session.get_available_regions("ec2", partition)

    @cached_property
    def sts(self) -> STSClient:
        """The STS client; the first to call, so the first to find out that nobody answers."""
        with connecting(self.facts):
            client = self._session.client(
                "sts",
                endpoint_url=self.target.endpoint or None,
                config=client_config(self.target, attempts=_FIRST_ATTEMPTS),
            )
        self._guard(client)
        client.meta.events.register("response-received", self._hear)
        return client

    def account(self, expected: str = "") -> str:
        """The account's id (``GetCallerIdentity``). Raises ``CouldNotLook`` (``wrong-account`` …).

        From then on ``arn`` says as whom it was asked.
        """
        with looking("account", **self.facts):
            caller = shapes.caller(self.sts.get_caller_identity())
        account, self.arn = caller.account, caller.arn
        if expected and account != expected:
            facts = {**self.facts, "account": account, "expected": expected}
            raise CouldNotLook(
                LookError(
                    code="wrong-account", subject="account", detail=account, resource=account, facts=facts
                )
            )
        return account

    def _guard(self, client: BaseClient) -> None:
        # On the clients, not on the session: a profile that assumes a role does so through the session.
        allow_only(client, _READING)
        client.meta.events.register("before-call", self._count)
        client.meta.events.register_first("before-send", self._pace)
        bound(client)

    def _count(self, **_event: Any) -> None:
        with self._lock:
            self.calls += 1

    def _pace(self, **_event: Any) -> None:
        self._bucket.take()

    def _hear(self, parsed_response: dict[str, Any] | None = None, **_event: Any) -> None:
        self.refusal = (parsed_response or {}).get("Error", {}).get("Code", "")


def allow_only(client: BaseClient, operations: re.Pattern[str]) -> None:
    """Make ``client`` raise ``CallRefusedError`` for every operation whose name does not match."""

    def refuse(model: OperationModel, **_event: Any) -> None:
        if not operations.match(model.name):
            raise CallRefusedError(f"{model.name} is refused: this client may only send {operations.pattern}")

    client.meta.events.register_first("provide-client-params", refuse)


@contextmanager
def connecting(facts: Mapping[str, str]) -> Iterator[None]:
    """Like ``looking``, for making a client: botocore complains about a malformed URL by ``ValueError``."""
    try:
        with looking("AWS", **facts):
            yield
    except ValueError as problem:
        error = LookError(
            code="aws-unreachable", subject="AWS", detail=masked(str(problem)), facts=dict(facts)
        )
        raise CouldNotLook(error) from problem
