"""What stands behind each piece of evidence: the event that said so, and the rules that let it count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from onefold.app.answers import RANKS
from onefold.app.identity.decisions import ChainLink, Obstacle
from onefold.app.identity.trial_examples import tried_link, version_of
from onefold.app.lake.tables import add_views, table_now
from onefold.app.workspace import open_lake
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.given import INTERNAL
from onefold.model.identity import IdentityRules
from onefold.model.profile import DECIDED, Node, NodeId, identifier_text
from onefold.resolve import Link, Partition, Refusals
from onefold.store import SQLiteStore

_RANK: dict[str, int] = {name: rank for rank, name in RANKS.items()}
_Said = dict[tuple[str, str, int, int], tuple[str, str]]


def with_events(
    settings: Settings,
    store: SQLiteStore,
    chain: Sequence[ChainLink],
    nodes: Mapping[NodeId, Node],
    rules: IdentityRules,
) -> tuple[ChainLink, ...]:
    """A chain with the event behind each link, and the versions of the rules by which it joins."""
    said = _said(settings, store, chain)
    known = {identifier_text(node): node for node in nodes.values()}
    found = []
    for one in chain:
        rank = _RANK[one.evidence]
        left, right = known[one.left], known[one.right]
        source, message = said.get((one.left, one.right, rank, one.time), (None, None))
        if rank == DECIDED:
            source, message = INTERNAL, left.more.decided[right.id][2]
        versions = {end.kind: version_of(end.kind, rules) for end in (left, right)}
        versions["people"] = version_of("", rules)
        found.append(replace(one, source=source, message_id=message, versions=versions))
    return tuple(found)


def _said(settings: Settings, store: SQLiteStore, chain: Sequence[ChainLink]) -> _Said:
    """Of pairs of identifiers, both ways round, the event that said that they belong together."""
    texts = sorted({end for one in chain for end in (one.left, one.right)})
    if not texts:
        return {}
    engine = DuckEngine(threads=1)
    left, right = "left_kind || ':' || left_value", "right_kind || ':' || right_value"
    try:
        add_views(engine, {"links": table_now(store, open_lake(settings), "links")})
        rows = engine.rows(
            "links",
            f"select {left} as one, {right} as two, rank, epoch_us(time), source, message_id"  # noqa: S608
            f" from all_links where {left} in (select unnest(?::varchar[]))"
            f" and {right} in (select unnest(?::varchar[])) order by all desc",
            {},
            [texts, texts],
        )
    finally:
        engine.close()
    found: _Said = {}
    for one, two, rank, time, source, message in rows:
        found[one, two, rank, time] = found[two, one, rank, time] = (source, message)
    return found


def with_rules(
    obstacles: Sequence[Obstacle],
    found: Partition,
    nodes: Mapping[NodeId, Node],
    rules: IdentityRules,
) -> tuple[Obstacle, ...]:
    """Obstacles with the rule that stands behind each, its words and its version."""
    against = Refusals(found, rules)
    known = {identifier_text(node): node for node in nodes.values()}
    told = []
    for one in obstacles:
        link = Link(_RANK[one.evidence], one.time, known[one.left], known[one.right])
        ruled = tried_link(link, against.of(link), rules)
        told.append(replace(one, rule=ruled.rule, says=ruled.says, version=ruled.version))
    return tuple(told)
