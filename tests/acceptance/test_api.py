"""The web process and the worker on a real socket: from a call to the profile, and live."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from onefold.app.access import make_workspace
from onefold.app.worker.loop import run_worker
from onefold.config import Settings
from onefold.serve.web import run_web
from onefold.testing.patience import PATIENCE, wait_until


class Server:
    """A web process and a worker, as threads of this process."""

    def __init__(self, data: Path, stop_timeout: float = 8.0) -> None:
        self.settings = Settings(data=data, stop_timeout=stop_timeout, min_free_disk=0)
        made = make_workspace(self.settings)
        assert made is not None
        self.admin = {"authorization": f"Bearer {made.admin_key}"}
        self.write = {"x-write-key": made.write_key}
        self.listen = socket.create_server(("127.0.0.1", 0))
        self.port = self.listen.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=self.url, headers=self.admin, timeout=PATIENCE)
        self._stop = threading.Event()
        self._threads = [self._start(run_web, self.listen), self._start(run_worker)]

    def _start(self, run: Callable[..., None], *more: Any) -> threading.Thread:
        ready = threading.Event()
        thread = threading.Thread(target=run, args=(self.settings, ready.set, self._stop, *more))
        thread.start()
        assert ready.wait(PATIENCE)
        return thread

    def send(self, **event: Any) -> None:
        self.http.post("/v1/track", json=event, headers=self.write).raise_for_status()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        self.http.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server(tmp_path / "data")
    yield one
    one.stop()


def messages(lines: Iterator[str], count: int) -> list[tuple[str, Any]]:
    found = []
    kind = ""
    for line in lines:
        if line.startswith("event: "):
            kind = line[7:]
        elif line.startswith("data: "):
            found.append((kind, json.loads(line[6:])))
            if len(found) == count:
                break
    return found


def test_an_event_is_a_profile_a_moment_later(server: Server) -> None:
    server.send(event="Seen", userId="a/b")

    def found() -> Any:
        answer = server.http.get("/api/profiles/user_id:a%2Fb")
        return answer.is_success and answer.json()

    profile = wait_until(found, "the profile is there")

    assert profile["computed"]["event_count"] == 1
    events = server.http.get(f"/api/profiles/{profile['id']}/events").json()["items"]
    assert [one["name"] for one in events] == ["Seen"]


def test_the_live_stream_shows_events_and_rejects_as_they_come(server: Server) -> None:
    with server.http.stream("GET", "/api/stream") as answer:
        lines = answer.iter_lines()
        assert next(lines) == ": live"
        server.send(event="Seen", userId="u", properties={"n": 1})
        server.send(userId="u")
        (first, event), (second, reject) = messages(lines, 2)

    assert (first, event["name"], event["identifiers"]) == ("event", "Seen", ["user_id:u"])
    assert (second, event["properties"]) == ("reject", {"n": 1})
    assert reject["reasons"]


def test_the_live_stream_can_be_narrowed(server: Server) -> None:
    with server.http.stream("GET", "/api/stream?name=Wanted&source=default") as answer:
        lines = answer.iter_lines()
        assert next(lines) == ": live"
        for name in ("Other", "Wanted", "Other", "Wanted"):
            server.send(event=name, userId="u")
        found = messages(lines, 2)

    assert [event["name"] for _, event in found] == ["Wanted", "Wanted"]


def test_a_listener_that_does_not_read_holds_nobody_up(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        key = server.admin["authorization"]
        slow.sendall(
            f"GET /api/stream HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\n\r\n".encode()
        )
        assert b"200 OK" in slow.recv(100)
        batch = [
            {"type": "track", "event": "Big", "userId": "u", "properties": {"x": "y" * 8_000}}
            for _ in range(200)
        ]
        for _ in range(8):
            server.http.post("/v1/batch", json={"batch": batch}, headers=server.write)
        with server.http.stream("GET", "/api/stream?name=After") as answer:
            lines = answer.iter_lines()
            assert next(lines) == ": live"
            kind = "missed"
            # The flood may still be jumped over, and what is sent meanwhile with it.
            while kind == "missed":
                server.send(event="After", userId="u")
                [(kind, event)] = messages(lines, 1)
        assert (kind, event["name"]) == ("event", "After")


def test_open_streams_do_not_keep_it_from_stopping(tmp_path: Path) -> None:
    # It would wait for them for half of this time, longer than `stop` waits for its end.
    server = Server(tmp_path / "data", stop_timeout=4 * PATIENCE)
    with server.http.stream("GET", "/api/stream") as answer:
        next(answer.iter_lines())
        server.stop()


def test_bodies_have_a_limit_whatever_they_claim(server: Server) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(6):
            yield b" " * (1 << 20)

    for body in (parts(), b" " * (6 << 20)):
        answer = server.http.post("/api/sql", content=body)
        assert answer.status_code == 413


def test_a_load_balancer_may_ask_for_the_head_alone(server: Server) -> None:
    head = server.http.head("/health")

    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 100


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /api/profiles/user_id:%ff HTTP/1.1",
        b"GET /api/profiles/user_id:%00 HTTP/1.1",
        b"GET /api/profiles/email:\xe4\xb8\xad HTTP/1.1",
        b"GET //api//profiles///user_id:u HTTP/1.1",
        b"GET /api/profiles/../../etc/passwd HTTP/1.1",
        b"GET /assets/..%2f..%2fweb.py HTTP/1.1",
        b"GET /api/segments/%f0%9f%98%80/members?limit=%ff HTTP/1.1",
        b"GET /api/audit?limit=1&limit=2&cursor=%00 HTTP/1.1",
        b"GET /api/rejects?source=%ed%a0%80 HTTP/1.1",
        b"OPTIONS /api/sql HTTP/1.1",
        b"HEAD /health HTTP/1.1",
        b"TRACE /api/sql HTTP/1.1",
        b"BREW /health HTTP/1.1",
        b"GET * HTTP/1.1",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1",
    ],
)
def test_odd_requests_get_an_answer_that_is_no_server_error(
    server: Server, request_line: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as caller:
        key = server.admin["authorization"].encode()
        caller.sendall(
            request_line
            + b"\r\nHost: x\r\nConnection: close\r\nAuthorization: "
            + key
            + b"\r\n\r\n"
        )
        said = b""
        while part := caller.recv(65_536):
            said += part

    assert said.split(b" ")[1][:1] in (b"2", b"4"), said[:100]
    assert server.http.get("/api/sources").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["positive", "negative"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_whatever_the_document_allows_or_forbids_is_answered_as_it_says(
    server: Server, kind: str
) -> None:
    import schemathesis
    from hypothesis import HealthCheck, given, settings
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    server.send(event="Seen", userId="u")
    document = server.http.get("/api/docs/openapi.json").json()
    del document["paths"]["/api/stream"]  # never ends
    operations = schemathesis.openapi.from_dict(document).get_all_operations()
    asked = 0
    for found in operations:
        operation = found.ok()
        if kind == "negative" and not (
            operation.query or operation.body or operation.path_parameters
        ):
            continue

        @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=GenerationMode(kind)))
        def ask(case: Any) -> None:
            nonlocal asked
            asked += 1
            answer = case.call(base_url=server.url, headers=server.admin)
            case.validate_response(
                answer,
                checks=[
                    not_a_server_error,
                    checks.status_code_conformance,
                    checks.content_type_conformance,
                    checks.response_schema_conformance,
                ],
            )

        ask()
    assert asked > 300
    assert server.http.get("/health").status_code == 200
