"""Reviews as people read them."""

from __future__ import annotations

import pytest

from onefold.app.identity.decisions import ReviewItem, ReviewPage, ReviewSide
from onefold.app.matching.answers import MatchPart, MatchWhy
from onefold.cli.reviewing import _say_reviews

LEFT = ReviewSide("phone:+1", "p1", ("phone:+1", "user_id:a"), {"city": "Leeds", "name": "Ann"})
RIGHT = ReviewSide("user_id:b", "p2", ("user_id:b",), {"city": "Leeds", "name": "Bob"})
MATCH = MatchWhy(1.25, 0.7, "review", "m", (MatchPart("phone", "same", 11.5),))
ITEM = ReviewItem(
    LEFT, RIGHT, "alike", "matched", 0, 1_700_000_000_000_000,
    ("city",), ("name",), 1.25, 1.0, 1, "eve", 1_700_000_060_000_000, MATCH,
)  # fmt: skip


def test_the_two_sides_stand_beside_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    _say_reviews(ReviewPage([ITEM], 1))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0][-4:] == ["waits", "since", "2023-11-14", "22:13:20Z"]
    assert lines[1][:2] == ["with", "eve"]
    assert ["city", "Leeds", "Leeds", "agrees"] in lines
    assert ["name", "Ann", "Bob", "differs"] in lines
    assert ["phone:+1", "user_id:b"] in lines
    assert ["user_id:a"] in lines
    assert ["phone", "same", "+11.50"] in lines


def test_nothing_waits(capsys: pytest.CaptureFixture[str]) -> None:
    _say_reviews(ReviewPage([], 0))
    assert capsys.readouterr().out == "nothing waits\n"
