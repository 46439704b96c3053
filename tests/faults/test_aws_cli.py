"""The forked AWS CLI runs a command line as it was typed, where it was typed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from sandbox.faults import aws_cli

WORDS = ["ec2", "a b", "", 'Name=é,Values="x"', "two\nlines", "--x=1=2", "\udcff"]


class Driver:
    """In the CLI's place: says what it was given."""

    def main(self, words: list[str]) -> int:
        told = [words, os.environ["SAID"], os.environ["OWN"], str(Path.cwd()), sys.stdin.read()]
        sys.stdout.write(ascii(told))
        sys.stderr.write("complaint")
        return 254


def test_a_command_line_arrives_as_it_was_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its environment, its folder, its three files and its exit status."""
    monkeypatch.setenv("SAID", "a=b \udcfe")
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        serving = os.fork()
        if serving == 0:
            # pytest's own standard files are those of a test; the command line's are these.
            sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 -- numbers
            os._exit(aws_cli._run(listener.accept()[0], cast("Any", Driver()), {"OWN": "own", "SAID": "no"}))
        done = subprocess.run(
            [sys.executable, "-IS", "-c", f"SOCKET = {path!r}\n{aws_cli.CLIENT}", *WORDS],
            cwd=tmp_path, input="a line\n", capture_output=True, text=True, check=False,
        )  # fmt: skip
        os.waitpid(serving, 0)
    assert done.stdout == ascii([WORDS, "a=b \udcfe", "own", str(tmp_path), "a line\n"])
    assert (done.stderr, done.returncode) == ("complaint", 254)


def test_what_the_methods_of_a_client_are_does_not_change_by_being_remembered() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import botocore.session; from sandbox.faults import aws_cli\n"
            "def made(): return botocore.session.Session().create_client('sts', region_name='us-east-1')\n"
            "before = made(); aws_cli._remember_methods(); made(); after = made()\n"
            "assert dir(before) == dir(after) and type(before) is not type(after)\n"
            "assert after.meta.method_to_api_mapping == before.meta.method_to_api_mapping\n"
            "print(type(after).get_caller_identity is type(made()).get_caller_identity)",
        ],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True\n", "")
