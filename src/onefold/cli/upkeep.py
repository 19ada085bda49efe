"""`doctor`, `rebuild`, `replay`, `rejects`, `dead`: keeping it well, and putting things right."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.invocation import Invocation, command, parse_time
from onefold.cli.rendering import fields, say, structs, table
from onefold.model.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from onefold.app.folding.rebuild import RebuildReport
    from onefold.app.rejects import Replayed

Limit = Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="At most so many.")]
_LARGEST = 2**63 - 1
After = Annotated[
    int, typer.Option("--after", min=0, max=_LARGEST, help="Only those after this id.")
]
Ids = Annotated[
    list[int] | None, typer.Argument(help="Their ids.", metavar="ID", min=0, max=_LARGEST)
]
All = Annotated[bool, typer.Option("--all", help="All of them.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    command(app, "doctor", every_flag=True)(doctor)
    command(app, "rebuild")(rebuild)
    command(app, "replay")(replay)
    rejects = typer.Typer(help="Events that could not be used.", no_args_is_help=True)
    command(rejects, "list")(rejects_list)
    command(rejects, "show")(rejects_show)
    command(rejects, "replay")(rejects_replay)
    app.add_typer(rejects, name="rejects")
    dead = typer.Typer(help="Deliveries that were given up.", no_args_is_help=True)
    command(dead, "list")(dead_list)
    command(dead, "replay")(dead_replay)
    app.add_typer(dead, name="dead")


def doctor(call: Invocation) -> int:
    """Check everything that commonly goes wrong, and say what to do about it.

    Example: onefold doctor
    """
    from onefold.cli.diagnosis import findings
    from onefold.cli.facts import gather

    found = findings(gather(call.settings))
    rows = [(one.state, one.check, one.detail, one.advice) for one in found]
    call.show(found, lambda _: table(("state", "check", "found", "what to do"), rows))
    return 1 if any(one.state == "failed" for one in found) else 0


def rebuild(
    call: Invocation,
    check: Annotated[
        bool, typer.Option("--check", help="Compare only; fail if there are differences.")
    ] = False,
) -> int:
    """Fold all events again and put right what differs; with --check, only say what does.

    Example: onefold rebuild --check
    """
    from onefold.app.folding import rebuild as rebuilding

    report = (rebuilding.check_rebuild if check else rebuilding.rebuild)(call.settings)
    call.show(report, _say_rebuilt)
    return 1 if check and report.differences else 0


def replay(
    call: Invocation,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Events received from then on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Events received before then.")
    ] = None,
) -> None:
    """Process the events again that the log still holds; what is known already changes nothing.

    Useful after a fault of Onefold's own was mended. What was rejected is tried again as well.

    Example: onefold replay --since 2026-01-31T10:00Z
    """
    from onefold.app.replay import replay as replay_log

    call.show(replay_log(call.settings, parse_time(since), parse_time(until)), fields)


def rejects_list(
    call: Invocation,
    source: Annotated[str, typer.Option("--source", help="Only of this source.")] = "",
    limit: Limit = 100,
    after: After = 0,
) -> None:
    """List events that could not be used, with every reason.

    Example: onefold rejects list --source shop
    """
    from onefold.app import rejects

    call.show(
        rejects.reject_list(call.settings, source, limit=limit, after=after),
        lambda found: structs(found, "no rejects"),
    )


def rejects_show(
    call: Invocation,
    reject: Annotated[int, typer.Argument(metavar="ID", help="Its id.", min=0, max=_LARGEST)],
) -> None:
    """Show one reject with the bytes that came.

    Example: onefold rejects show 17
    """
    from onefold.app import rejects

    call.show(rejects.reject_show(call.settings, reject), fields)


def rejects_replay(
    call: Invocation,
    ids: Ids = None,
    everything: All = False,
    body: Annotated[
        Path | None,
        typer.Option("--body", metavar="FILE", help="A corrected body for the one; - is stdin."),
    ] = None,
) -> None:
    """Process rejects again: as they are, or one of them with a corrected body.

    A body to correct is printed by `onefold rejects show 17 --json`, as its `raw`.

    Example: onefold rejects replay 17 --body fixed.json
    """
    from onefold.app import rejects

    chosen = _chosen(ids, everything)
    replayed = rejects.reject_replay(call.settings, chosen, raw=_read(body))
    call.show(replayed, _say_replayed)


def dead_list(
    call: Invocation,
    destination: Annotated[
        str, typer.Option("--destination", help="Only of this destination.")
    ] = "",
    limit: Limit = 100,
    after: After = 0,
) -> None:
    """List deliveries that were given up, with the reason.

    Example: onefold dead list --destination crm
    """
    from onefold.app import rejects

    call.show(
        rejects.dead_list(call.settings, destination, limit=limit, after=after),
        lambda found: structs(found, "no dead letters"),
    )


def dead_replay(call: Invocation, ids: Ids = None, everything: All = False) -> None:
    """Try given-up deliveries again.

    Example: onefold dead replay 3 4
    """
    from onefold.app import rejects

    call.show(rejects.dead_replay(call.settings, _chosen(ids, everything)), _say_replayed)


def _chosen(ids: list[int] | None, everything: bool) -> list[int] | None:
    if bool(ids) == everything:
        raise InvalidInput("Name ids, or say --all.", [Fault("`list` shows the ids")])
    return None if everything else ids


def _read(body: Path | None) -> bytes | None:
    if body is None:
        return None
    try:
        return sys.stdin.buffer.read() if str(body) == "-" else body.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{body} cannot be read: {error.strerror}.") from error


def _say_rebuilt(report: RebuildReport) -> None:
    say(f"{report.events} events, {report.profiles} profiles")
    for one in report.differences:
        say(f"{one.profile} {one.what}: live {one.live!r}, rebuilt {one.rebuilt!r}")
    count = len(report.differences)
    say(f"{count} difference{'' if count == 1 else 's'}" if count else "no differences")


def _say_replayed(replayed: Replayed) -> None:
    say(f"{replayed.count} put back")
