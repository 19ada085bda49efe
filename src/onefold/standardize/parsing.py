"""Bytes to clean JSON values: whatever comes, the engines behind never trip over it.

Well-formed JSON goes the fast way. What only a tolerant reader understands (NaN, 1e999, lone
surrogates, raw control characters) is read by one, and cleaned:
NUL is taken out, a lone surrogate becomes U+FFFD, NaN and Infinity become null, and a number
that no 64-bit column can hold becomes the text it was sent as.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from onefold.standardize.faults import explain, wrong_type

MAX_BYTES = 32 * 1024
MAX_DEPTH = 64

_decode = msgspec.json.Decoder().decode
_BOM = b"\xef\xbb\xbf"
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG_NUMBER = b"0" * 19
_NUL = b"\\u0000"


def parse_event(
    raw: bytes, faults: list[str], where: str = "event", limit: int = MAX_BYTES
) -> dict[str, Any] | None:
    """The object in `raw` as clean values, or None with the reasons in `faults`."""
    if len(raw) > limit:
        size = f"has {len(raw):,} bytes, at most {limit:,} are taken"
        faults.append(explain(where, size, "send less"))
        return None
    try:
        value = _decode(raw)
        if has_odd_values(raw):
            value = clean_value(value)
        if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
            raise RecursionError
    except (msgspec.DecodeError, UnicodeDecodeError):
        value = _parse_tolerantly(raw, faults, where)
    except RecursionError:
        value = None
        faults.append(_too_deep(where))
    if type(value) is dict:
        return value
    if not faults:
        faults.append(wrong_type(where, "an object", value))
    return None


def _parse_tolerantly(raw: bytes, faults: list[str], where: str) -> Any:
    text = raw.removeprefix(_BOM).decode("utf-8", "replace")
    try:
        value = _TOLERANT.decode(text.strip())
        if _depth(value) > MAX_DEPTH:
            raise RecursionError
        return clean_value(value)
    except json.JSONDecodeError as error:
        problem = f"{error.msg} at character {error.pos + 1}"
        faults.append(explain(where, f"is not JSON: {problem}", "send well-formed JSON"))
        return None
    except RecursionError:
        faults.append(_too_deep(where))
        return None


def _too_deep(where: str) -> str:
    return explain(where, f"nests deeper than {MAX_DEPTH} levels", "flatten it")


def has_odd_values(raw: bytes) -> bool:
    """Does well-formed JSON hold what `clean_value` would change?"""
    return (b"\\" in raw and _NUL in raw) or _LONG_NUMBER in raw.translate(_DIGITS)


def clean_value(value: Any) -> Any:
    """The same without what no column can hold."""
    if type(value) is str:
        return clean_characters(value)
    if type(value) is int:
        return value if -(2**63) <= value < 2**63 else str(value)
    if type(value) is dict:
        return {clean_characters(name): clean_value(inner) for name, inner in value.items()}
    if type(value) is list:
        return [clean_value(inner) for inner in value]
    return value


def clean_characters(text: str) -> str:
    """`text` without NUL, and with U+FFFD for each half of a character."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def is_deep(raw: bytes, usual: int) -> bool:
    """May JSON with this many flat objects hold a value that nests too deep?"""
    return raw.count(b"{") + raw.count(b"[") > MAX_DEPTH + 2 * usual


def too_deep(value: Any, where: str = "record") -> str:
    """What is wrong with a value that nests too deep; nothing with any other."""
    return _too_deep(where) if _depth(value) > MAX_DEPTH - 2 else ""


def _depth(value: Any) -> int:
    """How many objects and lists lie within each other; without recursion, for hostile input."""
    depth = 0
    level = [value]
    while level:
        inner: list[Any] = []
        for item in level:
            if type(item) is dict:
                inner.extend(item.values())
            elif type(item) is list:
                inner.extend(item)
        depth += any(type(item) is dict or type(item) is list for item in level)
        level = inner
    return depth


def _whole_number(digits: str) -> int | str:
    """Longer than any 64-bit number: text, without asking int() to read thousands of digits."""
    return int(digits) if len(digits) <= 20 else digits


def _real_number(digits: str) -> float | str:
    number = float(digits)
    return digits if number in (float("inf"), float("-inf")) else number


def _no_number(name: str) -> None:
    """NaN and Infinity say that there is no value."""


_TOLERANT = json.JSONDecoder(
    parse_int=_whole_number,
    parse_float=_real_number,
    parse_constant=_no_number,
    strict=False,
)
