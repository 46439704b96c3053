"""What is on a worker's disk from the first moment: the CNI files, of a lab after their chapter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kthw.findings.judging import judge
from kthw.intended import tutorial
from kthw.observed.gather import gather
from kthw.words.messages import LANGUAGES, catalogue
from sandbox import birth, labs
from sandbox.box import Sandbox, ec2_client, start
from sandbox.lab import CHAPTERS
from tests.asked import intended
from tests.sandbox.login import typed
from tests.sandbox.test_commands import NO_PACKETS, sandbox

carried = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)
LISTED = f"ls {tutorial.CNI_DIRECTORY}"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with start(("worker-0",)) as box:
        yield box


@carried
def test_a_worker_of_a_lab_has_the_files_and_one_that_is_launched_in_it_has_none(box: Sandbox) -> None:
    """With the same user data: nobody has done the workers chapter on it."""
    assert typed(box, "worker-0", LISTED) == "10-bridge.conf\n99-loopback.conf\n"
    bridge = json.loads(typed(box, "worker-0", f"cat {tutorial.cni_path(tutorial.CNI_BRIDGE_FILE)}"))
    assert bridge == tutorial.cni_bridge("10.200.0.0/24")
    ec2 = ec2_client(box.target.endpoint)
    found: Any = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["worker-0"]}])
    [first] = found["Reservations"][0]["Instances"]
    interface: Any = {
        "DeviceIndex": 0, "SubnetId": first["SubnetId"], "AssociatePublicIpAddress": True,
        "Groups": [group["GroupId"] for group in first["SecurityGroups"]],
    }  # fmt: skip
    second = ec2.run_instances(
        ImageId=first["ImageId"], MinCount=1, MaxCount=1, InstanceType="t3.micro", KeyName=tutorial.KEY_NAME,
        NetworkInterfaces=[interface], UserData=tutorial.user_data("worker-1", "10.200.1.0/24"),
    )["Instances"][0]["InstanceId"]  # fmt: skip
    ec2.create_tags(Resources=[second], Tags=[{"Key": "Name", "Value": "worker-1"}])
    assert typed(box, "worker-1", LISTED) == ""


@carried
def test_after_the_machines_nothing_is_done_on_them() -> None:
    done = sandbox("run", "--after", "machines", "--workers", "1", "--", "sh", "-c", f"ssh worker-0 {LISTED}")
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_a_lab_stands_is_said_and_what_is_no_such_chapter_is_refused(language: str) -> None:
    words = catalogue(language)
    said = [words.say(f"sandbox-stands-{chapter}") for chapter in CHAPTERS]
    assert all(tutorial.CNI_DIRECTORY in sentence for sentence in said)
    assert "--after machines" in said[CHAPTERS.index("workers")]
    done = sandbox("up", "--after", "work", LC_ALL={"en": "C.UTF-8", "pt-BR": "pt_BR.UTF-8"}[language])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip() == words.say("sandbox-after-which", typed="work", chapters="machines workers")


def test_only_a_machine_that_is_launched_while_the_lab_is_built_is_born_with_them(tmp_path: Path) -> None:
    with birth.given(tmp_path, {"10.0.1.20": {"/etc/motd": "hello\n"}}):
        assert birth.files(tmp_path, "10.0.1.20") == {"/etc/motd": "hello\n"}
        assert birth.files(tmp_path, "10.0.1.21") == {}
        assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600]
    assert birth.files(tmp_path, "10.0.1.20") == {}
    assert list(tmp_path.iterdir()) == []


def test_a_lab_s_files_are_its_own_or_those_of_what_its_user_data_says() -> None:
    """As the chapter reads it: a pair, and no pair is no file."""
    tutorials, lists = labs.lab("tutorial"), labs.lab("conflist")
    for lab, names in ((tutorials, ["10-bridge.conf", "99-loopback.conf"]),
                       (lists, ["10-bridge.conflist", "99-loopback.conflist"]),
                       (tutorials.but(user_data="POD_CIDR={cidr}"), [])):  # fmt: skip
        worker = lab.machines(lab.names())[-1]
        assert sorted(lab.born_with(worker)) == [tutorial.cni_path(name) for name in names]
    assert tutorials.born_with(tutorials.machines(())[0]) == {}, "a controller"


@pytest.mark.slow
@carried
def test_the_workers_chapter_left_out_is_found_and_a_file_under_another_name_is_the_one_that_counts() -> None:
    """Nothing but what a student wrote is there: no file at first, then one with somebody else's range."""
    names = ("worker-0", "worker-1")
    with start(names, after="machines") as box:
        none = _found(box, names)
        for number in range(2):
            bridge = json.dumps(tutorial.cni_bridge(f"172.20.{number}.0/24"))
            typed(box, f"worker-{number}", f"echo '{bridge}' | sudo tee /etc/cni/net.d/172-20-bridge.conf")
        wrong = _found(box, names)
    assert {code for code, _ in none} >= {"cni-config-missing"}
    assert sum(code == "cni-config-missing" for code, _ in none) == len(names)
    mismatches = [file for code, file in wrong if code == "cni-subnet-mismatch"]
    assert mismatches == ["172-20-bridge.conf"] * len(names)


def _found(box: Sandbox, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """(Code, CNI file that it is about) of each finding."""
    found = judge(gather(box.target, intended((), names, box.target))).findings
    return [(f.code, Path(f.facts.get("file", "")).name) for f in found]
