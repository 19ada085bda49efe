"""What somebody wrote, as the record that it stands for; every fault at once."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from onefold.model.errors import Fault, InvalidInput

Record = TypeVar("Record", bound=msgspec.Struct)


def converted(given: Any, kind: type[Record], what: str, where: str = "") -> Record:
    """The record; `InvalidInput` says of `what` each field that is unknown, missing or wrong, at `where` it
    stands.

    >>> class Place(msgspec.Struct, forbid_unknown_fields=True):
    ...     host: str
    ...     port: int = 22
    >>> converted({"host": "a"}, Place, "the place")
    Place(host='a', port=22)
    >>> converted({"hst": "a", "port": "x"}, Place, "the place", "access")
    Traceback (most recent call last):
    ...
    onefold.model.errors.InvalidInput: the place cannot be used
      access.hst: is unknown (did you mean 'host'?)
      access.host: is missing
      access.port: expected `int`, got `str`
    """
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        found = list(_faults(given, kind, where)) or [fault_of(error, where)]
        raise InvalidInput(f"{what} cannot be used", found) from None


def _faults(given: Any, kind: type[msgspec.Struct], where: str) -> Iterator[Fault]:
    if not isinstance(given, Mapping):
        return
    known = kind.__struct_encode_fields__
    for name in given:
        if name not in known and kind.__struct_config__.forbid_unknown_fields:
            yield Fault("is unknown", _at(where, str(name)), nearest(str(name), sorted(known)))
    for field in msgspec.structs.fields(kind):
        place = _at(where, field.encode_name)
        if field.encode_name in given:
            try:
                msgspec.convert(given[field.encode_name], field.type)
            except msgspec.ValidationError as error:
                yield fault_of(error, place)
        elif field.required:
            yield Fault("is missing", place)


def nearest(name: str, known: Collection[str]) -> str:
    """The hint for a name that is not known: the nearest, or all there are.

    >>> nearest("citi", ["address", "city"]), nearest("x", ["address", "city"])
    ("did you mean 'city'?", 'known are address, city')
    """
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"


def fault_of(error: msgspec.ValidationError, where: str) -> Fault:
    """As msgspec tells it, with the path to what is wrong below where it was looked at."""
    reason, _, path = str(error).partition(" - at `$")
    return Fault(reason[:1].lower() + reason[1:], f"{where}{path.rstrip('`')}".lstrip("."))


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
