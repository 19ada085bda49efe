"""Plays the shop: sends its messages when they are due, and knows how many arrived."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

import httpx

from onefold.app.workspace import now_us
from onefold.model.errors import Rejected
from onefold.testing.shop import Message, Shop, demo

_AT_ONCE = 200
_HOLD_SECONDS = 0.1
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 5.0


class _StoppedError(Exception):
    """Leaves the shop's own waiting."""


class Player(threading.Thread):
    """Sends what the shop's clients would send, in order, each message until it is accepted.

    `arrived` is told how many messages of the shop arrived, so that the next start can go on.
    """

    def __init__(
        self,
        url: str,
        write_keys: Mapping[str, str],
        shop: Shop,
        sent: int,
        arrived: Callable[[int], None],
    ) -> None:
        super().__init__(name="player", daemon=True)
        self._client = httpx.Client(base_url=url, timeout=10.0, trust_env=False)
        self._keys = write_keys
        self._shop = shop
        self._arrived = arrived
        self._pending: dict[str, list[dict[str, object]]] = {}
        self._taken = sent
        self._held_since = 0.0
        self._stopping = threading.Event()
        self.ended = ""

    def play(self, minutes: float, rate: float) -> None:
        """Begin: the past within so many minutes, then so many messages a second."""
        self._minutes, self._rate = minutes, rate
        self.start()

    def stop(self) -> None:
        """End after what is under way."""
        self._stopping.set()
        self.join()

    def run(self) -> None:
        """Send everything; `ended` then says why there is nothing more."""
        try:
            for message in self._messages():
                self._take(message)
            self._flush()
            self.ended = "" if self._stopping.is_set() else "the shop has closed: all is sent"
        except Rejected as error:
            self.ended = str(error)
        except _StoppedError:
            pass  # what did not arrive is sent by the next start
        finally:
            self._client.close()

    def _messages(self) -> Iterator[Message]:
        rest = islice(self._shop.messages(), self._taken, None)
        for message in demo(rest, now_us, self._sleep, minutes=self._minutes, rate=self._rate):
            if self._stopping.is_set():
                return
            yield message

    def _take(self, message: Message) -> None:
        if not self._pending:
            self._held_since = time.monotonic()
        self._pending.setdefault(message.source, []).append(message.body)
        self._taken += 1
        many = sum(map(len, self._pending.values())) >= _AT_ONCE
        if many or time.monotonic() - self._held_since > _HOLD_SECONDS:
            self._flush()

    def _sleep(self, seconds: float) -> None:
        if seconds > _HOLD_SECONDS:
            self._flush()
        if self._stopping.wait(seconds):
            raise _StoppedError

    def _flush(self) -> None:
        for source, bodies in self._pending.items():
            self._send(source, bodies)
        self._pending.clear()
        self._arrived(self._taken)

    def _send(self, source: str, bodies: list[dict[str, object]]) -> None:
        wait = _FIRST_WAIT
        while True:
            try:
                answer = self._client.post(
                    "/v1/batch", json={"batch": bodies}, auth=(self._keys[source], "")
                )
            except httpx.TransportError:
                pass
            else:
                if answer.status_code == 200:
                    return
                if answer.status_code < 500 and answer.status_code != 429:
                    text = answer.text[:200]
                    raise Rejected(f"the tracking API answered {answer.status_code}: {text}")
            if self._stopping.wait(wait):
                raise _StoppedError
            wait = min(2 * wait, _LONGEST_WAIT)
