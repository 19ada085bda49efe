"""Records that are no longer there: what is known of them, and what their end says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from onefold.model.mapping import EventMapping, LoadedRecord
from onefold.standardize.envelopes import Call
from onefold.standardize.mapping.columns import MISSING, Row, taken

DELETED = "Record Deleted"
"""The event that tells of a record which is no longer there."""
IN_TRAITS = ("email", "phone")
"""Identifiers that are traits as well."""


def fields_of(record: LoadedRecord) -> Row:
    """The fields; of what is deleted those that it had."""
    if record.change != "delete" or not record.before:
        return record.fields
    told = {name: value for name, value in record.fields.items() if value is not None}
    return {**record.before, **told}


def unseen(event: EventMapping, row: Row) -> Iterator[str]:
    """The traits that a record may have told and shows no more: of what is deleted some say only which it was."""
    fields = {name: one for name, one in event.identifiers.items() if name in IN_TRAITS}
    for name, field in (fields | event.traits).items():
        (value,) = taken(field)([row], {})
        if value is MISSING or (field.sql and value is None):
            yield name


def closed(fields: dict[str, Any], call: Call) -> Call:
    """Turn what a record said into the event that it is no longer there."""
    context = fields["context"]
    fields.pop("traits", None)
    context.pop("traits", None)
    fields["event"] = DELETED
    fields["properties"] = {
        **fields.get("properties", {}),
        "stream": context["stream"],
        "place": context["place"],
    }
    return msgspec.structs.replace(call, kind="track")
