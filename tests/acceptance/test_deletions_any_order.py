"""Whatever arrives in which order, in which batches, and is taken back in between: the people of what is left."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from onefold.app.access import make_workspace
from onefold.app.folding.rebuild import check_rebuild
from onefold.app.imports.importing import import_file
from onefold.app.imports.undoing import undo_load
from onefold.app.imports.wanted import Wanted
from onefold.config import Settings
from onefold.model.profile import decode_profile
from onefold.model.records import Identifier
from onefold.testing.reference import Evidence, partition
from tests.acceptance.conftest import Stepped

MAPPED = """
kind: mapping
name: people
time: at
identifiers: {user_id: id, email: mail, phone: tel}
traits: {level: level}
---
kind: segment
name: gold
rule: level = 'gold'
"""
STRICTER = """
---
kind: identifier
name: email
max_profiles: 2
max_per_profile: 2
---
kind: identifier
name: phone
max_profiles: 1
lifetime_days: 10
---
kind: identity
name: people
max_identifiers: 6
"""
KINDS = ("user_id", "email", "phone")
START = 1_767_225_600


class Row(NamedTuple):
    """What one row, or one call, says of whom, at which second."""

    values: tuple[str, str, str]
    level: str
    second: int

    def evidence(self) -> Evidence:
        found = (Identifier(kind, one) for kind, one in zip(KINDS, self.values, strict=True) if one)
        return Evidence(tuple(sorted(found)), (START + self.second) * 1_000_000)

    def time(self) -> str:
        day, rest = divmod(self.second, 86_400)
        return f"2026-01-{1 + day:02d}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"


class World(NamedTuple):
    """Calls, and files of which some are taken back again."""

    calls: list[Row]
    files: list[list[Row]]
    taken_back: frozenset[int]

    def left(self) -> list[Row]:
        kept = (file for number, file in enumerate(self.files) if number not in self.taken_back)
        return [*self.calls, *(row for file in kept for row in file)]


def world(draw: random.Random) -> World:
    """Few identifiers, so that people join and part, and values come to be shared by too many."""

    def row() -> Row:
        values = (
            f"u{draw.randrange(7)}" if draw.random() < 0.7 else "",
            f"m{draw.randrange(4)}@x.com" if draw.random() < 0.7 else "",
            f"+4917123456{draw.randrange(70, 75)}" if draw.random() < 0.5 else "",
        )
        return (
            Row(values, draw.choice(["gold", "silver"]), draw.randrange(25 * 86_400))
            if any(values)
            else row()
        )

    files = [[row() for _ in range(draw.randint(1, 8))] for _ in range(4)]
    return World([row() for _ in range(8)], files, frozenset(draw.sample(range(4), 2)))


def call(row: Row) -> dict[str, Any]:
    user, mail, phone = row.values
    known = [
        {"type": kind, "id": value, "collection": "users"}
        for kind, value in (("email", mail), ("phone", phone))
        if value
    ]
    named = {"userId": user} if user else {}
    return {
        "type": "identify", "timestamp": row.time(), "traits": {"level": row.level},
        "context": {"externalIds": known}, **named,
    }  # fmt: skip


def write(file: Path, rows: Sequence[Row]) -> None:
    lines = [",".join((*row.values, row.level, row.time())) for row in rows]
    file.write_text("\n".join(["id,mail,tel,level,at", *lines]) + "\n")


def arrive(onefold: Stepped, folder: Path, world: World, draw: random.Random) -> None:
    """All of it in an order of its own, in batches of any size; what is taken back is so sooner or later."""
    steps: list[Any] = [call(row) for row in world.calls] + list(range(len(world.files)))
    draw.shuffle(steps)
    loads: dict[int, int] = {}
    for step in steps:
        if isinstance(step, int):
            file = folder / f"f{step}.csv"
            write(file, world.files[step])
            found = import_file(onefold.settings, Wanted(file, f"s{step}", "people"), wait=False)
            if step in world.taken_back:
                loads[step] = found.load
        else:
            onefold.append(step)
        if draw.random() < 0.5:
            onefold.settle()
        if loads and draw.random() < 0.3:
            onefold.settle()
            undo_load(onefold.settings, loads.pop(draw.choice(sorted(loads))))
    onefold.settle()
    for number in draw.sample(sorted(loads), len(loads)):
        undo_load(onefold.settings, loads[number])


def people(onefold: Stepped) -> dict[frozenset[Identifier], Any]:
    """Who is one person, and what is known of them."""
    found = {}
    for page in onefold.store.pages(1_000):
        for one in map(decode_profile, page.values()):
            group = frozenset(Identifier(node.kind, node.value) for node in one.nodes)
            seen = sorted((node.value, node.first_seen, node.last_seen) for node in one.nodes)
            found[group] = one.traits, sorted(one.members), seen
    return found


def workspaces(folder: Path, definitions: str) -> Iterator[Stepped]:
    """New ones, one after the other."""
    number = 0
    while True:
        settings = Settings(data=folder / f"data{(number := number + 1)}", min_free_disk=0)
        make_workspace(settings)
        with closing(Stepped(settings)) as onefold:
            onefold.define(definitions)
            yield onefold


@pytest.mark.slow
@pytest.mark.parametrize("rules", ["", STRICTER], ids=["no rules", "rules"])
@pytest.mark.parametrize("seed", range(4))
def test_in_any_order_with_deletions_the_people_of_what_is_left(
    tmp_path: Path, seed: int, rules: str
) -> None:
    made = world(random.Random(seed))
    every = workspaces(tmp_path, MAPPED + rules)
    onefold = next(every)
    arrive(onefold, tmp_path, made._replace(taken_back=frozenset(), files=[]), random.Random(0))
    for number, file in enumerate(made.files):
        if number not in made.taken_back:
            write(tmp_path / "kept.csv", file)
            wanted = Wanted(tmp_path / "kept.csv", f"s{number}", "people")
            import_file(onefold.settings, wanted, wait=False)
            onefold.settle()
    expected = people(onefold)
    if not rules:
        assert expected.keys() == partition(row.evidence() for row in made.left())
    for order in (1, 2, 3):
        onefold = next(every)
        arrive(onefold, tmp_path, made, random.Random(100 * seed + order))
        assert people(onefold) == expected
        assert not check_rebuild(onefold.settings).differences
