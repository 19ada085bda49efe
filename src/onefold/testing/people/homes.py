"""Where households live, and lived before."""

from __future__ import annotations

import msgspec
import numpy as np

from onefold.testing.people import chinese, places
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
    written,
    zipf,
)


class Homes(msgspec.Struct):
    """One entry for each home. `street` is without suffix; in China it is the whole of it."""

    chinese: Flags
    number: Texts
    street: Texts
    suffix: Numbers
    unit: Texts
    city: Texts
    district: Texts
    state: Texts
    postcode: Texts
    area: Texts
    landline: Texts


def build(rng: Random, in_china: Flags) -> Homes:
    """Two homes for each household: where it is, and, further on in the list, where it was."""
    abroad = in_china & chance(rng, 0.25, len(in_china))
    where = np.concatenate((in_china & ~abroad, in_china & ~abroad))
    count = len(where)
    # Fewer buildings than households: neighbors share them.
    building = rng.integers(0, max(1, int(count * 0.85)), count)
    made = _american(rng, count, building)
    _chinese(rng, made, np.flatnonzero(where), building)
    made.chinese = where
    return made


def _american(rng: Random, count: int, building: Numbers) -> Homes:
    city = rng.choice(len(places.CITIES), count, p=_shares([one[4] for one in places.CITIES]))[
        building
    ]
    ends = written(rng.integers(0, 60, count), 2)[building]
    column = [texts([one[at] for one in places.CITIES])[city] for at in range(4)]
    streets = [each.replace("_", " ") for each in places.STREETS]
    number = (rng.gamma(1.1, 900, count) + 1).astype(np.int64)
    unit = absent(count)
    flat = chance(rng, 0.3, count)
    floors = written(rng.integers(1, 30, count)) + evenly(
        rng, ["", "A", "B", "C", "D", "01", "05", "12"], count
    )
    unit[flat] = floors[flat]
    exchange = written(rng.integers(200, 999, count)) + written(rng.integers(0, 10_000, count), 4)
    return Homes(
        chinese=np.zeros(count, dtype=np.bool_),
        number=written(number)[building],
        street=pick(rng, streets, count, 0.5)[building],
        suffix=zipf(rng, len(places.SUFFIXES), count)[building],
        unit=unit,
        city=column[0],
        district=absent(count),
        state=column[1],
        postcode=column[2] + ends,
        area=column[3],
        landline=column[3] + exchange,
    )


def _shares(weights: list[float]) -> list[float]:
    total = sum(weights)
    return [weight / total for weight in weights]


def _chinese(rng: Random, homes: Homes, chosen: Numbers, building: Numbers) -> None:
    size = len(homes.city)
    which = zipf(rng, len(chinese.CITIES), size, 0.5)[building][chosen]
    states, cities, areas, codes = (
        texts([one[at] for one in chinese.CITIES])[which] for at in range(4)
    )
    homes.state[chosen], homes.city[chosen], homes.area[chosen] = states, cities, areas
    homes.postcode[chosen] = codes + written(rng.integers(0, 90, size), 2)[building][chosen]
    draw = rng.integers(0, 60, size)[building][chosen].tolist()
    homes.district[chosen] = texts(
        [
            chinese.CITIES[city][4][each % len(chinese.CITIES[city][4])]
            for city, each in zip(which.tolist(), draw, strict=True)
        ]
    )
    homes.street[chosen] = pick(rng, chinese.STREETS, size, 0.4)[building][chosen]
    homes.number[chosen] = written(rng.integers(1, 900, size))[building][chosen]
    count = len(chosen)
    rooms = written(rng.integers(1, 33, count)) + written(rng.integers(1, 5, count), 2)
    homes.unit[chosen] = (
        written(rng.integers(1, 20, count))
        + "栋"
        + written(rng.integers(1, 4, count))
        + "单元"
        + rooms
        + "室"
    )
    homes.landline[chosen] = areas + written(rng.integers(20_000_000, 89_999_999, count))
