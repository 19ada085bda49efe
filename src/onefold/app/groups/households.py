"""Households: people who live together, as their claims say or people do; never one person.

Nothing of a household is kept but what its people's identifiers say of each other: it is what hangs
together by that, found anew whenever it is asked for. So it follows merges, splits and their undoing.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from onefold.app.groups.household_answers import (
    Household,
    HouseholdMember,
    HouseholdPage,
    HouseholdRow,
    LiveTogether,
    Together,
)
from onefold.app.identity.decisions import known
from onefold.app.in_force import load_definitions
from onefold.app.profiles.finding import find
from onefold.app.profiles.given import append_claims
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.definitions import AccountTraitDefinition
from onefold.model.errors import Fault, InvalidInput, NotFound, no_page
from onefold.model.given import HOME, GivenClaim, visible
from onefold.model.profile import (
    NodeId,
    Profile,
    ProfileId,
    decode_profile,
    identifier_text,
    lives_with_somebody,
    profile_name,
)
from onefold.store import SQLiteStore
from onefold.unify.aggregates import aggregated
from onefold.unify.rules import value_key

MOST_ALIKE = 30
"""More people than that do not live together, whatever their claims say: then only people's word counts."""
_NODE_LETTERS = 32
_PAGE = 500


def household(settings: Settings, reference: str) -> Household:
    """The household of whom `KIND:VALUE` or a profile's id names, or with this id."""
    with open_store(settings, cache_mb=4) as store:
        start = named(store, reference, settings.default_country)
        home = Home(store, start)
        definitions, _ = load_definitions(store)
        computed = added_up(home.people.values(), definitions.household_traits)
        name = home.id if len(home.people) > 1 else None
        return Household(name, in_common(home.people.values()), computed, tuple(home.members()))


def household_list(settings: Settings, limit: int = 100, cursor: str = "") -> HouseholdPage:
    """All households, in an order of their own."""
    try:
        after = bytes.fromhex(cursor)
    except ValueError as error:
        raise no_page() from error
    items: list[HouseholdRow] = []
    with open_store(settings, cache_mb=4) as store:
        for node in _living(store, after):
            if len(items) == limit:
                return HouseholdPage(tuple(items), after.hex())
            after = node
            number = store.profiles_of([node]).get(node)
            home = None if number is None else Home(store, number)
            if home and home.first == node and len(home.people) > 1:
                items.append(
                    HouseholdRow(home.id, len(home.people), in_common(home.people.values()))
                )
    return HouseholdPage(tuple(items), None)


def household_say(
    settings: Settings, left: str, right: str, together: Together, *, actor: str = "cli"
) -> LiveTogether:
    """Say that two people live together, that they do not, or take back what was said.

    It outranks what their claims say, goes through the log and holds in a rebuild.
    """
    with open_store(settings, cache_mb=4) as store:
        ends = [known(store, one, settings.default_country) for one in (left, right)]
        if ends[0] == ends[1]:
            fault = Fault("is the same identifier", "right", "name another one")
            raise InvalidInput("nothing can be said", [fault])
        now = now_us()
        word = {"yes": True, "no": False, "open": None}[together]
        claim = GivenClaim(f"home-{uuid.uuid4().hex}", now, *ends[0], {HOME: word}, actor, ends[1])
        append_claims(settings, store, [claim], now)
        texts = [identifier_text(one) for one in ends]
        store.registry.audit(now, actor, f"household.{together}", " ".join(texts), {})
    return LiveTogether(texts[0], texts[1], together, now, actor)


class Home:
    """All who hang together with somebody by what is said of living together."""

    def __init__(self, store: SQLiteStore, start: ProfileId) -> None:
        self._store = store
        self._loaded: dict[ProfileId, Profile] = {}
        self._edges: dict[ProfileId, dict[ProfileId, bool]] = {}
        self.people = self._reached(start, by_claims=True)
        if len(self.people) > MOST_ALIKE:
            self.people = self._reached(start, by_claims=False)
        together = [
            node.id
            for one in self.people.values()
            for node in one.nodes
            if lives_with_somebody(node)
        ]
        self.first: NodeId = min(together, default=b"")
        self.id = self.first.hex()

    def members(self) -> Iterator[HouseholdMember]:
        """The people, and with how many of the others each is known to live."""
        for number, one in sorted(self.people.items()):
            with_whom = self._near(number)
            yield HouseholdMember(
                profile_name(number),
                tuple(identifier_text(node) for node in one.nodes),
                tuple(profile_name(other) for other in sorted(with_whom) if other in self.people),
                any(with_whom.values()),
            )

    def _reached(self, start: ProfileId, *, by_claims: bool) -> dict[ProfileId, Profile]:
        found, frontier = {start}, [start]
        while frontier and len(found) <= MOST_ALIKE * (1 if by_claims else 100):
            near = {
                other
                for one in frontier
                for other, said in self._near(one).items()
                if said or by_claims
            }
            frontier = sorted(near - found)
            found.update(frontier)
        self._load(sorted(found))
        return {one: self._loaded[one] for one in found if one in self._loaded}

    def _near(self, number: ProfileId) -> dict[ProfileId, bool]:
        """Those who live with somebody, and whether a person said so: the last word on two of them holds."""
        known = self._edges.get(number)
        if known is not None:
            return known
        self._load([number])
        nodes = self._loaded[number].nodes if number in self._loaded else []
        others = {other for node in nodes for other in (*node.more.housemates, *node.more.homes)}
        homes = self._store.profiles_of(sorted(others))
        words: dict[ProfileId, tuple[int, str, bool | None]] = {}
        found: dict[ProfileId, bool] = {}
        for node in nodes:
            for other in node.more.housemates:
                if other in homes:
                    found[homes[other]] = False
            for other, (word, time, message_id) in node.more.homes.items():
                if other in homes:
                    last = words.get(homes[other], (-1, "", None))
                    words[homes[other]] = max(
                        last, (time, message_id, word), key=lambda one: one[:2]
                    )
        for other_number, (_, _, word) in words.items():
            if word:
                found[other_number] = True
            elif word is False:
                found.pop(other_number, None)
        found.pop(number, None)
        self._edges[number] = found
        return found

    def _load(self, numbers: Sequence[ProfileId]) -> None:
        missing = [one for one in numbers if one not in self._loaded]
        for number, document in self._store.documents(missing).items():
            self._loaded[number] = decode_profile(document)


def named(store: SQLiteStore, reference: str, country: str) -> ProfileId:
    """Whom a reference names; the id of a household is that of one of its identifiers."""
    if len(reference) == _NODE_LETTERS and ":" not in reference:
        try:
            node = bytes.fromhex(reference)
        except ValueError:
            node = b""
        number = store.profiles_of([node]).get(node)
        if number is None:
            raise NotFound(f"there is no household {reference}")
        return number
    return find(store, reference, country).id


def _living(store: SQLiteStore, after: NodeId) -> Iterator[NodeId]:
    while page := store.accounts.living(after, _PAGE):
        yield from page
        after = page[-1]


def in_common(people: Iterable[Profile]) -> dict[str, Any]:
    """The golden record: what at least two of them say, and none says otherwise."""
    values: dict[str, Counter[bytes]] = {}
    shown: dict[tuple[str, bytes], Any] = {}
    for one in people:
        for name, value in visible(one.traits).items():
            key = value_key(value)
            values.setdefault(name, Counter())[key] += 1
            shown[name, key] = value
    return {
        name: shown[name, next(iter(counts))]
        for name, counts in sorted(values.items())
        if len(counts) == 1 and counts.total() > 1
    }


def added_up(people: Iterable[Profile], wanted: Sequence[AccountTraitDefinition]) -> dict[str, Any]:
    """What the people add up to."""
    known = [{**one.traits, **one.computed, **one.tags} for one in people]
    found = {
        one.name: aggregated(one.aggregate, [row.get(one.of) if one.of else 1 for row in known])
        for one in wanted
    }
    return {name: value for name, value in found.items() if value is not None}
