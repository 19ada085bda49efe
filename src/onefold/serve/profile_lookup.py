"""The one question that is asked a thousand times a second, answered without the framework."""

from __future__ import annotations

import sqlite3

import msgspec

from onefold.app.profiles.finding import find, view
from onefold.model.errors import OnefoldError
from onefold.serve.api.doors import decoded
from onefold.serve.context import Context
from onefold.serve.tracking import Scope

_PATH = "/api/profiles/"
_encode = msgspec.json.Encoder().encode


def plain_profile(context: Context, scope: Scope) -> bytes | None:
    """The body for a plain look-up by somebody who may, of a profile that is there; else None.

    What gets None is the management API's to answer or to refuse; where both answer, they
    give the same. Half of what a look-up costs would otherwise be the framework's.
    """
    path: str = scope["path"]
    if not path.startswith(_PATH) or scope["method"] != "GET" or scope["query_string"]:
        return None
    reference = path[len(_PATH) :]
    if not reference or "/" in reference:
        return None
    try:
        if not context.access.key(_authorization(scope)).may("reader"):
            return None
        named = decoded(reference, "reference")
        found = view(find(context.store, named, context.settings.default_country))
        context.reads.tags.update(found.tags)
        return _encode(found)
    except (OnefoldError, sqlite3.OperationalError):
        return None


def _authorization(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            return str(value, "latin-1")
    return None
