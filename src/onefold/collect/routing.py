"""Which path means what: every path that a Segment-compatible client calls."""

from __future__ import annotations

from typing import Literal, NamedTuple

from onefold.model.records import EVENT_TYPES

Action = Literal["accept", "drop", "segment_settings", "rudder_settings"]


class Route(NamedTuple):
    """What a call to a path does.

    `kind` is that of the `Accepted` record. `retries` is False for clients that send once and never
    again: what they send is buffered rather than refused. `write_key` is the key named by the path.
    """

    action: Action
    method: str
    kind: str = ""
    retries: bool = True
    write_key: str | None = None


_SHORT = {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias"}
_SETTINGS = "/v1/projects/"


def _accepting_routes() -> dict[str, Route]:
    kinds = {f"/v1/{kind}": kind for kind in (*EVENT_TYPES, "batch")}
    kinds |= {f"/v1/{letter}": kind for letter, kind in _SHORT.items()}
    kinds |= {"/v1/import": "batch", "/v1/b": "batch"}
    once = {f"/api/s/{kind}": kind for kind in (*EVENT_TYPES, "event", "batch")}
    once |= {path.replace("/api/s/", "/api/s/s2s/"): kind for path, kind in once.items()}
    once |= {"/beacon/v1/batch": "batch"}
    return {path: Route("accept", "POST", kind) for path, kind in kinds.items()} | {
        path: Route("accept", "POST", kind, retries=False) for path, kind in once.items()
    }


_ROUTES = _accepting_routes() | {
    "/v1/m": Route("drop", "POST"),
    "/sourceConfig": Route("rudder_settings", "GET"),
}


def find_route(path: str) -> Route | None:
    """What a call to this path does; None where the path is not one of the tracking API.

    >>> find_route("/v1/t").kind
    'track'
    >>> find_route("/v1/projects/web:s3cret/settings").write_key
    'web:s3cret'
    """
    route = _ROUTES.get(path) or _ROUTES.get(path.rstrip("/"))
    if route is None and path.startswith(_SETTINGS) and path.endswith("/settings"):
        key = path[len(_SETTINGS) : -len("/settings")]
        return Route("segment_settings", "GET", write_key=key) if key else None
    return route
