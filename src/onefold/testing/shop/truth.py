"""What is true of the shop, and what Onefold should therefore find out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from onefold.model.records import Identifier
from onefold.testing.reference import Evidence, Partition, partition, shared_identifiers
from onefold.testing.shop.messages import Message
from onefold.testing.shop.segments import SEGMENTS, Happening, Known, local_day

Group = frozenset[Identifier]


class Truth:
    """The truth behind messages: who is who, and what the deterministic rule makes of it.

    `people` says which identifiers each customer used. That is more than can be known from the
    messages alone: `partition` is what the identity rule has to find out in them.
    """

    def __init__(self, messages: Iterable[Message], timezone: str) -> None:
        self.timezone = timezone
        self._messages = tuple(messages)

    @cached_property
    def people(self) -> dict[int, Group]:
        """Customer numbers and the identifiers each of them used."""
        used: dict[int, set[Identifier]] = defaultdict(set)
        for message in self._messages:
            used[message.person].update(message.identifiers)
        return {person: frozenset(identifiers) for person, identifiers in used.items()}

    @cached_property
    def partition(self) -> Partition:
        """The profiles that the deterministic rule makes of all messages."""
        return partition(map(evidence_in, self._messages))

    @cached_property
    def shared(self) -> Group:
        """Identifiers, such as the kiosk's, that say nothing about who somebody is."""
        return shared_identifiers(map(evidence_in, self._messages))

    def profile_of(self, identifier: Identifier) -> Group:
        """All identifiers of the profile that this one belongs to."""
        return next(group for group in self.partition if identifier in group)

    def members(self, segment: str, at: int) -> frozenset[Group]:
        """The profiles in a segment of the demo at a moment, by what had arrived until then."""
        holds = next(each.holds for each in SEGMENTS if each.name == segment)
        return frozenset(group for group, known in self.known(at).items() if holds(known))

    def known(self, at: int) -> dict[Group, Known]:
        """What each profile's traits and events are at a moment."""
        arrived = [message for message in self._messages if message.at <= at]
        groups = partition(map(evidence_in, arrived))
        group_of = {identifier: group for group in groups for identifier in group}
        messages_of: dict[Group, list[Message]] = {group: [] for group in groups}
        for message in _once_each(arrived):
            messages_of[group_of[message.identifiers[0]]].append(message)
        today = local_day(at, self.timezone)
        return {
            group: Known(_golden(messages), self._events(messages), today)
            for group, messages in messages_of.items()
        }

    def _events(self, messages: list[Message]) -> tuple[Happening, ...]:
        return tuple(
            Happening(
                str(message.body.get("event") or message.body["type"]),
                local_day(message.time, self.timezone),
                message.body.get("properties", {}),
            )
            for message in messages
        )


def evidence_in(message: Message) -> Evidence:
    """What a message says about who is who."""
    return Evidence(message.identifiers, message.time, message.asserted)


def _once_each(messages: Iterable[Message]) -> Iterable[Message]:
    return {(message.source, message.body["messageId"]): message for message in messages}.values()


def _golden(messages: Iterable[Message]) -> dict[str, Any]:
    """The last claim of each trait. What an `identify` says outweighs what others repeat."""
    claims: dict[str, tuple[tuple[bool, int, str], Any]] = {}
    for message in messages:
        body = message.body
        strong = body["type"] == "identify"
        order = (strong, message.time, body["messageId"])
        for name, value in {**body["context"].get("traits", {}), **body.get("traits", {})}.items():
            if name not in claims or claims[name][0] < order:
                claims[name] = (order, value)
    return {name: value for name, (_, value) in claims.items()}
