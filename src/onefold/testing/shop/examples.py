"""Profiles worth looking at, for the end of the demo's start-up and for tests."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from onefold.model.records import Identifier
from onefold.testing.shop.people import FAMILY, KIOSK_USERS
from onefold.testing.shop.segments import SEGMENTS
from onefold.testing.shop.shop import Shop
from onefold.testing.shop.truth import Group, Truth

_AMONG = 400


class Example(msgspec.Struct, frozen=True):
    """A profile to look up as `kind:value`, what it shows, and what has to be found at a time."""

    lookup: str
    story: str
    identifiers: tuple[Identifier, ...]
    segments: tuple[str, ...]
    at: int


def examples(shop: Shop) -> tuple[Example, ...]:
    """Up to three profiles of this shop, as they are once all its messages have arrived."""
    alone = range(min(shop.customers, _AMONG))
    truth = shop.truth(alone)
    found = [
        _of_many_sources(shop, truth),
        _of_a_couple(shop, truth),
        _of_two_accounts(shop, truth),
    ]
    return tuple(example for example in found if example is not None)


def _of_many_sources(shop: Shop, truth: Truth) -> Example | None:
    """Somebody known by e-mail, telephone and several devices: look up by e-mail."""
    best: tuple[int, Identifier, Group] | None = None
    for number in truth.people:
        somebody = shop.person(number)
        email = Identifier("email", somebody.email)
        group = _group(truth, email)
        plain = number % FAMILY not in (5, 6) and number % KIOSK_USERS != 7
        if plain and group and Identifier("phone", somebody.phone) in group:
            devices = sum(each.kind == "anonymous_id" for each in group)
            if best is None or devices > best[0]:
                best = (devices, email, group)
    if best is None:
        return None
    story = f"web, app, e-mail, shop and helpdesk of one customer, {best[0]} anonymous ids"
    return _example(shop, truth, best[1], best[2], story)


def _of_a_couple(shop: Shop, truth: Truth) -> Example | None:
    """One of the two who share a tablet: the tablet is the one's, never both's."""

    def wanted(number: int, group: Group) -> bool:
        tablet = shop.person(number).tablet
        shared = tablet is not None and Identifier("anonymous_id", tablet.anonymous_id) in group
        partner = Identifier("user_id", f"u{number ^ 3}")
        return number % FAMILY in (5, 6) and shared and _group(truth, partner) is not None

    return _first(
        shop, truth, wanted, "the shared tablet is with who used it first, and nobody merged"
    )


def _of_two_accounts(shop: Shop, truth: Truth) -> Example | None:
    """Somebody whose mini program account was connected with the shop's account."""

    def wanted(number: int, group: Group) -> bool:
        other = shop.person(number).mini_program_id
        return other is not None and Identifier("user_id", other) in group

    return _first(shop, truth, wanted, "two user ids became one profile, since an alias says so")


def _first(
    shop: Shop, truth: Truth, wanted: Callable[[int, Group], bool], story: str
) -> Example | None:
    for number in sorted(truth.people):
        user = Identifier("user_id", shop.person(number).user_id)
        group = _group(truth, user)
        if group and number % KIOSK_USERS != 7 and wanted(number, group):
            return _example(shop, truth, user, group, story)
    return None


def _group(truth: Truth, identifier: Identifier) -> Group | None:
    return next((group for group in truth.partition if identifier in group), None)


def _example(shop: Shop, truth: Truth, by: Identifier, group: Group, story: str) -> Example:
    at = max(shop.end, truth.last_arrival)
    known = truth.known(at)[group]
    segments = tuple(segment.name for segment in SEGMENTS if segment.holds(known))
    return Example(f"{by.kind}:{by.value}", story, tuple(sorted(group)), segments, at)
