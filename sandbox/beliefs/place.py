"""Where beliefs are looked at: a private sandbox, or what the environment's AWS settings point at."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from kthw.target import is_local
from sandbox.beliefs.machine import NotSeenError
from sandbox.box import start
from sandbox.habits import Habits
from sandbox.surroundings import CREDENTIALS

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

REPORTS: Final = Path(__file__).resolve().parents[2] / "reports"
_SANDBOX_DELAY: Final = 1.0
"""Long enough that a machine is seen stopping."""


@dataclass(frozen=True)
class Place:
    """``runs``: the folder with a folder for each run that may have left something. ``config``: an ssh_config
    that leads to the machines, or empty. ``patience`` and ``pause`` as of ``Lab``."""

    ec2: EC2Client
    where: dict[str, str]
    runs: Path
    config: str = ""
    patience: float = 60.0
    pause: float = 2.0

    @property
    def is_account(self) -> bool:
        """Whether it costs anything."""
        return self.where["kind"] == "aws" and not is_local(self.where["endpoint"])


@contextlib.contextmanager
def sandbox() -> Iterator[Place]:
    """A private one with nothing in it, thrown away at the end. Raises ``CouldNotLook``."""
    with start(empty=True, habits=Habits(delay=_SANDBOX_DELAY)) as box, tempfile.TemporaryDirectory() as runs:
        target = box.target
        session = boto3.session.Session(*CREDENTIALS, region_name=target.region)
        config = Config(read_timeout=120, proxies={})
        ec2: EC2Client = session.client("ec2", endpoint_url=target.endpoint, config=config)
        where = {
            "kind": "sandbox",
            "account": "123456789012",
            "region": target.region,
            "endpoint": target.endpoint,
        }
        yield Place(ec2, where, Path(runs), target.ssh.config, patience=8.0, pause=0.1)


def account() -> Place:
    """What ``AWS_PROFILE``, ``AWS_REGION`` and ``AWS_ENDPOINT_URL`` point at. Raises ``NotSeenError``."""
    config = Config(retries={"mode": "standard", "total_max_attempts": 8}, read_timeout=120)
    try:
        session = boto3.session.Session()
        ec2: EC2Client = session.client("ec2", config=config)
        identity: Any = session.client("sts", config=config).get_caller_identity()
    except (BotoCoreError, ClientError) as problem:
        raise NotSeenError(str(problem)) from problem
    where = {
        "kind": "aws", "account": str(identity["Account"]), "region": ec2.meta.region_name,
        "endpoint": ec2.meta.endpoint_url,
    }  # fmt: skip
    return Place(ec2, where, REPORTS / "beliefs", os.environ.get("KTHW_SSH_CONFIG", ""))
