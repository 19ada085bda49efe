"""Events with the same identifiers are added up; what was seen before is taken out again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from onefold.model.given import INTERNAL
from onefold.model.records import Event, Identifier
from onefold.pipeline import Prepared, prepare_events
from onefold.standardize import seen_key

KEY = b"k" * 32
PEOPLE = [
    (Identifier("user_id", "ann"), Identifier("anonymous_id", "a1")),
    (Identifier("user_id", "ann"),),
    (Identifier("anonymous_id", "a1"), Identifier("email", "ann@example.com")),
    (Identifier("user_id", "bob"), Identifier("anonymous_id", "a1")),
]


def an_event(number: int, person: int, time: int, what: str) -> Event:
    """Its message id is one of few, so that some are repetitions."""
    return Event(
        INTERNAL if what == "given" else "shop",
        "identify" if what != "track" else "track",
        "Viewed",
        time,
        time,
        f"m{number}",
        PEOPLE[person],
        (((PEOPLE[0][0], PEOPLE[3][0])),) if what == "alias" else (),
        {"plan": number} if what in ("traits", "given") else {},
        what == "traits",
        "{}",
        "{}",
    )


events = st.lists(
    st.builds(
        an_event,
        st.integers(0, 12),
        st.integers(0, len(PEOPLE) - 1),
        st.integers(0, 5),
        st.sampled_from(["track", "traits", "alias", "given"]),
    ),
    max_size=30,
)


def key(event: Event) -> tuple[int, int]:
    return seen_key(event.source, event.message_id, event.client_minute)


def told(found: Prepared) -> list[object]:
    """All that a batch is but its rejects; visits in any order."""
    visits = sorted(found.visits, key=str)
    rows = sorted(found.rows.to_pylist(), key=str)
    return [visits, found.telling, found.claims, found.keys, rows]


@given(events, st.sets(st.integers(0, 12)))
def test_what_was_seen_before_is_as_if_it_never_came(found: list[Event], numbers: set[int]) -> None:
    whole = prepare_events(found, [], {}, KEY)
    known = {key(one) for one in found if int(one.message_id[1:]) in numbers}
    fresh = prepare_events([one for one in found if key(one) not in known], [], {}, KEY)
    left = whole.without(known)
    assert told(left) == told(fresh)
    assert left.rows.num_rows + left.repeats == len(found)
    assert sum(one.events for one in left.visits) + len(left.claims) == left.rows.num_rows


@given(events)
def test_a_visit_says_when_its_first_and_last_event_were(found: list[Event]) -> None:
    given_events = prepare_events(found, [], {}, KEY, unique=True)
    start = 0
    for visit in given_events.visits:
        rows = given_events.rows.slice(start, visit.events).to_pylist()
        start += visit.events
        moments = [(row["time"], row["message_id"], row["source"]) for row in rows]
        assert min(moments)[1:] == visit.first[1:]
        times = [row["time"].timestamp() * 1e6 for row in rows]
        assert (min(times), max(times)) == (visit.first[0], visit.last)
        assert {row["owner"] for row in rows} == {visit.nodes[0]}
