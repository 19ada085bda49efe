"""Two sets of identity rules on the same evidence, without any server: who would be whom."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
import pyarrow as pa

from onefold.app.definitions.files import read_text
from onefold.app.identity.link_files import labels_of, links_of, numbered, rules_in, rules_of
from onefold.app.identity.rule_answers import Rivals, RuleComparison, Shifted
from onefold.engine import DuckEngine
from onefold.model.identity import IdentityRules

_EXAMPLES, _IDENTIFIERS, _PEOPLE = 20, 10, 10
_TYPES = pa.schema(
    [
        ("left_kind", pa.string()),
        ("left_value", pa.string()),
        ("right_kind", pa.string()),
        ("right_value", pa.string()),
        ("rank", pa.int64()),
        ("time", pa.int64()),
    ]
)


def compare_rules(file: Path, before: Path | None, after: Path | None) -> RuleComparison:
    """What the rules of a folder make of a file of links that those of another do not.

    The file is as for `cluster_links`. Without a folder the rules hold that need no definition.
    """
    first, second = rules_in(before), rules_in(after)
    with (
        tempfile.TemporaryDirectory(prefix="onefold-") as spill,
        links_of(file, Path(spill)) as engine,
    ):
        return compared(engine, "told", first, second)


def compare_given(given: Rivals) -> RuleComparison:
    """The same of links that are handed in."""
    first, second = rules_of(read_text(given.before)), rules_of(read_text(given.after))
    engine = DuckEngine(threads=1, memory_mb=256)
    try:
        rows = pa.Table.from_pylist(
            [msgspec.to_builtins(one) for one in given.links], schema=_TYPES
        )
        engine.keep("told", rows)
        return compared(engine, "told", first, second)
    finally:
        engine.close()


def compared(
    engine: DuckEngine, given: str, before: IdentityRules, after: IdentityRules
) -> RuleComparison:
    """Compare what two sets of rules make of the links of a view."""
    found, identifiers = numbered(engine, given)
    labels = [labels_of(engine, found, rules) for rules in (before, after)]
    engine.keep("labels", pa.table(dict(zip(("one", "two"), labels, strict=True))))
    engine.keep(
        "who", "select kind || ':' || value as name, one, two from nodes positional join labels"
    )
    engine.keep("shared", "select one, two from who group by all")
    ((shared, profiles_before, profiles_after),) = engine.rows(
        "counts", "select count(*), count(distinct one), count(distinct two) from shared", {}
    )
    return RuleComparison(
        len(found),
        identifiers,
        profiles_before,
        profiles_after,
        shared - profiles_after,
        shared - profiles_before,
        _examples(engine, "one", "two"),
        _examples(engine, "two", "one"),
    )


def _examples(engine: DuckEngine, apart: str, together: str) -> tuple[Shifted, ...]:
    """People of whom several on the one side are one on the other, the largest first."""
    rows = engine.rows(
        "examples",
        f"with parts as (select {together} as whole, {apart} as part, list(name order by name) as"  # noqa: S608
        f" names from who group by all), several as (select whole, list(names order by names) as"
        " parts from parts group by whole having count(*) > 1)"
        f" select parts[1:{_PEOPLE}] from several order by len(parts) desc, parts limit {_EXAMPLES}",
        {},
    )
    found = []
    for (parts,) in rows:
        several = tuple(tuple(part[:_IDENTIFIERS]) for part in parts)
        whole = tuple(sorted(name for part in parts for name in part))[: _IDENTIFIERS * _PEOPLE]
        merged = apart == "one"
        found.append(Shifted(several, (whole,)) if merged else Shifted((whole,), several))
    return tuple(found)
