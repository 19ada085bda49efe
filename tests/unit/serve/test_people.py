"""Records that are handed in with a call: standardized, their identifiers, merged; every fault at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.serve.conftest import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "data")


def test_records_are_standardized_with_columns_recognized_or_told(desk: Desk) -> None:
    records = [{"Name": "Dr. Wei ZHANG", "x": "(415) 555-2671", "Geburtsdatum": "03/07/1985"}]
    said = {"records": records, "columns": {"x": "phone"}, "region": "us"}
    found = desk.post("/api/standardize", said).json()
    assert found["columns"] == {"Name": "full_name", "x": "phone", "Geburtsdatum": "birth_date"}
    person = found["records"][0]
    assert (person["given_name"], person["family_name"]) == ("wei", "zhang")
    assert (person["phone"], person["birth_date_other"]) == ("+14155552671", "1985-07-03")
    american = desk.post("/api/standardize", said | {"date_order": "mdy"}).json()["records"][0]
    assert (american["birth_date"], "birth_date_other" in american) == ("1985-03-07", False)


def test_identifiers_are_those_that_events_would_have(desk: Desk) -> None:
    record = {"mail": " A.B@Gmail.com ", "mobile": "138 1234 5679", "crm": "C-17", "junk": "null"}
    columns = {"crm": "identifier:crm_id", "junk": "identifier:crm_id"}
    said = {"records": [record, {"mail": "none"}], "columns": columns, "region": "CN"}
    found = desk.post("/api/extract-identifiers", said).json()["identifiers"]
    named = [f"{one['kind']}:{one['value']}" for one in found[0]]
    assert named == ["email:a.b@gmail.com", "phone:+8613812345679", "crm_id:C-17"]
    assert found[1] == []


def test_records_are_merged_by_rules_and_each_value_says_why(desk: Desk) -> None:
    records = [
        {"source": "shop", "time": 3, "values": {"city": "Bonn", "street": "Weg 1", "news": True}},
        {
            "source": "crm",
            "time": 1,
            "values": {"city": "Berlin", "street": "Allee 2", "news": False},
        },
        {"source": "app", "time": 2, "values": {"name": "Ann", "city": None}},
    ]
    rules = [
        {"traits": ["city", "street"], "together": True,
         "survivorship": {"by": "source_priority", "sources": ["crm", "shop"]}},
        {"traits": ["news"], "survivorship": "strictest"},
    ]  # fmt: skip
    found = desk.post("/api/merge-records", {"records": records, "rules": rules}).json()
    assert found["golden"] == {"city": "Berlin", "street": "Allee 2", "news": False, "name": "Ann"}
    assert found["why"]["city"]["records"] == [1]
    assert [one["reason"] for one in found["why"]["news"]["lost"]] == ["less strict"]
    again = desk.post("/api/merge-records", {"records": records[::-1], "rules": rules}).json()
    assert again["golden"] == found["golden"]


@pytest.mark.parametrize(
    ("path", "body", "faults"),
    [
        (
            "standardize",
            {"records": [{"a": "x"}], "columns": {"a": "surname", "b": "email"}, "region": "XX"},
            {"columns.a", "columns.b", "region"},
        ),
        (
            "standardize",
            {"records": [{"a": 1, "b": 2}], "columns": {"a": "city", "b": "city"}},
            {"columns.b"},
        ),
        ("extract-identifiers", {"records": [], "region": 7}, {"records", "region"}),
        ("standardize", {"records": [{"a": {"b": 1}}], "unknown": 1}, {"records.0.a", "body"}),
        (
            "merge-records",
            {
                "records": [{"values": {}}],
                "rules": [
                    {"survivorship": "lastest"},
                    {"traits": ["a"]},
                    {"survivorship": "expression"},
                ],
            },
            {"rules.0.survivorship", "rules.1", "rules.2", "rules.2.survivorship"},
        ),
        (
            "merge-records",
            {"records": [{"values": {}}], "rules": [{"survivorship": "latest"}] * 2},
            {"rules.0", "rules.1"},
        ),
    ],
)
def test_every_fault_is_listed(desk: Desk, path: str, body: object, faults: set[str]) -> None:
    answer = desk.post(f"/api/{path}", body)
    assert answer.status_code == 400, answer.text
    assert {one["where"] for one in answer.json()["errors"]} == faults


def test_more_records_than_one_call_takes_are_refused(desk: Desk) -> None:
    answer = desk.post("/api/standardize", {"records": [{"a": "b"}] * 1001})
    assert answer.status_code == 400
    assert [one["where"] for one in answer.json()["errors"]] == ["records"]
