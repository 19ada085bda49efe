"""The demo's player and receiver, against servers that misbehave."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from onefold.activate.webhook import sign
from onefold.app.workspace import now_us
from onefold.cli.demo.notes import Notes, read_notes, write_notes
from onefold.cli.demo.player import Player
from onefold.cli.demo.receiver import Receiver
from onefold.model.errors import Damaged
from onefold.testing.patience import PATIENCE
from onefold.testing.shop import SOURCES, Shop
from tests.web_servers import serving

KEY = b"k" * 32
NOTES = Notes(begun_at=1, customers=2, admin_key="a", write_keys={}, hook_secret="s", sent=7)


@contextmanager
def tracking(statuses: Iterator[int]) -> Iterator[tuple[str, list[str]]]:
    """A tracking API that answers with these statuses; keeps the message ids of its 200s."""
    accepted: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = next(statuses, 200)
            if status == 200:
                accepted.extend(one["messageId"] for one in json.loads(body)["batch"])
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with serving(server) as address:
        yield address, accepted


def past_shop() -> Shop:
    return Shop.around(now_us(), customers=5, before=20, after=0)


def test_every_message_arrives_once_in_spite_of_failures():
    shop = past_shop()
    arrived: list[int] = []
    with tracking(iter([503, 200, 429, 500])) as (url, accepted):
        player = Player(url, dict.fromkeys(SOURCES, "x:y"), shop, 0, arrived.append)
        player.play(minutes=0.01, rate=1000)
        player.join(timeout=PATIENCE)
    expected = Counter(message.body["messageId"] for message in shop.messages())
    assert Counter(accepted) == expected
    assert arrived[-1] == expected.total()
    assert "closed" in player.ended


def test_the_next_start_leaves_out_what_was_sent():
    shop = past_shop()
    every = [message.body["messageId"] for message in shop.messages()]
    with tracking(iter([])) as (url, accepted):
        player = Player(url, dict.fromkeys(SOURCES, "x:y"), shop, 40, lambda count: None)
        player.play(minutes=0.01, rate=1000)
        player.join(timeout=PATIENCE)
    assert Counter(accepted) == Counter(every[40:])


def test_a_refusal_ends_the_play_and_says_why():
    with tracking(iter([401] * 100)) as (url, _):
        player = Player(url, dict.fromkeys(SOURCES, "x:y"), past_shop(), 0, lambda count: None)
        player.play(minutes=0.01, rate=1000)
        player.join(timeout=PATIENCE)
    assert "401" in player.ended


def test_stopping_does_not_wait_for_the_shop():
    shop = Shop.around(now_us(), customers=5, before=5, after=5)
    with tracking(iter([])) as (url, _):
        player = Player(url, dict.fromkeys(SOURCES, "x:y"), shop, 0, lambda count: None)
        player.play(minutes=60, rate=0.1)
        begun = time.monotonic()
        player.stop()
        assert time.monotonic() - begun < PATIENCE
    assert player.ended == ""


def test_the_receiver_takes_only_what_is_signed():
    receiver = Receiver(KEY, 0)
    try:
        body = b'{"segment": "cn"}'
        signed = {
            "webhook-id": "msg_1",
            "webhook-timestamp": "1700000000",
            "webhook-signature": sign(KEY, "msg_1", "1700000000", body),
        }
        with httpx.Client(trust_env=False, timeout=PATIENCE) as client:
            assert client.post(receiver.url, content=body, headers=signed).status_code == 204
            assert client.post(receiver.url, content=b"{}", headers=signed).status_code == 401
            assert client.post(receiver.url, content=body).status_code == 401
        assert (receiver.received, receiver.refused) == (1, 2)
        other = Receiver(base64.b64decode("a2V5"), receiver.port)
        assert other.port != receiver.port
        other.stop()
    finally:
        receiver.stop()


def test_notes_are_kept_for_this_user_only(tmp_path):
    assert read_notes(tmp_path) is None
    write_notes(tmp_path, NOTES)
    assert read_notes(tmp_path) == NOTES
    path = tmp_path / "demo" / "notes.json"
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("{")
    with pytest.raises(Damaged):
        read_notes(tmp_path)
