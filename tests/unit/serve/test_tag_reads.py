"""A tag's health tells when the API or a command last gave it to somebody."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.workspace import now_us, open_store
from onefold.serve.context import Context
from tests.unit.serve.conftest import Desk

DEFINED = """
kind: tag
name: 等级
cases: [{value: gold, when: orders > 0}, {value: basic}]
---
kind: tag
name: level
cases: [{value: high, when: 等级 = 'gold'}]
---
kind: tag
name: other
cases: [{value: x, when: city = 'Ulm'}]
---
kind: segment
name: high
rule: level = 'high'
"""


@pytest.fixture
def told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    with open_store(desk.settings, cache_mb=4) as store:
        put(store, read_text(DEFINED), "test")
    desk.process({"type": "identify", "userId": "ann", "traits": {"orders": 1}})
    return desk


def last_read(desk: Desk, *requests: tuple[str, str, Any]) -> dict[str, int | None]:
    """When each tag was last read, after one web process answered some requests."""
    contexts: list[Context] = []

    async def ask(http: Any) -> None:
        contexts.append(http._transport.app._context)
        for method, path, body in requests:
            key = {"authorization": f"Bearer {desk.admin_key}"}
            answer = await http.request(method, path, json=body, headers=key)
            assert answer.status_code == 200, answer.text
        await contexts[0].tell_reads()

    desk.run(ask)
    health = {name: desk.get(f"/api/tags/{name}/health") for name in ("等级", "level", "other")}
    return {name: answer.json()["last_read"] for name, answer in health.items()}


@pytest.mark.parametrize(
    ("request_", "read"),
    [
        (("GET", "/api/profiles/user_id:ann", None), ["等级", "level"]),
        (("GET", "/api/profiles/user_id:ann?verbose", None), ["等级", "level"]),
        (("GET", "/api/segments/high/members", None), ["等级", "level"]),
        (("POST", "/api/segments/preview", {"rule": "other = 'x'"}), ["other"]),
        (("POST", "/api/segments/preview", {"rule": "segment:high"}), ["等级", "level"]),
        (("POST", "/api/sql", {"query": "select tags->>'等级' from profiles"}), ["等级"]),
        (("GET", "/api/tags", None), []),
    ],
)
def test_what_was_read_is_told(told: Desk, request_: tuple[str, str, Any], read: list[str]) -> None:
    began = now_us()
    found = last_read(told, request_)
    assert [name for name, at in found.items() if at] == read
    assert all(began <= at <= now_us() for at in found.values() if at)


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        (["profile", "user_id:ann"], ["等级", "level"]),
        (["segment", "members", "high"], ["等级", "level"]),
        (["segment", "preview", "other = 'x'"], ["other"]),
        (["sql", "select tags->>'等级' from profiles"], ["等级"]),
    ],
)
def test_what_a_command_read_is_told(told: Desk, arguments: list[str], read: list[str]) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}
    command = [sys.executable, "-m", "onefold", *arguments, "--data", str(told.settings.data)]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [name for name, at in last_read(told).items() if at] == read


def test_what_was_read_once_stays_known(told: Desk) -> None:
    first = last_read(told, ("GET", "/api/profiles/user_id:ann", None))
    later = last_read(told, ("POST", "/api/segments/preview", {"rule": "other = 'x'"}))
    assert later == {**first, "other": later["other"]}
    assert later["other"] > first["level"]
