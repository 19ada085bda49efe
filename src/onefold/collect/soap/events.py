"""What a call says, as events of the tracking API: customers are claims, orders and events happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from onefold.collect.soap.reading import read_list
from onefold.collect.soap.types import OPERATIONS
from onefold.collect.xml import Element
from onefold.model.errors import Fault, InvalidInput

MOST = 2_500
"""Most customers, orders or events in one call: what one batch of the log holds."""
_STATES = ("Completed", "Updated", "Refunded", "Cancelled")
_PROFILE = (
    *("email", "phone", "name", "firstName", "lastName", "gender", "birthday", "language"),
    *("company", "title", "address"),
)
Value = dict[str, Any]


def events_in(operation: Element) -> list[Value]:
    """The events of an operation, in its order; `InvalidInput` lists all that is wrong."""
    part = OPERATIONS[operation.name]
    faults: list[Fault] = []
    if len(operation.children) > MOST:
        size = f"holds {len(operation.children):,}, at most {MOST:,} are taken"
        raise InvalidInput("the call is too large", [Fault(size, operation.name, "send less")])
    values = read_list(operation, part, faults)
    make = _EVENTS[part.type]
    events = []
    for number, value in enumerate(values, 1):
        own: list[Fault] = []
        events.append(make(value, own))
        where = f"{operation.name}.{part.name}[{number}]"
        faults += [Fault(one.message, f"{where}.{one.where}", one.hint) for one in own]
    if faults:
        raise InvalidInput("the call cannot be used; nothing of it was taken", faults)
    return events


def _customer(value: Value, faults: list[Fault]) -> Value:
    traits = {name: value[name] for name in _PROFILE if name in value}
    if "company" in traits:
        traits["company"] = {"name": traits["company"]}
    for one in value.get("consent", ()):
        if one.keys() >= {"purpose", "given"}:
            traits[f"consent.{one['purpose']}"] = one["given"]
    traits |= _attributes(value, faults)
    return _event("identify", value, value, value.get("changedAt"), {"traits": traits})


def _order(value: Value, faults: list[Fault]) -> Value:
    state = str(value.get("status", "Completed")).capitalize()
    if state not in _STATES:
        faults.append(Fault("is not known", "status", f"known are {', '.join(_STATES)}"))
    properties = {"order_id": value.get("orderId")}
    properties |= {name: value[name] for name in ("revenue", "currency") if name in value}
    if lines := value.get("line"):
        properties["products"] = [
            {"product_id" if name == "productId" else name: one for name, one in line.items()}
            for line in lines
        ]
    properties |= _attributes(value, faults)
    event = {"event": f"Order {state}", "properties": properties}
    if "messageId" not in value:
        # An order has each of its states once, however often it is told.
        value = {
            **value,
            "messageId": f"order-{value.get('orderId')}-{state}-{value.get('time', '')}",
        }
    return _event("track", value, value.get("customer") or {}, value.get("time"), event)


def _named_event(value: Value, faults: list[Fault]) -> Value:
    event = {"event": value.get("name"), "properties": _attributes(value, faults)}
    return _event("track", value, value.get("customer") or {}, value.get("time"), event)


_EVENTS: Mapping[str, Callable[[Value, list[Fault]], Value]] = {
    "Customer": _customer,
    "Order": _order,
    "Event": _named_event,
}


def _event(kind: str, value: Value, who: Value, time: str | None, more: Value) -> Value:
    """An event of somebody; what is left out is not said."""
    context: Value = {}
    external = [
        {"type": one["kind"], "id": one["value"], "collection": "users", "encoding": "none"}
        for one in who.get("identifier", ())
        if one.keys() >= {"kind", "value"}
    ]
    if external:
        context["externalIds"] = external
    if kind != "identify" and (known := {k: who[k] for k in ("email", "phone") if k in who}):
        context["traits"] = known
    event = {
        "type": kind,
        "userId": who.get("id"),
        "anonymousId": who.get("anonymousId"),
        "messageId": value.get("messageId"),
        "timestamp": time,
        "context": context,
        **more,
    }
    return {name: one for name, one in event.items() if one not in (None, {})}


def _attributes(value: Value, faults: list[Fault]) -> Value:
    found: Value = {}
    for number, one in enumerate(value.get("attribute", ()), 1):
        given = [one[name] for name in ("text", "number", "flag", "time") if name in one]
        if len(given) > 1:
            hint = "send text, number, flag or time"
            faults.append(Fault("has more than one value", f"attribute[{number}]", hint))
        elif "name" in one:
            found[one["name"]] = given[0] if given else None
    return found
