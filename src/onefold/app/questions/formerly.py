"""Everybody as they were: the events that a rule can count, and traits as they were claimed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from onefold.app.questions.everybody import Everybody
from onefold.model.profile import ProfileId
from onefold.model.sql import literal_sql
from onefold.segment.asked import Asked
from onefold.segment.bucket_query import named_sql
from onefold.segment.fields import field_sql, json_pointer
from onefold.segment.metric import Field
from onefold.segment.population import Relations, earliest, members_query
from onefold.segment.trait_sql import traits_query
from onefold.segment.window_sql import fields_sql


class Past:
    """What a rule reads of everybody between two moments, kept so that each step is quick."""

    def __init__(self, people: Everybody, asked: Asked, since: int, until: int) -> None:
        self._people = people
        self._asked = asked
        self._fields = {field.name for metric in asked.plan.metrics for field in metric.fields}
        self._values = _values_of(asked, until, people)
        self._names = sorted({field.keys[0] for field in self._values.values()})
        self._keep_events(since, until)
        if self._names:
            self._keep_traits(until)
        self._newcomers = self._holds_for_nobody(until)
        self._kept = {"happened": "time"} | ({"held": "since"} if self._names else {})
        if self._newcomers:
            self._kept["arrived"] = "since"
            people.keep(
                "arrived",
                "select profile, min(time) as since"  # noqa: S608 - our own names
                f" from {people.relations.events} group by profile",
            )

    def relations(self, moment: int) -> Relations:
        """Everybody as they were at a moment (µs UTC), as far as the rule reads them."""
        return Relations(
            f"(SELECT * FROM happened WHERE time <= {moment})",  # noqa: S608 - a number
            self._profiles(str(moment), self._people.relations.profiles),
            self._read,
        )

    def keep_few(self, profiles: Iterable[ProfileId]) -> None:
        """Keep apart what is known of a few profiles, for `times` and `at_moments`."""
        some = ", ".join(map(str, profiles))
        for name in self._kept:
            self._people.keep(f"few_{name}", f"select * from {name} where profile in ({some})")  # noqa: S608

    def times(self, since: int, until: int) -> dict[ProfileId, set[int]]:
        """When anything that the rule can see happened to the few: after a moment (µs UTC), by another."""
        found: dict[ProfileId, set[int]] = {}
        for name, time in self._kept.items():
            rows = self._people.rows(
                f"select distinct profile, {time} from few_{name}"  # noqa: S608 - our own names
                f" where {time} > {since} and {time} <= {until}"
            )
            for profile, at in rows:
                found.setdefault(profile, set()).add(at)
        return found

    def at_moments(self, moments: Mapping[ProfileId, int]) -> Relations:
        """Some of the few, each as of a moment of its own (µs UTC)."""
        asked = " union all ".join(
            f"select cast({profile} as bigint) as profile, cast({at} as bigint) as moment"
            for profile, at in moments.items()
        )
        them = f"join ({asked}) as asked using (profile)"
        return Relations(
            f"(select few_happened.* from few_happened {them} where time <= moment)",  # noqa: S608
            self._profiles("moment", f"(select * from ({asked}) as asked)", "few_", them),  # noqa: S608
            self._read,
        )

    def _read(self, field: Field) -> str:
        if field.root != "traits":
            return field.name
        return next(name for name, one in self._values.items() if _same(one, field))

    def _keep_events(self, since: int, until: int) -> None:
        """Keep the events that the rule can count in the period, with the fields that it reads."""
        plan, relations = self._asked.plan, self._people.relations
        windows = [column for column in plan.columns if column.kind == "window"]
        fields = "".join(f", {one}" for one in fields_sql(plan.metrics, relations.read))
        names = {metric.event for metric in plan.metrics}
        begin = earliest(windows, since, self._people.timezone)
        wanted = f"{named_sql(names)} and time <= {until}" if names else "false"
        if begin is not None:
            wanted += f" and time >= {begin}"
        self._people.keep(
            "happened",
            f"select profile, name, time, message_id{fields}"  # noqa: S608 - compiled
            f" from {relations.events} where {wanted}",
        )

    def _keep_traits(self, until: int) -> None:
        """Keep from when until when each trait had which value, as survivorship picks claims.

        A claim that only repeats what is known loses to any that was made anew.
        """
        claims = ", ".join(
            f"{{'name': {literal_sql(name)},"
            f" 'made': json_exists(traits, {literal_sql(json_pointer(name))})}}"
            for name in self._names
        )
        read = "".join(f", {field_sql(one)} as {name}" for name, one in self._values.items())
        self._people.keep(
            "held",
            "with claims as (select profile, time, message_id, source,"  # noqa: S608 - rendered
            f" strong{read}, unnest([{claims}]) as claim"
            f" from {self._people.relations.events} where time <= {until} and traits <> '{{}}'),"
            " named as (select *, claim.name as name from claims where claim.made),"
            " ordered as (select *, min(case when strong then time end)"
            " over (partition by profile, name) as known from named),"
            " lasting as (select * from ordered"
            " where strong or known is null or time < known)"
            f" select profile, name, {', '.join(self._values)}, time as since, coalesce(lead(time) over"
            " (partition by profile, name order by time, strong, message_id, source),"
            f" {1 << 62}) as until from lasting",
        )

    def _profiles(self, moment: str, everybody: str, of: str = "", them: str = "") -> str:
        """Those who had been seen by a moment, with the traits that the rule reads.

        `them` joins those of the tables who are asked of, each with a moment of their own.
        """
        where = ""
        if self._newcomers:
            # Of whom no event is known, it is not known either when they came.
            later = f"SELECT profile FROM {of}arrived {them} WHERE since > {moment}"  # noqa: S608
            where = f" WHERE profile NOT IN ({later})"
        if not self._names:
            return f"(SELECT profile FROM {everybody}{where})"  # noqa: S608
        held = f"FROM {of}held {them} WHERE since <= {moment} AND {moment} < until"
        if len(self._names) == 1:
            held = f"SELECT profile, {', '.join(self._values)} {held}"
        else:
            parts = ", ".join(
                f"any_value({name}) FILTER (WHERE name = {literal_sql(field.keys[0])}) AS {name}"
                for name, field in self._values.items()
            )
            held = f"SELECT profile, {parts} {held} GROUP BY profile"
        return (
            f"(SELECT profile, {', '.join(self._values)} FROM {everybody}"  # noqa: S608 - our own names
            f" LEFT JOIN ({held}) USING (profile){where})"
        )

    def _holds_for_nobody(self, moment: int) -> bool:
        """Would somebody of whom nothing is known satisfy the rule? Then it matters who was there."""
        nothing = Relations(
            "(SELECT * FROM happened WHERE FALSE)",
            self._nothing(),
            self._read,
        )
        query = members_query(self._asked, moment, self._people.timezone, nothing)
        return bool(self._people.rows(query))

    def _nothing(self) -> str:
        """Somebody of whom nothing is known."""
        if not self._names:
            return "(SELECT CAST(0 AS BIGINT) AS profile)"
        values = ", ".join(self._values)
        return (
            f"(SELECT CAST(0 AS BIGINT) AS profile, {values} FROM (SELECT 1)"  # noqa: S608 - our own names
            f" LEFT JOIN (SELECT {values} FROM held WHERE FALSE) ON TRUE)"
        )


def _values_of(asked: Asked, now: int, people: Everybody) -> dict[str, Field]:
    """The values inside traits that the rule reads, each with the name of its column."""
    found: dict[str, Field] = {}

    def note(field: Field) -> str:
        known = [name for name, one in found.items() if _same(one, field)]
        name = known[0] if known else f"h{len(found)}"
        found[name] = field
        return name

    traits_query(asked.plan.columns, now, people.zone, "nobody", note)
    return found


def _same(one: Field, other: Field) -> bool:
    return (one.keys, one.type) == (other.keys, other.type)
