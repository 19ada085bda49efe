"""Who is who: why, what people decide, and what waits for their word."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, get, post
from litestar.params import FromPath, FromQuery, RawBody

from onefold.app.identity.decisions import (
    Decision,
    Verdict,
    WhyIdentity,
    identity_decide,
)
from onefold.app.identity.jobs import ask_trial
from onefold.app.identity.merge_answers import MergePage, Undone
from onefold.app.identity.rule_answers import Rivals, RuleComparison
from onefold.model.job import Job
from onefold.serve import questions
from onefold.serve.api.collections import IfMatch, expected_version, handlers_of, list_of
from onefold.serve.api.definitions import YAML, yaml_text
from onefold.serve.api.doors import (
    Actor,
    Cursor,
    FromContext,
    Limit,
    decoded,
    parse_flag,
    read,
    requires,
)
from onefold.serve.api.reviewing import REVIEWING

Reference = Annotated[str, msgspec.Meta(min_length=3, max_length=600)]


class Judgment(msgspec.Struct, forbid_unknown_fields=True):
    """Two identifiers (`KIND:VALUE`), and whether they are the same person; `open` takes that back."""

    left: Reference
    right: Reference
    verdict: Verdict


@get("/why", summary="Why two identifiers are one person", guards=[requires("reader")])
async def why_identity(
    context: FromContext, left: FromQuery[str], right: FromQuery[str]
) -> WhyIdentity:
    """The chain of evidence between them, or what stands between them."""
    return await context.lake.run(questions.identity_why, context.settings, left, right)


@post(
    "/decisions",
    summary="Decide who is who",
    status_code=202,
    opt={"body": Judgment},
    guards=[requires("editor")],
)
async def decide_identity(
    context: FromContext, actor: Actor, body: RawBody, if_match: IfMatch = ""
) -> Decision:
    """It outranks all evidence, is undone by another decision, and holds in a rebuild.

    `If-Match` is the `version` of a review: 412 if that has changed; 409 while it is with another.
    """
    given = read(body, Judgment)
    return await context.commands.run(
        identity_decide,
        context.settings,
        given.left,
        given.right,
        given.verdict,
        actor=actor,
        version=expected_version(if_match),
    )


@get("/merges", summary="Merges of the past", guards=[requires("reader")])
async def list_merges(
    context: FromContext,
    profile: FromQuery[str] = "",
    limit: Limit = 100,
    cursor: Cursor = "",
) -> MergePage:
    """Merges of one profile or of everybody, newest first; by its id each can be undone."""
    return await context.lake.run(questions.merges, context.settings, profile, limit, cursor)


@post(
    "/merges/{merge:str}/undo",
    summary="Undo a merge",
    status_code=202,
    guards=[requires("editor")],
)
async def undo_merge(context: FromContext, actor: Actor, merge: FromPath[str]) -> Undone:
    """However long ago: each side has what it had, and what came to it since; in a moment.

    409 if they are two people already.
    """
    given = decoded(merge, "merge")
    return await context.lake.run(
        questions.merge_undo, context.settings, given, back=False, actor=actor
    )


@post(
    "/merges/{merge:str}/redo",
    summary="Take the undoing of a merge back",
    status_code=202,
    guards=[requires("editor")],
)
async def redo_merge(context: FromContext, actor: Actor, merge: FromPath[str]) -> Undone:
    """What people said before of the same identifiers holds again; 409 if it is not undone."""
    given = decoded(merge, "merge")
    return await context.lake.run(
        questions.merge_undo, context.settings, given, back=True, actor=actor
    )


@post(
    "/try",
    summary="Try identity rules on everybody",
    status_code=202,
    guards=[requires("analyst")],
    opt={"body": YAML},
)
async def try_rules(
    context: FromContext, actor: Actor, body: RawBody, prune: FromQuery[str | None] = None
) -> Job:
    """How many merges and splits the rules of a YAML text would make, 20 examples of each with
    the links that hold then or no longer and why, and what becomes of the segments.

    A job looks at everybody, and changes nothing; its `result` tells. With `prune`, rules that are in
    force but do not stand in the text count for nothing.
    """
    text, all_named = yaml_text(body), parse_flag(prune, "prune")
    return await context.commands.run(
        ask_trial, context.settings, text, prune=all_named, actor=actor
    )


@post(
    "/compare",
    summary="Compare two sets of identity rules",
    status_code=200,
    guards=[requires("reader")],
    opt={"body": Rivals},
)
async def compare_rules(context: FromContext, body: RawBody) -> RuleComparison:
    """What they make of the links in the request: merges, splits and 20 examples of each.

    `before` and `after` are YAML texts with definitions; an empty one stands for the rules that hold
    without any. Nothing is kept.
    """
    given = read(body, Rivals)
    return await context.lake.run(questions.compare_given, given)


IDENTITY = Router(
    "/api/identity",
    route_handlers=[
        list_of("identity", "identity rules"),
        why_identity,
        decide_identity,
        *REVIEWING,
        list_merges,
        undo_merge,
        redo_merge,
        try_rules,
        compare_rules,
        *handlers_of("identity"),
    ],
    tags=["identity"],
)
