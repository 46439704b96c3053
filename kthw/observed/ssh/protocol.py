"""The SSH protocol, with deadlines that hold. The only home of paramiko.

What to trust, which keys to try, how long to wait and what a failure means is decided elsewhere
(``login``, ``hop``, ``ssh_keys``, ``known_hosts``); here paramiko is made to keep to it.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import paramiko

from kthw.observed.ssh import dial, match_exec

Wire = socket.socket | paramiko.Channel
"""What a connection runs over: a socket, or a tunnel through another connection."""
PrivateKey = paramiko.PKey

_CRITERIA: Final = frozenset({"all", "canonical", "final", "host", "originalhost", "user", "localuser"})
"""Those of ``Match`` that paramiko knows, ``exec`` aside."""
_LOG: Final = "kthw.ssh"
# paramiko logs tracebacks of what we turn into sentences.
logging.getLogger(_LOG).setLevel(logging.CRITICAL + 1)


class DroppedError(Exception):
    """The server, or something on the way, hung up before the login: worth another attempt."""


class RefusedError(Exception):
    """The other side answered, and said no; another attempt would hear the same."""


class LockedKeyError(Exception):
    """A private key under a passphrase."""


class Connection:
    """One SSH connection. ``stop``, once set, ends the waiting with ``InterruptedError``; a silent
    server ends it with ``TimeoutError``.
    """

    def __init__(self, wire: Wire, stop: threading.Event) -> None:
        self.takes: tuple[str, ...] = ()
        """The ways to log in that the server named when it refused a key."""
        self._stop = stop
        self._transport = paramiko.Transport(wire)
        self._transport.set_log_channel(_LOG)

    def handshake(self, prefer: set[str], seconds: float) -> tuple[str, bytes]:
        """Agree on the encryption; the host key's type and its wire format.

        ``prefer``: the types of host key that are known, asked for first, as OpenSSH does (another
        type would look like a new host). Raises ``DroppedError``, ``RefusedError`` (nothing in common).
        """
        transport = self._transport
        transport.banner_timeout = transport.handshake_timeout = seconds
        if "ssh-rsa" in prefer:
            prefer = prefer | {"rsa-sha2-512", "rsa-sha2-256"}
        options = transport.get_security_options()
        options.key_types = tuple(sorted(options.key_types, key=lambda kind: kind not in prefer))
        done = threading.Event()
        transport.start_client(event=done)
        self._await(done, seconds)
        if not transport.is_active():
            failure = transport.get_exception()
            if isinstance(failure, paramiko.ssh_exception.IncompatiblePeer):
                raise RefusedError(str(failure)) from failure
            raise DroppedError(_text(failure) or "the server closed the connection")
        try:
            key = transport.get_remote_server_key()
        except paramiko.SSHException as problem:
            raise DroppedError(_text(problem)) from problem
        return key.get_name(), key.asbytes()

    def try_key(self, user: str, key: PrivateKey, seconds: float) -> bool:
        """Whether the server lets ``user`` in with ``key``. Raises ``DroppedError`` when it hangs up."""
        transport = self._transport
        done = threading.Event()
        try:
            transport.auth_publickey(user, key, event=done)
        except _BROKEN as problem:
            raise DroppedError(_text(problem)) from problem
        self._await(done, seconds)
        if transport.is_authenticated():
            return True
        failure = transport.get_exception()
        if isinstance(failure, paramiko.BadAuthenticationType):
            self.takes = tuple(failure.allowed_types)
        if not transport.is_active():
            raise DroppedError(_text(failure) or "the server closed the connection")
        return False

    def tunnel(self, host: str, port: int, seconds: float) -> paramiko.Channel:
        """A connection from the server to somewhere else. Raises ``RefusedError``, ``DroppedError``."""
        return self._channel(lambda: self._open("direct-tcpip", (host, port), seconds), seconds)

    def run(self, command: str, seconds: float) -> Command:
        """``command``, running. Raises ``RefusedError``, ``DroppedError``."""

        def start() -> paramiko.Channel:
            channel = self._open("session", None, seconds)
            channel.exec_command(command)
            return channel

        return Command(self._channel(start, seconds))

    def close(self) -> None:
        """Hang up, and wait for the thread behind it."""
        with contextlib.suppress(*_BROKEN):  # it also closes the tunnel that it runs through
            self._transport.close()
        if self._transport.is_alive():
            self._transport.join(2.0)

    def _open(self, kind: str, to: tuple[str, int] | None, seconds: float) -> paramiko.Channel:
        source = ("127.0.0.1", 0) if to else None
        return self._transport.open_channel(kind, to, source, timeout=seconds)

    def _channel(self, make: Any, seconds: float) -> paramiko.Channel:
        # exec_command waits for its confirmation without a limit: hanging up ends that.
        watchdog = threading.Timer(seconds, self._transport.close)
        watchdog.daemon = True
        watchdog.start()
        try:
            channel: paramiko.Channel = make()
        except paramiko.ChannelException as problem:
            raise RefusedError(problem.text) from problem
        except _BROKEN as problem:
            raise DroppedError(_text(problem) or "the connection broke") from problem
        finally:
            watchdog.cancel()
        return channel

    def _await(self, done: threading.Event, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not done.wait(dial.SLICE) and self._transport.is_active():
            if self._stop.is_set():
                raise InterruptedError
            if time.monotonic() >= until:
                raise TimeoutError


class Command:
    """The streams of a command on the other side: a connection that breaks is an ``OSError``.

    paramiko lets what its own thread met come out of whoever sends next: an ``EOFError`` where the packet
    could not be written (reading sends too: how much room there is again), an ``SSHException`` where a
    new exchange of keys was never finished.
    """

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def settimeout(self, timeout: float | None, /) -> None:
        """The seconds of the next ``send`` or ``recv``, which else raises ``TimeoutError``."""
        self._channel.settimeout(timeout)

    def send(self, data: bytes, /) -> int:
        """How many of these bytes the other side takes."""
        with _broken_is_an_oserror():
            return self._channel.send(data)

    def recv(self, size: int, /) -> bytes:
        """What the command writes, ``size`` bytes at most; nothing once it has ended."""
        with _broken_is_an_oserror():
            return self._channel.recv(size)

    def recv_stderr_ready(self) -> bool:
        """Whether ``recv_stderr`` would not wait."""
        return self._channel.recv_stderr_ready()

    def recv_stderr(self, size: int, /) -> bytes:
        """What the command writes on its standard error."""
        with _broken_is_an_oserror():
            return self._channel.recv_stderr(size)

    def exit_status_ready(self) -> bool:
        """Whether ``recv_exit_status`` would not wait."""
        return self._channel.exit_status_ready()

    def recv_exit_status(self) -> int:
        """What the command ended with; -1 where the other side never said."""
        return self._channel.recv_exit_status()


_BROKEN: Final = (EOFError, paramiko.SSHException, OSError)


def close(wire: Wire) -> None:
    """Close it, whatever has become of what it runs through."""
    with contextlib.suppress(*_BROKEN):
        wire.close()


@contextlib.contextmanager
def _broken_is_an_oserror() -> Iterator[None]:
    try:
        yield
    except (EOFError, paramiko.SSHException) as problem:
        raise ConnectionResetError(_text(problem) or "the connection broke") from problem


def readable(wire: Wire) -> bool:
    """Whether there is a byte, or the end, to read; waits a little before it says no."""
    if isinstance(wire, paramiko.Channel):
        time.sleep(0.02)
        return wire.recv_ready() or bool(wire.eof_received) or wire.closed
    return dial.readable(wire, dial.SLICE)


class _Config(paramiko.SSHConfig):
    """paramiko's reading of ssh_config, but for ``Match``: it takes criteria it does not know for met, and
    runs ``exec`` with our standard input and no end to its patience.
    """

    _config: list[Any]
    """paramiko's own: the blocks in the order of the file, each with whom it is about."""

    def __init__(self) -> None:
        super().__init__()
        known = {**self.TOKENS_BY_CONFIG_KEY, "proxycommand": ["~", "%h", "%n", "%p", "%r"]}
        self.TOKENS_BY_CONFIG_KEY = known

    def _does_match(
        self,
        match_list: list[dict[str, Any]],
        target_hostname: str,
        canonical: bool,
        final: bool,
        options: Any,
    ) -> bool:
        def met(each: dict[str, Any]) -> bool:
            if each["type"] == "exec":
                command = tokenize(options, target_hostname, "match-exec", each["param"])
                return match_exec.succeeds(command) is not each["negate"]
            known = each["type"] in _CRITERIA
            return known and bool(matches([each], target_hostname, canonical, final, options))

        theirs: Any = super()  # its stubs leave out what it keeps to itself
        tokenize, matches = theirs._tokenize, theirs._does_match
        return bool(match_list) and all(met(each) for each in match_list)


@functools.lru_cache(maxsize=16)
def _parsed(text: str) -> list[Any]:
    """The blocks of an ssh_config: read once a run, and not again for every worker."""
    return list(_Config.from_text(text)._config)


def lookup(texts: Sequence[str], host: str) -> dict[str, Any]:
    """What ssh_configs say about ``host``, by keyword in small letters, in the order it was found.

    ``texts`` as if they were one file, a ``Host *`` between them.

    Values are text, but a list for ``identityfile`` and ``None`` for ``ProxyCommand none``. ``Match exec``
    runs its command as OpenSSH does, where all that stands before it on its line is met. Raises
    ``ValueError``, ``OSError``.
    """
    try:
        config = _Config()
        config._config = [block for text in texts for block in _parsed(text)]
        return dict(config.lookup(host))
    except UnicodeError as problem:
        raise ValueError("a value in it is no UTF-8") from problem
    except KeyError as problem:  # CanonicalizeHostname without CanonicalDomains, a user without a name
        raise ValueError(f"{problem} is not known") from problem
    except (paramiko.ConfigParseError, paramiko.CouldNotCanonicalize) as problem:
        raise ValueError(str(problem)) from problem


@functools.lru_cache(maxsize=32)
def read_key(file: Path, _changed: int) -> PrivateKey:
    """The private key in ``file``. ``_changed`` is its time of change: keys are kept, because checking
    an RSA key takes 100 ms and all workers share one.

    Raises ``OSError``, ``LockedKeyError``, ``ValueError`` for what is no private key.
    """
    try:
        return paramiko.PKey.from_path(file)
    except (paramiko.PasswordRequiredException, TypeError) as problem:
        raise LockedKeyError from problem
    except OSError:
        raise
    except Exception as problem:  # of a damaged file, its parsers say so in a dozen ways
        raise ValueError(_text(problem)) from problem


@contextlib.contextmanager
def agent_keys() -> Iterator[list[tuple[str, bytes, PrivateKey]]]:
    """The keys of the SSH agent, where one runs: comment, public key in wire format, key."""
    agent = None
    try:
        agent = paramiko.Agent()
        keys = [(key.comment or key.get_name(), key.asbytes(), key) for key in agent.get_keys()]
    except (paramiko.SSHException, OSError, ValueError):  # the last: a comment that is no UTF-8
        keys = []
    try:
        yield list(keys)
    finally:
        if agent:
            agent.close()


def _text(problem: BaseException | None) -> str:
    return " ".join(str(problem or "").split())
