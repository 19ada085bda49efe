"""The page of the management API names every call, with the role that it needs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx

from tests.unit.serve.conftest import Desk

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([A-Z]+) \| `([^`]+)` \| (\w*) \| (.+?) \|$", re.MULTILINE)
ELSEWHERE = re.compile(
    r"/api/(traits|tags|properties|golden|account-traits|household-traits|destinations|identifiers|identity|mappings|entities|tracking-plans|source-definitions)(/\{name\}(/versions.*|/dependents|/rollback)?)?$"
)  # like segments, it says
METHODS = ("get", "post", "put", "delete")


def row(method: str, path: str, role: str, summary: str) -> tuple[str, str, str, str]:
    return method.upper(), path, role, summary


def test_every_call_stands_there_with_its_role(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "data")
    reader = {"authorization": f"Bearer {desk.key('reader')}"}

    async def look(http: httpx.AsyncClient) -> list[tuple[str, str, str, str]]:
        document: dict[str, Any] = (await http.get("/api/docs/openapi.json")).json()
        found = []
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if method not in METHODS:
                    continue
                open_to_all = {} in operation.get("security", [])
                role = "" if open_to_all else await role_of(http, method, path)
                found.append(row(method, path, role, operation["summary"]))
        return found

    async def role_of(http: httpx.AsyncClient, method: str, path: str) -> str:
        """What a reader is told to need, who comes in where the role is enough."""
        example = re.sub(r"\{\w+\}", "1", path)
        answer = await http.request(method, example, headers=reader)
        needed = (
            re.search(r"with the role (\w+)", answer.text) if answer.status_code == 403 else None
        )
        return needed[1] if needed else "reader"

    found = [one for one in desk.run(look) if not ELSEWHERE.match(one[1])]
    assert ROW.findall(PAGE) == found
