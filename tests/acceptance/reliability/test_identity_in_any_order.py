"""Whatever rules hold and whatever people decided: any order of arrival gives the same people."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from onefold.engine import DuckEngine
from onefold.model.definitions import Definitions, SegmentDefinition
from onefold.model.given import EVENT, INTERNAL, SAME
from onefold.model.identity import IdentifierRule, IdentityRules, Protection
from onefold.model.profile import Profile, decode_profile
from onefold.model.records import Event, Identifier
from onefold.pipeline import Pipeline, Shift
from onefold.resolve import parting
from onefold.store import SQLiteStore
from tests.identity_rules import CRM_IDS, badges, emails

NOW = 1_767_225_600_000_000
DAY, MINUTE = 86_400_000_000, 60_000_000
MOMENTS = [0, 1, 30_000_000, MINUTE, 3 * MINUTE, 9 * MINUTE, 25 * MINUTE, 50 * MINUTE]
PEOPLE = [Identifier("user_id", one) for one in "AB"] + [Identifier("crm_id", one) for one in "123"]
SHARED = [Identifier(kind, one) for kind in ("anonymous_id", "email", "badge") for one in "xy"]
EVERYBODY = PEOPLE + SHARED
TRAITS = st.fixed_dictionaries(
    {},
    optional={
        "first_name": st.sampled_from(["Ann", "Tom"]),
        "birth_date": st.sampled_from(["1990-05-01", "2015-02-03"]),
        "legal_hold": st.booleans(),
        "consent.ads": st.booleans(),
    },
)
Known = frozenset[Identifier]
Outcome = tuple[frozenset[Known], frozenset[tuple[Known, str]]]


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    """Calls of sources, and what people said in between."""
    return [_event(draw, number) for number in range(draw(st.integers(2, 12)))]


def _event(draw: st.DrawFn, number: int) -> Event:
    time = NOW + draw(st.integers(0, 2)) * DAY + draw(st.sampled_from(MOMENTS))
    tail = ("{}", "{}", time // 60_000_000)
    if draw(st.integers(0, 4)) == 0:
        pair = tuple(
            draw(st.lists(st.sampled_from(EVERYBODY), min_size=2, max_size=2, unique=True))
        )
        said = {SAME: draw(st.sampled_from([True, False, None]))}
        return Event(
            INTERNAL, "track", EVENT, time, NOW, f"d{number}", pair[:1], (pair,), said, True, *tail
        )  # fmt: skip
    person = draw(st.sampled_from([None, *PEOPLE]))
    others = draw(
        st.lists(st.sampled_from(SHARED), min_size=person is None, max_size=2, unique=True)
    )
    found = ([person] if person else []) + others
    found.sort(key=lambda one: one.kind != "user_id")
    asserted = ()
    if person and draw(st.integers(0, 6)) == 0:
        asserted = ((person, draw(st.sampled_from([one for one in EVERYBODY if one != person]))),)
    name = draw(st.sampled_from(["identify", "identify", "Signed Out"]))
    return Event(
        "s", "identify", name, time, NOW, f"m{number}", tuple(found), asserted,
        draw(TRAITS), True, *tail,
    )  # fmt: skip


RULES = st.builds(
    lambda crm, email, badge, protection: IdentityRules(
        {one.name: one for one in (crm, email, badge)}, protection
    ),
    CRM_IDS,
    emails("x"),
    badges(
        1,
        scope=st.sampled_from(["global", "source", "session"]),
        session_minutes=st.sampled_from([1, 5, 30]),
    ),
    st.builds(Protection, consent=st.booleans(), max_identifiers=st.sampled_from([4, 1_000])),
)


def people(batches: list[list[Event]], rules: IdentityRules, late: bool = False) -> Outcome:
    """Who is one person, and what waits for a word; with `late` the rules come after the events."""
    numbers = count(1)
    with TemporaryDirectory() as folder:
        store = SQLiteStore(Path(folder) / "store.db", cache_mb=4)
        pipeline = Pipeline(store, DuckEngine(), b"k", lambda: next(numbers), "UTC")
        pipeline.use(Definitions(identity=_writing_of(rules) if late else rules), {})
        for batch in batches:
            pipeline.fold(batch, [], {}, NOW)
        if late:
            pipeline.use(Definitions(identity=rules), {})
            pipeline.regroup(store.profile_ids(0, 1_000), NOW)
        profiles = [
            decode_profile(one) for one in store.documents(store.profile_ids(0, 99)).values()
        ]
        waiting = store.reviews.open(1_000)
        store.close()
    nodes = {node.id: node for profile in profiles for node in profile.nodes}
    named = {one: Identifier(node.kind, node.value) for one, node in nodes.items()}
    return (
        frozenset(map(_known, profiles)),
        frozenset((frozenset((named[one.left], named[one.right])), one.reason) for one in waiting),
    )


def _writing_of(rules: IdentityRules) -> IdentityRules:
    """Only how identifiers are written."""
    return IdentityRules(
        {one.name: IdentifierRule(one.name, scope=one.scope) for one in rules.writing}
    )


def _known(profile: Profile) -> Known:
    return frozenset(Identifier(node.kind, node.value) for node in profile.nodes)


def in_batches(data: st.DataObject, arriving: list[Event]) -> list[list[Event]]:
    batches: list[list[Event]] = [[]]
    for event in arriving:
        batches[-1].append(event)
        if data.draw(st.booleans()):
            batches.append([])
    return batches


@settings(max_examples=40, deadline=None)
@given(events(), RULES, st.data())
def test_order_batches_and_repetition_do_not_matter(
    said: list[Event], rules: IdentityRules, data: st.DataObject
) -> None:
    repeated = said + data.draw(st.lists(st.sampled_from(said), max_size=3))
    arriving = data.draw(st.permutations(repeated))
    assert people(in_batches(data, arriving), rules) == people([said], rules)


@settings(max_examples=40, deadline=None)
@given(events(), RULES)
def test_rules_that_come_late_mend_the_past(said: list[Event], rules: IdentityRules) -> None:
    assert people([said], rules, late=True) == people([said], rules)


@settings(max_examples=40, deadline=None)
@given(events(), RULES)
def test_nobody_is_with_those_they_are_kept_apart_from(
    said: list[Event], rules: IdentityRules
) -> None:
    groups, _ = people([said], rules)
    last: dict[Known, tuple[int, str, bool | None]] = {}
    seen = {one for event in said if event.source != INTERNAL for one in event.identifiers}
    seen |= {one for e in said if e.source != INTERNAL for pair in e.asserted for one in pair}
    for event in said:
        if event.source == INTERNAL and seen >= set(event.asserted[0]):
            pair = frozenset(event.asserted[0])
            word = (event.time, event.message_id, event.traits[SAME])
            last[pair] = max(word, last.get(pair, word), key=lambda one: one[:2])
    for pair, (_, _, same) in last.items():
        together = any(pair <= group for group in groups)
        assert not (same is False and together)
    if rules.of("crm_id").strength == "immutable" and not any(one[2] for one in last.values()):
        assert all(sum(one.kind == "crm_id" for one in group) < 2 for group in groups)


@settings(max_examples=60, deadline=None)
@given(events(), RULES, RULES, st.integers(1, 4))
def test_rules_do_what_trying_them_told(
    said: list[Event], before: IdentityRules, after: IdentityRules, page: int
) -> None:
    # How identifiers are written is not tried: that changes what the events themselves say.
    badge, written = after.of("badge"), before.of("badge")
    badge = replace(badge, scope=written.scope, session_minutes=written.session_minutes)
    after = IdentityRules({**after.kinds, "badge": badge}, after.protection)
    numbers = count(1)
    with TemporaryDirectory() as folder, closing(DuckEngine()) as engine:
        store = SQLiteStore(Path(folder) / "store.db", cache_mb=4)
        pipeline = Pipeline(store, engine, b"k", lambda: next(numbers), "UTC")
        segments = (SegmentDefinition("known", "first_name is not null", version=1),)
        definitions = Definitions(segments=segments, identity=before)
        pipeline.use(definitions, {})
        pipeline.fold(said, [], {}, NOW)
        was, sizes = set(store.profile_ids(0, 99)), store.segment_sizes()
        pipeline.use(replace(definitions, identity=after), {})
        after_page, told, waiting = 0, list[Shift](), 0
        while numbers_of := store.profile_ids(after_page, page):
            trial = pipeline.try_regroup(numbers_of, NOW)
            told += trial.shifts
            waiting += trial.waiting
            after_page = numbers_of[-1]
        assert set(store.profile_ids(0, 99)) == was
        pipeline.regroup(sorted(was), NOW)
        now = set(store.profile_ids(0, 99))
        assert sum(one.merged for one in told) == len(was - now)
        assert sum(one.parted for one in told) == len(now - was)
        change = Counter(name for one in told for name in one.entered)
        change.subtract(name for one in told for name in one.left)
        assert sizes.get("known", 0) + change["known"] == store.segment_sizes().get("known", 0)
        assert waiting == len(store.reviews.open(1_000))
        people_then = {
            frozenset(n.id for n in nodes) for one in told for nodes in one.after.values()
        }
        documents = store.documents(sorted(now)).values()
        assert people_then <= {frozenset(n.id for n in decode_profile(d).nodes) for d in documents}
        store.close()


@settings(max_examples=80, deadline=None)
@given(events(), events(), RULES)
def test_a_merge_undone_leaves_two(
    first: list[Event], later: list[Event], rules: IdentityRules
) -> None:
    later = [
        replace(one, message_id=f"later-{one.message_id}", time=one.time + DAY) for one in later
    ]
    numbers = count(1)
    with TemporaryDirectory() as folder, closing(DuckEngine()) as engine:
        store = SQLiteStore(Path(folder) / "store.db", cache_mb=4)
        pipeline = Pipeline(store, engine, b"k", lambda: next(numbers), "UTC")
        pipeline.use(Definitions(identity=rules), {})

        def everybody() -> dict[int, Profile]:
            documents = store.documents(store.profile_ids(0, 99))
            return {number: decode_profile(one) for number, one in documents.items()}

        pipeline.fold(first, [], {}, NOW)
        before = everybody()
        pipeline.fold(later, [], {}, NOW)
        after = everybody()
        nodes = {node.id: node for one in after.values() for node in one.nodes}
        named = {one: Identifier(node.kind, node.value) for one, node in nodes.items()}
        for gone in sorted(before.keys() - after.keys()):
            into = store.current_id(gone)
            if into not in before:
                continue
            sides = [{node.id for node in before[one].nodes} for one in (gone, into)]
            pairs = parting(nodes, *sides, rules, NOW + 99 * DAY)
            words = [
                Event(
                    INTERNAL,
                    "track",
                    EVENT,
                    NOW + 99 * DAY,
                    NOW,
                    f"undo-{gone}-{at}",
                    (named[one],),
                    ((named[one], named[two]),),
                    {SAME: False},
                    True,
                    "{}",
                    "{}",
                    0,
                )
                for at, (one, two) in enumerate(pairs)
            ]
            pipeline.fold(words, [], {}, NOW)
            now = everybody()
            held = [{node.id for node in one.nodes} for one in now.values()]
            assert not any(one & sides[0] and one & sides[1] for one in held)
            back = [
                replace(
                    one,
                    message_id=f"back-{one.message_id}",
                    time=one.time + DAY,
                    traits={SAME: None},
                )
                for one in words
            ]
            pipeline.fold(back, [], {}, NOW)
            words_before = any(one.source == INTERNAL for one in first + later)
            if not words_before:
                assert set(map(_known, everybody().values())) == set(map(_known, after.values()))
        store.close()
