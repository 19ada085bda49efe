"""What definitions may say of golden records and of the values of a trait: every fault."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from onefold.model.errors import Fault, InvalidInput
from onefold.model.golden import PII, WAYS
from onefold.model.patterns import matcher

Body = Mapping[str, Any]
Key = tuple[str, str]
TRAIT_KEYS = frozenset(
    {"survivorship", "unit", "pattern", "range", "length", "allowed", "pii", "unique"}
)
"""What a declared trait may say beside its type."""
GOLDEN_KEYS = frozenset({"survivorship", "traits", "together"})
_MOST_LISTED = 1_000
_MOST_PATTERN = 500
_NEEDED = {
    "source_priority": ("sources", "write `sources:`, the most trusted first"),
    "expression": ("prefer", "write `prefer:` with an expression, the greatest value of it wins"),
}
_OF = {
    "by": WAYS,
    "sources": ("source_priority", "verified_first"),
    "order": ("strictest",),
    "verified_by": ("verified_first",),
    "prefer": ("expression",),
}
_NOT_TOGETHER = ("minimum", "maximum", "union", "strictest", "longest")


def golden_faults(body: Body) -> Iterator[Fault]:
    """What is wrong with a definition of kind `golden`."""
    if "survivorship" not in body:
        hint = f"write `survivorship:` with one of {', '.join(WAYS)}"
        yield Fault("has no survivorship", "", hint)
    else:
        yield from survivorship_faults(body["survivorship"])
    traits = body.get("traits", [])
    if not _texts(traits) or len(set(traits)) != len(traits):
        yield Fault("must be a list of names, each once", "traits")
        traits = []
    together = body.get("together", False)
    if not isinstance(together, bool):
        yield Fault("must be true or false", "together")
    elif together and len(traits) < 2:
        yield Fault("names fewer than two traits that stay together", "traits")
    elif together and (by := _by(body.get("survivorship"))) in _NOT_TOGETHER:
        hint = "use latest, source_priority, most_frequent, most_complete, verified_first"
        yield Fault(f"{by} compares single values, not traits together", "survivorship", hint)


def schema_faults(body: Body) -> Iterator[Fault]:
    """What is wrong with what a trait says of its values."""
    given = TRAIT_KEYS & body.keys()
    if given and "expression" in body:
        names = ", ".join(sorted(given))
        yield Fault(f"{names} belongs to traits that sources claim", "expression")
    if "survivorship" in body:
        yield from survivorship_faults(body["survivorship"])
    if not isinstance(body.get("unit", ""), str):
        yield Fault("must be a text", "unit")
    if not isinstance(body.get("unique", False), bool):
        yield Fault("must be true or false", "unique")
    if "pii" in body and body["pii"] not in PII:
        yield Fault(f"must be one of {', '.join(PII)}", "pii")
    if "allowed" in body:
        yield from _list_faults(body["allowed"], "allowed")
    for key, kinds in (("range", (int, float, str)), ("length", (int,))):
        if key in body:
            yield from _bounds_faults(body[key], key, kinds)
    if "pattern" in body:
        yield from _pattern_faults(body["pattern"])


def survivorship_faults(given: Any) -> Iterator[Fault]:
    """What is wrong with a way to pick the golden value."""
    where = "survivorship"
    said = {"by": given} if isinstance(given, str) else given
    if not isinstance(said, dict):
        yield Fault("must be a word, or have `by:`", where, f"such as {', '.join(WAYS)}")
        return
    by = said.get("by")
    if by not in WAYS:
        near = difflib.get_close_matches(str(by), WAYS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(WAYS)}"
        yield Fault(f"{by!r} is not known", where, hint)
        return
    yield from _part_faults(said, by)


def _part_faults(said: dict[str, Any], by: Any) -> Iterator[Fault]:
    """What is wrong with that which goes with a way."""
    where = "survivorship"
    for key in said.keys() - {"of"}:
        if key not in _OF:
            yield Fault(f"{key!r} is not known", where, f"known are of, {', '.join(sorted(_OF))}")
        elif key != "by" and by not in _OF[key]:
            yield Fault(f"{key} says nothing about {by}", where, f"it is for {_OF[key][0]}")
    if by in _NEEDED and not said.get(_NEEDED[by][0]):
        yield Fault(f"{by} needs {_NEEDED[by][0]}", where, _NEEDED[by][1])
    yield from _value_faults(said)


def _value_faults(said: dict[str, Any]) -> Iterator[Fault]:
    where = "survivorship"
    if said.get("of", "all") not in ("all", "last"):
        yield Fault("`of` is all or last", where)
    if not _texts(said.get("sources", [])):
        yield Fault("`sources` must be a list of names", where)
    if "order" in said:
        yield from _list_faults(said["order"], where)
    for key in ("verified_by", "prefer"):
        if not isinstance(said.get(key, ""), str):
            yield Fault(f"`{key}` must be a text", where)
        elif key == "prefer" and said.get(key):
            yield from _preference_faults(said[key])


def faults_of_all(
    bodies: Mapping[Key, dict[str, Any]], places: Mapping[Key, str]
) -> Iterator[Fault]:
    """What is wrong with definitions of golden records together: a trait is decided by one rule."""
    everything = [
        key for key, body in bodies.items() if key[0] == "golden" and not body.get("traits")
    ]
    if len(everything) > 1:
        for key in everything:
            if key in places:
                names = ", ".join(sorted(name for _, name in everything))
                hint = "write `traits:` in all but one"
                yield Fault(f"several are for all other traits: {names}", places[key], hint)
    owners: dict[str, list[Key]] = {}
    for key, body in bodies.items():
        if key[0] == "golden" and _texts(body.get("traits", [])):
            for trait in body.get("traits", []):
                owners.setdefault(trait, []).append(key)
        elif key[0] == "trait" and "survivorship" in body:
            owners.setdefault(key[1], []).append(key)
    for trait, keys in sorted(owners.items()):
        changed = [key for key in keys if key in places]
        if len(keys) > 1 and changed:
            named = " and ".join(f"{kind} {name}" for kind, name in keys)
            place = places[changed[0]]
            yield Fault(f"{named} both say how {trait!r} is decided", place, "keep one of them")


def _preference_faults(text: str) -> Iterator[Fault]:
    # The engine's types are needed for this alone.
    from onefold.pipeline.scores import preference  # noqa: PLC0415

    try:
        preference(text)
    except InvalidInput as error:
        for fault in error.faults or (Fault(error.message),):
            yield Fault(fault.message, "survivorship", fault.hint)


def _by(given: Any) -> Any:
    return given.get("by") if isinstance(given, dict) else given


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one for one in value)


def _list_faults(value: Any, where: str) -> Iterator[Fault]:
    if not isinstance(value, list) or not value or len(value) > _MOST_LISTED:
        yield Fault(f"must be a list of up to {_MOST_LISTED:,} values", where)


def _bounds_faults(value: Any, where: str, kinds: tuple[type, ...]) -> Iterator[Fault]:
    bounds = value if isinstance(value, dict) else {}
    wrong = [one for one in bounds.values() if isinstance(one, bool) or not isinstance(one, kinds)]
    if not bounds or bounds.keys() - {"min", "max"} or wrong:
        yield Fault("must have `min:` or `max:` or both", where, "such as {min: 0, max: 120}")


def _pattern_faults(pattern: Any) -> Iterator[Fault]:
    if not isinstance(pattern, str) or len(pattern) > _MOST_PATTERN:
        yield Fault(f"must be a text of up to {_MOST_PATTERN} characters", "pattern")
        return
    try:
        matcher(pattern)
    except ValueError as error:
        yield Fault(f"is no pattern: {error}", "pattern")
