"""Random rules over random histories: the compiled way answers as the slow reference does.

The compiled way is the pipeline's: buckets are made batch by batch in DuckDB, merged, read as
columns, and tested by the membership query.
"""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.segment import (
    bucket_query,
    compile_membership,
    merge_into,
    parse_rule,
    read_rows,
)
from onefold.segment.plan import Plan
from onefold.segment.population import features_query
from onefold.testing.rules import Happened, Moment, holds

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "UTC")
NAMES = ("Order Completed", "page")
SECOND, HOUR = 1_000_000, 3_600_000_000
TYPES = {
    "text": "VARCHAR",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "BIGINT",
    "time": "BIGINT",
}


def micros(*moment: int) -> int:
    return (datetime(*moment, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )


# Around both turns of the clock in Berlin and New York, where days have 23 or 25 hours.
ANCHORS = [
    micros(2026, 3, 8, 7),
    micros(2026, 3, 29, 1),
    micros(2026, 10, 25, 1),
    micros(2026, 12, 31),
    0,
]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 150),
    st.sampled_from([0.5, -1.25, 99.995, 1e19, 0.1, 0.2, 1e-7, 2.5]),
    st.sampled_from(
        ["CN", "cn", "12", " 7 ", "+-7", "1e3", "", "x%_y", "true", "FALSE", "nan", "人", "a'b"]
    ),
    st.sampled_from(
        ["2026-03-08", "2026-10-25T01:30:00Z", "1970-01-01 00:00:00", "2026-03-29T02:30:00+01:00"]
    ),
)
objects = st.dictionaries(
    st.sampled_from(["revenue", "country", "vip", "deep"]),
    st.one_of(scalars, st.dictionaries(st.sampled_from(["a", "b"]), scalars, max_size=2)),
    max_size=4,
)


listed = st.fixed_dictionaries(
    {},
    optional={
        "items": st.one_of(
            scalars,
            st.lists(
                st.one_of(
                    scalars,
                    st.fixed_dictionaries(
                        {}, optional={"price": scalars, "kind": scalars, "n": st.integers(0, 3)}
                    ),
                ),
                max_size=3,
            ),
        ),
        "tags": st.one_of(scalars, st.lists(scalars, max_size=3)),
    },
)


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, str, dict[str, object], list[Happened]]:
    now = draw(st.sampled_from(ANCHORS)) + draw(st.integers(0, 72 * 3600)) * SECOND
    now += draw(st.integers(0, SECOND))
    ages = st.one_of(
        st.integers(-2 * 3600, 3600), st.integers(-30 * 3600, 80 * 3600), st.integers(0, 45 * 86400)
    )
    count = draw(st.integers(0, 12))
    events = [
        Happened(
            draw(st.sampled_from(NAMES)),
            now - draw(ages) * SECOND - draw(st.sampled_from([0, 1])),
            f"m{draw(st.integers(0, 3))}-{index}",
            draw(objects) | draw(listed),
            draw(objects),
        )
        for index in range(count)
    ]
    return now, draw(st.sampled_from(ZONES)), draw(objects), events


NAMED = ("revenue", "country", "vip", "deep.a", "deep.b")
TEXTS = ("'CN'", "'%n%'", "'12'", "'x%'", "''", "'a''b'", "'人'")
CLOCKS = ("second", "minute", "hour", "day")
NUMBERS = ("0", "1", "100", "2.5", "-1", "1e3", "0.3")
LENGTHS = ("week", "month", "quarter", "year")
PERIODS = ("today", "yesterday", *(f"{one}_{each}" for one in ("this", "last") for each in LENGTHS))
IN_SESSION = ", during => this_session"
OPERATORS = ("=", "<>", "<", "<=", ">", ">=")


class Writer:
    """Writes random rules; inside an event function, names begin with a root."""

    def __init__(self, draw: st.DrawFn, root: str = "") -> None:
        self.draw = draw
        self.root = root

    def pick(self, *choices: object) -> object:
        return self.draw(st.sampled_from(choices))

    def name(self) -> str:
        return self.root + self.pick(*NAMED)

    def number(self, depth: int) -> str:
        simple = [self.name, lambda: self.pick(*NUMBERS)]
        if not self.root:
            simple.append(self.aggregate)
        deep = [
            lambda: f"({self.number(depth - 1)} {self.pick(*'+-*/%')} {self.number(depth - 1)})",
            lambda: f"abs({self.number(depth - 1)})",
            lambda: f"round({self.number(depth - 1)}, 2)",
            lambda: f"coalesce({self.name()}, {self.number(depth - 1)}, 0)",
            lambda: f"length({self.name()})",
        ]
        return self.pick(*simple, *(deep if depth else []))()

    def text(self) -> str:
        return self.pick(
            self.name,
            lambda: self.pick(*TEXTS),
            lambda: f"{self.pick('lower', 'upper', 'trim')}({self.name()})",
            lambda: f"coalesce({self.name()}, {self.pick(*TEXTS)})",
        )()

    def condition(self, depth: int) -> str:
        tests = [
            lambda: f"{self.number(1)} {self.pick(*OPERATORS)} {self.pick(*NUMBERS)}",
            lambda: f"{self.text()} {self.pick(*OPERATORS)} {self.pick(*TEXTS)}",
            lambda: f"{self.name()} {self.pick('like', 'ilike', 'not like')} {self.pick(*TEXTS)}",
            lambda: f"{self.name()} is {self.pick('', 'not ')}{self.pick('null', 'true', 'false')}",
            lambda: f"{self.name()} in ({self.text()}, {self.pick(*TEXTS)})",
            lambda: f"{self.number(1)} not in ({self.pick(*NUMBERS)}, {self.number(0)})",
            lambda: f"{self.number(0)} between {self.pick(*NUMBERS)} and {self.number(0)}",
            lambda: f"{self.pick('starts_with', 'contains')}({self.text()}, {self.pick(*TEXTS)})",
            lambda: f"{self.name()} {self.pick('=', '<>')} {self.pick('true', self.name())}",
            self.name,
        ]
        if not self.root:
            tests += [
                lambda: self.call("did", ""),
                self.edge,
                self.days,
                self.different,
                self.sessions,
                self.sequence,
                self.listed,
            ]
        deep = [
            lambda: f"({self.condition(depth - 1)} and {self.condition(depth - 1)})",
            lambda: f"({self.condition(depth - 1)} or {self.condition(depth - 1)})",
            lambda: f"not ({self.condition(depth - 1)})",
        ]
        return self.pick(*tests, *(deep * 3 if depth else []))()

    def call(self, function: str, of: str) -> str:
        last, where = self.pick(self.window(), self.window(), IN_SESSION), ""
        if self.pick(True, False):
            inner = Writer(self.draw, self.pick("properties.", "context."))
            where = f", where => {inner.condition(1)}"
        return f"{function}('{self.pick(*NAMES, 'Nothing')}'{of}{last}{where})"

    def window(self) -> str:
        unit = self.pick("second", "minute", "hour", "day", "days", "week")
        near, more = self.draw(st.integers(1, 40)), self.draw(st.integers(1, 20))
        since, until = (
            f"date '{2026 + more // 18}-{1 + each % 12:02}-28'" for each in (near, more)
        )
        return self.pick(
            "",
            f", last => interval {near} {unit}",
            f", last => interval {near} {unit}",
            f", between => (interval {near + more} {unit}, interval {near} {unit})",
            f", during => {self.pick(*PERIODS)}",
            f", since => {since}",
            f", until => {until}",
            f", since => {min(since, until)}, until => {max(since, until)}",
        )

    def aggregate(self) -> str:
        function = self.pick("count_of", "sum_of", "avg_of", "min_of", "max_of")
        value = Writer(self.draw, "properties.").number(1)
        of = f", {self.pick('of => ', '')}{value}" if function != "count_of" else ""
        return self.call(function, of)

    def days(self) -> str:
        window = self.pick("", ", last => interval 20 day", ", during => last_month")
        window += self.where()
        call = f"days_since('{self.pick(*NAMES)}'{window})"
        return self.pick(
            f"{call} {self.pick(*OPERATORS)} {self.draw(st.integers(-1, 40))}",
            f"{self.draw(st.integers(0, 40))} {self.pick(*OPERATORS)} ({call})",
            f"coalesce({call}, 99) between {self.draw(st.integers(0, 9))} and 30.5",
            f"{call} in (1, 2, 30)",
            f"{call} is null",
            f"{call} % 2 = 0",
        )

    def different(self) -> str:
        value = Writer(self.draw, self.pick("properties.", "context.")).name()
        return (
            f"{self.call('unique_of', f', {value}')} {self.pick(*OPERATORS)} {self.pick(1, 2, 3)}"
        )

    def sessions(self) -> str:
        name = self.pick("", "", f"'{self.pick(*NAMES)}'")
        inside = f"{name}{self.pick(self.window(), self.window(), IN_SESSION)}{self.where()}"
        function = self.pick("sessions", "session_minutes")
        call = f"{function}({inside.removeprefix(', ')})"
        return f"{call} {self.pick(*OPERATORS)} {self.pick(0, 1, 2, 10.5)}"

    def sequence(self) -> str:
        steps = [self.step() for _ in range(self.draw(st.integers(1, 3)))]
        within = f", within => interval {self.draw(st.integers(1, 40))} {self.pick(*CLOCKS)}"
        unless = f", not_followed_by => {self.step()}"
        rest = self.pick("", within, within) + self.window() + self.where()
        return f"in_sequence({', '.join(steps)}{rest}{unless if len(steps) == 1 else self.pick('', unless)})"

    def step(self) -> str:
        name = f"'{self.pick(*NAMES)}'"
        return self.pick(name, name, f"event({name}{self.where()})")

    def where(self) -> str:
        return (
            f", where => {Writer(self.draw, 'properties.').condition(1)}"
            if self.pick(1, 0, 0)
            else ""
        )

    def listed(self) -> str:
        """A function over the elements of lists."""
        tests = [
            lambda: f"properties.items[].price {self.pick(*OPERATORS)} {self.pick(*NUMBERS)}",
            lambda: f"properties.items[].kind {self.pick('=', '<>')} {self.pick(*TEXTS)}",
            lambda: f"properties.items[].kind is {self.pick('', 'not ')}null",
            lambda: f"{self.pick('', 'not ')}(properties.items[].kind = 'CN')",
            lambda: "properties.vip",
        ]
        one, other = (self.pick(*tests)() for _ in range(2))
        where = f"{self.pick('', 'not ')}({one} {self.pick('and', 'or', 'and not')} {other})"
        where = self.pick(one, where, "properties.tags[] = 'CN'")
        where = f", where => {where}{self.window()}"
        tagged = self.pick("", self.window(), ", where => properties.tags[] like '%N'")
        amount = "properties.items[].price * coalesce(properties.items[].n, 1)"
        if "tags" in where:
            where = ""
        return self.pick(
            f"count_of('page'{where}) {self.pick(*OPERATORS)} 1",
            f"sum_of('page', {amount}{where}) {self.pick(*OPERATORS)} {self.pick(*NUMBERS)}",
            f"max_of('page', properties.items[].price{where}) {self.pick(*OPERATORS)} 1",
            f"unique_of('page', properties.items[].kind{where}) > 1",
            f"most_frequent_of('page', properties.tags[]{tagged}) = 'CN'",
            f"first_of('page', properties.tags[]{tagged}) = 'CN'",
            "did('page', where => properties.tags[] = 'CN')",
        )

    def edge(self) -> str:
        value = Writer(self.draw, "properties.").name()
        function = self.pick("first_of", "last_of", "most_frequent_of")
        call = self.call(function, f", of => {value}")
        test = self.pick(
            "= 'CN'",
            "> 0.5",
            "is null",
            "is true",
            "like '%1%'",
            "> date '2026-03-07'",
            "< now()",
            ">= today() - interval 40 day",
        )
        return f"{call} {test}"


@st.composite
def rules(draw: st.DrawFn) -> str:
    return Writer(draw).condition(2)


def compiled(
    texts: list[str], moment: Moment, cuts: list[int], nodes: int
) -> tuple[list[bool], int | None, tuple[object, ...]]:
    membership = compile_membership({text: parse_rule(text) for text in texts})
    connection = duckdb.connect()
    facts = [{} for _ in range(nodes)]
    bounds = sorted({0, *(cut % (len(moment.events) + 1) for cut in cuts), len(moment.events)})
    query = bucket_query(
        membership.metrics,
        moment.timezone,
        min((event.time for event in moment.events), default=None),
        max((event.time for event in moment.events), default=None),
    )
    connection.execute(
        "CREATE TABLE events (owner BLOB, name VARCHAR, time BIGINT, message_id VARCHAR, "
        "properties VARCHAR, context VARCHAR)"
    )
    for low, high in pairwise(bounds):
        connection.execute("DELETE FROM events")
        insert(connection, list(enumerate(moment.events))[low:high], nodes)
        for owner, buckets in read_rows(connection.execute(query).fetchall()).items():
            merge_into(facts[owner[0]], buckets)
    features = membership.features(moment.now, moment.timezone)
    row, change = features.row(moment.traits, facts)
    names = ", ".join(f"{column.name} {TYPES[column.type]}" for column in membership.columns)
    connection.execute(f"CREATE TABLE profiles (profile BIGINT{', ' if names else ''}{names})")
    answers = asked(connection, membership, row)
    assert over_raw_events(connection, membership, moment) == [
        value for value, one in zip(row, membership.columns, strict=True) if one.kind == "window"
    ]
    if change is not None:
        assert change > moment.now
        before, _ = membership.features(change - 1, moment.timezone).row(moment.traits, facts)
        assert asked(connection, membership, before) == answers
    return answers, change, row


def asked(connection: duckdb.DuckDBPyConnection, plan: Plan, row: tuple[object, ...]) -> list[bool]:
    places = ", ".join("?" * (len(row) + 1))
    connection.execute("DELETE FROM profiles")
    connection.execute(f"INSERT INTO profiles VALUES ({places})", [1, *row])
    profile, *answers = connection.execute(plan.sql).fetchone()
    assert profile == 1
    return answers


def over_raw_events(
    connection: duckdb.DuckDBPyConnection, plan: Plan, moment: Moment
) -> list[object]:
    """The columns that are windows, without buckets: aggregated over the events themselves."""
    columns = [column for column in plan.columns if column.kind == "window"]
    if not columns:
        return []
    connection.execute("DELETE FROM events")
    insert(connection, list(enumerate(moment.events)), 1)
    connection.execute(
        "CREATE OR REPLACE VIEW events_now AS SELECT 1::BIGINT AS profile, * EXCLUDE owner FROM events"
    )
    connection.execute(
        "CREATE OR REPLACE VIEW profiles_now AS SELECT 1::BIGINT AS profile, '{}' AS traits"
    )
    query = features_query(columns, plan.metrics, moment.now, moment.timezone)
    return list(connection.execute(query).fetchone()[1:])


def insert(
    connection: duckdb.DuckDBPyConnection, events: list[tuple[int, Happened]], nodes: int
) -> None:
    rows = [
        (
            bytes([index % nodes]),
            *event[:3],
            json.dumps(event.properties),
            json.dumps(event.context),
        )
        for index, event in events
    ]
    if rows:
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)


def check(history, texts: list[str], cuts: list[int], nodes: int) -> None:
    now, timezone, traits, events = history
    moment = Moment(traits, events, now, timezone)
    answers, change, _ = compiled(texts, moment, cuts, nodes)
    assert answers == [holds(text, moment) for text in texts]
    if change is not None:
        for later in (change - 1, change):
            then = moment._replace(now=later)
            answers, _, _ = compiled(texts, then, cuts, nodes)
            assert answers == [holds(text, then) for text in texts]


cases = (
    histories(),
    st.lists(rules(), min_size=1, max_size=4, unique=True),
    st.lists(st.integers(0, 12), max_size=3),
    st.integers(1, 3),
)
relaxed = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=40, deadline=None, suppress_health_check=relaxed)
@given(*cases)
def test_the_compiled_way_answers_as_the_reference(history, texts, cuts, nodes) -> None:
    check(history, texts, cuts, nodes)


@pytest.mark.slow
@settings(max_examples=600, deadline=None, suppress_health_check=relaxed)
@given(*cases)
def test_the_compiled_way_answers_as_the_reference_many_times(history, texts, cuts, nodes) -> None:
    check(history, texts, cuts, nodes)
