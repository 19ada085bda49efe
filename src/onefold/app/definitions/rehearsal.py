"""Running the tests of definitions: the real pipeline, on a store that is thrown away afterwards."""

from __future__ import annotations

import difflib
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from onefold.app.definitions.applying import put
from onefold.app.definitions.case_files import Case, Check, read_cases
from onefold.app.definitions.dependencies import Key
from onefold.app.definitions.files import Reading, read_definitions
from onefold.app.definitions.meaning import limits_of
from onefold.app.definitions.plan_samples import check_file, check_samples
from onefold.app.in_force import load_definitions
from onefold.app.workspace import id_maker
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.errors import Fault, InvalidInput
from onefold.model.profile import Profile, ProfileId, decode_profile
from onefold.model.records import Accepted, Identifier
from onefold.model.sources import Source
from onefold.pipeline import Pipeline, prepare_events
from onefold.resolve import node_id
from onefold.standardize import Writing, standardize
from onefold.store import SQLiteStore

_SOURCE = "test"


class Failure(msgspec.Struct, frozen=True):
    """A case that did not come out as expected, and every way in which it did not."""

    name: str
    where: str
    problems: tuple[str, ...]


class TestReport(msgspec.Struct, frozen=True):
    """How the tests of a folder went."""

    __test__ = False  # not one of pytest's

    cases: int
    failures: tuple[Failure, ...]


def run_tests(
    settings: Settings, directory: Path, *, events: Path | None = None, source: str = ""
) -> TestReport:
    """Run all tests below a directory against the definitions below it; needs no workspace.

    Samples of tracking plans are tests too, and so is each event of the file `events`, held against
    the plans of its `source`.
    """
    reading = read_definitions(directory)
    cases = read_cases(directory)
    # What only sends is neither needed nor, where its secrets are not, usable.
    written = [one for one in reading.written if one.kind != "destination"]
    with tempfile.TemporaryDirectory(prefix="onefold-") as folder:
        store = SQLiteStore(Path(folder) / "store.db", cache_mb=8)
        engine = DuckEngine(optimizer=False)
        try:
            store.db.connection.execute("pragma synchronous = off")
            faults = [*reading.faults, *cases.faults]
            put(store, Reading(written, faults), "test", limits=limits_of(settings))
            defined = {(one.kind, one.name) for one in written}
            if unknown := list(_unknown(cases.found, defined)):
                raise InvalidInput("the tests cannot be run", unknown)
            stage = _Stage(settings, store, engine)
            failures = [
                Failure(case.name, case.where, tuple(problems))
                for number, case in enumerate(cases.found)
                if (problems := list(stage.play(case, number)))
            ]
        finally:
            engine.close()
            store.close()
    checked = list(check_samples(written))
    checked += check_file(written, events, source) if events else ()
    failures += [Failure(*one) for one in checked if one.problems]
    return TestReport(len(cases.found) + len(checked), tuple(failures))


def _unknown(cases: list[Case], defined: set[Key]) -> Iterator[Fault]:
    """What is expected of definitions that are not there."""
    names = [name for _, name in defined]
    for case in cases:
        for kind, name in {key for check in case.checks for key in check.expected}:
            if (kind, name) not in defined:
                near = difflib.get_close_matches(name, names, 1)
                hint = f"did you mean {near[0]!r}?" if near else ""
                yield Fault(f"there is no {kind} {name!r}", f"{case.where}: expect", hint)


class _Stage:
    """One pipeline on which cases are played one after the other.

    Each case has a node key of its own, so that nobody in it is anybody in another.
    """

    def __init__(self, settings: Settings, store: SQLiteStore, engine: DuckEngine) -> None:
        self._store = store
        self._source = Source(
            id=_SOURCE, name=_SOURCE, default_country=settings.default_country or None
        )
        self._pipeline = Pipeline(store, engine, b"", id_maker(), settings.timezone)
        definitions, sources = load_definitions(store)
        self._writing = Writing(definitions.identity)
        self._pipeline.use(definitions, sources)

    def play(self, case: Case, number: int) -> Iterator[str]:
        """What did not come out as expected."""
        key = number.to_bytes(32, "big")
        batch = [
            {"messageId": f"{number}-{at}", **event}
            for at, event in enumerate(one for events in case.given.values() for one in events)
        ]
        body = msgspec.json.encode({"batch": batch})
        accepted = Accepted(_SOURCE, case.at, "batch", body)
        events, rejects = standardize([accepted], {_SOURCE: self._source})
        if rejects:
            yield from (f"not an event: {reason}" for one in rejects for reason in one.reasons)
            return
        given = prepare_events(events, [], {}, key, self._writing, unique=True)
        self._pipeline.fold_prepared(given, case.at, from_lake=True)
        for check in case.checks:
            people = {who: self._profile(key, who) for who in case.given}
            if check.at != case.at:
                known = {number for number, _ in people.values() if number is not None}
                self._pipeline.reevaluate(sorted(known), check.at)
                people = {who: self._profile(key, who) for who in case.given}
            for problem in _compare(check, {who: one for who, (_, one) in people.items()}):
                yield problem if check.at == case.at else f"{problem} (later)"

    def _profile(self, key: bytes, who: str) -> tuple[ProfileId | None, Profile | None]:
        node = node_id(key, Identifier("user_id", who))
        number = self._store.profiles_of([node]).get(node)
        if number is None:
            return None, None
        return number, decode_profile(self._store.documents([number])[number])


def _compare(check: Check, people: dict[str, Profile | None]) -> Iterator[str]:
    for (kind, name), wanted in check.expected.items():
        if kind == "segment":
            inside = {who for who, one in people.items() if one and name in one.members}
            expected = {str(who) for who in wanted}
            for who in sorted(expected - inside):
                yield f"segment {name}: {who} should be in, and is out"
            for who in sorted(inside - expected):
                yield f"segment {name}: {who} should be out, and is in"
            continue
        for who, value in wanted.items():
            found = _value(kind, name, people[str(who)])
            if not _same(found, value):
                yield f"{kind} {name} of {who}: should be {_shown(value)}, and is {_shown(found)}"


def _value(kind: str, name: str, profile: Profile | None) -> Any:
    if profile is None:
        return None
    if kind == "tag":
        return profile.tags.get(name)
    return profile.computed.get(name, profile.traits.get(name))


def _same(found: Any, wanted: Any) -> bool:
    numbers = (int, float)
    if isinstance(found, numbers) and isinstance(wanted, numbers):
        return isinstance(found, bool) == isinstance(wanted, bool) and math.isclose(
            found, wanted, rel_tol=1e-9, abs_tol=1e-12
        )
    return bool(found == msgspec.to_builtins(wanted, builtin_types=()))


def _shown(value: Any) -> str:
    return "absent" if value is None else msgspec.json.encode(value, enc_hook=str).decode()
