"""The page as people see it, in a real browser: what it shows, what it does, and on paper."""

from __future__ import annotations

import functools
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kthw.findings.judging import judge
from kthw.verdict.causes import causes, missed
from kthw.verdict.report import Report, Summary
from kthw.words.messages import LANGUAGES, catalogue
from tests.browser.chromium import Chromium
from tests.browser.conftest import Made
from tests.verdict.shown import PAGES
from tests.verdict.transcripts import reported

WIDEST = {"healthy": 100, "two-faults": 120, "worst": 200, "fifty": 500}
"""Kilobytes: a page is sent by mail, and opened on a phone."""
CELL = "document.querySelector('[data-pair=\"0-1\"]')"
CONTRAST = """
(() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parts(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const told = ['p', 'li', 'h2', 'h3', 'dd', 'dt', 'pre', 'a', 'td', 'th', 'button', 'span', 'summary'];
  for (const e of document.querySelectorAll(told.map(each => `.kthw ${each}`))) {
    if (e.closest('svg') || !e.getClientRects().length || !e.textContent.trim()) continue;
    const [one, two] = [light(parts(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    if ((one + 0.05) / (two + 0.05) < 4.5) faint.push(`${e.className}: ${e.textContent.slice(0, 40)}`);
  }
  return faint;
})()
"""


class _Ids(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.ids += [said["id"] or ""] if "id" in said else []
        self.links += [said["href"] or ""] if tag == "a" and "href" in said else []


@functools.cache
def _report(name: str) -> Report:
    return Report(judge(PAGES[name][0]()), Summary())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", WIDEST)
def test_a_page_is_as_small_as_a_mail_takes(name: str, language: str, made: Made) -> None:
    assert made(name, language).stat().st_size <= WIDEST[name] * 1000


@pytest.mark.slow
@pytest.mark.parametrize("name", ["thousand", "thousand-without-routes"])
def test_a_page_of_a_thousand_workers_is_small_and_opens(name: str, browser: Chromium, made: Made) -> None:
    assert made(name, "en").stat().st_size <= 4_000_000
    browser.open(made(name, "en"))
    assert browser.run("document.querySelector('.kthw-said').innerText")


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_every_link_leads_to_a_place_in_the_page(language: str, made: Made) -> None:
    """And each cause, and each thing that was not looked at, has an address of its own."""
    written = _Ids(made("worst", language).read_text(encoding="utf-8"))
    assert len(written.ids) == len(set(written.ids))
    assert {link for link in written.links if link.startswith("#")} <= {f"#{each}" for each in written.ids}
    report, words = reported("worst"), catalogue(language)
    for kind, blocks in (("cause", causes(report, words)), ("unseen", missed(report, words))):
        for block in blocks:
            assert {f"{kind}-{each.number}" for each in block.causes} <= set(written.ids)


def test_without_scripts_every_command_can_be_read(browser: Chromium, made: Made) -> None:
    browser.open(made("worst", "en"), scripts=False)
    document = browser("DOM.getDocument", depth=-1)
    html = browser("DOM.getOuterHTML", nodeId=document["root"]["nodeId"])["outerHTML"]
    text = re.sub(r"<[^>]+>", "", html.partition('<h2 class="kthw-tests"')[0])
    for block in causes(reported("worst"), catalogue("en")):
        for line in block.paste().splitlines():
            assert line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in text


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("name", ["two-faults", "worst"])
def test_nobody_scrolls_sideways(name: str, width: int, browser: Chromium, made: Made) -> None:
    browser.open(made(name, "pt-BR"), width=width)
    wide, screen = browser.run("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= screen <= width


def test_the_first_screen_says_how_it_stands_where_to_start_and_shows_the_network(
    browser: Chromium, made: Made
) -> None:
    browser.open(made("two-faults", "en"))
    tops = browser.run(
        "['.kthw-verdict', '.kthw-start', '.kthw-drawing', '#cause-1']"
        ".map(each => document.querySelector(each).getBoundingClientRect().top)"
    )
    assert tops == sorted(tops)
    assert tops[2] < 700


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_all_text_can_be_told_from_what_is_behind_it(dark: bool, browser: Chromium, made: Made) -> None:
    browser.open(made("worst", "en"), dark=dark)
    assert browser.run(CONTRAST) == []


def test_copy_takes_the_commands_and_nothing_else(browser: Chromium, made: Made) -> None:
    browser.open(made("worst", "en"))
    browser.run("navigator.clipboard.writeText = async text => { window.taken = text; }")
    taken = browser.run(
        "(async () => { const found = [];"
        " for (const each of document.querySelectorAll('.kthw-findings:not(.kthw-errors) .kthw-copy'))"
        " { each.click(); await 0; found.push(window.taken); } return found; })()"
    )
    assert taken == [block.paste() for block in causes(reported("worst"), catalogue("en")) if block.paste()]


def test_a_chosen_pair_shows_its_way_and_where_it_is_broken(browser: Chromium, made: Made) -> None:
    """By the keyboard, too: a cell is a link."""
    browser.open(made("two-faults", "en"))
    assert browser.run(f"{CELL}.tabIndex") == 0
    browser.run(f"{CELL}.dispatchEvent(new MouseEvent('click', {{cancelable: true}}))")
    said = browser.run("document.getElementById('kthw-way').innerText")
    broken = browser.run("[...document.querySelectorAll('.kthw-broken')].map(each => each.textContent)")
    assert "From the pod on worker-0 to the pod on worker-1" in said
    assert "no answer in 3.0 s" in said
    assert broken == ["route table ✗ cause 1"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_way_of_a_pair_that_is_well_is_shown_there_and_back(
    language: str, browser: Chromium, made: Made
) -> None:
    browser.open(made("two-faults", language))
    browser.run("document.querySelector('[data-pair=\"1-0\"]').dispatchEvent(new MouseEvent('click'))")
    ways = browser.run(
        "[...document.querySelectorAll('.kthw-hops')]"
        ".map(way => [...way.children].map(hop => hop.textContent))"
    )
    words = catalogue(language)
    assert [way[0] for way in ways] == [words.say("report-hop-pod", w=w) for w in ("worker-1", "worker-0")]
    assert [way[-1] for way in ways] == [way[0] for way in reversed(ways)]
    assert words.say("report-way-back") in browser.run("document.getElementById('kthw-way').innerText")


@pytest.mark.parametrize(
    ("name", "workers"), [("fifty-in-part", 50), pytest.param("two-hundred", 200, marks=pytest.mark.slow)]
)
def test_a_place_in_the_matrix_of_many_shows_its_way(
    name: str, workers: int, browser: Chromium, made: Made
) -> None:
    """By a click, and by the keyboard: two lists of names."""
    browser.open(made(name, "en"))
    click = (
        "(() => { const place = document.getElementById('kthw-heat').getBoundingClientRect();"
        " const [n, m] = [2, 8]; document.querySelector('.kthw-heat').dispatchEvent(new MouseEvent('click', {"
        f" clientX: place.left + (m + 0.5) * place.width / {workers},"
        f" clientY: place.top + (n + 0.5) * place.height / {workers} }})); }})()"
    )
    browser.run(click)
    said = browser.run("document.getElementById('kthw-way').innerText")
    assert "From the pod on worker-2 to the pod on worker-8" in said
    broken = browser.run("[...document.querySelectorAll('.kthw-broken')].map(each => each.textContent)")
    told = next(block for block in causes(_report(name), catalogue("en")) if block.code == "route-missing")
    number = next(each.number for each in told.causes if each.cause.finding.worker == "worker-8")
    assert broken == [f"route table ✗ cause {number}"]
    browser.run("document.querySelector('.kthw-choose select').focus()")
    for key in ("ArrowDown", "Tab", "ArrowDown"):
        for kind in ("rawKeyDown", "keyUp"):
            code = {"ArrowDown": 40, "Tab": 9}[key]
            browser("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)
    said = browser.run("document.getElementById('kthw-way').innerText")
    assert "From the pod on worker-3 to the pod on worker-9" in said
    assert " ms" in said


def test_the_network_is_marked_with_the_causes_and_what_was_not_seen(browser: Chromium, made: Made) -> None:
    browser.open(made("worst", "en"))
    links = browser.run(
        "[...document.querySelectorAll('svg a[href^=\"#cause\"]')].map(a => a.getAttribute('href'))"
    )
    assert {"#cause-4", "#cause-6", "#cause-7", "#cause-13", "#cause-14"} <= set(links)
    unseen = browser.run("[...document.querySelectorAll('svg .unseen')].map(each => each.textContent).join()")
    assert unseen.count("! not looked at") == 2
    assert browser.run("['title', 'desc'].every(each => document.querySelector(`svg > ${each}`).textContent)")


@pytest.mark.parametrize(("name", "most"), [("two-faults", 3), ("fifty", 6)])
def test_on_paper_it_is_a_few_sheets(
    name: str, most: int, browser: Chromium, made: Made, tmp_path: Path
) -> None:
    browser.open(made(name, "en"))
    pdf = browser.printed()
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= most
