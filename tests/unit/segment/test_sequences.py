"""What is told of events in a row agrees with what the rule finds."""

from hypothesis import given
from hypothesis import strategies as st

from onefold.segment.sequences import deciding_row, find_matches

moments = st.sets(st.integers(0, 20), max_size=6).map(sorted)


@given(st.lists(moments, min_size=1, max_size=3), st.integers(0, 8), moments, st.booleans())
def test_the_row_that_decides_holds_if_and_only_if_there_is_a_match(
    steps: list[list[int]], within: int, unless: list[int], wait: bool
) -> None:
    now, unless = 20, unless if wait else []
    matches = find_matches(steps, within, unless, wait=wait)
    row = deciding_row(steps, within, unless, now, wait=wait)
    assert (row.state == "holds") == any(match.holds_from <= now for match in matches)
    assert (row.state == "waits") == (
        bool(matches) and all(match.holds_from > now for match in matches)
    )
    assert sorted(set(row.times)) == list(row.times)
    assert all(time in step for time, step in zip(row.times, steps, strict=False))
    assert (len(row.times) == len(steps)) == (row.state != "incomplete")
    if row.state == "waits":
        assert row.holds_from == min(match.holds_from for match in matches)
    if row.broken_at is not None:
        assert row.broken_at in unless
        assert row.broken_at > row.times[-1]
