"""What ``--workers`` may name: what EC2 Name tags of workers look like, each once, with commas between."""

from __future__ import annotations

import pytest

from kthw.intended.cluster import BadNames, worker_names
from kthw.provision.__main__ import main
from kthw.words.messages import LANGUAGES, catalogue
from tests.plugin.conftest import Run

REFUSED = {
    "a count": ("3", "run-workers-count", "worker-[0-2]"),
    "a count of one": (" 1 ", "run-workers-count", "worker-0"),
    "an endless count": ("9" * 5000, "run-workers-count", "worker-[0-1999]"),
    "spaces between": ("worker-0 worker-1", "run-workers-spaces", "worker-0,worker-1"),
    "words between": ("alpha  beta", "run-workers-spaces", "alpha,beta"),
    "semicolons between": ("worker-0;worker-1", "run-bad-worker-name", "worker-0;worker-1"),
    "a comma of another script": ("worker-0，worker-1", "run-bad-worker-name", "worker-0，worker-1"),
    "a shell's range": ("worker-{0..2}", "run-bad-worker-name", "worker-{0..2}"),
    "a pattern": ("*worker*", "run-bad-worker-name", "*worker*"),
    "half a range": ("worker-[0", "run-bad-worker-name", "worker-[0"),
    "a quote": ("worker-0,'worker-1'", "run-bad-worker-name", "'worker-1'"),
    "an option": ("--workers", "run-bad-worker-name", "--workers"),
    "a number among names": ("worker-0,1", "run-bad-worker-name", "1"),
    "a line end": ("worker\n0", "run-bad-worker-name", "worker\n0"),
    "an escape": ("worker\x1b[31m", "run-bad-worker-name", "worker\x1b[31m"),
    "a mark of direction": ("worker\u202e0", "run-bad-worker-name", "worker\u202e0"),
    "no end": ("w" * 257, "run-bad-worker-name", "w" * 257),
}
FINE = (
    "worker-0",
    "Máquina 1",
    "trabalhador-ção",
    "ノード1",
    "узел-1",
    "ip-10-0-1-20.ec2.internal",
    "Worker 1",
    "a.b_c:d/e=f+g@h",
    "👩\u200d💻-0",
)


@pytest.mark.parametrize(("typed", "key", "named"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_worker_s_name_is_refused_with_what_to_write(typed: str, key: str, named: str) -> None:
    with pytest.raises(BadNames) as refused:
        worker_names(typed)
    assert refused.value.key == key
    assert named in refused.value.facts.values()
    for language in LANGUAGES:
        assert catalogue(language).say(key, **refused.value.facts).isprintable()


def test_names_of_any_script_are_fine() -> None:
    assert worker_names(", ".join(FINE)) == FINE


def test_what_was_expanded_means_the_same_again() -> None:
    names = worker_names("worker-[0-2],João [1-2]")
    assert names == ("worker-0", "worker-1", "worker-2", "João 1", "João 2")
    assert worker_names(",".join(names)) == names


@pytest.mark.parametrize("typed", ["3", "worker-0 worker-1"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_count_and_a_list_with_spaces_are_refused_in_one_sentence_and_nothing_is_booted(
    typed: str, language: str, run_pytest: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BadNames) as refused:
        worker_names(typed)
    said = catalogue(language).say(refused.value.key, **refused.value.facts)
    ran = run_pytest("suites/routes", "--workers", typed, "--language", language)
    assert (ran.code, ran.lines) == (4, [f"ERROR: {said}"])
    with pytest.raises(SystemExit):
        main(["plan", "--workers", typed, "--language", language])
    assert said in capsys.readouterr().err
