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
from tests.unit.collect.sources.api_server import Apis, Asked, Reply
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


CHANGING: dict[str, Any] = {
    **THINGS,
    "query": {"since": "{since}"},
    "paging": {"type": "offset", "parameter": "offset", "size": 2, "sorted": True},
    "cursor": {
        "field": "at",
        "format": "seconds",
        "start": "1970-01-01T00:00:00Z",
        "late": "0s",
    },
}


def listing(times: dict[int, int], asked: Asked, *, later: bool = False) -> Reply:
    """Two of a list that is sorted by when its things changed, from an offset on."""
    since, offset = int(asked.query["since"]), int(asked.query["offset"])
    found = [one for one in times.items() if one[1] > since or (one[1] == since and not later)]
    some = sorted(found, key=lambda one: (one[1], one[0]))[offset : offset + 2]
    return 200, {"data": [{"id": number, "at": at} for number, at in some]}


@pytest.mark.parametrize("later", [False, True])
def test_a_record_that_changes_while_pages_are_read_pushes_no_other_out(
    apis: Apis, later: bool
) -> None:
    times = {number: 100 + number for number in range(1, 10)}

    def api(asked: Asked) -> Reply:
        reply = listing(times, asked, later=later)
        if (read := len(apis.asked)) in times:
            times[read] = 1_000 + read  # one that was read goes to the end
        return reply

    apis.api = api
    assert {int(place) for place in places(pull(apis, streams=[CHANGING]))} == set(range(1, 10))


@pytest.mark.parametrize("later", [False, True])
def test_more_of_one_time_than_a_page_holds_are_all_read_and_once(apis: Apis, later: bool) -> None:
    times = {number: 100 + number // 6 for number in range(1, 20)}
    apis.api = lambda asked: listing(times, asked, later=later)
    assert sorted(map(int, places(pull(apis, streams=[CHANGING])))) == list(range(1, 20))


def test_a_list_that_is_not_sorted_after_all_is_followed_by_its_numbers(apis: Apis) -> None:
    times = {number: 500 - number for number in range(1, 10)}

    def api(asked: Asked) -> Reply:
        offset = int(asked.query["offset"])
        return 200, {
            "data": [{"id": n, "at": times[n]} for n in sorted(times)[offset : offset + 2]]
        }

    apis.api = api
    assert sorted(map(int, places(pull(apis, streams=[CHANGING])))) == list(range(1, 10))


def test_one_record_of_a_wrong_year_does_not_hide_what_changes_until_then(apis: Apis) -> None:
    times = {1: 100, 2: 9_000_000_000}
    apis.api = lambda asked: listing(times, asked)
    first = pull(apis, streams=[CHANGING])
    times[3] = 2_000_000_001  # a second after that run
    assert "3" in places(pull(apis, first[-1].position, streams=[CHANGING]))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"errors": ["renamed"], "items": []}, "data is not there; the answer has errors, items"),
        ({"data": "soon"}, "data is no list"),
    ],
)
def test_an_answer_without_its_records_is_no_empty_one(
    apis: Apis, answer: dict[str, Any], told: str
) -> None:
    apis.api = lambda asked: (200, answer)
    with pytest.raises(Unreachable, match=told):
        pull(apis)


def test_who_leaves_an_empty_list_out_says_so(apis: Apis) -> None:
    apis.api = lambda asked: (200, {"total": 0})
    assert places(pull(apis, streams=[{**THINGS, "sparse": True}])) == []
    apis.api = lambda asked: (200, {"data": None})
    assert places(pull(apis)) == []


FAMILY = {
    **THINGS,
    "children": [
        {
            "name": "orders",
            "path": "things/{id}/orders",
            "records": "data",
            "paging": {"type": "page", "parameter": "page", "size": 400},
        },
        {"name": "notes", "path": "things/{id}/notes", "records": "data"},
    ],
}


def family(asked: Asked) -> Reply:
    """Three parents, each with 1,000 orders on three pages, and a note."""
    parts = asked.path.split("/")
    if len(parts) == 2:
        return 200, {"data": [{"id": f"p{number}"} for number in range(3)]}
    if parts[3] == "notes":
        return 200, {"data": [{"id": "n"}]}
    start = (int(asked.query["page"]) - 1) * 400
    return 200, {"data": [{"id": number} for number in range(start, min(start + 400, 1_000))]}


def test_many_children_come_in_parts_and_a_crash_keeps_those_that_came(apis: Apis) -> None:
    apis.api = family
    whole = pull(apis, streams=[FAMILY])
    assert len(set(places(whole))) == len(places(whole)) == 3 + 3_000 + 3
    assert max(len(batch.records) for batch in whole) < 1_500

    for number, batch in enumerate(whole[:-1]):
        apis.asked.clear()
        rest = places(pull(apis, batch.position, streams=[FAMILY]))
        assert set(places(whole[: number + 1])) | set(rest) == set(places(whole))
        assert len(rest) <= len(places(whole[number + 1 :])) + 3  # besides the parents


def test_where_the_parents_are_others_by_now_all_children_are_read(apis: Apis) -> None:
    apis.api = family
    (first, *_) = pull(apis, streams=[FAMILY])

    def newer(asked: Asked) -> Reply:
        if asked.path == "/things":
            return 200, {"data": [{"id": f"p{number}"} for number in (9, 0, 1, 2)]}
        return family(asked)

    apis.api = newer
    assert sum(
        "p9/" in place for place in places(pull(apis, first.position, streams=[FAMILY]))
    ) == (1_001)


OAUTH = {"type": "oauth2", "client_id": "a:b", "client_secret": "c d"}


def test_a_token_that_cannot_be_had_for_a_moment_is_asked_for_again(apis: Apis) -> None:
    def api(asked: Asked) -> Reply:
        if asked.path == "/token":
            return (503, {}) if len(apis.asked) < 3 else (200, {"access_token": "t"})
        return 200, {"data": [{"id": 1}]}

    apis.api = api
    assert places(pull(apis, auth={**OAUTH, "url": f"{apis.url}/token"})) == ["1"]


def test_who_asks_for_a_token_may_have_to_say_so_by_http_basic(apis: Apis) -> None:
    def api(asked: Asked) -> Reply:
        if asked.path == "/token":
            assert (asked.basic(), asked.raw) == ("a%3Ab:c+d", b"grant_type=client_credentials")
            return 200, {"access_token": "t"}
        return 200, {"data": [{"id": 1}]}

    apis.api = api
    assert places(pull(apis, auth={**OAUTH, "url": f"{apis.url}/token", "send": "basic"})) == ["1"]


@pytest.mark.parametrize(
    ("places_of", "auth"),
    [
        (("token", "refresh_token"), {"at": "token"}),
        (("access_token", "next"), {"renewed": "next"}),
        (("data.access", "data.refresh_token"), {"at": "data.access"}),
    ],
)
def test_a_new_refresh_token_is_used_within_a_run_wherever_it_stands(
    apis: Apis, places_of: tuple[str, str], auth: dict[str, str]
) -> None:
    numbers, sent = iter(range(1, 9)), []

    def api(asked: Asked) -> Reply:
        if asked.path == "/things":
            return (401, {}) if len(sent) < 3 else (200, {"data": [{"id": 1}]})
        sent.append(asked.body["refresh_token"])
        answer: dict[str, Any] = {}
        for place, value in zip(places_of, ("a", f"r{next(numbers)}"), strict=True):
            *outer, name = place.split(".")
            (answer.setdefault(outer[0], {}) if outer else answer)[name] = value
        return 200, answer

    apis.api = api
    given = {"type": "oauth2", "url": f"{apis.url}/token", "send": "json", "refresh_token": "r0"}
    twice = [{**THINGS, "name": "a"}, {**THINGS, "name": "b"}]
    with pytest.raises(Unreachable):
        pull(apis, streams=twice, auth={**given, **auth})
    assert sent == ["r0", "r1"]
    assert places(pull(apis, streams=twice, auth={**given, **auth})) == ["1", "1"]


def test_a_refresh_token_that_is_refused_says_what_to_do(apis: Apis) -> None:
    apis.api = lambda asked: (400, {"error": "invalid_grant"})
    auth = {"type": "oauth2", "url": f"{apis.url}/token", "refresh_token": "old"}
    with pytest.raises(Unreachable, match=r"invalid_grant.*authorize Onefold there anew"):
        pull(apis, auth=auth)
    assert len(apis.asked) == 1


def test_a_wrong_key_does_not_cost_the_page_that_was_reached(apis: Apis) -> None:
    position = {"things": {"cursors": {}, "run": {"since": 0, "page": {"value": 7}, "highs": {}}}}
    paged = {**THINGS, "paging": {"type": "page", "parameter": "page"}}
    apis.api = lambda asked: (401, {})
    with pytest.raises(Unreachable):
        pull(apis, position, streams=[paged])
    assert [asked.query["page"] for asked in apis.asked] == ["7"]


def test_who_says_only_when_the_next_call_is_free_is_waited_for(
    apis: Apis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onefold.collect.fetching.time.time", lambda: 2_000_000_000.0)
    apis.before = [(429, {}, {"X-RateLimit-Reset": "2000000004"})]
    apis.api = lambda asked: (200, {"data": [{"id": 1}]})
    slept = Slept()
    assert places(pull(apis, slept=slept)) == ["1"]
    assert 3.9 < sum(slept) < 5


def test_a_code_of_a_refusal_may_say_that_it_passes(apis: Apis) -> None:
    apis.before = [(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}])]
    apis.api = lambda asked: (200, {"data": [{"id": 1}]})
    failure = {"at": ["0.errorCode", "code"], "again": ["REQUEST_LIMIT_EXCEEDED"]}
    assert places(pull(apis, failure=failure)) == ["1"]


@pytest.mark.parametrize("kind", ["page", "offset"])
def test_an_api_that_heeds_no_number_of_a_page_is_not_read_for_ever(apis: Apis, kind: str) -> None:
    apis.api = lambda asked: (200, {"data": [{"id": 1}, {"id": 2}]})
    paged = {**THINGS, "paging": {"type": kind, "parameter": "seite", "size": 2}}
    with pytest.raises(InvalidInput) as caught:
        pull(apis, streams=[paged])
    assert [fault.where for fault in caught.value.faults] == ["things.paging.parameter"]
    assert len(apis.asked) == 2


def test_children_that_are_asked_for_together_go_on_after_a_crash_too(apis: Apis) -> None:
    def api(asked: Asked) -> Reply:
        if asked.method == "GET":
            return 200, {"data": [f"o{number}" for number in range(2_500)]}
        return 200, {"people": [{"id": one} for one in asked.body["ids"]]}

    apis.api = api
    child = {"name": "people", "path": "people", "method": "POST", "body": {"ids": ["{value}"]},
             "group": 100, "records": "people"}  # fmt: skip
    stream = {**THINGS, "key": ["value"], "emit": False, "children": [child]}
    whole = pull(apis, streams=[stream])
    assert len(set(places(whole))) == len(places(whole)) == 2_500
    assert len(whole) == 3
    for number, batch in enumerate(whole[:-1]):
        rest = pull(apis, batch.position, streams=[stream])
        assert places(whole[: number + 1]) + places(rest) == places(whole)


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "inf"},
        {"Retry-After": "9" * 400},
        {"X-RateLimit-Reset": "9" * 5_000},
        {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"},
    ],
)
def test_who_asks_for_ever_is_left_alone_for_a_day_at_most(
    apis: Apis, headers: dict[str, str]
) -> None:
    apis.api = lambda asked: (429, {}, headers)
    with pytest.raises(Busy) as caught:
        pull(apis)
    assert 30 <= caught.value.retry_after <= 86_400
