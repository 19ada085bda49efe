"""What comes in with a request: who asks, and what it says, checked."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import Annotated, Any, TypeVar
from urllib.parse import unquote

import jsonschema_rs
import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter
from litestar.types import Guard

from onefold.model.access import ApiKey, Role
from onefold.model.errors import Fault, Forbidden, InvalidInput, no_page
from onefold.model.moments import read_iso
from onefold.serve.context import Context

FromContext = NamedDependency[Context]
Actor = NamedDependency[str]
Limit = Annotated[int, QueryParameter(ge=1, le=1000, description="Most items on a page.")]
Cursor = Annotated[
    str,
    QueryParameter(max_length=2_000, description="`next` of the page before; empty: the first."),
]
T = TypeVar("T")
_SHOWN = 200
_SHORTEST, _LONGEST = 13, 17  # digits of a time in microseconds; dates have eight


def requires(role: Role) -> Guard:
    """Only keys with at least this role come in."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        context: Context = connection.app.state.context
        key = context.access.key(connection.headers.get("authorization"))
        if not key.may(role):
            raise Forbidden(f"this needs a key with the role {role}; yours is {key.role}")
        connection.scope["user"] = key

    return guard


def actor(request: Request[ApiKey, Any, Any]) -> str:
    """The name under which a change is written to the audit log."""
    return request.user.name


def decoded(part: str, where: str) -> str:
    """A part of the path as the caller meant it: paths are routed before they are decoded."""
    try:
        return unquote(part, errors="strict")
    except UnicodeDecodeError as error:
        raise InvalidInput("the path cannot be read", [Fault("is not UTF-8", where)]) from error


def read(body: bytes, kind: type[T]) -> T:
    """A request's body as a record; `InvalidInput` lists all that is wrong with it."""
    try:
        found: T = _decoder(kind).decode(body)  # type: ignore[arg-type]
        return found
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput("the body cannot be used", _body_faults(body, kind, error)) from error


def _body_faults(body: bytes, kind: type[Any], error: Exception) -> list[Fault]:
    if isinstance(error, msgspec.ValidationError):
        found = [
            Fault(_reason(one), ".".join(map(str, one.instance_path)) or "body")
            for one in _problems(kind, body)
        ]
        if found:
            return found
    return [Fault(str(error)[:_SHOWN], "body")]


def _reason(problem: Any) -> str:
    if problem.kind.name != "enum":
        return _short(problem.message)
    # Its own message names two of the choices at most.
    given = msgspec.json.encode(problem.instance).decode()
    return (
        f"{_short(given)} cannot be used; it is one of {', '.join(map(str, problem.kind.options))}"
    )


def _short(message: str) -> str:
    """Leave out the middle, which is the value that was given: the reason stands at the end."""
    if len(message) <= _SHOWN:
        return message
    return f"{message[: _SHOWN // 2]} … {message[-_SHOWN // 2 :]}"


def _problems(kind: type[Any], body: bytes) -> list[Any]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    return list(_validator(kind).iter_errors(value))  # type: ignore[arg-type]


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


@cache
def _validator(kind: Hashable) -> Any:
    return jsonschema_rs.validator_for(msgspec.json.schema(kind))


def number(cursor: str) -> int:
    """The cursor of a list in the order of its numbers; 0 for the first page.

    >>> number(""), number("17")
    (0, 17)
    """
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise no_page()
    return int(cursor)


def parse_time(text: str, where: str) -> int:
    """Microseconds of an ISO 8601 time; without a zone it is UTC. As answers give it, it is also read.

    >>> parse_time("2026-01-31T10:00Z", "as_of") == parse_time("1769853600000000", "as_of")
    True
    """
    if text.isascii() and text.isdigit() and _SHORTEST <= len(text) <= _LONGEST:
        return int(text)
    # A plus that nobody encoded arrives as a space.
    found = read_iso(text.strip().replace(" ", "+") if "T" in text else text)
    if found is None:
        hint = "write for example 2026-01-31T10:00Z"
        fault = Fault(f"{text[:_SHOWN]!r} is no time", where, hint)
        raise InvalidInput("the request cannot be used", [fault])
    return found


def parse_flag(text: str | None, where: str) -> bool:
    """A switch in the query: there without a value it is on.

    >>> parse_flag("", "verbose"), parse_flag("false", "verbose"), parse_flag(None, "verbose")
    (True, False, False)
    """
    if text is None:
        return False
    value = text.lower()
    if value in ("", "1", "true", "yes"):
        return True
    if value in ("0", "false", "no"):
        return False
    fault = Fault(f"{text[:_SHOWN]!r} is neither true nor false", where)
    raise InvalidInput("the request cannot be used", [fault])
