"""What stood in a record before it was standardized: kept with its event, in `context.originals`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onefold.model.mapping import EventMapping, Field
from onefold.standardize.mapping.coded import CODED
from onefold.standardize.mapping.columns import MISSING, Column, Row, taken
from onefold.standardize.mapping.money import original_key
from onefold.standardize.mapping.values import text_of

_TYPES = frozenset({*CODED, "phone", "date", "time"})


def keeps_original(field: Field) -> bool:
    """Is what it says brought into another form, so that the form which it came in is kept?"""
    return bool(field.type in _TYPES or field.format or field.unit or field.money)


class Originals:
    """The fields of an event that are standardized; false where there are none."""

    def __init__(self, event: EventMapping) -> None:
        self._taken: dict[str, dict[str, tuple[Column, bool]]] = {
            where: {
                name: (taken(field), field.money is not None)
                for name, field in fields.items()
                if keeps_original(field) and not field.constant
            }
            for where, fields in (("traits", event.traits), ("properties", event.properties))
        }

    def __bool__(self) -> bool:
        return any(self._taken.values())

    def add(
        self,
        where: str,
        rows: Sequence[Row],
        values: Sequence[dict[str, Any]],
        contexts: Sequence[dict[str, Any]],
    ) -> None:
        """Note in each context what values were before, where they are others now."""
        for name, (column, is_money) in self._taken[where].items():
            place = f"{where}.{name}"
            key = original_key(place) if is_money else ""
            for at, before in enumerate(column(rows, {})):
                now = values[at].get(name)
                if before is None or before is MISSING or now is None:
                    continue
                if key in rows[at]:
                    before = rows[at][key]
                elif before == now or text_of(now) == before:
                    continue
                contexts[at].setdefault("originals", {})[place] = before
