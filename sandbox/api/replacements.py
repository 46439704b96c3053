"""Which of moto's classes are replaced by ours."""

from __future__ import annotations

import moto.ec2.urls

from sandbox.api.requests import Ec2


def install(routes_per_table: int) -> None:
    """Put this package's classes in moto's place, for the whole process."""
    moto.ec2.urls.url_paths["{0}/"] = Ec2.dispatch
