"""The command line: each command is a line or two into `onefold.app`, and a way to show the result.

Commands import what is heavy when they run: `onefold --help` must not wait for a query engine. What
runs for long (`lean`) does not even hold the library that parsed its command line.
"""

from __future__ import annotations

import os
import sys

from onefold.processes.child import VARIABLE


def main(arguments: list[str] | None = None) -> None:
    """Run a command line and exit: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    given = sys.argv[1:] if arguments is None else arguments
    if VARIABLE in os.environ:
        from onefold.cli import lean

        sys.exit(lean.run(given))
    from onefold.cli.program import run

    sys.exit(run(given))
