"""What stands behind each piece of evidence: the event that said so, and the rules that let it count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from onefold.app.answers import RANKS
from onefold.app.identity.decisions import ChainLink, Decision, Obstacle, verdict_of
from onefold.app.identity.trial_examples import tried_link, version_of
from onefold.app.lake.tables import add_views, table_now
from onefold.app.workspace import open_lake
from onefold.config import Settings
from onefold.engine import short_session
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
    table = table_now(store, open_lake(settings), "links")
    left, right = "left_kind || ':' || left_value", "right_kind || ':' || right_value"
    with short_session() as engine:
        add_views(engine, {"links": table})
        rows = engine.rows(
            "links",
            f"select {left} as one, {right} as two, rank, epoch_us(time), source, message_id"  # noqa: S608
            f" from all_links where {left} in (select unnest(?::varchar[]))"
            f" and {right} in (select unnest(?::varchar[])) order by all desc",
            {},
            [texts, texts],
        )
    found: _Said = {}
    for one, two, rank, time, source, message in rows:
        found[one, two, rank, time] = found[two, one, rank, time] = (source, message)
    return found


def decisions(
    settings: Settings, store: SQLiteStore, pairs: Sequence[tuple[Node, Node]]
) -> tuple[Decision, ...]:
    """People's last words on these pairs of nodes, the newest first, with who said so."""
    words = {
        frozenset((one.id, two.id)): (one, two, *one.more.decided[two.id])
        for one, two in pairs
        if two.id in one.more.decided
    }
    by = _authors(settings, store, {message: time for *_, time, message in words.values()})
    found = []
    for one, two, word, time, message in words.values():
        left, right = sorted((identifier_text(one), identifier_text(two)))
        found.append(Decision(left, right, verdict_of(word), time, by.get(message, "")))
    return tuple(sorted(found, key=lambda one: (-one.at, one.left, one.right)))


def _authors(settings: Settings, store: SQLiteStore, said: Mapping[str, int]) -> dict[str, str]:
    """Who said what these messages say, each of its time."""
    if not said:
        return {}
    table = table_now(store, open_lake(settings), "events")
    with short_session() as engine:
        add_views(engine, {"events": table})
        rows = engine.rows(
            "authors",
            "select message_id, json_extract_string(properties, '$.by') from all_events"
            " where source = ? and message_id in (select unnest(?::varchar[]))"
            " and epoch_us(time) in (select unnest(?::bigint[]))",
            {},
            [INTERNAL, [*said], [*said.values()]],
        )
    return {str(message): str(by or "") for message, by in rows}


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
