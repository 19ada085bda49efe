"""Match models of a workspace: trained on what is claimed, compared dry, put in force."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pyarrow as pa

from onefold.app.in_force import MatchUse, match_use_in_force, stored_model
from onefold.app.matching import steps, training
from onefold.app.matching.pairwise import people_table
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.engine.duck import DuckEngine
from onefold.model.errors import Fault, InvalidInput
from onefold.model.matching import MatchModel, Quality, decode_model, encode_model
from onefold.model.profile import NodeId, Profile, ProfileId, decode_profile, identifier_text
from onefold.pipeline import record_of
from onefold.resolve.matching.pairwise import Matcher, decode_record
from onefold.standardize.people.roles import ROLES
from onefold.store import SQLiteStore, StoredModel

_PROFILES_A_PAGE = 2_000
_SHOWN = 20


class ModelView(msgspec.Struct, frozen=True):
    """A match model in the store; whether it is in force, and what it expects of itself."""

    version: str
    in_force: bool
    created_at: int
    created_by: str
    compares: tuple[str, ...]
    quality: Quality


class Pair(msgspec.Struct, frozen=True):
    """Two identifiers of profiles that would be merged, or parted."""

    left: str
    right: str
    weight: float


class Comparison(msgspec.Struct, frozen=True):
    """What a model would change if it came in force: pairs of profiles, and some of each kind."""

    version: str
    records: int
    profiles: int
    merges: int
    splits: int
    reviews: int
    merged: tuple[Pair, ...]
    parted: tuple[Pair, ...]


class Told(msgspec.Struct, frozen=True):
    """A record that is claimed of an identifier, and whose it is now."""

    node: NodeId
    name: str
    profile: ProfileId
    record: bytes


def match_train(
    settings: Settings,
    columns: Mapping[str, str] | None = None,
    region: str | None = None,
    *,
    actor: str = "cli",
) -> ModelView:
    """Train a model on all that is claimed of people; it is kept, but not yet in force."""
    told = _checked(columns or {})
    with open_store(settings) as store, _new_engine(settings) as engine:
        found = list(_told(store, told, region))
        if len(found) < 2:
            fault = Fault("nobody has traits that say who a person is", hint="see the page people")
            raise InvalidInput("there is nothing to learn from", [fault])
        model = training.learn(engine, _compare_all(engine, found))
        return _kept(store, model, actor)


def match_add(settings: Settings, body: bytes, *, actor: str = "cli") -> ModelView:
    """Keep a model that was trained elsewhere, such as by `onefold dedupe --save-model`."""
    model = decode_model(encode_model(decode_model(body)))
    Matcher(model)
    with open_store(settings, cache_mb=4) as store:
        return _kept(store, model, actor)


def match_use(
    settings: Settings,
    version: str,
    columns: Mapping[str, str] | None = None,
    region: str | None = None,
    *,
    actor: str = "cli",
) -> ModelView:
    """Put a model in force: everybody is matched by it in the background, while events go on."""
    use = MatchUse(version, _checked(columns or {}), region)
    with open_store(settings, cache_mb=4) as store:
        stored = stored_model(store, version)
        store.registry.use_match_model(msgspec.json.encode(use), now_us(), actor, version)
        return _view(stored, version)


def match_off(settings: Settings, *, actor: str = "cli") -> None:
    """Take the model out of force: all that it joined is parted again, in the background."""
    with open_store(settings, cache_mb=4) as store:
        store.registry.use_match_model(None, now_us(), actor, "")


def match_models(settings: Settings) -> list[ModelView]:
    """All models, the newest first."""
    with open_store(settings, cache_mb=4) as store:
        current = _in_force(store)
        return [_view(one, current) for one in store.matches.models()]


def match_compare(
    settings: Settings,
    version: str,
    columns: Mapping[str, str] | None = None,
    region: str | None = None,
) -> Comparison:
    """What would change if a model came in force; nothing is changed."""
    told = _checked(columns or {})
    with open_store(settings) as store, _new_engine(settings) as engine:
        model = decode_model(stored_model(store, version).body)
        found = list(_told(store, told, region))
        pairs = _pairs(engine, model, found) if len(found) > 1 else {}
        return _compared(version, model, found, pairs, _taken(store))


@contextmanager
def _new_engine(settings: Settings) -> Iterator[DuckEngine]:
    with tempfile.TemporaryDirectory(prefix="onefold-") as spill:
        engine = DuckEngine(threads=settings.sql_threads, memory_mb=2048, spill=Path(spill))
        try:
            yield engine
        finally:
            engine.close()


def _compare_all(
    engine: DuckEngine, found: list[Told], model: MatchModel | None = None
) -> steps.Plan:
    """Make the table of the compared pairs: by what a model compares, or by what these records allow."""
    engine.keep("people", "SELECT * FROM given", {"given": _table(found)})
    plan = steps.prepare(engine, model=model)
    steps.block(engine, plan)
    steps.compare(engine, plan)
    return plan


def _pairs(
    engine: DuckEngine, model: MatchModel, found: list[Told]
) -> dict[tuple[int, int], tuple[float, bool]]:
    """The pairs of records that a model finds: the weight, and whether they are one person."""
    plan = _compare_all(engine, found, model)
    steps.score(engine, plan, model)
    steps.cluster(engine, plan, model)
    rows = engine.rows(
        "pairs",
        "SELECT a.record_id, b.record_id, s.weight, x.profile = y.profile"
        " FROM scored AS s JOIN rows AS a ON s.l = a.rid JOIN rows AS b ON s.r = b.rid"
        " JOIN clusters AS x ON a.record_id = x.record_id"
        " JOIN clusters AS y ON b.record_id = y.record_id WHERE a.record_id <> b.record_id",
        {},
    )
    return {(min(row[:2]), max(row[:2])): (float(row[2]), bool(row[3])) for row in rows}


def _compared(
    version: str,
    model: MatchModel,
    found: list[Told],
    pairs: Mapping[tuple[int, int], tuple[float, bool]],
    taken: Mapping[tuple[NodeId, NodeId], float],
) -> Comparison:
    merged, reviews, wanted = [], 0, set()
    for (left, right), (weight, same) in sorted(pairs.items(), key=lambda one: -one[1][0]):
        one, two = found[left], found[right]
        joins = same and weight >= model.merge
        if joins:
            wanted.add((min(one.node, two.node), max(one.node, two.node)))
        if one.profile != two.profile:
            reviews += not joins
            if joins:
                merged.append(Pair(one.name, two.name, weight))
    names = {one.node: one.name for one in found}
    parted = [
        Pair(names.get(left, ""), names.get(right, ""), weight)
        for (left, right), weight in sorted(taken.items())
        if (left, right) not in wanted
    ]
    profiles = len({one.profile for one in found})
    return Comparison(
        version, len(found), profiles, len(merged), len(parted), reviews,
        tuple(merged[:_SHOWN]), tuple(parted[:_SHOWN]),
    )  # fmt: skip


def _told(store: SQLiteStore, columns: Mapping[str, str], region: str | None) -> Iterator[Told]:
    """All records that are claimed of identifiers."""
    for profile in _profiles(store):
        for node in profile.nodes:
            record = record_of(node, columns, region)
            if record is not None:
                yield Told(node.id, identifier_text(node), profile.id, record)


def _taken(store: SQLiteStore) -> dict[tuple[NodeId, NodeId], float]:
    """The pairs that the model in force holds for one person."""
    return {
        (node.id, other): match.weight
        for profile in _profiles(store)
        for node in profile.nodes
        for other, match in node.more.matched.items()
        if match.taken and node.id < other
    }


def _profiles(store: SQLiteStore) -> Iterator[Profile]:
    for page in store.pages(_PROFILES_A_PAGE):
        yield from map(decode_profile, page.values())


def _table(found: list[Told]) -> pa.Table:
    said = [decode_record(one.record) for one in found]
    return people_table([person for _, person in said], [source for source, _ in said])


def _checked(columns: Mapping[str, str]) -> dict[str, str]:
    faults = [
        Fault(f"there is no role {role!r}", name, f"one of {', '.join(ROLES)}")
        for name, role in columns.items()
        if role.partition(":")[0] not in ROLES
    ]
    if faults:
        raise InvalidInput("the columns are not clear", faults)
    return dict(columns)


def _kept(store: SQLiteStore, model: MatchModel, actor: str) -> ModelView:
    stored = StoredModel(model.version, encode_model(model), now_us(), actor)
    store.matches.add_model(stored)
    store.registry.audit(stored.created_at, actor, "match.add", model.version, {})
    return _view(stored, _in_force(store))


def _in_force(store: SQLiteStore) -> str:
    """The version of the model in force; empty where none is."""
    use = match_use_in_force(store)
    return "" if use is None else use.version


def _view(stored: StoredModel, current: str) -> ModelView:
    model = decode_model(stored.body)
    return ModelView(
        stored.version,
        stored.version == current,
        stored.created_at,
        stored.created_by,
        tuple(one.name for one in model.comparisons),
        model.quality,
    )
