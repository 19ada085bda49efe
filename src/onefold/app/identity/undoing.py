"""Merges of the past: listed, and undone by their ids, as often as somebody changes their mind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

from onefold.app.identity.decisions import VERDICTS, Verdict, verdict_of
from onefold.app.identity.merge_answers import MergePage, MergeRow, Undone
from onefold.app.in_force import load_definitions
from onefold.app.lake.tables import add_views, table_now
from onefold.app.profiles.finding import find
from onefold.app.profiles.given import append_claims
from onefold.app.workspace import id_maker, node_key, now_us, open_lake, open_store
from onefold.config import Settings
from onefold.engine import short_session
from onefold.model.errors import Conflict, Fault, InvalidInput, NotFound
from onefold.model.given import SAME, GivenClaim
from onefold.model.identity import IdentityRules
from onefold.model.profile import Node, NodeId, identifier_from, profile_name
from onefold.pipeline.rows import Rows
from onefold.pipeline.working import Working
from onefold.resolve import node_id, parting
from onefold.store import SQLiteStore

_UNDO = "undo-"
_LARGEST = 1 << 62


def merges(
    settings: Settings, reference: str = "", limit: int = 100, before: str = ""
) -> MergePage:
    """The merges of a profile, or of everybody, newest first; `before` is the `next` of a page."""
    where, values = "what = 'merge'", list[Any]()
    if before:
        where += " and (batch, number) < (?, ?)"
        values += _place(before)
    with open_store(settings, cache_mb=4) as store:
        if reference:
            found = find(store, reference, settings.default_country)
            where += " and profile in (select unnest(?::varchar[]))"
            values.append([profile_name(name) for name in {found.id, *dict(found.names)}])
        rows = _changes(
            settings, store, where, values, f" order by batch desc, number desc limit {limit + 1:d}"
        )
    items = [
        MergeRow(f"{batch}-{number}", at, profile, gone)
        for batch, number, profile, at, gone, *_ in rows[:limit]
    ]
    return MergePage(items, items[-1].id if len(rows) > limit else None)


def merge_undo(settings: Settings, merge: str, *, actor: str = "cli") -> Undone:
    """Make two of what a merge made one: each side has what it had, and what came to it since.

    What keeps them apart are a person's words on pairs of identifiers: they outrank all evidence, and
    hold in a rebuild. `merge_redo` takes them back.
    """
    with open_store(settings, cache_mb=4) as store:
        row, sides, nodes, rules = _merge(settings, store, merge)
        now = now_us()
        pairs = parting(nodes, *sides, rules, now)
        if not pairs:
            raise Conflict(f"{row.profile} and {row.merged} are two people now")
        roots = [_root(nodes, side) for side in sides]
        if tuple(roots) not in pairs:
            pairs.append((roots[0], roots[1]))
        claims = [
            _claim(nodes, pair, f"{_UNDO}{merge}.{now}.{at}.{_was(nodes, pair)}", False, now, actor)
            for at, pair in enumerate(pairs)
        ]
        append_claims(settings, store, claims, now)
        store.registry.audit(now, actor, "identity.undo", merge, {"pairs": len(claims)})
    return Undone(merge, row.profile, row.merged, _named(claims), now, actor)


def merge_redo(settings: Settings, merge: str, *, actor: str = "cli") -> Undone:
    """Take the undoing of a merge back: what people said before of the same pairs holds again."""
    with open_store(settings, cache_mb=4) as store:
        row, sides, nodes, _ = _merge(settings, store, merge)
        now = now_us()
        claims = [
            _claim(nodes, (one, two), f"re{name.removeprefix('un')}", _before(name), now, actor)
            for one in sorted(sides[0])
            for two, (_, _, name) in sorted(nodes[one].more.decided.items())
            if name.startswith(f"{_UNDO}{merge}.") and two in nodes
        ]
        if not claims:
            raise Conflict(f"the merge {merge} is not undone")
        append_claims(settings, store, claims, now)
        store.registry.audit(now, actor, "identity.redo", merge, {"pairs": len(claims)})
    return Undone(merge, row.profile, row.merged, _named(claims), now, actor)


class _Merge(NamedTuple):
    """A merge, what each side had before it, and all that evidence connects with them now."""

    row: MergeRow
    sides: tuple[set[NodeId], set[NodeId]]
    nodes: dict[NodeId, Node]
    rules: IdentityRules


def _merge(settings: Settings, store: SQLiteStore, merge: str) -> _Merge:
    batch, number = _place(merge)
    rows = _changes(
        settings,
        store,
        "(batch = ? and number = ? and what = 'merge') or (what = 'identifier' and batch <= ?"
        " and profile in (select unnest([profile, name]) from all_changes"
        " where batch = ? and number = ? and what = 'merge'))",
        [batch, number, batch, batch, number],
        " order by batch, number",
    )
    found = [row for row in rows if row[5] == "merge"]
    if not found:
        raise NotFound(f"there is no merge {merge!r}; `onefold identity merges` shows them")
    _, _, profile, at, gone, *_ = found[0]
    key = node_key(store)
    kept, lost = (_had(rows, one, batch) for one in (profile, gone))
    left, right = ({_node(key, text) for text in texts} for texts in (kept - lost, lost))
    known = store.profiles_of([*left, *right]).keys()
    sides = (left & known, right & known)
    if not all(sides):
        raise Conflict(f"of the merge {merge} one side is not known any more")
    rules = load_definitions(store)[0].identity
    nodes = Working(store, id_maker(), Rows(0), rules).closure(set().union(*sides))
    return _Merge(MergeRow(merge, at, profile, gone), sides, nodes, rules)


def _changes(
    settings: Settings, store: SQLiteStore, where: str, values: Sequence[Any], tail: str
) -> list[tuple[Any, ...]]:
    table = table_now(store, open_lake(settings), "changes")
    with short_session() as engine:
        add_views(engine, {"changes": table})
        return engine.rows(
            "changes",
            "select batch, number, profile, epoch_us(changed_at), name, what, new"  # noqa: S608
            f" from all_changes where {where}{tail}",
            {},
            values,
        )


def _had(rows: Iterable[tuple[Any, ...]], profile: str, batch: int) -> set[str]:
    """The identifiers of a profile before a batch; where it came with that batch, its first ones."""
    held: set[str] = set()
    came: set[str] = set()
    for at, _, whose, _, name, what, new in rows:
        if whose != profile or what != "identifier":
            continue
        if at < batch:
            (held.discard if new is None else held.add)(name)
        elif new is not None:
            came.add(name)
    return held or came


def _node(key: bytes, text: str) -> NodeId:
    return node_id(key, identifier_from(text))


def _root(nodes: dict[NodeId, Node], side: set[NodeId]) -> NodeId:
    """What stands for a side: a user id, if it has one, else what was seen first."""
    known = [nodes[one] for one in side]
    return min(known, key=lambda one: (one.kind != "user_id", one.first_seen, one.value)).id


def _was(nodes: dict[NodeId, Node], pair: tuple[NodeId, NodeId]) -> str:
    said = nodes[pair[0]].more.decided.get(pair[1])
    return verdict_of(None if said is None else said[0])


def _before(undoing: str) -> bool | None:
    """What was said of a pair before the undoing of this name."""
    return VERDICTS[cast("Verdict", undoing.rpartition(".")[2])]


def _claim(
    nodes: dict[NodeId, Node],
    pair: tuple[NodeId, NodeId],
    name: str,
    same: bool | None,
    now: int,
    actor: str,
) -> GivenClaim:
    one, two = (nodes[end] for end in pair)
    return GivenClaim(name, now, one.kind, one.value, {SAME: same}, actor, (two.kind, two.value))


def _named(claims: Iterable[GivenClaim]) -> tuple[tuple[str, str], ...]:
    return tuple((f"{one.kind}:{one.value}", ":".join(one.other or ())) for one in claims)


def _place(merge: str) -> list[int]:
    parts = merge.split("-")
    if len(parts) != 2 or not all(one.isdecimal() and int(one) < _LARGEST for one in parts):
        fault = Fault(f"{merge!r} is no id of a merge", "merge", "such as 184-3")
        raise InvalidInput("the merge cannot be found", [fault])
    return [int(one) for one in parts]
