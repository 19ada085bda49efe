"""What `Retry-After` asks for, however it is written."""

from __future__ import annotations

import pytest

from onefold.model.retry_after import asked_until

SECOND = 1_000_000
DAY = 86_400 * SECOND
NOW = 1_700_000_000 * SECOND
"""Tuesday, 14 November 2023, 22:13:20 UTC."""


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("007", 7),
        ("1.5", 1.5),
        ("0.25", 0.25),
        ("Tue, 14 Nov 2023 22:15:20 GMT", 120),
        ("Tuesday, 14-Nov-23 22:15:20 GMT", 120),
        ("Tue Nov 14 22:15:20 2023", 120),
        ("Sat Nov  4 22:15:20 2024", 356 * 86_400 + 120),
        ("Tue, 14 Nov 2023 22:15:20 -0000", 120),
        ("Tue, 14 Nov 2023 23:15:20 +0100", 120),
    ],
)
def test_seconds_and_the_three_dates_of_http(value: str, seconds: float) -> None:
    assert asked_until(value, NOW, 1000 * DAY) == NOW + int(seconds * SECOND)


@pytest.mark.parametrize(
    "value",
    ["9" * 60_000, "86401", "Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 -2359"],
)
def test_what_is_too_far_ahead_is_bounded(value: str) -> None:
    assert asked_until(value, NOW, DAY) == NOW + DAY


@pytest.mark.parametrize(
    "value",
    [
        "", "0", "0.0", "-5", "soon", "²", "٣", "inf", "nan", "1e3", "1_000", "1.", ".5", "5 s",
        "Tue, 14 Nov 2023 22:13:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sunday, 06-Nov-94 08:49:37 GMT", "Fri, 31 Dec 99999 23:59:59 GMT", "Tue, 32 Nov 2023 22:15:20 GMT",
        "\x00", "," * 1000,
    ],
)  # fmt: skip
def test_what_is_past_or_cannot_be_read_says_nothing(value: str) -> None:
    assert asked_until(value, NOW, DAY) == 0
