"""The loop guard: what was sent to a system does not come back as something that it says.

A source whose definition names destinations speaks for the system behind them. A trait that it tells of a
person with the very value that this system was last told is not its claim but ours; it is left out,
and with it the event, where nothing else is said. Once the system tells another value, that
one is its own, and whatever follows too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from onefold.model.definitions import Definitions
from onefold.model.profile import NodeId, Profile
from onefold.model.records import Event
from onefold.pipeline.prepare import Prepared, SeenKey, key_of
from onefold.store import Sent, SentValues

SKEW_US = 300_000_000
"""By how much a system's clock may be behind ours."""
_json = msgspec.json.Encoder(order="deterministic").encode


def digest_of(value: Any) -> bytes:
    """What tells one value from another.

    >>> digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    True
    """
    if type(value) is float and value.is_integer():
        value = int(value)
    return blake2b(_json(value), digest_size=8).digest()


class Echoes:
    """Which sources speak for which destinations, and what these were told."""

    def __init__(self, store: SentValues) -> None:
        self._store = store
        self._of: dict[str, tuple[frozenset[str], int]] = {}
        self._watched: frozenset[str] = frozenset()

    def use(self, definitions: Definitions) -> None:
        """Put definitions in force."""
        self._of = {
            one.name: (frozenset(one.echo.of), one.echo.window_us)
            for one in definitions.sources
            if one.echo is not None
        }
        self._watched = frozenset().union(*(names for names, _ in self._of.values()))

    def told(
        self, destination: str, profile: Profile, traits: Mapping[str, Any], now: int
    ) -> list[Sent]:
        """What to note when a destination is told of a profile; nothing where no source speaks for it."""
        if destination not in self._watched:
            return []
        digests = {name: digest_of(value) for name, value in traits.items()}
        return [Sent(destination, node.id, now, digests) for node in profile.nodes]

    def without(self, given: Prepared, now: int) -> tuple[Prepared, list[Sent]]:
        """A batch without what its sources only tell back, and what is to be noted of that."""
        asked = [one for one in given.telling if one.source in self._of and one.traits]
        if not asked:
            return given, []
        known = self._known(asked, given.ids, now)
        changed: set[tuple[str, NodeId]] = set()
        left: dict[SeenKey, dict[str, Any]] = {}
        for event in sorted(asked, key=lambda one: (one.time, one.message_id)):
            own = self._own(event, given.ids, known, changed)
            if len(own) < len(event.traits):
                left[key_of(event)] = own
        noted = [Sent(*key, *known[key]) for key in sorted(changed)]
        return (given.telling_only(left) if left else given), noted

    def _known(
        self, events: Iterable[Event], ids: Mapping[Any, NodeId], now: int
    ) -> dict[tuple[str, NodeId], tuple[int, dict[str, bytes]]]:
        """What each system was told of the people that it speaks of."""
        nodes: dict[str, set[NodeId]] = {}
        for event in events:
            nodes.setdefault(event.source, set()).update(ids[one] for one in event.identifiers)
        known = {}
        for source, some in nodes.items():
            names, window = self._of[source]
            for one in self._store.of(sorted(names), sorted(some)):
                if one.at >= now - window:
                    known[one.destination, one.node] = (one.at, dict(one.digests))
        return known

    def _own(
        self,
        event: Event,
        ids: Mapping[Any, NodeId],
        known: Mapping[tuple[str, NodeId], tuple[int, dict[str, bytes]]],
        changed: set[tuple[str, NodeId]],
    ) -> dict[str, Any]:
        """The traits that its source says of itself."""
        names, _ = self._of[event.source]
        places = [(name, ids[one]) for name in names for one in event.identifiers]
        places = [one for one in places if one in known and known[one][0] <= event.time + SKEW_US]
        own = {}
        for trait, value in event.traits.items():
            digest = digest_of(value)
            sent = [known[one][1].get(trait) for one in places]
            if digest in sent:
                continue
            own[trait] = value
            for one, before in zip(places, sent, strict=True):
                if before is not None:
                    del known[one][1][trait]
                    changed.add(one)
        return own
