"""Correcting the values of traits."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Router, delete, put
from litestar.params import FromPath, RawBody

from onefold.app.profiles.correcting import Corrected, trait_correct, trait_release
from onefold.serve.api.doors import Actor, FromContext, decoded, parse_time, read, requires


class RightValue(msgspec.Struct, forbid_unknown_fields=True):
    """The right value, null for none; how long it outranks: `forever`, `next`, or an ISO time."""

    value: Any
    until: str = "forever"

    @property
    def outranking(self) -> tuple[Any, int]:
        """How long it holds, and the time (µs) if it is until then."""
        holds = self.until if self.until in ("forever", "next") else "until"
        return holds, parse_time(self.until, "until") if holds == "until" else 0


@put(
    "/{reference:str}/traits/{name:str}",
    summary="Correct a trait",
    opt={"body": RightValue},
    guards=[requires("editor")],
)
async def correct_trait(
    context: FromContext,
    actor: Actor,
    reference: FromPath[str],
    name: FromPath[str],
    body: RawBody,
) -> Corrected:
    """Outranks what all sources say: for ever, until a time, or until one says something new (`next`)."""
    right = read(body, RightValue)
    holds, until = right.outranking
    who, trait = decoded(reference, "reference"), decoded(name, "name")

    def correct() -> Corrected:
        return trait_correct(
            context.settings, who, trait, right.value, holds=holds, until=until, actor=actor
        )

    return await context.commands.run(correct)


@delete(
    "/{reference:str}/traits/{name:str}",
    summary="Take a correction back",
    status_code=200,
    guards=[requires("editor")],
)
async def take_correction_back(
    context: FromContext, actor: Actor, reference: FromPath[str], name: FromPath[str]
) -> Corrected:
    """Sources decide again."""
    who, trait = decoded(reference, "reference"), decoded(name, "name")
    return await context.commands.run(trait_release, context.settings, who, trait, actor=actor)


CORRECTING = Router(
    "/api/profiles", route_handlers=[correct_trait, take_correction_back], tags=["profiles"]
)
