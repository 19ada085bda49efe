"""Refresh tokens that are used up when they are exchanged: whoever loses the new one is locked out."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from onefold.app.definitions.applying import put
from onefold.app.definitions.files import Reading
from onefold.app.imports.source_rehearsing import rehearse_source
from onefold.app.secret_values import secret_remove, secret_set
from onefold.app.syncs import services, token_keeping
from onefold.model.errors import Busy, OnefoldError
from onefold.store.refresh_tokens import RefreshTokens
from onefold.testing.patience import PATIENCE
from tests.acceptance.conftest import Stepped
from tests.acceptance.test_change_streams import allow_this_machine
from tests.acceptance.test_source_rehearsal import kept
from tests.programs import NEAR, pull
from tests.unit.collect.sources.api_server import Apis
from tests.unit.collect.sources.rotating import Rotating


@pytest.fixture
def apis() -> Iterator[Apis]:
    made = Apis()
    yield made
    made.close()


@contextmanager
def source(onefold: Stepped, apis: Apis, api: Rotating, name: str = "shop") -> Iterator[None]:
    """A source that is given the first token of an API."""
    apis.api = api
    allow_this_machine(onefold)
    secret_set(onefold.settings, "grant", api.first)
    onefold.define(definition(apis, name))
    yield


def definition(apis: Apis, name: str = "shop") -> str:
    return f"""
kind: source
name: {name}
type: rest
settings:
  base_url: {apis.url}
  rate: 1000
  auth: {{type: oauth2, url: {apis.url}/token, grant: refresh_token, refresh_token: {{secret: grant}}}}
  streams: [{{name: things, path: things, records: data}}]
mapping: {{identifiers: {{user_id: id}}}}
"""


def rows(onefold: Stepped) -> list[tuple[object, ...]]:
    return onefold.store.db.rows("select source, value is null, asked_at from refresh_tokens")


def run(onefold: Stepped, name: str = "shop") -> int:
    return services.source_run(onefold.settings, name).rows


def test_a_new_token_is_used_by_the_next_run_and_a_rehearsal(onefold: Stepped, apis: Apis) -> None:
    api = Rotating()
    with source(onefold, apis, api):
        assert run(onefold) == 2
        before = kept(onefold)
        assert rehearse_source(onefold.settings, "shop").rows == 2
        assert kept(onefold) == before
        assert run(onefold) == 2
    assert api.reused == 0
    assert api.asked == ["refresh-1-begun", "refresh-2-given", "refresh-3-given"]
    assert rows(onefold) == [("shop", 0, 0)]


def killed(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def test_killed_at_the_first_use_of_what_came_with_it_the_new_token_is_kept(
    onefold: Stepped, apis: Apis
) -> None:
    api = Rotating()
    with source(onefold, apis, api):
        started = threading.Event()
        processes: list[subprocess.Popen[bytes]] = []

        def calling() -> None:
            assert started.wait(PATIENCE)
            killed(processes[0])

        api.calling = calling
        processes.append(pull(onefold.settings.data, "shop", **NEAR))
        started.set()
        processes[0].wait(PATIENCE)
        api.calling = lambda: None
        assert run(onefold) == 2
    assert (api.asked, api.reused) == (["refresh-1-begun", "refresh-2-given"], 0)


@pytest.mark.parametrize("grace", [True, False])
def test_killed_before_the_answer_comes_the_old_token_is_tried_and_who_is_locked_out_is_told_why(
    onefold: Stepped, apis: Apis, grace: bool
) -> None:
    api = Rotating(grace=grace)
    with source(onefold, apis, api):
        started = threading.Event()
        processes: list[subprocess.Popen[bytes]] = []

        def exchanging() -> None:
            assert started.wait(PATIENCE)
            killed(processes[0])

        api.exchanging = exchanging
        processes.append(pull(onefold.settings.data, "shop", **NEAR))
        started.set()
        processes[0].wait(PATIENCE)
        api.exchanging = lambda: None
        if grace:
            assert run(onefold) == 2
        else:
            for _ in range(2):
                with pytest.raises(OnefoldError, match="authorize Onefold there anew") as caught:
                    run(onefold)
                assert "UTC was never kept" in str(caught.value)
            secret_set(onefold.settings, "grant", api.authorized())
            assert (run(onefold), run(onefold)) == (2, 2)
    assert ("shop", 0, 0) in rows(onefold)


def test_the_token_that_somebody_sets_anew_wins_and_the_same_one_again_changes_nothing(
    onefold: Stepped, apis: Apis
) -> None:
    api = Rotating()
    with source(onefold, apis, api):
        run(onefold)
        secret_set(onefold.settings, "grant", api.first)  # as each deployment may
        run(onefold)
        newer = api.authorized()
        secret_set(onefold.settings, "grant", newer)
        run(onefold)
        run(onefold)
    assert api.reused == 0
    assert api.asked == ["refresh-1-begun", "refresh-2-given", newer, "refresh-5-given"]


def test_sources_that_are_given_the_same_token_do_not_lock_each_other_out(
    onefold: Stepped, apis: Apis
) -> None:
    api = Rotating()
    with source(onefold, apis, api):
        onefold.define(definition(apis, "other"))
        for name in ("shop", "other", "shop", "other"):
            assert run(onefold, name) == 2
    assert (len(set(api.asked)), api.reused) == (4, 0)


def test_only_one_exchanges_at_a_time(
    onefold: Stepped, apis: Apis, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, waits, hold = Rotating(), threading.Event(), token_keeping.hold

    @contextmanager
    def watched(path: Path) -> Iterator[bool]:
        with hold(path) as alone:
            if not alone:
                waits.set()
            yield alone

    monkeypatch.setattr(token_keeping, "hold", watched)
    with source(onefold, apis, api):
        # The first answer comes only when another has seen that it must wait.
        api.exchanging = lambda: None if waits.wait(PATIENCE) else pytest.fail("nobody waits")
        with ThreadPoolExecutor(4) as pool:
            found = [pool.submit(rehearse_source, onefold.settings, "shop") for _ in range(4)]
            assert [one.result().rows for one in found] == [2, 2, 2, 2]
    assert api.reused == 0
    assert len(set(api.asked)) == len(api.asked) >= 4


def test_a_token_goes_with_its_source_and_with_its_secret(onefold: Stepped, apis: Apis) -> None:
    with source(onefold, apis, Rotating()):
        run(onefold)
        put(onefold.store, Reading([], []), "test", gone=[("source", "shop")])
        assert rows(onefold) == []

        api = Rotating()
        with source(onefold, apis, api):
            run(onefold)
            services.source_reset(onefold.settings, "shop")
            assert len(rows(onefold)) == 1
            secret_remove(onefold.settings, "grant")
            assert rows(onefold) == []


def test_a_token_is_told_nowhere(
    onefold: Stepped, apis: Apis, capfd: pytest.CaptureFixture[str]
) -> None:
    api = Rotating()
    with source(onefold, apis, api):
        run(onefold)
        current = onefold.store.db.one("select value from refresh_tokens")
        api.authorized()  # so that the kept one is refused, and told in the answer
        with pytest.raises(OnefoldError) as caught:
            run(onefold)
        with pytest.raises(OnefoldError) as rehearsed:
            rehearse_source(onefold.settings, "shop")
    assert b"refresh-" not in current
    state = onefold.store.source_states.get("shop")
    loads = onefold.store.loads.page(1 << 62, 10)
    audit = onefold.store.registry.audit_entries(1 << 62, 100)
    told = [str(caught.value), str(rehearsed.value), repr(state), repr(loads), repr(audit)]
    told += [*capfd.readouterr()]
    assert "(hidden) was used" in told[0]
    for number in range(1, 5):
        for kind in ("begun", "given"):
            assert not [one for one in told if f"refresh-{number}-{kind}" in one]
        assert not [one for one in told if f"access-{number}" in one]
    for file in onefold.settings.data.glob("store.db*"):
        assert b"refresh-" not in file.read_bytes().replace(b"refresh-tok", b"")


def test_an_access_token_that_an_answer_repeats_is_hidden(onefold: Stepped, apis: Apis) -> None:
    api = Rotating()
    with source(onefold, apis, api):
        inner = api.__call__
        apis.api = lambda asked: (
            (403, {"refused": asked.headers["authorization"]})
            if asked.path == "/things"
            else inner(asked)
        )
        with pytest.raises(OnefoldError, match=r"Bearer \(hidden\)"):
            run(onefold)


def test_where_nothing_can_be_kept_nothing_is_asked_for(
    onefold: Stepped, apis: Apis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Busy("the store could not be written: disk is full")

    api = Rotating()
    with source(onefold, apis, api):
        with monkeypatch.context() as broken:
            broken.setattr(RefreshTokens, "begin", full)
            with pytest.raises(OnefoldError, match="disk is full"):
                run(onefold)
        assert api.asked == []
        assert run(onefold) == 2


def test_a_new_token_waits_for_a_store_that_cannot_be_written_for_a_moment(
    onefold: Stepped, apis: Apis, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, failures = RefreshTokens.keep, iter([True, True])

    def busy(self: RefreshTokens, given: bytes, value: bytes | None, at: int) -> None:
        if next(failures, False):
            raise Busy("the store is locked")
        keep(self, given, value, at)

    monkeypatch.setattr(RefreshTokens, "keep", busy)
    monkeypatch.setattr(token_keeping, "_PAUSE", 0.0)
    api = Rotating()
    with source(onefold, apis, api):
        assert (run(onefold), run(onefold)) == (2, 2)
    assert api.reused == 0
