"""What is asked of the worker is answered, also if it goes wrong, and never stops it."""

from __future__ import annotations

from pathlib import Path

import pytest

from onefold.app.folding.rebuild import rebuild
from onefold.app.long_work import ask
from onefold.app.workspace import lake_path, now_us, open_store
from onefold.model.errors import OnefoldError
from tests.acceptance.reliability.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path / "data")
    site.send(site.events(20))
    site.run_until_done()
    return site


def test_a_rebuild_that_fails_says_why_and_the_worker_goes_on(site: Site) -> None:
    events = lake_path(site.settings) / "events"
    with site.worker() as worker:
        events.rename(events.with_name("aside"))
        with pytest.raises(OnefoldError, match="table events"):
            rebuild(site.settings)
        events.with_name("aside").rename(events)
        assert rebuild(site.settings).differences == ()
        assert worker.is_alive()
        site.send(site.events(20))
        site.wait_until_processed()
    site.assert_exactly_once()


def test_what_a_worker_did_when_it_was_killed_is_done_again_but_not_for_ever(site: Site) -> None:
    with open_store(site.settings) as store:
        once = store.jobs.add("rebuild", "", {}, now_us(), "test")
        store.jobs.start(once, now_us())
        thrice = store.jobs.add("rebuild", "", {}, now_us(), "test")
        for _ in range(3):
            store.jobs.recover(["rebuild"], now_us())
            store.jobs.start(thrice, now_us())
        with site.worker():
            assert ask(store, "rebuild", {}, "test")["differences"] == []
            assert store.jobs.get(once).state == "done"
            assert store.jobs.get(thrice).state == "failed"
            assert "ended" in store.jobs.get(thrice).reason
