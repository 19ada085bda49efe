"""A file's beginning in, a mapping that it could have out."""

from __future__ import annotations

from typing import Any

ROWS = "Kunden-Nr.;Vorname;Telefon;Geburtstag\n1;Anna;0171 2345678;31.12.1980\n2;Ben;030 23125000;01.02.1990\n"


def test_a_sample_is_answered_with_a_mapping_and_reasons(desk: Any) -> None:
    answer = desk.call(
        "POST", "/api/mappings/suggest?name=Kunden.csv", content=ROWS.encode("cp1252")
    )

    found = answer.json()
    assert (answer.status_code, found["file"], found["rows"]) == (200, "Kunden.csv", 2)
    assert found["body"]["country"] == "DE"
    assert found["body"]["identifiers"] == {"user_id": "Kunden-Nr.", "phone": "Telefon"}
    assert found["country"]["reason"].startswith("100% of the telephone numbers")
    assert all(one["reason"] and 0 <= one["confidence"] <= 1 for one in found["fields"])
    assert found["notes"] == []
    assert "kind: mapping\nname: Kunden\n" in found["text"]
    put = desk.call("PUT", "/api/mappings/customers", json=found["body"])
    assert put.status_code == 200, put.text


def test_a_name_in_other_letters_becomes_one_of_a_mapping(desk: Any) -> None:
    body = "姓名,手机\n王伟,13800138000\n".encode("gb18030")

    answer = desk.call("POST", "/api/mappings/suggest?name=客户.csv", content=body)

    assert "name: KeHu\n" in answer.json()["text"]


def test_what_cannot_be_read_is_a_problem_with_reasons(desk: Any) -> None:
    for name, body in (("a.xlsx", b"PK\x03\x04no"), ("a.parquet", b"no")):
        answer = desk.call("POST", f"/api/mappings/suggest?name={name}", content=body)
        assert answer.status_code in (400, 422), (name, answer.text)
        assert answer.json()["errors"]
    assert not list(desk.settings.data.glob("uploads/*"))
