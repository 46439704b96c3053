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
from sandbox.api.requests import Ec2
from sandbox.api.snapshot import snapshot
from sandbox.state import State

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_LOG = logging.getLogger(__name__)

_ERROR = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
    "<RequestID>00000000-0000-0000-0000-000000000000</RequestID></Response>"
)


class Endpoint:
    """moto, one request at a time: it is not thread-safe (two threads can both create one route)."""

    def __init__(self, reconcile: Callable[[State], None], region: str, routes_per_table: int) -> None:
        self._reconcile = reconcile
        self._region = region
        self._lock = threading.Lock()
        self._moto = _Dispatcher(_backend_app)
        replacements.install(routes_per_table)
        Ec2.changed = self._changed

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._lock:
            return [b"".join(self._moto(environ, start_response))]

    def warm_up(self) -> None:
        """Load what the first calls would otherwise wait for: botocore's EC2 model, the account."""
        from moto.core.utils import get_service_model
        from moto.ec2.models import ec2_backends

        get_service_model("ec2")
        _ = ec2_backends[DEFAULT_ACCOUNT_ID][self._region]

    def _changed(self) -> None:
        self._reconcile(snapshot(self._region))


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
        last = traceback.extract_tb(error.__traceback__)[-1]
        message = f"{type(error).__name__}: {error}"
        _LOG.error("the sandbox's API failed: %s (%s, line %d)", message, last.filename, last.lineno)
        status, code = 500, "InternalError"
    return Response(_ERROR.format(code=escape(code), message=escape(message)), status, mimetype="text/xml")
