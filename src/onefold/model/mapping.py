"""How records of others become events: mappings, the sources that they belong to, and loads."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from onefold.model.pulled import Change
from onefold.model.quantities import parse_duration

RECORDS = "records"
"""The kind of an accepted call that holds records as they came, before any mapping."""
UNREADABLE = "unreadable"
"""The kind of a reject that is no record at all: its bytes as they stood in the source."""

FILE_TYPES = frozenset({"csv", "fixed", "excel", "json", "xml", "parquet", "avro", "files"})
"""The types of sources whose streams begin with the name of a file."""

FieldType = Literal[
    "text", "integer", "number", "boolean", "date", "time", "list", "json",
    "country", "language", "currency", "gender", "name", "company", "half_width", "comparable",
    "email", "phone", "address",
]  # fmt: skip
Absent = Literal["keep", "clear"]


class Unit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"source": "from"}):
    """A quantity in one unit turned into another: `{from: in, to: cm}`.

    A unit that is written with a value goes before `from`; without `from` each value has to name its own.
    """

    to: str
    source: str = ""


class Money(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An amount turned into another currency by the rate of the event's day.

    `currency` is its code, such as `USD`, or the field that holds its code or name.
    """

    currency: str
    to: str


class Field(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    rename={"source": "from", "between": "with"},
):
    """Where one value comes from, and what is done to it, in this order.

    It is taken from a field (`from`, a list of which the first that holds something counts), from
    several put together (`join`, `with` between them), from nowhere (`constant`), or computed (`sql`).
    Then it is `split` and the `part` taken (0: all parts), looked up (`lookup`, and `otherwise` for what
    stands in no line of it), read as a `type` (dates by `format`, numbers with their `decimal` sign), and
    turned into another `unit` or another currency (`money`). What is empty then is the `default`. `when` says of which records it is
    taken at all; `empty` what an empty value says: nothing (`keep`), or that there is none (`clear`).
    """

    source: str | tuple[str, ...] = ()
    join: tuple[str, ...] = ()
    between: str = " "
    constant: Any = None
    sql: str = ""
    split: str = ""
    part: int = 1
    lookup: dict[str, Any] = {}
    otherwise: Any = None
    type: FieldType | None = None
    format: str | tuple[str, ...] = ()
    decimal: Literal[".", ","] | None = None
    unit: Unit | None = None
    money: Money | None = None
    default: Any = None
    when: str = ""
    empty: Absent | None = None


class EventMapping(msgspec.Struct, frozen=True, kw_only=True):
    """One event that a record becomes: an `identify`, or what happened, by its name.

    `streams` and `when` say of which records; with `each` it is one event per item of a list in the
    record, whose fields are read first. `delete` says what a deleted record means, and `deleted_when` which
    records say by their fields that they are deleted.
    """

    type: str = "identify"
    event: Field | None = None
    streams: tuple[str, ...] = ()
    each: str = ""
    when: str = ""
    id: Field | None = None
    time: Field | None = None
    group: Field | None = None
    identifiers: dict[str, Field] = {}
    traits: dict[str, Field] = {}
    properties: dict[str, Field] = {}
    delete: Literal["ignore", "close", "forget"] = "ignore"
    deleted_when: str = ""


class MappingDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """What records of a source become.

    `country` reads telephone numbers without a country code, `timezone` times without an offset.
    """

    name: str
    events: tuple[EventMapping, ...]
    country: str | None = None
    timezone: str = "UTC"
    empty: Absent = "keep"
    version: int = 1

    @property
    def has_money(self) -> bool:
        """Does it turn amounts into another currency?"""
        fields = (one for event in self.events for one in (event.traits, event.properties))
        return any(field.money for some in fields for field in some.values())


class EntityField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field of an entity: where in an event it goes, as what, and how sources call it.

    `place` is `identifiers.KIND`, `traits.NAME`, `properties.NAME`, `id`, `time` or `group`.
    """

    place: str = ""
    type: FieldType | None = None
    words: tuple[str, ...] = ()


class EntityDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """Something that records are about, or further fields of one that is shipped."""

    name: str
    fields: dict[str, EntityField]
    type: str = ""
    event: str = ""
    version: int = 1


class Marker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field by which a record shows that Onefold wrote it: it holds this value, or a webhook's id."""

    field: str
    value: str | int | bool | None = None


class Echo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which destinations lead to the system that a source speaks for.

    What they told it within the `window` is not taken as its change, nor a record with the `marker`.
    """

    of: tuple[str, ...] = ()
    window: str = "7d"
    marker: Marker | None = None

    @property
    def window_us(self) -> int:
        return int(parse_duration(self.window) * 1_000_000)


class SourceDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A source that is a definition: its type with its settings, and how its records are read.

    `mapping` names one, or is one. What else the definition says is in `options`.
    """

    name: str
    type: str
    settings: dict[str, Any] = {}
    mapping: str | MappingDefinition | None = None
    country: str | None = None
    enabled: bool = True
    echo: Echo | None = None
    options: dict[str, Any] = {}
    version: int = 1


class LoadedRecord(msgspec.Struct, gc=False, omit_defaults=True):
    """A `Record` as it lies in the log; `time` in microseconds since epoch UTC."""

    fields: dict[str, Any]
    stream: str = ""
    place: str = ""
    change: Change = "read"
    time: int | None = None
    before: dict[str, Any] | None = None
    version: str = ""


class LoadedUnreadable(msgspec.Struct, gc=False):
    """Something that is no record, as it lies in the log."""

    raw: bytes
    stream: str
    place: str
    reasons: list[str]


class Loaded(msgspec.Struct, omit_defaults=True):
    """The body of an accepted call of the kind `records`.

    `load` is the run that brought them; `mapping` names the mapping where it is not the source's.
    """

    records: list[LoadedRecord]
    load: str = ""
    mapping: str = ""
    unreadable: list[LoadedUnreadable] = []
