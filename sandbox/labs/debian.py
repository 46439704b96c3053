"""As ``node-routes``, and everybody's image is Debian's, as in the present original: it lets in ``admin``."""

from __future__ import annotations

from typing import Final

from sandbox import images, labs
from sandbox.lab import Lab

_AS: Final = labs.lab("node-routes")
LAB: Final[Lab] = _AS.but(image=images.DEBIAN.id, options=(*_AS.options, "--ssh-user", images.DEBIAN.user))
