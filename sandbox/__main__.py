"""``python -m sandbox up | run -- CMD … | ssh NAME [CMD …]``: a sandbox for a person."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from kthw.errors import CouldNotLook
from kthw.intended.cluster import worker_names
from kthw.verdict.messages import catalogue, language_of
from sandbox.access import DIAL_SOCKET, SSH_CONFIG
from sandbox.box import DIRECTORY_PREFIX, Sandbox, start, why_no_packets

_UNSET = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_PROFILE", "KTHW_TARGET")


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code. 2: bad usage, or no sandbox to be had."""
    words = catalogue(language_of(os.environ))
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=words.say("sandbox-help"))
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("up", "run"):
        command = commands.add_parser(name, help=words.say(f"sandbox-help-{name}"))
        command.add_argument("--empty", action="store_true", help=words.say("sandbox-help-empty"))
        command.add_argument(
            "--workers", type=int, default=3, metavar="N", help=words.say("sandbox-help-workers")
        )
    commands.choices["run"].add_argument("cmd", nargs="+", metavar="CMD")
    ssh = commands.add_parser("ssh", help=words.say("sandbox-help-ssh"))
    ssh.add_argument("name")
    ssh.add_argument("cmd", nargs=argparse.REMAINDER, metavar="CMD")
    options = parser.parse_args(arguments)

    if options.command == "ssh":
        return _ssh(options.name, options.cmd, words.say)
    if not 0 <= options.workers <= 1000:
        parser.error(words.say("sandbox-workers-range", workers=options.workers))
    no_packets = why_no_packets(words.say)
    if no_packets:
        print(words.say("sandbox-without-packets", reason=no_packets), file=sys.stderr)  # noqa: T201 -- a person's
    names = worker_names(f"worker-[0-{options.workers - 1}]") if options.workers else ()
    try:
        with _ending(), start(names, empty=options.empty, no_packets=no_packets) as box:
            return _up(box, words.say) if options.command == "up" else _run(box, options.cmd, words.say)
    except CouldNotLook as problem:
        said = words.error(problem.error)
        print(f"{said.what}\n{said.fix}", file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        return 130


def _up(box: Sandbox, say: Callable[..., str]) -> int:
    for name, value in box.environment.items():
        print(f"export {name}={shlex.quote(value)}")  # noqa: T201
    print(f"\n# {say('sandbox-up', config=box.environment.get('KTHW_SSH_CONFIG', ''))}", flush=True)  # noqa: T201
    with contextlib.suppress(KeyboardInterrupt):
        box.leader.wait()
        print(say("sandbox-ended"), file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _run(box: Sandbox, command: list[str], say: Callable[..., str]) -> int:
    kept = {name: value for name, value in os.environ.items() if name not in _UNSET}
    # `python`, `pytest` and `aws` in CMD are those installed beside this interpreter.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    environment = {**kept, "PATH": path, **box.environment}
    try:
        process = subprocess.Popen(command, env=environment)
    except OSError as problem:
        print(say("sandbox-cannot-run", command=command[0], detail=problem.strerror), file=sys.stderr)  # noqa: T201
        return 127
    while True:
        # Ctrl-C reaches the command too; the sandbox outlives whatever it does about it.
        with contextlib.suppress(KeyboardInterrupt):
            code = process.wait()
            return code if code >= 0 else 128 - code


def _ssh(name: str, command: list[str], say: Callable[..., str]) -> int:
    config = os.environ.get("KTHW_SSH_CONFIG") or _only_running()
    if not config:
        print(say("sandbox-none-running"), file=sys.stderr)  # noqa: T201
        return 2
    return subprocess.run(["ssh", "-F", config, name, *command], check=False).returncode


def _only_running() -> str:
    """The ssh_config of the one sandbox of this user's that runs; empty when there is none, or several."""
    found = [
        directory / SSH_CONFIG
        for directory in Path(tempfile.gettempdir()).glob(f"{DIRECTORY_PREFIX}*")
        if directory.stat().st_uid == os.geteuid() and (directory / DIAL_SOCKET).exists()
    ]
    return str(found[0]) if len(found) == 1 else ""


@contextlib.contextmanager
def _ending() -> Iterator[None]:
    """SIGTERM and SIGHUP end a sandbox as Ctrl-C does: with everything undone."""

    def interrupt(_number: int, _frame: Any) -> NoReturn:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
