"""A local server that a test tells how to answer, and what it was asked."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.web_servers import serving

Query = dict[str, str]


class Asked:
    """A request: what an API may look at."""

    def __init__(self, method: str, url: str, headers: dict[str, str], body: bytes) -> None:
        parts = urlsplit(url)
        self.method, self.path = method, parts.path
        self.query: Query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.host = headers.get("Host", "")
        self.raw = body

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    def basic(self) -> str:
        return base64.b64decode(self.headers.get("authorization", "")[6:]).decode()

    def url(self, **query: Any) -> str:
        return f"http://{self.host}{self.path}?{urlencode(query)}"


Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]]
Api = Callable[[Asked], Reply]


class Apis:
    """A server; `use` says which API it is. It keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.api: Api = lambda asked: (404, {})
        self.before: list[Reply] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                asked = Asked(self.command, self.path, dict(self.headers), self.rfile.read(size))
                outer.asked.append(asked)
                reply = outer.before.pop(0) if outer.before else outer.api(asked)
                status, body, *more = reply
                text = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in (more[0] if more else {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                with suppress(BrokenPipeError, ConnectionResetError):  # who asked may be killed
                    self.end_headers()
                    self.wfile.write(text)

            do_GET = do_POST = answer  # noqa: N815 - named by the library

            def log_message(self, *_: Any) -> None:
                pass

        self._open = ExitStack()
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = self._open.enter_context(serving(server))

    def close(self) -> None:
        self._open.close()
