"""How often events broke tracking plans, by the hour."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import astuple, replace

from onefold.model.plans import Breach, ViolationCount
from onefold.store.database import Database

_KEPT_US = 90 * 86_400_000_000
_MOST_AN_HOUR = 5_000
_FIELDS = ", ".join(Breach.__struct_fields__)
_ADD = (
    "update violations set events = events + ? where hour = ? and plan = ? and version = ?"
    " and source = ? and event = ? and field = ? and fault = ? and mode = ?"
)
_INSERT = (
    f"insert into violations (events, hour, {_FIELDS}) values (?,?,?,?,?,?,?,?,?)"  # noqa: S608
    " on conflict do update set events = events + excluded.events"
)
MORE = "(more)"
"""Stands for all other fields, where an hour has so many that they cannot be names of fields."""


class Violations:
    """The violations of one workspace."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def write(self, counted: Mapping[tuple[int, Breach], int]) -> None:
        """Add what a batch counted; inside its transaction. What is older than 90 days goes."""
        connection = self._db.connection
        newest = max(hour for hour, _ in counted)
        connection.execute("delete from violations where hour < ?", (newest - _KEPT_US,))
        room = _MOST_AN_HOUR - self._db.one(
            "select count(*) from violations where hour = ?", newest
        )
        for (hour, one), number in counted.items():
            if not connection.execute(_ADD, (number, hour, *astuple(one))).rowcount:
                room -= 1
                kept = one if room >= 0 else replace(one, field=MORE)
                connection.execute(_INSERT, (number, hour, *astuple(kept)))

    def list(
        self,
        since: int,
        *,
        source: str = "",
        event: str = "",
        plan: str = "",
        by_hour: bool = False,
        limit: int = 1_000,
    ) -> list[ViolationCount]:
        """Those seen since a time (µs), the most frequent first; by the hour, the newest first."""
        hours = ", hour" if by_hour else ""
        order = "hour desc, sum(events) desc" if by_hour else "sum(events) desc"
        rows = self._db.rows(
            f"select {_FIELDS}, sum(events), min(hour), max(hour)"  # noqa: S608 - texts of ours
            " from violations where hour >= ? and (? = '' or source = ?)"
            " and (? = '' or event = ?) and (? = '' or plan = ?)"
            f" group by {_FIELDS}{hours}"
            f" order by {order}, source, event, plan, field, fault limit ?",
            since - since % 3_600_000_000,
            *(source, source, event, event, plan, plan),
            limit,
        )
        return [ViolationCount(*row) for row in rows]
