"""The real AWS CLI without its start-up: ``aws`` as a process that is forked, already imported.

``python -m sandbox.faults.aws_cli SOCKET`` serves until its stdin ends. ``CLIENT`` is what stands on PATH as
``aws``: it hands over its arguments, environment, folder and its three standard files, and ends with the
exit code of the CLI that ran with them. So a command line runs as printed, in any shell construct, in
a tenth of a second rather than in one and a half.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.client import ClientCreator

if TYPE_CHECKING:
    from awscli.clidriver import CLIDriver  # type: ignore[import-untyped]  # ships no types
    from botocore.model import ServiceModel

CLIENT: Final = """\
import _socket, posix, sys
asking = _socket.socket(_socket.AF_UNIX)
asking.connect(SOCKET)
words = [word.encode("utf-8", "surrogateescape") for word in sys.argv[1:]]
variables = [name + b"=" + value for name, value in posix.environ.items()]
what = b"\\0".join([posix.getcwdb(), b"%d" % len(words), *words, *variables])
files = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)]
asking.sendmsg([len(what).to_bytes(4, "big")], rights)
asking.sendall(what)
code = asking.recv(1)
posix._exit(code[0] if code else 255)
"""
"""It imports what Python starts with and nothing else: more than half of a start is imports."""


def serve(path: str) -> None:
    """Answer at ``path`` until stdin ends, one child for each command line."""
    from awscli.clidriver import create_clidriver

    driver = create_clidriver()
    # What every command needs is loaded once, before the forks.
    with contextlib.suppress(SystemExit):
        driver.main(["ec2", "describe-vpcs", "--generate-cli-skeleton", "output"])
    _remember_methods()
    driver.session.create_client("ec2")
    own = dict(os.environ)
    with contextlib.suppress(OSError):
        Path(path).unlink()
    with socket.socket(socket.AF_UNIX) as listener, selectors.DefaultSelector() as waiting:
        listener.bind(path)
        listener.listen(16)
        waiting.register(listener, selectors.EVENT_READ)
        waiting.register(sys.stdin, selectors.EVENT_READ)
        while all(key.fileobj is listener for key, _ in waiting.select()):
            asked, _ = listener.accept()
            with asked:
                if os.fork() == 0:
                    os._exit(_run(asked, driver, own))
            _bury()


def _remember_methods() -> None:
    """A client's methods, 830 of EC2's, are made once and not for each command: a third of what one takes."""
    make = getattr(ClientCreator, "_create_methods")  # noqa: B009 -- mypy knows no such method
    made: dict[str, dict[str, Any]] = {}

    def methods(creator: ClientCreator, model: ServiceModel) -> dict[str, Any]:
        if model.service_name not in made:
            made[model.service_name] = make(creator, model)
        return dict(made[model.service_name])

    setattr(ClientCreator, "_create_methods", methods)  # noqa: B010 -- the same


def _bury() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _run(asked: socket.socket, driver: CLIDriver, own: dict[str, str]) -> int:
    length, files, _, _ = socket.recv_fds(asked, 4, 3)
    text = b""
    while len(text) < int.from_bytes(length, "big"):
        text += asked.recv(65536)
    folder, count, *rest = os.fsdecode(text).split("\0")
    arguments, variables = rest[: int(count)], rest[int(count) :]
    os.environ.clear()
    os.environ.update({**own, **dict(each.split("=", 1) for each in variables)})
    os.chdir(folder)
    for number, file in enumerate(files):
        os.dup2(file, number)
    code = 255
    try:
        code = int(driver.main(arguments) or 0)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 255
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        asked.sendall(bytes([code & 255]))
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
