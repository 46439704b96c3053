"""The rights of a role, assumed when the first call needs them, and again before they end."""

from __future__ import annotations

from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

from kthw.observed.aws.answers import bound
from kthw.target import Role

_SESSION: Final = "kthw-grade"
"""What CloudTrail calls it, in the account of the role."""
_SECONDS: Final = 3600
_CONFIG: Final = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3}
)


def assuming(session: boto3.Session, role: Role, core: botocore.session.Session) -> boto3.Session:
    """A session like ``session``, with the rights of ``role``; ``core`` is to carry it.

    Whether the role is given shows at the first call: a ``ClientError`` of ``AssumeRole``.
    """

    def create(service: str, **given: Any) -> Any:
        # Its answer is read no further than any other: it is what stands before all of them.
        client = session._session.create_client(
            service, region_name=session.region_name, config=_CONFIG, **given
        )
        bound(client)
        return client

    asked: dict[str, Any] = {"RoleSessionName": _SESSION, "DurationSeconds": _SECONDS}
    if role.external_id:
        asked["ExternalId"] = role.external_id
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=create,
        source_credentials=session.get_credentials(),
        role_arn=role.arn,
        extra_args=asked,
    )
    # botocore has no public way to give a session credentials that are fetched anew.
    given = DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)
    core._credentials = given  # type: ignore[attr-defined]
    return boto3.Session(region_name=session.region_name, botocore_session=core)
