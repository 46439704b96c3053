"""``python -m kthw.lab``: what is there becomes a file, which is shown first and never written over."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from kthw.lab.__main__ import main
from kthw.lab.file import NAME, lab
from kthw.words.messages import LANGUAGES, catalogue
from sandbox.box import why_no_packets
from tests.in_process import Run, bare, running
from tests.provision.account import ROOT, Account

NO_PACKETS = why_no_packets(catalogue("en").say)


@pytest.fixture
def run(
    aws_account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """The command on the test's account, in a folder of its own: exit code, stdout, stderr."""
    bare(monkeypatch)
    for name, value in aws_account.environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    return running(main, capsys)


def test_without_a_terminal_it_is_shown_and_written_only_where_that_was_said(
    aws_account: Account, run: Run
) -> None:
    aws_account.build()
    code, shown, said = run("--no-ssh")
    assert code == 1
    assert not Path(NAME).exists()
    assert catalogue("en").say("lab-not-written", file=NAME) in said
    code, shown, said = run("--no-ssh", "--yes")
    assert code == 0
    assert Path(NAME).read_text() == shown
    read = lab("", Path.cwd())
    assert read.values == {
        "workers": "worker-0,worker-1,worker-2",
        "network": "auto",
        "region": "us-east-1",
        "ssh-user": "ubuntu",
    }
    assert "worker-1 10.200.1.0/24" in shown
    assert catalogue("en").say("lab-no-login") in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_that_is_there_is_written_over_only_by_force(
    language: str, aws_account: Account, run: Run
) -> None:
    aws_account.build()
    Path(NAME).write_text("mine")
    code, shown, said = run("--no-ssh", "--yes", "--language", language)
    assert (code, shown) == (2, "")
    assert said.strip() == catalogue(language).say("lab-there-is-one", file=NAME)
    assert Path(NAME).read_text() == "mine"
    assert run("--no-ssh", "--yes", "--force")[0] == 0
    assert lab("", Path.cwd()).values["workers"] == "worker-0,worker-1,worker-2"
    assert [each.name for each in Path.cwd().iterdir()] == [NAME]


@pytest.mark.parametrize(("answer", "writes"), [("y", True), ("n", False), ("", False)])
def test_on_a_terminal_it_asks_first(answer: str, writes: bool, aws_account: Account, tmp_path: Path) -> None:
    aws_account.build()
    ours, theirs = pty.openpty()
    environment = {**os.environ, **aws_account.environment, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "kthw.lab", "--no-ssh"],
        cwd=tmp_path, env=environment, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        # It waits in the terminal's buffer until it is asked for.
        os.write(ours, f"{answer}\n".encode())
        shown, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0
    assert 'region = "us-east-1"' in shown
    assert (tmp_path / NAME).exists() == writes


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_two_labs_it_takes_none_and_says_how_to_choose(
    language: str, aws_account: Account, run: Run
) -> None:
    aws_account.build()
    first = aws_account.look().instances[0].vpc
    vpc = aws_account.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = aws_account.ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    aws_account.ec2.run_instances(
        ImageId="ami-0000000000002204a", MinCount=1, MaxCount=1, SubnetId=subnet,
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "worker-0"}]}],
    )  # fmt: skip
    code, shown, said = run("--no-ssh", "--yes", "--language", language)
    assert (code, shown) == (2, "")
    assert catalogue(language).say("lab-several") in said
    assert all(f"./run lab --vpc {each}" in said for each in (first, vpc))
    assert not Path(NAME).exists()
    assert run("--no-ssh", "--yes", "--vpc", first)[0] == 0
    workers = str(lab("", Path.cwd()).values["workers"])
    assert workers == f"worker-0@{_id(aws_account, first)},worker-1,worker-2"


def _id(account: Account, vpc: str) -> str:
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "tag:Name", "Values": ["worker-0"]}]
    found = account.ec2.describe_instances(Filters=filters)["Reservations"]  # type: ignore[arg-type]  # of str
    return found[0]["Instances"][0]["InstanceId"]


def test_nobody_that_looks_like_a_worker_is_told_with_who_is_there(aws_account: Account, run: Run) -> None:
    assert "no instance at all" in run("--no-ssh")[2]
    aws_account.build()
    ids = [aws_account.instance(f"worker-{n}") for n in range(3)]
    aws_account.ec2.create_tags(Resources=ids, Tags=[{"Key": "Name", "Value": "pet"}])
    code, shown, said = run("--no-ssh", "--yes")
    assert (code, shown) == (2, "")
    assert f"pet ({ids[0]}, 10.0.1.20) running" in said
    assert run("--no-ssh", "--yes", "--workers", "tag:Name=pet")[0] == 0
    values = lab("", Path.cwd()).values
    assert (values["workers"], values["expect-workers"]) == ("tag:Name=pet", "3")


def test_another_account_is_refused_and_nothing_is_shown(aws_account: Account, run: Run) -> None:
    aws_account.build()
    code, shown, said = run("--no-ssh", "--yes", "--expect-account", "999999999999")
    assert (code, shown) == (2, "")
    assert aws_account.id in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--worker", "a"), "--worker: there is no such; did you mean --workers?"),
        (("--expect-account", "12"), "--expect-account 12"),
        (("--ssh-key", "nowhere.pem"), "--ssh-key nowhere.pem"),
        (("--workers", "a,a"), "--workers a,a"),
    ],
)
def test_bad_usage_is_exit_code_two(arguments: tuple[str, ...], said: str, run: Run) -> None:
    code, shown, complaint = run(*arguments)
    assert (code, shown) == (2, "")
    assert said in complaint
    assert "Traceback" not in complaint


@pytest.mark.slow
@pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)
def test_what_it_writes_on_a_sandbox_leads_the_suite_and_provisioning_to_green(tmp_path: Path) -> None:
    """The tutorial's cluster: written down, its routes made by that file, and found right by that file."""
    script = f"""
        python -P -m kthw.lab --yes
        python -P -m kthw.provision apply --lab kthw.toml --journal journal.jsonl
        python -P -m kthw.lab --yes --force
        exec python -P -m pytest {ROOT}/suites/routes --rootdir {ROOT} -c {ROOT}/pytest.ini --target aws \
            --lab kthw.toml --language en --reports reports -p no:cacheprovider
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "run", "--", "bash", "-euc", f"cd {tmp_path}; {script}"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**environment, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    say = catalogue("en").say
    assert f"# {say('lab-login', user='ubuntu', count=3, workers=3)}" in done.stdout
    assert 'network = "auto"' in done.stdout.split("Lab file", maxsplit=1)[0]
    assert lab("", tmp_path).values["network"] == "vpc-routes"
    assert f"Lab file: {tmp_path / NAME}. From it: workers, network, region, ssh-user" in done.stdout
    assert "skipped" not in done.stdout.splitlines()[-1]
