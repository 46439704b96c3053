"""The history of sixty nights says what happened: broken on night 20, flapping 30 to 35, mended on 41."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from kthw.history.nights import Nights, labs
from kthw.history.pages import nights_page
from kthw.history.run import MOST_CAUSES, Run, Unseen
from kthw.history.shown import Shown
from kthw.history.told import came
from kthw.history.tracks import Seen, Track, tracks
from kthw.verdict.since import Stood, since
from kthw.words.messages import LANGUAGES, catalogue
from kthw.words.moments import day_told
from tests.grade.test_pages import EVIL, Elements
from tests.history.story import BLIND, BREAKS, FIRST, FLAPS, MENDED, MISSING, NIGHTS, at, story

LAST = at(NIGHTS)
SAY = catalogue("en").say
BROKEN, FLAPPING = "route-wrong-target", "forward-dropped"


def until(night: int) -> Nights:
    """The history as it was after that night."""
    return Nights([run for run in story() if run.at <= at(night).isoformat()])


def track(nights: Nights, code: str) -> Track:
    return next(each for each in nights.tracks if each.stood.code == code)


def page(*runs: Run, language: str = "en", now: datetime = LAST) -> str:
    return nights_page(runs, 60, catalogue(language), now, lambda *_: ())


def squares(text: str, label: str) -> str:
    """The signs of a row of the grid, a space where there was no run."""
    row = re.search(rf'<th scope="row">(?:<span class="code">)?{label}.*?</tr>', text, re.DOTALL)
    assert row, label
    return "".join(sign or " " for sign in re.findall(r"<td [^>]*>(.?)</td>", row[0]))


def test_each_night_of_each_row_is_what_happened() -> None:
    whole = ["✗" if BREAKS <= n < MENDED else "✓" for n in range(1, NIGHTS + 1)]
    whole[BLIND - 1], whole[MISSING - 1] = "!", " "
    text = page(*story())
    assert squares(text, "the whole run") == "".join(whole)
    assert squares(text, "routes") == "".join(whole)
    assert squares(text, "workers") == "".join(whole).replace("✗", "✓")
    assert squares(text, BROKEN) == "".join(whole).replace("✓", "·")
    flaps = ["≈" if n in FLAPS and n % 2 == 0 else "·" for n in range(1, NIGHTS + 1)]
    flaps[BLIND - 1], flaps[MISSING - 1] = "!", " "
    assert squares(text, FLAPPING) == "".join(flaps)


@pytest.mark.parametrize(
    ("night", "code", "state", "since"),
    [
        (BREAKS, BROKEN, "broken", BREAKS), (MENDED - 1, BROKEN, "broken", BREAKS),
        (MENDED, BROKEN, "mended", MENDED), (BLIND, BROKEN, "mended", MENDED),
        (30, FLAPPING, "broken", 30), (31, FLAPPING, "mended", 31), (32, FLAPPING, "broken", 32),
        (33, FLAPPING, "quiet", 30), (34, FLAPPING, "flapping", 30), (35, FLAPPING, "quiet", 30),
        (42, FLAPPING, "quiet", 30), (43, FLAPPING, "mended", 35),
    ],
)  # fmt: skip
def test_flapping_is_told_apart_from_broken_by_the_rule(
    night: int, code: str, state: str, since: int
) -> None:
    """Four changes within seven days; a week after the last of them it has stopped."""
    found = track(until(night), code)
    assert (found.state, found.since.date()) == (state, at(since).astimezone().date())


def test_a_cause_that_comes_back_later_than_the_rule_says_is_broken_again_and_does_not_flap() -> None:
    moments = [FIRST + timedelta(days=3 * n) for n in range(6)]
    looks: list[Seen] = ["there", "gone", "there", "gone", "there", "there"]
    found = Track(Stood(code=BROKEN, subject="x"), looks, moments)
    assert len(found.changes) == 5
    assert (found.state, found.flapped) == ("broken", ())


def test_a_run_that_could_not_look_neither_mends_nor_breaks() -> None:
    moments = [FIRST + timedelta(days=n) for n in range(6)]
    looks: list[Seen] = ["there", "unseen", "there", "unseen", "unseen", "unseen"]
    seen = Track(Stood(code=BROKEN, subject="x"), looks, moments)
    assert [change.came for change in seen.changes] == [True]
    assert seen.state == "hidden"


def test_a_cause_beyond_what_a_line_holds_is_neither_gone_nor_new() -> None:
    """Of a run that had to cut its causes, one that is not named may have been there."""
    many = tuple(Stood(code="route-missing", subject=f"worker-{n} · rtb-0a") for n in range(MOST_CAUSES))
    full = replace(story()[0], verdict="bad", causes=(*many[1:], Stood(code=BROKEN, subject="x")))
    cut = replace(story()[1], verdict="bad", causes=many, cut=1)
    again = replace(full, at=story()[2].at)
    (track,) = (each for each in tracks([full, cut, again]) if each.stood.code == BROKEN)
    assert track.seen == ("there", "unseen", "there")
    assert [each.came for each in track.changes] == [True]
    away, back = since(full.standing, cut.standing), since(cut.standing, again.standing)
    assert [(each.code, each.subject) for each in away.hidden] == [(BROKEN, "x")]
    assert [(each.code, each.subject) for each in back.uncovered] == [(BROKEN, "x")]
    assert (away.gone, back.new) == ((), ())
    first, second = Nights([cut, again]).events()[::-1]
    assert [each.code for each in first.came] == ["route-missing"] * MOST_CAUSES
    assert (second.came, [each.code for each in second.uncovered]) == ((), [BROKEN])
    assert SAY("since-which-uncovered", which=f"{BROKEN} (x)") in came(second, catalogue("en"))
    whole = replace(cut, cut=0)
    assert [each.code for each in since(full.standing, whole.standing).gone] == [BROKEN]


def test_what_changed_is_told_by_night_the_latest_first() -> None:
    told = [
        (
            event.run.at[:10],
            [each.code for each in event.came],
            [each.code for each in event.went],
            event.blind,
        )
        for event in Nights(story()).events()
    ]

    def day(night: int) -> str:
        return at(night).isoformat()[:10]

    assert told == [
        (day(BLIND), [], [], True),
        (day(MENDED), [], [BROKEN], False),
        *((day(n), [FLAPPING] * (n % 2 == 0), [FLAPPING] * (n % 2), False) for n in reversed(FLAPS)),
        (day(BREAKS), [BROKEN], [], False),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_a_bad_night_begins_with_what_needs_somebody(language: str) -> None:
    words = catalogue(language)
    text = page(*until(34).runs, language=language, now=at(34))
    broken = words.say("history-state-broken", since=day_told(at(BREAKS).date(), words))
    flapping = words.say("history-state-flapping", since=day_told(at(30).date(), words), changes=5)
    places = [
        text.index(said) for said in (words.say("history-needs"), broken, flapping, words.say("history-grid"))
    ]
    assert places == sorted(places)
    assert words.say("history-stale", days=2) not in text


def test_nights_that_stopped_coming_are_told() -> None:
    assert "The last run is 5 days old" in page(*story(), now=at(NIGHTS + 5))
    assert "days old" not in page(*story(), now=at(NIGHTS + 1))


def test_of_many_causes_the_first_are_open_and_the_others_folded_and_all_are_there() -> None:
    many = tuple(Stood(code="route-missing", subject=f"worker-{n} · rtb-0a") for n in range(70))
    text = page(*story(), replace(story()[-1], at=at(NIGHTS + 1).isoformat(), verdict="bad", causes=many))
    assert "<summary>62 more causes</summary>" in text
    assert all(f"worker-{n}</k-w> ·" in text for n in range(70))
    assert SAY("history-rows-left-out", count=12) in text
    shown = list(
        Shown(catalogue("en"), 60).history([*story(), replace(story()[-1], verdict="bad", causes=many)], 1)
    )
    assert any(SAY("history-more-causes", count=52).split(";")[0] in line for line in shown)


def test_how_long_each_phase_took_is_told_with_the_longest() -> None:
    text = " ".join(re.sub(r"<[^>]+>", " ", page(*story())).split())
    assert "sending packets between the pods 6.0 7.0 40.0" in text
    whole = Nights(story()).whole()
    assert len(whole.seconds) == NIGHTS
    assert whole.seconds[MISSING - 1] is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_hostile_becomes_markup_or_steers_a_terminal(language: str) -> None:
    hostile = replace(
        story()[-1],
        causes=(Stood(code=BROKEN, subject=EVIL, told_by=(("x", EVIL),)),), verdict="bad",
        lab=replace(story()[-1].lab, workers=EVIL), errors=(Unseen(code="throttled", subject=EVIL),),
        versions={"python": EVIL}, phases={"<b>"[1:2]: 1.0},
    )  # fmt: skip
    text = page(*story()[:-1], hostile, language=language)
    found = Elements(text)
    assert {tag for tag, _ in found.found}.isdisjoint({"img", "script", "iframe", "link", "object"})
    assert not any(name.startswith("on") for _, attributes in found.found for name in attributes)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert not re.search(r"url\((?!#)|@import|https?:|src=", text.replace("src=x onerror", ""))
    assert EVIL.split('"')[0] in found.text
    shown = "\n".join(Shown(catalogue(language), 60).history([*story(), hostile], 5))
    assert "\x1b" not in shown


def test_a_night_without_an_account_is_a_night_of_the_lab_and_another_lab_is_one_of_its_own() -> None:
    other = replace(story()[3], lab=replace(story()[3].lab, id="0" * 12))
    astray = replace(
        story()[5], target=replace(story()[5].target, account="999999999999"),
        errors=(Unseen(code="wrong-account"),), cut=1,
    )  # fmt: skip
    found = labs([*story(), other, astray])
    assert [len(each) for each in found] == [len(story()) + 1, 1]
    assert any(not run.target.account for run in found[0])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_last_runs_fit_a_terminal_of_sixty_columns(language: str) -> None:
    shown = list(Shown(catalogue(language), 60).history(story(), 30))
    assert max(map(len, shown)) <= 60
    runs = [line for line in shown if re.match(r" *\d+  ", line)]
    assert len(runs) == 30
    assert runs[0].startswith("   1  ")
    assert sum("✗" in line for line in runs) == MENDED - 30
