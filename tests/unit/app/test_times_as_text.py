"""Whoever reads a time that is written as text gives the same microseconds for it."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from onefold.cli.invocation import parse_time as of_a_command
from onefold.collect.sources.rest.values import read_time
from onefold.collect.sources.sql_values import micros as of_a_column
from onefold.serve.api.doors import parse_time as of_a_request
from onefold.standardize.times import micros as of_an_event

READERS: dict[str, Callable[[str], int | None]] = {
    "a command": of_a_command,
    "a request": lambda text: of_a_request(text, "at"),
    "an event": of_an_event,
    "a column": lambda text: of_a_column(text, ZoneInfo("UTC")),
    "an answer": lambda text: read_time(text, "iso"),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_time_is_read_exactly_wherever_it_stands(read: Callable[[str], int | None]) -> None:
    times = {
        "2026-07-01T12:00:00.000001+02:00": 1_782_900_000_000_001,
        "1970-01-01T00:00:00.000001": 1,
        "1969-12-31T23:59:59.250Z": -750_000,
        "9999-12-31T23:59:59.999999": 253_402_300_799_999_999,
    }
    assert {text: read(text) for text in times} == times
