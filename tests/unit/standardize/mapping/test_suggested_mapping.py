"""Fields are seen for what they hold, by their names in four languages, or without names."""

from __future__ import annotations

from typing import Any

import pytest

from onefold.model.errors import Fault
from onefold.standardize.mapping import read_mapping
from onefold.standardize.mapping.canonical import CANONICAL, key_of
from onefold.standardize.mapping.suggesting import SuggestedMapping, suggest_mapping

ENGLISH = {
    "Customer No.": ["17", "18"],
    "E-Mail": ["a@b.com", "c@d.com"],
    "Mobile": ["+1 415 555 2671", "+1 212 555 0123"],
    "First name": ["Ann", "Ben"],
    "Date of birth": ["12/31/1980", "01/31/1990"],
    "ZIP": ["94105", "10001"],
}
GERMAN = {
    "Kd-Nr": ["17", "18"],
    "E-Mail-Adresse": ["a@b.de", "c@d.de"],
    "Handynummer": ["0171 2345678", "0172 2345678"],
    "Vorname": ["Anna", "Ben"],
    "Geburtsdatum": ["31.12.1980", "01.02.1990"],
    "PLZ": ["53111", "10115"],
}
CHINESE = {
    "会员编号": ["17", "18"],
    "电子邮箱": ["a@b.cn", "c@d.cn"],
    "手机号": ["13812345678", "13912345678"],
    "名": ["伟", "娜"],
    "出生日期": ["1980-12-31", "1990-02-01"],
    "邮编": ["100000", "200000"],
}
JAPANESE = {
    "顧客番号": ["17", "18"],
    "メールアドレス": ["a@b.jp", "c@d.jp"],
    "携帯電話番号": ["090-1234-5678", "080-1234-5678"],
    "名": ["太郎", "花子"],
    "生年月日": ["1980/12/31", "1990/02/01"],
    "郵便番号": ["100-0001", "530-0001"],
}
TARGETS = [
    "identifiers.user_id",
    "identifiers.email",
    "identifiers.phone",
    "traits.first_name",
    "traits.birth_date",
    "traits.postal_code",
]


def usable(found: SuggestedMapping) -> bool:
    faults: list[Fault] = []
    read_mapping("m", found.body, faults)
    return not faults


@pytest.mark.parametrize(
    "columns", [ENGLISH, GERMAN, CHINESE, JAPANESE], ids=["en", "de", "zh", "ja"]
)
def test_customers_are_seen_by_the_names_of_fields(columns: dict[str, list[str]]) -> None:
    found = suggest_mapping(columns)
    assert [one.target for one in found.fields] == TARGETS
    assert all(one.reason.startswith("its name") and one.confidence > 0.8 for one in found.fields)
    assert usable(found)


@pytest.mark.parametrize(
    ("columns", "time"),
    [
        (
            {
                "Order No": ["A1"],
                "Customer ID": ["7"],
                "Total": ["9.50"],
                "Order date": ["2026-01-02"],
            },
            "Order date",
        ),
        (
            {
                "Bestell-Nr.": ["A1"],
                "Kundennummer": ["7"],
                "Betrag": ["9,50"],
                "Bestelldatum": ["13.01.2026"],
            },
            {"from": "Bestelldatum", "format": "dmy"},
        ),
        (
            {
                "订单编号": ["A1"],
                "会员号": ["7"],
                "实付金额": ["¥9.50"],
                "下单时间": ["2026-01-02 10:00:00"],
            },
            "下单时间",
        ),
        (
            {
                "注文番号": ["A1"],
                "会員番号": ["7"],
                "合計金額": ["950"],
                "注文日時": ["2026-01-02 10:00"],
            },
            "注文日時",
        ),
    ],
    ids=["en", "de", "zh", "ja"],
)
def test_orders_are_seen_by_the_names_of_fields(columns: dict[str, list[str]], time: Any) -> None:
    found = suggest_mapping(columns)
    number, customer, amount, _ = columns
    assert (found.body["event"], found.body["id"]) == ("Order Completed", number)
    assert found.body["identifiers"] == {"user_id": customer}
    assert found.body["properties"]["order_id"] == number
    assert found.body["properties"]["revenue"]["from"] == amount
    assert found.body["time"] == time
    assert usable(found)


def test_values_tell_what_names_do_not() -> None:
    columns = {
        "f1": [f"K{number:05}" for number in range(30)],
        "f2": [f"user{number}@example.com" for number in range(30)],
        "f3": [f"19{50 + number}-0{1 + number % 9}-{10 + number % 18}" for number in range(30)],
        "f4": [f"€ {number},50" for number in range(30)],
        "f5": ["EUR", "CHF", "USD"] * 10,
        "f6": [f"2026-01-{1 + number % 28:02} 10:{number:02}:00" for number in range(30)],
        "f7": ["Ann Miller", "Mary Smith", "John Brown"] * 10,
        "f8": ["gold", "silver", "none"] * 10,
        "f9": [f"some words of text number {number}" for number in range(30)],
    }
    found = {one.field: one.target for one in suggest_mapping(columns).fields}
    assert found == {
        "f1": "identifiers.user_id",
        "f2": "identifiers.email",
        "f3": "traits.birth_date",
        "f4": "traits.f4",
        "f5": "traits.currency",
        "f6": "traits.f6",
        "f7": "traits.name",
        "f8": "traits.f8",
        "f9": "",
    }


def test_what_is_known_already_outweighs_names() -> None:
    found = suggest_mapping({"code": ["a", "b"], "id": ["1", "2"]}, {"code": {"crm_id": 0.9}})
    assert found.fields[0].target == "identifiers.crm_id"
    assert found.fields[0].reason == "90% of its values are known as crm_id"


def test_a_name_that_its_values_contradict_is_not_believed() -> None:
    (one,) = suggest_mapping({"Email": ["yes", "no", "yes"]}).fields
    assert (one.target, one.confidence) == ("", 0.3)
    assert one.reason == "its name means email, but its values are not e-mail addresses"


def test_an_open_order_of_day_and_month_is_told() -> None:
    (one,) = suggest_mapping({"birthday": ["03/04/1980", "05/06/1990"]}).fields
    assert "stays open" in one.reason
    assert one.confidence < 0.8


def test_of_two_fields_for_one_thing_the_better_named_counts() -> None:
    found = suggest_mapping({"mail": ["a@b.de"], "email": ["c@d.de"]})
    assert [one.target for one in found.fields] == ["", "identifiers.email"]


def test_words_of_the_schema_are_found_as_they_are_written() -> None:
    for name, entity in CANONICAL.items():
        for field, one in entity.fields.items():
            assert all(word == key_of(word) for word in one.words), (name, field)


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        (GERMAN, "DE"),
        (CHINESE, "CN"),
        (JAPANESE, "JP"),
        (ENGLISH, None),  # they name it
        ({"phone": ["(415) 555-2671", "(212) 555-0123"], "Land": ["USA", "United States"]}, "US"),
        ({"phone": ["01 42 68 53 00", "06 12 34 56 78"], "pays": ["France", "FR"]}, "FR"),
        ({"電話": ["0912 345 678", "02 2345 6789"], "姓名": ["陳大文", "林小美"]}, "TW"),
    ],
)
def test_the_country_of_telephone_numbers_is_proposed(
    columns: dict[str, list[str]], code: str | None
) -> None:
    found = suggest_mapping(columns)
    assert found.body.get("country") == code
    assert (found.country.code if found.country else None) == code
    assert usable(found) or "identifiers" not in found.body


def test_where_the_country_stays_open_it_is_said() -> None:
    open_ = suggest_mapping({"id": ["1", "2"], "phone": ["1234567", "2345678"]})
    assert "country" not in open_.body
    assert open_.notes[0].startswith("2 of 2 telephone numbers looked at name no country")
    assert suggest_mapping({"phone": ["0171 2345678"]}, country="DE").body["country"] == "DE"


def test_quantities_currencies_and_days_are_seen_by_their_values() -> None:
    found = suggest_mapping(
        {
            "id": ["1", "2", "3"],
            "Größe": ["1,72 m", "180 cm", "175 cm"],
            "W": ["EUR", "人民币", "US-Dollar"],
            "Datum": ["15.01.2026", "16.01.2026", "17.01.2026"],
        }
    )
    told = {one.field: (one.target, one.how) for one in found.fields}
    assert told["Größe"] == (
        "traits.größe",
        {"from": "Größe", "unit": {"to": "cm"}, "decimal": ","},
    )
    assert told["Datum"][1]["type"] == "time"
    assert usable(found) or "identifiers" not in found.body


@pytest.mark.parametrize(
    ("name", "values", "how"),
    [
        ("Umsatz 2025", ["1.234,50", "99,00"], {"type": "number", "decimal": ","}),
        ("total_spent", ["1,234.50", "99"], {"type": "number", "decimal": "."}),
        ("Balance", ["12", "-3.5"], {"type": "number"}),
        ("累计消费金额", ["1234.5", "99"], {"type": "number"}),
        ("購入金額", ["¥1,200", "¥3,400"], {"type": "number", "decimal": "."}),
        ("Spent on", ["books", "shoes"], None),
    ],
)
def test_amounts_in_a_file_of_people_are_numbers_of_theirs(
    name: str, values: list[str], how: dict[str, str] | None
) -> None:
    found = suggest_mapping({"email": ["a@example.com", "b@example.com"], name: values})
    assert list(found.body.get("traits", {}).values()) == (
        [] if how is None else [{"from": name, **how}]
    )


def targets(columns: dict[str, list[str]]) -> dict[str, str]:
    return {one.field: one.target for one in suggest_mapping(columns).fields}


@pytest.mark.parametrize(
    ("values", "target"),
    [
        ([f"1381234567{n}" for n in range(10)], "identifiers.phone"),
        ([f"0903070442{n}" for n in range(10)], "identifiers.phone"),
        ([f"44{n}-555-2671" for n in range(10)], "identifiers.phone"),
        ([f"154-00{n}" for n in range(10, 20)], "traits.postal_code"),
        (["631.72", "2226.65", "9.00", "17.20", "5.05", "99.99"], "traits.c"),
        ([f"-73.95{n}1344" for n in range(10)], ""),
        ([f"{n}{n}284.9512345" for n in range(1, 10)], ""),
        ([f"Lindenallee {n}" for n in range(10)], "traits.address"),
        ([f"Am Alten-Ring {n}a" for n in range(10)], "traits.address"),
        ([f"{n}16 Eden Mills Suite {n}" for n in range(10)], "traits.address"),
        ([f"千代田区丸の内{n}-2-3" for n in range(1, 9)], "traits.address"),
        ([f"台北市大安區忠孝東路四段{n}號" for n in range(1, 9)], "traits.address"),
        (["Katharina", "Jürgen", "Anna-Lena", "Wolfgang", "Xaver"], "traits.first_name"),
        (
            [
                "Müller",
                "Schmidt",
                "Meyer",
                "Zwirner",
                "Abendroth",
                "Klopstock",
                "Ullrich",
                "Tiedke",
                "Rademacher",
                "Weber",
            ],
            "traits.last_name",
        ),
        (["White", "Green", "Brown", "Black"] * 5, "traits.c"),  # colors
        (["31500", "90510", "44125", "78031", "12999", "65432"] * 1, "traits.c"),
    ],
)
def test_what_a_field_holds_is_seen_without_its_name(values: list[str], target: str) -> None:
    assert targets({"c": values}) == {"c": target}


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("kun_plz", "traits.postal_code"),
        ("客户id", "identifiers.user_id"),
        ("會員編號", "identifiers.user_id"),
        ("お客様番号", "identifiers.user_id"),
        ("金额(元)", ""),
        ("姓名/Name", "traits.name"),
        ("billing_city", "traits.city"),
        ("properties.email", "identifiers.email"),
        ("Geb.-Datum", "traits.birth_date"),
        ("フリガナ", "traits.phonetic_name"),
        ("携帯番号", "identifiers.phone"),
        ("Employer city", ""),
        ("紧急联系人电话", ""),
    ],
)
def test_names_are_understood_as_people_and_programs_write_them(name: str, target: str) -> None:
    beside = {"kun_a": [], "kun_b": [], "kun_c": []} if name.startswith("kun") else {}
    assert targets({name: [], **beside})[name] == target


def test_the_number_of_something_else_identifies_nobody() -> None:
    columns = {
        "payment_id": [f"P{n}" for n in range(10)],
        "Einkommen": [str(30000 + 977 * n * n) for n in range(10)],
        "身份证号": ["11010519491231002X", "320105198206228720"] * 5,
    }
    found = suggest_mapping(columns)
    assert "identifiers" not in found.body
    assert found.notes == ("nothing says whom the records are about: name an identifier",)
    assert "a state gives" in found.fields[2].reason


def test_consent_is_proposed_only_where_all_say_yes_or_no() -> None:
    ids = {"id": ["1", "2", "3"]}
    for name, values in (
        ("Newsletter", ["ja", "nein", "ja"]),
        ("是否订阅", ["是", "否", "是"]),
        ("メルマガ", ["希望する", "希望しない", "希望する"]),
    ):
        found = suggest_mapping({**ids, name: values}).body["traits"]
        assert found == {"consent.marketing": {"from": name, "type": "boolean"}}
    assert targets({**ids, "Newsletter": ["weekly", "no", "yes"]})["Newsletter"] == ""
    assert targets({**ids, "メルマガ拒否": ["Y", "N", "N"]})["メルマガ拒否"] == ""


def test_codes_of_standards_are_proposed_where_every_value_can_be_read() -> None:
    columns = {"id": ["1", "2"], "性别": ["男", "女"], "Land": ["Deutschland", "Österreich"]}
    assert suggest_mapping(columns).body["traits"] == {
        "gender": {"from": "性别", "type": "gender"},
        "country": {"from": "Land", "type": "country"},
    }
    odd = suggest_mapping({**columns, "Land": ["Deutschland", "Preußen"]})
    assert odd.body["traits"]["country"] == "Land"


def test_a_list_of_products_is_nothing_that_was_bought() -> None:
    products = {
        "product_id": ["P1", "P2"],
        "product_name": ["Tea", "Cup"],
        "price": ["2.50", "9.90"],
    }
    assert "event" not in suggest_mapping(products).body
    lines = {**products, "order_id": ["1", "1"], "quantity": ["2", "1"]}
    assert suggest_mapping(lines).body["event"] == "Product Bought"


def test_the_only_times_of_what_happened_say_when() -> None:
    found = suggest_mapping(
        {"订单号": ["1", "2"], "金额": ["9", "8"], "落款": ["2026-01-02", "2026-01-03"]}
    )
    assert found.body["time"] == "落款"


def test_a_file_without_a_header_is_told() -> None:
    found = suggest_mapping({"1": ["2"], "ann@example.com": ["bob@example.com"]})
    assert "header=0" in found.notes[0]
