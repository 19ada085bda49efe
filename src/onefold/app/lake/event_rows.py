"""Events of the lake's files, each of the profile that it is of now: SQL that several relations share.

An event names its profile as of when it was written; `moves` say where that went since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from onefold.app.lake.tables import TableNow
from onefold.app.lake.typed import typed_columns
from onefold.engine import Engine
from onefold.lake import MIXED, by_layout, parse_file_name
from onefold.segment.metric import Field

LATE, LEFT = "late_moves", "left_profiles"


def events_part(
    source: str, typed: Sequence[Field], fields: Sequence[Field], old: bool = False
) -> str:
    """Write the events of a view of files, with these fields; `old` files name no profile."""
    profile = "null::bigint as profile_id" if old else "profile_id"
    return (
        f'select {profile}, owner, source, name, epoch_us("time") as "time", "time" as stamp, message_id, traits,'
        f" strong, properties, context{typed_columns(fields, typed)} from {source}"
    )


def by_profile(rows: str, left: str = LEFT) -> str:
    """Write events by the profiles that they name, where these went as a whole."""
    return (
        "select coalesce(l.home, e.profile_id) as profile, e.* exclude (profile_id)"
        f" from ({rows}) e left join {left} l on e.profile_id = l.profile_id"
    )


def oldest(files: Iterable[str], newer: pa.Table | None = None) -> int:
    """The batch as of which some event names its profile, at the earliest."""
    known = [parse_file_name(file).batch for file in files]
    if newer is not None and newer.num_rows:
        known.append(pc.min(newer["batch"]).as_py())
    return min(known, default=0)


def add_late_moves(engine: Engine, moves: TableNow, after: int, name: str = LATE) -> None:
    """Make the view of the moves after a batch, such as that of the oldest event which is read."""
    engine.add_view("moves", by_layout(moves.files), moves.newer)
    engine.view(name, f"select * from moves where batch > {after:d}")


def add_left_profiles(engine: Engine, late: str = LATE, name: str = LEFT) -> int:
    """Make the table of the profiles that moves left; say how many are in it."""
    return engine.keep(
        name,
        "select left_id as profile_id, case when arg_max(left_empty, batch)"
        " and min(profile_id) = max(profile_id) then min(profile_id) end as home"
        f" from {late} group by left_id",
    )


def all_went_one_way(engine: Engine, left: int, name: str = LEFT) -> bool:
    """Say whether each of so many left profiles went to one that nobody left since.

    Then it is not asked of each identifier where it is now.
    """
    [(known, whole, further)] = engine.rows(
        "left",
        f"select count(l.profile_id), count(l.home), count(f.profile_id) from {name} l"
        f" left join {name} f on l.home = f.profile_id",
        {},
    )
    return bool(known == left and whole == left and not further)


def with_rows(files: Iterable[str]) -> Iterator[str]:
    """The files that are not known to be empty."""
    for file in files:
        name = parse_file_name(file)
        if name.rows or name.layout == MIXED:
            yield file


def is_day(file: str) -> bool:
    """Is it a file that compaction made of a day?"""
    return parse_file_name(file).part.isdecimal()


def all_before(file: str, since: int | None) -> bool:
    """Does a file of one day end before a moment?"""
    if since is None or not is_day(file):
        return False
    day = f"{datetime.fromtimestamp(since // 1_000_000, UTC):%Y%m%d}"
    return parse_file_name(file).part < day
