"""A rule that nobody saved, asked of everybody, as of this moment."""

from __future__ import annotations

import pytest

from onefold.app.lake import kept
from onefold.app.lake.writer import drain
from onefold.app.profiles.finding import profile
from onefold.app.questions.audiences import PreviewQuestion, ValueCount
from onefold.app.questions.everybody import everybody
from onefold.app.questions.preview import preview
from onefold.app.workspace import now_us
from onefold.engine import DuckEngine, OutOfMemory
from onefold.model.errors import InvalidInput, NotFound
from onefold.model.quantities import size_text
from tests.acceptance.conftest import Stepped

RULE = (
    "country = 'CN' and count_of('Order Completed', last => interval 30 day) >= 2"
    " and not did('Email Opened', last => interval 14 day)"
)


def order(user: str, number: int, **more: object) -> dict[str, object]:
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": user,
        "messageId": f"{user}-{number}",
        "properties": {"revenue": 60},
        **more,
    }


def person(user: str, **traits: object) -> dict[str, object]:
    return {"type": "identify", "userId": user, "messageId": user, "traits": traits}


def people(onefold: Stepped) -> None:
    onefold.take(
        *(person(user, country="CN", city=city) for user, city in zip("abc", "XYX", strict=True)),
        person("d", country="DE"),
        *(order(user, number) for user in "abd" for number in range(2)),
        order("c", 1),
        {"type": "track", "event": "Email Opened", "userId": "b", "messageId": "opened"},
    )


def test_it_counts_and_shows_who_satisfies_it(onefold: Stepped) -> None:
    people(onefold)
    found = preview(onefold.settings, PreviewQuestion(RULE))
    assert (found.count, found.total) == (1, 4)
    (shown,) = found.sample
    assert shown.profile == profile(onefold.settings, "user_id:a").id
    assert shown.traits == {"city": "X", "country": "CN"}


def test_what_still_waits_for_the_lake_counts(onefold: Stepped) -> None:
    people(onefold)
    onefold.append(order("c", 2))
    while onefold.worker.step():
        pass
    assert onefold.store.queue_size()[1]
    assert preview(onefold.settings, PreviewQuestion(RULE)).count == 2
    drain(onefold.store, onefold.lake)
    assert preview(onefold.settings, PreviewQuestion(RULE)).count == 2


def test_a_kept_engine_sees_what_came_since_the_last_question(
    onefold: Stepped, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = kept._Kept()
    keeper.wanted = True
    monkeypatch.setattr(kept, "_KEPT", keeper)
    people(onefold)
    drain(onefold.store, onefold.lake)
    for _ in range(3):
        assert preview(onefold.settings, PreviewQuestion(RULE)).count == 1
    assert preview(onefold.settings, PreviewQuestion("country = 'DE'")).count == 1
    onefold.append(order("c", 2))
    while onefold.worker.step():
        pass
    assert preview(onefold.settings, PreviewQuestion(RULE)).count == 2
    drain(onefold.store, onefold.lake)
    for _ in range(2):
        assert preview(onefold.settings, PreviewQuestion(RULE)).count == 2
    assert preview(onefold.settings, PreviewQuestion(RULE)).total == 4


def test_events_before_a_merge_count(onefold: Stepped) -> None:
    onefold.take(order("", 1, userId=None, anonymousId="browser"), order("e", 2))
    onefold.take({**person("e", country="CN"), "anonymousId": "browser"})
    assert preview(onefold.settings, PreviewQuestion(RULE)).count == 1


def test_it_breaks_down_by_traits_and_by_days(onefold: Stepped) -> None:
    people(onefold)
    found = preview(
        onefold.settings,
        PreviewQuestion("country is not null", 0, ("city",), ("Order Completed",)),
    )
    (city,) = found.by
    assert city.values == (ValueCount("X", 2), ValueCount("Y", 1))
    assert (city.other, city.absent) == (0, 1)
    (orders,) = found.events
    assert len(orders.days) == 30
    assert (orders.days[-1].events, orders.days[-1].profiles) == (7, 4)
    assert sum(day.events for day in orders.days) == 7


def test_it_may_refer_to_what_is_defined(onefold: Stepped) -> None:
    people(onefold)
    onefold.define(
        "kind: trait\nname: orders\nexpression: count_of('Order Completed')\n---\n"
        "kind: tag\nname: level\ncases: [{value: gold, when: orders >= 2}, {value: basic}]\n"
    )
    onefold.settle()
    found = preview(onefold.settings, PreviewQuestion("level = 'gold' and country = 'CN'"))
    assert found.count == 2


def test_a_saved_segment_is_asked_by_its_name(onefold: Stepped) -> None:
    people(onefold)
    onefold.define("kind: segment\nname: buyers\nrule: did('Order Completed')\n")
    onefold.settle()
    assert preview(onefold.settings, PreviewQuestion("segment:buyers")).count == 4
    with pytest.raises(NotFound):
        preview(onefold.settings, PreviewQuestion("segment:byers"))


def test_what_is_no_rule_is_refused_with_its_place(onefold: Stepped) -> None:
    with pytest.raises(InvalidInput) as caught:
        preview(onefold.settings, PreviewQuestion("count_off('A') > 1"))
    assert caught.value.faults[0].where == "line 1, column 1"
    with pytest.raises(InvalidInput):
        preview(onefold.settings, PreviewQuestion("country = 'CN'", by=("a, b",)))


def test_a_preview_warns_of_names_that_never_came_in(onefold: Stepped) -> None:
    people(onefold)
    asked = PreviewQuestion("contry = 'CN' or did('Order Compleeted')")
    warnings = [str(one) for one in preview(onefold.settings, asked).warnings]
    assert any("unknown trait contry (did you mean country?)" in one for one in warnings)
    assert any("no event 'Order Compleeted' is known" in one for one in warnings)
    assert preview(onefold.settings, PreviewQuestion("country = 'CN'")).warnings == ()


def test_a_question_whose_memory_ends_says_how_much_it_may_use(
    onefold: Stepped, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OutOfMemory("the engine's own words")

    with (
        everybody(onefold.settings, {"": RULE}, now_us(), lambda: None) as (asked, _),
        monkeypatch.context() as patched,
    ):
        patched.setattr(DuckEngine, "rows", full)
        with pytest.raises(InvalidInput) as refused:
            asked.total()
    (fault,) = refused.value.faults
    assert f"sql_memory is {size_text(onefold.settings.sql_memory)}" in fault.message
    assert "own words" not in str(refused.value)
