"""Whom a node lets in: its image's one user with the key pair's key, and root only to be told so.

As cloud-init leaves it: root's key runs nothing but the sentence that says whom to log in as.
"""

from __future__ import annotations

from typing import Final

ID: Final = 1000
"""The user's, and that of the group of the same name."""
_TOLD: Final = (
    'no-port-forwarding,no-agent-forwarding,no-X11-forwarding,command="echo '
    '\'Please login as the user \\"{user}\\" rather than the user \\"root\\".\';echo;sleep 10;exit 142" '
)
"""cloud-init's ``disable_root_opts``, to the letter."""


def accounts(user: str) -> dict[str, str]:
    """The files that say who there is, and that ``user`` may do all as root, by path below ``/``."""
    return {
        "etc/passwd": (
            "root:x:0:0:root:/root:/bin/bash\n"
            "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
            "sshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n"
            f"{user}:x:{ID}:{ID}::/home/{user}:/bin/bash\n"
        ),
        "etc/group": (
            f"root:x:0:\ntty:x:5:\nutmp:x:43:\nnogroup:x:65534:\nsudo:x:27:{user}\n{user}:x:{ID}:\n"
        ),
        # Without PAM, sshd refuses an account whose password is locked ("!"); "*" is merely none.
        "etc/shadow": f"root:*:19000::::::\nsshd:*:19000::::::\n{user}:*:19000::::::\n",
        "etc/sudoers": (
            'Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"\n'
            f"root ALL=(ALL:ALL) ALL\n{user} ALL=(ALL) NOPASSWD:ALL\n"
        ),
    }


def keys(user: str, public_key: str) -> dict[str, str]:
    """What each one's ``authorized_keys`` holds, by the home below ``/`` that it is for."""
    if not public_key:
        return {}
    return {f"home/{user}": f"{public_key}\n", "root": f"{_TOLD.format(user=user)}{public_key}\n"}
