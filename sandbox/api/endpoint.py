"""The WSGI application: moto's EC2 and STS behind one lock, and every failure in EC2's own shape."""

from __future__ import annotations

import functools
import logging
import threading
import traceback
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from flask import Flask, Response
from moto.backends import SERVICE_NAMES
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.exceptions import HTTPException

from sandbox.api import replacements
from sandbox.api.later import LATER
from sandbox.api.load_balancers import LoadBalancerRequests, LoadBalancers
from sandbox.api.requests import Ec2
from sandbox.api.snapshot import snapshot
from sandbox.habits import AT_ONCE_HEADER, Habits
from sandbox.state import Reached, State

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_AT_ONCE = f"HTTP_{AT_ONCE_HEADER.upper().replace('-', '_')}"
_LOG = logging.getLogger(__name__)

_ERROR = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
    "<RequestID>00000000-0000-0000-0000-000000000000</RequestID></Response>"
)


class Endpoint:
    """moto, one request at a time: it is not thread-safe (two threads can both create one route).

    Where the data plane cannot follow, the change stays and is told as InternalError. The next request,
    whichever it is, asks the data plane again; and so it is after a failure of moto's own, which may have
    changed something.
    """

    def __init__(
        self, reconcile: Callable[[State], None], reached: Reached, region: str, habits: Habits
    ) -> None:
        self._reconcile = reconcile
        self._region = region
        self._lock = threading.Lock()
        self._owing = False
        """Whether the data plane may not have what the API says."""
        self._asked = False
        """Whether it was asked for in this request."""
        self._moto = _Dispatcher(_backend_app)
        replacements.install(habits)
        Ec2.changed = LoadBalancerRequests.changed = self._changed
        LoadBalancers.reached = staticmethod(reached)
        LATER.delay = habits.delay
        threading.Thread(target=self._live, daemon=True).start()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if _is_a_waiter(environ):
            LATER.wait_until_nothing_is()
        with self._lock:
            owing, self._asked = self._owing | LATER.do_what_is_due(), False
            LATER.at_once = _AT_ONCE in environ

            def start(status: str, *rest: Any) -> Any:
                self._owing |= status.startswith("5")
                return start_response(status, *rest)

            answer = b"".join(self._moto(environ, start))
            if owing and not self._asked:
                self._catch_up()
            return [answer]

    def _live(self) -> None:
        """Do what is due when it is, though nobody asks."""
        while True:
            LATER.wait_for_something_due()
            with self._lock:
                if LATER.do_what_is_due():
                    self._catch_up()

    def warm_up(self) -> None:
        """Load what the first calls would otherwise wait for: botocore's EC2 model, the account."""
        from moto.core.utils import get_service_model
        from moto.ec2.models import ec2_backends

        get_service_model("ec2")
        _ = ec2_backends[DEFAULT_ACCOUNT_ID][self._region]

    def _changed(self) -> None:
        self._owing = self._asked = True
        self._reconcile(snapshot())
        self._owing = False

    def _catch_up(self) -> None:
        """After a request that changed nothing, whose answer this is no part of."""
        try:
            self._changed()
        except Exception as error:  # noqa: BLE001 -- whatever keeps the data plane from following
            _log(error)


def _is_a_waiter(environ: WSGIEnvironment) -> bool:
    """botocore's waiters, and so ``aws … wait …``, say so in their user agent (feature B); they ask every 15
    seconds, which is AWS's pace. Their first question is answered when all that was under way is done."""
    agent = environ.get("HTTP_USER_AGENT", "")
    features = next((word[2:] for word in agent.split() if word.startswith("m/")), "")
    return "B" in features.split(",")


class _Dispatcher(DomainDispatcherApplication):
    """moto's, which lists its own source tree for every request to see what services it has."""

    @functools.cache  # noqa: B019 -- there is one dispatcher, and it lives as long as the process
    def get_backend_for_host(self, host: str | None) -> Any:
        return super().get_backend_for_host(host)


def _backend_app(service: SERVICE_NAMES) -> Flask:
    app = create_backend_app(service)
    app.debug = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.register_error_handler(Exception, _failed)
    return app


def _failed(error: Exception) -> Response:
    """What nobody refused, in the shape of EC2's errors: clients can only read those."""
    if isinstance(error, HTTPException):
        status, code, message = error.code or 500, error.name.replace(" ", ""), error.description or ""
    else:
        status, code, message = 500, "InternalError", _log(error)
    return Response(_ERROR.format(code=escape(code), message=escape(message)), status, mimetype="text/xml")


def _log(error: Exception) -> str:
    """What failed, as it is logged and as it is told."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    message = f"{type(error).__name__}: {error}"
    _LOG.error("the sandbox's API failed: %s (%s, line %d)", message, last.filename, last.lineno)
    return message
