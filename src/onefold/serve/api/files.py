"""The status page, and what the pages load."""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromPath

from onefold.model.errors import NotFound
from onefold.serve.pages import ASSETS, TYPES, page


@get("/", include_in_schema=False)
async def status_page() -> Response[bytes]:
    """How Onefold is, live."""
    return Response(page("status.html"), media_type=TYPES["html"])


@get("/assets/{name:str}", include_in_schema=False)
async def asset(name: FromPath[str]) -> Response[bytes]:
    """A script or a style sheet of a page."""
    if name not in ASSETS:
        raise NotFound(f"there is no file {name[:100]}")
    return Response(page(name), media_type=TYPES[name.rpartition(".")[2]])
