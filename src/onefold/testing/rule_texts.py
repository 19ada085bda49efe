"""The slow interpreter's texts: how a value of JSON is read as one."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any


def read_as(value: Any, wanted: str) -> Any:
    """Read a JSON value as a type, or None."""
    if value is None:
        return None
    if wanted == "boolean":
        return {"true": True, "false": False}.get(text_of(value).lower())
    if wanted == "text":
        return text_of(value)
    if wanted == "list":
        return [each for each in value if each is not None] if isinstance(value, list) else None
    if wanted == "object":
        return value if isinstance(value, dict) else None
    if isinstance(value, (bool, dict, list)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def text_of(value: Any) -> str:
    """A value as text: a list or object as compact JSON, with numbers as JavaScript writes them."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return _digits(value)
    if isinstance(value, list):
        return f"[{','.join(map(_quoted, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{_quoted(name)}:{_quoted(each)}' for name, each in value.items())}}}"
    return json.dumps(value)


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else text_of(value)


def _digits(number: float) -> str:
    """The shortest digits, without an exponent from 1e-6 up to 1e21; what is whole ends with .0."""
    if number == 0 or 1e-6 <= abs(number) < 1e21:
        text = f"{Decimal(repr(number)):f}"
        return text if "." in text else f"{text}.0"
    digits, exponent = repr(number).split("e")
    return f"{digits}e{int(exponent)}"
