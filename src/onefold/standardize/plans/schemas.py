"""JSON Schemas, compiled so that they fetch nothing, take linear time, and tell no values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from onefold.model.errors import Fault, InvalidInput

_MASK = "the value"
_MOST_FAULTS = 50
_MOST_CHARACTERS = 200
_DEPTH = 32
Path = tuple[str | int, ...]


class Broken(NamedTuple):
    """One thing that is wrong: where, which keyword of the schema says so, and in words."""

    path: Path
    keyword: str
    message: str

    @property
    def field(self) -> str:
        """The field as people write it: items of a list are one field.

        >>> Broken(("products", 0, "price"), "type", "").field
        'products[].price'
        """
        text = ""
        for part in self.path:
            text += "[]" if isinstance(part, int) else f".{part}" if text else part
        return text[:_MOST_CHARACTERS]


class Checker:
    """A schema that values are held against; `InvalidInput` where it is none."""

    def __init__(self, schema: dict[str, Any]) -> None:
        # Loaded only where there is a plan: it takes 8 MB.
        import jsonschema_rs  # noqa: PLC0415

        try:
            self._schema = jsonschema_rs.Draft202012Validator(
                schema,
                mask=_MASK,
                validate_formats=True,
                offline=True,
                # Takes time in proportion to the text, whatever the pattern.
                pattern_options=jsonschema_rs.RegexOptions(),
            )
        except (jsonschema_rs.ValidationError, ValueError) as error:
            told = getattr(error, "message", str(error))
            place = ".".join(map(str, getattr(error, "instance_path", ())))
            raise InvalidInput("the schema cannot be used", [Fault(told[:300], place)]) from error

    def broken(self, value: Any) -> list[Broken]:
        """All that is wrong with a value, at most fifty things."""
        if self._schema.is_valid(value):
            return []
        found: list[Broken] = []
        for error in self._schema.iter_errors(value):
            found.extend(_told(error))
            if len(found) >= _MOST_FAULTS:
                break
        return found[:_MOST_FAULTS]


def _told(error: Any) -> Iterator[Broken]:
    path: Path = tuple(error.instance_path)
    keyword = error.kind.name
    if (missing := getattr(error.kind, "property", None)) is not None:
        yield Broken((*path, missing), keyword, "is missing")
    elif (unexpected := getattr(error.kind, "unexpected", None)) is not None:
        for name in unexpected:
            yield Broken((*path, name), keyword, "is not in the plan")
    else:
        message = error.message.removeprefix(_MASK).strip()
        yield Broken(path, keyword, message[:_MOST_CHARACTERS])


def schema_faults(schema: object) -> Iterator[Fault]:
    """Why a schema cannot be one of a plan."""
    if not isinstance(schema, dict):
        yield Fault("must be a JSON Schema", "schema", "write `properties:` and `required:`")
        return
    if _deeper_than(schema, _DEPTH):
        yield Fault(f"nests deeper than {_DEPTH} levels", "schema")
        return
    if schema.get("type", "object") != "object":
        yield Fault("must be of an object", "schema", "it describes all properties together")
    try:
        Checker(schema)
    except InvalidInput as error:
        for fault in error.faults:
            yield Fault(fault.message, f"schema {fault.where}".rstrip())


def _deeper_than(value: Any, levels: int) -> bool:
    if levels < 0:
        return True
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_deeper_than(one, levels - 1) for one in inner)
