"""A channel to a command on this machine, with the few methods ``Session`` uses of an SSH channel's."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import threading
from collections.abc import Mapping

from kthw.observed.ssh.session import COMMAND, Session


class LocalChannel:
    """``prefix`` runs the login shell that runs the session's command, in a process group of its own."""

    def __init__(self, *prefix: str, environment: Mapping[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [*prefix, "/bin/sh", "-c", COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
            bufsize=0,
        )
        assert self.process.stdin
        assert self.process.stdout
        assert self.process.stderr
        self._in, self._out, self._err = self.process.stdin, self.process.stdout, self.process.stderr
        # SSH's window holds the whole program though nobody reads it yet; a pipe's 64 KiB do not.
        fcntl.fcntl(self._in.fileno(), fcntl.F_SETPIPE_SZ, 1 << 20)
        os.set_blocking(self._in.fileno(), False)
        self._timeout: float | None = None

    def settimeout(self, timeout: float | None, /) -> None:
        self._timeout = timeout

    def send(self, data: bytes, /) -> int:
        if not select.select([], [self._in], [], self._timeout)[1]:
            raise TimeoutError
        return os.write(self._in.fileno(), data)

    def recv(self, size: int, /) -> bytes:
        if not select.select([self._out], [], [], self._timeout)[0]:
            raise TimeoutError
        return os.read(self._out.fileno(), size)

    def recv_stderr_ready(self) -> bool:
        return bool(select.select([self._err], [], [], 0)[0])

    def recv_stderr(self, size: int, /) -> bytes:
        return os.read(self._err.fileno(), size)

    def exit_status_ready(self) -> bool:
        return self.process.poll() is not None

    def recv_exit_status(self) -> int:
        return self.process.wait()

    def hang_up(self, patience: float = 20) -> None:
        """What the end of a connection is to the command: the end of its input."""
        self._in.close()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._out.close()
        self._err.close()

    def session(self, worker: str = "worker-0", *, writes: bool = False) -> Session:
        """A session over this channel that has not started yet."""
        return Session(
            self,
            worker=worker,
            subject=worker,
            facts={"worker": worker},
            stop=threading.Event(),
            hang_up=self.hang_up,
            writes=writes,
        )
