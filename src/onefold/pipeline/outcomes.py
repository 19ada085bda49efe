"""What the plan's query says, made so: values, memberships, and what these set in motion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress, pairwise
from operator import eq, ne
from typing import Any

import pyarrow as pa

from onefold.activate.webhook import membership_payload, message_id
from onefold.model.definitions import DestinationDefinition
from onefold.model.delivery import Delivery
from onefold.model.given import visible
from onefold.model.profile import Profile, ProfileId
from onefold.model.records import Identifier
from onefold.pipeline.echoes import Echoes
from onefold.pipeline.evaluation import Found, Looked, Numbers
from onefold.pipeline.rows import Rows
from onefold.segment.plan import Key, Output, OutputKind
from onefold.segment.reading import told
from onefold.segment.tallies import EXACT
from onefold.store import BatchWrite


class ValueChanges:
    """Computed traits and tags whose values the query says are others now."""

    def __init__(self, rows: Rows, write: BatchWrite) -> None:
        self._rows = rows
        self._write = write

    def settle(self, found: Found | Looked) -> set[ProfileId]:
        """Make values what the query says; give the profiles of which some changed."""
        sets = _Sets()
        if isinstance(found, Found):
            for output, column in zip(found.outputs, found.columns, strict=True):
                if output.kind != "segment":
                    for task, value in zip(found.tasks, column.to_pylist(), strict=True):
                        self._set(output, task.profile, value, sets)
        else:
            _set_numbers(found.numbers, sets)
            for output, profile, value in found.answers:
                if output.kind != "segment":
                    self._set(output, profile, value, sets)
        return sets.tell(self._rows)

    def _set(self, output: Output, profile: Profile, value: Any, sets: _Sets) -> None:
        """Make a value what it is, and keep it in mind if it was another."""
        name, is_tag = output.name, output.kind == "tag"
        values: dict[str, Any] = profile.tags if is_tag else profile.computed
        if type(value) is float:
            value = _number(value)
        elif output.type in ("date", "time"):
            value = told(value, output.type)
        before = values.get(name)
        if value == before and type(value) is type(before):
            return
        if value is None:
            del values[name]
        else:
            values[name] = value
        sets.add(profile.id, "tag" if is_tag else "computed", name, before, value)
        if is_tag:
            count_change(self._write, name, before, value)

    def forget(self, profile: Profile, defined: Mapping[Key, OutputKind | None]) -> bool:
        """Drop the values of outputs that are defined no more, or as what they were; say whether
        there were any. Of what cannot be used now (None) it is not known what it is.
        """
        if not (profile.computed or profile.tags):
            return False
        sets = _Sets()
        kinds: tuple[tuple[OutputKind, dict[str, Any]], ...]
        kinds = (("trait", profile.computed), ("tag", profile.tags))
        for kind, values in kinds:
            what = "tag" if kind == "tag" else "computed"
            for name in [
                one for one in values if defined.get(("value", one), "") not in (kind, None)
            ]:
                before = values.pop(name)
                sets.add(profile.id, what, name, before, None)
                if what == "tag":
                    count_change(self._write, name, before, None)
        return bool(sets.tell(self._rows))


def _set_numbers(numbers: Numbers, sets: _Sets) -> None:
    """Make computed traits what they are; nearly all of them were others."""
    names, values = numbers.names, numbers.values
    for profile, (start, end) in zip(numbers.profiles, pairwise(numbers.starts), strict=True):
        computed, own, now = profile.computed, names[start:end], values[start:end]
        before = list(map(computed.get, own))
        if any(map(eq, before, now)):
            changed = list(map(ne, before, now))
            own, now = list(compress(own, changed)), list(compress(now, changed))
            before = list(compress(before, changed))
        if own:
            computed.update(zip(own, now, strict=True))
            if None in now:
                for name, value in zip(own, now, strict=True):
                    if value is None:
                        del computed[name]
            sets.add_all(profile.id, "computed", own, before, now)


class _Sets:
    """What changes at once, by profile and kind, and by name what it was and is."""

    def __init__(self) -> None:
        self._sets: dict[tuple[ProfileId, str], tuple[dict[str, Any], dict[str, Any]]] = {}

    def add(self, profile: ProfileId, what: str, name: str, before: Any, after: Any) -> None:
        """One more value is another."""
        changed = self._sets.get((profile, what))
        if changed is None:
            changed = self._sets[profile, what] = {}, {}
        changed[0][name], changed[1][name] = before, after

    def add_all(
        self,
        profile: ProfileId,
        what: str,
        names: Sequence[str],
        before: Sequence[Any],
        after: Sequence[Any],
    ) -> None:
        """The first values of a profile that are others."""
        old, new = zip(names, before, strict=True), zip(names, after, strict=True)
        self._sets[profile, what] = dict(old), dict(new)

    def tell(self, rows: Rows) -> set[ProfileId]:
        """Tell history; give the profiles."""
        for (profile, what), (before, after) in self._sets.items():
            rows.change_set(profile, what, before, after)
        return {profile for profile, _ in self._sets}


def count_change(write: BatchWrite, tag: str, before: str | None, after: str | None) -> None:
    """How many have a value of a tag is counted as it changes."""
    for value, more in ((before, -1), (after, 1)):
        if value is not None:
            write.tag_values[tag, value] = write.tag_values.get((tag, value), 0) + more


def _number(value: float) -> float:
    """Whole numbers are told without a fraction."""
    return int(value) if value.is_integer() and abs(value) < EXACT else value


class MemberChanges:
    """Entries and exits of one batch: rows, members, deliveries."""

    def __init__(
        self,
        destinations: Sequence[DestinationDefinition],
        versions: dict[str, int],
        rows: Rows,
        write: BatchWrite,
        now: int,
        echoes: Echoes | None = None,
    ) -> None:
        self._destinations = destinations
        self._wanting: dict[tuple[str, str], list[str]] = {}
        self._versions = versions
        self._rows = rows
        self._write = write
        self._now = now
        self._echoes = echoes

    def settle(self, found: Found | Looked) -> set[ProfileId]:
        """Make memberships what the query says; give the profiles of which some changed."""
        if isinstance(found, Found):
            return self._settle_all(found)
        changed: set[ProfileId] = set()
        for output, profile, inside in found.answers:
            if output.kind == "segment" and inside != (output.name in profile.members):
                (self.enter if inside else self.leave)(profile.id, profile, output.name)
                changed.add(profile.id)
        return changed

    def _settle_all(self, found: Found) -> set[ProfileId]:
        changed: set[ProfileId] = set()
        width = (len(found.tasks) + 7) // 8
        before: dict[str, bytearray] = {}
        for row, task in enumerate(found.tasks):
            for segment in task.profile.members:
                marks = before.get(segment)
                if marks is None:
                    marks = before[segment] = bytearray(width)
                marks[row >> 3] |= 1 << (row & 7)
        for one, column in zip(found.outputs, found.columns, strict=True):
            if one.kind != "segment":
                continue
            inside = _bits(column)
            different = inside ^ int.from_bytes(before.get(one.name, b""), "little")
            # Nearly always nothing changes.
            while different:
                row = (different & -different).bit_length() - 1
                different &= different - 1
                profile = found.tasks[row].profile
                (self.enter if inside >> row & 1 else self.leave)(profile.id, profile, one.name)
                changed.add(profile.id)
        return changed

    def enter(self, number: ProfileId, profile: Profile, segment: str) -> None:
        """The profile is in the segment from now on."""
        profile.members[segment] = self._now
        self._write.entered.append((segment, number, self._now))
        self._tell(number, profile, segment, True, self._now)

    def leave(self, number: ProfileId, profile: Profile, segment: str) -> None:
        """The profile is no longer in the segment."""
        since = profile.members.pop(segment)
        self._write.left.append((segment, number))
        self._tell(number, profile, segment, False, since)

    def _tell(
        self, number: ProfileId, profile: Profile, segment: str, entered: bool, since: int
    ) -> None:
        self._rows.member(number, segment, entered, self._versions.get(segment, 0))
        event = "segment.entered" if entered else "segment.exited"
        wanting = self._wanting.get((event, segment))
        if wanting is None:
            wanting = [one.name for one in self._destinations if one.wants(event, segment)]
            self._wanting[event, segment] = wanting
        if not wanting:
            return
        traits = visible(profile.traits)
        payload = membership_payload(
            segment=segment,
            entered=entered,
            at=self._now,
            since=since,
            profile=number,
            identifiers=[Identifier(node.kind, node.value) for node in profile.nodes],
            traits=traits,
        )
        now = self._now
        for destination in wanting:
            key = message_id(destination, number, segment, entered, now)
            self._write.deliveries.append(
                Delivery(0, destination, number, key, payload, now, 0, now)
            )
            if self._echoes:
                self._write.sent += self._echoes.told(destination, profile, traits, now)


def _bits(column: pa.ChunkedArray) -> int:
    """A column of truth values as one number: its lowest bit is the first row's."""
    found, shift = 0, 0
    for chunk in column.chunks:
        bits = int.from_bytes(chunk.buffers()[1], "little") >> chunk.offset
        found |= (bits & ((1 << len(chunk)) - 1)) << shift
        shift += len(chunk)
    return found
