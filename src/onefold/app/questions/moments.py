"""When exactly somebody came or went between the ends of two steps of a backtest.

Only of those who are shown. A rule can turn with an event or a claim of the profile, or when a window,
a day or a pause ends. Of these moments one is looked for by halves before which the rule was as at the
beginning of the step, and at which it is as at the end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping

from onefold.app.questions.everybody import Everybody
from onefold.app.questions.formerly import Past
from onefold.model.profile import ProfileId
from onefold.segment.asked import Asked
from onefold.segment.kinds import SESSION_GAP
from onefold.segment.population import members_query
from onefold.segment.window import Unit, bucket_in, bucket_start

_ENDS: tuple[Unit, ...] = ("second", "minute", "hour", "day")


class Moments:
    """Asks the rule of a few profiles as of moments between the steps."""

    def __init__(self, people: Everybody, asked: Asked, past: Past) -> None:
        self._people = people
        self._asked = asked
        self._past = past
        columns = asked.plan.columns
        clocked = any(column.kind == "clock" for column in columns)
        units = {column.window.unit for column in columns if column.kind == "window"}
        self._unit = next((one for one in _ENDS if one in units), "day" if clocked else "ever")
        sequences = [column.sequence for column in columns if column.sequence is not None]
        self._pauses = {one.within for one in sequences if one.unless and one.within}
        self._pauses |= {SESSION_GAP for column in columns if column.session}

    def of(self, since: int, until: int, turned: Mapping[ProfileId, bool]) -> dict[ProfileId, int]:
        """The moment of each who turned after `since`, and by `until` (µs UTC): in (True), or out."""
        self._past.keep_few(turned)
        happened = self._past.times(since - max(self._pauses, default=0), until)
        ends = sorted(self._ends(since, until, happened))
        candidates = {
            profile: sorted({*ends, *(at for at in happened.get(profile, ()) if at > since), until})
            for profile in turned
        }
        spans = {profile: (0, len(found) - 1) for profile, found in candidates.items()}
        while open_ := {one: sum(span) // 2 for one, span in spans.items() if span[0] < span[1]}:
            asked = {one: candidates[one][middle] for one, middle in open_.items()}
            inside = self._inside(since, ends, asked)
            for one, middle in open_.items():
                low, high = spans[one]
                as_at_end = (one in inside) == turned[one]
                spans[one] = (low, middle) if as_at_end else (middle + 1, high)
        return {one: candidates[one][span[0]] for one, span in spans.items()}

    def _ends(
        self, since: int, until: int, happened: Mapping[ProfileId, Iterable[int]]
    ) -> Iterator[int]:
        """When windows, days and pauses end."""
        if self._unit != "ever":
            zone = self._people.zone
            first = bucket_in(self._unit, since, zone) + 1
            for bucket in range(first, bucket_in(self._unit, until, zone) + 1):
                yield bucket_start(self._unit, bucket, zone)
        for times in happened.values():
            for pause in self._pauses:
                yield from (at + pause for at in times if since < at + pause <= until)

    def _inside(
        self, since: int, ends: list[int], asked: Mapping[ProfileId, int]
    ) -> set[ProfileId]:
        """Those who satisfied the rule, each at a moment of its own; windows lie as at their last end."""
        found: set[ProfileId] = set()
        groups: dict[int, dict[ProfileId, int]] = {}
        for profile, moment in asked.items():
            place = bisect_right(ends, moment)
            groups.setdefault(ends[place - 1] if place else since, {})[profile] = moment
        for at, moments in groups.items():
            relations = self._past.at_moments(moments)
            query = members_query(self._asked, at, self._people.timezone, relations)
            found.update(row[0] for row in self._people.rows(query))
        return found
