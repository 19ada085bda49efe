"""What is asked of the services over records, and what they answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from onefold.model.person import Person

MOST_RECORDS = 1_000
Scalar = None | bool | int | float | str
Record = dict[str, Scalar]
Name = Annotated[str, Meta(max_length=200)]
Columns = Annotated[dict[str, str], Meta(max_length=500)]


class Records(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Records about people, as they were written.

    `columns` says what each column holds, by its header; columns that it does not name are
    recognized. `region` is the country of telephone numbers that name none, `date_order` whether the
    day or the month comes first: without it both readings are given where both are possible.
    """

    records: Annotated[list[Record], Meta(min_length=1, max_length=MOST_RECORDS)]
    columns: Columns = {}
    region: Annotated[str, Meta(max_length=2)] | None = None
    date_order: Literal["dmy", "mdy"] | None = None


class Standardized(msgspec.Struct, frozen=True):
    """What each column was taken to hold, and the records in standard columns, in their order."""

    columns: dict[str, str]
    records: list[Person]


class FoundIdentifier(msgspec.Struct, frozen=True):
    """An identifier as events have it: `KIND:VALUE` names a profile."""

    kind: str
    value: str
    column: str


class Extracted(msgspec.Struct, frozen=True):
    """What each column was taken to hold, and the identifiers of each record."""

    columns: dict[str, str]
    identifiers: list[list[FoundIdentifier]]


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One record of somebody, from whom and of when (microseconds since 1970 UTC)."""

    values: Annotated[dict[Name, Any], Meta(max_length=500)]
    source: Name = ""
    time: Annotated[int, Meta(ge=0, le=2**53)] = 0


class Merge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Records of one person, and by what rules values are picked: bodies of `golden` definitions.

    What no rule is about is picked by what is said most often, then by what was said last.
    """

    records: Annotated[list[Statement], Meta(min_length=1, max_length=MOST_RECORDS)]
    rules: Annotated[list[dict[str, Any]], Meta(max_length=200)] = []


class Lost(msgspec.Struct, frozen=True):
    """A value that did not win, by the number of its record, and why."""

    record: int
    value: Any
    reason: str


class Picked(msgspec.Struct, frozen=True):
    """The records whose value won, by their numbers from 0; and those that lost."""

    records: list[int]
    lost: list[Lost]


class Merged(msgspec.Struct, frozen=True):
    """The golden record, and for each of its traits how it came out."""

    golden: dict[str, Any]
    why: dict[str, Picked]
