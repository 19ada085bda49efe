"""One record, whatever its fields are called, as a standard person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onefold.model.person import Person
from onefold.standardize.people.assembly import assembled
from onefold.standardize.people.parts import READERS, identifier
from onefold.standardize.people.roles import Layout
from onefold.standardize.people.text import tidy

NUMBERED = {"email": ("local", "domain"), "phone": ("phone", "extension")}
JOINED = {"given_name": " ", "family_name": " ", "middle_name": " ", "address_more": ", "}
"""Roles of which several columns are one value, with what stands between."""


def standardize_record(record: Mapping[str, Any], layout: Layout) -> Person:
    """What a record says about a person, in the standard columns.

    >>> layout = Layout({"name": "full_name", "mail": "email", "tel": "phone"}, region="US")
    >>> person = standardize_record({"name": "Bob O'Neil", "mail": "Bob@GMial.com"}, layout)
    >>> person.given_name, person.family_name, person.email
    ('bob', 'oneil', 'bob@gmail.com')
    """
    parts: dict[str, Any] = {}
    for role in dict.fromkeys(each.split(":")[0] for each in layout.columns.values()):
        headers = layout.headers(role)
        if role == "identifier":
            for number, header in enumerate(headers):
                kind = identifier_kind(header, layout)
                value = as_text(record.get(header))
                parts[f"identifier_{number}"] = identifier(value, kind) if value else None
        elif role in NUMBERED:
            for number, header in enumerate(headers):
                names = [f"{part}_{number}" for part in READERS[role].parts]
                parts |= zip(names, _read(role, record.get(header), layout), strict=True)
        elif role in READERS:
            value = joined(role, [as_text(record.get(header)) for header in headers])
            parts |= zip(READERS[role].parts, _read(role, value, layout), strict=True)
    parts |= _born(record, layout)
    return assembled(parts)


def _read(role: str, value: Any, layout: Layout) -> tuple[Any, ...]:
    text = as_text(value)
    reader = READERS[role]
    return reader.read(text, layout) if text else (None,) * len(reader.parts)


def as_text(value: Any) -> str:
    """A field as text; a whole number without a fraction."""
    if value is None:
        return ""
    if type(value) is float and value.is_integer():
        return str(int(value))
    return value if type(value) is str else str(value)


def joined(role: str, values: list[str]) -> str:
    """The value of a role that several columns hold together, or the first that there is."""
    values = [value for value in values if value.strip(" ")]
    return JOINED[role].join(values) if role in JOINED else next(iter(values), "")


def identifier_kind(header: str, layout: Layout) -> str:
    """The kind that the layout names for an identifier, or the column's header."""
    kind = layout.columns[header].partition(":")[2] or "_".join(tidy(header).lower().split())
    return kind or "identifier"


def _born(record: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    """The birth date of three columns."""
    values = [_field(record, layout, f"birth_{name}") for name in ("year", "month", "day")]
    if not all(values) or layout.headers("birth_date"):
        return {}
    return dict(
        zip(READERS["birth_date"].parts, _read("birth_date", "-".join(values), layout), strict=True)
    )


def _field(record: Mapping[str, Any], layout: Layout, role: str) -> str:
    text = next((as_text(record.get(header)) for header in layout.headers(role)), "")
    return text.strip().removesuffix(".0")
