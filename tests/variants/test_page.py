"""The page of the variants says what the data says, and the data are whole."""

from __future__ import annotations

import shlex
from collections import Counter

import pytest

from kthw.intended.pod_cidrs import pod_cidrs
from kthw.intended.selectors import asked_workers
from tests.variants import page as generator
from tests.variants.page import PAGES, Page
from tests.variants.shapes import SHAPES
from tests.variants.variants import VARIANTS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.language)
def test_the_page_is_the_one_the_data_makes(page: Page) -> None:
    """``python -m tests.variants.page`` mends it."""
    assert generator.path_of(page).read_text(encoding="utf-8") == generator.written(page)


def test_every_variant_has_its_row_and_every_shape_is_somebody_s() -> None:
    repos = Counter(variant.repo for variant in VARIANTS)
    assert [repo for repo, rows in repos.items() if rows > 1] == []
    assert {name for variant in VARIANTS for name in variant.shapes} == {shape.name for shape in SHAPES}
    assert len({shape.name for shape in SHAPES}) == len(SHAPES)


def test_what_a_row_says_to_type_is_understood() -> None:
    """Names and pod CIDRs; the shapes' own are tried where they are built."""
    shapes = {shape.name: shape for shape in SHAPES}
    for variant in VARIANTS:
        for name in variant.shapes:
            words = shlex.split(generator.typed(variant, shapes[name]))
            typed = dict(zip(words[4::2], words[5::2], strict=True))
            asked = asked_workers(typed.get("--workers", "worker-0"))
            assert asked
            if all(isinstance(each, str) for each in asked) and "--pod-cidrs" in typed:
                assert pod_cidrs(typed["--pod-cidrs"], [str(each) for each in asked])
