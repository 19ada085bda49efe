"""Profiles worth looking at, for the end of the demo's start-up and for tests."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import msgspec

from onefold.model.profile import identifier_text
from onefold.model.records import Identifier
from onefold.testing.shop.people import FAMILY, KIOSK_USERS
from onefold.testing.shop.segments import SEGMENTS
from onefold.testing.shop.shop import Shop
from onefold.testing.shop.truth import Group, Truth

_AMONG = 300


class Example(msgspec.Struct, frozen=True):
    """A profile to look up as `kind:value`, what it shows, and what has to be found at a time."""

    lookup: str
    story: str
    identifiers: tuple[Identifier, ...]
    segments: tuple[str, ...]
    at: int


def examples(shop: Shop, at: int | None = None) -> tuple[Example, ...]:
    """Up to three profiles of this shop as they are at a time, or after its last message."""
    messages = list(shop.messages(range(min(shop.customers, _AMONG))))
    moment = max(shop.end, messages[-1].at if messages else 0) if at is None else at
    truth = Truth((each for each in messages if each.at <= moment), shop.timezone)
    search = _Search(shop, truth, moment)
    ways = (search.of_many_devices, search.of_a_couple, search.of_two_accounts, search.of_a_caller)
    found = (way() for way in ways)
    return tuple(islice((example for example in found if example is not None), 3))


class _Search:
    """Looks for telling profiles among the first customers. Users of the kiosk are left out:

    whether it counts as shared depends on the others.
    """

    def __init__(self, shop: Shop, truth: Truth, at: int) -> None:
        self.shop, self.truth, self.at = shop, truth, at
        self.group_of = {each: group for group in truth.partition for each in group}
        self.numbers = [number for number in sorted(truth.people) if number % KIOSK_USERS != 7]

    def of_many_devices(self) -> Example | None:
        """Somebody known by e-mail, telephone and several devices: look up by e-mail."""
        best: tuple[int, Identifier] | None = None
        for number in self.numbers:
            somebody = self.shop.person(number)
            email = Identifier("email", somebody.email)
            group = self.group_of.get(email, frozenset())
            whole = {Identifier("phone", somebody.phone), Identifier("user_id", somebody.user_id)}
            devices = sum(each.kind == "anonymous_id" for each in group)
            if whole <= group and (best is None or devices > best[0]):
                best = (devices, email)
        if best is None:
            return None
        return self._example(best[1], f"one customer, known under {best[0]} anonymous ids")

    def of_a_couple(self) -> Example | None:
        """One of two who share a tablet: the tablet is the one's, never both's."""

        def wanted(number: int, group: Group) -> bool:
            tablet = self.shop.person(number).tablet
            owner = tablet is not None and Identifier("anonymous_id", tablet.anonymous_id) in group
            partner = number + 1 if number % FAMILY == 5 else number - 1
            return owner and Identifier("user_id", f"u{partner}") in self.group_of

        return self._first(wanted, "a tablet that two share is with who used it first")

    def of_two_accounts(self) -> Example | None:
        """Somebody whose mini program account was connected with the shop's account."""

        def wanted(number: int, group: Group) -> bool:
            other = self.shop.person(number).mini_program_id
            return other is not None and Identifier("user_id", other) in group

        return self._first(wanted, "two user ids are one profile, since an alias says so")

    def of_a_caller(self) -> Example | None:
        """Somebody the helpdesk knows by telephone number: look up by that."""
        for number in reversed(self.numbers):
            phone = Identifier("phone", self.shop.person(number).phone)
            if Identifier("user_id", f"u{number}") in self.group_of.get(phone, ()):
                return self._example(phone, "a caller, found by telephone number")
        return None

    def _first(self, wanted: Callable[[int, Group], bool], story: str) -> Example | None:
        for number in self.numbers:
            user = Identifier("user_id", f"u{number}")
            group = self.group_of.get(user)
            if group is not None and wanted(number, group):
                return self._example(user, story)
        return None

    def _example(self, by: Identifier, story: str) -> Example:
        group = self.group_of[by]
        known = self.truth.known(self.at)[group]
        segments = tuple(segment.name for segment in SEGMENTS if segment.holds(known))
        lookup = identifier_text(by)
        return Example(lookup, story, tuple(sorted(group)), segments, self.at)
