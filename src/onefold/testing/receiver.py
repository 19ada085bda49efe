"""A small web server that receives webhooks, checks their signatures, and fails on request."""

from __future__ import annotations

import hmac
import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

import msgspec

from onefold.activate.webhook import sign
from onefold.testing.patience import PATIENCE


class Answer(msgspec.Struct, frozen=True):
    """How to answer a webhook.

    `delay` is in seconds. With `drop` the connection is closed without an answer: `unread` before
    the webhook was read and noted, `noted` after.
    """

    status: int = 200
    headers: dict[str, str] = {}
    body: bytes = b""
    delay: float = 0.0
    drop: Literal["", "unread", "noted"] = ""


class Received(msgspec.Struct, frozen=True):
    """A webhook that came in: header names in lower case, `at` in microseconds since 1970."""

    path: str
    headers: dict[str, str]
    body: bytes
    verified: bool
    at: int

    @property
    def message_id(self) -> str:
        return self.headers.get("webhook-id", "")

    @property
    def json(self) -> Any:
        return json.loads(self.body)


OK = Answer()


class Receiver:
    """Listens on a free port of this machine while it is used as a context.

        with Receiver(key) as receiver:
            receiver.answers = [Answer(503, {"retry-after": "1"})]   # then 200
            ...
            first = receiver.wait_for(1)[0]

    `answers` are given one by one, then `answer` decides: an `Answer`, or a function of what came.
    """

    def __init__(self, key: bytes = b"", host: str = "127.0.0.1", port: int = 0) -> None:
        self._key = key
        self._came = threading.Condition()
        self._closing = threading.Event()
        self.received: list[Received] = []
        self.answers: list[Answer] = []
        self.answer: Answer | Callable[[Received], Answer] = OK
        self.connections = 0
        self._server = _Server((host, port), _handler(self))
        self.url = f"http://{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait_for(self, count: int, timeout: float = PATIENCE) -> list[Received]:
        """What came in, once it is so many; AssertionError if they don't come in time."""
        with self._came:
            came = self._came.wait_for(lambda: len(self.received) >= count, timeout)
            assert came, f"{len(self.received)} webhooks of {count} came within {timeout:g} s"
            return list(self.received)

    def handle(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Note a webhook and decide the answer; the server's part, called for each request."""
        named = {name.lower(): value for name, value in headers.items()}
        received = Received(
            path, named, body, _verified(self._key, named, body), time.time_ns() // 1000
        )
        with self._came:
            if self.answers:
                answer = self.answers.pop(0)
            else:
                answer = self.answer if isinstance(self.answer, Answer) else self.answer(received)
            if answer.drop != "unread":
                self.received.append(received)
                self._came.notify_all()
        if answer.delay:
            self._closing.wait(answer.delay)
        return answer


def _verified(key: bytes, headers: Mapping[str, str], body: bytes) -> bool:
    expected = sign(key, headers.get("webhook-id", ""), headers.get("webhook-timestamp", ""), body)
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in given)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A sender that goes away is what a test may want; anything else is shown.
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1
        timeout = 60

        def setup(self) -> None:
            super().setup()
            receiver.connections += 1

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = self.rfile.read(length)
            if len(body) < length:
                self.close_connection = True  # the sender died in the middle
                return
            answer = receiver.handle(self.path, dict(self.headers.items()), body)
            if answer.drop:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests look at what was received instead."""

    return Handler
