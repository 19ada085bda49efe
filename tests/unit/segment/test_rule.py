"""What the rule language takes, what it refuses, and how it says so."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.model.errors import InvalidInput
from onefold.segment.rule import Scope, parse_expression, parse_rule


def faults(text: str, **known: object) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        parse_rule(text, **known)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "country = 'CN'",
        "country in ('CN', 'DE') and age between 18 and 40",
        "vip and not address.city.name ilike 'shang%'",
        "email is not null and not (phone is null)",
        "\"order\" = 'x' and 等级 = '金'",
        "round(score * 2 / 3, 1) >= 1.5 or abs(-score) % 2 = 1",
        "starts_with(lower(trim(email)), 'a') and contains(upper(name), 'B') and length(name) > 3",
        "coalesce(nickname, name) <> 'x'",
        "count_of('Order Completed', last => interval 30 day, where => properties.revenue > 1) >= 3",
        "sum_of('Order Completed', properties.revenue) > avg_of('Refund', of => properties.total)",
        "min_of('a', properties.x) < max_of('a', properties.x, last => interval '7' days)",
        "first_of('page', context.page.path) = '/' and last_of('page', of => properties.n) > 3",
        "did('page', where => name = 'page' and properties.ok, last => interval 2 week)",
        "did('O''Brien')",
        "did('A', between => (interval 8 week, interval 30 day)) and did('A', during => this_week)",
        "unique_of('A', properties.x) > 3 and most_frequent_of('A', of => properties.x) = 'y'",
        "days_since('A') between 3 and 9 or 30 < days_since('B', last => interval 60 day)",
        "in_sequence('A', event('B', where => properties.x = 1), within => interval 3 day)",
        "in_sequence('A', not_followed_by => event('B', where => properties.x[].y = 1))",
        "sessions() > 3 and session_minutes('page', last => interval 3 day, where => name = 'x') < 9",
        "avg_of('A', properties.x[].y * 2, where => properties.x[].z = 'a' or properties.v) > 3",
        "did('A', where => properties.x[].y = 1 and not properties.x[].z = 'a' or properties.w[] = 3)",
        "did('A', since => date '2026-01-01') or did('A', until => date '2026-02-28')",
    ],
)
def test_is_taken(text: str) -> None:
    assert parse_rule(text).text == text


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "line 1, column 1: the rule is empty (for example: country = 'CN')"),
        ("a = 1;", "line 1, column 6: ';' is not part of the rule language"),
        ("a = 1 -- b", "line 1, column 5: comments are not allowed"),
        ("a = /* b */ 1", "comments are not allowed"),
        ("a = $1", "line 1, column 5: '$' is not part of the rule language"),
        ("a = ?", "line 1, column 5: '?' is not part of the rule language"),
        ("a = 'x", "this quote is not closed"),
        ("a = 'x\x00'", "line 1, column 7: the character '\\x00' is not allowed"),
        ("a = '\ud800'", "line 1, column 6: the character '\\ud800' is not allowed"),
        ("(a = 1", "not understood: Expecting )"),
        ("a = -", "something is missing here"),
        ("a = 1 b = 2", "'=' is not expected here"),
        ("a = 1 b", "is `and` or `or` missing?"),
        ("lowr(a) = 'x'", "line 1, column 1: unknown function lowr (did you mean lower?)"),
        ("a = 1 and\n  count_off('A') > 1", "line 2, column 3: unknown function count_off"),
        ("sum(a) > 1", "did you mean sum_of?"),
        ("a = 'x' and 1 = 'b'", "line 1, column 17: expected a number, found text"),
        ("lower(3) = 'x'", "line 1, column 7: expected text, found a number"),
        ("a and 1", "line 1, column 7: expected true or false, found a number"),
        ("'a'", "expected true or false, found text"),
        ("a < b", "cannot tell whether these are numbers or text"),
        ("a = null", "ask with `is null`"),
        ("a is 3", "`is` is followed by null, not null, true or false"),
        ("a in ()", "in () has no values"),
        ("a in (select 1)", "this form of in is not part of the rule language"),
        ("exists(select 1)", "exists is not part of the rule language"),
        ("select 1", "select is not part of the rule language"),
        ("drop table x", "drop is not part of the rule language"),
        ("a = 1 union select 2", "union is not part of the rule language"),
        ("a.*", "not part of the rule language"),
        ("*", "not part of the rule language"),
        ("row_number() over () = 1", "window is not part of the rule language"),
        ("a::json = 1", "a trait is read as the type that it is used as"),
        ("cast(a as json) = 1", "cast is not part of the rule language"),
        ("case a when 1 then 'b' else 2 end = 'b'", "column 29: expected text, found a number"),
        ("a[1] = 2", "a value inside a list cannot be asked for"),
        ("a like 'x!' escape '!'", "nothing follows '!' at the end of the pattern"),
        ("a = {'x': 1}", "'{' is not part of the rule language"),
        ("now() > a + 0", "line 1, column 9: expected a time, found a number"),
        ("read_csv('/etc/passwd') = 'x'", "read_csv"),
        ("a = e'x'", "column 5: \"e'x'\" is not part of the rule language"),
        ("a = $$x$$", "column 5: '$$x$$' is not part of the rule language"),
        ("a = 'x' 'y'", "column 5: two texts stand side by side"),
        ("country\u200b = 'CN'", "'country\\u200b' is not part of the rule language"),
        ("a -> 'b' = 1", "column 3: '->' is not part of the rule language"),
        ("did('A', where => properties.x > date '2026-01-31')", "is not read as a date or a time"),
        ("did('A', where => properties.x > date '2026-01-31')", "write just '2026-01-31')"),
        ("did('A', where => today() = date '2026-01-31')", "the clock cannot be asked here"),
        ("in_sequence('A', 'B', during => this_session)", "has no window of a session"),
        ("days_since('A', during => this_session) > 1", "takes a window of days"),
        ("count_of('A', during => session) > 1", "(did you mean this_session?)"),
        ("any_of(last_of('A', properties.x), value = 'b')", "gives one value, not a list"),
        ("birthday > date '2026-02-30'", "column 17: '2026-02-30' is not a date"),
        ("birthday > timestamp '2026-01-31 24:00'", "'2026-01-31 24:00' is not a time"),
        ("birthday + 1 > today() + 1", "and this cannot be added"),
        ("seen > now() + interval 1 month", "a time is moved by days or less"),
        ("birthday + interval 3 hour > today()", "a time that is moved is compared with a time"),
        ("birthday + interval 5000 year > today()", "an interval is at most 1,000 years"),
        ("now() * 2 > 3", "expected a number, found a time"),
        ("anniversary(birthday, next => interval 1 year)", "is an interval of 1 to 365 days"),
        ("anniversary(birthday, nxt => interval 1 day)", "next => or last =>"),
        ("any_of(a, value > 3 and value like 'x')", "column 25: expected text, found a number"),
        ("any_of(a, any_of(b, value > 3))", "any_of cannot be inside any_of"),
        ("any_of(a)", "any_of needs a list and a condition"),
        ("regexp_matches(a, 'x')", "engines differ in regular expressions"),
        ("cast(a as date) > today()", "cast is not part of the rule language"),
        ("replace(a, '', 'x') = 'x'", "a text in quotes, of at least one character"),
        (f"replace(replace(a, 'a', '{'a' * 50}'), 'a', '{'a' * 50}') = 'x'", "up to 1,000 times"),
        ("replace(replace(a, 'a', b), 'b', b) = 'x'", "up to 1,000 times longer"),
        ("left(a, -1) = 'x'", "left takes a number from 0 to 10,000"),
        ("substring(a, 0, 3) = 'x'", "substring starts at a number from 1 to 10,000"),
        ("a like b", "a pattern is a text in quotes"),
        ("a like 'x' escape 'ab'", "escape is followed by one character"),
        ("in_segment(vip)", "in_segment takes the name of a segment, in quotes"),
        ("consent()", "consent takes the name of a purpose, in quotes"),
        ("date_diff('fortnight', a, today()) > 1", "unknown unit fortnight"),
        ("today(1) = a", "today() takes nothing"),
        ("a || 1 = 'c'", "column 6: expected text, found a number"),
        ("position('a' in) = 1", "something is missing here"),
        ("interval / 1", "something is missing here"),
        ("1e999 > a", "1e999 is too large a number"),
        ("round(a, b) = 1", "round takes a number of digits from 0 to 9"),
        ("properties.revenue > 1", "inside an event function: where => properties.revenue"),
        ("did('A', where => revenue > 3)", "column 19: an event has no revenue"),
        ("did('A', where => props.a > 3)", "did you mean properties?"),
        ("did('A', where => did('B'))", "unknown function did"),
        ('did(\'A\', where => properties."a""b" = 1)', "a property name has no quotes"),
        ("did()", "the first argument is the name of an event"),
        ("did(a)", "the first argument is the name of an event"),
        ("did('')", "the first argument is the name of an event"),
        ("did('A', properties.x)", "did: counts events, and takes no value"),
        ("sum_of('A') > 1", "needs a value (for example: of => properties.revenue)"),
        ("sum_of('A', properties.x, of => properties.y) > 1", "one value argument is enough"),
        ("sum_of('A', 'x') > 1", "expected a number, found text"),
        ("did('A', lst => interval 1 day)", "unknown argument lst (did you mean last?)"),
        ("did('A', last := interval 1 day)", "arguments are named with =>"),
        ("did('A', last => interval 1 day, last => interval 1 day)", "last is given twice"),
        ("did('A', last => 30)", "last is an interval"),
        ("did('A', last => interval 0 day)", "at least 1"),
        ("did('A', last => interval -1 day)", "a whole number of units, at least 1"),
        ("did('A', last => interval 1.5 day)", "a whole number of units"),
        ("did('A', last => interval 2 month)", "column 18: did: unknown unit month (a month is 30"),
        ("unique_of('A') > 1", "unique_of: needs a value"),
        ("days_since('A', properties.x) > 1", "is about the last event, and takes no value"),
        ("days_since('A', last => interval 3 hour) > 1", "takes a window of days"),
        ("days_since('A') = 'x'", "expected a number, found text"),
        ("sessions('A', properties.x) > 1", "takes no value"),
        ("sessions(A) > 1", "the first argument is the name of an event"),
        ("in_sequence('A')", "needs two events, or one and not_followed_by"),
        ("in_sequence()", "needs two events"),
        ("in_sequence('A', B)", "column 18: in_sequence: expected the name of an event"),
        (
            "in_sequence('A', event(B))",
            "expected the name of an event (a step is a name, or event(",
        ),
        ("in_sequence('A', event('B', last => 3))", "expected the name of an event"),
        ("in_sequence('A', 'B', within => 3)", "column 33: in_sequence: within is an interval"),
        ("in_sequence('A', 'B', of => 3)", "unknown argument of"),
        ("in_sequence('A', 'B', within => interval 4000 day)", "at most 3,660 days"),
        ("in_sequence('A'" + ", 'B'" * 10 + ")", "at most 10 events in a row"),
        ("did('A', where => properties.x[0] = 1)", "a value inside a list cannot be asked for"),
        ("did('A', where => properties.x[][] = 1)", "a list is asked for all its elements, once"),
        ("did('A', where => properties.x[].y[].z = 1)", "for all its elements, once"),
        ("did('A', where => x[].y = 1)", "an event has no x"),
        ("did('A', where => properties.x[].y = 1 and properties.z[].y = 1)", "one list at a time"),
        ("sum_of('A', properties.x[].y, where => properties.z[] = 1) > 1", "one list at a time"),
        ("interests[] = 'x'", "bracket is not part of the rule language"),
        ("did('A', last => interval 1 day, during => today)", "one window is enough"),
        ("did('A', since => date '2026-01-01', during => today)", "one window is enough"),
        ("did('A', between => interval 1 day)", "column 21: did: between is two intervals"),
        ("did('A', between => (interval 1 day, 3))", "column 38: did: between is an interval"),
        (
            "did('A', between => (interval 1 day, interval 3 day))",
            "the longer interval comes first",
        ),
        ("did('A', between => (interval 3 day, interval 1 hour))", "both intervals have the same"),
        ("did('A', during => thisweek)", "unknown period thisweek (did you mean this_week?)"),
        ("did('A', during => 'today')", "column 20: did: unknown period (known are today, yest"),
        ("did('A', since => '2026-01-01')", "since is a date (for example: since => date"),
        ("did('A', until => date '2026-02-29')", "'2026-02-29' is not a day of the calendar"),
        ("did('A', until => date '9999-02-20')", "a date is from 1970 to 2099"),
        ("did('A', since => date '2026-01-02', until => date '2026-01-01')", "until is before"),
        ("did('A', last => interval 2 dya)", "unknown unit dya (did you mean day?)"),
        ("did('A', last => interval 10000 day)", "a window is at most 3,660 days"),
        ("did('A', last => interval 99999999999999999999 day)", "at most 3,660 days"),
        ("did('A', last => interval 100 hour) and did('A', last => interval 2161 hour)", "2,160"),
    ],
)
def test_is_refused(text: str, fault: str) -> None:
    assert any(fault in each for each in faults(text)), faults(text)


def test_every_fault_is_named_at_once() -> None:
    found = faults(
        "lowr(a) = 'x' and did('A', last => interval 1 month) and b = null and c > 'x' + 1"
    )
    assert len(found) == 4


@pytest.mark.parametrize(
    "text",
    [
        "(" * 500 + "a" + ")" * 500,
        "not " * 500 + "a",
        "- " * 4000 + "1 = a",
        "+".join("1" * 4000) + " = a",
        "lower(" * 500 + "a" + ")" * 500 + " = 'x'",
        "case when " * 900 + "a",
        "a.b" + ".c" * 2000 + " = 1",
    ],
)
def test_deep_nesting_is_refused(text: str) -> None:
    assert any("nested deeper" in each or "a path has at most" in each for each in faults(text))


@pytest.mark.parametrize("nested", ["({})", "lower({})", "case when {} = 'x' then 'y' end"])
def test_what_may_be_nested_is_understood_wherever_it_is_asked(nested: str) -> None:
    text = "country"
    for _ in range(24):
        text = nested.format(text)

    def asked(deep: int) -> object:
        return asked(deep - 1) if deep else parse_rule(f"{text} = 'x'")

    assert asked(250)
    assert "line 1" in faults(nested.format(nested.format(text)) + " = 'x'")[0]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a = 'CN' adn b > 3", "column 14: 'b' is not expected here (did you mean and?)"),
        (
            "favorite color = 'red'",
            "column 16: '=' is not expected here (is `and` or `or` missing?",
        ),
        ("a = 0x1F", "column 6: 'x1F' is not expected here"),
        ("a = 'it''s' and b = 'x", "column 21: this quote is not closed"),
        ("a ＝ 'CN'", "column 3: '＝' is not part of the rule language (write =)"),
        ("a = ‘CN’", "texts are written in straight single quotes"),
        ("a is distinct from 3", "is distinct from is not part of the rule language"),
    ],
)
def test_a_slip_of_the_pen_is_told_with_its_place(text: str, fault: str) -> None:
    assert fault in faults(text)[0]


def test_limits() -> None:
    assert parse_rule(" or ".join(["a = 1"] * 1_000))
    assert parse_rule(" and ".join(["did('A')"] * 50))
    assert "longer than 10,000 characters" in faults("a = 1 or " * 1_200)[0]
    assert "more than 50 event functions" in faults(" and ".join(["did('A')"] * 51))[0]
    many = faults(" and ".join(f"x{number}()" for number in range(900)))
    assert len(many) == 50


def test_declared_traits_are_checked() -> None:
    types = {"age": "number", "country": "text", "address.city": "text"}
    known = Scope(types, strict=True)
    rule = parse_rule("age > 3 and age is null and address.city = country", known)
    assert {column.type for column in rule.columns if column.path == ("age",)} == {"number"}
    assert faults("cntry = 'CN'", known=known) == [
        "line 1, column 1: unknown trait cntry (did you mean country?)"
    ]
    assert faults("age = '3'", known=known) == ["line 1, column 7: expected a number, found text"]
    assert faults('country = "CN"', known=known) == [
        "line 1, column 11: unknown trait CN (texts are written in single quotes)"
    ]


def test_what_is_declared_is_used_as_that() -> None:
    types = {"age": "number", "born": "date", "seen": "time", "tags": "list", "address": "object"}
    known = Scope(
        types,
        values={"level": ("olevel", "text"), "first": ("ofirst", "time")},
        segments={"vip": "ovip"},
        choices={"level": ("gold", "silver")},
    )
    for text, fault in (
        ("born > 3", "column 8: expected a date, found a number"),
        ("born > '2026-13-01'", "'2026-13-01' is not a date"),
        ("age > today()", "expected a date, found a number"),
        ("tags = 'x'", "a list cannot be compared (ask contains("),
        ("address = 'x'", "an object cannot be compared (name a value inside it"),
        ("contains(address, 'x')", "expected text, found an object"),
        ("age.x = 1", "age is a number, and has no parts"),
        ("level = 'glod'", "column 9: level is never 'glod' (did you mean gold?)"),
        ("level in ('gold', 'x')", "level is never 'x' (it is gold, silver)"),
        ("case level when 'bronze' then true end", "level is never 'bronze'"),
        ("level > 3", "column 9: expected text, found a number"),
        ("first > today()", "first is a time, not a date (give first the type date)"),
        ("in_segment('vp')", "there is no segment 'vp' (did you mean vip?)"),
    ):
        assert any(fault in each for each in faults(text, known=known)), faults(text, known=known)
    rule = parse_rule(
        "born > '1990-01-01' and seen < date '2026-01-01' and contains(tags, 'x') "
        "and address.city = 'Bonn' and level = 'gold' and in_segment('vip')",
        known,
    )
    assert {(".".join(one.path), one.type) for one in rule.columns} == {
        ("born", "date"),
        ("seen", "date"),
        ("tags", "list"),
        ("address.city", "text"),
    }
    assert ("level",) in rule.traits
    assert rule.segments == ("vip",)
    assert not rule.warnings


def test_expressions_have_a_type() -> None:
    for text, type_ in (
        ("age + 1", "number"),
        ("coalesce(nickname, name)", "text"),
        ("case when vip then 'a' end", "text"),
        ("today() - interval 3 day", "date"),
        ("birthday + interval 3 month", "date"),
        ("today() - birthday", "number"),
        ("did('A')", "boolean"),
        ("name", "text"),
    ):
        assert parse_expression(text).type == type_
    assert parse_expression("birthday", wanted="date").columns[0].type == "date"
    with pytest.raises(InvalidInput):
        parse_expression("age + 1", wanted="text")


def test_traits_are_read_as_they_are_used() -> None:
    rule = parse_rule("a > 3 and b = 'x' and c and lower(d) < e and f.g is null and h = i")
    assert {".".join(one.path): one.type for one in rule.columns} == {
        "a": "number",
        "b": "text",
        "c": "boolean",
        "d": "text",
        "e": "text",
        "f.g": "text",
        "h": "text",
        "i": "text",
    }
    assert rule.traits[5] == ("f", "g")


def test_the_same_content_shares_one_metric() -> None:
    big = "where => properties.revenue > 100"
    one = parse_rule(
        f"count_of('A', last => interval 7 day, {big}) > 1 "
        f"or did('A', {big.replace('=> ', '=>  ')}, last => interval 4 week)"
    )
    other = parse_rule("did('A', where => (properties.revenue) > 1e2, last => interval 1 day)")
    assert len(one.metrics) == 1
    assert one.metrics[0].retention == 28
    assert other.metrics[0].id == one.metrics[0].id
    numbers = parse_rule("sum_of('A', properties.x) > avg_of('A', of => properties.x)")
    assert [metric.kind for metric in numbers.metrics] == ["number"]


def test_what_is_counted_differently_has_another_metric() -> None:
    ids = {
        metric.id
        for text in (
            "did('A')",
            "did('B')",
            "did('A', last => interval 1 day)",
            "did('A', last => interval 1 hour)",
            "did('A', where => properties.x = 1)",
            "did('A', where => properties.x = '1')",
            "did('A', where => context.x = 1)",
            "min_of('A', properties.x) = 1",
            "min_of('A', properties.y) = 1",
            "first_of('A', properties.x) = 1",
        )
        for metric in parse_rule(text).metrics
    }
    assert len(ids) == 10


def test_ids_stay_the_same_in_every_version() -> None:
    """Buckets are stored under them: who changes this must rebuild."""
    rule = parse_rule("count_of('Order Completed', where => properties.revenue > 100) > 2")
    assert rule.metrics[0].id == "ry7t22t43v"


WORDS = (
    "a b.c properties.x context.y name 'A' 'x%' '' 1 2.5 -1 ( ) , . = <> < >= + - * / % and "
    "or not in between like ilike is null true false lower( coalesce( round( count_of('A' "
    "did('A' sum_of('A', last_of( last => interval 3 day of => where => hour case when then "
    "else end select from cast as int current_date array struct map exists any all union "
    "limit order by group having over window filter within lambda escape collate at time "
    "unnest values with pivot now() if( position( extract( "
)


@settings(max_examples=400)
@given(st.lists(st.sampled_from(WORDS.split()), max_size=14).map(" ".join) | st.text(max_size=30))
def test_any_text_is_taken_or_refused_with_a_reason(text: str) -> None:
    reasons: list[object] = []
    try:
        reasons.append(parse_rule(text).expression)
    except InvalidInput as error:
        reasons.extend(error.faults)
    assert reasons


@pytest.mark.parametrize(
    "condition",
    [
        "properties.x > date '2026-01-31'",
        "properties.x between date '2026-01-31' and date '2026-02-01'",
        "timestamp '2026-01-31 08:00:00' < properties.items[].x",
        "properties.x = today() - interval 1 day",
        "properties.x in (date '2026-01-31', date '2026-02-01')",
    ],
)
def test_comparing_what_an_event_holds_with_a_date_is_one_fault(condition: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_rule(f"did('A', where => {condition})")
    assert len(refused.value.faults) == 1
    assert refused.value.faults[0].where.startswith("line 1, column ")
