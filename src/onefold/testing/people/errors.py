"""How values go wrong: fingers, eyes, ears and scanners."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from onefold.testing.people.drawing import Random, Texts

_NEAR = {
    "a": "qsz", "b": "vgn", "c": "xdv", "d": "sfe", "e": "wrd", "f": "dgr", "g": "fht", "h": "gjy", "i": "uok", "j": "hku",
    "k": "jli", "l": "kop", "m": "nj", "n": "bmh", "o": "ipl", "p": "ol", "q": "wa", "r": "etf", "s": "adw", "t": "ryg",
    "u": "yij", "v": "cbf", "w": "qes", "x": "zcs", "y": "tuh", "z": "xsa",
    "1": "2", "2": "13", "3": "24", "4": "35", "5": "46", "6": "57", "7": "68", "8": "79", "9": "80", "0": "9",
}  # fmt: skip
_SEEN = [
    ("rn", "m"),
    ("m", "rn"),
    ("cl", "d"),
    ("l", "1"),
    ("o", "0"),
    ("s", "5"),
    ("e", "c"),
    ("h", "b"),
    ("vv", "w"),
]
_SEEN += [
    ("O", "0"),
    ("S", "5"),
    ("B", "8"),
    ("I", "l"),
    ("0", "O"),
    ("1", "l"),
    ("5", "S"),
    ("8", "B"),
    ("g", "q"),
]
_HEARD = [
    ("ph", "f"),
    ("ck", "k"),
    ("c", "k"),
    ("ie", "y"),
    ("y", "i"),
    ("ee", "ea"),
    ("ei", "ie"),
    ("ll", "l"),
    ("nn", "n"),
]
_HEARD += [
    ("tt", "t"),
    ("s", "z"),
    ("son", "sen"),
    ("ey", "y"),
    ("z", "s"),
    ("th", "t"),
    ("oo", "u"),
    ("ai", "ay"),
    ("k", "c"),
]
_HEARD += [
    ("l", "ll"),
    ("n", "nn"),
    ("a", "e"),
    ("e", "a"),
    ("i", "e"),
    ("zh", "z"),
    ("sh", "s"),
    ("ng", "n"),
    ("ch", "c"),
]
_HAN = {
    "伟": "玮",
    "张": "章",
    "静": "婧",
    "丽": "莉",
    "明": "民",
    "华": "花",
    "军": "君",
    "杰": "洁",
    "霞": "夏",
    "婷": "停",
}
_DIGIT = re.compile(r"\d")


def mistyped(text: str, draw: int) -> str:
    """One slip of the fingers: a neighbour, one too few, one too many, two swapped, a blank."""
    if len(text) < 2:
        return text
    at = draw % len(text)
    kind = draw // 97 % 10
    sign = text[at]
    if kind < 4:
        near = _NEAR.get(sign.lower(), sign)
        other = near[draw // 7 % len(near)]
        return text[:at] + (other.upper() if sign.isupper() else other) + text[at + 1 :]
    if kind < 6:
        return text[:at] + text[at + 1 :]
    if kind < 7:
        return text[:at] + sign + text[at:]
    if kind < 9:
        at = min(at, len(text) - 2)
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + " " + text[at:] if at > 0 else text


def misread(text: str, draw: int) -> str:
    """As a scanner reads it."""
    return _replaced(text, draw, _SEEN)


def misheard(text: str, draw: int) -> str:
    """As somebody writes what was said on the telephone."""
    if text[0] > "\u2fff":
        return "".join(_HAN.get(sign, sign) for sign in text)
    return _replaced(text, draw, _HEARD)


def _replaced(text: str, draw: int, pairs: list[tuple[str, str]]) -> str:
    for step in range(len(pairs)):
        old, new = pairs[(draw + step) % len(pairs)]
        at = text.find(old)
        if at >= 0:
            return text[:at] + new + text[at + len(old) :]
    return text


def wrong_digit(text: str, draw: int) -> str:
    """One digit is another, or two are swapped."""
    places = [match.start() for match in _DIGIT.finditer(text)]
    if not places:
        return text
    at = places[draw % len(places)]
    if draw // 97 % 3 and at + 1 in places:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + str((int(text[at]) + 1 + draw // 7 % 9) % 10) + text[at + 1 :]


def spoil(rng: Random, values: Texts, share: float, how: Callable[[str, int], str]) -> None:
    """Let this share of the values go wrong, in place."""
    chosen = np.flatnonzero(rng.random(len(values)) < share)
    draws = rng.integers(0, 1 << 40, len(chosen)).tolist()
    for place, draw in zip(chosen.tolist(), draws, strict=True):
        if values[place]:
            values[place] = how(values[place], draw)


def lose(
    rng: Random, values: Texts, share: float, instead: tuple[str | None, ...] = (None,)
) -> None:
    """Leave this share of the values out, or write what stands for nothing, in place."""
    chosen = np.flatnonzero(rng.random(len(values)) < share)
    for place, which in zip(
        chosen.tolist(), rng.integers(0, len(instead), len(chosen)), strict=True
    ):
        values[place] = instead[which]
