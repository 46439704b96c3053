"""What terminal and page say of the history in the same words."""

from __future__ import annotations

from kthw.history.chosen import Side
from kthw.history.nights import Event
from kthw.history.run import Lab, Place, Run
from kthw.history.tracks import Track
from kthw.verdict.since import named_briefly
from kthw.words.messages import Catalogue
from kthw.words.moments import day_told, moment_here
from kthw.words.pasting import one_line


def place_told(run: Run, words: Catalogue) -> str:
    """What a run looked at, and which lab."""
    return _place(run.target, run.lab, words)


def side_told(side: Side, words: Catalogue) -> str:
    """The same of one that is compared, with when it looked."""
    at = moment_here(side.at, words)
    return words.say("history-side", name=side.name, at=at, place=_place(side.target, side.lab, words))


def _place(target: Place, lab: Lab, words: Catalogue) -> str:
    kind = "sandbox" if target.kind == "sandbox" else "local" if target.local else "aws"
    return words.say(
        f"history-place-{kind}",
        account=target.account or words.say("run-target-unknown"),
        region=target.region or words.say("run-target-unknown"),
        count=lab.count,
        workers=lab.workers,
        after=lab.after,
    )


def verdict_told(run: Run, words: Catalogue) -> str:
    """In a few words: all holds; so much is to be mended; not all could be looked at."""
    if run.verdict == "bad":
        return words.say("history-verdict-bad", count=len(run.causes) + run.cut)
    return words.say(f"history-verdict-{run.verdict}", count=len(run.errors))


def state_told(track: Track, words: Catalogue) -> str:
    """A cause, and how it stands: broken since when, flapping, mended."""
    return f"{track.stood.code} · {one_line(track.stood.subject)}: {state(track, words)}"


def state(track: Track, words: Catalogue) -> str:
    """How a cause stands."""
    kind = "flapped" if track.state == "mended" and track.flapped else track.state
    return words.say(
        f"history-state-{kind}",
        first=day_told(track.changes[0].at.date(), words),
        since=day_told(track.since.date(), words),
        nights=track.nights,
        changes=len(track.changes),
    )


def came(event: Event, words: Catalogue) -> str:
    """Which causes came with a run, and that it could not look; or nothing."""
    said = []
    if event.came:
        key = "history-came" if event.before else "history-there"
        said.append(words.say(key, which=named_briefly(event.came, words)))
    if event.uncovered:
        said.append(words.say("since-which-uncovered", which=named_briefly(event.uncovered, words)))
    if event.blind:
        codes = ", ".join(dict.fromkeys(error.code for error in event.run.errors))
        said.append(words.say("history-blind", codes=codes or "—"))
    return " ".join(said)


def went(event: Event, words: Catalogue) -> str:
    """Which causes a run found gone; or nothing."""
    return words.say("history-went", which=named_briefly(event.went, words)) if event.went else ""


def other_versions(event: Event, words: Catalogue) -> str:
    """What of the programs was another version than in the run before; or nothing."""
    before = event.before.versions if event.before else {}
    now = event.run.versions
    changed = [
        f"{name} {before[name]} → {now[name]}" for name in now if name in before and before[name] != now[name]
    ]
    return words.say("history-versions", which=one_line(", ".join(changed))) if changed else ""
