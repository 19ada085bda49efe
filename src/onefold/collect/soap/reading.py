"""Elements to values, as their types say; all that is wrong is told, each with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from onefold.collect.soap.types import TYPES, Part
from onefold.collect.xml import Element
from onefold.model.conversion import nearest
from onefold.model.errors import Fault

_MOST_FAULTS = 100
_NIL = ("true", "1")
_FRACTION = re.compile(r"(\.\d{6})\d+")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def read_list(operation: Element, part: Part, faults: list[Fault]) -> list[dict[str, Any]]:
    """The values of the one part that an operation takes a list of."""
    found = _value(operation, (part,), operation.name, faults)
    return found.get(part.name, [])  # type: ignore[no-any-return]


def _value(
    element: Element, parts: tuple[Part, ...], where: str, faults: list[Fault]
) -> dict[str, Any]:
    known = {part.name: part for part in parts}
    found: dict[str, Any] = {}
    for child in element.children:
        part = known.get(child.name)
        if part is None:
            name = child.name[:80]
            _tell(faults, Fault("is not known", f"{where}.{name}", nearest(name, known)))
            continue
        if child.attributes.get("nil") in _NIL:
            continue
        place = f"{where}.{child.name}"
        if part.many:
            values = found.setdefault(part.name, [])
            values.append(_one(child, part, f"{place}[{len(values) + 1}]", faults))
        elif part.name in found:
            _tell(faults, Fault("stands there twice", place))
        else:
            found[part.name] = _one(child, part, place, faults)
    for part in parts:
        if part.required and part.name not in found:
            _tell(faults, Fault("is missing", f"{where}.{part.name}"))
    return {name: value for name, value in found.items() if value != ""}


def _one(element: Element, part: Part, where: str, faults: list[Fault]) -> Any:
    if (parts := TYPES.get(part.type)) is not None:
        return _value(element, parts, where, faults)
    text = element.text.strip()
    if element.children:
        _tell(faults, Fault("holds other elements", where, f"send xsd:{part.type}"))
    elif text or part.type != "string":
        try:
            return _SIMPLE[part.type](text)
        except (ValueError, InvalidOperation, KeyError, OverflowError):
            _tell(faults, Fault(f"is no xsd:{part.type}", where))
    return ""


def _tell(faults: list[Fault], fault: Fault) -> None:
    if len(faults) < _MOST_FAULTS:
        faults.append(fault)


def _number(text: str) -> int | float:
    number = Decimal(text)
    if not number.is_finite() or "e" in text.lower():
        raise ValueError(text)
    return int(number) if number == number.to_integral_value() else float(number)


def _time(text: str) -> str:
    if "T" not in text:
        raise ValueError(text)
    datetime.fromisoformat(_FRACTION.sub(r"\1", text))
    return text


def _date(text: str) -> str:
    return date.fromisoformat(text.removesuffix("Z")).isoformat()


_SIMPLE: Mapping[str, Callable[[str], Any]] = {
    "string": str,
    "decimal": _number,
    "boolean": _FLAGS.__getitem__,
    "dateTime": _time,
    "date": _date,
}
