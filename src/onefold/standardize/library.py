"""All that values can be standardized to, by name: what it makes of a value, and on whose authority.

Each is a pure function of one text, so a column needs it once for each different value.

>>> over("country", ["Deutschland", "中国", "Deutschland", "Narnia"])
['DE', 'CN', 'DE', None]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from onefold.standardize import codes
from onefold.standardize.comparable import comparable, half_width
from onefold.standardize.identifiers import email, phone
from onefold.standardize.mapping.values import Wrong, boolean_of
from onefold.standardize.national_dates import column_days
from onefold.standardize.people.companies import company
from onefold.standardize.people.emails import is_slip, mend_domain
from onefold.standardize.people.gender import gender
from onefold.standardize.people.whole_addresses import any_address
from onefold.standardize.people.written_names import written_name
from onefold.standardize.units import taken_apart, unit_named


class Standard(NamedTuple):
    """What a text becomes (None: it is no such thing), in words, and the source of truth."""

    of: Callable[[str], Any]
    means: str
    source: str


def email_meant(value: str) -> str | None:
    """The address that may be meant where a well-known domain is mistyped; only a suggestion.

    >>> email_meant("li.wei@gmial.com"), email_meant("li.wei@acme.com"), email_meant("Gmail.com")
    ('li.wei@gmail.com', None, None)
    """
    local, _, written = value.strip().rpartition("@")
    domain = written.lower()
    meant = mend_domain(domain)
    return f"{local}@{meant}" if local and meant != domain and is_slip(domain, meant) else None


def _boolean(value: str) -> bool | None:
    found = boolean_of(value)
    return None if isinstance(found, Wrong) else found


def _day(value: str) -> str | None:
    found = column_days([value]).days[value]
    return found[0].isoformat() if len(found) == 1 else None


def _quantity(value: str) -> str | None:
    parts = taken_apart(value)
    return f"{parts[0]} {unit_named(parts[1])}" if parts and unit_named(parts[1]) else None


_CLDR = "Unicode CLDR, https://cldr.unicode.org/"
STANDARDS: Mapping[str, Standard] = {
    "email": Standard(
        email, "in small letters", "RFC 5321, https://www.rfc-editor.org/rfc/rfc5321"
    ),
    "email_meant": Standard(
        email_meant, "the address that may be meant; only suggested", "the largest providers' domains"
    ),
    "phone": Standard(
        lambda value: phone(value, None), "E.164",
        "ITU-T E.164 in Google's libphonenumber, https://github.com/google/libphonenumber",
    ),
    "name": Standard(
        written_name, "in usual case and order, without titles",
        "titles and particles of the languages' own use; GB/T 28039 for pinyin",
    ),
    "address": Standard(
        any_address, "its parts, to be compared",
        "USPS Publication 28, https://pe.usps.com/text/pub28/welcome.htm; GB/T 2260 for China; Japan Post",
    ),
    "country": Standard(codes.country, "ISO 3166-1", _CLDR),
    "language": Standard(codes.language, "BCP 47", _CLDR),
    "currency": Standard(codes.currency, "ISO 4217", _CLDR),
    "date": Standard(_day, "ISO 8601; None where it may be two days", _CLDR),
    "boolean": Standard(_boolean, "true or false", "the words of 14 languages"),
    "gender": Standard(
        gender, "f, m, x", "ISO/IEC 5218 for 1 and 2, https://www.iso.org/standard/81682.html"
    ),
    "unit": Standard(
        _quantity, "number and unit",
        "NIST SP 811, https://www.nist.gov/pml/special-publication-811; the BIPM's SI Brochure",
    ),
    "company": Standard(
        company, "without its legal form, to be compared",
        "ISO 20275 (ELF), https://www.gleif.org/en/lei-data/code-lists",
    ),
    "half_width": Standard(
        half_width, "half-width", "Unicode UAX #15, https://www.unicode.org/reports/tr15/"
    ),
    "comparable": Standard(
        comparable, "simplified, small, without marks, to be compared",
        "OpenCC, https://github.com/BYVoid/OpenCC",
    ),
}  # fmt: skip
"""By name. Amounts in another currency are in `rates`, as they need rates and a day."""


def over(name: str, values: Sequence[str], country: str | None = None) -> list[Any]:
    """A standard over a column: computed once for each different value.

    `country` is that of telephone numbers which name none.
    """
    of = STANDARDS[name].of if name != "phone" else lambda value: phone(value, country)
    known = {value: of(value) for value in dict.fromkeys(values)}
    return [known[value] for value in values]
