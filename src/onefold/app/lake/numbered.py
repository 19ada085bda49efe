"""Short numbers of the profiles that have events in memory: to group and to join by.

They are dense and take four bytes. A profile that has none goes by its id, which none of them is: they
are below zero. Those who have one lie apart from the others, who need not be looked at where
profiles are sought that have such events.
"""

from __future__ import annotations

from onefold.engine import DuckEngine

_TABLE, _LEFT = "held_numbers", "held_left_numbers"
_BYTES = 14


class Numbers:
    """Who has which number: once given, it stays."""

    def __init__(self) -> None:
        self.count = 0

    @property
    def names(self) -> frozenset[str]:
        """The tables that must stay."""
        return frozenset([_TABLE] if self.count else [])

    @property
    def size(self) -> int:
        """About so many bytes of memory."""
        return self.count * _BYTES

    def add(self, engine: DuckEngine, rows: str) -> None:
        """Number the profiles of a relation that have no number yet."""
        number = f"({-self.count} - row_number() over (order by profile))::integer as number"
        unknown = f"select distinct profile from {rows}"
        if self.count:
            unknown += f" where profile not in (select profile from {_TABLE})"
        known = f"select * from {_TABLE} union all " if self.count else ""
        self.count = engine.keep(_TABLE, f"{known}select profile, {number} from ({unknown})")

    @staticmethod
    def known(rows: str) -> str:
        """Write rows with the number instead of the profile, of those who have one."""
        return _numbered(f"n.number as profile, r.* exclude (profile) from ({rows}) r", "")

    @staticmethod
    def every(rows: str, to: str = "number") -> str:
        """Write rows with what the profile goes by as a further column, or instead of it."""
        rest = " exclude (profile)" if to == "profile" else ""
        return _numbered(
            f"coalesce(n.number, r.profile) as {to}, r.*{rest} from ({rows}) r", "left "
        )

    @staticmethod
    def apart(rows: str) -> tuple[str, str]:
        """Write the rows of those who have a number, with it and in its order, and all others."""
        known = _numbered(f"r.profile, n.number, r.* exclude (profile) from ({rows}) r", "")
        others = f"from ({rows}) r where not exists (select 1 from {_TABLE} n where n.profile = r.profile)"
        return f"{known} order by n.number", f"select r.* {others}"

    @staticmethod
    def profiles(rows: str) -> str:
        """Write rows with the profile instead of what it goes by."""
        return (
            f"select coalesce(n.profile, r.profile) as profile, r.* exclude (profile)"
            f" from ({rows}) r left join {_TABLE} n on r.profile = n.number"
        )

    @staticmethod
    def moved(engine: DuckEngine, rows: str, left: str) -> str:
        """Write rows by number, of the profiles that those who `left` went to."""
        engine.keep(
            _LEFT,
            f"select n.number, coalesce(h.number, l.home) as home from {left} l"
            f" join {_TABLE} n on l.profile_id = n.profile"
            f" left join {_TABLE} h on l.home = h.profile",
        )
        return (
            f"select coalesce(l.home, r.profile) as profile, r.* exclude (profile) from ({rows}) r"
            f" left join {_LEFT} l on r.profile = l.number"
        )


def _numbered(rows: str, how: str) -> str:
    return f"select {rows} {how}join {_TABLE} n on r.profile = n.profile"
