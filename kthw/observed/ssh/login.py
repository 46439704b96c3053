"""Logging in to a worker, as OpenSSH would with the user's own ssh_config, and saying why not."""

from __future__ import annotations

import contextlib
import functools
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from kthw.errors import JUMP, CouldNotLook, LookError
from kthw.foreign import printable, writable
from kthw.observed.ssh import by_hand, dial, protocol, strangers, trust
from kthw.observed.ssh.hop import PORT, Hop, jump_hop, worker_hop
from kthw.observed.ssh.keys import Keys
from kthw.observed.ssh.proxy_command import ProxyCommand
from kthw.observed.ssh.session import COMMAND, Session
from kthw.target import SshAccess, is_local

_HANDSHAKES: Final = threading.BoundedSemaphore(8)
"""A handshake is all CPU (about 90 ms of it): more at once only makes each of them time out."""
_JUMPS: Final = threading.BoundedSemaphore(8)
"""Logins under way to jump hosts, which are one machine for all: sshd's MaxStartups drops the eleventh."""
_DROPPED: Final = re.compile(r"clos|reset|banner|kex_exchange|Broken pipe", re.IGNORECASE)
"""What a ProxyCommand says of a connection that was made and then dropped: worth another attempt."""
_MOST_DETAIL: Final = 1000
_MOST_NOUN: Final = 200
_UNREADABLE: Final = (OSError, ValueError, RuntimeError)
"""What an ssh_config may be good for; the last one where it names a file of nobody's, ``~nobody/key``."""


@dataclass(frozen=True)
class Deadlines:
    """Seconds. ``connect``: until the server's first byte; ``login``: for each step from there on;
    ``total``: after which no other attempt is begun, waiting for our own turn not counted.
    """

    connect: float = 10.0
    login: float = 15.0
    total: float = 20.0


PATIENT: Final = Deadlines()


def open_session(
    access: SshAccess,
    worker: str,
    address: str,
    *,
    subject: str = "",
    endpoint: str = "",
    deadlines: Deadlines = PATIENT,
    stop: threading.Event | None = None,
    writes: bool = False,
) -> Session:
    """Log in to ``worker`` at ``address`` and start the agent; the caller closes the session.

    A connection that is dropped before the login (``MaxStartups``) is tried again; a refusal is not.
    ``endpoint`` is where AWS's answers came from: if that is this machine, an address in them belongs to
    nobody or to a stranger, and is only used as ssh_config says. ``stop``, once set, ends the waiting.
    ``writes``: the agent can be asked to change something. Raises ``CouldNotLook``: ``ssh-unreachable``,
    ``ssh-auth-failed``, ``ssh-key-unusable``, ``ssh-host-key-unknown``, ``ssh-host-key-changed``, and
    what ``Session.start`` raises. The facts of each are ``worker``, ``host``, ``port``, ``user``,
    ``key`` and ``login`` (the ``ssh`` command to try by hand); most have a ``variant``. An error at a host on
    the way is about that one: it is the ``subject``, and the ``kind`` is ``JUMP``.
    """
    stop = stop or threading.Event()
    subject = subject or f"{worker} ({printable(address, 60)})"
    return _Login(access, worker, address, subject, endpoint, deadlines, stop, writes).until_done()


@dataclass
class _Login:
    """One login to one worker, with all its attempts."""

    access: SshAccess
    worker: str
    address: str
    subject: str
    endpoint: str
    deadlines: Deadlines
    stop: threading.Event
    writes: bool = False
    queued: float = 0.0
    hop: Hop | None = None
    jump: Hop | None = None
    """The worker's, and the last one before it, once they are looked up."""

    def until_done(self) -> Session:
        hop = self.hop = self._looked_up(lambda: worker_hop(self.access, self.worker, self.address))
        began, pause = time.monotonic(), 0.3
        while True:
            try:
                return self._attempt(hop)
            except protocol.DroppedError as drop:
                pause = min(4.0, pause * 2) * random.uniform(0.5, 1.0)  # noqa: S311 -- jitter
                if time.monotonic() + pause > began + self.queued + self.deadlines.total:
                    raise self._failure("ssh-unreachable", str(drop), hop, variant="dropped") from drop
                if self.stop.wait(pause):
                    raise self._interrupted() from drop
            except InterruptedError as stopped:
                raise self._interrupted() from stopped

    def _looked_up(self, look: Callable[[], Hop]) -> Hop:
        """What ssh_config says, in time: it may have names looked up, and commands run."""
        try:
            return dial.within(self.deadlines.connect, self.stop, look)
        except InterruptedError as stopped:
            raise self._interrupted() from stopped
        except TimeoutError as problem:
            late = ValueError(f"no end of it in {self.deadlines.connect:.0f} s")
            raise self._misconfigured(late) from problem
        except _UNREADABLE as problem:
            raise self._misconfigured(problem) from problem

    def _attempt(self, hop: Hop) -> Session:
        with contextlib.ExitStack() as opened:
            connection = self._connect(hop, opened)
            try:
                channel = connection.run(COMMAND, self.deadlines.login)
            except protocol.RefusedError as problem:
                raise self._failure("ssh-auth-failed", str(problem), hop, variant="no-commands") from problem
            except protocol.DroppedError as problem:
                raise self._failure("ssh-unreachable", str(problem), hop, variant="lost") from problem
            hang_up, facts = contextlib.ExitStack(), self._facts(hop)
            session = Session(
                channel,
                worker=self.worker,
                subject=self.subject,
                facts=facts,
                host=facts["host"],
                user=facts["user"],
                stop=self.stop,
                hang_up=hang_up.close,
                writes=self.writes,
            )
            session.start()
            hang_up.push(opened.pop_all())
            return session

    def _connect(
        self,
        hop: Hop,
        opened: contextlib.ExitStack,
        via: protocol.Connection | None = None,
        beyond: tuple[str, ...] = (),
    ) -> protocol.Connection:
        """A connection to ``hop``, logged in; everything it took is left on ``opened``."""
        proxy: ProxyCommand | None = None
        wire: protocol.Wire
        if via or hop.jumps:
            wire = self._tunnel(via or self._last_jump(hop, opened, (*beyond, str(hop))), hop)
        elif hop.proxy_command:
            proxy = ProxyCommand(hop.proxy_command)
            opened.callback(proxy.close)
            wire = proxy.socket
        else:
            wire = self._dial(hop)
        opened.callback(protocol.close, wire)
        try:
            self._await_first_byte(wire, hop)
            with self._turn(_HANDSHAKES):
                connection = protocol.Connection(wire, self.stop)
                opened.callback(connection.close)
                kind, key = connection.handshake(trust.known_kinds(hop, self._failure), self.deadlines.login)
                trust.check(hop, kind, key, self._failure)
                self._authenticate(connection, hop)
        except TimeoutError as silence:
            detail = f"{hop} stopped answering for {self.deadlines.login:.0f} s"
            raise self._failure("ssh-unreachable", detail, hop, variant="silent") from silence
        except protocol.RefusedError as problem:
            raise self._failure("ssh-unreachable", str(problem), hop, variant="protocol") from problem
        except protocol.DroppedError as drop:
            if proxy:
                status, said = proxy.ended(), proxy.complaint()
                if status and not _DROPPED.search(said):
                    said = said or f"exit status {status}"
                    raise self._failure("ssh-unreachable", said, hop, variant="proxy") from drop
                raise protocol.DroppedError(said or str(drop)) from drop
            raise
        return connection

    def _last_jump(
        self, hop: Hop, opened: contextlib.ExitStack, beyond: tuple[str, ...]
    ) -> protocol.Connection:
        """``beyond``: what is reached through it, which is nothing it can be reached through."""
        via: protocol.Connection | None = None
        for spec in hop.jumps:
            jump = self._looked_up(functools.partial(jump_hop, self.access, spec))
            if hop is self.hop:
                self.jump = jump
            if str(jump) in beyond:
                raise self._misconfigured(ValueError(f"ProxyJump leads from {jump} to itself"))
            if via:
                via = self._connect(replace(jump, proxy_command="", jumps=()), opened, via)
            elif jump.jumps:
                via = self._connect(jump, opened, beyond=beyond)
            else:
                with self._turn(_JUMPS):
                    via = self._connect(jump, opened)
        if via is None:
            raise self._misconfigured(ValueError("ProxyJump names no host"))
        return via

    def _tunnel(self, via: protocol.Connection, hop: Hop) -> protocol.Wire:
        try:
            return via.tunnel(hop.host, hop.port, self.deadlines.connect)
        except (protocol.RefusedError, protocol.DroppedError) as problem:
            detail = f"the jump host did not reach {hop}: {problem}"
            raise self._failure("ssh-unreachable", detail, hop, variant="tunnel") from problem

    def _dial(self, hop: Hop) -> socket.socket:
        may_dial = functools.partial(
            strangers.may_dial,
            self.endpoint,
            said_by_config=hop.host not in (self.address, self.access.jump_address),
        )
        try:
            return dial.connect(hop.host, hop.port, self.deadlines.connect, self.stop, may_dial)
        except InterruptedError:
            raise
        except dial.NotAllowedError as stranger:
            raise self._failure(
                "ssh-unreachable", str(stranger), None, variant="not-dialled", host=hop.host, login=""
            ) from stranger
        except ConnectionResetError as problem:  # hung up between our connecting and our looking
            raise protocol.DroppedError("connection reset") from problem
        except OSError as problem:
            variant, detail = dial.explained(problem, hop.host, self.deadlines.connect)
            raise self._failure("ssh-unreachable", detail, hop, variant=variant) from problem

    def _await_first_byte(self, wire: protocol.Wire, hop: Hop) -> None:
        """Wait until the server speaks, out of turn: a host that is dead must not hold up the others."""
        until = time.monotonic() + self.deadlines.connect
        while not protocol.readable(wire):
            if self.stop.is_set():
                raise InterruptedError
            if time.monotonic() >= until:
                detail = f"no SSH greeting from {hop} in {self.deadlines.connect:.0f} s"
                raise self._failure("ssh-unreachable", detail, hop, variant="silent")

    @contextlib.contextmanager
    def _turn(self, semaphore: threading.BoundedSemaphore) -> Iterator[None]:
        began = time.monotonic()
        while not semaphore.acquire(timeout=dial.SLICE):
            if self.stop.is_set():
                raise InterruptedError
        self.queued += time.monotonic() - began
        try:
            yield
        finally:
            semaphore.release()

    def _authenticate(self, connection: protocol.Connection, hop: Hop) -> None:
        keys = Keys(hop, self.access.key)
        tried: list[str] = []
        said = ""
        for label, key in keys.in_turn():
            try:
                if connection.try_key(hop.user, key, self.deadlines.login):
                    return
            except protocol.DroppedError:
                if not tried:
                    raise
                said = f"the server hung up after {len(tried)} keys"
                break
            tried.append(label)
        unusable = dict(keys.unusable)
        if unusable and (self.access.key in unusable or not tried):
            label = self.access.key if self.access.key in unusable else next(iter(unusable))
            problem = unusable[label]
            raise self._failure("ssh-key-unusable", f"{label}: {problem}", hop, problem.variant, key=label)
        if connection.takes and "publickey" not in connection.takes:
            said = f"the server takes {', '.join(connection.takes)} only"
        parts = [said, f"keys tried as {hop.user}: {', '.join(tried) or 'none'}"]
        parts += [f"not usable: {label} ({problem})" for label, problem in unusable.items()]
        raise self._failure(
            "ssh-auth-failed",
            "; ".join(each for each in parts if each),
            hop,
            keys=", ".join(tried),
            variant="" if tried else "no-keys",
        )

    def _interrupted(self) -> CouldNotLook:
        return self._failure("ssh-unreachable", "interrupted", None, variant="interrupted")

    def _misconfigured(self, problem: Exception) -> CouldNotLook:
        variant = getattr(problem, "variant", "config")
        said = str(problem)
        if isinstance(problem, OSError) and problem.strerror:
            said = ": ".join(str(each) for each in (problem.filename, problem.strerror) if each)
        # Of one file that is included, its own name; else the one that was asked for.
        file = getattr(problem, "file", "") or self.access.config or Path("~/.ssh/config").expanduser()
        detail = ("" if variant == "unfit" else "ssh_config: ") + " ".join(said.split())
        return self._failure("ssh-unreachable", detail, None, variant=variant, file=str(file))

    def _failure(
        self, code: str, detail: str, hop: Hop | None, variant: str = "", **told: str
    ) -> CouldNotLook:
        subject, kind = self.subject, ""
        if hop and hop is not self.hop:
            subject, kind = printable(hop.noun, _MOST_NOUN), JUMP
        facts = {**self._facts(hop), **{name: writable(value) for name, value in told.items()}}
        error = LookError(
            code=code,
            subject=subject,
            detail=printable(detail, _MOST_DETAIL),
            worker=self.worker,
            kind=kind,
            resource=facts["host"],
            user=facts["user"],
            variant=variant,
            facts=facts,
        )
        return CouldNotLook(error)

    def _facts(self, hop: Hop | None) -> dict[str, str]:
        host, port, user = (hop.host, hop.port, hop.user) if hop else (self.address, PORT, self.access.user)
        through = self.jump if hop is self.hop and self.access.jump else None
        # Without an ssh_config that was read, what a local endpoint calls an address is a stranger's.
        astray = is_local(self.endpoint) and not hop and not self.access.config
        facts = {
            "worker": self.worker,
            "endpoint": self.endpoint,
            "host": host,
            "port": str(port),
            "user": user,
            "key": self.access.key,
            "config": self.access.config,
            "login": "" if astray else by_hand.login(self.access, self.address, hop, through),
        }
        return {name: writable(value) for name, value in facts.items()}
