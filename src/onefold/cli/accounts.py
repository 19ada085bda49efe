"""`account`: groups that people belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.golden import Name as Trait
from onefold.cli.golden import Until, Value, outranking, right_value
from onefold.cli.invocation import Invocation, command, parse_time
from onefold.cli.rendering import fields, say, structs

if TYPE_CHECKING:
    from onefold.app.groups.account_answers import AccountClaims

Id = Annotated[str, typer.Argument(metavar="ID", help="The account's id.")]
Who = Annotated[str, typer.Argument(metavar="KIND:VALUE", help="An identifier, or a profile's id.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")]
Cursor = Annotated[str, typer.Option("--cursor", help="`next` of the page before.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    account = typer.Typer(help="Accounts: groups that people belong to.", no_args_is_help=True)
    command(account, "list")(account_list)
    command(account, "show")(account_show)
    command(account, "members")(account_members)
    command(account, "why")(account_why)
    command(account, "history")(account_history)
    command(account, "add")(account_add)
    command(account, "remove")(account_remove)
    command(account, "correct")(account_correct)
    command(account, "release")(account_release)
    app.add_typer(account, name="account")


def account_list(call: Invocation, limit: Limit = 100, cursor: Cursor = "") -> None:
    """List the groups that `group` calls name, with how many people belong to each.

    Example: onefold account list
    """
    from onefold.app.groups import accounts

    page = accounts.account_list(call.settings, limit, cursor)
    call.show(page, lambda page: structs(page.items, "no accounts; `group` calls make them"))


def account_show(
    call: Invocation,
    name: Id,
    as_of: Annotated[str, typer.Option("--as-of", help="As it was at this ISO time.")] = "",
) -> None:
    """Show an account: its golden traits, what its members add up to, how many they are.

    Example: onefold account show acme
    """
    from onefold.app.groups import accounts

    if as_of:
        at = parse_time(as_of) or 0
        call.show(accounts.account_as_of(call.settings, name, at), fields)
    else:
        call.show(accounts.account(call.settings, name), fields)


def account_members(call: Invocation, name: Id, limit: Limit = 100, cursor: Cursor = "") -> None:
    """List who belongs to an account.

    Example: onefold account members acme
    """
    from onefold.app.groups import accounts

    page = accounts.account_members(call.settings, name, limit, cursor)
    call.show(page, lambda page: structs(page.items, "nobody"))


def account_why(
    call: Invocation,
    name: Id,
    trait: Annotated[str, typer.Option("--trait", help="Only this one.")] = "",
) -> None:
    """Show every claim of an account's traits: which won, which lost, and why.

    Example: onefold account why acme --trait plan
    """
    from onefold.app.groups import accounts

    def show(found: AccountClaims) -> None:
        for one in found.traits:
            say(f"{one.trait}  {one.value}  ({one.rule})")
            structs(one.claims, "nobody claims it")

    call.show(accounts.account_claims(call.settings, name, trait), show)


def account_history(
    call: Invocation,
    name: Id,
    limit: Limit = 100,
    cursor: Annotated[int, typer.Option("--cursor", help="`next` of the page before.")] = 0,
) -> None:
    """Show how an account's golden traits changed, the newest first.

    Example: onefold account history acme
    """
    from onefold.app.groups import accounts

    page = accounts.account_history(call.settings, name, limit, cursor)
    call.show(page, lambda page: structs(page.items, "nothing changed"))


def account_add(call: Invocation, name: Id, who: Who) -> None:
    """Say that somebody belongs to an account.

    Example: onefold account add acme email:ann@example.com
    """
    from onefold.app.groups import belonging

    call.show(belonging.account_add(call.settings, name, who), fields)


def account_remove(call: Invocation, name: Id, who: Who) -> None:
    """Say that somebody belongs to an account no more, until a source says so again.

    Example: onefold account remove acme email:ann@example.com
    """
    from onefold.app.groups import belonging

    call.show(belonging.account_remove(call.settings, name, who), fields)


def account_correct(
    call: Invocation, name: Id, trait: Trait, value: Value, until: Until = "forever"
) -> None:
    """Correct a value; it outranks what sources say.

    Example: onefold account correct acme plan pro --until next
    """
    from onefold.app.groups import account_correcting

    holds, at = outranking(until)
    made = account_correcting.account_correct(
        call.settings, name, trait, right_value(value), holds=holds, until=at
    )
    call.show(made, fields)


def account_release(call: Invocation, name: Id, trait: Trait) -> None:
    """Take the correction of a trait back: sources decide again.

    Example: onefold account release acme plan
    """
    from onefold.app.groups import account_correcting

    call.show(account_correcting.account_release(call.settings, name, trait), fields)
