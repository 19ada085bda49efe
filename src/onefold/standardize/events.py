"""One event as it was sent to one event as everything behind understands it.

This is the hottest code of the pipeline: plain statements on local names, and every text that is
only needed when something is wrong is made there.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from onefold.model.given import is_reserved
from onefold.model.records import CONSENT, EVENT_TYPES, Event, Identifier
from onefold.standardize.envelopes import Call
from onefold.standardize.faults import explain, wrong_type
from onefold.standardize.identifiers import MAX_LENGTH, clean_text, find_identifiers, plain_id
from onefold.standardize.junk import is_junk
from onefold.standardize.parsing import parse_event
from onefold.standardize.times import event_time, placed_time

MAX_NAME = 256
MAX_TRAITS = 500
MAX_TRAIT_NAME = 200

_TYPES = frozenset(EVENT_TYPES)
_encode = msgspec.json.Encoder().encode
_canonical = msgspec.json.Encoder(order="sorted").encode
# Of the transport, not of the event. `writeKey` is a secret and is never passed on.
_TRANSPORT = frozenset({"writeKey", "integrations", "sentAt", "receivedAt", "_metadata"})
_KNOWN = _TRANSPORT | {
    *("type", "event", "userId", "anonymousId", "messageId", "timestamp", "originalTimestamp"),
    *("properties", "context", "traits", "previousId", "groupId", "name", "category"),
}
_SPELLINGS = {
    "user_id": "userId",
    "anonymous_id": "anonymousId",
    "message_id": "messageId",
    "original_timestamp": "originalTimestamp",
    "sent_at": "sentAt",
    "previous_id": "previousId",
    "group_id": "groupId",
    "write_key": "writeKey",
    "received_at": "receivedAt",
}
_TIMES = frozenset({"originalTimestamp", "timestamp"})
_NO_CONTENT = frozenset({"messageId", "writeKey", "sentAt", "receivedAt"})


def read_event(raw: bytes, call: Call) -> Event | list[str]:
    """The event in these bytes, or every reason why there is none."""
    faults: list[str] = list(call.faults)
    fields = parse_event(raw, faults)
    return faults if fields is None else event_of(fields, call, faults)


def event_of(
    fields: dict[str, Any], call: Call, faults: list[str], at: int | None = None
) -> Event | list[str]:
    """The event that these clean values say, or all reasons; `at` (µs) is its time where that is known."""
    if not _KNOWN.issuperset(fields):
        _place_others(fields)
    kind = call.kind if call.kind in _TYPES else _type(fields.get("type"), faults)
    if at is None:
        time, minute = call.received_at, 0
        if not _TIMES.isdisjoint(fields):
            time, minute = _time(fields, call, faults)
    else:
        time, minute = placed_time(at, at, call.received_at, "time", faults)
    message_id = _message_id(fields, kind, call, faults)
    name = _event_name(fields.get("event"), faults) if kind == "track" else kind
    context = _context(fields, call, faults)
    traits = _traits(fields, kind, context, faults)
    identifiers = find_identifiers(fields, traits, context, call.country, faults)
    if not identifiers:
        faults.append(_nobody(fields))
    asserted = _asserted(fields, faults) if kind == "alias" else ()
    properties = _properties(fields, kind, faults)
    if faults:
        return faults
    return Event(
        call.source,
        kind,
        name,
        time,
        call.received_at,
        message_id,
        identifiers,
        asserted,
        traits,
        kind == "identify",
        _encode(properties).decode() if properties else "{}",
        _encode(context).decode() if context else "{}",
        minute,
    )


def _place_others(fields: dict[str, Any]) -> None:
    """Other spellings to ours; fields that no specification names go into the context."""
    others: dict[str, Any] = {}
    for name in [name for name in fields if name not in _KNOWN]:
        value = fields.pop(name)
        if (known := _SPELLINGS.get(name)) is None:
            others[name] = value
        else:
            fields.setdefault(known, value)
    context = fields.get("context")
    if others and (context is None or type(context) is dict):
        fields["context"] = {**others, **(context or {})}


def _type(given: Any, faults: list[str]) -> str:
    if type(given) is str:
        if given in _TYPES:
            return given
        problem = f"is {given[:40]!r}, which is no type of event"
    else:
        problem = "is missing" if given is None else "is not text"
    faults.append(explain("type", problem, "send one of " + ", ".join(EVENT_TYPES)))
    return ""


def _time(fields: dict[str, Any], call: Call, faults: list[str]) -> tuple[int, int]:
    get = fields.get
    where = "originalTimestamp"
    given = get(where)
    if given is None or given == "":
        where = "timestamp"
        given = get(where)
    sent_at = get("sentAt")
    if sent_at is None or sent_at == "":
        sent_at = call.sent_at
    return event_time(given, sent_at, call.received_at, where, faults)


def _message_id(fields: dict[str, Any], kind: str, call: Call, faults: list[str]) -> str:
    given = fields.get("messageId")
    if type(given) is str:
        message_id = given.strip()
        if len(message_id) > MAX_LENGTH:
            size = f"has {len(message_id):,} characters, at most {MAX_LENGTH} are taken"
            faults.append(explain("messageId", size, "send a shorter id"))
        if message_id:
            return message_id
    elif type(given) is int or type(given) is float:
        return str(given)
    elif given is not None:
        faults.append(wrong_type("messageId", "text", given))
    return _content_id(fields, kind, call)


def _content_id(fields: dict[str, Any], kind: str, call: Call) -> str:
    """The same for the same content at the same time, so that a repetition is seen as one."""
    content = {name: value for name, value in fields.items() if name not in _NO_CONTENT}
    content["type"] = kind
    if not (fields.get("originalTimestamp") or fields.get("timestamp")):
        content["receivedAt"] = call.received_at
    return "content-" + blake2b(_canonical(content), digest_size=16).hexdigest()


def _event_name(given: Any, faults: list[str]) -> str:
    if type(given) is not str:
        if given is None:
            faults.append(explain("event", "is missing", "name what happened"))
        else:
            faults.append(wrong_type("event", "the name of what happened", given))
        return ""
    name = clean_text(given)
    if not name:
        faults.append(explain("event", "is empty", "name what happened"))
    elif len(name) > MAX_NAME:
        size = f"has {len(name):,} characters, at most {MAX_NAME} are taken"
        faults.append(explain("event", size, "put what varies into properties"))
    return name


def _context(fields: dict[str, Any], call: Call, faults: list[str]) -> dict[str, Any]:
    given = fields.get("context")
    context: dict[str, Any] = given if type(given) is dict else _object(fields, "context", faults)
    if call.context:
        context = {**call.context, **context}
    if call.ip is not None and (not context.get("ip") or context.get("direct") is True):
        context["ip"] = call.ip
    return context


def _object(fields: dict[str, Any], name: str, faults: list[str]) -> dict[str, Any]:
    value = fields.get(name)
    if type(value) is dict:
        return value
    if value is not None:
        faults.append(wrong_type(name, "an object", value))
    return {}


def _traits(
    fields: dict[str, Any], kind: str, context: dict[str, Any], faults: list[str]
) -> dict[str, Any]:
    """What is claimed about the person; the traits of a `group` are the group's."""
    traits = {}
    if "traits" in context:
        known = context.pop("traits")
        if type(known) is dict:
            traits = known
        elif known is not None:
            faults.append(wrong_type("context.traits", "an object", known))
    if "traits" in fields and kind != "group":
        given = fields["traits"]
        if type(given) is not dict:
            given = _object(fields, "traits", faults)
        traits = {**traits, **given} if traits else given
    if "consent" in context:
        traits = {**_consents(context["consent"]), **traits}
    if traits and (len(traits) > MAX_TRAITS or not _are_names(tuple(traits))):
        _fault_traits(traits, faults)
    return traits


@lru_cache(maxsize=1_024)
def _are_names(names: tuple[str, ...]) -> bool:
    """May traits have these names? Most events of a source have the same few."""
    return max(map(len, names)) <= MAX_TRAIT_NAME and not any(map(is_reserved, names))


def _consents(consent: Any) -> dict[str, bool]:
    """What a consent manager says of each purpose, as claims: `consent.marketing`."""
    purposes = consent.get("categoryPreferences") if type(consent) is dict else None
    if type(purposes) is not dict:
        return {}
    return {f"{CONSENT}{name}": given for name, given in purposes.items() if type(given) is bool}


def _fault_traits(traits: dict[str, Any], faults: list[str]) -> None:
    if len(traits) > MAX_TRAITS:
        count = f"has {len(traits):,} names, at most {MAX_TRAITS} are taken"
        faults.append(explain("traits", count, "send what varies as properties of events"))
    if any(len(name) > MAX_TRAIT_NAME for name in traits):
        size = f"has a name of more than {MAX_TRAIT_NAME} characters"
        faults.append(explain("traits", size, "send shorter names"))
    if reserved := next(filter(is_reserved, traits), ""):
        problem = f"has {reserved[:40]!r}, which only Onefold gives"
        faults.append(explain("traits", problem, "set tags and lists through the API"))


def _properties(fields: dict[str, Any], kind: str, faults: list[str]) -> dict[str, Any]:
    given = fields.get("properties")
    if given is None and kind == "identify" and not fields.get("groupId"):
        return {}
    properties = given if type(given) is dict else _object(fields, "properties", faults)
    if kind == "page" or kind == "screen":
        for name in ("name", "category"):
            if name not in properties and fields.get(name) is not None:
                properties[name] = fields[name]
    elif kind == "group":
        return {
            **_object(fields, "traits", faults),
            **properties,
            "group_id": _group_id(fields.get("groupId"), faults),
        }
    if fields.get("groupId"):
        properties.setdefault("group_id", fields["groupId"])
    return properties


def _group_id(given: Any, faults: list[str]) -> str | None:
    group_id = None if given is None else plain_id(given, "groupId", faults)
    if group_id is None:
        faults.append(explain("groupId", "names no group", "send the id of the group"))
    return group_id


def _asserted(
    fields: dict[str, Any], faults: list[str]
) -> tuple[tuple[Identifier, Identifier], ...]:
    """The pairs an `alias` declares. A previous id does not say its kind, so it is tried as both."""
    user_id, previous, anonymous_id = (
        None if (value := fields.get(name)) is None else plain_id(value, name, faults)
        for name in ("userId", "previousId", "anonymousId")
    )
    if user_id is None:
        faults.append(explain("userId", "names nobody", "an alias needs the id to keep"))
        return ()
    owner = Identifier("user_id", user_id)
    if fields.get("previousId"):
        if previous is None:
            faults.append(explain("previousId", "names nobody", "send the id used before"))
            return ()
        pairs = ((owner, Identifier(kind, previous)) for kind in ("user_id", "anonymous_id"))
        return tuple(pair for pair in pairs if pair[0] != pair[1])
    if anonymous_id is None:
        faults.append(explain("previousId", "is missing", "an alias needs the id used before"))
        return ()
    return ((owner, Identifier("anonymous_id", anonymous_id)),)


def _nobody(fields: dict[str, Any]) -> str:
    given = [(name, fields.get(name)) for name in ("userId", "anonymousId")]
    junk = [
        f"{name} {value[:40]!r}"
        for name, value in given
        if type(value) is str and value.strip() and is_junk(value.strip()[:MAX_LENGTH])
    ]
    if junk:
        problem = f"stands for nobody ({', '.join(junk)})"
    else:
        problem = "is missing or empty, and there is no other identifier"
    return explain("userId", problem, "send a userId or an anonymousId of one person")
