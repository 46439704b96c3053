"""The lab file as ``./run lab`` writes it: what was found, and above each line how that is known."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from kthw.errors import LookError
from kthw.intended.cluster import AUTO
from kthw.network.model import Network
from kthw.network.node_routes import network_model
from kthw.network.nouns import some
from kthw.observed.evidence import Evidence
from kthw.target import SshAccess, is_local
from kthw.words.messages import Catalogue

_WIDTH: Final = 100
_MOST_NAMED: Final = 12


class Asked(Struct, frozen=True, kw_only=True):
    """What the look began with. ``workers`` as ``--workers`` takes them; ``why``, a sentence, if guessed.

    ``profile``: empty where it is the default one, or keys of the environment.
    """

    workers: tuple[str, ...]
    why: str
    profile: str
    ssh: SshAccess
    looked_at_nodes: bool


def text(evidence: Evidence, network: Network, asked: Asked, words: Catalogue, folder: Path) -> str:
    """The whole file, which is to be in ``folder``."""
    lines = _comment(words.say("lab-head", at=evidence.gathered_at))
    for part in (
        _workers(asked, len(network.workers), words),
        _pod_cidrs(network, words),
        _network(network, asked, words),
        _place(evidence, asked, words),
        _language(words),
        _ssh(evidence, asked, words, folder),
    ):
        lines += ["", *part]
    return "\n".join(lines) + "\n"


def _comment(said: str) -> list[str]:
    wrapped = textwrap.wrap(said, _WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    return [f"# {line}" for line in wrapped]


def _is(key: str, value: str | int | bool | Sequence[str], *, off: bool = False) -> str:
    # What JSON writes for these, TOML reads.
    written = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"{'# ' if off else ''}{key} = {written}"


def _key(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _workers(asked: Asked, count: int, words: Catalogue) -> list[str]:
    lines = [*_comment(asked.why), _is("workers", asked.workers)]
    if len(asked.workers) != count:
        lines += [*_comment(words.say("lab-count")), _is("expect-workers", count)]
    return lines


def _pod_cidrs(network: Network, words: Catalogue) -> list[str]:
    said = {worker: network.said(worker) for worker in network.workers}
    places: dict[str, list[str]] = {}
    assumed: dict[str, str] = {}
    unsaid = []
    for worker, each in said.items():
        if each is None or each.saying is None:
            unsaid.append(worker)
        elif each.is_assumed:
            assumed[worker] = each.saying.cidr
            places.setdefault(each.saying.noun, []).append(worker)
        else:
            cidr = f"{worker} {each.saying.cidr}"
            places.setdefault(each.saying.noun, []).append(cidr)
    lines = []
    for place, who in places.items():
        key = "lab-cidrs-assumed" if assumed.keys() & set(who) else "lab-cidrs-said"
        lines += _comment(words.say(key, where=place, workers=some(who, _MOST_NAMED)))
    if unsaid:
        lines += _comment(words.say("lab-cidrs-unsaid", workers=some(unsaid, _MOST_NAMED)))
        if not assumed:
            lines.append(_is("pod-cidrs", "10.200.{n}.0/24", off=True))
    lines += [_is(f"pod-cidrs.{_key(worker)}", cidr, off=True) for worker, cidr in assumed.items()]
    return lines


def _network(network: Network, asked: Asked, words: Catalogue) -> list[str]:
    model = network_model(network)
    facts = {"vpc": model.vpc, "nodes": model.nodes, "ways": model.ways, "workers": len(network.workers)}
    unseen = model.why in ("neither", "unseen")
    lines = _comment(words.say(f"lab-network-{model.why}", model=model.name, **facts))
    if not asked.looked_at_nodes and not unseen:
        lines += _comment(words.say("lab-nodes-unseen"))
    return [*lines, _is("network", AUTO if unseen else model.name)]


def _place(evidence: Evidence, asked: Asked, words: Catalogue) -> list[str]:
    seen = evidence.target
    lines = [*_comment(words.say("lab-region")), _is("region", seen.region)]
    if asked.profile:
        lines += [*_comment(words.say("lab-profile")), _is("profile", asked.profile, off=True)]
    local = is_local(seen.endpoint)
    lines += _comment(words.say("lab-account-local" if local else "lab-account", endpoint=seen.endpoint))
    return [*lines, _is("expect-account", seen.account, off=local)]


def _language(words: Catalogue) -> list[str]:
    return [*_comment(words.say("lab-language")), _is("language", words.language, off=True)]


def _ssh(evidence: Evidence, asked: Asked, words: Catalogue, folder: Path) -> list[str]:
    ssh, count = asked.ssh, len(evidence.intended.workers)
    say = words.say
    lines = ["[ssh]"]
    if asked.looked_at_nodes:
        facts = {"user": ssh.user, "count": len(evidence.nodes), "workers": count}
        lines += _comment(say("lab-login", **facts))
        for error in _first_of_each(evidence.errors):
            lines += _comment(f"{error.subject}: {words.error(error).what}")
    else:
        lines += _comment(say("lab-no-login"))
    lines.append(_is("user", ssh.user))
    if ssh.key:
        lines += [*_comment(say("lab-key")), _is("key", _shown(ssh.key, folder))]
    if ssh.config:
        lines += [*_comment(say("lab-config")), _is("config", _shown(ssh.config, folder), off=True)]
    lines += _comment(say("lab-accept-new"))
    return [*lines, _is("accept-new", ssh.accept_new, off=not ssh.accept_new)]


def _first_of_each(errors: Iterable[LookError]) -> list[LookError]:
    """Of the errors about a worker's login, the first of each kind."""
    first: dict[str, LookError] = {}
    for error in errors:
        if error.worker and error.code.startswith("ssh-"):
            first.setdefault(error.code, error)
    return list(first.values())


def _shown(path: str, folder: Path) -> str:
    """A path as the file should have it: relative to its folder, or to one's home, where it is in there."""
    file = Path(path).absolute()
    for base, prefix in ((folder.absolute(), ""), (Path.home(), "~/")):
        if file.is_relative_to(base):
            return f"{prefix}{file.relative_to(base)}"
    return str(file)
