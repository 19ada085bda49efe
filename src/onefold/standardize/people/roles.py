"""What a column of a file may hold, and the layout of a file: which of its columns hold what."""

from __future__ import annotations

import msgspec

ROLES: dict[str, str] = {
    "full_name": "A whole name in one field, in any order.",
    "given_name": "Given names, the first of them first.",
    "middle_name": "Other given names, or initials.",
    "family_name": "The family name.",
    "former_name": "An earlier family name, as at birth.",
    "nickname": "A name that the person goes by.",
    "name_suffix": "Jr., Sr., III.",
    "gender": "Gender, in words or letters.",
    "birth_date": "The date of birth, in any form.",
    "birth_year": "The year of birth.",
    "birth_month": "The month of birth, as a number.",
    "birth_day": "The day of birth in its month.",
    "email": "An e-mail address. Several columns may be.",
    "phone": "A telephone number. Several columns may be.",
    "address": "An address: number and street, or all of it.",
    "address_more": "A second line of the address.",
    "house_number": "The number of the house alone.",
    "unit": "Apartment, floor or building alone.",
    "po_box": "A post office box.",
    "city": "City, town or suburb.",
    "district": "District or county.",
    "state": "State or province.",
    "postcode": "The postcode.",
    "country": "The country.",
    "company": "An employer or company.",
    "national_id": "A number that the state gives to a person: SSN, 身份证号.",
    "identifier": "Another exact identifier: a customer number, a card. `identifier:KIND` names its kind.",
    "source": "The system that a row comes from.",
    "ignore": "Nothing that tells people apart.",
}
"""The roles of columns, each with what it means."""

SEVERAL = frozenset(
    "given_name middle_name family_name email phone address_more identifier nickname ignore".split()
)
"""Roles that several columns of a file may have."""


class Layout(msgspec.Struct, frozen=True):
    """Which columns of a file hold what, and how its values are read.

    `columns` gives the role of each column by its header. `region` is the country (two letters) of
    telephone numbers that name none. `date_order` is `dmy`, `mdy` or None: then the values of the
    column decide. `until` is the last year in which somebody can be born.
    """

    columns: dict[str, str]
    region: str | None = None
    date_order: str | None = None
    until: int = 2035

    def headers(self, role: str) -> list[str]:
        """The columns that have a role, in the order of the file."""
        return [header for header, each in self.columns.items() if each.split(":")[0] == role]
