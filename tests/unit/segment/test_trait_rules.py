"""Random rules over traits and the clock: the compiled way answers as the slow reference does.

And no answer changes before the moment at which the plan says that it may.
"""

from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.model.errors import InvalidInput
from onefold.segment import SQL_TYPES, Scope, compile_plan, parse_rule
from onefold.segment.plan import Wanted
from onefold.segment.zone import load_zone
from onefold.testing.rules import Moment, holds

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "UTC")
SECOND, DAY = 1_000_000, 86_400_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DATES = ("birthday", "joined")
TYPES = {
    "birthday": "date",
    "joined": "date",
    "seen": "time",
    "left_at": "time",
    "interests": "list",
    "n": "number",
    "name": "text",
}


def micros(*moment: int) -> int:
    return (datetime(*moment, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


# Turns of the clock, of the year, and around the leap day, in years with and without one.
ANCHORS = [
    micros(2026, 3, 29, 0), micros(2026, 10, 25, 0), micros(2025, 12, 31, 12),
    micros(2026, 2, 27, 12), micros(2028, 2, 28, 12), micros(2024, 2, 29, 12), micros(2026, 7, 1),
]  # fmt: skip

days = st.one_of(
    st.sampled_from(["1990-02-28", "1992-02-29", "1990-03-01", "2000-12-31", "2001-01-01", "x"]),
    st.dates(date(2023, 1, 1), date(2029, 1, 1)).map(str),
)


@st.composite
def people(draw: st.DrawFn) -> tuple[dict[str, object], int, str]:
    now = draw(st.sampled_from(ANCHORS)) + draw(st.integers(-40 * 3600, 40 * 3600)) * SECOND
    near = st.integers(-5 * 86400, 5 * 86400).map(
        lambda ahead: (EPOCH + timedelta(seconds=now // SECOND + ahead)).strftime(
            "%Y-%m-%dT%H:%M:%S"
        )
    )
    shown = st.tuples(near, st.sampled_from(["", "Z", "+02:00", ".25Z"])).map("".join)
    day = days | near.map(lambda text: text[:10]) | shown
    item = st.sampled_from(["sport", "Sport", "art", "", "7", "x%", 7, 2.5, None, True])
    traits = {
        "birthday": day,
        "joined": day,
        "seen": shown | days,
        "left_at": shown | near,
        "interests": st.lists(item, max_size=4) | st.sampled_from(["sport", {}]),
        "n": st.sampled_from([1, 2.5, "12", "x", -3]),
        "name": st.sampled_from(["Ann", "ann b", "x%_y\\z", "", "ÄÖ ß", "12"]),
        "consent": st.fixed_dictionaries({"ads": st.booleans()}),
        "consent.mail": st.sampled_from([True, False, "true", "x"]),
    }
    found = draw(st.fixed_dictionaries({}, optional=traits))
    return found, now, draw(st.sampled_from(ZONES))


class Writer:
    """Writes random rules over these traits."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def pick(self, *choices: object) -> object:
        return self.draw(st.sampled_from(choices))

    def count(self, most: int = 40) -> int:
        return self.draw(st.integers(1, most))

    def date(self, depth: int) -> str:
        simple = [
            lambda: self.pick(*DATES),
            lambda: "today()",
            lambda: f"date '{self.pick('2026-02-28', '2024-02-29', '2025-12-31', '1990-01-01')}'",
        ]
        deep = [
            lambda: (
                f"{self.date(depth - 1)} {self.pick('+', '-')} interval {self.count()} "
                f"{self.pick('day', 'days', 'week', 'month', 'quarter', 'year')}"
            ),
            lambda: f"coalesce({self.pick(*DATES)}, {self.date(depth - 1)})",
            lambda: f"date({self.pick('seen', 'birthday')})",
            lambda: f"case when n > 1 then {self.date(depth - 1)} else today() end",
        ]
        return self.pick(*simple, *(deep if depth else []))()

    def time(self) -> str:
        return self.pick(
            lambda: "seen",
            lambda: "left_at",
            lambda: "now()",
            lambda: "timestamp '2026-03-29 02:30:00'",
            lambda: "timestamp '2026-02-27T12:00:00+01:00'",
            lambda: (
                f"now() {self.pick('+', '-')} interval {self.count(100)} "
                f"{self.pick('second', 'minute', 'hours', 'day', 'week')}"
            ),
            lambda: f"seen {self.pick('+', '-')} interval {self.count(100)} {self.pick('hour')}",
        )()

    def number(self) -> str:
        unit = self.pick("day", "week", "month", "quarter", "year")
        return self.pick(
            lambda: f"age({self.date(1)})",
            lambda: f"date_diff('{unit}', {self.date(1)}, {self.date(1)})",
            lambda: f"date_diff('day', {self.pick(*DATES)}, today())",
            lambda: f"date_diff('{self.pick('hour', 'minute')}', seen, {self.time()})",
            lambda: f"{self.pick('year', 'month', 'day')}({self.date(1)})",
            lambda: f"weekday({self.date(1)})",
            lambda: f"(today() - {self.pick(*DATES)})",
            lambda: "list_length(interests)",
            lambda: f"case {self.text()} when 'ann' then 1 when 'A' then n else {self.count()} end",
            lambda: "n",
        )()

    def text(self) -> str:
        return self.pick(
            lambda: "name",
            lambda: f"left(name, {self.count(3)})",
            lambda: f"right(name, {self.count(3)})",
            lambda: f"substring(name, {self.count(3)}, {self.count(3)})",
            lambda: f"lower(replace(name, '{self.pick('n', 'x%')}', '{self.pick('', 'A')}'))",
            lambda: "name || '-' || name",
            lambda: "concat(name, 'x')",
        )()

    def condition(self, depth: int) -> str:
        operator = self.pick("=", "<>", "<", "<=", ">", ">=")
        window = self.pick(
            "", f", next => interval {self.count(60)} day", ", last => interval 2 week"
        )
        tests = [
            lambda: f"{self.date(2)} {operator} {self.date(1)}",
            lambda: f"{self.date(1)} between {self.date(0)} and {self.date(1)}",
            lambda: f"today() in ({self.date(0)}, {self.date(1)})",
            lambda: f"{self.time()} {operator} {self.pick('now()', 'left_at')}",
            lambda: f"{self.pick('seen', 'left_at')} {operator} {self.time()}",
            lambda: f"seen {operator} {self.date(1)}",
            lambda: f"seen between {self.time()} and now()",
            lambda: f"{self.number()} {operator} {self.pick('n', '0', '1', '2.5', '30', '-7')}",
            lambda: f"anniversary({self.date(0)}{window})",
            lambda: f"{self.date(1)} is {self.pick('', 'not ')}null",
            lambda: f"{self.text()} {operator} '{self.pick('ann', 'A', 'ä', '12')}'",
            lambda: (
                f"name {self.pick('', 'not ')}like '{self.pick('x!%%', '%!_y%', 'A%')}' escape '!'"
            ),
            lambda: "name like 'x%\\z'",
            lambda: f"ends_with(name, '{self.pick('n', 'z', '')}')",
            lambda: f"{self.pick('list_contains', 'contains')}(interests, {self.item()})",
            lambda: f"{self.item()} in interests",
            lambda: f"any_of(interests, {self.element()})",
            lambda: f"consent('{self.pick('ads', 'mail')}')",
            lambda: "in_segment('other')",
        ]
        deep = [
            lambda: f"({self.condition(depth - 1)} and {self.condition(depth - 1)})",
            lambda: f"({self.condition(depth - 1)} or {self.condition(depth - 1)})",
            lambda: f"not ({self.condition(depth - 1)})",
        ]
        return self.pick(*tests, *(deep * 2 if depth else []))()

    def item(self) -> str:
        return self.pick("'sport'", "''", "7", "2.5")

    def element(self) -> str:
        return self.pick(
            "value = 'sport'", "value like 's%'", "value > 2", "lower(value) = 'sport'",
            "value = name", "value > n or value = 7",
        )  # fmt: skip


@st.composite
def rules(draw: st.DrawFn) -> str:
    return Writer(draw).condition(1)


class Compiled:
    """Rules as the live path evaluates them."""

    def __init__(self, texts: list[str], types: dict[str, str]) -> None:
        wanted = [Wanted("segment", f"r{index}", text) for index, text in enumerate(texts)]
        self.plan = compile_plan([*wanted, Wanted("segment", "other", "n > 1")], types)
        assert not self.plan.refused, self.plan.refused
        self.connection = duckdb.connect()

    def at(self, moment: Moment) -> tuple[list[bool], int | None]:
        """The answers, and when time alone can change one."""
        features = self.plan.features(moment.now, moment.timezone)
        row, soonest = features.row(moment.traits, [])
        assert soonest is None
        columns = "".join(f", {one.name} {SQL_TYPES[one.type]}" for one in self.plan.columns)
        self.connection.execute(f"CREATE OR REPLACE TABLE profiles (profile BIGINT{columns})")
        places = ", ".join("?" * (len(row) + 1))
        self.connection.execute(f"INSERT INTO profiles VALUES ({places})", [1, *row])
        found = self.connection.execute(self.plan.live_sql).fetchone()
        assert found is not None
        _, *answers, _, day, turn = found
        start = None if day is None else load_zone(moment.timezone).day_start(day)
        return answers, min((one for one in (start, turn) if one is not None), default=None)


def taken(text: str, types: dict[str, str]) -> bool:
    """Whether a rule says what its values are, where traits are not declared, and has a trait to them."""
    try:
        parse_rule(text, Scope(types))
    except InvalidInput as error:
        refused = ("cannot tell whether these are", "now() is compared with a time")
        if not any(one in str(error.faults[0]) for one in refused):
            raise
        return False
    return True


def check(person, texts: list[str], typed: bool, later: list[float]) -> None:
    traits, now, timezone = person
    types = TYPES if typed else {"interests": "list"}
    texts = [text for text in texts if taken(text, types)]
    compiled = Compiled(texts, types)

    def expected(at: int) -> list[bool]:
        moment = Moment(traits, [], at, timezone, types)
        other = frozenset(["other"] if holds("n > 1", moment) else [])
        return [holds(text, moment._replace(segments=other)) for text in texts]

    for _ in range(4):
        answers, due = compiled.at(Moment(traits, [], now, timezone))
        assert answers == expected(now)
        end = now + 500 * DAY if due is None else due
        assert end > now
        for part in (*later, 1.0):
            assert expected(now + int((end - 1 - now) * part)) == answers
        if due is None:
            return
        now = due


cases = (
    people(),
    st.lists(rules(), min_size=1, max_size=3, unique=True),
    st.booleans(),
    st.lists(st.floats(0, 1), max_size=3),
)
relaxed = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=60, deadline=None, suppress_health_check=relaxed)
@given(*cases)
def test_the_compiled_way_answers_as_the_reference(person, texts, typed, later) -> None:
    check(person, texts, typed, later)


@pytest.mark.slow
@settings(max_examples=1_500, deadline=None, suppress_health_check=relaxed)
@given(*cases)
def test_the_compiled_way_answers_as_the_reference_many_times(person, texts, typed, later) -> None:
    check(person, texts, typed, later)


def due(text: str, traits: dict[str, object], at: int, timezone: str = "UTC") -> int | None:
    return Compiled([text], {}).at(Moment(traits, [], at, timezone))[1]


def test_who_is_concerned_by_time_alone_is_looked_at_when_it_happens_and_not_before() -> None:
    noon, midnight = micros(2026, 6, 1, 12), micros(2026, 6, 1)
    born = {"birthday": "1990-06-20"}
    week = "anniversary(birthday, next => interval 7 day)"
    assert due(week, born, noon) == midnight + 13 * DAY
    assert due(week, born, midnight + 13 * DAY) == midnight + 20 * DAY
    assert due("age(birthday) >= 18", born, noon) == midnight + 19 * DAY
    assert due("birthday < today() - interval 30 day", born, noon) is None
    assert due("joined > today() - interval 30 day", {"joined": "2026-05-25"}, noon) == (
        micros(2026, 6, 24)
    )
    assert due("joined > today() - interval 30 day", {}, noon) is None
    recent = "seen > now() - interval 2 hour"
    assert due(recent, {"seen": "2026-06-01T11:00:00Z"}, noon) == micros(2026, 6, 1, 13)
    assert due(recent, {"seen": "2026-06-01T09:00:00Z"}, noon) is None
    assert due("year(today()) = 2026", {}, noon) == micros(2027, 1, 1)
    assert due("joined = today()", {"joined": "2026-07-01"}, noon, "Asia/Shanghai") == (
        micros(2026, 6, 30, 16)
    )


def test_now_beside_a_date_is_today() -> None:
    noon = micros(2026, 6, 1, 12)
    compiled = Compiled(["joined > now()", "joined + interval 3 day > now()"], TYPES)
    answers, due = compiled.at(Moment({"joined": "2026-06-01"}, [], noon, "UTC"))
    assert answers == [False, True]
    assert due == micros(2026, 6, 4)


def test_names_that_nobody_has_seen_are_told() -> None:
    known = Scope({"birthday": "date"}, seen=["country"], events=["Order Completed"])
    rule = parse_rule("contry = 'CN' and did('Order Complete') and address.city = 'X'", known)
    assert [str(each) for each in rule.warnings] == [
        "line 1, column 1: unknown trait contry (did you mean country?)",
        "line 1, column 19: no event 'Order Complete' is known (did you mean Order Completed?)",
        "line 1, column 45: unknown trait address.city (texts are written in single quotes)",
    ]
    assert not parse_rule("contry = 'CN'").warnings
