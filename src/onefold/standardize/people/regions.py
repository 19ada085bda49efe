"""Of which country telephone numbers are that name none: the one where most of them can be called."""

from __future__ import annotations

from collections.abc import Iterable

import phonenumbers

from onefold.standardize.people.text import tidy

MOST = 100
"""So many numbers are looked at."""
_REGIONS = (
    "US CN GB DE FR ES IT IN JP BR MX CA AU NL PL SE CH AT BE PT IE DK NO FI CZ HU RO GR UA RU TR"
    " KR TW HK SG MY TH VN ID PH PK ZA EG NG KE IL SA AE AR CL CO PE NZ"
).split()


def likely_region(numbers: Iterable[str]) -> str | None:
    """The country in which most of these are valid numbers; None where that is not even half of them.

    >>> likely_region(["(415) 555-2671", "212-736-5000", "312.421.0000"])
    'US'
    >>> likely_region(["138 1234 5679", "15812345670"]), likely_region(["+4915112345678", "12"])
    ('CN', None)
    """
    seen = sorted({text for each in numbers if (text := tidy(each)) and not text.startswith("+")})
    # Spread over all of them: numbers that begin alike are of one place.
    chosen = seen[:: max(1, len(seen) // MOST)][:MOST]
    valid = {region: sum(_is_valid(text, region) for text in chosen) for region in _REGIONS}
    best = max(_REGIONS, key=lambda region: valid[region])
    return best if 2 * valid[best] >= max(len(chosen), 1) else None


def _is_valid(text: str, region: str) -> bool:
    digits = "".join(sign for sign in text if sign.isdigit())
    if len(digits) < 6:
        return False
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return False
    kind = phonenumbers.number_type(number)
    # A landline is written with what is dialed before it, or its digits could be anywhere's.
    known = phonenumbers.PhoneMetadata.metadata_for_region(region)
    before = (known.national_prefix or "") if known else ""
    if kind == phonenumbers.PhoneNumberType.FIXED_LINE and not digits.startswith(before):
        return False
    return kind != phonenumbers.PhoneNumberType.UNKNOWN
