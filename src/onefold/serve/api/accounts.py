"""Accounts: groups that people belong to."""

from __future__ import annotations

from litestar import Router, delete, get, put
from litestar.params import FromPath, FromQuery, RawBody

from onefold.app.groups.account_answers import (
    AccountClaims,
    AccountHistory,
    AccountPage,
    AccountView,
    Belonging,
    MemberPage,
)
from onefold.app.groups.account_correcting import account_correct, account_release
from onefold.app.groups.belonging import account_add, account_remove
from onefold.app.profiles.correcting import Corrected
from onefold.serve import questions
from onefold.serve.api.correcting import RightValue
from onefold.serve.api.doors import (
    Actor,
    Cursor,
    FromContext,
    Limit,
    decoded,
    number,
    parse_time,
    read,
    requires,
)

_READER, _EDITOR = [requires("reader")], [requires("editor")]


@get("", summary="All accounts", guards=_READER)
async def list_accounts(
    context: FromContext, limit: Limit = 100, cursor: Cursor = ""
) -> AccountPage:
    """The groups that `group` calls name, by id, with traits and how many people belong to each."""
    return await context.lake.run(questions.account_list, context.settings, limit, cursor)


@get("/{account:str}", summary="One account", guards=_READER)
async def show_account(
    context: FromContext, account: FromPath[str], as_of: FromQuery[str | None] = None
) -> AccountView:
    """Its golden traits, what its members add up to, and how many they are.

    `as_of` gives it as it was at an ISO time; then nothing is added up.
    """
    named, settings = decoded(account, "account"), context.settings
    if as_of is not None:
        at = parse_time(as_of, "as_of")
        return await context.lake.run(questions.account_as_of, settings, named, at)
    return await context.lake.run(questions.account, settings, named)


@get("/{account:str}/members", summary="Who belongs to an account", guards=_READER)
async def list_account_members(
    context: FromContext, account: FromPath[str], limit: Limit = 100, cursor: Cursor = ""
) -> MemberPage:
    """Its people, in an order that does not change: those who come in meanwhile may be missed."""
    named = decoded(account, "account")
    return await context.lake.run(questions.account_members, context.settings, named, limit, cursor)


@get("/{account:str}/claims", summary="Why an account's traits are what they are", guards=_READER)
async def list_account_claims(
    context: FromContext, account: FromPath[str], trait: FromQuery[str] = ""
) -> AccountClaims:
    """All that is claimed of each trait, or of one: which claim won, which lost, and why."""
    named = decoded(account, "account")
    return await context.lake.run(questions.account_claims, context.settings, named, trait)


@get("/{account:str}/history", summary="An account's changes", guards=_READER)
async def list_account_history(
    context: FromContext, account: FromPath[str], limit: Limit = 100, cursor: Cursor = ""
) -> AccountHistory:
    """How its golden traits changed, the newest first."""
    named, before = decoded(account, "account"), number(cursor)
    return await context.lake.run(questions.account_history, context.settings, named, limit, before)


@put("/{account:str}/members/{reference:str}", summary="Put somebody in an account", guards=_EDITOR)
async def add_account_member(
    context: FromContext, actor: Actor, account: FromPath[str], reference: FromPath[str]
) -> Belonging:
    """Whoever has the identifier belongs to it, as if a source had said so."""
    named, who = decoded(account, "account"), decoded(reference, "reference")
    return await context.commands.run(account_add, context.settings, named, who, actor=actor)


@delete(
    "/{account:str}/members/{reference:str}",
    summary="Take somebody out of an account",
    status_code=200,
    guards=_EDITOR,
)
async def remove_account_member(
    context: FromContext, actor: Actor, account: FromPath[str], reference: FromPath[str]
) -> Belonging:
    """They belong to it no more, until a source says so again."""
    named, who = decoded(account, "account"), decoded(reference, "reference")
    return await context.commands.run(account_remove, context.settings, named, who, actor=actor)


@put(
    "/{account:str}/traits/{name:str}",
    summary="Correct an account's trait",
    opt={"body": RightValue},
    guards=_EDITOR,
)
async def correct_account_trait(
    context: FromContext,
    actor: Actor,
    account: FromPath[str],
    name: FromPath[str],
    body: RawBody,
) -> Corrected:
    """Outranks what all sources say: for ever, until a time, or until one says something new (`next`)."""
    right = read(body, RightValue)
    holds, until = right.outranking
    named, trait = decoded(account, "account"), decoded(name, "name")

    def correct() -> Corrected:
        return account_correct(
            context.settings, named, trait, right.value, holds=holds, until=until, actor=actor
        )

    return await context.commands.run(correct)


@delete(
    "/{account:str}/traits/{name:str}",
    summary="Take an account's correction back",
    status_code=200,
    guards=_EDITOR,
)
async def take_account_correction_back(
    context: FromContext, actor: Actor, account: FromPath[str], name: FromPath[str]
) -> Corrected:
    """Sources decide again."""
    named, trait = decoded(account, "account"), decoded(name, "name")
    return await context.commands.run(account_release, context.settings, named, trait, actor=actor)


ACCOUNTS = Router(
    "/api/accounts",
    route_handlers=[
        list_accounts,
        show_account,
        list_account_members,
        list_account_claims,
        list_account_history,
        add_account_member,
        remove_account_member,
        correct_account_trait,
        take_account_correction_back,
    ],
    tags=["accounts"],
)
