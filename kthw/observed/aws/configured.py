"""What the person's environment and AWS configuration say of where AWS is, read without asking anybody.

Files and precedence are those of the AWS SDKs (*Service-specific endpoints* in their reference guide).
botocore tells the same of a client only, which takes a second to make; a test compares the two.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

import botocore.session
from botocore.exceptions import BotoCoreError

from kthw.target import Target

_VARIABLES: Final = ("AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL")


def endpoint(target: Target) -> str:
    """The URL that answers as EC2, where it is not AWS's own; empty where it is."""
    if target.endpoint or target.credentials:
        return target.endpoint
    core = botocore.session.Session(profile=target.profile or None)
    try:
        if core.get_config_variable("ignore_configured_endpoint_urls"):
            return ""
        said = [os.environ.get(name) for name in _VARIABLES] + _of_profile(core)
    except BotoCoreError:
        # A profile that nobody has, a file that is none: who makes a session of it is told so.
        said = [os.environ.get(name) for name in _VARIABLES]
    return next((url for url in said if url and isinstance(url, str)), "")


def region(target: Target) -> str:
    """The region to look at, or empty where nothing names one. ``AWS_REGION`` counts as for the AWS CLI."""
    named = target.region or os.environ.get("AWS_REGION", "") or os.environ.get("AWS_DEFAULT_REGION", "")
    if named or target.credentials:
        return named
    try:
        return botocore.session.Session(profile=target.profile or None).get_config_variable("region") or ""
    except BotoCoreError:
        return ""


def _of_profile(core: botocore.session.Session) -> list[Any]:
    profile = core.get_scoped_config()
    services = _inside(core.full_config.get("services"), profile.get("services"))
    return [_inside(services, "ec2").get("endpoint_url"), profile.get("endpoint_url")]


def _inside(section: object, key: object) -> Mapping[str, Any]:
    found = section.get(key) if isinstance(section, Mapping) else None
    return found if isinstance(found, Mapping) else {}
