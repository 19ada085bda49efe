"""Comparing with history every so often: asked for in time, and what came out is seen."""

from __future__ import annotations

from msgspec.structs import replace

from onefold.app.folding.rebuild import check_rebuild, rebuild
from onefold.app.folding.rebuild_checks import ask_if_due
from onefold.app.status import status_of
from onefold.model.profile import decode_profile, encode_profile
from onefold.serve.metrics import exposition, stored
from tests.acceptance.conftest import Stepped
from tests.acceptance.test_identity import said

HOUR_US = 3_600_000_000


def told(onefold: Stepped) -> list[tuple[str, str]]:
    checks = status_of(onefold.settings, onefold.store).checks
    return [(one.state, one.detail.partition(" on ")[0]) for one in checks if one.name == "rebuild"]


def test_what_the_last_check_found_is_seen(onefold: Stepped) -> None:
    onefold.take(said("ann", city="Bonn"))
    assert told(onefold) == []
    check_rebuild(onefold.settings)
    assert told(onefold) == [("ok", "no difference from history")]
    (number,) = onefold.store.profile_ids(0, 9)
    live = decode_profile(onefold.store.documents([number])[number])
    broken = encode_profile(replace(live, traits={"city": "Rome"}))
    with onefold.store.db.transaction() as connection:
        connection.execute("update profiles set document = ? where id = ?", (broken, number))
    check_rebuild(onefold.settings)
    assert told(onefold) == [("degraded", "1 difference from history")]
    metrics = exposition(stored(status_of(onefold.settings, onefold.store)))
    assert "onefold_rebuild_differences 1" in metrics
    onefold.worker.close()
    rebuild(onefold.settings)
    assert told(onefold) == [("ok", "no difference from history")]


def test_it_is_asked_for_when_it_is_time(onefold: Stepped) -> None:
    store = onefold.store
    assert not ask_if_due(store, 100 * HOUR_US, 0)
    assert ask_if_due(store, 100 * HOUR_US, 24 * 3600)
    assert not ask_if_due(store, 200 * HOUR_US, 24 * 3600)
    job = store.jobs.newest("rebuild-check")
    assert job is not None
    store.jobs.start(job.id, 100 * HOUR_US)
    store.jobs.finish(job.id, 101 * HOUR_US, "done", {})
    assert not ask_if_due(store, 123 * HOUR_US, 24 * 3600)
    assert ask_if_due(store, 125 * HOUR_US, 24 * 3600)
