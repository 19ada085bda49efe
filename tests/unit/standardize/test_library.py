"""The standards of the library on lists of the world as it is: companies, days, names, quantities, mailboxes."""

from __future__ import annotations

from datetime import date

import pytest
from babel import Locale
from babel.dates import format_date

from onefold.standardize.library import STANDARDS, email_meant, over
from onefold.standardize.national_dates import column_days, custom, day_of, tag_fault
from onefold.standardize.people.companies import company
from onefold.standardize.people.written_names import written_name
from onefold.standardize.units import UNITS, converted, taken_apart, unit_named

COMPANIES = {
    "SAP SE": "sap",
    "Volkswagen AG": "volkswagen",
    "Siemens Aktiengesellschaft": "siemens",
    "Merck KGaA": "merck",
    "Müller & Söhne GmbH & Co. KG": "muller sohne",
    "Bäckerei Meier e.K.": "backerei meier",
    "Nestlé S.A.": "nestle",
    "Société Générale S.A.": "societe generale",
    "ENI S.p.A.": "eni",
    "Ferrari N.V.": "ferrari",
    "Novo Nordisk A/S": "novo nordisk",
    "Nokia Oyj": "nokia",
    "Telefonaktiebolaget LM Ericsson (publ)": "telefonaktiebolaget lm ericsson",
    "Samsung Electronics Co., Ltd.": "samsung electronics",
    "PT Bank Central Asia Tbk": "bank central asia",
    "Petronas Sdn. Bhd.": "petronas",
    "Atlassian Pty Ltd": "atlassian",
    "Grupo Bimbo, S.A.B. de C.V.": "grupo bimbo",
    "Magazine Luiza Ltda.": "magazine luiza",
    "Allegro Sp. z o.o.": "allegro",
    "Škoda Auto a.s.": "skoda auto",
    "Яндекс ООО": "yandeks",
    "ООО «Яндекс»": "yandeks",
    "㈱日立製作所": "日立制作所",
    "株式会社日立製作所": "日立制作所",
    "日立製作所（株）": "日立制作所",
    "有限会社山田商店": "山田商店",
    "(주)카카오": "kakao",
    "카카오 주식회사": "kakao",
    "华为技术有限公司": "华为技术",
    "中國移動有限公司": "中国移动",
    "中国移动有限公司": "中国移动",
    "台灣積體電路製造股份有限公司": "台湾积体电路制造",
    "上海汽车集团股份有限公司": "上海汽车",
    "Apple Inc.": "apple",
    "J.P. Morgan Chase & Co.": "jp morgan chase",
    "Marks and Spencer Group plc": "marks spencer",
}


def test_companies_of_many_countries_are_compared_without_their_legal_form() -> None:
    assert {name: company(name) for name in COMPANIES} == COMPANIES


_SPOKEN = (
    "de en en-GB en-CA fr es it pt-BR pl cs sk hu ro hr sl ru uk bg el tr nl sv nb da fi et lv lt vi id"
    " ja ko zh zh-TW th"
)
LANGUAGES = _SPOKEN.split(" ")


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize("width", ["short", "medium", "long"])
def test_days_are_read_as_each_language_writes_them(tag: str, width: str) -> None:
    """Written by CLDR's own patterns, every month of a year: with words, and with a two-digit year."""
    locale = Locale.parse(tag.replace("-", "_"))
    days = [date(2026, month, 28) for month in range(1, 13)]
    written = {format_date(day, width, locale): day for day in days}

    read = {text: day_of(text, tag) for text in written}

    if (
        width == "short" and tag == "zh-TW"
    ):  # CLDR writes common years; these would be of the Republic
        assert read == written
    elif (
        width == "short" and tag == "th"
    ):  # CLDR's Gregorian pattern; two digits are Buddhist years
        assert set(read.values()) == {date(1983, month, 28) for month in range(1, 13)}
    else:
        assert read == written


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("令和元年5月1日", "2019-05-01"),
        ("平成31年4月30日", "2019-04-30"),
        ("昭和64年1月7日", "1989-01-07"),
        ("S60.3.7", "1985-03-07"),
        ("中華民國一一五年三月七日", None),
        ("民國 115 年 3 月 7 日", "2026-03-07"),
        ("民國元年10月10日", "1912-10-10"),
        ("2026年03月07日", "2026-03-07"),
        ("二〇二六年十二月三十一日", "2026-12-31"),
        ("2026년 3월 7일", "2026-03-07"),
        ("令和8年13月7日", None),
        ("R0.3.7", None),
    ],
)
def test_eras_and_signs_of_east_asia(text: str, day: str | None) -> None:
    assert day_of(text) == (date.fromisoformat(day) if day else None)


@pytest.mark.parametrize(
    ("tag", "text", "day"),
    [
        ("th", "7 มีนาคม 2569", "2026-03-07"),
        ("th", "๗ มี.ค. ๒๕๖๙", "2026-03-07"),
        ("th-TH", "07/03/2569", "2026-03-07"),
        ("zh-TW", "115/03/07", "2026-03-07"),
        ("zh-TW", "1150307", "2026-03-07"),
        ("zh-TW", "2026/03/07", "2026-03-07"),
        ("en-US", "03/07/2026", "2026-03-07"),
        ("en-GB", "03/07/2026", "2026-07-03"),
        ("de-CH", "7. März 2026", "2026-03-07"),
        ("hr", "7. listopada 2026.", "2026-10-07"),
        ("pl", "7 listopada 2026", "2026-11-07"),
        ("vi", "ngày 7 tháng 3 năm 2026", "2026-03-07"),
        ("ru", "7 марта 2026 г.", "2026-03-07"),
    ],
)
def test_days_in_the_way_of_a_country(tag: str, text: str, day: str) -> None:
    assert day_of(text, tag) == date.fromisoformat(day)


def test_whose_calendar_is_not_read_is_said() -> None:
    assert [bool(tag_fault(one)) for one in ("fa-IR", "ar-SA", "xx", "ar-EG", "de")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert custom("zz") is None


def test_a_column_decides_whether_the_day_comes_first() -> None:
    found = column_days(["03/04/2026", "05/06/2026", "25/12/2025", "03/04/2026"])
    assert (found.order, len(found.days)) == ("dmy", 3)
    assert found.days["03/04/2026"] == (date(2026, 4, 3),)
    assert column_days(["03/04/2026", "12/25/2025"]).days["03/04/2026"] == (date(2026, 3, 4),)
    both = column_days(["03/04/2026", "25/12/2025", "12/25/2025"])
    assert (both.order, len(both.days["03/04/2026"])) == (None, 2)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("VON DER LEYEN, URSULA", "Ursula von der Leyen"),
        ("PROF. DR. ANGELA MERKEL", "Angela Merkel"),
        ("mcdonald, ronald", "Ronald McDonald"),
        ("JEAN-CLAUDE VAN DAMME", "Jean-Claude van Damme"),
        ("Martin Luther King, Jr.", "Martin Luther King Jr."),
        ("henry ford ii", "Henry Ford II"),
        ("sinéad o’connor", "Sinéad O’Connor"),
        ("Leonardo DiCaprio", "Leonardo DiCaprio"),
        ("Dr. Dre", "Dre"),
        ("王 小明", "王小明"),
        ("歐陽修 教授", "歐陽修"),
        ("山田 花子 様", "山田花子"),
        ("ＬＩ　ＷＥＩ", "Li Wei"),
        ("김 민준", "김 민준"),
        ("未知", ""),
    ],
)
def test_names_are_shown_in_usual_case_and_order(written: str, shown: str) -> None:
    assert written_name(written) == shown
    assert written_name(shown) == shown


@pytest.mark.parametrize(
    ("value", "source", "to", "expected"),
    [
        (1, "mi", "km", 1.609344),
        (1, "lb", "g", 453.59237),
        (100, "f", "c", 37.777777778),
        (0, "k", "c", -273.15),
        (-40, "c", "f", -40.0),
        (1, "gal", "l", 3.785411784),
        (1, "gal_uk", "l", 4.54609),
        (1, "acre", "m2", 4046.8564224),
        (3, "mu", "m2", 2000.0),
        (60, "mph", "km_h", 96.56064),
        (2, "斤", "kg", 1.0),
        (1, "kcal", "kj", 4.184),
        (32, "psi", "bar", 2.206322334),
    ],
)
def test_quantities_are_turned_as_the_tables_of_nist_say(
    value: float, source: str, to: str, expected: float
) -> None:
    assert converted(value, source, to) == expected
    assert converted(expected, to, source) == pytest.approx(value, abs=1e-7)


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("1,80 m", "1,80", "m"), ("180cm", "180", "cm"), ("5'11\"", 71.0, "in"),
        ("5 ft 11 in", 71.0, "in"), ("6’", 72.0, "in"), ("72 Kilogramm", "72", "kg"),
        ("３公斤", "3", "kg"), ("98.6 °F", "98.6", "f"), ("-5 ℃", "-5", "c"), ("12 oz.", "12", "oz"),
        ("90 ㎡", "90", "m2"), ("1.234,5 km", "1.234,5", "km"), ("12%", "12", "percent"),
    ],
)  # fmt: skip
def test_quantities_are_taken_apart_as_people_write_them(text: str, number: str, unit: str) -> None:
    found = taken_apart(text)
    assert found is not None
    assert (found[0], unit_named(found[1])) == (number, unit)


def test_a_text_that_is_no_quantity_is_soon_known_to_be_none() -> None:
    assert taken_apart("1 " * 20_000 + "x\ny") is None


def test_no_name_of_a_unit_means_two_things() -> None:
    assert [code for code in UNITS if unit_named(code) != code] == []


def test_typos_of_known_domains_are_only_suggested() -> None:
    typos = ("gmial.com", "gmail.con", "hotmial.com", "yaho.com", "outlok.com", "gmx.dee")
    assert [email_meant(f"li@{one}") is not None for one in typos] == [True] * 5 + [False]
    own = ("mail.com", "ymail.com", "gmx.at", "126.com", "163.com", "proton.me", "example.com")
    assert [email_meant(f"li@{one}") for one in own] == [None] * 7


def test_each_standard_names_its_source_and_is_asked_once_for_each_value() -> None:
    assert all(one.means and one.source for one in STANDARDS.values())
    asked: list[str] = []
    sample = ["x"] * 1_000 + ["y"]
    one = STANDARDS["country"]
    try:
        STANDARDS["country"] = one._replace(of=lambda value: asked.append(value))  # type: ignore[index]
        over("country", sample)
    finally:
        STANDARDS["country"] = one  # type: ignore[index]
    assert asked == ["x", "y"]


@pytest.mark.parametrize("name", sorted(STANDARDS))
@pytest.mark.parametrize(
    "text", ["", " ", "\0", "１２３", "١٢٣", "💥" * 50, "a" * 5_000, "0" * 400, "-", "年月日"]
)
def test_no_text_makes_a_standard_raise(name: str, text: str) -> None:
    over(name, [text])


ODD = {
    "country": {
        "Côte d'Ivoire": "CI", "Côte d’Ivoire": "CI", "Korea, Republic of": "KR", "Süd-Korea": "KR", "日本国": "JP", "中華民國": "TW",
        "BRD": "DE", "Hong Kong SAR": "HK", "Palestine": "PS", "ČR": None, "CR": "CR", "XX": None, "EU": None,
    },
    "language": {"English (US)": "en-US", "Deutsch (Österreich)": "de-AT", "普通话": "zh", "zh_TW": "zh-TW", "cn": None},
    "currency": {"Yen": "JPY", "Pfund Sterling": "GBP", "台币": "TWD", "元": None, "Dollar": None},
    "phone": {"0049 171 2345678": "+491712345678", "００８６１３８１２３４５６７９": "+8613812345679", "0012": None, "138 1234 5678": None},
    "email": {"Ann@X.COM": "ann@x.com", "ａｎｎ＠x.com": "ann@x.com", "a@b@c.de": None, "ann": None},
    "email_meant": {"x@gmail.con": "x@gmail.com", "x@163.cmo": "x@163.com", "x@web.de": None},
    "name": {
        "prof. dr. med. hans-peter VON DER HEIDE": "Hans-Peter von der Heide", "DR.-ING. ANNA MAY": "Anna May",
        "dr. phil. PHIL MAYER": "Phil Mayer", "JOSÉ MARÍA DE LA CRUZ": "José María de la Cruz", "José de La Cruz": "José de La Cruz",
        "山田　太郎様": "山田太郎",
    },
    "boolean": {"1.0": True, "0.0": False, "☑": True, "☐": False, "不是": False, "希望しない": False, "maybe": None, "2": None},
    "gender": {"weibl.": "f", "männl.": "m", "Mx": "x", "Frau": "f", "先生": "m", "0": None},
    "unit": {"3 lbs 4 oz": "52.0 oz", "12 st 6 lb": "174.0 lb", "3 lb": "3 lb", "5'11\"": "71.0 in", "tall": None},
    "company": {"Foo UG (haftungsbeschränkt)": "foo"},
    "date": {"平成元年1月8日": "1989-01-08", "00.00.0000": None, "29.02.2023": None, "03/04/2026": None},
}  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), ODD.items())
def test_what_people_really_write_is_read_or_left(name: str, expected: dict[str, object]) -> None:
    values = list(expected)
    assert dict(zip(values, over(name, values), strict=True)) == expected


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("上海市浦东新区世纪大道100号", ("shanghai", "世纪大道", "100")),
        ("台北市大安區忠孝東路四段30號5樓", ("taipei", "忠孝东路四段", "30")),
        ("東京都港区六本木6丁目10番1号", ("港区", "六本木", "6-10-1")),
        ("千葉県市川市八幡1-1-1", ("市川市", "八幡", "1-1-1")),
        ("東京都町田市森野２－２－２２", ("町田市", "森野", "2-2-22")),
        ("Hauptstr. 5, 10115 Berlin", ("berlin", "haupt st", "5")),
    ],
)
def test_addresses_of_each_script_are_taken_apart(written: str, parts: tuple[str, ...]) -> None:
    (found,) = over("address", [written])
    assert (found.city, found.street, found.house_number) == parts
