"""Everybody as they were: the events that a rule can count, and traits as they were claimed."""

from __future__ import annotations

from onefold.app.everybody import Everybody
from onefold.segment.asked import Asked
from onefold.segment.buckets import field_sql
from onefold.segment.metric import Field
from onefold.segment.population import Relations, earliest, members_query
from onefold.segment.texts import literal_sql
from onefold.segment.window_sql import fields_sql


class Past:
    """What a rule reads of everybody between two moments, kept so that each step is quick."""

    def __init__(self, people: Everybody, asked: Asked, since: int, until: int) -> None:
        self._people = people
        self._asked = asked
        self._fields = {field.name for metric in asked.plan.metrics for field in metric.fields}
        self._traits = sorted(
            {column.path[0] for column in asked.plan.columns if column.kind == "trait"}
        )
        self._keep_events(since, until)
        if self._traits:
            self._keep_traits(until)
        self._newcomers = self._holds_for_nobody(until)
        if self._newcomers:
            people.rows(
                "create temp table arrived as select profile, min(time) as since"  # noqa: S608
                f" from {people.relations.events} group by profile"
            )

    def relations(self, moment: int) -> Relations:
        """Everybody as they were at a moment (µs UTC), as far as the rule reads them."""
        return Relations(
            f"(SELECT * FROM happened WHERE time <= {moment})",  # noqa: S608 - a number
            self._profiles(moment),
            self._read,
        )

    def _read(self, field: Field) -> str:
        return field_sql(field) if field.root == "traits" else field.name

    def _keep_events(self, since: int, until: int) -> None:
        """Keep the events that the rule can count in the period, with the fields that it reads."""
        plan, relations = self._asked.plan, self._people.relations
        windows = [column for column in plan.columns if column.kind == "window"]
        fields = "".join(f", {one}" for one in fields_sql(plan.metrics, relations.read))
        names = ", ".join(sorted({literal_sql(metric.event) for metric in plan.metrics}))
        begin = earliest(windows, since, self._people.timezone)
        wanted = f"name in ({names}) and time <= {until}" if names else "false"
        if begin is not None:
            wanted += f" and time >= {begin}"
        self._people.rows(
            "create temp table happened as"  # noqa: S608 - compiled
            f" select profile, name, time, message_id{fields} from {relations.events} where {wanted}"
        )

    def _keep_traits(self, until: int) -> None:
        """Keep from when until when each trait had which value, as survivorship picks claims.

        A claim that only repeats what is known loses to any that was made anew.
        """
        names = ", ".join(map(literal_sql, self._traits))
        paths = ", ".join(literal_sql(_path(name)) for name in self._traits)
        self._people.rows(
            "create temp table held as with claims as (select profile, time, message_id, source,"  # noqa: S608 - rendered
            f" strong, unnest([{names}]) as name, unnest(json_extract(traits, [{paths}])) as value"
            f" from {self._people.relations.events} where time <= {until} and traits <> '{{}}'),"
            " ordered as (select *, min(time) filter (strong)"
            " over (partition by profile, name) as known from claims where value is not null),"
            " lasting as (select * from ordered"
            " where strong or known is null or time < known)"
            " select profile, name, value, time as since, coalesce(lead(time) over"
            " (partition by profile, name order by time, strong, message_id, source),"
            f" {1 << 62}) as until from lasting"
        )

    def _profiles(self, moment: int) -> str:
        """Those who had been seen by a moment, with the traits that the rule reads."""
        everybody = self._people.relations.profiles
        where = ""
        if self._newcomers:
            where = f" WHERE profile IN (SELECT profile FROM arrived WHERE since <= {moment})"  # noqa: S608
        if not self._traits:
            return f"(SELECT profile, '{{}}' AS traits FROM {everybody}{where})"  # noqa: S608
        parts = ", ".join(
            f"{literal_sql(name)}, max(value) FILTER (WHERE name = {literal_sql(name)})"
            for name in self._traits
        )
        held = (
            f"SELECT profile, CAST(json_object({parts}) AS VARCHAR) AS known FROM held"  # noqa: S608
            f" WHERE since <= {moment} AND {moment} < until GROUP BY profile"
        )
        return (
            f"(SELECT profile, coalesce(known, '{{}}') AS traits FROM {everybody}"  # noqa: S608
            f" LEFT JOIN ({held}) USING (profile){where})"
        )

    def _holds_for_nobody(self, moment: int) -> bool:
        """Would somebody of whom nothing is known satisfy the rule? Then it matters who was there."""
        nothing = Relations(
            "(SELECT * FROM happened WHERE FALSE)",
            "(SELECT CAST(0 AS BIGINT) AS profile, '{}' AS traits)",
            self._read,
        )
        query = members_query(self._asked, moment, self._people.timezone, nothing)
        return bool(self._people.rows(query))


def _path(name: str) -> str:
    """The JSON pointer of a name in an object."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
