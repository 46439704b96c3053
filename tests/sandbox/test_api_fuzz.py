"""Whatever is asked, in whatever order: the API answers or refuses, and the fabric can plan what it says."""

from __future__ import annotations

import pytest

from tests.sandbox.api_fuzz import Fuzz
from tests.sandbox.api_lab import Server


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_call_ends_in_an_internal_error(api_server: Server, seed: int) -> None:
    """Hundreds of calls with right, odd and wrong parameters: none is answered with 5xx, for a state of
    which no plan can be made either."""
    api_server.forget()
    fuzz = Fuzz(api_server, seed)
    fuzz.run(300)
    assert not fuzz.failures
    assert fuzz.made > 40
