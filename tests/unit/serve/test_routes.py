"""One error shape: every route of the OpenAPI document, asked wrongly in every way."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from onefold.app.definitions.files import QUESTIONS
from tests.unit.serve.conftest import Desk

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OPEN = {"/health", "/metrics"}


def routes(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]


def filled(path: str) -> str:
    return path.replace("{reference}", "user_id:u").replace("{reject}", "1").replace(
        "{kind}", "segment"
    ).replace("{name}", "x")  # fmt: skip


def wrong(method: str, path: str, operation: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Requests that cannot succeed."""
    own = {"authorization": f"Bearer {key}"}
    asked: list[dict[str, Any]] = []
    if path not in OPEN:
        asked += [{"headers": {}}, {"headers": {"authorization": "Bearer k1:guess"}}]
        asked.append({"headers": {"authorization": "Basic eDp5"}})
    elif path == "/metrics":
        asked.append({"headers": {"authorization": "Bearer k1:guess"}})
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query" and parameter["name"] in (
            "limit",
            "cursor",
            "as_of",
            "verbose",
        ):
            asked.append({"headers": own, "params": {parameter["name"]: "\u0001 or 1=1"}})
            asked.append({"headers": own, "params": {parameter["name"]: "-" * 3000}})
    bodies = operation.get("requestBody", {}).get("content", {})
    if bodies and "application/octet-stream" not in bodies:
        asked += [
            {"headers": own, "content": body} for body in (b"{", b"\xff", b"[1]", b'{"a":' * 9000)
        ]
        asked.append({"headers": own, "content": b"x" * (5 << 20)})
    return [{"method": method, "url": filled(path), **one} for one in asked]


def test_every_error_has_the_same_shape(desk: Any) -> None:
    async def ask(http: httpx.AsyncClient) -> list[tuple[str, httpx.Response]]:
        document = (await http.get("/api/docs/openapi.json")).json()
        requests = [one for route in routes(document) for one in wrong(*route, desk.admin_key)]
        for path, operations in document["paths"].items():
            for method in METHODS:
                if method.lower() not in operations:
                    requests.append({"method": method, "url": filled(path)})
        requests += [{"method": "GET", "url": url} for url in ("/api", "/nothing", "/api/docs/x")]
        return [(f"{one['method']} {one['url']}", await http.request(**one)) for one in requests]

    answers = desk.run(ask)

    assert len(answers) > 200
    for asked, answer in answers:
        assert 400 <= answer.status_code < 500, asked
        assert answer.headers["content-type"] == "application/problem+json", asked
        said = answer.json()
        assert said.keys() == {"type", "title", "status", "detail", "code", "message", "errors"}
        assert said["status"] == answer.status_code
        assert said["errors"], asked
        assert all(one.keys() == {"message", "where", "hint"} for one in said["errors"]), asked
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_document_is_open_api_and_says_what_bodies_and_errors_are(desk: Any) -> None:
    document = desk.get("/api/docs/openapi.json", key=None).json()

    assert document["openapi"].startswith("3.1")
    names = [operation["operationId"] for _, _, operation in routes(document)]
    assert len(names) == len(set(names))
    for method, path, operation in routes(document):
        assert operation["summary"], path
        assert operation["description"], path
        assert "application/problem+json" in operation["responses"]["default"]["content"], path
        bare = ("able", "revoke", "cancel", "refresh", "undo", "redo", "/members/{reference}")
        bare += ("/run", "/pause", "/resume", "/reset")
        if method in ("POST", "PUT") and not path.endswith(bare):
            assert operation["requestBody"]["content"], path
    assert all(
        reference.rpartition("/")[2] in document["components"]["schemas"]
        for reference in references(document)
    )


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [one for part in value.values() for one in references(part)]
    return [one for part in value for one in references(part)] if isinstance(value, list) else []


@pytest.mark.parametrize("path", ["/", "/api/docs", "/assets/status.js", "/assets/style.css"])
def test_pages_need_nothing_from_elsewhere(desk: Any, path: str) -> None:
    answer = desk.get(path, key=None)

    assert answer.status_code == 200
    assert "http://" not in answer.text
    assert "https://" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_no_segment_can_have_the_name_of_a_route(desk: Any) -> None:
    paths = desk.get("/api/docs/openapi.json", key=None).json()["paths"]

    below = {path.split("/")[3] for path in paths if path.startswith("/api/segments/")}
    assert {name for name in below if not name.startswith("{")} == set(QUESTIONS)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PATCH", "/api/segments", "GET, OPTIONS, POST"),
        ("GET", "/api/segments/preview", "OPTIONS, POST"),
        ("DELETE", "/health", "GET, OPTIONS"),
        ("GET", "/v1/track", "OPTIONS, POST"),
        ("PUT", "/beacon/v1/batch", "OPTIONS, POST"),
        ("POST", "/v1/projects/web:secret/settings", "GET, OPTIONS"),
        ("POST", "/sourceConfig/", "GET, OPTIONS"),
    ],
)
def test_a_method_that_a_path_does_not_have_is_told_which_it_has(
    desk: Desk, method: str, path: str, allow: str
) -> None:
    found = desk.call(method, path)
    assert (found.status_code, found.headers["allow"]) == (405, allow)
    assert found.headers["content-type"] == "application/problem+json"
    assert found.json()["code"] == "method_not_allowed"
    assert allow in found.json()["detail"]


def test_numbers_in_requests_are_bounded(desk: Any) -> None:
    document = desk.get("/api/docs/openapi.json", key=None).json()

    unbounded = [
        (method, path, parameter["name"])
        for method, path, operation in routes(document)
        for parameter in operation.get("parameters", ())
        if parameter["schema"].get("type") == "integer"
        and not {"minimum", "maximum"} <= parameter["schema"].keys()
    ]

    assert not unbounded
