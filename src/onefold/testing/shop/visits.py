"""When a customer comes, by which way, and what the visit is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Literal

import msgspec

from onefold.testing.shop.people import Device, Person, is_regular, pick, seeded

Purpose = Literal["import", "browse", "shop", "guest", "mail", "call", "return", "mini", "bind"]

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR

_VISITS, _PLAN = 5, 6
_HOW_OFTEN = (1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 9, 12, 16, 24)
_HOURS = (0, 7, 8, 9, 10, 11, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 20, 21, 21, 22, 22, 23)


class Visit(msgspec.Struct, frozen=True, gc=False):
    """One contact with the shop. `late` is how long the device is offline after it.

    `order` is the number of the order that is bought or brought back.
    """

    number: int
    at: int
    purpose: Purpose
    device: Device | None = None
    anonymous_id: str = ""
    knows: bool = False
    signs_up: bool = False
    signs_in: bool = False
    signs_out: bool = False
    buys: bool = False
    order: int = 0
    late: int = 0


def moments(seed: int, number: int, start: int, days: int) -> tuple[bool, list[int]]:
    """When customer `number` comes, in order, in microseconds.

    Also whether they were customers before the first day: then their history is imported.
    """
    r = Random(seeded(seed, _VISITS, number)).random
    regular = is_regular(number)
    existed = r() < 0.35 or regular
    first_day = 0 if existed else int(r() * days)
    often = max(
        1, int((12 if regular else pick(r, _HOW_OFTEN)) * min(1.0, (days - first_day + 4) / 30))
    )
    found = sorted(
        [
            start
            + (first_day + int(r() * (days - first_day))) * DAY
            + pick(r, _HOURS) * HOUR
            + int(r() * 3_600_000) * 1000
            for _ in range(often)
        ]
    )
    for place in range(1, often):
        found[place] = max(found[place], found[place - 1] + HOUR)
    return existed, found


class Life:
    """All visits of a customer. The first of an old customer is the import of their history."""

    def __init__(self, seed: int, person: Person, start: int, days: int) -> None:
        self.person = person
        self.random: Callable[[], float] = Random(seeded(seed, _PLAN, person.number)).random
        self.known = [False] * len(person.devices)
        self.sign_outs = [0] * len(person.devices)
        self.bound = person.mini_program_id is None
        self.last_order = 0
        self.registered, times = moments(seed, person.number, start, days)
        self._planned: list[Visit] = []
        self._rest = self._visits(start, times)

    def visit(self, place: int) -> Visit:
        """One visit. Those before it are planned too, those after it not yet."""
        while len(self._planned) <= place:
            self._planned.append(next(self._rest))
        return self._planned[place]

    def _visits(self, start: int, times: list[int]) -> Iterator[Visit]:
        if self.registered:
            yield Visit(0, start + (self.person.number % 3600) * SECOND, "import")
        for number, at in enumerate(times, start=1):
            yield self._next(number, at)

    def _next(self, number: int, at: int) -> Visit:
        dice = self.random()
        if not self.registered:
            return self._as_stranger(number, at, dice)
        if dice < 0.24:
            return Visit(number, at, "mail")
        if dice < 0.31:
            return Visit(number, at, "call")
        if dice < 0.38 and self.last_order:
            order, self.last_order = self.last_order, 0
            return Visit(number, at, "return", order=order)
        if dice < 0.48 and not self.bound:
            self.bound = dice > 0.43
            return Visit(number, at, "bind" if self.bound else "mini")
        return self._as_customer(number, at, dice)

    def _as_stranger(self, number: int, at: int, dice: float) -> Visit:
        place = int(self.random() * len(self.person.devices))
        device = self.person.devices[place]
        late = self._offline(device)
        if dice < 0.4:
            self.registered = self.known[place] = True
            buys = self.random() < 0.35
            return Visit(
                number, at, "shop", device, device.anonymous_id, signs_up=True, buys=buys,
                order=self._order(number) if buys else 0, late=late,
            )  # fmt: skip
        if dice < 0.47:
            return Visit(number, at, "guest", device, device.anonymous_id, buys=True, order=number)
        return Visit(number, at, "browse", device, device.anonymous_id, late=late)

    def _as_customer(self, number: int, at: int, dice: float) -> Visit:
        person, buys = self.person, self.random() < 0.4
        order = self._order(number) if buys else 0
        public = person.kiosk if dice < 0.75 else person.tablet if dice < 0.85 else None
        if public is not None:
            leaves = public is person.kiosk or self.random() < 0.5
            return Visit(
                number, at, "shop", public, public.anonymous_id,
                signs_in=True, signs_out=leaves, buys=buys, order=order,
            )  # fmt: skip
        place = int(self.random() * len(person.devices))
        device = person.devices[place]
        anonymous_id = device.anonymous_id_after(self.sign_outs[place])
        knows, leaves = self.known[place], self.random() < 0.12
        if not knows and not buys and self.random() < 0.25:
            return Visit(number, at, "browse", device, anonymous_id, late=self._offline(device))
        self.known[place] = not leaves
        self.sign_outs[place] += leaves
        return Visit(
            number, at, "shop", device, anonymous_id, knows=knows, signs_in=not knows,
            signs_out=leaves, buys=buys, order=order, late=self._offline(device),
        )  # fmt: skip

    def _order(self, number: int) -> int:
        self.last_order = number
        return number

    def _offline(self, device: Device) -> int:
        """Apps are sometimes used under ground: what they saw arrives hours later."""
        if device.source != "app" or self.random() > 0.06:
            return 0
        return (1 + int(self.random() * 20)) * HOUR
