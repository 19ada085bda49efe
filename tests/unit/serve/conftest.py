"""A workspace of one's own, and its whole web application called in this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from onefold.app.access import key_add, make_workspace
from onefold.app.job_runner import run_waiting
from onefold.app.workspace import now_us, open_lake, open_log, open_store
from onefold.config import Settings
from onefold.model.records import Accepted, encode_accepted
from onefold.serve.context import Context
from onefold.serve.log_writer import LogWriter
from onefold.serve.pushed import PushedApp
from onefold.serve.tracking import TrackingApp
from onefold.serve.web import Web
from onefold.testing.patience import wait_until


class Desk:
    """One workspace; `call` asks its web application, by default with the admin's key."""

    def __init__(self, data: Path) -> None:
        self.settings = Settings(data=data)
        made = make_workspace(self.settings)
        assert made is not None
        self.admin_key, self.write_key = made.admin_key, made.write_key

    def key(self, role: str) -> str:
        return key_add(self.settings, f"a {role}", role).key

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.call("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> httpx.Response:
        content = b"" if json is None else msgspec.json.encode(json)
        return self.call("POST", path, content=content, **more)

    def call(self, method: str, path: str, *, key: str | None = "", **more: Any) -> httpx.Response:
        """One request in a web process of its own; `key=None` sends none."""
        given = self.admin_key if key == "" else key
        headers = {**({"authorization": f"Bearer {given}"} if given else {})}
        headers |= more.pop("headers", {})

        async def ask(http: httpx.AsyncClient) -> httpx.Response:
            return await http.request(method, path, headers=headers, **more)

        return self.run(ask)

    def run(self, ask: Callable[[httpx.AsyncClient], Any]) -> Any:
        """What a function makes of a client of a fresh web process."""

        async def run() -> Any:
            with open_store(self.settings, cache_mb=4) as store:
                events = open_log(self.settings, store, "web")
                writer = LogWriter(events.append)
                context = Context(self.settings, store, events)
                find = context.access.source
                tracking = TrackingApp(writer, find, context.access.judging, now_us, self.settings)
                web = Web(context, tracking, PushedApp(writer, context))
                transport = httpx.ASGITransport(app=web, raise_app_exceptions=True)
                async with httpx.AsyncClient(transport=transport, base_url="http://cdp") as http:
                    try:
                        return await ask(http)
                    finally:
                        context.asker.close()
                        await writer.close()
                        events.close()

        return asyncio.run(run())

    def finished(self, job: int) -> dict[str, Any]:
        """A job after what runs jobs has ended it."""
        stop = threading.Event()
        thread = threading.Thread(target=run_waiting, args=(self.settings, stop))
        thread.start()

        def ended() -> Any:
            found = self.get(f"/api/jobs/{job}").json()
            return found["state"] not in ("waiting", "running") and found

        try:
            return wait_until(ended, "the job ends", pause=0.05)
        finally:
            stop.set()
            thread.join()

    def process(self, *events: dict[str, Any]) -> None:
        """What the worker does with events of the default source."""
        from onefold.app.worker.loop import Worker

        body = msgspec.json.encode({"batch": events})
        with open_store(self.settings, cache_mb=4) as store:
            log = open_log(self.settings, store, "test")
            try:
                log.append([encode_accepted(Accepted("default", now_us(), "batch", body))])
                worker = Worker(self.settings, store, open_lake(self.settings), log)
                while worker.step():
                    pass
                worker.beat.write(store, now_us(), {"store_fault": "", "lake_fault": ""})
            finally:
                log.close()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "data")
