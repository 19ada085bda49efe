"""`up`, `web`, `worker`, `jobs`: what runs until it is stopped."""

from __future__ import annotations

import os
import signal
from typing import Annotated

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.rendering import say, write_json
from onefold.model.errors import InvalidInput
from onefold.processes.child import Run, listening_socket, run_until_stopped, watch_parent
from onefold.processes.supervisor import EXIT_HOPELESS


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    command(app, "up", every_flag=True)(up)
    command(app, "web", every_flag=True)(web)
    command(app, "worker", every_flag=True)(worker)
    command(app, "jobs", every_flag=True)(jobs)
    command(app, "demo", every_flag=True)(demo)
    command(app, "init", hidden=True)(init)


def up(call: Invocation) -> int:
    """Start Onefold: web, worker and jobs as one tree; the first start makes a workspace.

    Prints `ready http://…` once requests are answered, and the first time an admin key and
    a write key, which are shown only then. Ctrl-C stops all of it.

    Example: onefold up --data ./onefold-data --port 8181
    """
    from onefold.processes.tree import up as run_tree

    # Whoever started this may hold a pipe to it, as `onefold demo` does: then it ends with them.
    patience = call.settings.stop_timeout + 5.0
    watch_parent(lambda: os.kill(os.getpid(), signal.SIGTERM), patience)

    def on_ready(url: str, keys: dict[str, str]) -> None:
        if call.as_json:
            write_json({"ready": url, **keys})
            return
        say_keys(keys)
        say(f"ready {url}")

    return run_tree(call.loaded, on_ready)


def web(call: Invocation) -> int:
    """Start only the web process: it accepts events and answers the API.

    Example: onefold web --data ./onefold-data --port 8182
    """
    from onefold.serve.web import run_web

    listen = listening_socket()
    return _run(call, "web", lambda ready, stop: run_web(call.settings, ready, stop, listen))


def worker(call: Invocation) -> int:
    """Start only the worker: it turns events into profiles and memberships.

    A second one on the same data waits until the first one ends.

    Example: onefold worker --data ./onefold-data
    """
    from onefold.app.worker import run_worker

    return _run(call, "worker", lambda ready, stop: run_worker(call.settings, ready, stop))


def jobs(call: Invocation) -> int:
    """Start only the jobs: deliveries to destinations, and upkeep.

    Example: onefold jobs --data ./onefold-data
    """
    from onefold.app.jobs import run_jobs

    return _run(call, "jobs", lambda ready, stop: run_jobs(call.settings, ready, stop))


def demo(
    call: Invocation,
    customers: Annotated[
        int, typer.Option("--customers", min=1, max=100_000, help="How many the shop has.")
    ] = 2_000,
    minutes: Annotated[
        float, typer.Option("--minutes", min=0.01, help="How long its past month is played.")
    ] = 1.0,
    rate: Annotated[
        float, typer.Option("--rate", min=0.1, max=10_000, help="Events per second after that.")
    ] = 20.0,
) -> int:
    """Start Onefold and play a made-up online shop into it: its past month, then live.

    Prints where to look and a line of figures per second. Ctrl-C stops; the next start goes on.

    Example: onefold demo --data ./demo-data
    """
    from onefold.cli.demo.play import Wanted, run_demo

    return run_demo(call.loaded, Wanted(customers, minutes, rate))


def init(call: Invocation) -> None:
    """Make the workspace, or bring an older one up to date, without starting anything.

    Example: onefold init --data ./onefold-data
    """
    from onefold.app.access import make_workspace

    made = make_workspace(call.settings)
    keys = {} if made is None else {"admin_key": made.admin_key, "write_key": made.write_key}
    call.show(keys, say_keys)


def say_keys(keys: dict[str, str]) -> None:
    """The keys of a new workspace, one a line."""
    for name, key in keys.items():
        say(f"{name.replace('_', ' ')} {key}")


def _run(call: Invocation, name: str, run: Run) -> int:
    from onefold.processes.log_lines import configure

    configure(name, call.settings.log_level, call.settings.log_format)
    try:
        run_until_stopped(run, name, call.settings.stop_timeout)
    except InvalidInput as error:
        call.fail(error)
        return EXIT_HOPELESS
    return 0
