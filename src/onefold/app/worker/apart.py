"""A record of many events as records of one event each, to find the one that cannot be digested."""

from __future__ import annotations

import msgspec

from onefold.eventlog import LogRecord
from onefold.model.records import decode_accepted, encode_accepted

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_events = msgspec.json.Decoder(list[msgspec.Raw]).decode


def apart(record: LogRecord) -> list[LogRecord]:
    """One record per event, in order; the record itself where it holds one, or is no plain batch.

    Only the last one's position is behind the record: whoever stops in between begins again with the
    first, which changes nothing, since events are known by their message ids.
    """
    try:
        accepted = decode_accepted(record.payload)
        fields = _fields(accepted.body)
        events = _events(fields["batch"]) if accepted.kind == "batch" else []
    except (msgspec.DecodeError, KeyError, UnicodeDecodeError):
        return [record]
    if len(events) < 2:
        return [record]
    parts = []
    for number, event in enumerate(events, start=1):
        body = msgspec.json.encode({**fields, "batch": [event]})
        payload = encode_accepted(msgspec.structs.replace(accepted, body=body))
        behind = record.next_offset if number == len(events) else record.offset
        parts.append(record._replace(payload=payload, next_offset=behind))
    return parts
