"""The one shape of every error that leaves by HTTP: problem+json (RFC 9457)."""

from __future__ import annotations

import math

import msgspec

from onefold.model.errors import (
    Busy,
    Conflict,
    Fault,
    Forbidden,
    InvalidInput,
    NotFound,
    OnefoldError,
    RateLimited,
    Stale,
    TooLarge,
    Unauthorized,
)


class MethodNotAllowed(InvalidInput):
    """There is such a path, but not with this method; only with those in `allow`."""

    code = "method_not_allowed"

    def __init__(self, method: str, path: str, allow: str) -> None:
        super().__init__(f"{method} is not possible for {path}; only {allow}")
        self.allow = allow


_STATUS: dict[type[OnefoldError], tuple[int, str]] = {
    RateLimited: (429, "Too many requests"),
    Busy: (503, "Busy"),
    Forbidden: (403, "Forbidden"),
    Unauthorized: (401, "Unauthorized"),
    TooLarge: (413, "Too large"),
    Stale: (412, "Changed meanwhile"),
    Conflict: (409, "Conflict"),
    NotFound: (404, "Not found"),
    MethodNotAllowed: (405, "Method not allowed"),
    InvalidInput: (400, "Invalid input"),
}
CONTENT_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error as clients see it. `code` and `message` are what tracking clients look for."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    message: str
    errors: list[dict[str, str]]


def describe(error: OnefoldError) -> Problem:
    """The problem that tells a client about this error.

    >>> describe(NotFound("no segment `vip`")).status
    404
    """
    status, title = next(
        (_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), (500, "Server error")
    )
    faults = error.faults or (Fault(error.message),)
    return Problem(
        type=f"urn:onefold:problem:{error.code}",
        title=title,
        status=status,
        detail=str(error),
        code=error.code,
        message=error.message,
        errors=[
            {"message": fault.message, "where": fault.where, "hint": fault.hint} for fault in faults
        ],
    )


def problem(error: OnefoldError) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer for an error."""
    described = describe(error)
    headers = {"content-type": CONTENT_TYPE}
    if isinstance(error, MethodNotAllowed):
        headers["allow"] = error.allow
    if isinstance(error, Busy):
        headers["retry-after"] = str(max(math.ceil(error.retry_after), 1))
    return described.status, headers, msgspec.json.encode(described)
