"""How large a segment was, day by day."""

from __future__ import annotations

import pytest

from onefold.app.questions.sizes import segment_sizes
from onefold.app.worker.loop import Worker
from onefold.app.workspace import now_us
from onefold.model.errors import NotFound
from tests.acceptance.conftest import Stepped

DAY = 86_400_000_000


def test_each_day_says_who_came_and_went_and_how_many_there_were(onefold: Stepped) -> None:
    onefold.define("kind: segment\nname: in_bonn\nrule: city = 'Bonn'\n")
    onefold.settle()
    then = now_us()
    at = [then - 2 * DAY]
    onefold.worker.close()
    onefold.worker = Worker(
        onefold.settings, onefold.store, onefold.lake, onefold.log, clock=lambda: at[0]
    )
    move(onefold, ann="Bonn", bob="Bonn")
    at[0] = then - DAY
    move(onefold, cem="Bonn", ann="Ulm")
    move(onefold, bob="Ulm")
    at[0] = then
    move(onefold, ann="Bonn")
    rows = segment_sizes(onefold.settings, "in_bonn", 4)
    assert [(one.entered, one.left, one.members) for one in rows] == [
        (0, 0, 0),
        (2, 0, 2),
        (1, 2, 1),
        (1, 0, 2),
    ]
    assert [one.day for one in rows] == sorted(one.day for one in rows)


def move(onefold: Stepped, **cities: str) -> None:
    onefold.take(
        *(
            {"type": "identify", "userId": user, "traits": {"city": city}}
            for user, city in cities.items()
        )
    )


def test_a_segment_that_nobody_defined_has_no_sizes(onefold: Stepped) -> None:
    with pytest.raises(NotFound):
        segment_sizes(onefold.settings, "nobody")
