"""A plugin for pytest runs by the tests: they write down what they create in OWN_JOURNAL."""

from __future__ import annotations

import os
from pathlib import Path

from kthw.provision import journal

if "OWN_JOURNAL" in os.environ:
    # Outside such a run (a type checker, a collection) this module changes nothing.
    vars(journal)["DEFAULT"] = Path(os.environ["OWN_JOURNAL"])
