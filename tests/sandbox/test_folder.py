"""The folders of sandboxes: private, believed only when they are ours, swept when they are dead."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox import folder
from tests.sandbox.test_commands import sandbox

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of somebody else's")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home that sandboxes of ours would have; nothing is there yet."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", "")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / f"kthw-{os.geteuid()}"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277])
def test_a_folder_is_private_under_any_umask(home: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        made, alive = folder.make()
    finally:
        os.umask(before)
    os.close(alive)
    assert (mode(home), mode(made)) == (0o700, 0o700)


def test_the_runtime_folder_is_home_only_when_it_is_private(tmp_path: Path, home: Path) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir(0o700)
    environment = {"XDG_RUNTIME_DIR": str(runtime)}
    assert folder.home(environment) == runtime / "kthw"
    runtime.chmod(0o755)
    assert folder.home(environment) == home
    assert folder.home({"XDG_RUNTIME_DIR": "relative"}) == home
    assert folder.home({"XDG_RUNTIME_DIR": str(tmp_path / "absent")}) == home


@pytest.mark.parametrize(
    "how", ["open to others", "a link", "a file", pytest.param("a stranger's", marks=AS_ROOT)]
)
def test_a_home_that_others_could_write_to_is_refused(tmp_path: Path, home: Path, how: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(0o700)
    if how == "a link":
        home.symlink_to(elsewhere)
    elif how == "a file":
        home.touch(0o600)
    else:
        home.mkdir(0o700)
        if how == "open to others":
            home.chmod(0o770)
        else:
            os.chown(home, 4242, 4242)
    with pytest.raises(folder.NotPrivateError):
        folder.make()
    with pytest.raises(folder.NotPrivateError):
        folder.living()
    assert not list(elsewhere.iterdir())


def test_the_dead_are_swept_and_only_they(home: Path) -> None:
    """A folder is dead when no process holds it any more, whatever ended them; the next start removes it."""
    living, alive = folder.make()
    script = "import os; from sandbox import folder; print(folder.make()[0], flush=True); os.kill(0, 9)"
    died = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, start_new_session=True,
        env={**os.environ, "TMPDIR": str(home.parent), "XDG_RUNTIME_DIR": ""}, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    dead = Path(died.stdout.strip())
    (dead / "kubernetes.id_rsa").touch()
    stranger = home / "something else"
    stranger.mkdir()
    unfinished = [home / ".making-1", home / ".making-2"]
    for path in unfinished:
        path.mkdir()
    os.utime(unfinished[0], (time.time() - 100,) * 2)
    assert dead.parent == home
    assert folder.living() == [living]
    another, more = folder.make()
    assert sorted(home.iterdir()) == sorted([living, another, stranger, unfinished[1]])
    os.close(alive)
    os.close(more)
    assert folder.living() == []


def test_the_home_goes_with_the_last_of_them(home: Path) -> None:
    (first, one), (second, two) = folder.make(), folder.make()
    os.close(one)
    folder.throw_away(first)
    assert home.exists()
    os.close(two)
    folder.throw_away(second)
    assert not home.exists()


@AS_ROOT
def test_ssh_runs_nothing_out_of_a_home_of_somebody_else_s(tmp_path: Path) -> None:
    """Whoever makes the folder first could write a ProxyCommand into it: it is not read."""
    (tmp_path / "kthw-0").mkdir(0o700)
    os.chown(tmp_path / "kthw-0", 4242, 4242)
    done = sandbox("ssh", "worker-0", TMPDIR=str(tmp_path), XDG_RUNTIME_DIR="", KTHW_SSH_CONFIG="")
    assert done.returncode == 2
    assert f"{tmp_path}/kthw-0 is somebody else's" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("how", ["open to others", pytest.param("a stranger's", marks=AS_ROOT)])
def test_ssh_believes_no_config_that_others_could_have_written(tmp_path: Path, how: str) -> None:
    config, proof = tmp_path / "ssh_config", tmp_path / "proof"
    config.write_text(f"Host worker-0\n    ProxyCommand touch {proof}\n")
    if how == "open to others":
        config.chmod(0o666)
    else:
        os.chown(config, 4242, 4242)
    done = sandbox("ssh", "worker-0", KTHW_SSH_CONFIG=str(config))
    assert done.returncode == 2
    assert str(config) in done.stderr
    assert not proof.exists()


def test_a_start_in_a_home_of_somebody_else_s_is_one_sentence(tmp_path: Path) -> None:
    home = tmp_path / f"kthw-{os.geteuid()}"
    home.mkdir()
    home.chmod(0o777)
    done = sandbox("run", "--empty", "true", TMPDIR=str(tmp_path), XDG_RUNTIME_DIR="")
    assert done.returncode == 2
    assert done.stderr.startswith("The sandbox was not started")
    assert "Traceback" not in done.stderr
