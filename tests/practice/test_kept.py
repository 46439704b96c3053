"""The result is kept beside what the last look saw; where it cannot be, that is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kthw.errors import CouldNotLook
from kthw.words.messages import catalogue
from sandbox.faults import terminal
from sandbox.practice import look, run
from sandbox.practice.session import Session

SAY = catalogue("en").say


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """A sandbox's folder in which one look was taken."""
    file = look.report(tmp_path / "sandbox")
    file.parent.mkdir(parents=True)
    file.write_text('{"schema": 1, "evidence": {"schema": 1}}')
    return tmp_path / "sandbox"


def exercise() -> Session:
    return Session.new(7, "hard", 3, "en")


def test_the_recording_is_kept_as_it_is_with_the_result_in_it(inside: Path, tmp_path: Path) -> None:
    assert run.keep(exercise(), inside, tmp_path / "a/b", SAY) == 0
    document = json.loads((tmp_path / "a/b/practice-7-hard-3.json").read_text())
    assert document.pop("practice") == exercise().result()
    assert document == json.loads(look.report(inside).read_text())


def test_where_nobody_looked_there_is_nothing_to_keep(tmp_path: Path) -> None:
    assert run.keep(exercise(), tmp_path, tmp_path / "kept", SAY) == 0
    assert not (tmp_path / "kept").exists()


def test_what_cannot_be_kept_is_told_with_the_option_that_helps(
    inside: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert run.keep(exercise(), inside, tmp_path / "file", SAY) == 1
    assert "--reports DIR" in capsys.readouterr().err


def test_what_cannot_be_hidden_is_one_error_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command of the catalogue's that fails, or a CLI that does not start."""

    def fails(_box: object) -> None:
        raise terminal.TypingError("the AWS CLI did not start\nand more")

    class Nobody:
        def describe_vpcs(self, **_: object) -> dict[str, list[dict[str, str]]]:
            return {"Vpcs": [{"VpcId": "vpc-1"}]}

    class Box:
        class target:  # noqa: N801 -- as it is called there
            endpoint = ""

    monkeypatch.setattr(run, "ec2_client", lambda _endpoint: Nobody())
    monkeypatch.setattr(run, "names", lambda *_: {})
    monkeypatch.setattr(run, "Terminal", fails)
    with pytest.raises(CouldNotLook) as caught:
        run.hide(exercise(), Box())  # type: ignore[arg-type]  # all that it has, here
    assert (caught.value.error.code, caught.value.error.detail) == (
        "sandbox-unavailable",
        "the AWS CLI did not start",
    )
