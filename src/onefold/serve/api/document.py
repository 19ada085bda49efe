"""The OpenAPI document: what Litestar knows of the handlers, and what it cannot know."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Litestar, Request
from litestar.enums import MediaType
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import Components, License, SecurityScheme, Tag
from litestar.routes import HTTPRoute
from litestar.types import Method

from onefold import __version__
from onefold.serve.pages import page
from onefold.serve.problems import CONTENT_TYPE, Problem

_TEMPLATE = "#/components/schemas/{name}"
_TAGS = {
    "profiles": "Who somebody is, was, and why.",
    "identity": "Who is who: why, and what people decide.",
    "matching": "Records that share no identifier: who may be whom.",
    "segments": "Segments and who is in them.",
    "traits": "Computed traits, and declared ones.",
    "tags": "Tags and how their values come about.",
    "properties": "Declared properties of events.",
    "golden": "How golden values are picked.",
    "quality": "How good what is known is.",
    "accounts": "Groups that people belong to.",
    "households": "People who live together.",
    "household-traits": "What the people of a household add up to.",
    "account-traits": "What is declared of accounts' traits, and added up of their members.",
    "destinations": "Where entries and exits are sent.",
    "mappings": "What the records of others become.",
    "tracking-plans": "What events should look like, and which do not.",
    "source-definitions": "Sources that are text: what is pulled from where, and read how.",
    "definitions": "What is in force; the same as the YAML files.",
    "jobs": "Long work: how far it is, and stopping it.",
    "people": "Records of people that are handed in; nothing is kept.",
    "rates": "Rates of exchange, for amounts in mappings.",
    "sources": "Pulled sources: what they are doing, and their loads.",
    "sql": "Questions to the whole history.",
    "events": "What comes in.",
    "failures": "What did not work out, to be mended.",
    "access": "Sources, API keys, and the log of changes.",
    "health": "How Onefold is.",
}


class _Json(OpenAPIRenderPlugin):
    """The document itself, made when it is first asked for."""

    def __init__(self) -> None:
        super().__init__(path="/openapi.json", media_type=MediaType.JSON)
        self._text = b""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        if not self._text:
            self._text = msgspec.json.encode(document(request.app))
        return self._text


class _Page(OpenAPIRenderPlugin):
    """A page that shows the document and sends requests; needs nothing from elsewhere."""

    def __init__(self) -> None:
        super().__init__(path="/", media_type=MediaType.HTML)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return page("docs.html")


def configuration() -> OpenAPIConfig:
    """Where the document and its page are found, and what they say about the whole."""
    return OpenAPIConfig(
        title="Onefold",
        version=__version__,
        description=(
            "An open customer data platform. Times are microseconds since 1970-01-01 UTC."
            " Send an API key as `Authorization: Bearer KEY`; `onefold key add` makes one."
            " Every error is a problem document (RFC 9457) that lists all faults."
        ),
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        path="/api/docs",
        render_plugins=[_Json(), _Page()],
        use_handler_docstrings=True,
        operation_id_creator=_operation_id,
        security=[{"key": []}],
        components=Components(
            security_schemes={"key": SecurityScheme(type="http", scheme="bearer")}
        ),
        tags=[Tag(name=name, description=about) for name, about in _TAGS.items()],
    )


def _operation_id(handler: HTTPRouteHandler, _: Method, __: list[Any]) -> str:
    return handler.handler_name


def document(app: Litestar) -> dict[str, Any]:
    """The whole document, with bodies and errors."""
    found: dict[str, Any] = msgspec.json.decode(
        msgspec.json.encode(app.openapi_schema.to_schema(), enc_hook=str)
    )
    schemas = found["components"].setdefault("schemas", {})
    _schema(Problem, schemas)
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        operations = found["paths"].get(route.path_format, {})
        for method, (handler, _) in route.route_handler_map.items():
            operation = operations.get(method.lower())
            if operation is not None:
                _complete(operation, handler.opt, schemas)
    return found


def _complete(operation: dict[str, Any], opt: dict[str, Any], schemas: dict[str, Any]) -> None:
    responses = operation["responses"]
    responses.pop("400", None)
    problem = {CONTENT_TYPE: {"schema": {"$ref": _TEMPLATE.format(name="Problem")}}}
    responses["default"] = {"description": "What is wrong.", "content": problem}
    if "answers" in opt:
        content = {kind: {"schema": _schema(of, schemas)} for kind, of in opt["answers"].items()}
        responses["200"] = {"description": "The answer.", "content": content}
    if "job" in opt:  # the work may be done later instead
        content = {"application/json": {"schema": _schema(opt["job"], schemas)}}
        responses["202"] = {"description": "The job that will answer.", "content": content}
    for status in opt.get("also", ()):
        responses[str(status)] = responses["200"]
    if "body" in opt:
        body = opt["body"]
        kinds = body if isinstance(body, dict) else {"application/json": body}
        content = {kind: {"schema": _schema(of, schemas)} for kind, of in kinds.items()}
        operation["requestBody"] = {"required": True, "content": content}


def _schema(kind: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema of a type; those it refers to are added to the others."""
    if isinstance(kind, dict):
        return kind
    (found,), more = msgspec.json.schema_components([kind], ref_template=_TEMPLATE)
    for name, schema in more.items():
        schemas.setdefault(name, schema)
    return found
