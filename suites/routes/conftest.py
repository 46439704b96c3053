"""Who is asked.

Test ids come from the intended workers, never from what was found: a missing worker is a failing test,
and not an absent one. (Who they are is found out before, where ``--workers`` asks for more than names.)
"""

from __future__ import annotations

from pathlib import Path

import pytest

_ORDER = ("test_workers.py", "test_routes.py", "test_security.py", "test_nodes.py", "test_pods.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ask in the order of the path: what a failure may be caused by comes before it."""
    here = {Path(__file__).parent / name: n for n, name in enumerate(_ORDER)}
    items.sort(key=lambda item: here.get(item.path, -1))
