"""What definitions may say of the traits of accounts: every fault."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from onefold.app.definitions.golden_checks import TRAIT_KEYS
from onefold.model.errors import Fault
from onefold.unify.aggregates import AGGREGATES

KEYS = (TRAIT_KEYS - {"unique"}) | {"aggregate", "of"}
"""What a trait of accounts may say beside its type."""


def account_trait_faults(body: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with how a trait of accounts is added up of the members."""
    how = body.get("aggregate")
    if how is None:
        if "of" in body:
            yield Fault("says of what, but not how", "of", "write `aggregate:` too")
        return
    if how not in AGGREGATES:
        near = difflib.get_close_matches(str(how), AGGREGATES, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(AGGREGATES)}"
        yield Fault(f"aggregate {how!r} is not known", "aggregate", hint)
    of = body.get("of", "")
    if not isinstance(of, str):
        yield Fault("must be the name of a trait, a computed trait or a tag", "of")
    elif not of and how != "count":
        yield Fault(
            f"{how} of what?", "aggregate", "write `of:` with the name of a trait of people"
        )
    claimed = sorted((KEYS - {"aggregate", "of", "unit", "pii"} | {"type"}) & body.keys())
    if claimed:
        names = ", ".join(claimed)
        yield Fault(f"{names} belongs to traits that sources claim", "aggregate")
