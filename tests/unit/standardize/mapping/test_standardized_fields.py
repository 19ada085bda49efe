"""Standards of the library as transformations of a mapping, what was there before, and amounts of money."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from onefold.app.rates import read_rates
from onefold.app.syncs.appending import payloads_of
from onefold.model.errors import Fault, InvalidInput
from onefold.model.mapping import SourceDefinition
from onefold.model.pulled import Batch, Record
from onefold.model.records import Event, Reject, decode_accepted
from onefold.standardize import Mappings, Rates, standardize
from onefold.standardize.mapping import read_mapping

NOW = 1_790_000_000_000_000
WHO = {"identifiers": {"user_id": "no"}}
ECB_CSV = b"""Date,USD,JPY,CNY,GBP,
2026-01-30,1.25,180.0,8.0,0.8,
2026-01-29,1.20,N/A,8.1,0.81,
"""
ECB_XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
 xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
 <gesmes:subject>Reference rates</gesmes:subject>
 <gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
 <Cube><Cube time='2026-01-30'><Cube currency='USD' rate='1.25'/><Cube currency='JPY' rate='180.0'/></Cube></Cube>
</gesmes:Envelope>"""


def mapped(
    body: dict[str, Any], *records: dict[str, Any], rates: bytes = ECB_CSV
) -> tuple[list[Event], list[Reject]]:
    faults: list[Fault] = []
    mapping = read_mapping("m", body, faults)
    assert not faults, [str(one) for one in faults]
    source = SourceDefinition(name="s", type="csv", mapping=mapping)
    given = [Record(one, "t", f"row {number}") for number, one in enumerate(records)]
    accepted = [decode_accepted(one) for one in payloads_of("s", Batch(given, {}), at=NOW)]
    return standardize(accepted, {}, None, Mappings([], [source], None, Rates(read_rates(rates))))


def told(event: Event) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an event says, and what stood there before."""
    properties = msgspec.json.decode(event.properties)
    originals = msgspec.json.decode(event.context).get("originals", {})
    return {**event.traits, **properties}, originals


@pytest.mark.parametrize(
    ("field", "value", "becomes", "original"),
    [
        ({"type": "name"}, "DR. MÜLLER, ANNA", "Anna Müller", "DR. MÜLLER, ANNA"),
        ({"type": "name"}, "Anna Müller", "Anna Müller", None),
        ({"type": "company"}, "Müller GmbH & Co. KG", "muller", "Müller GmbH & Co. KG"),
        ({"type": "email"}, "Ann@X.COM", "ann@x.com", "Ann@X.COM"),
        ({"type": "phone"}, "0049 171 2345678", "+491712345678", "0049 171 2345678"),
        (
            {"type": "address"},
            "Hauptstr. 5, 10115 Berlin",
            {"street": "haupt st", "house_number": "5", "city": "berlin", "postcode": "10115"},
            "Hauptstr. 5, 10115 Berlin",
        ),
        ({"type": "half_width"}, "ＡＢＣ１２３", "ABC123", "ＡＢＣ１２３"),
        ({"type": "comparable"}, "臺灣大學", "台湾大学", "臺灣大學"),
        ({"type": "country"}, "Deutschland", "DE", "Deutschland"),
        ({"type": "country"}, "DE", "DE", None),
        ({"type": "date"}, "令和8年3月7日", "2026-03-07", "令和8年3月7日"),
        ({"type": "date", "format": "zh-TW"}, "115/03/07", "2026-03-07", "115/03/07"),
        ({"type": "date", "format": "pl"}, "7 marca 2026", "2026-03-07", "7 marca 2026"),
        ({"type": "date"}, "2026-03-07", "2026-03-07", None),
        ({"unit": {"from": "in", "to": "cm"}}, "10", 25.4, "10"),
        ({"unit": {"from": "in", "to": "cm"}}, "180 cm", 180, "180 cm"),
        ({"unit": {"to": "cm"}}, "5'11\"", 180.34, "5'11\""),
        ({"unit": {"to": "cm"}, "decimal": ","}, "5'11\"", 180.34, "5'11\""),
        ({"unit": {"from": "cent", "to": "unit"}}, "1999 ¢", 19.99, "1999 ¢"),
        ({"unit": {"to": "kg"}, "decimal": ","}, "72,5 公斤", 72.5, "72,5 公斤"),
        ({"unit": {"to": "c"}}, "98.6°F", 37.0, "98.6°F"),
    ],
)
def test_what_is_standardized_keeps_what_it_was(
    field: dict[str, Any], value: str, becomes: Any, original: Any
) -> None:
    (event,), _ = mapped({**WHO, "traits": {"x": {"from": "a", **field}}}, {"no": 1, "a": value})
    assert told(event) == ({"x": becomes}, {"traits.x": original} if original else {})


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ({"unit": {"to": "cm"}}, "72 kg", "'kg' is no unit of length"),
        ({"unit": {"to": "cm"}}, "72", "names no unit"),
        ({"unit": {"from": "cm", "to": "cm"}}, "tall", "'tall' is not a quantity"),
        ({"type": "date", "format": "pl"}, "7 lunego 2026", "is not a date"),
    ],
)
def test_what_is_no_such_thing_is_told(field: dict[str, Any], value: str, reason: str) -> None:
    _, (reject,) = mapped({**WHO, "traits": {"x": {"from": "a", **field}}}, {"no": 1, "a": value})
    assert reason in reject.reasons[0]


ORDER = {
    **WHO,
    "event": "Order Completed",
    "time": {"from": "at", "type": "time"},
    "timezone": "Europe/Berlin",
    "properties": {"revenue": {"from": "sum", "money": {"currency": "cur", "to": "EUR"}}},
}


def test_an_amount_is_turned_by_the_rate_of_the_day_of_its_event() -> None:
    rows = [
        {"no": 1, "sum": "100", "cur": "USD", "at": "2026-01-30 10:00"},
        {"no": 2, "sum": "100", "cur": "US-Dollar", "at": "2026-01-29 23:59"},
        {"no": 3, "sum": 100, "cur": "人民币", "at": "2026-02-01"},  # a Sunday: Friday's
        {"no": 4, "sum": 100, "cur": "JPY", "at": "2026-01-30"},
        {"no": 5, "sum": 100, "cur": "EUR", "at": "2026-01-01"},
    ]
    events, rejects = mapped(ORDER, *rows)
    assert rejects == []
    assert [told(one)[0]["revenue"] for one in events] == [80.0, 83.3333, 12.5, 0.5556, 100]
    assert told(events[0])[1] == {
        "properties.revenue": {"value": 100, "currency": "USD", "rate": 0.8, "day": "2026-01-30"}
    }
    assert told(events[2])[1]["properties.revenue"]["day"] == "2026-01-30"
    assert told(events[4])[1] == {}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"sum": 1, "cur": "USD", "at": "2026-02-07"}, "there is no rate from USD to EUR of 2026-02-07"),
        ({"sum": 1, "cur": "JPY", "at": "2026-01-29"}, "there is no rate from JPY to EUR of 2026-01-29"),
        ({"sum": 1, "cur": "$", "at": "2026-01-30"}, "'$' is no known currency"),
        ({"sum": 1, "cur": "", "at": "2026-01-30"}, "says no currency"),
    ],
)  # fmt: skip
def test_an_amount_without_a_rate_is_a_reject(row: dict[str, Any], reason: str) -> None:
    events, (reject,) = mapped(ORDER, {"no": 1, **row})
    assert (events, reason in reject.reasons[0]) == ([], True)


def test_without_a_time_it_is_the_day_that_it_came() -> None:
    body = {key: value for key, value in ORDER.items() if key != "time"}
    _, (reject,) = mapped(body, {"no": 1, "sum": 1, "cur": "USD"})
    assert "of 2026-09-21" in reject.reasons[0]


def test_the_currency_may_be_one_for_all() -> None:
    field = {"from": "sum", "money": {"currency": "USD", "to": "CNY"}}
    body = {**ORDER, "properties": {"revenue": field}}
    (event,), _ = mapped(body, {"no": 1, "sum": 2, "at": "2026-01-30"})
    assert told(event)[0] == {"revenue": 12.8}


@pytest.mark.parametrize(
    ("money", "fault"),
    [
        ({"currency": "cur", "to": "euro"}, "properties.x.money.to: 'euro' is no currency"),
        ({"currency": "XQX", "to": "EUR"}, "properties.x.money.currency: 'XQX' is no currency"),
        ({"currency": "", "to": "EUR"}, "properties.x.money.currency: is empty"),
    ],
)
def test_money_that_cannot_be_is_a_fault_of_the_mapping(money: dict[str, str], fault: str) -> None:
    faults: list[Fault] = []
    read_mapping(
        "m", {**WHO, "event": "E", "properties": {"x": {"from": "a", "money": money}}}, faults
    )
    assert [str(one).partition(" (")[0] for one in faults] == [fault]


@pytest.mark.parametrize("data", [ECB_CSV, ECB_XML])
def test_reference_rates_are_read_as_the_central_bank_publishes_them(data: bytes) -> None:
    newest = read_rates(data)[0]
    assert (newest.base, newest.day) == ("EUR", date(2026, 1, 30))
    assert (newest.rates["USD"], newest.rates["JPY"]) == (1.25, 180.0)


def test_the_daily_file_names_its_day_in_words() -> None:
    (found,) = read_rates(b"Date, USD, JPY, \n30 January 2026, 1.25, 180.0, \n")
    assert (found.day, found.rates) == (date(2026, 1, 30), {"USD": 1.25, "JPY": 180.0})


def test_all_that_is_wrong_with_rates_is_told_at_once() -> None:
    data = b"Date,USD,Bananas\n2026-01-30,-1,5\nsoon,1,2\n"
    with pytest.raises(InvalidInput) as refused:
        read_rates(data)
    assert [f"{one.where}: {one.message}" for one in refused.value.faults] == [
        "line 2: '-1' is no rate",
        "line 2: 'Bananas' is no currency",
        "line 3: 'soon' is no day",
        "line 3: 'Bananas' is no currency",
    ]
    for other in (b"", b"hello", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"PK\x03\x04broken"):
        with pytest.raises(InvalidInput):
            read_rates(other)


def test_numbers_of_a_trait_are_of_the_country_of_the_mapping() -> None:
    body = {**WHO, "traits": {"mobile": {"from": "x", "type": "phone"}}}
    events, rejects = mapped({**body, "country": "DE"}, {"no": "1", "x": "0171 2345678"})
    assert (events[0].traits["mobile"], rejects) == ("+491712345678", [])
    events, rejects = mapped(body, {"no": "1", "x": "0171 2345678"})
    assert "is no telephone number" in rejects[0].reasons[0]
    assert "say `country:`" in rejects[0].reasons[0]


@pytest.mark.parametrize("value", ["0", "9", "保密", "未知", "unbekannt"])
def test_what_says_that_a_gender_is_not_known_is_no_fault(value: str) -> None:
    events, rejects = mapped(
        {**WHO, "traits": {"g": {"from": "x", "type": "gender"}}}, {"no": "1", "x": value}
    )
    assert ([one.traits for one in events], rejects) == ([{}], [])


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2024/1/5 下午3:20:07", "2024-01-05T15:20:07Z"),
        ("2024/1/5 凌晨12:30", "2024-01-05T00:30:00Z"),
        ("2024/1/5 晚上 9:30", "2024-01-05T21:30:00Z"),
        ("2026年1月31日 14時05分", "2026-01-31T14:05:00Z"),
        ("令和8年1月31日 午後2時5分30秒", "2026-01-31T14:05:30Z"),
        ("2026年1月31日14点05分", "2026-01-31T14:05:00Z"),
    ],
)
def test_times_are_read_as_they_are_written_in_east_asia(written: str, time: str) -> None:
    events, rejects = mapped(
        {**WHO, "traits": {"at": {"from": "x", "type": "time"}}}, {"no": "1", "x": written}
    )
    assert (events[0].traits["at"], rejects) == (time, [])


def test_units_are_named_as_people_name_them() -> None:
    body = {**WHO, "traits": {"w": {"from": "x", "unit": {"from": "斤", "to": "公斤"}}}}
    events, _ = mapped(body, {"no": "1", "x": "3"}, {"no": "2", "x": "2 lb"})
    assert [one.traits["w"] for one in events] == [1.5, 0.90718474]
    faults: list[Fault] = []
    read_mapping(
        "m", {**WHO, "traits": {"w": {"from": "x", "unit": {"from": "kgg", "to": "g"}}}}, faults
    )
    assert "did you mean 'kg'?" in str(faults[0])
    assert len(str(faults[0])) < 200
