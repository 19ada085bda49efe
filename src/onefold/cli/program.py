"""All commands, put together; what the exit code is."""

from __future__ import annotations

import os
import sys

import typer

from onefold import __version__
from onefold.cli import (
    accounts,
    definitions,
    exchange,
    golden,
    households,
    identity,
    importing,
    looking,
    mapping,
    matching,
    people,
    processes,
    pulling,
    registry,
    tagging,
    tracking,
    upkeep,
    working,
)
from onefold.cli.invocation import common_options
from onefold.cli.rendering import complain, write_json

_UsageError: type[Exception] = typer.BadParameter.__bases__[0]


def program() -> typer.Typer:
    """All commands."""
    app = typer.Typer(
        name="onefold",
        help="Onefold: events in, one profile per customer, segments and actions within a second.",
        epilog="Every setting that `onefold config` lists is also a flag, before any command.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    common_options(app, __version__)
    for part in (
        processes,
        registry,
        pulling,
        definitions,
        looking,
        golden,
        accounts,
        households,
        identity,
        matching,
        importing,
        mapping,
        exchange,
        tagging,
        tracking,
        working,
        people,
        upkeep,
    ):
        part.add_to(app)
    return app


def run(given: list[str]) -> int:
    """Run one command line and give its exit code."""
    as_json = "--json" in (given[: given.index("--")] if "--" in given else given)
    try:
        return _code(program()(given, prog_name="onefold", standalone_mode=not as_json))
    except SystemExit as ended:
        return _code(ended.code)
    except _UsageError as error:
        write_json({"code": "usage", "message": str(error), "faults": []})
        return 2
    except BrokenPipeError:
        # Whoever read our output has seen enough; what is still buffered must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        complain("interrupted")
        return 130


def _code(value: object) -> int:
    return value if isinstance(value, int) else 0
