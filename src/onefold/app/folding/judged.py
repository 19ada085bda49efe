"""What of computed values and memberships a rebuild can be held to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onefold.app.evaluation.choosing import key_text
from onefold.app.evaluation.evaluating import evaluated_outputs, waiting_profiles
from onefold.app.in_force import load_definitions
from onefold.config import Settings
from onefold.model.given import tag_trait
from onefold.model.profile import Profile
from onefold.segment import compile_plan, wanted_by
from onefold.segment.differing import digests
from onefold.segment.parts import without
from onefold.store import SQLiteStore

_EVERYBODY = 1 << 60


class Judged:
    """Knows what everybody was evaluated for, and whom time concerns that nobody looked at yet.

    Left out is what needs everybody: it holds as of its last refresh, and events do not tell it.
    """

    def __init__(self, settings: Settings, store: SQLiteStore, now: int) -> None:
        definitions, _ = load_definitions(store)
        plan = compile_plan(wanted_by(definitions))
        evaluated, meanings = evaluated_outputs(store), digests(plan, settings.timezone)
        refreshed = {tag_trait(one.name) for one in definitions.tags if one.of_everybody}
        unsettled = {
            one.key
            for one in plan.outputs
            if evaluated.get(key_text(one.key)) != meanings[one.key]
            or any(column.path and column.path[0] in refreshed for column in one.columns)
        }
        outputs = without(plan, unsettled).outputs
        self._values = {one.name for one in outputs if one.kind != "segment"}
        self._segments = {one.name for one in outputs if one.kind == "segment"}
        self._overdue = {
            *store.due(now, _EVERYBODY),
            *waiting_profiles(store, settings.data, now),
        }

    def facts(self, live: Profile, rebuilt: Profile) -> Iterator[tuple[str, Any, Any]]:
        """What is to be the same of a profile: its name, what it is, what it should be."""
        if live.id in self._overdue:
            return
        yield "computed", self._of(live.computed), self._of(rebuilt.computed)
        yield "tags", self._of(live.tags), self._of(rebuilt.tags)
        inside, expected = set(live.members), set(rebuilt.members)
        yield "segments", sorted(inside & self._segments), sorted(expected & self._segments)

    def _of(self, values: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if name in self._values}
