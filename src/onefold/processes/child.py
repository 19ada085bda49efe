"""The child's side: say that it works, stop when asked to or when the parent is gone."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

VARIABLE = "_ONEFOLD_CHILD"
"""How the parent tells a child its file descriptors: `alive=5,ready=6,listen=7`."""

_LOOK_SECONDS = 0.5
Run = Callable[[Callable[[], None], threading.Event], None]


def run_until_stopped(run: Run, name: str, stop_timeout: float) -> None:
    """Call `run(ready, stop)`; `stop` is set by SIGTERM, SIGINT, or once the parent is gone."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    watch_parent(stop.set, stop_timeout)
    run(lambda: announce_ready(name), stop)


def announce_ready(name: str) -> None:
    """Tell the parent that this process works; without a parent, say so on stdout."""
    ready = _descriptors().get("ready")
    if ready is None:
        sys.stdout.write(f"ready {name}\n")
        sys.stdout.flush()
        return
    try:
        os.write(ready, b"1")
    except BrokenPipeError:
        return  # the parent is gone, which `watch_parent` sees


def watch_parent(on_gone: Callable[[], None], stop_timeout: float) -> None:
    """Call `on_gone` once the parent is gone; end this process if it is still here afterwards."""
    alive = _descriptors().get("alive")
    if alive is None:
        return
    thread = threading.Thread(
        target=_wait_for_end, args=(alive, on_gone, stop_timeout), name="parent", daemon=True
    )
    thread.start()


def end_with_parent() -> None:
    """End this process at once when the process that started it is gone, however that went."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def listening_socket() -> socket.socket | None:
    """The socket that the parent listens on for this process, if it does."""
    listen = _descriptors().get("listen")
    return None if listen is None else socket.socket(fileno=os.dup(listen))


def _wait_for_end(alive: int, on_gone: Callable[[], None], stop_timeout: float) -> None:
    while os.read(alive, 1):
        pass
    on_gone()
    # A daemon thread dies with an orderly end. If that takes too long, a crash is
    # what everything here is made for, and better than a process that nobody owns.
    threading.Event().wait(stop_timeout)
    os._exit(1)


def _descriptors() -> dict[str, int]:
    pairs = (part.partition("=") for part in os.environ.get(VARIABLE, "").split(",") if part)
    found = {name: int(number) for name, _, number in pairs}
    for number in found.values():
        os.set_inheritable(number, False)
    return found
