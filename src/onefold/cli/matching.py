"""`match`: records that share no identifier: models, and who may be whom."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.invocation import Invocation, command
from onefold.cli.rendering import fields, say, structs, table

if TYPE_CHECKING:
    from onefold.app.matching.answers import MatchCandidates

Version = Annotated[str, typer.Argument(metavar="VERSION", help="A model, as `models` lists it.")]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column", metavar="TRAIT=ROLE", help="What a trait holds, if its name does not say it."
    ),
]
Region = Annotated[
    str | None, typer.Option("--region", help="Country of telephone numbers that name none.")
]
Record = Annotated[str, typer.Argument(metavar="JSON", help="Traits of a person, as an object.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    match = typer.Typer(
        help="Find people who share no identifier, by how much they agree.", no_args_is_help=True
    )
    command(match, "train")(match_train)
    command(match, "add")(match_add)
    command(match, "models")(match_models)
    command(match, "compare")(match_compare)
    command(match, "use")(match_use)
    command(match, "off")(match_off)
    command(match, "score")(match_score)
    command(match, "candidates")(match_candidates)
    app.add_typer(match, name="match")


def match_train(call: Invocation, column: Columns = None, region: Region = None) -> None:
    """Train a model on what is claimed of everybody. It is kept, not yet in force.

    Example: onefold match train --region DE
    """
    from onefold.app.matching import models

    call.show(models.match_train(call.settings, _columns(column), region), fields)


def match_add(
    call: Invocation,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A model's JSON file.")],
) -> None:
    """Keep a model that was trained elsewhere, as by `dedupe --save-model`.

    Example: onefold match add model.json
    """
    from onefold.app.matching import models
    from onefold.model.errors import NotFound

    if not file.is_file():
        raise NotFound(f"there is no file {file}")
    call.show(models.match_add(call.settings, file.read_bytes()), fields)


def match_models(call: Invocation) -> None:
    """List the models, the newest first.

    Example: onefold match models
    """
    from onefold.app.matching import models

    call.show(
        models.match_models(call.settings),
        lambda found: structs(found, "there is none; `onefold match train` makes one"),
    )


def match_compare(
    call: Invocation, version: Version, column: Columns = None, region: Region = None
) -> None:
    """Say what would change if a model came in force: a dry run over all records.

    Example: onefold match compare 544bae578e245cf5
    """
    from onefold.app.matching import models

    call.show(models.match_compare(call.settings, version, _columns(column), region), fields)


def match_use(
    call: Invocation, version: Version, column: Columns = None, region: Region = None
) -> None:
    """Put a model in force: everybody is matched by it, in the background.

    Example: onefold match use 544bae578e245cf5
    """
    from onefold.app.matching import models

    call.show(models.match_use(call.settings, version, _columns(column), region), fields)


def match_off(call: Invocation) -> None:
    """Take the model out of force: what it joined is parted again.

    Example: onefold match off
    """
    from onefold.app.matching import models

    models.match_off(call.settings)
    call.show({"in_force": None}, lambda _: say("no match model is in force"))


def match_score(
    call: Invocation,
    left: Record,
    right: Record,
    model: Annotated[
        str, typer.Option("--model", help="A model's version; else that in force.")
    ] = "",
) -> None:
    """Say how much two records are alike, and what that is made of.

    Example: onefold match score '{"first_name": "Ann", "city": "Bonn"}' '{"first_name": "Anne"}'
    """
    from onefold.app.matching import asking

    found = asking.match_score(call.settings, _record(left, "left"), _record(right, "right"), model)
    call.show(found, fields)


def match_candidates(
    call: Invocation,
    record: Record,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=100)] = 20,
) -> None:
    """Find who may be the person that a record is about, most likely first.

    Example: onefold match candidates '{"first_name": "Ann", "last_name": "Lee", "zip": "62704"}'
    """
    from onefold.app.matching import asking

    found = asking.match_candidates(call.settings, _record(record, "record"), limit)
    call.show(found, _say_candidates)


def _say_candidates(found: MatchCandidates) -> None:
    if not found.items:
        say("nobody is alike")
        return
    table(
        ("identifier", "profile", "weight", "probability", "decision"),
        [
            (
                one.identifier,
                one.profile,
                f"{one.match.weight:.2f}",
                f"{one.match.probability:.4f}",
                one.match.decision,
            )
            for one in found.items
        ],
    )


def _columns(given: list[str] | None) -> dict[str, str]:
    from onefold.model.errors import InvalidInput

    found = {}
    for one in given or []:
        name, equals, role = one.rpartition("=")
        if not equals or not name:
            raise InvalidInput(f"{one!r} does not say what a trait holds: write TRAIT=ROLE")
        found[name] = role
    return found


def _record(text: str, where: str) -> dict[str, Any]:
    import msgspec

    from onefold.model.errors import Fault, InvalidInput

    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        hint = """write an object, such as '{"first_name": "Ann"}'"""
        raise InvalidInput("the record cannot be read", [Fault(str(error), where, hint)]) from error
