"""Inside ``sandbox run``: ssh as the tutorials print it reaches the nodes, and a shell says where one is."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox import programs
from sandbox.access import SHELL_CONFIG, Access
from sandbox.internet import LAPTOP
from sandbox.state import State
from tests.sandbox.test_commands import NO_PACKETS, ROOT

needs_packets = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)
_HELD = "import json, os, sys; print(json.dumps(dict(os.environ)), flush=True); sys.stdin.read()"


@dataclass(frozen=True)
class Inside:
    """The environment of a command in ``sandbox run``, and the public address of ``worker-0`` there."""

    environment: Mapping[str, str]
    address: str

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env={**self.environment, **more}, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False, timeout=60,
        )  # fmt: skip


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox", "run", "--workers", "1", "--", sys.executable, "-c", _HELD],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        environment = json.loads(process.stdout.readline())
        hosts = Path(environment["KTHW_SSH_CONFIG"]).read_text()
        yield Inside(environment, re.findall(r"^Host worker-0 (\S+)$", hosts, re.MULTILINE)[0])
        process.communicate()


@needs_packets
def test_ssh_as_every_tutorial_prints_it_reaches_the_node(inside: Inside, tmp_path: Path) -> None:
    """``ssh -i kubernetes.id_rsa ubuntu@ADDRESS``, whether that key is in this folder or not; by name too."""
    key = Path(inside.environment["KTHW_SSH_CONFIG"]).with_name("kubernetes.id_rsa")
    for words in (
        ["-i", str(key), f"ubuntu@{inside.address}"],
        ["-i", str(tmp_path / "absent"), f"ubuntu@{inside.address}"],
        ["-o", "StrictHostKeyChecking=no", "-l", "ubuntu", inside.address],
        ["worker-0"],
    ):
        done = inside.run("ssh", *words, "hostname")
        assert (done.stdout, done.returncode) == ("ip-10-0-1-20\n", 0), done.stderr


@needs_packets
def test_files_are_copied_as_every_tutorial_copies_them(inside: Inside, tmp_path: Path) -> None:
    sent = tmp_path / "ca.pem"
    sent.write_text("a certificate")
    assert inside.run("scp", str(sent), f"ubuntu@{inside.address}:~/").returncode == 0
    batch = tmp_path / "batch"
    batch.write_text(f"get ca.pem {tmp_path}/back.pem\n")
    assert inside.run("sftp", "-b", str(batch), f"ubuntu@{inside.address}").returncode == 0
    assert (tmp_path / "back.pem").read_text() == "a certificate"


@needs_packets
def test_ssh_keyscan_tells_the_node_s_key_and_no_stranger_s(inside: Inside) -> None:
    known = Path(inside.environment["KTHW_SSH_CONFIG"]).with_name("known_hosts").read_text()
    [key] = re.findall(rf"^{re.escape(inside.address)} (.+)$", known, re.MULTILINE)
    assert inside.run("ssh-keyscan", "-T", "10", inside.address).stdout == f"{inside.address} {key}\n"
    assert inside.run("ssh-keyscan", "-H", inside.address).stdout.endswith(f" {key}\n")
    nobody = inside.run("ssh-keyscan", "203.0.113.250")
    assert (nobody.returncode, nobody.stdout) == (1, "")


@needs_packets
@pytest.mark.parametrize(
    "address", ["203.0.113.250", "198.51.100.7", "192.0.2.1", "198.18.7.7", "198.19.255.1"]
)
def test_an_address_that_no_machine_has_is_refused_with_the_command_that_lists_them(
    inside: Inside, address: str
) -> None:
    """It is never dialled: the answer is the sandbox's, in the person's language."""
    done = inside.run("ssh", f"ubuntu@{address}")
    assert done.returncode == 255
    assert f"{address}: no machine of this sandbox has that address now." in done.stderr
    assert "aws ec2 describe-instances" in done.stderr


@needs_packets
def test_an_empty_address_is_ssh_s_own_error(inside: Inside) -> None:
    """``ssh ubuntu@`` is what a variable that is empty makes of it; with the printed -F too, no traceback."""
    plain = inside.run("ssh", "ubuntu@")
    assert plain.stderr.splitlines()[-1].startswith("ssh: ")
    told = inside.run("ssh", "-F", inside.environment["KTHW_SSH_CONFIG"], "ubuntu@")
    assert "sandbox: ssh was given no host" in told.stderr
    for done in (plain, told):
        assert done.returncode == 255
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["curl", "ifconfig.me"],
        ["curl", "-4", "-s", "https://checkip.amazonaws.com/"],
        ["curl", "-sS", "--fail", "-m", "5", "http://ipinfo.io/ip"],
        ["wget", "-qO-", "https://ifconfig.co"],
        ["wget", "-q", "-O", "-", "icanhazip.com"],
        ["dig", "+short", "myip.opendns.com", "@resolver1.opendns.com"],
    ],
)
def test_who_asks_for_their_own_address_is_told_the_one_that_logins_come_from(
    inside: Inside, words: list[str]
) -> None:
    """So a rule for ``$(curl …)/32`` lets them in; nobody outside is asked."""
    if not shutil.which(words[0]):
        pytest.skip(f"{words[0]} is not installed")
    done = inside.run(*words)
    assert (done.stdout.strip(), done.returncode) == (LAPTOP, 0), done.stderr


def test_what_else_they_ask_goes_to_the_program_that_they_have(tmp_path: Path) -> None:
    """With each word as it was, an empty one and one with spaces too; the answer may go into a file."""
    real = tmp_path / "real"
    real.mkdir()
    for name in ("curl", "wget", "dig", "ssh", "aws"):
        (real / name).write_text('#!/bin/sh\nprintf "<%s>" "$AWS_DEFAULT_REGION" "$@"\n')
        (real / name).chmod(0o755)
    directory = tmp_path / "it's here"
    directory.mkdir()
    for _ in range(2):  # a second terminal's changes nothing
        programs.wrapped(directory, f"{directory}/bin:{real}")

    def said(*words: str) -> str:
        environment = {"PATH": f"{directory}/bin:/usr/bin:/bin", "AWS_REGION": "sa-east-1"}
        done = subprocess.run(
            words, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout

    url = "https://github.com/x?a=1&b=ifconfig.me"
    assert said("curl", "-o", "", "a b", url) == f"<><-o><><a b><{url}>"
    assert said("curl", "ifconfig.me") == f"<><{(directory / 'address').as_uri()}>"
    assert said("wget", "-O", "file", url) == f"<><-O><file><{url}>"
    assert said("dig", "+short", "github.com") == "<><+short><github.com>"
    assert said("dig", "TXT", "+short", "o-o.myaddr.l.google.com", "@ns1.google.com") == f'"{LAPTOP}"\n'
    assert said("dig", "+short", "myip.opendns.com", "@resolver1.opendns.com") == f"{LAPTOP}\n"
    assert said("wget", "-qO", "file", "ifconfig.me") == ""
    assert (tmp_path / "file").read_text() == f"{LAPTOP}\n"
    assert said("ssh", "there") == f"<><-F><{directory}/ssh_config.shell><there>"
    assert json.loads((directory / "address.json").read_text())["ip"] == LAPTOP


def test_the_two_names_of_a_region_mean_what_they_mean_to_the_second_aws(inside: Inside) -> None:
    """Assigned and not exported, ``AWS_REGION`` is the script's own; exported, it is where ``aws`` looks."""
    script = "aws ec2 describe-availability-zones --query AvailabilityZones[0].ZoneName --output text"
    for before, zone in (
        ("AWS_REGION=us-east-2", "us-east-1a"),
        ("export AWS_REGION=us-east-2", "us-east-2a"),
        ("export AWS_DEFAULT_REGION=us-west-2", "us-west-2a"),
        ("export AWS_DEFAULT_REGION=us-west-2 AWS_REGION=us-east-2", "us-east-2a"),
    ):
        done = inside.run("sh", "-c", f"{before}; {script}")
        assert done.stdout == f"{zone}\n", done.stderr


@needs_packets
def test_another_terminal_means_the_sandbox_after_one_line(inside: Inside) -> None:
    """``eval "$(… sandbox env)"``, twice too; nothing leads elsewhere; ``status`` says who is there."""
    name = Path(inside.environment["KTHW_SSH_CONFIG"]).parent.name.rpartition("-")[2]
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "KTHW_"))}
    mine |= {"AWS_PROFILE": "prod", "AWS_REGION": "mars-1", "LC_ALL": "C.UTF-8"}
    line = f'eval "$({sys.executable} -m sandbox env {name})"'
    script = f'{line}; one=$PATH; {line}; [ "$one" = "$PATH" ] && ssh worker-0 hostname && env'
    done = subprocess.run(
        ["sh", "-euc", script], cwd=ROOT, env=mine, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert f"Your address in it is {LAPTOP}" in done.stderr
    first, *rest = done.stdout.splitlines()
    found = dict(each.split("=", 1) for each in rest if "=" in each)
    assert first == "ip-10-0-1-20"
    assert not {"AWS_PROFILE", "AWS_REGION"} & found.keys()
    assert found["AWS_ENDPOINT_URL"] == inside.environment["AWS_ENDPOINT_URL"]
    for language, state in (("C.UTF-8", "running"), ("pt_BR.UTF-8", "em execução")):
        told = inside.run(sys.executable, "-m", "sandbox", "status", LC_ALL=language, PYTHONPATH=str(ROOT))
        assert f"{name}" in told.stdout.splitlines()[0]
        assert LAPTOP in told.stdout.splitlines()[0]
        assert re.search(rf"worker-0 +i-\w+ +{state} +10.0.1.20 +ubuntu@{inside.address}\n", told.stdout)
        assert "    10.0.0.0/16 → local\n    0.0.0.0/0 → igw-" in told.stdout


def test_other_hosts_are_reached_as_ever(tmp_path: Path) -> None:
    """The person's own configuration rules them, and only them; a name of theirs may stand for ours."""
    config = tmp_path / SHELL_CONFIG
    Access(tmp_path, "nobody's").write(State(), {})
    theirs = tmp_path / "theirs"
    theirs.write_text("Host lab\n    HostName 203.0.113.9\nHost *\n    User me\n    Compression yes\n")
    config.write_text(config.read_text().replace("~/.ssh/config", str(theirs)))

    def told(host: str) -> dict[str, str]:
        done = subprocess.run(["ssh", "-F", config, "-G", host], capture_output=True, text=True, check=True)
        return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)

    for host in (
        "github.com",
        "203.0.112.9",
        "10.0.1.20",
        "198.20.0.1",
        "ec2-54-1-2-3.compute-1.amazonaws.com",
    ):
        other = told(host)
        assert (other["user"], other["compression"]) == ("me", "yes")
        assert "proxycommand" not in other
        assert str(tmp_path) not in other["userknownhostsfile"]
    ours = told("203.0.113.9")
    assert (ours["user"], ours["compression"]) == ("ubuntu", "no")
    assert "dial.py" in ours["proxycommand"]
    assert "dial.py" in told("lab")["proxycommand"]
    assert "dial.py" in told("ec2-203-0-113-9.sa-east-1.compute.amazonaws.com")["proxycommand"]


# --- a shell to type into -----------------------------------------------------------------------------------


class Terminal:
    """``command`` in a terminal of its own."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self.said = ""
        self._pid, self._descriptor = pty.fork()
        if not self._pid:
            os.chdir(ROOT)
            os.execvpe(command[0], command, environment)  # noqa: S606 -- a shell of the test's own

    def type(self, line: str) -> None:
        os.write(self._descriptor, f"{line}\n".encode())

    def until(self, text: str, seconds: float = 40.0) -> str:
        """What was shown up to ``text``, which has to come."""
        deadline = time.monotonic() + seconds
        while text not in self.said:
            ready, _, _ = select.select([self._descriptor], [], [], max(0.0, deadline - time.monotonic()))
            try:
                more = os.read(self._descriptor, 65536) if ready else b""
            except OSError:  # what a terminal reads as when its last program has gone
                more = b""
            assert more, f"{text!r} did not come; this did: {self.said!r}"
            self.said += more.decode(errors="replace")
        shown, _, self.said = self.said.partition(text)
        return shown

    def end(self) -> int:
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        os.close(self._descriptor)
        return code


RC = {"bash": ".bashrc", "sh": ".shrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}
THEIRS = {
    "bash": "PROMPT_COMMAND='PS1=\"mine> \"'\n",
    "sh": "PS1='mine> '\n",
    "zsh": "PS1='mine> '\n",
    "fish": "function fish_prompt; echo -n 'mine> '; end\n",
}


@pytest.mark.parametrize(
    ("kind", "language"), [("bash", "en"), ("bash", "pt-BR"), ("sh", "en"), ("zsh", "en"), ("fish", "en")]
)
def test_a_shell_says_that_it_is_in_the_sandbox_and_when_it_is_over(
    kind: str, language: str, tmp_path: Path
) -> None:
    """Banner, prompt, farewell; the person's own settings hold, but for what would lead out of it."""
    if not shutil.which(kind):
        pytest.skip(f"{kind} is not installed")
    rc = tmp_path / RC[kind]
    rc.parent.mkdir(parents=True, exist_ok=True)
    greet = "function greet; echo hello there; end" if kind == "fish" else "alias greet='echo hello there'"
    leading_out = "export AWS_PROFILE=prod AWS_ENDPOINT_URL=http://a.invalid\n"
    rc.write_text(f"{leading_out}{greet}\n{THEIRS[kind]}")
    own = {"HOME": str(tmp_path), "ENV": str(tmp_path / ".shrc"), "TERM": "dumb"}
    environment = {**os.environ, **own, "LC_ALL": "pt_BR.UTF-8" if language == "pt-BR" else "C.UTF-8"}
    terminal = Terminal([sys.executable, "-m", "sandbox", "run", "--empty", "--", kind], environment)
    begins, ended = {
        "en": ("You are in a sandbox", "You have left the sandbox"),
        "pt-BR": ("Você está num sandbox", "Você saiu do sandbox"),
    }[language]
    terminal.until(begins)
    terminal.until("(sandbox) mine> ")
    terminal.type('greet; echo "to:$AWS_PROFILE:$AWS_ENDPOINT_URL:"')
    terminal.until("hello there")
    terminal.until("to::http://127.0.0.1:")
    terminal.until("(sandbox) mine> ")
    terminal.type("command -v ssh")
    assert terminal.until("/bin/ssh").strip().splitlines()[-1].startswith("/")
    terminal.type("exit 3")
    terminal.until(ended)
    assert terminal.end() == 3


def test_a_command_that_is_no_shell_to_type_into_is_told_nothing() -> None:
    """A script's output is the script's: no banner where nobody types."""
    command = [sys.executable, "-m", "sandbox", "run", "--empty", "--", "bash"]
    done = subprocess.run(
        command, cwd=ROOT, input="echo hello\n", capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.returncode) == ("hello\n", 0)
    assert "You are in" not in done.stderr


@needs_packets
@pytest.mark.parametrize("then", [[], ["sudo", "bash"]], ids=["login", "sudo"])
def test_a_node_s_prompt_says_which_node_it_is(inside: Inside, then: list[str]) -> None:
    terminal = Terminal(
        ["ssh", "-tt", f"ubuntu@{inside.address}", *then], {**inside.environment, "TERM": "dumb"}
    )
    terminal.until(f"(worker-0) {'root' if then else 'ubuntu'}@ip-10-0-1-20:")
    terminal.type("exit")
    assert terminal.end() == 0
