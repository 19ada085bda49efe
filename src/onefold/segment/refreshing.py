"""Tags that need everybody: one query over the population gives those whose value is another now.

Cuts are quantiles: `cut p` is the least value that at least p of all values do not exceed. Who
is above a cut is in the part above it, so the same value is always in the same part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from onefold.model.definitions import Ranking, Rfm, Statistics, TagDefinition
from onefold.model.errors import Fault, InvalidInput
from onefold.model.given import tag_trait
from onefold.model.sql import literal_sql
from onefold.segment.asked import reachable
from onefold.segment.metric import Field, Type
from onefold.segment.plan import Plan, Wanted, compile_plan
from onefold.segment.population import NOW, Relations, features_query
from onefold.segment.ready import RFM_GROUPS, RFM_SCORES, tag_values
from onefold.segment.rule import Scope, compile_rule
from onefold.segment.zone import load_zone

_BY, _WHERE = "\0by", "\0where"
_QUINTILES = (0.2, 0.4, 0.6, 0.8)
_MOST_PARTS = 100
_STATISTICS = {
    "mean": "avg(x)",
    "deviation": "stddev_pop(x)",
    "median": "quantile_disc(x, 0.5)",
    "least": "min(x)",
    "most": "max(x)",
}


def refresh_plan(tag: TagDefinition, known: Iterable[Wanted]) -> Plan:
    """What of each profile a tag's ranking or statistics look at; `InvalidInput` if it cannot be."""
    about = tag.rank or tag.statistics
    assert about is not None, "an RFM tag has no expression"
    asked = [Wanted("trait", _BY, about.by, type="number")]
    if about.where:
        asked.append(Wanted("segment", _WHERE, about.where))
    plan = compile_plan([*asked, *reachable(asked, {one.key: one for one in known})])
    for one in asked:
        if one.key in plan.refused:
            raise plan.refused[one.key]
    return plan


def refresh_query(
    tag: TagDefinition,
    known: Iterable[Wanted],
    now: int,
    timezone: str,
    relations: Relations = NOW,
) -> str:
    """Write the query for the profiles whose value is another now than the one they have.

    Its rows are `(profile, value)`, for RFM `(profile, value, recency, frequency, monetary)`.
    """
    if tag.rfm:
        return _rfm_query(tag, tag.rfm, now, timezone, relations)
    plan = refresh_plan(tag, known)
    columns = {one.name: one.column for one in plan.outputs}
    inside = columns.get(_WHERE, "TRUE")
    features = features_query(plan.columns, plan.metrics, now, timezone, relations)
    found = f"SELECT profile, CASE WHEN {inside} THEN {columns[_BY]} END AS x FROM ({plan.sql})"
    cuts, value = _cut(tag)
    return (
        f"WITH profiles AS ({features}), found AS MATERIALIZED ({found}),"
        f" cuts AS (SELECT {cuts} FROM found WHERE x IS NOT NULL),"
        f" valued AS (SELECT profile, CASE WHEN x IS NOT NULL THEN {value} END AS value"
        f" FROM found, cuts), had AS ({_had(tag, relations)})"
        " SELECT valued.profile, valued.value FROM valued"
        " LEFT JOIN had ON valued.profile = had.profile"
        " WHERE valued.value IS DISTINCT FROM had.value"
    )


def rank_faults(ranking: Ranking) -> Iterable[Fault]:
    """What is wrong with how a ranking is cut."""
    if bool(ranking.into) == bool(ranking.top):
        yield Fault("says how to cut the order twice or not at all", "rank", "write into or top")
    if ranking.into and not 2 <= ranking.into <= _MOST_PARTS:
        yield Fault(f"must be from 2 to {_MOST_PARTS}", "rank.into")
    if ranking.values and len(ranking.values) != ranking.into:
        yield Fault(f"must name each of the {ranking.into} parts", "rank.values")
    shares = list(ranking.top.values())
    if shares != sorted(set(shares)) or any(not 0 < share <= 100 for share in shares):
        hint = "for example: {gold: 1, silver: 10, bronze: 30}"
        yield Fault("must be growing shares up to 100 percent", "rank.top", hint)


def compile_statistics(about: Statistics) -> str:
    """Write the cases of a statistics tag over `x` and the statistics; `InvalidInput` if wrong."""
    names: dict[str, tuple[str, Type]] = {"x": ("x", "number"), "z": (_Z, "number")}
    names |= {name: (name, "number") for name in _STATISTICS}
    names |= {f"q{percent}": (f"q{percent}", "number") for percent in range(1, 100)}
    scope = Scope(values=names, segments={}, strict=True)
    faults: list[Fault] = []
    parts = []
    for number, case in enumerate(about.cases, 1):
        try:
            condition = compile_rule(case.when or "true", scope).expression
        except InvalidInput as error:
            faults += [
                Fault(one.message, f"case {number}, {one.where}", one.hint) for one in error.faults
            ]
            continue
        parts.append(f"WHEN {condition} THEN {literal_sql(case.value)}")
    if faults:
        raise InvalidInput("the tag cannot be used", faults)
    return f"CASE {' '.join(parts)} END"


_Z = "((x - mean) / nullif(deviation, 0e0))"


def _had(tag: TagDefinition, relations: Relations) -> str:
    """What profiles have of a tag so far; of those that say nothing of it nothing is read."""
    trait = tag_trait(tag.name)
    read = [(relations.read(Field("value", "traits", (trait, "value"), "text")), "value")]
    for score in RFM_SCORES if tag.rfm else ():
        value = relations.read(Field(score, "traits", (trait, score), "number"))
        read.append((f"CAST({value} AS BIGINT)", score))
    columns = ", ".join(f"{sql} AS {name}" for sql, name in read)
    written = literal_sql(msgspec.json.encode(trait).decode())
    return f"SELECT profile, {columns} FROM {relations.profiles} WHERE contains(traits, {written})"


def _cut(tag: TagDefinition) -> tuple[str, str]:
    """What is known of everybody, and the value that it gives to one."""
    if tag.rank:
        return _ranked(tag.rank, tag_values(tag))
    assert tag.statistics is not None, "an RFM tag has a query of its own"
    return _compared(tag.statistics)


def _ranked(ranking: Ranking, values: Sequence[str]) -> tuple[str, str]:
    """The cuts, and the value between them, from the top."""
    if ranking.into:
        shares = [one / ranking.into for one in range(ranking.into - 1, 0, -1)]
        names = list(reversed(values))
    else:
        shares = [1 - share / 100 for share in ranking.top.values() if share < 100]
        names = list(values)
    cases = [
        f"WHEN x > q[{number}] THEN {literal_sql(name)}"
        for number, name in zip(range(1, len(shares) + 1), names, strict=False)
    ]
    rest = literal_sql(names[len(shares)]) if len(names) > len(shares) else "NULL"
    listed = ", ".join(f"{share!r}" for share in shares)
    return f"quantile_disc(x, [{listed}]) AS q", f"CASE {' '.join(cases)} ELSE {rest} END"


def _compared(about: Statistics) -> tuple[str, str]:
    value = compile_statistics(about)
    found = [f"{sql} AS {name}" for name, sql in _STATISTICS.items()]
    found += [
        f"quantile_disc(x, {percent / 100!r}) AS q{percent}"
        for percent in range(1, 100)
        if any(f"q{percent}" in case.when for case in about.cases)
    ]
    return ", ".join(found), value


def rfm_since(rfm: Rfm, now: int, timezone: str) -> int:
    """From when on events count: whole days of the workspace's zone, today included."""
    zone = load_zone(timezone)
    return zone.day_start(zone.day(now) - rfm.days + 1)


def _rfm_query(tag: TagDefinition, rfm: Rfm, now: int, timezone: str, relations: Relations) -> str:
    amount = relations.read(_amount(rfm))
    listed = ", ".join(f"{share!r}" for share in _QUINTILES)
    cuts = ", ".join(f"quantile_disc({score}, [{listed}]) AS {score}" for score in RFM_SCORES)
    scored = ", ".join(f"{_score(score)} AS {score}" for score in RFM_SCORES)
    new, old = (
        ", ".join(f"{table}.{one}" for one in ("value", *RFM_SCORES)) for table in ("found", "had")
    )
    return (
        "WITH totals AS MATERIALIZED (SELECT profile, max(time) AS recency, count(*) AS frequency,"
        f" coalesce(sum(amount), 0e0) AS monetary FROM (SELECT profile, time, {amount} AS amount"
        f" FROM {relations.events} WHERE name = {literal_sql(rfm.event)}"
        f" AND time >= {rfm_since(rfm, now, timezone)} AND time <= {now}"
        " AND profile IS NOT NULL) GROUP BY profile),"
        f" cuts AS (SELECT {cuts} FROM totals),"
        f" scores AS (SELECT profile, {scored} FROM totals, cuts),"
        f" found AS (SELECT *, {_group()} AS value FROM scores),"
        f" had AS ({_had(tag, relations)})"
        f" SELECT coalesce(found.profile, had.profile), {new}"
        " FROM found FULL JOIN had ON found.profile = had.profile"
        f" WHERE ({new}) IS DISTINCT FROM ({old})"
    )


def _amount(rfm: Rfm) -> Field:
    root, *keys = rfm.value.split(".")
    return Field("amount", root, tuple(keys), "number")


def _score(of: str) -> str:
    """1 to 5: how many cuts the value is above, and one."""
    above = " + ".join(f"CAST(totals.{of} > cuts.{of}[{cut}] AS BIGINT)" for cut in range(1, 5))
    return f"1 + {above}"


def _group() -> str:
    """The named group of a score of recency, and of frequency and monetary together."""
    both = "((frequency + monetary + 1) // 2)"
    cases = " ".join(
        f"WHEN recency BETWEEN {low} AND {high} AND {both} BETWEEN {least} AND {most}"
        f" THEN {literal_sql(name)}"
        for name, ((low, high), (least, most)) in RFM_GROUPS.items()
    )
    return f"CASE {cases} END"
