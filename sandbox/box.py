"""A sandbox from outside: start one, get a ``Target``, leave nothing."""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import json
import os
import select
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from kthw.errors import CouldNotLook, LookError
from kthw.intended import tutorial
from kthw.target import SshAccess, Target
from sandbox import folder, labs, surroundings
from sandbox.access import SSH_CONFIG, Access
from sandbox.habits import AT_ONCE, AT_ONCE_HEADER, Habits
from sandbox.lab import Chapter, Lab
from sandbox.labs import TUTORIAL
from sandbox.state import State
from sandbox.surroundings import CREDENTIALS
from sandbox.watch import PATIENCE, Watch

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

REGION: Final = "us-east-1"
LOG: Final = "leader.log"
_START_SECONDS: Final = 60.0
_ROOT: Final = Path(__file__).resolve().parent.parent

_NAMESPACES: Final = (
    "unshare", "--net", "--mount", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc",
)  # fmt: skip
_AS_USER: Final = ("--user", "--map-root-user", "--map-auto")
_TRIAL: Final = (
    # What the data plane needs of the kernel, tried in namespaces that end at once.
    "mount -t tmpfs tmpfs /run && mkdir /run/netns && ip netns add a"
    " && ip link add v type veth peer name w netns a"
    " && nft 'add table ip t; add chain ip t c { type nat hook prerouting priority dstnat; };"
    " add table netdev t; add chain netdev t c { type filter hook ingress device v priority 0; }'"
    " && iptables -w -t mangle -A PREROUTING -j TTL --ttl-inc 1"
)
_TOOLS: Final = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "ip": "iproute2",
    "nft": "nftables",
    "iptables": "iptables",
    "sudo": "sudo",
    "/usr/sbin/sshd": "openssh-server",
    "/usr/bin/python3": "python3",
}
_CNI: Final = (Path("/usr/lib/cni/bridge"), Path("/opt/cni/bin/bridge"))


@dataclass(frozen=True)
class Sandbox:
    """A running one. ``environment``: what ``aws``, boto3 and this project's commands need to use it."""

    directory: Path
    target: Target
    environment: Mapping[str, str]
    leader: subprocess.Popen[bytes]
    """The ``unshare`` (or leader) the owner started; its end is the sandbox's end."""


def why_no_packets(say: Callable[..., str]) -> str:
    """Why packets cannot flow on this machine, in one sentence that ends with what to do; else ``""``.

    ``say`` renders a catalogue's phrase. Takes about 20 ms where they can. Raises ``CouldNotLook``
    (``sandbox-unavailable``) where not even a process can be started.
    """
    if not sys.platform.startswith("linux"):
        return say("sandbox-needs-linux")
    missing = sorted({package for tool, package in _TOOLS.items() if not _which(tool)})
    if not any(path.exists() for path in _CNI):
        missing.append("containernetworking-plugins")
    if not _is_root() and not _which("newuidmap"):
        missing.append("uidmap")
    if missing:
        return say("sandbox-needs-packages", packages=" ".join(missing))
    trials = [_unshare("sh", "-c", _TRIAL)]
    if not _is_root():
        # Where the kernel refuses user namespaces, `unshare --map-auto` ends but leaves a child that waits
        # for ever with our pipes open (util-linux 2.38): ask without the mapping first.
        trials.insert(0, ["unshare", "--user", "true"])
    for trial in trials:
        try:
            done = subprocess.run(trial, capture_output=True, text=True, env=_environment(), check=False)
        except OSError as problem:
            raise _no_room(problem) from problem
        if done.returncode:
            detail = (done.stderr.strip().splitlines() or ["?"])[0]
            return say("sandbox-needs-namespaces", detail=detail, user=getpass.getuser())
    return ""


@contextlib.contextmanager
def start(
    workers: Sequence[str] | None = None,
    *,
    like: str | Lab = TUTORIAL,
    after: Chapter = "workers",
    empty: bool = False,
    region: str = REGION,
    no_packets: str = "",
    habits: Habits = AT_ONCE,
) -> Iterator[Sandbox]:
    """Boot a sandbox with a lab in it; throw it away at the end.

    ``workers``: their names (default: the lab's own). ``like``: the lab, or one of ``labs.NAMES``; the
    tutorial's is without pod routes. ``after``: the chapter it stands after. ``empty``: an account with
    nothing in it. ``region``: where the lab is, and where whoever names no region looks; all others are
    there, too. ``no_packets``: why the data plane is to be left out (``why_no_packets``), or empty.
    ``habits``: AWS's, once the lab is there.
    Raises ``CouldNotLook`` (``sandbox-unavailable``) when it does not come up.
    """
    with contextlib.ExitStack() as closing:
        try:
            directory, alive = folder.make()
            closing.callback(folder.throw_away, directory)
            closing.callback(os.close, alive)
            listener = closing.enter_context(socket.create_server(("127.0.0.1", 0), backlog=512))
            process, ready = _spawn(directory, alive, listener, no_packets, habits, closing)
            endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
            watch = Watch(process)
            closing.callback(watch.end)
            with _api_answers(directory, watch):
                ec2 = ec2_client(endpoint, region)  # boto3 loads while the leader boots
                _wait_ready(ready, directory, watch)
                listener.close()
                access = Access(directory, nobody=no_packets)
                if no_packets:
                    access.write(State(), {})  # so that whoever dials one of its machines is told why not
                if not empty:
                    lab = labs.lab(like) if isinstance(like, str) else like
                    _build(ec2, lab, workers, access, after, with_nodes=not no_packets)
            config = "" if no_packets else str(directory / SSH_CONFIG)
            exports = surroundings.furnish(directory, endpoint, region, config)
        except OSError as problem:
            raise _no_room(problem) from problem
        target = Target(
            kind="sandbox",
            endpoint=endpoint,
            region=region,
            credentials=CREDENTIALS,
            ssh=SshAccess(user=tutorial.SSH_USER, config=config),
            no_packets=no_packets,
        )
        yield Sandbox(directory, target, exports, process)


def _build(
    ec2: EC2Client,
    lab: Lab,
    workers: Sequence[str] | None,
    access: Access,
    after: Chapter,
    *,
    with_nodes: bool,
) -> None:
    from sandbox.building import balance, build
    from sandbox.dressing import dress

    built = build(ec2, lab, lab.names() if workers is None else workers, access.key, after)
    with ThreadPoolExecutor(1) as meanwhile:  # the nodes boot
        balancing = meanwhile.submit(balance, _client, ec2, lab) if lab.balanced else None
        if with_nodes:
            dress(ec2, lab, built, access.directory, after)
        if balancing:
            balancing.result()


@contextlib.contextmanager
def _api_answers(directory: Path, watch: Watch) -> Iterator[None]:
    """An API that refuses, or goes away, while the cluster is built: the sandbox did not come up."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as problem:
        raise _broken(directory, watch, str(problem)) from problem


def _broken(directory: Path, watch: Watch, otherwise: str) -> CouldNotLook:
    """It ended or was given up; its last words say why, if it had any."""
    if watch.given_up:
        detail = f"its first process was stopped (SIGSTOP) for more than {PATIENCE:.0f} s"
    else:
        said = (directory / LOG).read_text(errors="replace").splitlines()
        detail = next((line for line in reversed(said) if line.strip("- ")), otherwise)
    return CouldNotLook(LookError(code="sandbox-unavailable", subject="sandbox", detail=detail))


def _no_room(problem: OSError) -> CouldNotLook:
    """Its files, pipes or processes could not be made, or not where nobody else could touch them."""
    where = problem.filename or str(folder.home())
    variant = "not-private" if isinstance(problem, folder.NotPrivateError) else "no-room"
    detail = f"{where}: {problem.strerror}"
    facts = {"folder": str(where)}
    return CouldNotLook(
        LookError(code="sandbox-unavailable", subject="sandbox", detail=detail, variant=variant, facts=facts)
    )


def _spawn(
    directory: Path,
    alive: int,
    listener: socket.socket,
    no_packets: str,
    habits: Habits,
    closing: contextlib.ExitStack,
) -> tuple[subprocess.Popen[bytes], BinaryIO]:
    packets = "none" if no_packets else "root" if _is_root() else "user"
    owned, owner = _pipe(closing)
    ready, readying = _pipe(closing)
    (directory / LOG).touch(0o600)
    with owned, readying, (directory / LOG).open("wb") as log:
        leader = (
            sys.executable, "-m", "sandbox.leader", "--directory", str(directory), "--packets", packets,
            "--listener", str(listener.fileno()), "--owner", str(owned.fileno()),
            "--ready", str(readying.fileno()), "--habits", json.dumps(dataclasses.asdict(habits)),
        )  # fmt: skip
        process = subprocess.Popen(
            leader if no_packets else _unshare(*leader),
            # The leader keeps ``alive`` open for no other reason than to be seen alive.
            pass_fds=(listener.fileno(), owned.fileno(), readying.fileno(), alive),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=_ROOT,
            env=_environment(),
            # Ctrl-C is for the owner, who still has things to undo through the API.
            start_new_session=True,
        )
    closing.callback(_wait_or_kill, process)
    closing.callback(owner.close)  # it ends when this is closed
    return process, ready


def _pipe(closing: contextlib.ExitStack) -> tuple[BinaryIO, BinaryIO]:
    """(the end to read, the end to write), both closed with ``closing`` at the latest."""
    reading, writing = os.pipe()
    ends = os.fdopen(reading, "rb", buffering=0), os.fdopen(writing, "wb", buffering=0)
    return closing.enter_context(ends[0]), closing.enter_context(ends[1])


def _wait_or_kill(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_ready(ready: BinaryIO, directory: Path, watch: Watch) -> None:
    """Until the leader says so, or its end of the pipe is closed with it."""
    waiting = select.poll()
    waiting.register(ready, select.POLLIN)
    if waiting.poll(_START_SECONDS * 1000) and ready.read(16) == b"ready":
        return
    raise _broken(directory, watch, f"no answer in {_START_SECONDS:.0f} s")


def ec2_client(endpoint: str, region: str = REGION) -> EC2Client:
    """A client of a sandbox's API that may write: for whoever builds, breaks or tests a cluster. For it
    everything happens at once."""
    client: EC2Client = _client(endpoint, "ec2", region)
    return client


def _client(endpoint: str, service: str, region: str) -> Any:
    import boto3
    import botocore.session
    from botocore.config import Config

    from kthw.service_models import MODELS

    # Nothing of the user's own AWS configuration, which may name a profile that is not there.
    alone: dict[str, Any] = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    core = botocore.session.Session(session_vars={"profile": (None, None, None, None), **alone})
    core.register_component("data_loader", MODELS)
    session = boto3.session.Session(*CREDENTIALS, region_name=region, botocore_session=core)
    # Generous: an API call that boots a node answers when the node is wired.
    config = Config(read_timeout=120, retries={"total_max_attempts": 1}, proxies={})
    client: Any = session.client(service, endpoint_url=endpoint, config=config)  # type: ignore[call-overload] # any
    client.meta.events.register("before-call", _at_once)
    return client


def _at_once(params: dict[str, Any], **_: Any) -> None:
    params["headers"][AT_ONCE_HEADER] = "1"


def _unshare(*command: str) -> list[str]:
    program, *flags = _NAMESPACES
    return [program, *(() if _is_root() else _AS_USER), *flags, *command]


def _is_root() -> bool:
    return os.geteuid() == 0


def _environment() -> dict[str, str]:
    """The owner's environment with the system's folders on PATH: an ordinary user's often lacks sbin."""
    path = os.environ.get("PATH", "")
    return {**os.environ, "PATH": f"{path}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"}


def _which(tool: str) -> str | None:
    return shutil.which(tool, path=_environment()["PATH"])
