"""``sandbox up`` shows who is there, and what the last call changed."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sandbox.box import ec2_client
from tests.sandbox.test_commands import ROOT

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

SECONDS = 30.0


class Watched:
    """``sandbox up --empty`` of which somebody reads standard error by ``reader``."""

    def __init__(self, process: subprocess.Popen[bytes], reader: int) -> None:
        self._reader = reader
        self._shown = ""
        assert process.stdout
        lines = iter(process.stdout.readline, b"")
        found = (re.search(rb"AWS_ENDPOINT_URL=(\S+)", line) for line in lines)
        self.ec2: EC2Client = ec2_client(next(each for each in found if each)[1].decode())

    def shows(self, pattern: str) -> re.Match[str]:
        """Wait until it was shown; what was shown before is not looked at again."""
        deadline = time.monotonic() + SECONDS
        while not (found := re.search(pattern, self._shown, re.DOTALL)):
            ready, _, _ = select.select([self._reader], [], [], deadline - time.monotonic())
            assert ready, self._shown
            self._shown += os.read(self._reader, 65536).decode()
        self._shown = self._shown[found.end() :]
        return found


@contextlib.contextmanager
def up(stderr: int, reader: int, language: str) -> Iterator[Watched]:
    mine = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "KTHW_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "up", "--empty"],
        cwd=ROOT, env={**mine, "LC_ALL": language}, stdout=subprocess.PIPE, stderr=stderr,
    )  # fmt: skip
    os.close(stderr)
    try:
        yield Watched(process, reader)
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)
        os.close(reader)


def test_in_a_log_there_is_a_line_for_each_change() -> None:
    reader, stderr = os.pipe()
    with up(stderr, reader, "C.UTF-8") as watched:
        vpc = watched.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        watched.shows(
            rf"\d\d:\d\d:\d\d \+ us-east-1  {vpc}  10\.9\.0\.0/16\n.* \+ rtb-\w+: 10\.9\.0\.0/16 → local\n"
        )
        group = watched.ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]
        watched.ec2.authorize_security_group_ingress(
            GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="198.51.100.7/32"
        )
        watched.shows(rf" \+ g \({group}\): tcp 22 ← 198\.51\.100\.7/32\n")
        watched.ec2.delete_security_group(GroupId=group)
        watched.shows(rf" − g \({group}\): tcp 22 ← 198\.51\.100\.7/32\n")


def test_on_a_terminal_the_picture_is_drawn_anew_below_what_is_to_be_pasted() -> None:
    reader, stderr = pty.openpty()
    with up(stderr, reader, "pt_BR.UTF-8") as watched:
        watched.shows(r"\x1b\[H\x1b\[2J.*AWS_ENDPOINT_URL=.*no ar há .*Não há nenhuma VPC nele")
        vpc = watched.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        watched.shows(
            rf"\x1b\[2J.*us-east-1  {vpc}.*rtb-\w+, para —:\r\n    10\.9\.0\.0/16 → local.*"
            rf"Última mudança, \d\d:\d\d:\d\d:\r\n.*\+ us-east-1  {vpc}"
        )
