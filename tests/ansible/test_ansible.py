"""Another client than ours makes the lab: Ansible's ``amazon.aws``, and the suite finds it right.

Its packages (``requirements.txt``: 580 MB, minutes) are nobody's dependency of ours: who wants this test says
``KTHW_ANSIBLE=1``, or names with ``KTHW_ANSIBLE=FOLDER`` a virtual environment that has them, and needs no
network then. CI does not set it. Each test has seven minutes; where that is too little for a busy machine:
``-o faulthandler_timeout=1800``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from kthw.words.messages import catalogue
from sandbox.box import why_no_packets

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
NO_PACKETS = why_no_packets(catalogue("en").say)
ASKED = os.environ.get("KTHW_ANSIBLE", "")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kthw-ansible"


@pytest.fixture(scope="module")
def ansible() -> Path:
    """The folder of the programs. Made once, and kept: ``CACHE``."""
    if not ASKED:
        pytest.skip("it installs 580 MB from PyPI, which takes minutes; with KTHW_ANSIBLE=1 it does")
    if ASKED != "1":
        return Path(ASKED) / "bin"
    programs, pins = CACHE / "bin", HERE / "requirements.txt"
    stamp = CACHE / "pins"
    if not (stamp.is_file() and stamp.read_text() == pins.read_text()):
        venv.create(CACHE, with_pip=True, clear=True)
        install = [str(programs / "python"), "-m", "pip", "install", "--no-input", "-q", "-r", str(pins)]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"Ansible cannot be installed here: {done.stderr[-500:]}")
        stamp.write_text(pins.read_text())
    return programs


@pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)
def test_a_lab_that_ansible_makes_is_found_right_by_ansible_and_by_the_suite(
    ansible: Path, tmp_path: Path
) -> None:
    """The playbook, twice: the second time nothing is changed, so what is listed is what was asked for."""
    key = tmp_path / "kubernetes.id_rsa"
    playbook = f"{ansible}/ansible-playbook -i localhost, {HERE / 'lab.yml'} -e key_file={key}"
    suite = (
        f"exec {sys.executable} -P -m kthw.start pytest --rootdir {ROOT} -c {ROOT}/pytest.ini"
        f" {ROOT}/suites/routes --target aws --language en --ssh-accept-new -p no:cacheprovider"
        f" --ssh-key {key} --reports {tmp_path}"
    )
    apart = f"env -u PYTHONPATH ANSIBLE_HOME={tmp_path} ANSIBLE_NOCOLOR=1"
    script = f"{apart} {playbook}; {apart} {playbook}; {suite}"
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "run", "--empty", "--delay", "0", "--", "bash", "-euc", script],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST")} | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    changed = re.findall(r"^\S+ +: ok=\d+ +changed=(\d+)", done.stdout, re.MULTILINE)
    assert len(changed) == 2 * 4
    assert "0" not in changed[:4]
    assert changed[4:] == ["0"] * 4
    assert "requirements hold" in done.stdout
