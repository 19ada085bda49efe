"""A load is taken back: everything is as if it had never come, whatever came in between."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onefold.app.folding.rebuild import check_rebuild
from onefold.app.folding.rebuild_checks import last_check
from onefold.app.imports.importing import import_file
from onefold.app.imports.undoing import undo_load
from onefold.app.imports.wanted import Wanted
from onefold.app.lake.tables import add_views, tables_now
from onefold.app.profiles.finding import profile
from onefold.app.questions.query import sql
from onefold.app.replay import replay
from onefold.app.workspace import open_lake
from onefold.engine import short_session
from onefold.model.errors import Conflict, NotFound
from onefold.model.profile import decode_profile
from tests.acceptance.conftest import Stepped, stepped

DEFINED = """
kind: mapping
name: people
time: at
identifiers: {user_id: id, email: mail, phone: tel}
traits: {name: name, level: level}
---
kind: mapping
name: orders
event: Order Completed
time: at
identifiers: {user_id: id, email: mail}
properties: {revenue: {from: sum, type: number}}
---
kind: segment
name: gold
rule: level = 'gold'
---
kind: segment
name: buyers
rule: sum_of('Order Completed', properties.revenue) > 100
---
kind: trait
name: orders
expression: count_of('Order Completed')
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Stepped]:
    with stepped(tmp_path / "other") as made:
        yield made


def bring(onefold: Stepped, file: Path, mapping: str = "people", source: str = "crm") -> int:
    found = import_file(onefold.settings, Wanted(file, source, mapping), wait=False)
    onefold.settle()
    return found.load


def people(onefold: Stepped) -> list[Any]:
    """Everybody, without the ids that two workspaces give them."""
    found = []
    for page in onefold.store.pages(1_000):
        for document in page.values():
            one = decode_profile(document)
            nodes = sorted(
                (
                    node.kind, node.value, node.first_seen, node.last_seen, node.events,
                    str(sorted(map(str, msgspec.msgpack.decode(node.statements)))),
                    len(node.links), sorted(node.more.accounts),
                )
                for node in one.nodes
            )  # fmt: skip
            found.append((nodes, one.traits, one.computed, sorted(one.members)))
    return sorted(found, key=str)


def aside(onefold: Stepped) -> list[Any]:
    """What else is counted."""
    with short_session() as engine:
        add_views(engine, tables_now(onefold.store, open_lake(onefold.settings)))
        events = engine.rows("e", "select message_id from all_events order by 1", {})
        links = engine.rows(
            "l", "select left_value, right_value, message_id from all_links order by all", {}
        )
    counters = onefold.store.counters()
    known = {name: counters.get(name, 0) for name in ("profiles", "identifiers", "members")}
    rejects = onefold.store.db.one("select count(*) from rejects")
    return [events, sorted(set(links)), known, onefold.store.segment_sizes(), rejects]


PEOPLE = "id,mail,tel,name,level,at\n"


def test_what_only_the_load_brought_is_gone(onefold: Stepped, tmp_path: Path) -> None:
    onefold.define(DEFINED)
    onefold.take({"userId": "u1", "type": "identify", "traits": {"name": "Ann", "level": "silver"}})
    before, rest = people(onefold), aside(onefold)
    file = tmp_path / "x.csv"
    file.write_text(
        f"{PEOPLE}u1,a@x.com,,Anna,gold,2099-01-01\nu2,b@x.com,,Bob,gold,\n,,,Nobody,,\nu3\n"
    )
    load = bring(onefold, file)
    assert onefold.store.segment_sizes() == {"gold": 2}
    assert people(onefold) != before

    found = undo_load(onefold.settings, load)

    assert (found.events, found.rejects, found.profiles) == (2, 2, 1)
    assert people(onefold) == before
    assert aside(onefold) == rest
    assert profile(onefold.settings, "user_id:u1").traits == {"name": "Ann", "level": "silver"}
    with pytest.raises(NotFound):
        profile(onefold.settings, "email:b@x.com")
    assert sql(onefold.settings, "select count(*) from profiles").rows == [(1,)]
    assert not check_rebuild(onefold.settings).differences


def test_what_was_taken_back_is_no_difference_from_history(
    onefold: Stepped, tmp_path: Path
) -> None:
    onefold.define(DEFINED)
    file = tmp_path / "crm.csv"
    file.write_text("id,mail,tel,name,level,at\nu1,eva@example.com,,Eva,gold,2026-03-01\n")
    undo_load(onefold.settings, bring(onefold, file))
    assert last_check(onefold.store) is None


def test_people_whom_a_load_joined_are_parted_again(onefold: Stepped, tmp_path: Path) -> None:
    onefold.define(DEFINED)
    onefold.take({"anonymousId": "a1", "type": "identify", "traits": {"email": "a@x.com"}})
    onefold.take({"anonymousId": "a2", "type": "identify", "traits": {"phone": "+4917123456789"}})
    before = people(onefold)
    assert len(before) == 2
    file = tmp_path / "x.csv"
    file.write_text(f"{PEOPLE}u1,a@x.com,+4917123456789,Ann,gold,\n")
    load = bring(onefold, file)
    assert len(people(onefold)) == 1

    undo_load(onefold.settings, load)

    assert people(onefold) == before


def test_it_may_be_imported_again_and_is_not_replayed(onefold: Stepped, tmp_path: Path) -> None:
    onefold.define(DEFINED)
    file = tmp_path / "x.csv"
    file.write_text(f"{PEOPLE}u1,a@x.com,,Ann,gold,\n")
    load = bring(onefold, file)
    undo_load(onefold.settings, load)
    assert onefold.store.loads.get(load).state == "undone"

    replay(onefold.settings)
    assert people(onefold) == []

    # The worker of the test opened the store before; a new one sees what is there now.
    again = Stepped(onefold.settings)
    try:
        again.settle()
        assert people(again) == []
        bring(again, file)
        assert [one[1]["name"] for one in people(again)] == ["Ann"]
    finally:
        again.close()


def test_a_load_that_runs_or_waits_cannot_be_taken_back(onefold: Stepped, tmp_path: Path) -> None:
    onefold.define(DEFINED)
    file = tmp_path / "x.csv"
    file.write_text(f"{PEOPLE}u1,a@x.com,,Ann,gold,\n")
    found = import_file(onefold.settings, Wanted(file, "crm", "people"), wait=False)
    with pytest.raises(Conflict, match="wait to be folded"):
        undo_load(onefold.settings, found.load)
    with pytest.raises(NotFound):
        undo_load(onefold.settings, 99)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_with_a_load_taken_back_all_is_as_without_it(
    onefold: Stepped, other: Stepped, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)

    def row() -> str:
        user = f"u{draw.randrange(6)}" if draw.random() < 0.8 else ""
        mail = f"m{draw.randrange(6)}@x.com" if draw.random() < 0.7 else ""
        tel = f"+49171234567{draw.randrange(10, 16)}" if draw.random() < 0.4 else ""
        at = f"2026-01-{draw.randrange(1, 28):02d}T00:00:00Z"
        return (
            f"{user},{mail},{tel},N{draw.randrange(3)},{draw.choice(['gold', 'silver', ''])},{at}\n"
        )

    def order() -> str:
        return f"u{draw.randrange(6)},m{draw.randrange(6)}@x.com,{draw.randrange(90)},2026-02-02\n"

    kept, taken, sold = (tmp_path / f"{name}.csv" for name in ("kept", "taken", "sold"))
    kept.write_text(PEOPLE + "".join(row() for _ in range(8)))
    taken.write_text(PEOPLE + "".join(row() for _ in range(12)))
    sold.write_text("id,mail,sum,at\n" + "".join(order() for _ in range(12)))
    calls = [
        {
            "messageId": f"t{number}", "userId": f"u{draw.randrange(6)}",
            "anonymousId": f"a{draw.randrange(3)}", "type": "track", "event": "Order Completed",
            "properties": {"revenue": 40}, "timestamp": "2026-03-01T00:00:00Z",
        }
        for number in range(6)
    ]  # fmt: skip
    loads = []
    for one in (onefold, other):
        one.define(DEFINED)
        one.take(*calls[:3])
        if one is onefold:
            loads.append(bring(one, taken, source="taken"))
        bring(one, kept, source="kept")
        if one is onefold:
            loads.append(bring(one, sold, "orders", "sold"))
        one.take(*calls[3:])

    for load in draw.sample(loads, 2):
        undo_load(onefold.settings, load)

    assert people(onefold) == people(other)
    found, expected = aside(onefold), aside(other)
    assert found[0] == expected[0]
    # Evidence that was first told by the load, and again later, is not told again.
    assert {one[2] for one in found[1]} <= {one[0] for one in expected[0]}
    assert found[2:] == expected[2:]
    assert not check_rebuild(onefold.settings).differences
