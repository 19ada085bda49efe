"""The name of a person as one record has it."""

from __future__ import annotations

import msgspec
import numpy as np
from opencc import OpenCC

from onefold.testing.people import chinese, given_names
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
from onefold.testing.people.population import CHINESE, People

_SPELLINGS = {
    name: [other for other in group.split() if other != name]
    for group in given_names.SPELLINGS
    for name in group.split()
}
_TITLES = "Mr. Mrs. Ms. Dr. Mr Mrs".split()


class Names(msgspec.Struct):
    """One entry for each record."""

    given: Texts
    middle: Texts
    family: Texts
    suffix: Texts
    han: Flags
    whole: Texts


def write_names(rng: Random, people: People, who: Numbers, characters: Flags, nick: float) -> Names:
    """The names of these people; in characters where so wanted and so named."""
    count = len(who)
    made = Names(
        given=people.given[who],
        middle=people.middle[who],
        family=people.family[who],
        suffix=people.suffix[who],
        han=characters & (people.culture[who] == CHINESE),
        whole=absent(count),
    )
    _informal(rng, made, nick)
    _before_marriage(rng, made, people.maiden[who])
    _shortened(rng, made, people.culture[who])
    _in_characters(rng, made, people, who)
    _romanized(rng, made, people, who)
    made.whole = _whole(rng, made, people.culture[who] == CHINESE)
    return made


def _informal(rng: Random, names: Names, share: float) -> None:
    count = len(names.given)
    chosen = np.flatnonzero(chance(rng, share, count))
    for place, draw in zip(
        chosen.tolist(), rng.integers(0, 1 << 30, len(chosen)).tolist(), strict=True
    ):
        short = given_names.NICKNAMES.get(names.given[place])
        if short:
            names.given[place] = (
                short[min(draw % 5, draw // 5 % len(short))] if draw % 5 < len(short) else short[0]
            )
    chosen = np.flatnonzero(chance(rng, 0.02, count))
    for place in chosen.tolist():
        if other := _SPELLINGS.get(names.given[place]):
            names.given[place] = other[place % len(other)]


def _before_marriage(rng: Random, names: Names, maiden: Texts) -> None:
    earlier = (maiden != None) & chance(rng, 0.2, len(maiden))  # noqa: E711 - of each element
    names.family[earlier] = maiden[earlier]


def _shortened(rng: Random, names: Names, culture: Numbers) -> None:
    """One of two family names, no marks, no hyphen; middle names as initials or not at all."""
    count = len(culture)
    for share, change in (
        (0.3, lambda name: name.split(" ")[0] if culture_is_double(name) else name),
        (0.12, lambda name: name.replace("-", " ")),
        (0.04, lambda name: name.split("-")[-1]),
        (0.3, _without_marks),
        (0.15, lambda name: name.replace("'", "")),
    ):
        for place in np.flatnonzero(chance(rng, share, count)).tolist():
            names.family[place] = change(names.family[place])
    marked = chance(rng, 0.35, count)
    for place in np.flatnonzero(marked).tolist():
        names.given[place] = _without_marks(names.given[place])
    draw = rng.random(count)
    names.middle[draw < 0.35] = None
    initials = np.flatnonzero(draw > 0.6)
    names.middle[initials] = texts([each and each[0] for each in names.middle[initials].tolist()])
    names.suffix[chance(rng, 0.3, count)] = None


_PARTICLES = frozenset("van von de del della der den di zu la le st. al bin ap ní ó".split())


def culture_is_double(name: str) -> bool:
    """Two family names, and not one with a particle."""
    first, blank, _ = name.partition(" ")
    return bool(blank) and first.lower() not in _PARTICLES


_MARKS = str.maketrans(
    "áàâäãåéèêëíìîïóòôöõøúùûüýñçčćšśžźżřěůťďňłąęőűğışİÁÉÍÓÚÖÜÄÅØÑÇČŠŽŁŻĐđ",
    "aaaaaaeeeeiiiioooooouuuuyncccsszzzreutdnlaeougisIAEIOUOUAAONCCSZLZDd",
)


def _without_marks(name: str) -> str:
    return (
        name
        if name.isascii()
        else name.replace("ß", "ss")
        .replace("ü", "ue" if len(name) % 3 == 0 else "u")
        .translate(_MARKS)
    )


def _in_characters(rng: Random, names: Names, people: People, who: Numbers) -> None:
    chosen = np.flatnonzero(names.han)
    names.given[chosen] = people.given_han[who[chosen]]
    names.family[chosen] = people.family_han[who[chosen]]
    older = chosen[chance(rng, 0.15, len(chosen))]
    traditional = OpenCC("s2t")
    table = {
        sign: traditional.convert(sign)
        for column in (names.given, names.family)
        for sign in sorted(set("".join(column[older].tolist())))
    }
    for column in (names.given, names.family):
        column[older] = texts(
            ["".join(map(table.__getitem__, each)) for each in column[older].tolist()]
        )


def _romanized(rng: Random, names: Names, people: People, who: Numbers) -> None:
    """Capitals, apart or together; now and then an English given name, or as in Hong Kong."""
    latin = np.flatnonzero((people.culture[who] == CHINESE) & ~names.han)
    draw = rng.random(len(latin))
    given, family = names.given[latin].tolist(), names.family[latin].tolist()
    han = people.given_han[who[latin]].tolist()
    syllables = dict((*chinese.MEN, *chinese.WOMEN))
    english = people.english[who[latin]].tolist()
    for place, (part, name) in enumerate(zip(given, family, strict=True)):
        parts = [syllables[sign] for sign in han[place]]
        if draw[place] < 0.1:
            part = english[place]
        elif draw[place] < 0.3:
            part = (" " if draw[place] < 0.2 else "-").join(each.capitalize() for each in parts)
        else:
            part = part.capitalize()
        if 0.3 < draw[place] < 0.34:
            name = chinese.CANTONESE.get(name, name)
        given[place], family[place] = part, name.capitalize()
    names.given[latin], names.family[latin] = texts(given), texts(family)


def _whole(rng: Random, names: Names, is_chinese: Flags) -> Texts:
    """In one field: either order, with a comma, with a title."""
    count = len(names.given)
    draw = rng.random(count).tolist()
    title = evenly(rng, _TITLES, count).tolist()
    whole = []
    for place, (given, middle, family, suffix, han, abroad) in enumerate(
        zip(
            *(
                each.tolist()
                for each in (
                    names.given,
                    names.middle,
                    names.family,
                    names.suffix,
                    names.han,
                    is_chinese,
                )
            ),
            strict=True,
        )
    ):
        one = draw[place]
        if han:
            whole.append(family + given)
        elif abroad:
            whole.append(_either_order(given, family, one))
        elif one < 0.12:
            whole.append(f"{family}, {given}{f' {middle}' if middle else ''}")
        else:
            words = [title[place] if one > 0.94 else "", given, middle or "", family, suffix or ""]
            whole.append(" ".join(word for word in words if word))
    return texts(whole)


def _either_order(given: str, family: str, draw: float) -> str:
    if draw < 0.45:
        return f"{given} {family}"
    if draw < 0.75:
        return f"{family} {given}"
    return f"{family.upper()} {given}" if draw < 0.88 else f"{family}, {given}"
