"""Compare: in which traits and events those who satisfy a rule differ most from everybody else.

The difference is the standardized one: of averages (mean in − mean out) / √((variance in + variance
out) / 2), of shares the same with p (1 − p) as variance. It has no unit, so that traits and events
can stand in one list, and a rare value in which a few differ does not come first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from onefold.app.questions.audiences import CompareQuestion, Comparison, Difference
from onefold.app.questions.everybody import DAY_US, Everybody, drawn, everybody
from onefold.app.questions.preview import stored_values, trait_named
from onefold.app.workspace import now_us
from onefold.config import Settings
from onefold.model.given import RESERVED
from onefold.segment.fields import field_sql, read_sql
from onefold.segment.metric import Field, make_field

_SEEN = 20_000
_TRAITS, _VALUES, _EVENTS = 40, 20, 100
_MOSTLY = 0.9
_FEW = 10
_LARGEST = 100.0
_Kind = Literal["value", "average", "event", "events"]


def compare(
    settings: Settings, question: CompareQuestion, before: Callable[[], None] = lambda: None
) -> Comparison:
    """Compare the profiles that satisfy a rule now with all others."""
    now = now_us()
    with everybody(settings, {"": question.rule}, now, before, days=question.days) as found:
        people, asked = found
        named = [(name, trait_named(name, people.definitions)) for name in question.traits]
        query = people.members_query(asked, now)
        members = people.keep("members", query)
        total = people.total()
        sizes = _keep_seen(people)
        differences = [
            *_of_traits(people, named or _common_traits(people), sizes),
            *_of_events(people, now - question.days * DAY_US, now, sizes),
        ]
    differences.sort(key=lambda one: (-abs(one.difference), one.what, one.value or ""))
    return Comparison(
        question.rule,
        now,
        members,
        total - members,
        *sizes,
        tuple(differences[: question.most]),
    )


class _Sizes(NamedTuple):
    """How many members and others are looked at."""

    members: int
    others: int


def _keep_seen(people: Everybody) -> _Sizes:
    """Keep whom is looked at as the table `seen(profile, member, traits, computed, tags)`."""
    profiles = people.relations.profiles
    others = (
        f"(select profile from {profiles} where not exists"  # noqa: S608 - our own names
        f" (select 1 from members where members.profile = {profiles}.profile))"
    )
    people.keep(
        "chosen",
        f"select profile, true as member from ({drawn('members', _SEEN)})"  # noqa: S608
        f" union all select profile, false from ({drawn(others, _SEEN)})",
    )
    people.keep(
        "seen",
        f"select profile, member, traits, computed, tags from {profiles} join chosen using (profile)",  # noqa: S608
    )
    counts = dict(people.rows("select member, count(*) from seen group by member"))
    return _Sizes(counts.get(True, 0), counts.get(False, 0))


def _common_traits(people: Everybody) -> list[tuple[str, Field]]:
    """The traits that most of those who are looked at have, what is computed and tags among them."""
    stored = stored_values(people.definitions)
    names = " union all ".join(
        f"select '{root}' as root, unnest(json_keys({root})) as name from seen"  # noqa: S608
        for root in ("traits", "computed", "tags")
    )
    own = " or ".join(f"starts_with(name, '{prefix}')" for prefix in RESERVED)
    rows = people.rows(
        f"select root, name from ({names}) where not ({own}) group by root, name"  # noqa: S608
        f" order by count(*) desc, name limit {_TRAITS + len(stored)}"
    )
    # A computed value holds where a source claims a trait of its name.
    return [
        (name, make_field(root, (name,), "text"))
        for root, name in rows
        if stored.get(name, "traits") == root
    ][:_TRAITS]


def _of_traits(
    people: Everybody, traits: Sequence[tuple[str, Field]], sizes: _Sizes
) -> Iterator[Difference]:
    if not traits:
        return
    listed = ", ".join(
        f"{{'trait': {number}, 'value': {field_sql(field)}}}"
        for number, (_, field) in enumerate(traits)
    )
    people.keep(
        "said",
        "select member, one.trait as trait, one.value as value from (select member,"  # noqa: S608 - compiled
        f" unnest([{listed}]) as one from seen) where one.value is not null",
    )
    numbers = f"select *, {read_sql('value', 'number')} as number from said"  # noqa: S608 - compiled
    averages: dict[int, dict[bool, _Average]] = {}
    for trait, member, *average in people.rows(
        "select trait, member, count(*), count(number), avg(number), var_pop(number),"  # noqa: S608
        f" count(distinct value) from ({numbers})"
        " group by trait, member"
    ):
        averages.setdefault(trait, {})[member] = _Average(*average)
    measured = {trait for trait, both in averages.items() if _is_measure(list(both.values()))}
    for trait in measured:
        both = averages[trait]
        if len(both) == 2:
            yield _of_averages("average", traits[trait][0], both[True], both[False])
    for trait, value, members, others in people.rows(
        "select trait, value, members, others from (select *, row_number()"  # noqa: S608 - a number
        " over (partition by trait order by members + others desc, value) as place from"
        " (select trait, value, count(*) filter (where member) as members,"
        " count(*) filter (where not member) as others from said group by trait, value))"
        f" where place <= {_VALUES}"
    ):
        if trait not in measured:
            yield _of_shares("value", traits[trait][0], value, members, others, sizes)


class _Average(NamedTuple):
    """The numbers among the values of a trait."""

    values: int
    numbers: int
    mean: float | None
    variance: float | None
    distinct: int


def _is_measure(found: Sequence[_Average]) -> bool:
    """Are the values numbers that are better averaged than counted one by one?"""
    values, numbers = sum(one.values for one in found), sum(one.numbers for one in found)
    return numbers >= _MOSTLY * values and max(one.distinct for one in found) > _FEW


def _of_events(people: Everybody, since: int, now: int, sizes: _Sizes) -> Iterator[Difference]:
    inside, outside = "filter (where member)", "filter (where not member)"
    rows = people.rows(
        f"select name, count(*) {inside}, count(*) {outside},"  # noqa: S608
        f" coalesce(sum(n) {inside}, 0), coalesce(sum(n) {outside}, 0),"
        f" coalesce(sum(n * n) {inside}, 0), coalesce(sum(n * n) {outside}, 0)"
        f" from (select name, profile, count(*) as n from {people.relations.events}"
        f" where time >= {since} and time <= {now} and profile in (select profile from chosen)"
        " group by name, profile) join chosen using (profile)"
        f" group by name order by count(*) desc, name limit {_EVENTS}"
    )
    for name, members, others, member_sum, other_sum, member_squares, other_squares in rows:
        yield _of_shares("event", name, None, members, others, sizes)
        yield _of_averages(
            "events",
            name,
            _average(member_sum, member_squares, sizes.members),
            _average(other_sum, other_squares, sizes.others),
        )


def _average(total: int, squares: int, number: int) -> _Average:
    mean = total / number if number else 0.0
    return _Average(number, number, mean, squares / number - mean**2 if number else 0.0, 0)


def _of_averages(kind: _Kind, what: str, members: _Average, others: _Average) -> Difference:
    inside, outside = members.mean or 0.0, others.mean or 0.0
    spread = math.sqrt(max((members.variance or 0.0) + (others.variance or 0.0), 0.0) / 2)
    return _difference(kind, what, None, inside, outside, spread)


def _of_shares(
    kind: _Kind, what: str, value: str | None, members: int, others: int, sizes: _Sizes
) -> Difference:
    inside = members / sizes.members if sizes.members else 0.0
    outside = others / sizes.others if sizes.others else 0.0
    spread = math.sqrt((inside * (1 - inside) + outside * (1 - outside)) / 2)
    return _difference(kind, what, value, inside, outside, spread)


def _difference(
    kind: _Kind, what: str, value: str | None, inside: float, outside: float, spread: float
) -> Difference:
    apart = inside - outside
    # Where neither group varies, a difference is as large as one can be.
    distance = apart / spread if spread else math.copysign(_LARGEST, apart) if apart else 0.0
    distance = max(-_LARGEST, min(_LARGEST, distance))
    lift = inside / outside if outside else None
    return Difference(
        kind,
        what,
        value,
        round(inside, 6),
        round(outside, 6),
        None if lift is None else round(lift, 3),
        round(distance, 4),
    )
