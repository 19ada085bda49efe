"""How people can be reached, and their numbers."""

from __future__ import annotations

import re
import unicodedata

import msgspec
import numpy as np

from onefold.standardize.people.national_ids import check_digit
from onefold.testing.people import places
from onefold.testing.people.drawing import (
    Numbers,
    Random,
    Texts,
    chance,
    evenly,
    pick,
    texts,
    written,
    zipf,
)
from onefold.testing.people.population import CHINESE, People

_NOT_LETTER = re.compile(r"[^a-z0-9]")
_WORDS = """sunny blue happy star moon lucky cool red dark super wild crazy sweet angel tiger dragon wolf ninja rock music
soccer golf fish book cat dog coffee pizza dance rain ocean river mountain""".split()


class Contacts(msgspec.Struct):
    """Of each person, and what was before."""

    mobile: Texts
    former_mobile: Texts
    email: Texts
    former_email: Texts
    company: Texts
    national_id: Texts


def contacts(rng: Random, people: People) -> Contacts:
    """What each person can be reached by; children have little of it."""
    count = len(people)
    child = people.age < 13
    in_china = people.homes.chinese[people.household]
    company = _companies(rng, count)
    made = Contacts(
        mobile=_mobiles(rng, people, in_china),
        former_mobile=_mobiles(rng, people, in_china),
        email=_emails(rng, people, company),
        former_email=_emails(rng, people, company),
        company=company,
        national_id=_national_ids(rng, people, in_china),
    )
    _of_one_owner(rng, made.email, made.former_email)
    made.mobile[child & chance(rng, 0.8, count)] = None
    for values in (made.email, made.former_email):
        values[chance(rng, 0.1, count) | child] = None
    # A couple, or a family, with one mailbox.
    shared = chance(rng, 0.05, int(people.household.max()) + 1)[people.household]
    first = np.searchsorted(people.household, people.household)
    made.email[shared] = made.email[first[shared]]
    made.company[(people.age < 20) | (people.age > 67)] = None
    return made


def _mobiles(rng: Random, people: People, in_china: np.ndarray) -> Texts:
    count = len(people)
    american = people.homes.area[people.household] + written(rng.integers(200, 999, count))
    american += written(rng.integers(0, 10_000, count), 4)
    starts = "138 139 136 137 135 158 159 188 187 150 151 152 130 131 132 155 156 185 186 133 153 177 180 189 199".split()
    own = evenly(rng, starts, count) + written(rng.integers(0, 100_000_000, count), 8)
    found: Texts = np.where(in_china, own, american)
    return found


def _companies(rng: Random, count: int) -> Texts:
    """Some have very many employees."""
    size = max(50, count // 40)
    names = (
        evenly(rng, places.COMPANY_STARTS, size) + " " + evenly(rng, places.COMPANY_MIDDLES, size)
    )
    half = chance(rng, 0.4, size)
    names[half] = (
        pick(rng, ["Smith", "Jones", "Miller", "Garcia", "Lee", "Chen"], size)[half]
        + " & "
        + names[half]
    )
    found: Texts = names[zipf(rng, size, count, 0.9)]
    return found


def plain_letters(text: str) -> str:
    """As the part of a mail address."""
    decomposed = unicodedata.normalize("NFD", text.lower().replace("ß", "ss").replace("ł", "l"))
    return _NOT_LETTER.sub("", decomposed)


def _emails(rng: Random, people: People, company: Texts) -> Texts:
    count = len(people)
    cache: dict[str, str] = {}
    given, family = (
        texts(
            [
                cache.get(each) or cache.setdefault(each, plain_letters(each))
                for each in column.tolist()
            ]
        )
        for column in (people.given, people.family)
    )
    initial = texts([each[:1] for each in given.tolist()])
    year = written((people.born // 365 + 70) % 100, 2)
    digits = written((rng.pareto(0.6, count) * 3 % 10_000).astype(np.int64))
    handle = evenly(rng, _WORDS, count) + evenly(rng, _WORDS, count) + digits
    kind = rng.choice(7, count, p=[0.26, 0.12, 0.2, 0.1, 0.12, 0.1, 0.1])
    local = np.select(
        [kind == place for place in range(6)],
        [
            given + "." + family,
            initial + family,
            given + family + digits,
            given + year,
            family + given + year,
            handle,
        ],
        given + "_" + family,
    )
    domain = evenly(rng, places.MAIL, count)
    chinese = people.culture == CHINESE
    domain[chinese] = evenly(rng, places.CHINESE_MAIL, int(chinese.sum()))
    numbers = written(rng.integers(10_000_000, 3_999_999_999, count))
    local = np.where(domain == "qq.com", numbers, local)
    work = chance(rng, 0.1, count) & (people.age > 20)
    at_work = texts([f"{plain_letters(each)[:18]}.com" for each in company[work].tolist()])
    local[work], domain[work] = (given + "." + family)[work], at_work
    found: Texts = local + "@" + domain
    return found


def _of_one_owner(rng: Random, *columns: Texts) -> None:
    """A provider gives an address once: who comes later has more digits in it."""
    taken: set[str] = set()
    for column in columns:
        draws = rng.integers(1, 10_000, len(column)).tolist()
        for place, (address, draw) in enumerate(zip(column.tolist(), draws, strict=True)):
            free = address
            local, _, domain = address.partition("@")
            while free in taken:
                free = f"{local}{draw}@{domain}"
                draw += 1
            taken.add(free)
            column[place] = free


def _national_ids(rng: Random, people: People, in_china: np.ndarray) -> Texts:
    count = len(people)
    numbers = written(rng.integers(1_010_001, 899_999_999, count), 9)
    days = dates(people.born)
    regions = evenly(
        rng, "110105 310104 440305 330106 510107 420106 610113 320102 370202 350203".split(), count
    )
    serial = rng.integers(0, 500, count) * 2 + ~people.woman
    body = regions + texts([day.replace("-", "") for day in days.tolist()]) + written(serial, 3)
    chosen = np.flatnonzero(in_china)
    full = [f"{each}{check_digit(each).upper()}" for each in body[chosen].tolist()]
    numbers[chosen] = texts(full)
    return numbers


def dates(days: Numbers) -> Texts:
    """Days since 1970 as `1985-03-07`."""
    return texts(np.datetime_as_string(days.astype("datetime64[D]")).tolist())
