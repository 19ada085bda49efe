"""Which sources are started when, and what is done with those that hang: without any process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.app.access import make_workspace
from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.syncs.overseeing import Overseer
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.store import SQLiteStore

SECOND = 1_000_000
HOUR = 3600 * SECOND


class Fake:
    """A process that ends when the test says so."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.told: list[str] = []

    def poll(self) -> int | None:
        return self.code

    def terminate(self) -> None:
        self.told.append("terminate")

    def kill(self) -> None:
        self.told.append("kill")
        self.code = -9

    def wait(self, timeout: float | None = None) -> int:
        return self.code or 0


class World:
    """A workspace with sources, and an overseer that starts fakes."""

    def __init__(self, folder: Path, **more: int) -> None:
        self.settings = Settings(data=folder / "data", min_free_disk=0, **more)  # type: ignore[arg-type]
        make_workspace(self.settings)
        self._opened = open_store(self.settings)
        self.store: SQLiteStore = self._opened.__enter__()
        self.started: list[tuple[str, Fake]] = []
        self.overseer = Overseer(self.settings, self.store, self.start)

    def start(self, name: str) -> Fake:
        self.started.append((name, Fake()))
        return self.started[-1][1]

    def define(self, name: str, schedule: str = "", more: str = "") -> None:
        text = f"kind: source\nname: {name}\ntype: sql\nmapping: {{identifiers: {{user_id: id}}}}\n"
        text += "settings: {dialect: sqlite, file: x.db, tables: [{table: t}]}\n"
        put(
            self.store,
            read_text(text + (f"schedule: {schedule}\n" if schedule else "") + more),
            "t",
        )

    def names(self) -> list[str]:
        return [name for name, _ in self.started]

    def close(self) -> None:
        self._opened.__exit__(None, None, None)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, source_concurrency=2)
    yield made
    made.close()


def test_what_has_a_schedule_runs_and_what_has_none_waits_to_be_asked(world: World) -> None:
    world.define("crm", "{every: 1h}")
    world.define("shop")
    world.overseer.look(now_us())
    assert world.names() == ["crm"]
    world.store.source_states.want("shop", now_us(), "ann")
    world.overseer.look(now_us())
    assert world.names() == ["crm", "shop"]


def test_one_that_hangs_takes_one_place_and_is_ended(world: World) -> None:
    world.define("a-hangs", "{every: 1h, silent: 5s}")
    world.define("b", "{every: 1h}")
    world.define("c", "{every: 1h}")
    start = now_us()
    world.overseer.look(start)
    assert world.names() == ["a-hangs", "b"]
    load = world.store.loads.begin("a-hangs", "pull", start, "onefold")
    world.store.source_states.ended("b", start, "", start + HOUR)
    world.started[1][1].code = 0
    world.overseer.look(start + SECOND)
    assert world.names() == ["a-hangs", "b", "c"]

    hung = world.started[0][1]
    world.overseer.look(start + 7 * SECOND)
    assert hung.told == ["terminate"]
    hung.code = -15
    world.overseer.look(start + 8 * SECOND)
    ended = world.store.loads.get(load.id)
    assert (ended.state, ended.reason) == ("failed", "it gave nothing for 5s")
    assert world.store.source_states.get("a-hangs").failures == 1


def test_a_crash_is_counted_and_its_load_goes_on_after_a_while(world: World) -> None:
    world.define("crm", "{every: 1h}")
    now = now_us()
    world.overseer.look(now)
    load = world.store.loads.begin("crm", "pull", now, "onefold")
    world.started[0][1].code = -9
    world.overseer.look(now)
    state = world.store.source_states.get("crm")
    assert (state.failures, state.reason) == (1, "the process that read it ended by signal 9")
    assert world.store.loads.get(load.id).state == "running"
    world.overseer.look(now + SECOND)
    assert world.names() == ["crm"]
    world.overseer.look(now + 60 * SECOND)
    assert world.names() == ["crm", "crm"]


def test_a_load_that_a_power_cut_broke_off_goes_on_at_once(world: World) -> None:
    world.define("crm")
    world.store.loads.begin("crm", "pull", now_us(), "cli")
    world.overseer.look(now_us())
    assert world.names() == ["crm"]


def test_what_is_paused_or_disabled_does_not_run(world: World) -> None:
    world.define("crm", "{every: 1h}")
    world.define("shop", "{every: 1h}", "enabled: false\n")
    world.store.source_states.pause("crm", now_us(), "ann", paused=True)
    world.overseer.look(now_us())
    assert world.names() == []
    world.store.source_states.pause("crm", now_us(), "ann", paused=False)
    world.overseer.look(now_us())
    assert world.names() == ["crm"]


def test_what_does_not_hear_that_it_is_canceled_is_ended(world: World) -> None:
    world.define("crm", "{every: 1h}")
    now = now_us()
    world.overseer.look(now)
    load = world.store.loads.begin("crm", "pull", now, "onefold")
    world.store.loads.cancel(load.id, now, "ann")
    world.overseer.look(now + 5 * SECOND)
    assert world.started[0][1].told == []
    world.overseer.look(now + 11 * SECOND)
    assert world.started[0][1].told == ["terminate"]
    world.started[0][1].code = -15
    world.overseer.look(now + 12 * SECOND)
    assert world.store.loads.get(load.id).state == "canceled"
    assert world.store.source_states.get("crm").failures == 0


def test_missed_times_are_caught_up_once_or_skipped(world: World) -> None:
    world.define("once", "{every: 1h}")
    world.define("skip", "{every: 1h, catch_up: skip}")
    now = now_us()
    world.store.source_states.plan("once", now - 5 * HOUR)
    world.store.source_states.plan("skip", now - 5 * HOUR)
    world.overseer.look(now)
    assert world.names() == ["once"]
    assert now < world.store.source_states.get("skip").due_at <= now + HOUR


def test_a_shorter_schedule_counts_at_once(world: World) -> None:
    world.define("crm", "{every: 1d}")
    now = now_us()
    world.store.source_states.plan("crm", now + 20 * HOUR)
    world.overseer.look(now)
    world.define("crm", "{every: 1h}")
    world.overseer.look(now)
    assert world.store.source_states.get("crm").due_at <= now + HOUR


def test_what_waits_for_more_takes_no_place_of_others(world: World) -> None:
    for name in ("stream-1", "stream-2", "stream-3"):
        world.define(name, "{always: true}")
    world.define("crm", "{every: 1h}")
    world.overseer.look(now_us())
    assert sorted(world.names()) == ["crm", "stream-1", "stream-2", "stream-3"]
