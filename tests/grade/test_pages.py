"""The page of a class, and each student's: nothing of anybody's becomes markup, nothing is fetched."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kthw.grade import pages
from kthw.grade.asked import Asked
from kthw.grade.points import Scheme
from kthw.grade.row import Note, Points, Row, Share, Told
from kthw.words.messages import LANGUAGES, catalogue

EVIL = "<img src=x onerror=alert(1)>\"'&\x1b[31m\u202e{{ 7*7 }}"
HOSTILE = Row(
    student=EVIL, key=EVIL, language="en", file=EVIL, at=EVIL, account=EVIL, where="account", counts=False,
    notes=(
        Note("unlisted"), Note("other-name", "", {"said": EVIL}),
        Note("several", "", {"count": EVIL, "file": EVIL}),
    ),
    shares=(Share("route-active", "routes", 3, 1, 1, 1),),
    roots=(Told("route-missing", EVIL, "routes", "routes", "route-to-worker", EVIL, EVIL, EVIL, EVIL),),
    errors=(Told("access-denied", EVIL, "", "", "", EVIL, EVIL),),
    points=Points(1.5, 100, 2, {"routes": (1.5, 100)}, (EVIL,)), page="x.html",
)  # fmt: skip
DONE = Row(
    student="Ana", key="@Ana", language="en", counts=True, page="ana.html",
    shares=(Share("route-active", "routes", 3, 3), Share("reaches-others", "pods", 3, 2, 1)),
    points=Points(92.5, 100, 92.5, {"routes": (50, 50), "pods": (42.5, 50)}),
)  # fmt: skip
MISSING = Row(student="Bo", key="@Bo", language="en", notes=(Note("missing"),))
ASKED = Asked(workers=("worker-0",))


class Elements(HTMLParser):
    """The elements of a page, with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def the_class(*rows: Row, language: str = "en") -> str:
    return pages.the_class(rows, ASKED, Scheme(), catalogue(language), "now")


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_hostile_survives_on_the_page_of_the_class(language: str) -> None:
    page = the_class(HOSTILE, DONE, language=language)
    found = Elements(page)
    assert {tag for tag, _ in found.found}.isdisjoint({"img", "script", "iframe", "link", "object"})
    assert not any(name.startswith("on") for _, attributes in found.found for name in attributes)
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "<img src=x onerror=alert(1)>" in found.text
    assert "49" not in found.text.replace("2026", "")


def test_the_page_is_one_file_that_fetches_nothing_and_links_to_the_students_only() -> None:
    page = the_class(HOSTILE, DONE, MISSING)
    found = Elements(page)
    links = {attributes["href"] for tag, attributes in found.found if tag == "a"}
    assert links == {"students/x.html", "students/ana.html"}
    assert not any(
        name in attributes for _, attributes in found.found for name in ("src", "srcset", "action")
    )
    assert not re.search(r"url\(|@import|https?:", page)
    policy = [attributes["content"] for tag, attributes in found.found if attributes.get("http-equiv")]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_an_area_is_good_wrong_or_not_looked_at_and_never_by_colour_alone() -> None:
    words = catalogue("en")
    assert pages.cell(DONE, "routes", words).said == "✓"
    assert pages.cell(DONE, "routes", words).state == "good"
    assert (pages.cell(DONE, "pods", words).said, pages.cell(DONE, "pods", words).state) == ("2/3", "unseen")
    assert (pages.cell(HOSTILE, "routes", words).said, pages.cell(HOSTILE, "routes", words).state) == (
        "1/3",
        "bad",
    )
    assert pages.cell(DONE, "nodes", words).state == "none"


def having(name: str, *codes: str) -> Row:
    told = (
        Told(code, f"{name} {code}", "routes", "routes", "route-to-worker", "what", "", "ex", "why")
        for code in codes
    )
    return Row(student=name, key=name, language="en", counts=True, roots=tuple(told), shares=DONE.shares)


def test_causes_are_told_by_how_many_have_them_then_in_the_order_of_a_packet_s_way() -> None:
    rows = [
        having("a", "pod-unreachable", "forwarding-off"),
        having("b", "pod-unreachable", "route-missing", "route-missing"),
        having("c", "pod-unreachable", "forwarding-off", "worker-missing"),
    ]
    found = pages.causes(rows)
    assert [(each.code, each.count) for each in found] == [
        ("pod-unreachable", 3), ("forwarding-off", 2), ("worker-missing", 1), ("route-missing", 1),
    ]  # fmt: skip
    assert [each.code for each in pages.to_teach(found)] == [
        "forwarding-off",
        "worker-missing",
        "route-missing",
    ]
    assert [each.code for each in pages.to_teach(pages.causes([having("a", "pod-unreachable")]))] == [
        "pod-unreachable"
    ]


def test_each_student_is_counted_once_above_the_table() -> None:
    counts = pages.counts([HOSTILE, DONE, MISSING, having("a", "route-missing")])
    assert counts.pop("all") == sum(counts.values()) == 4
    assert counts == {"whole": 0, "wrong": 1, "unseen": 1, "doubted": 1, "unread": 0, "missing": 1}


def test_numbers_are_written_as_in_the_language_of_the_page() -> None:
    assert ">92.5<" in the_class(DONE)
    assert ">92,5<" in the_class(DONE, language="pt-BR")


def test_what_suspects_a_student_or_names_another_is_for_the_teacher_alone() -> None:
    row = Row(
        student="a",
        key="a",
        language="en",
        notes=tuple(map(Note, ("same-account", "same-lab", "other-name", "other-account", "late"))),
    )
    assert [note.kind for note in pages.own(row)] == ["late"]


def test_the_style_sheets_are_there() -> None:
    folder = Path(pages.__file__).parents[1] / "verdict" / "templates"
    assert {"class.css", "class.html.j2", "student.html.j2"} <= {file.name for file in folder.iterdir()}
