"""What is asked of the worker is answered, also if it goes wrong, and never stops it."""

from __future__ import annotations

from pathlib import Path

import pytest

from onefold.app.rebuild import rebuild
from onefold.app.requests import ask_worker
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


def test_what_a_worker_did_when_it_was_killed_is_not_done_again(site: Site) -> None:
    with open_store(site.settings) as store:
        request = store.requests.add("rebuild", now_us())
        store.requests.start(request)
        with site.worker():
            assert "ended" in str(store.requests.result(request))
            assert ask_worker(store, "rebuild", now_us())
