"""What runs for long or at every start, without the library that parses command lines.

Settings come from the environment alone, where the command line (or the parent) put them.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence

from onefold.cli.rendering import fail, say, write_json
from onefold.config import Loaded, Settings, read_settings
from onefold.model.errors import InvalidInput, OnefoldError
from onefold.processes.child import (
    Run,
    end_with_parent,
    listening_socket,
    run_until_stopped,
    watch_parent,
)
from onefold.processes.supervisor import EXIT_HOPELESS


def run(given: Sequence[str]) -> int:
    """Run one of the programs; the exit code."""
    name, as_json = given[0], "--json" in given
    # Log lines are printed without it; found, it would be loaded into every process (10 MB).
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
    try:
        if name == "pull":
            return _pull(read_settings({}, os.environ), given[1])
        return _PROGRAMS[name](read_settings({}, os.environ), as_json)
    except OnefoldError as error:
        fail(error, as_json)
        return EXIT_HOPELESS if name in _SERVERS and isinstance(error, InvalidInput) else 1


def _up(loaded: Loaded, as_json: bool) -> int:
    from onefold.processes.tree import up

    document: dict[str, str | None] = {"ready": None}

    def on_keys(keys: dict[str, str]) -> None:
        document.update(keys)
        if not as_json:
            _say_keys(keys)

    def on_ready(url: str) -> None:
        document["ready"] = url
        if as_json:
            write_json(document)
        else:
            say(f"ready {url}")

    # Whoever started this may hold a pipe to it, as `onefold demo` does: then it ends with them.
    patience = loaded.settings.stop_timeout + 5.0
    watch_parent(lambda: os.kill(os.getpid(), signal.SIGTERM), patience)
    code = up(loaded, on_keys, on_ready)
    if as_json and document["ready"] is None:
        write_json(document)
    return code


def _init(loaded: Loaded, as_json: bool) -> int:
    from onefold.app.access import make_workspace
    from onefold.processes.tree import make_data_directory

    make_data_directory(loaded.settings.data)
    made = make_workspace(loaded.settings)
    keys = {} if made is None else {"admin_key": made.admin_key, "write_key": made.write_key}
    if as_json:
        write_json(keys)
    else:
        _say_keys(keys)
    return 0


def _web(loaded: Loaded, as_json: bool) -> int:
    from onefold.processes.tree import url_of
    from onefold.serve.web import run_web

    settings, listen = loaded.settings, listening_socket()
    return _serve(
        "web",
        settings,
        lambda ready, stop: run_web(settings, ready, stop, listen),
        where=url_of(settings.host, settings.port),
    )


def _worker(loaded: Loaded, as_json: bool) -> int:
    from onefold.app.worker.loop import run_worker

    settings = loaded.settings
    return _serve("worker", settings, lambda ready, stop: run_worker(settings, ready, stop))


def _jobs(loaded: Loaded, as_json: bool) -> int:
    from onefold.app.jobs import Apart, run_jobs
    from onefold.processes.tree import run_apart, start_apart

    settings = loaded.settings

    def tidy(stop: threading.Event) -> int:
        return run_apart("upkeep", stop)

    def work(stop: threading.Event) -> int:
        return run_apart("work", stop)

    apart = Apart(tidy, work, lambda source: start_apart("pull", source))
    return _serve("jobs", settings, lambda ready, stop: run_jobs(settings, ready, stop, apart))


def _upkeep(loaded: Loaded, as_json: bool) -> int:
    from onefold.app.upkeep import upkeep
    from onefold.app.workspace import now_us
    from onefold.processes.log_lines import configure

    settings = loaded.settings
    configure("upkeep", settings.log_level, settings.log_format)
    upkeep(settings, now_us())
    return 0


def _work(loaded: Loaded, as_json: bool) -> int:
    from onefold.app.job_runner import run_waiting
    from onefold.processes.log_lines import configure

    settings = loaded.settings
    configure("work", settings.log_level, settings.log_format)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    end_with_parent()
    run_waiting(settings, stop)
    return 0


def _pull(loaded: Loaded, source: str) -> int:
    """Read one source; how that ended is written down, so only a crash is a failure."""
    from onefold.app.syncs.running import run_source
    from onefold.processes.log_lines import configure

    settings = loaded.settings
    configure("pull", settings.log_level, settings.log_format)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    end_with_parent()
    run_source(settings, source, actor="onefold", stop=stop)
    return 0


def _serve(name: str, settings: Settings, serve: Run, where: str = "") -> int:
    from onefold.app.workspace import open_store
    from onefold.processes.log_lines import configure

    with open_store(settings, cache_mb=1):
        pass  # says what to do if there is no workspace
    configure(name, settings.log_level, settings.log_format)
    run_until_stopped(serve, where or name, settings.stop_timeout)
    return 0


def _say_keys(keys: dict[str, str]) -> None:
    for name, key in keys.items():
        say(f"{name.replace('_', ' ')} {key}")


_SERVERS = ("web", "worker", "jobs")
_PROGRAMS: dict[str, Callable[[Loaded, bool], int]] = {
    "up": _up,
    "init": _init,
    "web": _web,
    "worker": _worker,
    "jobs": _jobs,
    "upkeep": _upkeep,
    "work": _work,
}
