"""Text from events cannot play tricks on a terminal."""

from __future__ import annotations

import pytest

from onefold.cli.rendering import cell, fields, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain 王小明 😀", "plain 王小明 😀"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\u202eb", "a\\u202eb"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("nul\0", "nul\\x00"),
        ("\ud800", "\\ud800"),
    ],
)
def test_control_characters_are_written_out(text, shown):
    assert printable(text) == shown


def test_times_are_readable_and_numbers_stay_numbers():
    assert cell(1_700_000_000_000_000, "created_at") == "2023-11-14 22:13:20Z"
    assert cell(1_700_000_000_000_000, "at") == "2023-11-14 22:13:20Z"
    assert cell(1_700_000_000_000_000, "revenue") == "1700000000000000"
    assert cell(10**30, "created_at") == str(10**30)
    assert cell({"tier": "gold"}, "traits") == '{"tier": "gold"}'


def test_times_under_names_of_their_own_are_readable_too(capsys):
    fields(
        {"as_of": {"rfm.recency": 1_700_000_000_000_000}, "tags": {"rfm": 1_700_000_000_000_000}}
    )
    assert capsys.readouterr().out.splitlines() == [
        "as_of",
        "  rfm.recency  2023-11-14 22:13:20Z",
        "tags",
        "  rfm  1700000000000000",
    ]
