"""Keys and roles, sources, and the audit log of their changes."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from onefold.app.access import key_add, key_revoke, source_add, source_disable, source_enable
from onefold.model.access import ROLES


def test_a_source_that_is_added_can_send_at_once(desk: Any) -> None:
    added = desk.post("/api/sources", {"name": "Web shop"})

    key = added.json()["write_key"]
    sent = desk.post("/v1/track", {"event": "Seen", "userId": "u"}, headers={"x-write-key": key})

    assert (added.status_code, sent.status_code) == (201, 200)
    assert [one["name"] for one in desk.get("/api/sources").json()] == ["Web shop", "default"]


def test_a_running_server_knows_who_was_let_in_at_once(desk: Any) -> None:
    async def ask(http: httpx.AsyncClient) -> list[int]:
        async def send(key: str) -> int:
            return (await http.post("/v1/track", json={**event, "writeKey": key})).status_code

        async def read(key: str) -> int:
            header = {"authorization": f"Bearer {key}"}
            return (await http.get("/api/sources", headers=header)).status_code

        event = {"event": "Seen", "userId": "u"}
        found = [await send(desk.write_key), await read(desk.admin_key)]
        added = await asyncio.to_thread(source_add, desk.settings, "app")
        found.append(await send(added.write_key))
        await asyncio.to_thread(source_disable, desk.settings, "app")
        # Read while the source is disabled, so that this is what the server remembers.
        while await send(added.write_key) != 401:  # noqa: ASYNC110 - nothing tells when it looks
            await asyncio.sleep(0.02)
        await asyncio.to_thread(source_enable, desk.settings, "app", enabled=True)
        found.append(await send(added.write_key))
        made = await asyncio.to_thread(key_add, desk.settings, "Li", "reader")
        found.append(await read(made.key))
        return found

    assert desk.run(ask) == [200] * 5


def test_every_change_stands_in_the_audit_log_with_the_name_of_the_key(desk: Any) -> None:
    key = desk.post("/api/keys", {"name": "Li", "role": "admin"}).json()["key"]
    desk.post("/api/sources", {"name": "app"}, key=key)
    desk.post("/api/sources/app/disable", key=key)

    entries = desk.get("/api/audit?limit=2").json()

    assert [(one["actor"], one["action"], one["target"]) for one in entries["items"]] == [
        ("Li", "source.disable", "app"),
        ("Li", "source.add", "app"),
    ]
    behind = desk.get(f"/api/audit?cursor={entries['next']}").json()["items"]
    assert behind[0]["action"] == "key.add"


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("reader", "/api/sources", 200),
        ("reader", "/api/keys", 403),
        ("editor", "/api/audit", 403),
        ("admin", "/api/keys", 200),
    ],
)
def test_a_role_opens_what_it_should(desk: Any, role: str, path: str, status: int) -> None:
    assert desk.get(path, key=desk.key(role)).status_code == status


@pytest.mark.parametrize("key", ["", "nonsense", "k1:guess", "Bearer", ":", "\x7f:é"])
def test_a_wrong_key_is_refused(desk: Any, key: str) -> None:
    header = {"authorization": f"Bearer {key}".encode()}

    assert desk.get("/api/sources", key=None, headers=header).status_code == 401


def test_who_is_shut_out_is_so_within_a_second(desk: Any) -> None:
    key = desk.key("reader")

    async def ask(http: httpx.AsyncClient) -> list[int]:
        async def both() -> list[int]:
            reading = await http.get("/api/sources", headers={"authorization": f"Bearer {key}"})
            body = {"event": "Seen", "userId": "u", "writeKey": desk.write_key}
            sending = await http.post("/v1/track", json=body)
            return [reading.status_code, sending.status_code]

        before = await both()
        await asyncio.to_thread(key_revoke, desk.settings, "a reader")
        await asyncio.to_thread(source_disable, desk.settings, "default")
        await asyncio.sleep(1)
        return before + await both()

    assert desk.run(ask) == [200, 200, 401, 401]


def test_a_source_knows_the_country_of_its_phone_numbers(desk: Any) -> None:
    assert (
        desk.post("/api/sources", {"name": "cn", "country": "CN", "ip": "none"}).status_code == 201
    )
    listed = {one["name"]: (one["country"], one["ip"]) for one in desk.get("/api/sources").json()}
    assert listed == {"cn": ("CN", "none"), "default": (None, "direct")}
    refused = desk.post("/api/sources", {"name": "zz", "country": "ZZ"})
    assert refused.status_code == 400
    assert [fault["where"] for fault in refused.json()["errors"]] == ["country"]


def test_a_choice_that_does_not_exist_is_answered_with_all_that_do(desk: Any) -> None:
    refused = desk.post("/api/keys", {"name": "Li", "role": "king"})

    assert refused.status_code == 400
    (fault,) = refused.json()["errors"]
    assert fault["where"] == "role"
    assert all(role in fault["message"] for role in ("king", *ROLES))
