"""How large a segment was, day by day: reckoned back from how large it is now."""

from __future__ import annotations

import msgspec

from onefold.app.questions.segments import member_counts
from onefold.app.workspace import now_us, open_lake, open_store
from onefold.config import Settings
from onefold.model.errors import NotFound
from onefold.segment.zone import load_zone
from onefold.store import SQLiteStore


class SizeRow(msgspec.Struct, frozen=True):
    """A day of a segment: when it begins, who entered and left on it, how many were in at its end."""

    day: int
    entered: int
    left: int
    members: int


def segment_sizes(settings: Settings, name: str, days: int = 30) -> list[SizeRow]:
    """The last so many days of the workspace's time zone, today included, oldest first."""
    with open_store(settings, cache_mb=4) as store:
        if ("segment", name) not in {(one.kind, one.name) for one in store.registry.definitions()}:
            raise NotFound(f"there is no segment {name!r}; `onefold segment list` shows them")
        zone = load_zone(settings.timezone)
        today = zone.day(now_us())
        starts = [zone.day_start(day) for day in range(today - days + 1, today + 1)]
        with store.db.snapshot():
            size = member_counts(store).get(name, 0)
            moves = _moves(settings, store, name, starts)
    rows = []
    for number in reversed(range(days)):
        entered, left = moves.get(number, (0, 0))
        rows.append(SizeRow(starts[number], entered, left, size))
        size -= entered - left
    rows.reverse()
    return rows


def _moves(
    settings: Settings, store: SQLiteStore, name: str, starts: list[int]
) -> dict[int, tuple[int, int]]:
    """Entries and exits, by the number of the day that they happened on."""
    # Brought in only here: the query engine weighs 50 MB, and the web process may never ask.
    from onefold.app.lake.tables import add_views, table_now  # noqa: PLC0415
    from onefold.engine import DuckEngine  # noqa: PLC0415

    engine = DuckEngine()
    try:
        add_views(engine, {"memberships": table_now(store, open_lake(settings), "memberships")})
        rows = engine.rows(
            "sizes",
            "with days as (select unnest(?::bigint[]) as start, generate_subscripts(?::bigint[], 1)"
            " - 1 as number) select number, count(*) filter (where member),"
            " count(*) filter (where not member) from all_memberships asof join days"
            " on epoch_us(changed_at) >= start"
            " where segment = ? and changed_at >= make_timestamptz(?) group by number",
            {},
            [starts, starts, name, starts[0]],
        )
    finally:
        engine.close()
    return {number: (entered, left) for number, entered, left in rows}
