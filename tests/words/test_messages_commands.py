"""The printed ``aws`` commands are ones the AWS CLI understands: it goes as far as to send the request."""

from __future__ import annotations

import functools
import re
import shlex

import pytest
from awscli.clidriver import CLIDriver, create_clidriver  # type: ignore[import-untyped]  # ships none

from kthw.words.messages import catalogue
from tests.findings.faults import FAULTS
from tests.findings.judged import everything

NOT_SENT = 255
"""The AWS CLI's exit code for a command it understood, when nobody answered."""


@functools.cache
def _aws() -> CLIDriver:
    return create_clidriver()


def _by_shape() -> dict[str, str]:
    """One command of each shape: operation and options."""
    found: dict[str, str] = {}
    for evidence, _ in FAULTS.values():
        for finding in everything(evidence):
            for line in catalogue("en").finding(finding).fix.splitlines():
                inner = re.findall(r"\$\((aws .*)\)", line)
                for command in [*inner, *([line] if line.startswith("aws ") else [])]:
                    plain = re.sub(r'"\$\(.*\)"', "dGV4dA==", command).replace('"$gateway"', "igw-0a")
                    plain = re.sub(r" >> \S+$", "", plain)
                    words = shlex.split(plain)
                    shape = " ".join([*words[1:3], *(word for word in words if word.startswith("--"))])
                    found.setdefault(shape, plain)
    return found


COMMANDS = _by_shape()


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_the_aws_cli_understands_the_command(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(name, value)
    status = _aws().main(shlex.split(command)[1:])
    assert status == NOT_SENT


def test_a_command_the_cli_does_not_understand_is_told_apart() -> None:
    with pytest.raises(SystemExit):
        create_clidriver().main(["ec2", "create-route", "--no-such-option", "x"])
