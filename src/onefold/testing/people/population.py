"""Who there is: people in their households, with everything that is true of them."""

from __future__ import annotations

import msgspec
import numpy as np

from onefold.testing.people import chinese, given_names, homes, surnames
from onefold.testing.people.drawing import (
    Flags,
    Numbers,
    Random,
    Texts,
    absent,
    chance,
    evenly,
    pick,
    texts,
    zipf,
)

ENGLISH, CHINESE, HISPANIC, EUROPEAN = range(4)
TODAY = 20_600
"""The day on which all this is so, in days since 1970."""
SINGLE, COUPLE, FAMILY, FLAT, THREE = range(5)
HEAD, SPOUSE, CHILD, MATE, GRANDPARENT = range(5)


class People(msgspec.Struct):
    """One entry for each person; `homes` has one for each household, and then former ones."""

    household: Numbers
    role: Numbers
    culture: Numbers
    woman: Flags
    born: Numbers
    given: Texts
    given_han: Texts
    english: Texts
    """What people called in Chinese are called in English."""
    middle: Texts
    family: Texts
    family_han: Texts
    maiden: Texts
    suffix: Texts
    homes: homes.Homes

    def __len__(self) -> int:
        return len(self.household)

    @property
    def age(self) -> Numbers:
        return (TODAY - self.born) // 365


def populate(rng: Random, count: int) -> People:
    """So many people."""
    kind = rng.choice(5, count, p=[0.28, 0.24, 0.34, 0.09, 0.05])
    children = np.minimum(1 + rng.geometric(0.6, count), 5) - 1
    sizes = np.select(
        [kind == SINGLE, kind == COUPLE, kind == FAMILY, kind == FLAT],
        [1, 2, 2 + children, 2 + rng.integers(0, 3, count)],
        3 + np.minimum(children, 2),
    )
    households = int(np.searchsorted(np.cumsum(sizes), count) + 1)
    kind, sizes = kind[:households], sizes[:households]
    household = np.repeat(np.arange(households), sizes)[:count]
    first = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    place = np.arange(count) - first[household]
    role = _roles(kind[household], place, sizes[household])
    culture = rng.choice(4, households, p=[0.5, 0.27, 0.13, 0.1])[household]
    mixed = chance(rng, 0.06, count) & ((role == SPOUSE) | (role == MATE))
    culture[mixed] = rng.integers(0, 4, int(mixed.sum()))
    head = first[household]
    woman = chance(rng, 0.5, count)
    spouse = role == SPOUSE
    woman[spouse] = ~woman[head[spouse]] ^ chance(rng, 0.06, int(spouse.sum()))
    people = People(
        household=household,
        role=role,
        culture=culture,
        woman=woman,
        born=_births(rng, role, head, kind[household]),
        given=absent(count),
        given_han=absent(count),
        english=absent(count),
        middle=absent(count),
        family=absent(count),
        family_han=absent(count),
        maiden=absent(count),
        suffix=absent(count),
        homes=homes.build(rng, culture[first[:households]] == CHINESE),
    )
    _give_names(rng, people)
    _give_families(rng, people, head)
    _name_after(rng, people, head)
    return people


def _roles(kind: Numbers, place: Numbers, size: Numbers) -> Numbers:
    return np.select(
        [place == 0, kind == FLAT, place == 1, (kind == THREE) & (place == size - 1)],
        [HEAD, MATE, SPOUSE, GRANDPARENT],
        CHILD,
    )


def _births(rng: Random, role: Numbers, head: Numbers, kind: Numbers) -> Numbers:
    count = len(role)
    years = np.where(
        kind == FLAT,
        rng.normal(27, 6, count),
        np.where(kind >= FAMILY, rng.normal(42, 9, count), rng.gamma(6, 8.5, count)),
    )
    born = TODAY - (np.clip(years, 18, 97) * 365.25 + rng.integers(0, 365, count)).astype(np.int64)
    apart = np.select(
        [role == SPOUSE, role == CHILD, role == GRANDPARENT, role == MATE],
        [
            rng.normal(0, 4, count),
            rng.normal(30, 5, count),
            -rng.normal(29, 4, count),
            rng.normal(0, 5, count),
        ],
        0,
    )
    born = born[head] + np.where(role == HEAD, 0, apart * 365.25).astype(np.int64)
    born = np.where(role == CHILD, np.maximum(born, born[head] + 17 * 365), born)
    twin = np.flatnonzero(
        (role[1:] == CHILD) & (role[:-1] == CHILD) & chance(rng, 0.025, count - 1)
    )
    born[twin + 1] = born[twin]
    return np.minimum(born, TODAY - rng.integers(30, 700, count))


def _give_names(rng: Random, people: People) -> None:
    for culture, woman, pool, curve in (
        (ENGLISH, False, given_names.MEN, given_names.MEN_CURVE),
        (ENGLISH, True, given_names.WOMEN, given_names.WOMEN_CURVE),
        (HISPANIC, False, given_names.HISPANIC_MEN, given_names.CURVE),
        (HISPANIC, True, given_names.HISPANIC_WOMEN, given_names.CURVE),
        (EUROPEAN, False, given_names.EUROPEAN_MEN, given_names.MIXED_CURVE),
        (EUROPEAN, True, given_names.EUROPEAN_WOMEN, given_names.MIXED_CURVE),
    ):
        chosen = np.flatnonzero((people.culture == culture) & (people.woman == woman))
        people.given[chosen] = pick(rng, pool, len(chosen), *curve)
        second = chance(rng, 0.75 if culture == ENGLISH else 0.3, len(chosen))
        people.middle[chosen[second]] = pick(rng, pool, int(second.sum()), 0.7)
    _rare_given(rng, people)
    for woman, signs, english in (
        (False, chinese.MEN, chinese.ENGLISH_MEN),
        (True, chinese.WOMEN, chinese.ENGLISH_WOMEN),
    ):
        chosen = np.flatnonzero((people.culture == CHINESE) & (people.woman == woman))
        people.english[chosen] = evenly(rng, english, len(chosen))
        han, latin = _both(signs)
        one, two = (zipf(rng, len(signs), len(chosen), 0.6) for _ in range(2))
        short = chance(rng, 0.2, len(chosen))
        people.given_han[chosen] = np.where(short, han[one], han[one] + han[two])
        people.given[chosen] = np.where(short, latin[one], latin[one] + latin[two])


def _both(pool: list[tuple[str, str]]) -> tuple[Texts, Texts]:
    return texts([han for han, _ in pool]), texts([latin for _, latin in pool])


def _rare_given(rng: Random, people: People) -> None:
    """Some have a name that is in no list: one made of fashionable parts."""
    for woman, share, starts, ends in (
        (False, given_names.RARE_MEN, given_names.MEN_STARTS, given_names.MEN_ENDS),
        (True, given_names.RARE_WOMEN, given_names.WOMEN_STARTS, given_names.WOMEN_ENDS),
    ):
        fits = (people.culture == ENGLISH) & (people.woman == woman)
        chosen = np.flatnonzero(fits & chance(rng, share, len(people)))
        people.given[chosen] = evenly(rng, starts, len(chosen)) + evenly(rng, ends, len(chosen))


def _give_families(rng: Random, people: People, head: Numbers) -> None:
    count = len(people)
    for culture, pool, power, flat in (
        (ENGLISH, surnames.english(), *surnames.LIKE_A_CENSUS),
        (HISPANIC, surnames.HISPANIC, 0.8, 5.0),
        (EUROPEAN, surnames.european(), *surnames.LIKE_A_CENSUS),
    ):
        chosen = np.flatnonzero(people.culture == culture)
        people.family[chosen] = pick(rng, pool, len(chosen), power, flat)
    chosen = np.flatnonzero(people.culture == CHINESE)
    han, latin = _both(chinese.SURNAMES)
    which = zipf(rng, len(han), len(chosen), 1.1, 4.0)
    people.family_han[chosen], people.family[chosen] = han[which], latin[which]
    double = (people.culture == HISPANIC) & chance(rng, 0.7, count)
    second = pick(rng, surnames.HISPANIC, int(double.sum()))
    people.family[double] = people.family[double] + " " + second
    _share_families(rng, people, head)


def _share_families(rng: Random, people: People, head: Numbers) -> None:
    """Children and parents have the name of the head; of spouses most, and not in China."""
    count, role = len(people), people.role
    same = (role == CHILD) & chance(rng, 0.93, count) | (role == GRANDPARENT) & chance(
        rng, 0.6, count
    )
    same &= people.culture == people.culture[head]
    people.family[same] = people.family[head[same]]
    people.family_han[same] = people.family_han[head[same]]
    western = (people.culture == ENGLISH) | (people.culture == EUROPEAN)
    married = (role == SPOUSE) & western & (people.culture[head] != HISPANIC)
    draw = rng.random(count)
    takes = married & (draw < 0.62)
    joins = married & (draw >= 0.62) & (draw < 0.7)
    people.maiden[takes | joins] = people.family[takes | joins]
    people.family[takes] = people.family[head[takes]]
    people.family[joins] = people.family[head[joins]] + "-" + people.family[joins]


def _name_after(rng: Random, people: People, head: Numbers) -> None:
    """Sons who are called as their father, daughters whose second name is the mother's."""
    named = (
        (people.role == CHILD) & (people.culture != CHINESE) & (people.woman == people.woman[head])
    )
    junior = named & ~people.woman & chance(rng, 0.06, len(people))
    people.given[junior] = people.given[head[junior]]
    people.middle[junior] = people.middle[head[junior]]
    people.suffix[junior] = "Jr"
    people.suffix[head[junior & chance(rng, 0.5, len(people))]] = "Sr"
    after = named & people.woman & chance(rng, 0.1, len(people))
    people.middle[after] = people.given[head[after]]
