"""Countries, languages and currencies by their codes, however they are written.

Names and codes are those of Unicode's CLDR, as Babel ships it: https://cldr.unicode.org/
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

from onefold.standardize.people import places

_NAMED_IN = ("en", "zh", "zh_Hant", "de", "ja", "fr", "es")
_SIGNS = {
    "€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₫": "VND", "₪": "ILS",
    "฿": "THB", "₴": "UAH", "₸": "KZT", "₦": "NGN", "₱": "PHP", "zł": "PLN", "kc": "CZK",
    "us$": "USD", "hk$": "HKD", "nt$": "TWD", "a$": "AUD", "c$": "CAD", "s$": "SGD", "r$": "BRL",
    "mx$": "MXN", "nz$": "NZD", "cn¥": "CNY", "jp¥": "JPY",
    # What is said more often than the name that CLDR gives.
    "rmb": "CNY", "人民币元": "CNY", "元人民币": "CNY", "人民幣": "CNY", "renminbi": "CNY", "円": "JPY",
    "yen": "JPY", "yuan": "CNY", "won": "KRW", "pfund sterling": "GBP", "sterling": "GBP", "sfr": "CHF", "台币": "TWD", "台幣": "TWD",
    "美金": "USD", "港元": "HKD", "港币": "HKD", "dollar": "", "dollars": "",
}  # fmt: skip
"""`$` and `¥` are of several currencies, so they are of none."""
_ALSO = """
BO: bolivia, plurinational state of
BN: brunei darussalam
CD: congo, the democratic republic of the
CI: ivory coast; elfenbeinküste
CV: cape verde
CZ: czech republic; česká republika; tschechische republik
DE: brd; federal republic of germany; bundesrepublik deutschland
FK: falkland islands (malvinas)
FM: micronesia, federated states of
HK: hong kong sar; hong kong s.a.r.
IR: iran, islamic republic of
JP: 日本国
KP: korea, democratic people's republic of; nordkorea; nord-korea; north korea
KR: korea, republic of; republic of korea; südkorea; süd-korea; south korea; 大韩民国; 大韓民国
LA: lao people's democratic republic
MD: moldova, republic of
MK: macedonia; republic of macedonia
MM: burma
MO: macao sar
PS: palestine; palästina; palestine, state of
RU: russian federation
SY: syrian arab republic
SZ: swaziland
TL: east timor
TW: taiwan, province of china; republic of china; 中華民國; 中华民国
TZ: tanzania, united republic of
VA: holy see
VE: venezuela, bolivarian republic of
VN: viet nam
"""
"""Names that forms offer besides those of CLDR: ISO's own, former and colloquial ones."""
_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|\d{3}))?")
_MARKS = re.compile("[\u0300-\u036f]")
_LONG_CODE = 3
_ANY = re.compile(r"\w+")
_COUNTRY, _LONG_COUNTRY = re.compile(r"(?!EU|EZ|UN|ZZ|QO|X[AB])[A-Z]{2}"), re.compile(r"[A-Z]{3}")
_APOSTROPHES = str.maketrans("’‘ʼ´`", "'''''")
_SPOKEN = {
    "mandarin": "zh", "mandarin chinese": "zh", "普通话": "zh", "普通話": "zh", "国语": "zh", "國語": "zh", "汉语": "zh",
}  # fmt: skip
_OF = re.compile(r"(.+?)\s*[(（]([^()（）]+)[)）]")
_BESIDE = re.compile(r"[.@].*$")


@lru_cache(maxsize=65_536)
def country(value: str) -> str | None:
    """The ISO 3166 code of a country, in two capital letters; None where it is not known.

    >>> [country(one) for one in ("Deutschland", "中國", "usa", "DEU", "U.S.A.", "ドイツ", "Atlantis")]
    ['DE', 'CN', 'US', 'DE', 'US', 'DE', None]
    """
    key = _key(value)
    # `ČR` is no code, though it becomes one without its mark.
    is_marked = (
        len(key) <= _LONG_CODE
        and not unicodedata.normalize("NFKC", value).isascii()
        and key.isascii()
    )
    if not is_marked and (found := _countries().get(key)) is not None:
        return found
    # Abbreviations and spellings that are no names, such as those of forms.
    spelled = places.country(value)
    return spelled.upper() if spelled else None


@lru_cache(maxsize=65_536)
def language(value: str) -> str | None:
    """The BCP 47 tag of a language; None where it is not known.

    >>> [language(one) for one in ("Deutsch", "中文", "zh_cn.UTF-8", "EN-us", "deu", "Klingonish")]
    ['de', 'zh', 'zh-CN', 'en-US', 'de', None]
    """
    text = unicodedata.normalize("NFKC", value).strip()
    if (named := _SPOKEN.get(_key(text)) or _languages().get(_key(text))) is not None:
        return named
    if (found := _OF.fullmatch(text)) and (where := country(found[2])):
        spoken = language(found[1])
        return f"{spoken}-{where}" if spoken and "-" not in spoken else spoken
    match = _TAG.fullmatch(_BESIDE.sub("", text))
    if match is None:
        return None
    code = _aliases().get(match[1].lower(), match[1].lower())
    if code not in _codes():
        return None
    script, region = match[2], match[3]
    return "-".join(filter(None, (code, script and script.title(), region and region.upper())))


@lru_cache(maxsize=65_536)
def currency(value: str) -> str | None:
    """The ISO 4217 code of a currency; None where it is not known, or may be several.

    >>> [currency(one) for one in ("eur", "€", "人民币", "RMB", "US-Dollar", "$", "¥")]
    ['EUR', 'EUR', 'CNY', 'CNY', 'USD', None, None]
    """
    text = _key(value)
    found = _SIGNS.get(text)
    return (_currencies().get(text) if found is None else found) or None


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    """The code of each country by its names and by its code of three letters."""
    from babel.core import get_global  # noqa: PLC0415 - only who asks for a country loads it

    names = _names("territories", _COUNTRY)
    longer = {
        code.lower(): found[0]
        for code, found in get_global("territory_aliases").items()
        if _LONG_COUNTRY.fullmatch(code) and len(found) == 1
    }
    codes = {code.lower(): code for code in names.values()}
    also = {
        _key(name): line[:2] for line in _ALSO.split("\n") if line for name in line[3:].split(";")
    }
    return also | names | longer | codes


@lru_cache(maxsize=1)
def _languages() -> dict[str, str]:
    return {name: code.replace("_", "-") for name, code in _names("languages", _ANY).items()}


@lru_cache(maxsize=1)
def _currencies() -> dict[str, str]:
    codes = {code.lower(): code for code in _locales()[0].currencies}
    return _names("currencies", _ANY) | codes


def _key(name: str) -> str:
    """As names are compared: small letters without marks, of one width, joined by words."""
    text = unicodedata.normalize("NFKD", name).casefold().replace("&", " and ").replace(".", " ")
    text = text.translate(_APOSTROPHES)
    text = unicodedata.normalize("NFKC", _MARKS.sub("", text))
    return " ".join(text.split()).replace("saint ", "st ")


def _names(table: str, of: re.Pattern[str]) -> dict[str, str]:
    """Codes of this form by their names; a name that means two things is left out."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for locale in _locales():
        for code, name in getattr(locale, table).items():
            key = _key(name)
            if of.fullmatch(code) and found.setdefault(key, code) != code:
                twice.add(key)
    return {name: code for name, code in found.items() if name not in twice}


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    return frozenset(_locales()[0].languages)


@lru_cache(maxsize=1)
def _aliases() -> dict[str, str]:
    """Codes of three letters, and those that were replaced."""
    from babel.core import get_global  # noqa: PLC0415 - only who asks for a language loads it

    found = get_global("language_aliases")
    return {code: tag for code, tag in found.items() if "_" not in tag}


@lru_cache(maxsize=1)
def _locales() -> list[Any]:
    # Names take 6 MB; only who asks for them has them.
    from babel import Locale  # noqa: PLC0415

    return [Locale.parse(one) for one in _NAMED_IN]
