"""Of which country telephone numbers are that do not name theirs: by where they are valid, and what stands beside.

Which numbers are valid where is Google's libphonenumber to say (https://github.com/google/libphonenumber).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from onefold.standardize import codes
from onefold.standardize.comparable import half_width
from onefold.standardize.identifiers import phone
from onefold.standardize.mapping.suggestion import SuggestedCountry
from onefold.standardize.people.chinese_names import simplified
from onefold.standardize.people.recognition import SURE

_MOST = 200
_ENOUGH, _NEAR = 0.6, 0.1
_TRIED = (
    "CN HK TW JP KR SG IN ID TH VN MY PH US GB IE AU NZ DE AT CH FR BE NL LU ES PT IT PL CZ SK HU RO BG GR SE NO DK FI"
    " EE LV LT HR SI RS UA RU TR IL AE SA ZA NG KE EG MA BR MX AR CL CO PE"
)
_COUNTRIES = tuple(_TRIED.split(" "))
_KANA, _HAN = re.compile("[\u3041-\u30ff]"), re.compile("[\u4e00-\u9fff]")
_JAPANESE = ("番号", "顧客", "会員", "氏名", "住所", "携帯")
_GERMAN = re.compile(
    r"[äöüß]|\b(?:vorname|nachname|telefon|handy|kunde|kunden.*|ort|plz|strasse|geburts.*|anschrift)\b",
    re.I,
)


class Telephones(msgspec.Struct, frozen=True):
    """What is to be known of telephone numbers: how many name no country, and which may be theirs."""

    numbers: int
    without_country: int
    country: SuggestedCountry | None
    possible: tuple[str, ...]

    @property
    def note(self) -> str:
        """What somebody has to decide; empty where nothing is open."""
        if not self.without_country or (self.country and self.country.confidence >= SURE):
            return ""
        may = f" (they may be of {', '.join(self.possible)})" if self.possible else ""
        count = f"{self.without_country} of {self.numbers} telephone numbers looked at"
        return f"{count} name no country{may}: say `country:`, else they identify nobody"


def telephones(
    numbers: Sequence[str], beside: Mapping[str, Sequence[str]], default: str | None = None
) -> Telephones:
    """What is to be known of a column of numbers, from it and the columns beside it.

    >>> telephones(["0171 2345678", "030 23125000"], {"Vorname": ["Anna"]}).country.code
    'DE'
    >>> telephones(["+49 171 2345678"], {}).without_country
    0
    """
    some = list(dict.fromkeys(one.strip() for one in numbers if one.strip()))[:_MOST]
    bare = [one for one in some if phone(one, None) is None]
    shares = {code: sum(phone(one, code) is not None for one in bare) for code in _COUNTRIES}
    best = max(shares.values(), default=0)
    if not bare or best < _ENOUGH * len(bare):
        return Telephones(len(some), len(bare), None, ())
    possible = [code for code in _COUNTRIES if shares[code] >= best - _NEAR * len(bare)]
    return Telephones(
        len(some),
        len(bare),
        _chosen(possible, shares, len(bare), beside, default),
        tuple(possible[:5]),
    )


def _chosen(
    possible: Sequence[str],
    valid: Mapping[str, int],
    count: int,
    beside: Mapping[str, Sequence[str]],
    default: str | None,
) -> SuggestedCountry | None:
    """The one country that all speaks for; None where that is open."""

    def told(code: str, sure: float, why: str) -> SuggestedCountry:
        share = valid[code] / count
        reason = f"{share:.0%} of the telephone numbers without a country are valid in it; {why}"
        return SuggestedCountry(code, round(sure * share, 2), reason)

    named = _named_beside(beside)
    if named:
        (code, rows), total = named.most_common(1)[0], named.total()
        if code in possible:
            return told(code, 0.6 + 0.35 * rows / total, f"{rows} of {total} records name it")
    if default and default in possible:
        return told(default, 0.9, "it is the workspace's `default_country`")
    spoken = _spoken(beside)
    for code in spoken:
        if code in possible or valid[code] >= _ENOUGH * count:
            return told(code, 0.8, "its language is that of the fields")
    if len(possible) == 1 and not spoken:
        return told(possible[0], 0.45, "in no other country are so many")
    return None


def _named_beside(beside: Mapping[str, Sequence[str]]) -> Counter[str]:
    """The countries that one column names in nearly all records."""
    for values in beside.values():
        found = [codes.country(one) for one in values[:_MOST] if len(one) > 1]
        known = [one for one in found if one]
        if len(known) > 1 and len(known) >= 0.9 * len(found):
            return Counter(known)
    return Counter()


def _spoken(beside: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Countries of the language that names and values are in, the likelier first."""
    names = half_width(" ".join(beside))
    some = names + " ".join(one for values in beside.values() for one in values[:20])
    if _KANA.search(some) or any(word in names for word in _JAPANESE):
        return ("JP",)
    if simplified(names) != names:
        return ("TW", "HK")
    if _HAN.search(names):
        return ("CN",)
    if _HAN.search(some):  # Where names of fields say nothing, what people are called does.
        return ("CN",) if simplified(some) == some else ("CN", "TW", "HK")
    return ("DE", "AT", "CH") if _GERMAN.search(names) else ()
