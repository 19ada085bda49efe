"""Connections that begin a request and never go on, on a real server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from onefold.serve.patience import Patience
from onefold.testing.patience import PATIENCE

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def answer(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


def on_a_server(steps: Callable[[int, uvicorn.Server], Awaitable[None]]) -> None:
    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            config = uvicorn.Config(
                answer, http="httptools", lifespan="off", log_config=None, timeout_keep_alive=60
            )
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await steps(listening.getsockname()[1], server)
            server.should_exit = True
            await serving

    asyncio.run(run())


def test_only_who_does_not_go_on_is_shut_out() -> None:
    async def steps(port: int, server: uvicorn.Server) -> None:
        async def caller(said: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            return reader, writer

        silent, silent_writer = await caller(b"")
        begun, begun_writer = await caller(REQUEST[:12])
        again, again_writer = await caller(REQUEST)
        idle, idle_writer = await caller(REQUEST)
        for reader in (again, idle):
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        again_writer.write(REQUEST[:12])
        await asyncio.sleep(0.1)

        patience = Patience(20)
        for now in (100.0, 119.0, 121.0):
            patience.look(set(server.server_state.connections), now)

        for reader in (silent, begun, again):
            assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        idle_writer.write(REQUEST)
        assert (await asyncio.wait_for(idle.readuntil(b"ok"), PATIENCE)).startswith(b"HTTP/1.1 200")
        for writer in (silent_writer, begun_writer, again_writer, idle_writer):
            writer.close()
            await writer.wait_closed()

    on_a_server(steps)
