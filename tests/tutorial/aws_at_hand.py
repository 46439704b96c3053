"""The real AWS CLI, already started: a process that forks for each command a shell asks for.

A start of ``aws`` takes a second, of which a story of a hundred commands has none to spare. ``AWS`` is the
shell's side. One command at a time.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

AWS = r"""
aws() { # asks the process that is there already
    local status
    printf '%s\0' "$PWD" "$@" >"$AT_HAND/ask"
    read -r status <"$AT_HAND/done"
    cat "$AT_HAND/out"
    cat "$AT_HAND/err" >&2
    return "$status"
}
"""
ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def at_hand(directory: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Serve shells whose ``AT_HAND`` is ``directory``; commands see ``environment``."""
    for name in ("ask", "done"):
        os.mkfifo(directory / name)
    command = [sys.executable, "-m", "tests.tutorial.aws_at_hand", str(directory)]
    with subprocess.Popen(command, cwd=ROOT, env=dict(environment)) as process:
        try:
            yield
        finally:
            process.kill()


def main(directory: Path) -> None:
    import awscli.clidriver
    import botocore.session

    from sandbox.api import data_files

    data_files.read_once()
    for service in ("ec2", "elbv2", "ssm"):
        botocore.session.get_session().get_service_model(service)
    while True:
        folder, *arguments = (directory / "ask").read_bytes().decode().split("\0")[:-1]
        child = os.fork()
        if not child:
            for number, name in ((1, "out"), (2, "err")):
                os.dup2(os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
            os.chdir(folder)
            status = awscli.clidriver.create_clidriver().main(arguments)
            sys.stdout.flush()
            os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        (directory / "done").write_text(f"{status}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
