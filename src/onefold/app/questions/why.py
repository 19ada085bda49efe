"""Why: for a profile and a rule, each clause true, false or absent, with what made it so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from onefold.app.profiles.finding import find
from onefold.app.questions.audiences import (
    SAVED,
    CountedEvent,
    EventRow,
    Input,
    Why,
    WhyClause,
    WhyQuestion,
)
from onefold.app.questions.everybody import Everybody, everybody
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.given import is_reserved
from onefold.model.profile import Profile, profile_name
from onefold.model.sql import literal_sql
from onefold.pipeline.rows import json_text
from onefold.segment.asked import Asked
from onefold.segment.clauses import Clause, event_calls
from onefold.segment.events import EVENT_FUNCTIONS
from onefold.segment.fields import field_sql
from onefold.segment.metric import Column, Field
from onefold.segment.population import Relations, events_query, features_query
from onefold.segment.reading import told
from onefold.segment.rule import compile_rule
from onefold.segment.sequences import deciding_row
from onefold.segment.window_sql import (
    condition_sql,
    counted_source,
    sequence_moments_query,
)

_EVENTS_SHOWN = 20


def why(
    settings: Settings, question: WhyQuestion, before: Callable[[], None] = lambda: None
) -> Why:
    """Explain whether a profile satisfies a rule now."""
    now = now_us()
    with open_store(settings, cache_mb=4) as store:
        profile = find(store, question.profile, settings.default_country)
    with everybody(settings, {"": question.rule}, now, before) as (people, asked):
        found = _Evidence(people, asked, profile, now)
        clause = found.clause(asked.clauses[asked.name])
    segment = question.rule.removeprefix(SAVED) if question.rule.startswith(SAVED) else None
    return Why(
        profile_name(profile.id),
        asked.clauses[asked.name].text,
        now,
        clause.holds is True,
        clause,
        segment,
        None if segment is None else segment in profile.members,
        None if segment is None else profile.members.get(segment),
    )


class _Evidence:
    """All that was read of one profile to evaluate a rule."""

    def __init__(self, people: Everybody, asked: Asked, profile: Profile, now: int) -> None:
        self._people = people
        self._asked = asked
        self._now = now
        self._relations = _alone(people.relations, profile)
        self._metrics = {metric.id: metric for metric in asked.plan.metrics}
        self._columns = {column.name: column for column in asked.plan.columns}
        tests = asked.clauses[asked.name].tests
        self._tests = {id(test): f"c{number}" for number, test in enumerate(tests)}
        self._values = self._evaluated(tests)

    def clause(self, clause: Clause) -> WhyClause:
        """A clause with its parts."""
        if clause.kind == "test":
            holds = self._values[self._tests[id(clause)]]
            return WhyClause("test", clause.text, holds, self._inputs(clause))
        parts = tuple(map(self.clause, clause.parts))
        return WhyClause(clause.kind, clause.text, _TRUTH[clause.kind](parts), (), parts)

    def _evaluated(self, tests: Sequence[Clause]) -> dict[str, Any]:
        """All columns, those of the definitions referred to, and the tests, by their names."""
        plan = self._asked.plan
        features = features_query(
            plan.columns, plan.metrics, self._now, self._people.timezone, self._relations
        )
        found = {one.name: one.name for one in plan.columns}
        found |= {one.column: one.column for one in plan.outputs}
        found |= {self._tests[id(test)]: test.rule.expression for test in tests}
        listed = ", ".join(f"{sql} as {name}" for name, sql in found.items())
        ((*values,),) = self._people.rows(
            f"with profiles as ({features}), found as (select * from profiles"  # noqa: S608 - compiled
            f" join ({plan.sql}) using (profile)) select {listed} from found"
        )
        return dict(zip(found, values, strict=True))

    def _inputs(self, clause: Clause) -> tuple[Input, ...]:
        names = _calls(clause, self._asked)
        found = [
            self._input(column, names.get(column.name) or _described(column, self._metrics))
            for column in clause.rule.columns
            if _shown(column)
        ]
        scope = self._asked.scope
        referred = {name: column for name, (column, _) in scope.values.items()}
        referred |= {
            f"in_segment('{name}')": column for name, column in (scope.segments or {}).items()
        }
        found += [
            self._other(name, column)
            for name, column in referred.items()
            if column in clause.rule.expression
        ]
        return tuple(found)

    def _other(self, name: str, column: str) -> Input:
        """Another definition that a clause refers to, with what that read."""
        (output,) = (one for one in self._asked.plan.outputs if one.column == column)
        inputs = [
            self._input(one, _described(one, self._metrics))
            for one in output.columns
            if _shown(one)
        ]
        outputs = {one.key: one for one in self._asked.plan.outputs}
        inputs += [self._other(key[1], outputs[key].column) for key in output.uses]
        return Input(name, self._values[column], inputs=tuple(inputs))

    def _input(self, column: Column, name: str) -> Input:
        value = self._values[column.name]
        if column.kind != "window":
            return Input(name, told(value, column.type))
        zone = self._people.zone
        metrics = [self._metrics[one] for one in dict.fromkeys(column.metrics)]
        scan = f"({events_query([column], metrics, self._now, zone, self._relations)})"
        scan = counted_source(column, self._metrics, self._now, zone, scan)
        found = []
        for metric in metrics:
            if metric.id == column.session:
                continue
            shown = "name" if metric.kind in ("moments", "visits") else metric.value or "null"
            valued = f" and {metric.value} is not null" if metric.value else ""
            found.append(
                f"select message_id, time, {shown} as value from {scan}"  # noqa: S608 - compiled
                f" where {condition_sql(column, metric, self._now, zone)}{valued}"
            )
        rows = self._people.rows(
            f"select *, count(*) over () from ({' union '.join(found)})"  # noqa: S608 - compiled
            f" order by time desc, message_id desc limit {_EVENTS_SHOWN}"
        )
        events = tuple(CountedEvent(*row[:3]) for row in rows)
        since, until = column.window.bounds(self._now, zone)
        row = None if column.sequence is None else self._row(column, scan)
        return Input(name, value, since, until, rows[0][3] if rows else 0, events, row=row)

    def _row(self, column: Column, scan: str) -> EventRow:
        """The events in a row that decide whether a sequence is there."""
        sequence, zone = column.sequence, self._people.zone
        assert sequence is not None
        steps: list[dict[int, str]] = [{} for _ in (sequence.unless, *sequence.steps)]
        rows = self._people.rows(
            sequence_moments_query(column, self._metrics, self._now, zone, scan)
        )
        for step, time, message in rows:
            steps[step][time] = message
        unless, *following = map(list, steps)
        wait = bool(sequence.unless)
        row = deciding_row(following, sequence.within, unless, self._now, wait=wait)
        names = [self._metrics[one].event for one in sequence.steps]
        events = tuple(
            CountedEvent(message[time], time, name)
            for message, time, name in zip(steps[1:], row.times, names, strict=False)
        )
        broken_by = None
        if row.broken_at is not None:
            name = self._metrics[sequence.unless].event
            broken_by = CountedEvent(steps[0][row.broken_at], row.broken_at, name)
        expected = names[len(events)] if row.state == "incomplete" else None
        return EventRow(row.state, events, broken_by, row.holds_from, expected)


def _alone(relations: Relations, profile: Profile) -> Relations:
    """The relations with one profile in them, as the store has it."""

    def read(field: Field) -> str:
        return field_sql(field) if field.root == "traits" else relations.read(field)

    traits = literal_sql(json_text(profile.traits) or "{}")
    return Relations(
        f"(SELECT * FROM {relations.events} WHERE profile = {profile.id})",  # noqa: S608 - a number
        f"(SELECT CAST({profile.id} AS BIGINT) AS profile, {traits} AS traits)",
        read,
    )


def _calls(clause: Clause, asked: Asked) -> Mapping[str, str]:
    """How the columns of a test are written in it."""
    names = {
        column.name: ".".join(column.path)
        for column in clause.rule.columns
        if column.kind == "trait"
    }
    by_content = {
        (column.metrics, column.aggregate, column.window, column.sequence): column.name
        for column in clause.rule.columns
        if column.kind == "window"
    }
    for text in event_calls(clause.text, tuple(EVENT_FUNCTIONS)):
        for column in compile_rule(f"{text} is not null", asked.scope).columns:
            name = by_content.get(
                (column.metrics, column.aggregate, column.window, column.sequence)
            )
            if name is not None:
                names[name] = text
    return names


def _shown(column: Column) -> bool:
    """Whether a column is something that the rule names."""
    return column.kind != "clock" or column.path in (("today",), ("now",))


def _described(column: Column, metrics: Mapping[str, Any]) -> str:
    if column.kind == "clock":
        return f"{column.path[0]}()"
    if column.kind == "trait" and is_reserved(column.path[0]):
        what, name = column.path[0].removeprefix("$").split(".", 1)
        return f"{what} {name}, as given"
    if column.kind == "trait":
        return ".".join(column.path)
    events = [metrics[one].event or "any event" for one in column.metrics]
    return f"{column.aggregate} of {', '.join(events)}"


def _and(parts: Sequence[WhyClause]) -> bool | None:
    found = [part.holds for part in parts]
    return False if False in found else None if None in found else True


def _or(parts: Sequence[WhyClause]) -> bool | None:
    found = [part.holds for part in parts]
    return True if True in found else None if None in found else False


def _not(parts: Sequence[WhyClause]) -> bool | None:
    return None if parts[0].holds is None else not parts[0].holds


_TRUTH: Mapping[str, Callable[[Sequence[WhyClause]], bool | None]] = {
    "and": _and,
    "or": _or,
    "not": _not,
}
