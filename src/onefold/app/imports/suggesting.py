"""A mapping that a file could have: from its fields, their values, and who is known already."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import yaml

from onefold.app.imports.sampling import Sampling
from onefold.app.imports.suggested import SuggestedFor
from onefold.app.imports.wanted import Wanted, reading_of, source_name
from onefold.app.in_force import load_definitions
from onefold.app.workspace import node_key, open_store
from onefold.config import Settings
from onefold.model.definitions import Definitions
from onefold.model.mapping import MappingDefinition, SourceDefinition
from onefold.model.profile import NodeId
from onefold.model.records import Identifier
from onefold.resolve import node_id
from onefold.standardize.identifiers import normalize
from onefold.standardize.mapping import schema_of
from onefold.standardize.mapping.suggesting import suggest_mapping
from onefold.store import SQLiteStore

_ODD = re.compile(r"[^A-Za-z0-9_.-]+")
_SAMPLE = 1_000
_LOOKED_UP = 200
_DEEPEST = 4
_KINDS = ("user_id", "email", "phone")


def suggest(settings: Settings, wanted: Wanted) -> SuggestedFor:
    """Look at the first rows of a file, and say what could become of its fields; changes nothing."""
    with open_store(settings, cache_mb=8) as store, store.db.snapshot():
        definitions, _ = load_definitions(store)
        reading = reading_of(_unmapped(wanted), _as_if_mapped(definitions))
        sampling = Sampling(_SAMPLE)
        for batch in reading.batches(None):
            sampling.add(batch)
            if sampling.rows >= _SAMPLE:
                break
        columns: dict[str, list[Any]] = {}
        for record in sampling.records:
            for path, value in _paths(record.fields):
                columns.setdefault(path, []).append(value)
        known = _known(store, definitions, columns, settings.default_country or None)
        schema = schema_of(definitions.entities)
        found = suggest_mapping(columns, known, settings.default_country or None, schema)
    name = wanted.mapping or reading.source
    text = yaml.safe_dump(
        {"kind": "mapping", "name": name, **found.body}, allow_unicode=True, sort_keys=False
    )
    return SuggestedFor(
        wanted.file.name, sampling.rows, found.body, found.fields, text, found.country, found.notes
    )


def suggest_upload(
    settings: Settings, sample: bytes, name: str, source: str = "", form: str = ""
) -> SuggestedFor:
    """The same of the beginning of a file that was handed in; nothing of it is kept."""
    suffix = "".join(PurePosixPath(name).suffixes[-2:])[:20]
    with tempfile.TemporaryDirectory(prefix="onefold-") as folder:
        file = Path(folder) / f"sample{_ODD.sub('', suffix)}"
        file.write_bytes(sample)
        found = suggest(settings, Wanted(file, source or source_name(name), format=form))
    return msgspec.structs.replace(found, file=name)


def _paths(fields: Mapping[str, Any], above: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    """The fields of a record, those of the objects in it by their paths; what a list holds is no field.

    >>> list(_paths({"id": 1, "customer": {"mail": "a@b.de", "tags": ["x"]}, "lines": [{"sku": 1}]}))
    [('id', 1), ('customer.mail', 'a@b.de'), ('customer.tags', ['x'])]
    """
    for name, value in fields.items():
        if isinstance(value, Mapping) and depth < _DEEPEST:
            yield from _paths(value, f"{above}{name}.", depth + 1)
        elif not (isinstance(value, list) and any(isinstance(one, Mapping) for one in value)):
            yield above + name, value


def _unmapped(wanted: Wanted) -> Wanted:
    """The same without a mapping: one is only looked for."""
    return wanted._replace(mapping=_NONE)


_NONE = "suggested"


def _as_if_mapped(definitions: Definitions) -> Definitions:
    """The definitions with an empty mapping, so that a file can be read which has none yet."""
    empty = MappingDefinition(name=_NONE, events=())
    sources: tuple[SourceDefinition, ...] = definitions.sources
    return msgspec.structs.replace(
        definitions, mappings=(*definitions.mappings, empty), sources=sources
    )


def _known(
    store: SQLiteStore,
    definitions: Definitions,
    columns: Mapping[str, Sequence[Any]],
    country: str | None,
) -> dict[str, dict[str, float]]:
    """Of each field the share of its values that somebody has as an identifier of a kind."""
    key = node_key(store)
    kinds = dict.fromkeys([*_KINDS, *definitions.identity.kinds])
    found: dict[str, dict[str, float]] = {}
    for name, values in columns.items():
        some = list(dict.fromkeys(str(one).strip() for one in values if one not in (None, "")))
        some = some[:_LOOKED_UP]
        shares: dict[str, float] = {}
        for kind in kinds if some else ():
            nodes = _nodes(key, kind, some, country)
            if nodes:
                shares[kind] = len(store.profiles_of(nodes)) / len(some)
        found[name] = {kind: share for kind, share in shares.items() if share}
    return found


def _nodes(key: bytes, kind: str, values: Sequence[str], country: str | None) -> list[NodeId]:
    texts = (normalize(kind, value, country, kind, []) for value in values)
    return [node_id(key, Identifier(kind, text)) for text in texts if text]
