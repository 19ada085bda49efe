"""What metrics ask of events: conditions that are written alike become one, with places in it.

Rules differ in what they compare with more than in how they are made, and an engine sets up every
expression of a query anew for each batch, however few its rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from onefold.segment.compared import COMPARISON, constant, number_sql
from onefold.segment.metric import Metric

_MOST_PLACES = 8


class Condition(NamedTuple):
    """A condition with places instead of numbers and texts, and what stands at each, as SQL.

    Places are called `n0`, `n1` … for numbers and `s0`, `s1` … for texts. No text: no condition.
    """

    text: str | None
    literals: dict[str, str]


def conditions_of(metrics: Iterable[Metric]) -> list[Condition]:
    """The conditions of metrics, in their order."""
    return [_condition(metric) for metric in metrics]


def _condition(metric: Metric) -> Condition:
    if metric.where is None:
        return Condition(None, {})
    types = {field.name: field.type for field in metric.fields}
    numbers: list[str] = []
    texts: list[str] = []

    def replaced(found: re.Match[str]) -> str:
        if found["left"] not in types:
            return found[0]
        value = constant(found["right"], types[found["left"]])
        if value is None:
            return found[0]
        of, letter = (texts, "s") if isinstance(value, str) else (numbers, "n")
        of.append(found["right"] if isinstance(value, str) else number_sql(value))
        return f"({found['left']} {found['by']} {letter}{len(of) - 1})"

    text = COMPARISON.sub(replaced, metric.where)
    if len(numbers) + len(texts) > _MOST_PLACES:
        return Condition(metric.where, {})
    literals = {f"n{place}": one for place, one in enumerate(numbers)}
    return Condition(text, literals | {f"s{place}": one for place, one in enumerate(texts)})
