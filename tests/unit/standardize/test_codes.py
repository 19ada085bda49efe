"""Countries, languages and currencies, as lists of others and as people write them."""

from __future__ import annotations

import phonenumbers
import pytest
import pytz

from onefold.app.in_force import mapping_from, source_from
from onefold.model.records import Accepted
from onefold.standardize import Mappings, standardize
from onefold.standardize.codes import country, currency, language


def test_every_country_of_the_time_zone_database_is_known_by_its_code():
    assert [code for code in pytz.country_names if country(code) != code] == []
    regions = set(phonenumbers.SUPPORTED_REGIONS) - {"AC", "TA", "XK"}
    assert [code for code in regions if country(code.lower()) != code] == []


def test_nearly_every_country_of_the_time_zone_database_is_known_by_its_name():
    """Its names are abbreviated (`Congo (Dem. Rep.)`); what is known is never another country."""
    found = {code: country(name) for code, name in pytz.country_names.items()}

    assert {code: one for code, one in found.items() if one not in (code, None)} == {}
    assert sum(one is None for one in found.values()) <= 23


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (
            country,
            {
                "UK": "GB",
                "U.S.": "US",
                "台湾": "TW",
                "ＣＮ": "CN",
                "osterreich": "AT",
                "日本": "JP",
                "": None,
            },
        ),
        (
            language,
            {
                "简体中文": "zh-Hans",
                "Français": "fr",
                "pt_BR": "pt-BR",
                "zh-hant-tw": "zh-Hant-TW",
                "chi": "zh",
                "日本語": "ja",
                "xx": None,
                "C": None,
                "": None,
            },
        ),
        (
            currency,
            {
                "chf": "CHF",
                "Schweizer Franken": "CHF",
                "港币": "HKD",
                "日圓": "JPY",
                "zł": "PLN",
                "US$": "USD",
                "ＵＳＤ": "USD",
                "元": None,
                "pound": None,
                "dollar": None,
                "": None,
            },
        ),
    ],
)
def test_what_people_write_is_read(read, expected):
    assert {text: read(text) for text in expected} == expected


def test_a_mapping_reads_codes():
    fields = {
        name: {"from": name, "type": name} for name in ("country", "language", "currency", "gender")
    }
    body = {"identifiers": {"user_id": "id"}, "traits": fields}
    mappings = Mappings(
        [mapping_from("m", body)], [source_from("crm", {"type": "csv", "mapping": "m"})]
    )
    good = {
        "id": 1,
        "country": "Deutschland",
        "language": "德语",
        "currency": "€",
        "gender": "weiblich",
    }
    calls = [
        Accepted("crm", 1, "records", b'{"records": [{"fields": %b}]}' % one)
        for one in map(_json, (good, {"id": 2, "country": "Atlantis"}))
    ]
    events, rejects = standardize(calls, {}, mappings=mappings)

    assert events[0].traits == {"country": "DE", "language": "de", "currency": "EUR", "gender": "f"}
    assert [reason for one in rejects for reason in one.reasons] == [
        "traits.country: 'Atlantis' is no known country (give a lookup)"
    ]


def _json(value: object) -> bytes:
    import msgspec

    return msgspec.json.encode(value)
