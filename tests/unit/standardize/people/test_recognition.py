"""Columns of unknown files are recognized by their headers and by what stands in them."""

import pytest

from onefold.standardize.people.headers import role_of
from onefold.standardize.people.recognition import recognize
from onefold.standardize.people.roles import ROLES
from onefold.testing.people import make_people, source_tables

HEADERS = {
    "full_name": "Full Name|姓名|客户姓名|收货人|XingMing",
    "given_name": "FirstName|first_name|Vorname|prénom|名|fname_c1|contact_first_name",
    "family_name": "LAST NAME|surname|Nachname|Apellidos|姓|姓氏",
    "birth_date": "DOB|date_of_birth|Geburtsdatum|出生日期|生日|birthDate",
    "email": "E-Mail|email_address|邮箱|電子郵箱|work_email|Email2",
    "phone": "Phone|mobile_number|手机号|聯絡電話|联系电话|home_phone|phone_2",
    "address": "Address1|street|Anschrift|地址|shipping_address_1|收货地址",
    "address_more": "address_2|Address Line 2",
    "city": "City|suburb|Ort|城市|billing_city",
    "state": "State|province|省份|Bundesland",
    "postcode": "ZIP|zipcode|PLZ|邮编|postal_code",
    "national_id": "SSN|soc_sec_id|身份证号|passport number",
    "gender": "Sex|gender|性别",
    "company": "Company|employer_name|工作单位",
    "ignore": "id|record_id|entity_id|age|created_at|employer_city|emergency_contact_phone|备注",
}


@pytest.mark.parametrize(
    ("role", "header"),
    [(role, header) for role, headers in HEADERS.items() for header in headers.split("|")],
)
def test_headers_of_several_countries_are_known(role, header):
    assert role_of(header)[0] == role


def test_every_role_is_one():
    for headers in HEADERS.values():
        for header in headers.split("|"):
            assert role_of(header)[0] in ROLES


def test_without_headers_the_values_tell():
    people = source_tables(make_people(3000, seed=2))["support"]
    columns = {
        f"column{place}": people[name].to_pylist()
        for place, name in enumerate(("full_name", "email", "phone", "city"))
    }
    roles = [guess.role for guess in recognize(columns).values()]
    assert roles == ["full_name", "email", "phone", "ignore"]


def test_a_header_that_its_values_contradict_is_not_believed():
    found = recognize({"email": ["415-555-2671", "212-555-0123"], "phone": ["none", "call me"]})
    assert found["email"].role == "phone"
    assert found["phone"].role == "ignore"
    assert "perhaps phone" in found["phone"].reason


def test_a_name_beside_a_family_name_is_a_given_name():
    found = recognize({"Name": ["Anna", "Bert"], "Nachname": ["Kurz", "Lang"]})
    assert [guess.role for guess in found.values()] == ["given_name", "family_name"]


def test_one_column_for_what_only_one_can_hold():
    found = recognize(
        {"city": ["Bonn"], "billing_city": ["Köln"], "email": ["a@b.de"], "email2": ["c@d.de"]}
    )
    assert [guess.role for guess in found.values()] == ["city", "ignore", "email", "email"]


def test_a_number_that_each_row_has_for_itself_tells_nobody_apart():
    ids = [str(number) for number in range(100)]
    assert recognize({"customer_id": ids})["customer_id"].role == "ignore"
    assert recognize({"loyalty_card": ids[:50] * 2})["loyalty_card"].role == "identifier"


def test_nothing_at_all_is_nothing():
    assert recognize({}) == {}
    assert recognize({"": [], "x": [None, ""], "y": ["¤¤¤", "\x00"]})["y"].role == "ignore"
