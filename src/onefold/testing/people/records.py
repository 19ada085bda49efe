"""What several systems wrote down about people, each in its way and with its mistakes."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import pyarrow as pa

from onefold.testing.people import places
from onefold.testing.people.contacts import Contacts, contacts
from onefold.testing.people.drawing import (
    Flags,
    Numbers,
    Random,
    Texts,
    absent,
    chance,
    evenly,
    texts,
)
from onefold.testing.people.errors import lose, misheard, misread, mistyped, spoil, wrong_digit
from onefold.testing.people.names_written import write_names
from onefold.testing.people.population import People, populate

COLUMNS = (
    "full_name first_name middle_name last_name suffix gender birth_date email phone home_phone"
    " address unit city district state zip country company national_id"
).split()


class Source(msgspec.Struct, frozen=True):
    """A system: what it asks for, how it writes it, and how often it goes wrong."""

    share: float
    columns: str
    missing: float
    typos: float
    nicknames: float = 0.05
    scans: float = 0.0
    hearing: float = 0.0
    dates: str = "%Y-%m-%d"
    characters: float = 0.9
    capitals: bool = False
    reached: str = ""
    """By one of these its people must be reached: what they log in with, or where the answer goes."""


SOURCES = {
    "crm": Source(
        0.26,
        "first_name middle_name last_name suffix gender birth_date email phone home_phone address unit city district state zip country company",
        0.12, 0.015, 0.08, dates="%m/%d/%Y",
    ),
    "shop": Source(0.26, "first_name last_name email phone address city district state zip country", 0.06, 0.012, 0.12, characters=0.75, reached="email phone"),
    "loyalty": Source(0.16, "first_name last_name gender birth_date phone address city state zip", 0.12, 0.04, 0.1, scans=0.03),
    "support": Source(0.12, "full_name email phone city state", 0.1, 0.02, 0.3, hearing=0.06, characters=0.6, reached="email phone"),
    "app": Source(0.12, "full_name gender birth_date phone email national_id", 0.1, 0.008, 0.1, characters=0.95, dates="%Y%m%d", reached="phone email"),
    "registry": Source(
        0.08, "full_name birth_date address city state zip national_id home_phone", 0.05, 0.02, 0.0, scans=0.02, capitals=True, dates="%d %b %Y",
    ),
}  # fmt: skip
_OF_AGE = 13
"""Who is younger is no customer: a service would need their parents' consent."""
_JUNK_PHONES = ("0000000000", "9999999999", "1234567890", "N/A", "none")
_JUNK_EMAILS = ("none@none.com", "noemail@noemail.com", "N/A", "test@test.com", "unknown")


def make_people(rows: int, seed: int = 0, duplicates: float = 0.3) -> pa.Table:
    """A table of so many records, of which that share is about somebody who has one already.

    `entity_id` is the truth: who a record is about; `household_id` with whom that person lives.
    No matcher may see these. `record_id` and the order of the rows say nothing about them.

    >>> table = make_people(100, seed=1)
    >>> table.num_rows, len(set(table["entity_id"].to_pylist())), table.equals(make_people(100, seed=1))
    (100, 70, True)
    """
    rng = np.random.default_rng(seed)
    count = max(1, round(rows * (1 - duplicates)))
    people = populate(rng, count)
    ways = contacts(rng, people)
    fond = rng.gamma(0.7, 1, count)
    edges = np.cumsum(fond / fond.sum())
    again = np.minimum(np.searchsorted(edges, rng.random(rows - count)), count - 1)
    who = np.concatenate((np.arange(count), again))[rng.permutation(rows)]
    system = rng.choice(len(SOURCES), rows, p=[each.share for each in SOURCES.values()])
    system[people.age[who] < _OF_AGE] = list(SOURCES).index("registry")
    columns = {name: absent(rows) for name in COLUMNS}
    for number, source in enumerate(SOURCES.values()):
        chosen = np.flatnonzero(system == number)
        for name, values in _records(rng, people, ways, who[chosen], source).items():
            columns[name][chosen] = values
    made = {"record_id": pa.array(range(rows), pa.int64())}
    made["entity_id"] = pa.array(who)
    made["household_id"] = pa.array(people.household[who])
    made["source"] = pa.array(texts(list(SOURCES))[system].tolist(), pa.string())
    return pa.table(
        made | {name: pa.array(columns[name].tolist(), pa.string()) for name in COLUMNS}
    )


def source_tables(table: pa.Table) -> dict[str, pa.Table]:
    """The records of each system, with the columns that it has."""
    found = {}
    for name, source in SOURCES.items():
        rows = table.filter(pa.compute.equal(table["source"], name))
        found[name] = rows.select(
            ["record_id", "entity_id", "household_id", *source.columns.split()]
        )
    return found


def _records(
    rng: Random, people: People, ways: Contacts, who: Numbers, source: Source
) -> dict[str, Texts]:
    in_china = people.homes.chinese[people.household[who]]
    count = len(who)
    likely = np.where(in_china, source.characters, 0.15 * source.characters)
    names = write_names(rng, people, who, rng.random(count) < likely, source.nicknames)
    made = {
        "full_name": names.whole,
        "first_name": names.given,
        "middle_name": names.middle,
        "last_name": names.family,
        "suffix": names.suffix,
        "gender": np.where(
            names.han,
            np.where(people.woman[who], "女", "男"),
            np.where(people.woman[who], "F", "M"),
        ),
        "birth_date": _births(rng, people.born[who], source),
        "email": _emails(rng, ways, who),
        "phone": _phones(rng, ways, who, in_china),
        "national_id": _ids(rng, ways.national_id[who], in_china),
        "company": _companies(rng, ways.company[who]),
        **_addresses(rng, people, who, in_china, "unit" in source.columns.split()),
    }
    wanted = source.columns.split()
    kept = {name: made[name].astype(object) for name in wanted}
    _go_wrong(rng, kept, source)
    _reach(kept, made, source.reached.split())
    return kept


def _reach(kept: dict[str, Texts], made: dict[str, Texts], ways: list[str]) -> None:
    """Who has lost all ways to be reached gets back the first one that there was."""
    lost = np.full(len(made["email"]), True)
    for way in ways:
        lost &= kept[way] == None  # noqa: E711 - of each element
    for way in ways:
        back = lost & (made[way] != None)  # noqa: E711 - of each element
        kept[way][back] = made[way][back]
        lost &= ~back


def _births(rng: Random, born: Numbers, source: Source) -> Texts:
    """One in a hundred is not the day: day and month swapped, the year wrong, only the year known."""
    count = len(born)
    days = born.astype("datetime64[D]")
    years, months = days.astype("datetime64[Y]"), days.astype("datetime64[M]")
    month, day = (months - years).astype(np.int64) + 1, (days - months).astype(np.int64) + 1
    year = years.astype(np.int64) + 1970
    swapped = chance(rng, 0.012, count) & (day <= 12)
    month[swapped], day[swapped] = day[swapped], month[swapped].copy()
    near = chance(rng, 0.01, count)
    year[near] += rng.choice([-10, -2, -1, 1, 2, 10], int(near.sum()))
    only = chance(rng, 0.012, count)
    month[only] = day[only] = 1
    nothing = chance(rng, 0.004, count)
    year[nothing], month[nothing], day[nothing] = 1900, 1, 1
    names = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    layout = {
        "%Y-%m-%d": lambda y, m, d: f"{y:04d}-{m:02d}-{d:02d}",
        "%m/%d/%Y": lambda y, m, d: f"{m:02d}/{d:02d}/{y:04d}",
        "%Y%m%d": lambda y, m, d: f"{y:04d}{m:02d}{d:02d}",
        "%d %b %Y": lambda y, m, d: f"{d:02d} {names[m - 1]} {y:04d}",
    }[source.dates]
    return texts(list(map(layout, year.tolist(), month.tolist(), day.tolist())))


def _emails(rng: Random, ways: Contacts, who: Numbers) -> Texts:
    count = len(who)
    found = np.where(chance(rng, 0.14, count), ways.former_email[who], ways.email[who])
    for place in np.flatnonzero(chance(rng, 0.03, count)).tolist():
        if found[place]:
            local, _, domain = found[place].partition("@")
            wrong = places.MISSPELLED.get(domain, [domain])
            found[place] = f"{local}@{wrong[place % len(wrong)]}"
    for place in np.flatnonzero(chance(rng, 0.04, count)).tolist():
        if found[place]:
            found[place] = (
                found[place].replace("@", "+shop@") if place % 2 else found[place].title()
            )
    lose(rng, found, 0.008, _JUNK_EMAILS)
    return found


def _phones(rng: Random, ways: Contacts, who: Numbers, in_china: Flags) -> Texts:
    count = len(who)
    found = np.where(chance(rng, 0.15, count), ways.former_mobile[who], ways.mobile[who])
    found = _punctuated(rng, found, in_china)
    spoil(rng, found, 0.01, wrong_digit)
    lose(rng, found, 0.01, _JUNK_PHONES)
    return found


def _punctuated(rng: Random, numbers: Texts, in_china: Flags) -> Texts:
    draw = rng.integers(0, 10, len(numbers)).tolist()
    made: list[str | None] = []
    for number, way, chinese in zip(numbers.tolist(), draw, in_china.tolist(), strict=True):
        if number is None or way < 3:
            made.append(number)
        elif chinese:
            made.append(
                f"+86 {number}"
                if way < 6
                else f"{number[:3]}-{number[3:7]}-{number[7:]}"
                if way < 8
                else f"{number[:3]} {number[3:7]} {number[7:]}"
            )
        elif way < 6:
            made.append(f"({number[:3]}) {number[3:6]}-{number[6:]}")
        elif way < 9:
            made.append(f"{number[:3]}{'-.'[way % 2]}{number[3:6]}{'-.'[way % 2]}{number[6:]}")
        else:
            made.append(f"+1 {number[:3]} {number[3:6]} {number[6:]}")
    return texts(made)


def _ids(rng: Random, numbers: Texts, in_china: Flags) -> Texts:
    dashed = np.flatnonzero(chance(rng, 0.5, len(numbers)) & ~in_china)
    found = numbers.copy()
    found[dashed] = texts(
        [f"{each[:3]}-{each[3:5]}-{each[5:]}" for each in numbers[dashed].tolist()]
    )
    spoil(rng, found, 0.01, wrong_digit)
    lose(rng, found, 0.35)
    return found


def _companies(rng: Random, names: Texts) -> Texts:
    forms = evenly(rng, places.COMPANY_FORMS, len(names)).tolist()
    found = [name and name + form for name, form in zip(names.tolist(), forms, strict=True)]
    return texts(found)


def _addresses(
    rng: Random, people: People, who: Numbers, in_china: Flags, apart: bool
) -> dict[str, Texts]:
    """One in six records has an address from before."""
    count, homes = len(who), people.homes
    home = people.household[who]
    moved = chance(rng, 0.16, count)
    home = np.where(moved, home + int(people.household.max()) + 1, home)
    china = homes.chinese[home]
    unit = homes.unit[home]
    unit[chance(rng, 0.15, count)] = None
    long = chance(rng, 0.4, count)
    ends = np.where(
        long,
        texts(places.SUFFIXES)[homes.suffix[home]],
        texts(places.SHORT_SUFFIXES)[homes.suffix[home]],
    )
    line = homes.number[home] + " " + homes.street[home] + " " + ends
    sign = evenly(rng, [" Apt ", " #", ", Apt. ", " Unit ", ", Apt "], count)
    own = texts(
        [way + each if each else "" for way, each in zip(sign.tolist(), unit.tolist(), strict=True)]
    )
    line = line if apart else line + own
    city, state, district = homes.city[home], homes.state[home], homes.district[home]
    street = texts([each or "" for each in homes.street[home].tolist()]) + homes.number[home] + "号"
    inside = texts(["" if apart or not each else each for each in unit.tolist()])
    full = chance(rng, 0.6, count)
    chinese_line = (
        np.where(full, state + np.where(state == city, "", city), "")
        + np.where(china, district, "")
        + street
        + inside
    )
    landline = homes.landline[home]
    landline[chance(rng, 0.55, count)] = None
    return {
        "address": np.where(china, chinese_line, line),
        "unit": unit,
        "city": city,
        "district": district,
        "state": state,
        "zip": homes.postcode[home],
        "country": np.where(
            china,
            evenly(rng, ["China", "CN", "中国"], count),
            evenly(rng, ["US", "USA", "United States"], count),
        ),
        "home_phone": landline,
    }


_BY_HAND = frozenset({"first_name", "last_name", "full_name", "address", "city"})


def _go_wrong(rng: Random, values: dict[str, Texts], source: Source) -> None:
    _misplace(rng, values)
    written = [name for name in values if name in _BY_HAND]
    kinds: list[tuple[float, Callable[[str, int], str]]] = [
        (source.typos, mistyped), (source.scans, misread), (source.hearing, misheard),
    ]  # fmt: skip
    for share, how in kinds:
        for name in written:
            spoil(rng, values[name], share if name != "full_name" else 1.6 * share, how)
    for digits in ("birth_date", "zip", "home_phone", "national_id"):
        if digits in values:
            spoil(rng, values[digits], source.typos / 2, wrong_digit)
    if "email" in values:
        spoil(rng, values["email"], source.typos / 2, mistyped)
    for name, column in values.items():
        rare = name in ("first_name", "last_name", "full_name")
        lose(
            rng,
            column,
            source.missing / (12 if rare else 1),
            (None, None, None, "", "N/A") if rare else (None,),
        )
        if source.capitals and name != "email":
            values[name] = texts([each and each.upper() for each in column.tolist()])


def _misplace(rng: Random, values: dict[str, Texts]) -> None:
    """Given and family name in each other's place, or a value in the field beside."""
    for one, other, share in (
        ("first_name", "last_name", 0.007),
        ("city", "state", 0.003),
        ("phone", "home_phone", 0.02),
    ):
        if one in values and other in values:
            swapped = chance(rng, share, len(values[one]))
            values[one][swapped], values[other][swapped] = (
                values[other][swapped],
                values[one][swapped].copy(),
            )
