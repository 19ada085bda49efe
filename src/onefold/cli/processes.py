"""`up`, `web`, `worker`, `jobs`, `demo`: what runs until it is stopped."""

from __future__ import annotations

import os
from typing import Annotated, NoReturn

import typer

from onefold.cli.invocation import Invocation, command
from onefold.processes.child import VARIABLE
from onefold.processes.tree import child_environment, program


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    command(app, "up", every_flag=True)(up)
    command(app, "web", every_flag=True)(web)
    command(app, "worker", every_flag=True)(worker)
    command(app, "jobs", every_flag=True)(jobs)
    command(app, "demo", every_flag=True)(demo)
    command(app, "init", hidden=True)(init)


def up(call: Invocation) -> None:
    """Start Onefold: web, worker and jobs as one tree; the first start makes a workspace.

    Prints `ready http://…` once requests are answered, and the first time an admin key and
    a write key, which are shown only then. Ctrl-C stops all of it.

    Example: onefold up --data ./onefold-data --port 8181
    """
    _become("up", call)


def web(call: Invocation) -> None:
    """Start only the web process: it accepts events and answers the API.

    Example: onefold web --data ./onefold-data --port 8182
    """
    _become("web", call)


def worker(call: Invocation) -> None:
    """Start only the worker: it turns events into profiles and memberships.

    A second one on the same data waits until the first one ends.

    Example: onefold worker --data ./onefold-data
    """
    _become("worker", call)


def jobs(call: Invocation) -> None:
    """Start only the jobs: deliveries to destinations, and upkeep.

    Example: onefold jobs --data ./onefold-data
    """
    _become("jobs", call)


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
    _become("init", call)


def _become(name: str, call: Invocation) -> NoReturn:
    """Go on as a program that has the same settings, but not the memory of this one."""
    environment = {**child_environment(call.loaded), VARIABLE: ""}
    line = [*program(), name, *(["--json"] if call.as_json else [])]
    os.execve(line[0], line, environment)  # noqa: S606 - this very interpreter
