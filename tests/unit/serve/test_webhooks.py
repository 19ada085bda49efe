"""Deliveries of other systems, from the request to what is in the log and in profiles."""

from __future__ import annotations

import asyncio
import hmac
from typing import Any

import msgspec
import pytest

from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.secret_values import secret_set
from onefold.app.workspace import open_store
from onefold.collect.webhooks import WebhookSettings
from onefold.model.errors import Busy, InvalidInput, NotFound, OnefoldError, RateLimited
from onefold.model.records import decode_accepted
from onefold.model.sources import Source, hash_secret
from onefold.serve.log_writer import LogWriter
from onefold.serve.webhooks import WebhookApp

NOW = 1_790_000_000_000_000
HUB = WebhookSettings(signature="github", secret="s3cret")
TOKEN = WebhookSettings(signature="token", secret="open", header="X-Token")
DEFINED = """
kind: source
name: hub
type: webhook
settings: {signature: github, secret: {secret: hub_hook}}
mapping:
  identifiers: {email: sender.email}
  traits: {login: sender.login}
"""


class Door:
    """One endpoint with its settings, and what it logged."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []
        self.fails = False
        self.settings = {"hub": HUB, "shop": WebhookSettings(), "form": TOKEN}

    @property
    def records(self) -> list[dict[str, Any]]:
        bodies = [decode_accepted(one).body for one in self.payloads]
        return [one for body in bodies for one in msgspec.json.decode(body)["records"]]

    def post(self, name: str, body: bytes, query: str = "", **headers: str) -> bytes:
        return asyncio.run(self._post(name, body, query, headers))

    async def _post(self, name: str, body: bytes, query: str, headers: dict[str, str]) -> bytes:
        writer = LogWriter(self._append)
        sources = {
            one: Source(id=one, name=one, key_hash=hash_secret("s3cret"), enabled=one != "off")
            for one in ("shop", "off", "other")
        }
        app = WebhookApp(writer, sources.get, self._settings_of, lambda: NOW)
        sent = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
        try:
            return (await app.post(name, query.encode(), sent, body)).body
        finally:
            await writer.close()

    def _settings_of(self, name: str) -> WebhookSettings:
        if name not in self.settings:
            raise NotFound(f"no source {name}")
        return self.settings[name]

    def _append(self, payloads: Any) -> None:
        if self.fails:
            raise OSError("disk full")
        self.payloads += payloads


@pytest.fixture
def door() -> Door:
    return Door()


def signature(body: bytes, secret: bytes = b"s3cret") -> str:
    return "sha256=" + hmac.digest(secret, body, "sha256").hex()


def test_a_delivery_is_logged_as_it_came(door):
    body = '{"action": "opened", "sender": {"login": "李"}}'.encode()
    more = {"x_github_delivery": "d1", "x_github_event": "issues"}

    assert (
        door.post("hub", body, x_hub_signature_256=signature(body), **more) == b'{"success":true}'
    )
    assert door.records == [
        {"fields": msgspec.json.decode(body), "stream": "issues", "place": "d1"}
    ]


def test_a_delivery_that_cannot_be_kept_is_not_acknowledged(door):
    door.fails = True
    with pytest.raises(Busy):
        door.post("hub", b"{}", x_hub_signature_256=signature(b"{}"))


@pytest.mark.parametrize(
    ("name", "query", "headers"),
    [
        ("hub", "", {}),
        ("hub", "", {"x_hub_signature_256": signature(b"other")}),
        ("hub", "writeKey=hub:s3cret", {}),
        ("shop", "", {}),
        ("shop", "writeKey=other:s3cret", {}),
        ("shop", "writeKey=shop:guess", {}),
        ("form", "token=guess", {}),
        ("nothing", "", {}),
    ],
)
def test_what_is_not_proven_is_not_logged(door, name, query, headers):
    with pytest.raises(OnefoldError):
        door.post(name, b"{}", query, **headers)
    assert door.payloads == []


@pytest.mark.parametrize(
    ("name", "query", "headers"),
    [
        ("shop", "writeKey=shop:s3cret", {}),
        ("shop", "", {"x_write_key": "shop:s3cret"}),
        ("form", "token=open", {}),
        ("form", "", {"x_token": "open"}),
    ],
)
def test_who_signs_nothing_sends_a_key_or_a_word(door, name, query, headers):
    door.post(name, b"email=ann%40example.com", query, **headers)

    assert door.records[0]["fields"] == {"email": "ann@example.com"}


def test_a_large_list_is_logged_whole(door):
    body = msgspec.json.encode([{"n": n} for n in range(5_000)])
    door.post("form", body, "token=open")

    assert [one["fields"]["n"] for one in door.records] == list(range(5_000))


def deliver(desk: Any, body: bytes, delivery: str, secret: bytes = b"s3cret") -> Any:
    headers = {
        "x-hub-signature-256": signature(body, secret),
        "x-github-delivery": delivery,
        "content-type": "application/json",
    }
    return desk.call("POST", "/webhook/hub", key=None, content=body, headers=headers)


def test_a_delivery_becomes_a_profile_and_counts_once(desk):
    secret_set(desk.settings, "hub_hook", "s3cret")
    with open_store(desk.settings, cache_mb=4) as store:
        put(store, read_text(DEFINED), "test")
    body = b'{"sender": {"login": "ann", "email": "ann@example.com"}}'

    answers = [deliver(desk, body, "d1").status_code for _ in range(3)]
    assert (answers, deliver(desk, body, "d2").status_code) == ([200] * 3, 200)
    assert deliver(desk, body, "d3", b"guess").json()["code"] == "unauthorized"
    desk.process()
    with open_store(desk.settings, cache_mb=4) as store:
        counted = store.counters()
    profile = desk.get("/api/profiles/email:ann@example.com").json()
    assert profile["traits"]["login"] == "ann"
    assert (counted["events"], counted["duplicates"]) == (2, 2)


def test_until_its_secret_is_set_a_sender_is_told_to_come_again(desk):
    with open_store(desk.settings, cache_mb=4) as store:
        put(store, read_text(DEFINED), "test")

    answer = deliver(desk, b"{}", "d1")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")


def test_a_secret_cannot_stand_in_a_definition(desk):
    text = DEFINED.replace("{secret: hub_hook}", "s3cret")
    with open_store(desk.settings, cache_mb=4) as store, pytest.raises(InvalidInput) as told:
        put(store, read_text(text), "test")

    assert "is no place for a secret itself" in str(told.value)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/webhook/nothing", 404), ("POST", "/webhook/", 404), ("PUT", "/webhook/hub", 405)],
)
def test_other_calls_are_answered_like_everywhere(desk, method, path, status):
    answer = desk.call(method, path, key=None)

    assert (answer.status_code, answer.json()["status"]) == (status, status)


def test_who_sends_more_than_its_source_may_is_told_to_come_back(door):
    door.settings["hub"] = msgspec.structs.replace(HUB, events_per_second=2)
    body = b'[{"n": 1}, {"n": 2}, {"n": 3}]'
    signed = [(b"x-hub-signature-256", signature(body).encode())]

    async def twice() -> float:
        writer = LogWriter(door._append)
        app = WebhookApp(writer, {}.get, door._settings_of, lambda: NOW)
        try:
            await app.post("hub", b"", signed, body)
            with pytest.raises(RateLimited) as caught:
                await app.post("hub", b"", signed, body)
            return caught.value.retry_after
        finally:
            await writer.close()

    assert asyncio.run(twice()) == 0.5
    assert len(door.records) == 3
