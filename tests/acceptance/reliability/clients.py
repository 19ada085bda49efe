"""Clients that send over HTTP whatever happens, and remember what was promised to them."""

from __future__ import annotations

import base64
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from onefold.testing.patience import PATIENCE, wait_until

BATCH = 20
EVENTS_A_USER = 12


class Clients:
    """Threads that post batches; what was answered with 200 is in `accepted`."""

    def __init__(self, port: Callable[[], int], write_key: str, threads: int = 4) -> None:
        self._port = port
        token = base64.b64encode(f"{write_key}:".encode()).decode()
        self._headers = {"authorization": f"Basic {token}", "content-type": "application/json"}
        self._threads = threads
        self._stop = threading.Event()
        self.sent: set[str] = set()
        self.accepted: set[str] = set()
        self.failures = 0
        self.answers: dict[int, int] = {}

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Send while inside."""
        self._stop.clear()
        threads = [threading.Thread(target=self._run, args=(n,)) for n in range(self._threads)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(PATIENCE)
                assert not thread.is_alive()

    def wait_for_more(self, events: int) -> None:
        """Wait until so many more were accepted, as happens soon where nothing is killed."""
        goal = len(self.accepted) + events
        wait_until(lambda: len(self.accepted) >= goal, f"{events} more events are accepted")

    def _run(self, number: int) -> None:
        connection: http.client.HTTPConnection | None = None
        first = sum(name.startswith(f"c{number}-") for name in list(self.sent))
        body, names = b"", []
        while not self._stop.is_set():
            if not body:
                body, names = _body(number, first)
                first += BATCH
                self.sent.update(names)
            connection = connection or http.client.HTTPConnection(
                "127.0.0.1", self._port(), timeout=PATIENCE
            )
            status = self._post(connection, body)
            if status == 0:
                connection.close()
                connection = None
                self._stop.wait(0.02)
            if status == 200:
                self.accepted.update(names)
            elif first // BATCH % 3:
                # Most clients send the same again; some give up, and may have been heard all the same.
                self._stop.wait(0.02)
                continue
            body = b""
        if connection:
            connection.close()

    def _post(self, connection: http.client.HTTPConnection, body: bytes) -> int:
        try:
            connection.request("POST", "/v1/batch", body, self._headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.failures += 1
            return 0
        self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
        return answer.status


def _body(client: int, first: int) -> tuple[bytes, list[str]]:
    events: list[dict[str, Any]] = [
        {
            "type": "track",
            "event": "Order Completed",
            "messageId": f"c{client}-{number}",
            "userId": f"c{client}-u{number // EVENTS_A_USER}",
            "anonymousId": f"c{client}-a{number // (EVENTS_A_USER // 2)}",
            "properties": {"revenue": number % 50},
        }
        for number in range(first, first + BATCH)
    ]
    return json.dumps({"batch": events}).encode(), [event["messageId"] for event in events]
