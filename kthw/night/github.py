"""GitHub's issues API, as far as one issue needs it: list those of our label, open, change, comment.

Its source: docs.github.com, *REST API endpoints for issues* and *for issue comments*. Any server that speaks
it serves as well (``GITHUB_API_URL``). The token is sent in a header and shown nowhere.
"""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import quote

import msgspec
from msgspec import Meta, Struct

from kthw.foreign import printable
from kthw.night.address import host
from kthw.night.issue import Deed, Issue
from kthw.night.sending import Answer, NotSent, sent
from kthw.night.webhook import AGENT
from kthw.secrets import masked

API: Final = "https://api.github.com"
_VERSION: Final = "2022-11-28"
_PAGE: Final = 100
_WHY: Final = {401: "token", 403: "forbidden", 404: "not-found", 410: "no-issues", 422: "invalid"}
"""By status, a sentence that says more than the number."""


class _Listed(Struct):
    """One of the list; a pull request is an issue there, too, and says what it is."""

    number: Annotated[int, Meta(ge=1)]
    body: str | None = None
    pull_request: Any = None


class _Label(Struct):
    name: str = ""


class _Opened(Struct):
    number: Annotated[int, Meta(ge=1)]
    labels: list[_Label] = []


class _Refusal(Struct):
    message: str = ""


class Issues:
    """The issues of ``repository`` (``OWNER/NAME``) with ``label``, at ``api``; ``token`` may be empty."""

    def __init__(self, api: str, repository: str, label: str, token: str) -> None:
        self._api = api.rstrip("/")
        self._repository = repository
        self._label = label
        self._token = token

    def there(self) -> list[Issue]:
        """Those that are open. Raises ``NotSent``."""
        query = f"?state=open&per_page={_PAGE}&labels={quote(self._label, safe='')}"
        answer = self._asked("GET", f"{self.path()}{query}", None)
        try:
            listed = msgspec.json.decode(answer.body, type=list[_Listed])
        except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
            raise NotSent("night-github-unreadable", host=self._host) from problem
        return [Issue(each.number, each.body) for each in listed if each.pull_request is None]

    def done(self, deed: Deed) -> int:
        """Do it; the number of the issue. Raises ``NotSent``; also where a new one did not get the label."""
        method, path = self.request(deed)
        answer = self._asked(method, path, msgspec.json.encode(deed.fields))
        if deed.told != "open":
            return deed.number
        try:
            opened = msgspec.json.decode(answer.body, type=_Opened)
        except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
            raise NotSent("night-github-unreadable", host=self._host) from problem
        if self._label.lower() not in [label.name.lower() for label in opened.labels]:
            # By nothing else is it found again: the next night would open another.
            raise NotSent("night-github-no-label", number=str(opened.number), label=printable(self._label))
        return opened.number

    def request(self, deed: Deed) -> tuple[str, str]:
        """Its method and its path."""
        if deed.told == "open":
            return "POST", self.path()
        if deed.told == "comment":
            return "POST", f"{self.path()}/{deed.number}/comments"
        return "PATCH", f"{self.path()}/{deed.number}"

    def path(self) -> str:
        """Where they are, below the API's address."""
        return f"/repos/{self._repository}/issues"

    @property
    def _host(self) -> str:
        return host(self._api)

    def _asked(self, method: str, path: str, body: bytes | None) -> Answer:
        headers: dict[str, Any] = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": _VERSION,
            "User-Agent": AGENT,
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        answer = sent(method, self._api + path, body, headers)
        if not answer.is_yes:
            why = _WHY.get(answer.status, "status")
            raise NotSent(
                f"night-github-{why}",
                host=self._host,
                repository=self._repository,
                status=str(answer.status),
                detail=self._message(answer.body),
            )
        return answer

    def _message(self, body: bytes) -> str:
        """Why, in the server's words; a token that it repeats is not said after it."""
        try:
            said = msgspec.json.decode(body[:100_000], type=_Refusal).message
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return "—"
        if self._token:
            said = said.replace(self._token, "…")
        return printable(masked(said)) or "—"
