"""Every error of the management API as problem+json, with all its faults."""

from __future__ import annotations

import sqlite3
import traceback
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, ValidationException

from onefold.model.errors import (
    Busy,
    Fault,
    Forbidden,
    InvalidInput,
    NotFound,
    OnefoldError,
    TooLarge,
    Unauthorized,
)
from onefold.serve.problems import MethodNotAllowed, describe, problem

log = structlog.get_logger(__name__)

_BY_STATUS: dict[int, type[OnefoldError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    413: TooLarge,
}


AnyRequest = Request[Any, Any, Any]


def answer(error: OnefoldError) -> Response[bytes]:
    """The answer for one of our errors."""
    status, headers, body = problem(error)
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return Response(
        body, status_code=status, headers=headers, media_type=headers.pop("content-type")
    )


def _own(request: AnyRequest, error: OnefoldError) -> Response[bytes]:
    return _unforeseen(request, error) if describe(error).status == 500 else answer(error)


def _framework(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    """Errors that Litestar raises before a handler is reached."""
    if isinstance(error, ValidationException):
        return answer(InvalidInput("the request cannot be used", _faults(error)))
    path = request.scope["path"][:200]
    if isinstance(error, MethodNotAllowedException):
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        allow = headers.get("allow", "")
        return answer(MethodNotAllowed(request.method, path, ", ".join(sorted(allow.split(", ")))))
    if error.status_code == 404:
        return answer(NotFound(f"there is nothing at {path}; /api/docs lists what there is"))
    if error.status_code >= 500:
        return _unforeseen(request, error)
    return answer(_BY_STATUS.get(error.status_code, InvalidInput)(error.detail))


def _faults(error: ValidationException) -> list[Fault]:
    found = error.extra if isinstance(error.extra, list) else []
    return [
        Fault(str(one.get("message", error.detail)), str(one.get("key", ""))) for one in found
    ] or [Fault(error.detail)]


def _store_busy(_: AnyRequest, error: sqlite3.OperationalError) -> Response[bytes]:
    log.warning("store_not_read", error=str(error))
    return answer(Busy("the store cannot be read now; ask again a little later", 1))


def _unforeseen(request: AnyRequest, error: Exception) -> Response[bytes]:
    # The frames alone: a message or a local variable may hold somebody's data.
    where = "".join(traceback.format_tb(error.__traceback__))
    handler = request.scope.get("path_template", "")
    log.error("request_failed", handler=handler, error=type(error).__name__, traceback=where)
    return answer(OnefoldError("this is a fault of Onefold's; its log says more"))


EXCEPTION_HANDLERS: Any = {
    OnefoldError: _own,
    HTTPException: _framework,
    sqlite3.OperationalError: _store_busy,
    Exception: _unforeseen,
}
