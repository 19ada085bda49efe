"""What is wrong with a mapping is told at once, with its place and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from onefold.app.definitions.source_checks import mapping_faults
from onefold.model.errors import Fault
from onefold.standardize.mapping import read_mapping

WHO = {"identifiers": {"user_id": "no"}}


def told(body: dict[str, Any]) -> list[str]:
    return [str(fault) for fault in mapping_faults(body)]


def test_all_faults_are_told_at_once() -> None:
    body = {
        "identifiers": {"user_id": False},
        "traits": {
            "born": {"from": "Geb", "format": "tt.mm.jjjj"},
            "name": {"from": "a", "join": ["b", "c"]},
            "size": {"from": "x", "unit": {"from": "in", "to": "kg"}},
            "level": {"form": "x"},
        },
        "timezone": "Europe/Nowhere",
        "trait": {},
    }
    assert [one.partition(" (")[0] for one in told(body)] == [
        "trait: 'trait' is not known",
        "identifiers.user_id: is false, not the name of a field",
        "traits.born.format: 'tt' is no part of a date",
        "traits.name: says from and join of where the value comes from",
        "traits.size.unit: in is of length, kg of weight",
        "traits.level.form: 'form' is not known",
        "traits.level: says nothing of where the value comes from",
        "timezone: 'Europe/Nowhere' is no time zone",
    ]
    assert told(body)[1].endswith(
        "(YAML reads no, yes, on and off so; put the name of the field in quotes)"
    )


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, "identifiers: says of nobody whom it is about"),
        ({**WHO, "type": "track"}, "event: has no name"),
        ({**WHO, "type": "sale"}, "type: 'sale' is no type of event"),
        ({**WHO, "type": "page", "event": "x"}, "event: only a track has a name"),
        ({**WHO, "type": "group"}, "group: names no group"),
        ({**WHO, "events": [WHO]}, "identifiers: 'identifiers' is not known"),
        ({"events": []}, "events: must be a list of events"),
        ({"events": [WHO, 1]}, "events[1]: must say identifiers"),
        ({"events": [{**WHO, "x": 1}]}, "events[0].x: 'x' is not known"),
        ({**WHO, "delete": "erase"}, "delete: invalid enum value 'erase'"),
        ({**WHO, "traits": {"a": {"from": "b", "decimal": ";"}}}, "traits.a.decimal: invalid enum"),
        (
            {**WHO, "traits": {"a": {"from": "b", "type": "text", "decimal": ","}}},
            "traits.a.decimal",
        ),
        ({**WHO, "when": "count_of('Order') > 1"}, "when: a record has no events"),
        ({**WHO, "when": "a ="}, "when "),
        ({**WHO, "traits": {"a": {"sql": "nonsense(b)"}}}, "traits.a.sql "),
        ({**WHO, "country": "Germany"}, "country: 'Germany' is no country"),
        ({"identifiers": ["a"]}, "identifiers: must be names"),
        ({**WHO, "traits": {"a": 7}}, "traits.a: must say where the value comes from"),
    ],
)
def test_a_fault_names_its_place(body: dict[str, Any], fault: str) -> None:
    assert any(one.startswith(fault) for one in told(body)), told(body)


def test_one_event_may_stand_in_the_body_itself() -> None:
    faults: list[Fault] = []
    one = read_mapping("a", {**WHO, "country": "DE"}, faults)
    several = read_mapping("a", {"events": [WHO], "country": "DE"}, faults)
    assert one == several
    assert faults == []
