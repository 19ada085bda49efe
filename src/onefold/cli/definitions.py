"""`plan` and `apply`: definitions in YAML files, compared with what is in force."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.rendering import say

if TYPE_CHECKING:
    from onefold.app.definitions.applying import Plan
    from onefold.app.definitions.export import Exported
    from onefold.app.definitions.rehearsal import TestReport
    from onefold.app.identity.planning import Planned

Directory = Annotated[Path, typer.Argument(help="The folder with YAML files.", metavar="DIR")]
Prune = Annotated[bool, typer.Option("--prune", help="Take out what stands in no file.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    command(app, "plan")(plan)
    command(app, "apply")(apply)
    command(app, "export")(export)
    command(app, "test")(test)


def plan(
    call: Invocation,
    directory: Directory,
    prune: Prune = False,
    always: Annotated[
        bool, typer.Option("--try", help="Try identity rules, however many profiles there are.")
    ] = False,
) -> None:
    """Show what `apply` would change; change nothing.

    Where identity rules change, it says how many merges and splits they would make.

    Example: onefold plan ./definitions
    """
    from onefold.app.identity import planning

    planned = planning.plan(call.settings, directory, prune=prune, always=always)
    call.show(planned, _say_planned)


def apply(call: Invocation, directory: Directory, prune: Prune = False) -> None:
    """Put the definitions of a folder in force, all or none.

    Example: onefold apply ./definitions
    """
    from onefold.app.definitions import applying

    call.show(applying.apply(call.settings, directory, prune=prune), _say_plan)


def export(
    call: Invocation,
    directory: Directory,
    check: Annotated[
        bool, typer.Option("--check", help="Only compare; fail if files would change.")
    ] = False,
) -> int:
    """Write what is in force back into the files of a folder, and leave the rest as it is.

    What was changed by the API changes in the file where it stands, with its comments; new
    definitions get a file, and those that are no longer in force are removed.

    Example: onefold export ./definitions
    """
    from onefold.app.definitions.export import export as write_back

    found = write_back(call.settings, directory, check=check)
    call.show(found, _say_exported)
    return 1 if check and found.changes else 0


def test(
    call: Invocation,
    directory: Annotated[
        Path, typer.Argument(help="The folder with YAML files and their tests.", metavar="DIR")
    ],
    events: Annotated[
        Path | None,
        typer.Option(
            "--events", help="Events to hold against the tracking plans: a file of JSON lines."
        ),
    ] = None,
    source: Annotated[
        str, typer.Option("--source", help="The source that sends them; without it, any.")
    ] = "",
) -> int:
    """Run the tests that stand beside the definitions of a folder, or in its `*.test.yaml` files.

    Each gives events and says who should be in a segment, or what value a trait or tag should have.
    The samples of tracking plans are checked too, and the events of a file. They run on the real pipeline, in a store of their own: no server, no workspace is needed.

    Example: onefold test ./definitions
    """
    from onefold.app.definitions.rehearsal import run_tests

    report = run_tests(call.settings, directory, events=events, source=source)
    call.show(report, _say_tested)
    return 1 if report.failures else 0


def _say_tested(report: TestReport) -> None:
    for failure in report.failures:
        say(f"failed: {failure.where}: {failure.name}")
        for problem in failure.problems:
            say(f"    {problem}")
    passed = report.cases - len(report.failures)
    say(f"{passed} passed, {len(report.failures)} failed" if report.cases else "no tests")


def _say_exported(found: Exported) -> None:
    for one in found.changes:
        say(f"{one.file}: {one.action} {one.kind} {one.name}")
    if not found.changes:
        say("nothing to change")


def _say_planned(planned: Planned) -> None:
    _say_plan(planned)
    if trial := planned.identity:
        say(
            f"identity rules: would make {trial.merges:,} merges and {trial.splits:,} splits;"
            f" {trial.profiles:,} profiles now, {trial.profiles_then:,} then"
        )
        changed = [f"{one.segment} {one.then - one.now:+,}" for one in trial.segments]
        if changed:
            say(f"    segments: {', '.join(changed)}")
        say("    `onefold identity try` with the same folder shows which")
    elif planned.untried:
        say(
            f"identity rules change: `onefold identity try` says what they would do to"
            f" {planned.untried:,} profiles"
        )


def _say_plan(plan: Plan | Planned) -> None:
    for change in plan.changes:
        say(f"{change.action} {change.kind} {change.name}")
        for line in change.diff.splitlines():
            say(f"    {line}")
        if change.touches:
            touched = ", ".join(f"{one.kind} {one.name}" for one in change.touches)
            say(f"    touches: {touched}")
    for warning in plan.warnings:
        say(f"warning: {warning}")
    count = len(plan.changes)
    say(f"{count} change{'' if count == 1 else 's'}" if count else "nothing to change")
