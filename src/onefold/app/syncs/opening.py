"""From a source's definition to something that records can be pulled from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import msgspec

from onefold.app.locks import source_path
from onefold.app.secret_values import Revealed
from onefold.app.syncs.plain_secrets import plain_secrets
from onefold.app.syncs.schedules import read_schedule
from onefold.app.syncs.token_keeping import KeptTokens
from onefold.collect.addresses import Reach
from onefold.collect.sources.rest import ready_names
from onefold.config import Settings
from onefold.model.conversion import converted
from onefold.model.errors import Fault, InvalidInput, NotFound
from onefold.model.pulled import PulledSource
from onefold.model.schedules import Schedule
from onefold.store import SQLiteStore
from onefold.store.registry import StoredDefinition


class Kind(NamedTuple):
    """What pulls from sources of one type: a class in a module, made of its settings.

    What is `endless` waits for more when it has given all, so it always runs. What is `reaching`
    calls addresses that its settings name, and is told which it may. Where reading it does something to
    the other system, `look` makes what reads some of it without a trace. What is `keeping` needs a folder
    of its own among the data; what is `renewing` exchanges refresh tokens, and is told who keeps them.
    """

    module: str
    settings: str
    source: str
    endless: bool = False
    reaching: bool = False
    look: str = ""
    keeping: bool = False
    renewing: bool = False


_SOURCES = "onefold.collect.sources."
KINDS: dict[str, Kind] = {
    "debezium": Kind(
        f"{_SOURCES}debezium",
        "DebeziumSettings",
        "open_debezium",
        endless=True,
        reaching=True,
        look="look_by_debezium",
        keeping=True,
    ),
    "files": Kind(
        f"{_SOURCES}files.places",
        "FilesSettings",
        "FilesSource",
        reaching=True,
        look="look_at_files",
    ),
    "kafka": Kind(
        f"{_SOURCES}kafka",
        "KafkaSettings",
        "open_kafka",
        endless=True,
        reaching=True,
        look="look_at_kafka",
    ),
    "mqtt": Kind(
        f"{_SOURCES}mqtt",
        "MqttSettings",
        "MqttSource",
        endless=True,
        reaching=True,
        look="look_at_mqtt",
    ),
    "mysql-changes": Kind(
        f"{_SOURCES}mysql_changes",
        "MysqlChangesSettings",
        "open_mysql_changes",
        endless=True,
        reaching=True,
        look="look_at_mysql",
    ),
    "postgres-changes": Kind(
        f"{_SOURCES}postgres_changes",
        "PostgresChangesSettings",
        "open_postgres_changes",
        endless=True,
        reaching=True,
        look="look_at_postgres",
    ),
    "rest": Kind(
        f"{_SOURCES}rest.source", "RestSettings", "RestSource", reaching=True, renewing=True
    ),
    "soap": Kind(f"{_SOURCES}soap", "SoapSettings", "SoapSource", reaching=True),
    "sql": Kind(f"{_SOURCES}sql", "SqlSettings", "SqlSource", reaching=True),
}
"""The types of sources that are pulled; each is loaded only where it is used."""


def is_pulled(type_name: object) -> bool:
    """Are records pulled from sources of this type?"""
    return type_name in KINDS or type_name in ready_names()


def described(type_name: str, given: Mapping[str, Any]) -> tuple[Kind, Mapping[str, Any]]:
    """What pulls from a type, and its settings: those of a ready-made API are filled into its description."""
    if type_name in KINDS:
        return KINDS[type_name], given
    # Descriptions are read only where one is used.
    from onefold.collect.sources.rest.ready_made import settings_of  # noqa: PLC0415

    return KINDS["rest"], settings_of(type_name, given)


def _secret_parameters(type_name: str) -> frozenset[str]:
    """Which settings of a ready-made API are secrets."""
    if type_name in KINDS:
        return frozenset()
    from onefold.collect.sources.rest.ready_made import ready_made  # noqa: PLC0415

    parameters = ready_made()[type_name].parameters
    return frozenset(name for name, one in parameters.items() if one.secret)


class Pulling(NamedTuple):
    """A source as it is run: when, from what, and under which name its records go into the log."""

    name: str
    type: str
    body: Mapping[str, Any]
    schedule: Schedule
    enabled: bool


def pulled_sources(store: SQLiteStore) -> dict[str, Pulling]:
    """All sources in force that are pulled, by name; those whose schedule is wrong are left out."""
    found = {}
    for one in store.registry.definitions():
        if one.kind == "source" and is_pulled(one.body.get("type")):
            try:
                found[one.name] = _pulling(one)
            except InvalidInput:
                continue
    return found


def pulled_source(store: SQLiteStore, name: str) -> Pulling:
    """One source that is pulled; `NotFound` if there is none of this name."""
    for one in store.registry.definitions():
        if (one.kind, one.name) == ("source", name):
            if not is_pulled(one.body.get("type")):
                known = ", ".join(sorted({*KINDS, *ready_names()}))
                fault = Fault(f"its type is {one.body.get('type')!r}", "type", f"known are {known}")
                raise InvalidInput(f"source {name!r} is not pulled", [fault])
            return _pulling(one)
    raise NotFound(f"there is no source {name!r} that is pulled; `onefold source list` shows all")


def pulling_faults(type_name: str, body: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with a definition's settings and schedule, as far as it can be seen in the text."""
    faults: list[Fault] = []
    try:
        read_schedule(body.get("schedule"))
    except InvalidInput as error:
        faults += error.faults
    faults += plain_secrets(body.get("settings") or {}, _secret_parameters(type_name))
    try:
        kind, given = described(type_name, with_texts(body.get("settings") or {}))
        converted(given, _settings_of(kind), "the source", "settings")
    except InvalidInput as error:
        faults += error.faults
    return faults


def open_source(settings: Settings, pulling: Pulling, revealed: Revealed) -> PulledSource:
    """The source itself; raises `InvalidInput` where its settings cannot work."""
    kind, body = described(pulling.type, revealed.body)
    given = _converted(kind, body, pulling.name, revealed)
    return _made(kind, given, settings, pulling.name, revealed)


def open_looks(
    settings: Settings, pulling: Pulling, revealed: Revealed, most: int | None
) -> Iterator[tuple[PulledSource, int | None]]:
    """What reads some of a source and leaves no trace; with it how many rows of `most` it is to read.

    Each table or stream is one of its own, so that the first does not take it all.
    """
    kind, body = described(pulling.type, revealed.body)
    _converted(kind, body, pulling.name, revealed)
    parts = [body] if most is None else _parts(body)
    each = None if most is None else max(1, most // len(parts))
    for part in parts:
        given = _converted(kind, part, pulling.name, revealed)
        if kind.look:
            look = getattr(import_module(kind.module), kind.look)
            yield look(given, _reach(settings), each), each
        else:
            yield _made(kind, given, settings, pulling.name, revealed), each


def _parts(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Settings, one for each table or stream that they name."""
    for name in ("tables", "streams"):
        named = body.get(name)
        if isinstance(named, (list, tuple)) and named:
            return [{**body, name: [one]} for one in named]
    return [body]


def _made(
    kind: Kind, given: Any, settings: Settings, name: str, revealed: Revealed
) -> PulledSource:
    more: list[Any] = [_reach(settings)] if kind.reaching else []
    if kind.keeping:
        more.append(source_path(settings.data, name))
    named = {"tokens": KeptTokens(settings, name, revealed)} if kind.renewing else {}
    made: PulledSource = getattr(import_module(kind.module), kind.source)(given, *more, **named)
    return made


def _reach(settings: Settings) -> Reach:
    return Reach(settings.source_networks, closed=settings.data)


def _converted(kind: Kind, body: Mapping[str, Any], name: str, revealed: Revealed) -> Any:
    """Settings as the type has them; `InvalidInput` names what is wrong, and no secret."""
    try:
        return converted(body, _settings_of(kind), f"source {name!r}", "settings")
    except InvalidInput as error:
        bare = [
            msgspec.structs.replace(one, message=revealed.hide(one.message)) for one in error.faults
        ]
        raise InvalidInput(error.message, bare) from None


def _settings_of(kind: Kind) -> type[msgspec.Struct]:
    found: type[msgspec.Struct] = getattr(import_module(kind.module), kind.settings)
    return found


def _pulling(one: StoredDefinition) -> Pulling:
    body = one.body
    schedule = read_schedule(body.get("schedule"), endless=is_endless(body["type"]))
    settings = body.get("settings") or {}
    return Pulling(one.name, body["type"], settings, schedule, bool(body.get("enabled", True)))


def with_texts(value: Any) -> Any:
    """Settings with a text wherever a secret will stand."""
    if isinstance(value, Mapping):
        if value.keys() == {"secret"}:
            return "secret"
        return {key: with_texts(inner) for key, inner in value.items()}
    return [with_texts(inner) for inner in value] if isinstance(value, list) else value


def is_endless(type_name: str) -> bool:
    """Does a source of this type wait for more when it has given all?"""
    return type_name in KINDS and KINDS[type_name].endless
