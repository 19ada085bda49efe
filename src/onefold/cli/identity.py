"""`identity`: who is who: why, what people decide, and what waits for their word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli import reviewing
from onefold.cli.invocation import Invocation, command
from onefold.cli.rendering import fields, moment, say, structs

if TYPE_CHECKING:
    from onefold.app.identity.rule_answers import RuleComparison
    from onefold.app.identity.trial_answers import IdentityTrial, TrialExample, TriedLink

Left = Annotated[str, typer.Argument(metavar="KIND:VALUE", help="An identifier.")]
Right = Annotated[str, typer.Argument(metavar="KIND:VALUE", help="Another identifier.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    identity = typer.Typer(help="Who is who, why, and what people decide.", no_args_is_help=True)
    command(identity, "why")(identity_why)
    command(identity, "same")(identity_same)
    command(identity, "apart")(identity_apart)
    command(identity, "forget")(identity_forget)
    reviewing.add_to(identity)
    command(identity, "later")(identity_later)
    command(identity, "merges")(identity_merges)
    command(identity, "undo")(identity_undo)
    command(identity, "try")(identity_try)
    command(identity, "cluster")(identity_cluster)
    command(identity, "compare")(identity_compare)
    app.add_typer(identity, name="identity")


def identity_why(call: Invocation, left: Left, right: Right) -> None:
    """Show the chain of evidence that makes two identifiers one person, or what stands between.

    Example: onefold identity why email:ann@example.com user_id:ann
    """
    from onefold.app.identity import why

    call.show(why.identity_why(call.settings, left, right), fields)


def identity_same(call: Invocation, left: Left, right: Right) -> None:
    """Say that two identifiers are the same person, whatever the evidence.

    Example: onefold identity same crm_id:17 user_id:ann
    """
    from onefold.app.identity import decisions

    call.show(decisions.identity_decide(call.settings, left, right, "same"), fields)


def identity_apart(call: Invocation, left: Left, right: Right) -> None:
    """Say that two identifiers are not the same person: undoes a merge, with all that it brought.

    Example: onefold identity apart user_id:ann user_id:bob
    """
    from onefold.app.identity import decisions

    call.show(decisions.identity_decide(call.settings, left, right, "apart"), fields)


def identity_forget(call: Invocation, left: Left, right: Right) -> None:
    """Take back what was said of two identifiers: the evidence decides again.

    Example: onefold identity forget user_id:ann user_id:bob
    """
    from onefold.app.identity import decisions

    call.show(decisions.identity_decide(call.settings, left, right, "open"), fields)


def identity_later(call: Invocation, left: Left, right: Right) -> None:
    """Put a review off.

    Example: onefold identity later email:ann@example.com email:a.lee@example.com
    """
    from onefold.app.identity import decisions

    decisions.review_put_off(call.settings, left, right, "later")
    call.show({"left": left, "right": right, "state": "later"}, fields)


def identity_merges(
    call: Invocation,
    reference: Annotated[
        str, typer.Argument(metavar="KIND:VALUE", help="Of this profile only.")
    ] = "",
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=1_000)] = 100,
) -> None:
    """List merges, newest first, with the id by which each can be undone.

    Example: onefold identity merges user_id:ann
    """
    from onefold.app.identity import undoing

    found = undoing.merges(call.settings, reference, limit)
    call.show(found, lambda page: structs(page.items, "no merges"))


def identity_undo(
    call: Invocation,
    merge: Annotated[str, typer.Argument(metavar="MERGE", help="Its id, such as 184-3.")],
    back: Annotated[bool, typer.Option("--back", help="Take the undoing back.")] = False,
) -> None:
    """Undo a merge, however long ago: each side has what it had, and what came to it since.

    Example: onefold identity undo 184-3
    """
    from onefold.app.identity import undoing

    do = undoing.merge_redo if back else undoing.merge_undo
    call.show(do(call.settings, merge), fields)


def identity_try(
    call: Invocation,
    directory: Annotated[Path, typer.Argument(help="The folder with YAML files.", metavar="DIR")],
    prune: Annotated[
        bool, typer.Option("--prune", help="Rules that stand in no file count for nothing.")
    ] = False,
    show: Annotated[
        int, typer.Option("--show", min=0, max=20, help="Show so many examples of each kind.")
    ] = 5,
) -> None:
    """Show what the identity rules of a folder would do to everybody; change nothing.

    How many merges and splits they would make, examples with the links behind them, and which
    segments would have other members: by the computation that `apply` sets in motion.

    Example: onefold identity try ./definitions
    """
    from onefold.app.identity.trial import try_identity

    found = try_identity(call.settings, directory, prune=prune)
    call.show(found, lambda trial: _say_trial(trial, show))


def identity_cluster(
    call: Invocation,
    links: Annotated[Path, typer.Argument(metavar="LINKS", help="CSV or Parquet.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Each identifier with its profile: Parquet.")
    ],
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="DIR", help="Definitions to go by.")
    ] = None,
) -> None:
    """Find out who is who in a file of links between identifiers, without any server.

    Its columns are left_kind, left_value, right_kind and right_value; if known, rank (0 asserted, 1 seen
    beside a user id, 2 else) and time (microseconds).

    Example: onefold identity cluster links.parquet -o people.parquet --rules ./definitions
    """
    from onefold.app.identity.link_files import cluster_links

    found = cluster_links(links, output, rules)
    call.show(
        found,
        lambda one: say(
            f"{one.links:,} links, {one.identifiers:,} identifiers, {one.profiles:,} profiles"
        ),
    )


def identity_compare(
    call: Invocation,
    links: Annotated[Path, typer.Argument(metavar="LINKS", help="CSV or Parquet.")],
    after: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with identity rules.")],
    before: Annotated[
        Path | None,
        typer.Option(
            "--before", metavar="DIR", help="The rules to compare with; else built-in ones."
        ),
    ] = None,
    show: Annotated[
        int, typer.Option("--show", min=0, max=20, help="Show so many examples of each kind.")
    ] = 5,
) -> None:
    """Show what two sets of identity rules make of the same file of links, without any server.

    The file is as for `identity cluster`. `identity try` asks the same of everybody in a workspace.

    Example: onefold identity compare links.parquet ./new-rules --before ./old-rules
    """
    from onefold.app.identity.rule_comparison import compare_rules

    found = compare_rules(links, before, after)
    call.show(found, lambda one: _say_comparison(one, show))


def _say_comparison(found: RuleComparison, show: int) -> None:
    say(f"{found.merges:,} merges and {found.splits:,} splits")
    say(f"profiles: {found.profiles_before:,} before, {found.profiles_after:,} after")
    for name, examples in (("merges", found.merge_examples), ("splits", found.split_examples)):
        for number, one in enumerate(examples[:show], start=1):
            say(f"\n{name}, example {number}")
            for title, people in (("before", one.before), ("after ", one.after)):
                for person in people:
                    say(f"  {title}  {', '.join(person)}")


def _say_trial(found: IdentityTrial, show: int) -> None:
    say(
        f"{found.merges:,} merges and {found.splits:,} splits; {found.moved:,} identifiers would be"
        " somebody else's"
    )
    say(f"profiles: {found.profiles:,} now, {found.profiles_then:,} then")
    say(f"waiting for a person's word: {found.waiting:,} now, {found.waiting_then:,} then")
    if found.segments:
        say("")
        structs(found.segments, "")
    if found.uncounted:
        say(f"not evaluated now: {', '.join(found.uncounted)}")
    kinds = (
        ("merges", found.merge_examples),
        ("splits", found.split_examples),
        ("moves", found.move_examples),
    )
    for name, examples in kinds:
        for number, one in enumerate(examples[:show], start=1):
            say(f"\n{name}, example {number}")
            _say_example(one)


def _say_example(one: TrialExample) -> None:
    for title, people in (("now ", one.before), ("then", one.after)):
        for person in people:
            more = ", \N{HORIZONTAL ELLIPSIS}" if person.count > len(person.identifiers) else ""
            known = person.profile or "(new)"
            say(f"  {title}  {known:13}  {', '.join(person.identifiers)}{more}")
    for link in one.joined:
        say(f"  holds then: {_link(link)}{_rule(link, '; now ')}")
    for link in one.parted:
        say(f"  holds no longer: {_link(link)}{_rule(link, '; then ')}")


def _link(link: TriedLink) -> str:
    return f"{link.left} - {link.right} ({link.evidence}, {moment(link.time)})"


def _rule(link: TriedLink, when: str) -> str:
    if not link.reason:
        return ""
    version = f", version {link.version}" if link.version else ", built in"
    return f"{when}{link.reason}: {link.says} ({link.rule}{version})"
