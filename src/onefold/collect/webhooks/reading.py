"""The records in a delivery: JSON, a form or XML, and the id under which it counts once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from onefold.collect.webhooks import wechat
from onefold.collect.webhooks.settings import Call, WebhookSettings
from onefold.collect.xml import as_fields, read_xml
from onefold.model.errors import Fault, InvalidInput
from onefold.model.pulled import Record

_MAX_FIELDS = 1_000
_MAX_RECORDS = 10_000
_MAX_DEPTH = 64
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_WECHAT = ("wechat", "wecom")
_decode = msgspec.json.Decoder().decode


class Delivered(msgspec.Struct, frozen=True):
    """What one delivery holds; `id` is the sender's own, empty where it gives none."""

    records: list[Record]
    id: str


def records_in(call: Call, settings: WebhookSettings, now: int) -> Delivered:
    """The records of a delivery whose sender is known. `now` is in microseconds.

    A list is one record for each of its objects. What names itself has the same place whenever it
    comes; what does not is told apart by when it came.

    >>> call = Call({"x-id": "d1"}, {}, b'{"email": "ann@example.com"}')
    >>> records_in(call, WebhookSettings(id_header="X-Id", topic_field="t"), 0).records
    [Record(fields={'email': 'ann@example.com'}, stream='webhook', place='d1', change='read', time=None, before=None, version='')]
    """
    if settings.signature in _WECHAT:
        call = call._replace(body=wechat.opened(call, settings))
        wechat.in_time(call, settings, now // 1_000_000)
    return records_of(call, settings, now)


def records_of(call: Call, settings: WebhookSettings, now: int) -> Delivered:
    """The same of a delivery that is not encrypted, or no longer."""
    found = _values(call)
    first = found[0] if found else {}
    names = settings.names
    delivery = next((call.headers[name] for name in names.id_headers if call.headers.get(name)), "")
    delivery = delivery or _field(first, names.id_field)
    if settings.signature in _WECHAT and not delivery:
        delivery = _wechat_id(first)
    delivery = delivery.strip()[:200]
    topic = call.headers.get(names.topic_header, "") or _field(first, names.topic_field)
    if settings.signature in _WECHAT:
        topic = topic or str(first.get("Event") or first.get("MsgType") or "")
    stream = topic.strip()[:200] or "webhook"
    place = delivery or f"{now}-{hashlib.blake2b(call.body, digest_size=8).hexdigest()}"
    records = [
        Record(fields, stream, place if len(found) == 1 else f"{place}#{number}")
        for number, fields in enumerate(found)
    ]
    return Delivered(records, delivery)


def _values(call: Call) -> list[dict[str, Any]]:
    body = call.body.removeprefix(b"\xef\xbb\xbf").strip()
    if not body:
        raise InvalidInput("the body is empty", [Fault("send JSON, XML or a form", "body")])
    if body[:1] in (b"{", b"["):
        return _objects(_json(body))
    if body[:1] == b"<" or call.body[:2] in _UTF_16:
        value = as_fields(read_xml(call.body if call.body[:2] in _UTF_16 else body))
        return [value if isinstance(value, dict) else {"#text": value}]
    return _form(body, call.headers.get("content-type", ""))


def _json(body: bytes) -> Any:
    try:
        value = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput("the body is not JSON", [Fault(str(error), "body")]) from error
    if body.count(b"{") + body.count(b"[") > _MAX_DEPTH and _too_deep(value):
        raise InvalidInput("the body is nested too deep", [Fault(f"at most {_MAX_DEPTH} levels")])
    return value


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_MAX_DEPTH + 1):
        level = [
            inner
            for item in level
            if isinstance(item, (dict, list))
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return bool(level)


def _objects(value: Any) -> list[dict[str, Any]]:
    found = value if isinstance(value, list) else [value]
    if len(found) > _MAX_RECORDS:
        fault = Fault(f"has {len(found):,} objects, at most {_MAX_RECORDS:,} are taken", "body")
        raise InvalidInput("the delivery is too large", [fault])
    faults = [
        Fault("is no object", f"[{number}]", "send an object, or a list of objects")
        for number, one in enumerate(found)
        if not isinstance(one, dict)
    ]
    if faults:
        raise InvalidInput("the body holds something that is no record", faults[:20])
    return found


def _form(body: bytes, content_type: str) -> list[dict[str, Any]]:
    """A form's fields; a field `payload` or `data` that is JSON is what the form only wraps."""
    if content_type.lower().startswith("multipart/"):
        hint = "choose JSON or application/x-www-form-urlencoded on the sender's page"
        raise InvalidInput("this kind of form is not read", [Fault("multipart", "body", hint)])
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError as error:
        hint = "send JSON, XML, or a form as application/x-www-form-urlencoded"
        fault = Fault("is neither JSON nor XML nor a form", "body", hint)
        raise InvalidInput("the body cannot be read", [fault]) from error
    if len(pairs) == 1 and pairs[0][0] in ("payload", "data") and pairs[0][1][:1] in ("{", "["):
        return _objects(_json(pairs[0][1].encode()))
    fields: dict[str, Any] = {}
    for name, value in pairs:
        kept = fields.get(name)
        if name not in fields:
            fields[name] = value
        elif isinstance(kept, list):
            kept.append(value)
        else:
            fields[name] = [kept, value]
    return [fields]


def _field(fields: Mapping[str, Any], path: str) -> str:
    """The text or number at a path such as `event.id`, empty if there is none."""
    value: Any = fields
    for part in path.split(".") if path else ():
        value = value.get(part) if isinstance(value, dict) else None
    found = path and isinstance(value, (str, int)) and not isinstance(value, bool)
    return str(value) if found else ""


def _wechat_id(fields: Mapping[str, Any]) -> str:
    """A message has an id; an event is told apart by who caused it and when."""
    if message := fields.get("MsgId"):
        return str(message)
    parts = [fields.get(name) for name in ("FromUserName", "CreateTime", "Event", "EventKey")]
    return "-".join(str(part or "") for part in parts) if parts[0] and parts[1] else ""
