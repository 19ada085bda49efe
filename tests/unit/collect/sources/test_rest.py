"""REST APIs that are slow, full, broken or sly."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from onefold.collect.addresses import Reach
from onefold.collect.sources.rest.settings import RestSettings
from onefold.collect.sources.rest.source import RestSource
from onefold.model.errors import Busy, InvalidInput, Unreachable
from onefold.model.pulled import Batch, Position
from tests.unit.collect.sources.apis import Apis, Asked, Reply
from tests.unit.collect.sources.reading import places

THINGS: dict[str, Any] = {"name": "things", "path": "things", "records": "data"}


class Slept(list[float]):
    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def pull(
    apis: Apis, position: Position | None = None, slept: Slept | None = None, **given: Any
) -> list[Batch]:
    body = {"base_url": apis.url, "rate": 1000.0, "streams": [THINGS], **given}
    settings = msgspec.convert(body, RestSettings)
    source = RestSource(
        settings, Reach(["127.0.0.1"]), clock=lambda: 2e9, sleep=Slept() if slept is None else slept
    )
    try:
        return list(source.batches(position))
    finally:
        source.close()


def test_who_is_asked_to_wait_waits_and_shows_that_it_lives(apis: Apis) -> None:
    apis.before = [(429, {}, {"Retry-After": "3"})]
    apis.api = lambda asked: (200, {"data": [{"id": 1}]})
    slept = Slept()
    batches = pull(apis, slept=slept)
    assert places(batches) == ["1"]
    assert 2.9 < sum(slept) < 4
    assert sum(not batch.records for batch in batches) >= 6


def test_who_is_asked_to_wait_for_long_comes_back_then(apis: Apis) -> None:
    apis.api = lambda asked: (429, {}, {"Retry-After": "4000"})
    with pytest.raises(Busy) as caught:
        pull(apis)
    assert caught.value.retry_after == 4000
    assert len(apis.asked) == 1


def test_what_fails_for_a_moment_is_tried_again(apis: Apis) -> None:
    apis.before = [(502, b"<html>"), (503, {})]
    apis.api = lambda asked: (200, {"data": [{"id": 1}]})
    assert places(pull(apis)) == ["1"]


@pytest.mark.parametrize("garbage", [b"<html>Hello</html>", b"{", b"\xff\xfe"])
def test_garbage_is_told(apis: Apis, garbage: bytes) -> None:
    apis.api = lambda asked: (200, garbage)
    with pytest.raises(Unreachable, match="no JSON"):
        pull(apis)


def test_a_token_that_ended_is_fetched_again(apis: Apis) -> None:
    tokens = iter(["first", "second"])

    def api(asked: Asked) -> Reply:
        if asked.path == "/token":
            return 200, {"access_token": next(tokens), "expires_in": 3600}
        if asked.headers["authorization"] != "Bearer second":
            return 401, {}
        return 200, {"data": [{"id": 1}]}

    apis.api = api
    assert places(pull(apis, auth={"type": "oauth2", "url": f"{apis.url}/token"})) == ["1"]


def test_a_page_on_another_host_is_not_called(apis: Apis) -> None:
    apis.api = lambda asked: (200, {"data": [{"id": 1}], "next": "http://evil.example.com/steal"})
    paged = {**THINGS, "paging": {"type": "next", "at": "next"}}
    with pytest.raises(Unreachable, match=r"sends us on to evil\.example\.com"):
        pull(apis, streams=[paged], auth={"type": "bearer", "token": "s"})
    assert len(apis.asked) == 1


def test_pages_that_go_in_a_circle_end(apis: Apis) -> None:
    apis.api = lambda asked: (200, {"data": [{"id": 1}], "next": "same"})
    paged = {**THINGS, "paging": {"type": "token", "at": "next", "parameter": "after"}}
    assert len(places(pull(apis, streams=[paged]))) == 2


def test_a_record_without_its_key_is_told_and_the_others_come(apis: Apis) -> None:
    apis.api = lambda asked: (200, {"data": [{"id": 1}, {"name": "?"}, {"id": 3}]})
    (batch,) = pull(apis)
    assert places([batch]) == ["1", "3"]
    assert [(one.raw, one.reasons) for one in batch.unreadable] == [
        (b'{"name":"?"}', ("has no id",))
    ]


def test_children_come_with_their_parent_and_what_is_gone_is_left_out(apis: Apis) -> None:
    def api(asked: Asked) -> Reply:
        if asked.path == "/things":
            return 200, {"data": [{"id": "a/../b", "name": "A"}, {"id": "c", "name": "C"}]}
        return (404, {}) if asked.path.startswith("/things/c") else (200, {"data": [{"id": 7}]})

    apis.api = api
    child = {"name": "lines", "path": "things/{id}/lines", "records": "data", "keep": ["name"]}
    (batch,) = pull(apis, streams=[{**THINGS, "children": [child]}])
    assert [(one.stream, one.place, one.fields) for one in batch.records] == [
        ("things", "a/../b", {"id": "a/../b", "name": "A"}),
        ("things", "c", {"id": "c", "name": "C"}),
        ("lines", "a/../b/7", {"id": 7, "parent.name": "A"}),
    ]
    assert apis.asked[1].path == "/things/a%2F..%2Fb/lines"


def test_where_an_api_pages_no_further_it_goes_on_from_the_last_cursor(apis: Apis) -> None:
    def api(asked: Asked) -> Reply:
        since, offset = int(asked.query["since"]), int(asked.query["offset"])
        if offset >= 4:
            return 400, {"message": "too far"}
        found = [number for number in range(1, 12) if number >= since][offset : offset + 2]
        return 200, {"data": [{"id": number, "at": number} for number in found]}

    apis.api = api
    stream = {
        **THINGS,
        "query": {"since": "{since}"},
        "paging": {"type": "offset", "parameter": "offset", "size": 2, "most": 4},
        "cursor": {
            "field": "at",
            "format": "seconds",
            "start": "1970-01-01T00:00:00Z",
            "late": "0s",
        },
    }
    assert set(places(pull(apis, streams=[stream]))) == {str(number) for number in range(1, 12)}


def test_a_page_that_is_known_no_more_after_a_crash_begins_the_stream_anew(apis: Apis) -> None:
    def api(asked: Asked) -> Reply:
        if asked.query.get("after") == "old":
            return 400, {"message": "cursor expired"}
        return 200, {"data": [{"id": 1}], "next": None}

    apis.api = api
    paged = {**THINGS, "paging": {"type": "token", "at": "next", "parameter": "after"}}
    position = {
        "things": {"cursors": {}, "run": {"since": 0, "page": {"value": "old"}, "highs": {}}}
    }
    assert places(pull(apis, position, streams=[paged])) == ["1"]


def test_an_address_of_this_network_is_refused_unless_it_is_allowed(apis: Apis) -> None:
    settings = msgspec.convert({"base_url": apis.url, "streams": [THINGS]}, RestSettings)
    source = RestSource(settings, Reach(), sleep=Slept())
    with pytest.raises(InvalidInput, match="source_networks"):
        list(source.batches(None))
    source.close()
    assert apis.asked == []
