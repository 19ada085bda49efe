"""One HTTP request out, one answer back, both as records, with a hard limit on time and size."""

from __future__ import annotations

import io
import select
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import cast
from urllib.parse import SplitResult, urlsplit

import msgspec

from onefold.model.errors import Busy

MAX_ANSWER = 64 * 1024


class Request(msgspec.Struct, frozen=True):
    """What is to be sent. Its text form hides the headers and the body: they hold secrets."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Request({self.method} {urlsplit(self.url).hostname})"


class Response(msgspec.Struct, frozen=True):
    """What came back: header names in lower case, and at most 64 KB of the body."""

    status: int
    headers: dict[str, str] = {}
    body: bytes = b""


Send = Callable[[Request, float], Response]
"""Sends a request and returns any answer within so many seconds; `Busy` if there is none."""


class HttpClient:
    """A `Send` over keep-alive connections, for use by many threads.

    Redirects are not followed: a signed message goes to the configured address or nowhere.
    The time limit holds for the whole exchange, however slowly the answer trickles in.
    """

    def __init__(self, idle_connections: int = 16, tls: ssl.SSLContext | None = None) -> None:
        self._idle_connections = idle_connections
        self._tls = tls
        self._lock = threading.Lock()
        self._idle: defaultdict[tuple[str, str], list[HTTPConnection]] = defaultdict(list)

    def __call__(self, request: Request, timeout: float) -> Response:
        url = urlsplit(request.url)
        deadline = time.monotonic() + timeout
        try:
            return self._exchange(url, request, deadline)
        except TimeoutError as error:
            raise Busy(f"no answer within {timeout:g} s") from error
        except (OSError, HTTPException, UnicodeError) as error:
            raise Busy(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Close the connections that are not in use."""
        with self._lock:
            connections = [one for idle in self._idle.values() for one in idle]
            self._idle.clear()
        for connection in connections:
            connection.close()

    def _exchange(self, url: SplitResult, request: Request, deadline: float) -> Response:
        connection = self._reuse(url)
        if connection is not None:
            try:
                return self._talk(connection, url, request, deadline)
            except ConnectionError:
                # The other side closed it while it lay idle; that says nothing about its health.
                pass
        return self._talk(self._connect(url, deadline), url, request, deadline)

    def _talk(
        self, connection: HTTPConnection, url: SplitResult, request: Request, deadline: float
    ) -> Response:
        kept = False
        try:
            cast(_Wire, connection.sock).deadline = deadline
            path = (url.path or "/") + (f"?{url.query}" if url.query else "")
            connection.request(request.method, path, request.body, request.headers)
            with connection.getresponse() as answer:
                if answer.status < 200:
                    raise HTTPException(f"unexpected interim answer {answer.status}")
                body = _body(answer)
                kept = answer.isclosed() and connection.sock is not None
                response = Response(answer.status, _headers(answer), body)
        finally:
            if not kept:
                connection.close()
        self._keep(url, connection)
        return response

    def _connect(self, url: SplitResult, deadline: float) -> HTTPConnection:
        host, left = str(url.hostname), max(deadline - time.monotonic(), 0.001)
        connection: HTTPConnection
        if url.scheme == "https":
            self._tls = self._tls or ssl.create_default_context()
            connection = HTTPSConnection(host, url.port, timeout=left, context=self._tls)
        else:
            connection = HTTPConnection(host, url.port, timeout=left)
        connection.connect()
        # The wrapper offers just what http.client uses of a socket.
        connection.sock = cast(socket.socket, _Wire(connection.sock, deadline))
        connection.auto_open = 0
        return connection

    def _reuse(self, url: SplitResult) -> HTTPConnection | None:
        while True:
            with self._lock:
                idle = self._idle[url.scheme, url.netloc]
                connection = idle.pop() if idle else None
            if connection is None or not cast(_Wire, connection.sock).ended():
                return connection
            connection.close()

    def _keep(self, url: SplitResult, connection: HTTPConnection) -> None:
        if connection.sock is None:
            return
        with self._lock:
            idle = self._idle[url.scheme, url.netloc]
            if len(idle) < self._idle_connections:
                idle.append(connection)
                return
        connection.close()


class _Wire:
    """A socket that allows each read and write only the time left until a deadline.

    Like a socket it closes only after the readers made from it.
    """

    def __init__(self, wire: socket.socket, deadline: float) -> None:
        self._wire = wire
        self._readers = 0
        self._closed = False
        self.deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._wire.settimeout(self._left())
        self._wire.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        self._readers += 1
        return io.BufferedReader(_Reader(self))

    def receive(self, buffer: memoryview) -> int:
        self._wire.settimeout(self._left())
        return self._wire.recv_into(buffer)

    def ended(self) -> bool:
        """Whether an idle connection has something to read: its end, or what nobody asked for."""
        poll = select.poll()
        poll.register(self._wire, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        self._closed = True
        self._close_unread()

    def leave(self) -> None:
        self._readers -= 1
        self._close_unread()

    def _close_unread(self) -> None:
        if self._closed and not self._readers:
            self._wire.close()

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Reader(io.RawIOBase):
    """What http.client reads an answer through."""

    def __init__(self, wire: _Wire) -> None:
        self._through = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._through.receive(buffer)

    def close(self) -> None:
        if not self.closed:
            self._through.leave()
        super().close()


def _headers(answer: HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.getheaders()}


def _body(answer: HTTPResponse) -> bytes:
    """As much of the body as came: once the status is known, a broken body changes nothing."""
    try:
        return answer.read(MAX_ANSWER)
    except (OSError, HTTPException):
        return b""
