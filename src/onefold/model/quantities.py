"""Sizes and durations as people write them: `64MiB`, `1.5 GB`, `7d`, `90s`."""

from __future__ import annotations

import re

SIZES = {
    "B": 1,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "TB": 1000**4,
    "KIB": 1024,
    "MIB": 1024**2,
    "GIB": 1024**3,
    "TIB": 1024**4,
}
DURATIONS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}

_QUANTITY = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*")


def parse_size(text: str) -> int:
    """Bytes; raises ValueError.

    >>> parse_size("64MiB"), parse_size("512")
    (67108864, 512)
    """
    match = _QUANTITY.fullmatch(text)
    factor = SIZES.get(match[2].upper() or "B") if match else None
    if match is None or factor is None:
        raise ValueError(f"{text!r} is no size; write for example 512, 64MiB or 2GB")
    return int(float(match[1]) * factor) if "." in match[1] else int(match[1]) * factor


def parse_duration(text: str) -> float:
    """Seconds; raises ValueError.

    >>> parse_duration("7d"), parse_duration("1.5"), parse_duration("200ms")
    (604800.0, 1.5, 0.2)
    """
    match = _QUANTITY.fullmatch(text)
    factor = DURATIONS.get(match[2].lower() or "s") if match else None
    if match is None or factor is None:
        raise ValueError(f"{text!r} is no duration; write for example 90s, 15m, 12h or 7d")
    return float(match[1]) * factor


def size_text(size: float) -> str:
    """The shortest exact text that `parse_size` reads back.

    >>> size_text(67108864), size_text(1000)
    ('64MiB', '1000')
    """
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        count, rest = divmod(size, SIZES[unit.upper()])
        if count and not rest:
            return f"{int(count)}{unit}"
    return str(int(size))


def duration_text(seconds: float) -> str:
    """The shortest exact text that `parse_duration` reads back.

    >>> duration_text(604800.0), duration_text(90), duration_text(0.5)
    ('7d', '90s', '0.5s')
    """
    for unit in ("d", "h", "m"):
        count, rest = divmod(seconds, DURATIONS[unit])
        if count and not rest:
            return f"{int(count)}{unit}"
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"


def rough_size(size: float) -> str:
    """A size for reading.

    >>> rough_size(1_500_000), rough_size(12)
    ('1.4 MiB', '12 B')
    """
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size >= SIZES[unit.upper()]:
            return f"{size / SIZES[unit.upper()]:.1f} {unit}"
    return f"{int(size)} B"
