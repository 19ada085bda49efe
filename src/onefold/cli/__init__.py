"""The command line: each command is a line or two into `onefold.app`, and a way to show the result.

Commands import what is heavy when they run: `onefold --help` must not wait for a query engine, and
the parent of `onefold up` must stay small.
"""

from __future__ import annotations

import os
import sys

import typer

from onefold.cli import definitions, looking, processes, registry, upkeep
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
    common_options(app)
    for part in (processes, registry, definitions, looking, upkeep):
        part.add_to(app)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Run a command line and exit: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    given = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in (given[: given.index("--")] if "--" in given else given)
    try:
        code = program()(given, prog_name="onefold", standalone_mode=not as_json)
    except _UsageError as error:
        write_json({"code": "usage", "message": str(error), "faults": []})
        code = 2
    except BrokenPipeError:
        # Whoever read our output has seen enough; what is still buffered must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except KeyboardInterrupt:
        complain("interrupted")
        code = 130
    sys.exit(code)
