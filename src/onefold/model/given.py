"""What is not said by a source: tags set by people or imported, lists, what was refreshed.

All of it is kept as traits whose names only Onefold may use, so it survives merges and splits
like any claim, and rules, previews and other engines read it like any trait.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

INTERNAL = "onefold"
"""The source of claims that come from people and lists, through the log like everything else."""
CLAIMS = "claims"
"""The kind of an accepted call that holds them."""
EVENT = "$claim"
"""The name of the event that each becomes."""
CORRECTED = "$correct."
"""How the names of the traits begin that hold what people corrected."""
SAME = "$same"
"""What a decision says of two identifiers: they are the same person (true), are not (false), no word (null)."""
ACCOUNT = "$account."
"""How the names begin that say whether somebody belongs to an account: `{"$account.acme": true}`."""
ACCOUNTS = "$account"
"""The kind of what a claim about an account is given to: nobody's identifier."""
HOME = "$home"
"""The same of whether they live together."""
RESERVED = ("$tag.", "$list.", CORRECTED, SAME, ACCOUNT, HOME)
Holds = Literal["forever", "until", "next"]


def tag_trait(tag: str) -> str:
    """The trait that holds what a tag was given: `{"value": …, "at": µs}`."""
    return f"$tag.{tag}"


def list_trait(segment: str) -> str:
    """The trait that says in which version of a segment's list somebody stands: `{"version": 3}`."""
    return f"$list.{segment}"


class Correction(msgspec.Struct, frozen=True):
    """A value that a person says is the right one, and how long it outranks all sources.

    It holds for ever, until a time (µs), or until a source says what was not `said` before.
    """

    value: Any
    by: str
    holds: Holds = "forever"
    until: int = 0
    said: tuple[Any, ...] = ()


def correction_trait(trait: str) -> str:
    """The trait that holds the correction of another."""
    return f"{CORRECTED}{trait}"


def correction_of(value: Any) -> Correction:
    """A correction as its claim holds it."""
    return msgspec.convert(value, Correction)


def is_reserved(trait: str) -> bool:
    """May only Onefold itself claim it?"""
    return trait.startswith(RESERVED)


def visible(traits: Mapping[str, Any]) -> dict[str, Any]:
    """The traits that sources claim."""
    return {name: value for name, value in traits.items() if not name.startswith(RESERVED)}


def visible_sql(traits: str) -> str:
    """`visible` in SQL, of traits as JSON; they are rarely more than what sources claim."""
    others = " or ".join(f"starts_with(k, '{prefix}')" for prefix in RESERVED)
    keys = f"list_filter(json_keys({traits}), lambda k: not ({others}))"
    pointer = "'/' || replace(replace(k, '~', '~0'), '/', '~1')"
    entry = f"struct_pack(k := k, v := json_extract({traits}, {pointer}))"
    shown = f"to_json(map_from_entries(list_transform({keys}, lambda k: {entry})))"
    return f"case when contains({traits}, '\"$') then cast({shown} as varchar) else {traits} end"


class GivenClaim(msgspec.Struct, frozen=True):
    """Traits given to whoever an identifier, normalized, belongs to; now, or once it appears.

    With another identifier (`other`) it is a decision on both: `{"$same": true}`, `{"$home": true}`.
    """

    id: str
    time: int
    kind: str
    value: str
    traits: dict[str, Any]
    by: str = ""
    other: tuple[str, str] | None = None


class GivenClaims(msgspec.Struct, frozen=True):
    """The body of an accepted call of this kind."""

    batch: list[GivenClaim]


encode_claims = msgspec.json.Encoder().encode
decode_claims = msgspec.json.Decoder(GivenClaims).decode
