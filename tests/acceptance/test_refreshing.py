"""Tags that need everybody: ranked, compared and scored when due; only differences are written."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from onefold.app.evaluation.refreshed import ask_for_due
from onefold.app.evaluation.refreshing import refresh_tag
from onefold.app.folding.rebuild import check_rebuild, rebuild
from onefold.app.in_force import load_definitions
from onefold.app.profiles.claims import profile_in_full
from onefold.app.profiles.finding import profile
from onefold.app.questions.query import sql
from onefold.app.workspace import now_us
from onefold.model.profile import decode_profile, encode_profile
from tests.acceptance.conftest import Stepped

DAY = 86_400_000_000
TOP = """
kind: tag
name: spender
rank:
  by: sum_of('Order Completed', properties.revenue)
  top: {gold: 10, silver: 40}
  otherwise: rest
---
kind: segment
name: golden
rule: spender = 'gold'
"""
RFM = "kind: tag\nname: rfm\nrfm: {}\n"


def orders(user: str, *revenues: float, days_ago: int = 0) -> list[dict[str, object]]:
    at = datetime.now(UTC) - timedelta(days=days_ago)
    return [
        {
            "type": "track",
            "event": "Order Completed",
            "userId": user,
            "messageId": uuid4().hex,
            "timestamp": at.isoformat(),
            "properties": {"revenue": revenue},
        }
        for revenue in revenues
    ]


def shop(onefold: Stepped) -> None:
    """Ten customers: u0 spent 1, u1 2 … u9 10; the last of them bought nothing."""
    onefold.take(*(one for n in range(10) for one in orders(f"u{n}", n + 1)))
    onefold.take({"type": "identify", "userId": "visitor", "traits": {"city": "Bonn"}})


def refresh(onefold: Stepped, name: str) -> int:
    found = refresh_tag(onefold.settings, name)
    while onefold.store.given.refresh_queue():
        onefold.worker.step()
    onefold.settle()
    return found.changed


def tag(onefold: Stepped, user: str, name: str) -> str | None:
    return profile(onefold.settings, f"user_id:{user}").tags.get(name)


def test_the_top_shares_of_everybody(onefold: Stepped) -> None:
    onefold.define(TOP)
    shop(onefold)
    assert refresh(onefold, "spender") == 10
    assert [tag(onefold, f"u{n}", "spender") for n in range(10)] == (
        ["rest"] * 6 + ["silver"] * 3 + ["gold"]
    )
    assert tag(onefold, "visitor", "spender") is None
    found = profile(onefold.settings, "user_id:u9")
    assert [one.name for one in found.segments] == ["golden"]
    assert found.traits == {}


def test_only_differences_are_written(onefold: Stepped) -> None:
    onefold.define(TOP)
    shop(onefold)
    assert refresh(onefold, "spender") == 10
    assert refresh(onefold, "spender") == 0
    onefold.take(*orders("u0", 100))
    # u0 goes from rest to gold, u9 from gold to silver, u6 from silver to rest.
    assert refresh(onefold, "spender") == 3
    assert [tag(onefold, f"u{n}", "spender") for n in (0, 9, 6)] == ["gold", "silver", "rest"]
    assert [one.name for one in profile(onefold.settings, "user_id:u9").segments] == []


def test_a_profile_says_as_of_when_what_needs_everybody_holds(onefold: Stepped) -> None:
    onefold.define(TOP + "---\n" + RFM)
    shop(onefold)
    assert profile_in_full(onefold.settings, "user_id:u9").as_of == {}
    refresh(onefold, "spender")
    first = onefold.store.given.refreshes()["spender"].as_of
    refresh(
        onefold, "spender"
    )  # nothing differs, so nothing is written; but now it holds as of now
    refresh(onefold, "rfm")
    last = {name: one.as_of for name, one in onefold.store.given.refreshes().items()}
    assert last["spender"] > first
    scores = dict.fromkeys(("rfm", "rfm.recency", "rfm.frequency", "rfm.monetary"), last["rfm"])
    found = profile_in_full(onefold.settings, "user_id:u9")
    assert found.as_of == {"spender": last["spender"], **scores}
    assert "as_of" not in json.loads(msgspec.json.encode(profile(onefold.settings, "user_id:u9")))


def test_tables_show_the_traits_that_people_see(onefold: Stepped) -> None:
    onefold.define(TOP)
    shop(onefold)
    named = {"city": "Ulm", "a/b~c": 1, "$taggy": None, 'x"y': [1, {"z": "$tag.spender"}]}
    onefold.take({"type": "identify", "userId": "u9", "traits": named})
    refresh(onefold, "spender")
    rows = sql(onefold.settings, "select traits, tags from profiles").rows
    told = {tags: json.loads(traits) for traits, tags in rows}
    assert told['{"spender":"gold"}'] == profile(onefold.settings, "user_id:u9").traits
    assert not any(name.startswith("$tag.") for traits in told.values() for name in traits)


def test_equal_parts_with_names_among_some(onefold: Stepped) -> None:
    onefold.define(
        "kind: tag\nname: third\nrank:\n  by: sum_of('Order Completed', properties.revenue)\n"
        "  where: sum_of('Order Completed', properties.revenue) > 1\n"
        "  into: 3\n  values: [low, middle, high]\n"
    )
    shop(onefold)
    refresh(onefold, "third")
    assert [tag(onefold, f"u{n}", "third") for n in range(10)] == (
        [None] + ["low"] * 3 + ["middle"] * 3 + ["high"] * 3
    )


def test_statistics_compare_with_everybody(onefold: Stepped) -> None:
    onefold.define(
        "kind: tag\nname: basket\nstatistics:\n"
        "  by: sum_of('Order Completed', properties.revenue)\n"
        "  cases:\n  - {value: far above, when: z > 1.5}\n  - {value: above, when: x > mean}\n"
        "  - {value: lowest, when: x <= q10}\n  - {value: below}\n"
    )
    shop(onefold)
    refresh(onefold, "basket")
    assert [tag(onefold, f"u{n}", "basket") for n in range(10)] == (
        ["lowest"] + ["below"] * 4 + ["above"] * 4 + ["far above"]
    )


def test_rfm_scores_and_groups(onefold: Stepped) -> None:
    onefold.define(RFM)
    onefold.take(
        *(
            one
            for n in range(10)
            for one in orders(f"u{n}", *([10.0] * (n + 1)), days_ago=10 * (10 - n))
        ),
        *orders("long-ago", 10, days_ago=400),
    )
    refresh(onefold, "rfm")
    best, worst = (profile(onefold.settings, f"user_id:u{n}") for n in (9, 0))
    assert (best.tags, worst.tags) == ({"rfm": "Champions"}, {"rfm": "Lost"})
    scores = ("rfm.recency", "rfm.frequency", "rfm.monetary")
    assert [best.computed[one] for one in scores] == [5, 5, 5]
    assert [worst.computed[one] for one in scores] == [1, 1, 1]
    assert tag(onefold, "long-ago", "rfm") is None


def test_who_becomes_one_person_has_the_newest_value_and_who_is_parted_their_own(
    onefold: Stepped,
) -> None:
    onefold.define(TOP)
    shop(onefold)
    refresh(onefold, "spender")
    onefold.take({"type": "alias", "userId": "u9", "previousId": "u0"})
    assert tag(onefold, "u0", "spender") in ("gold", "rest")
    refresh(onefold, "spender")
    # Of nine, nobody alone is the top 10 %.
    assert tag(onefold, "u0", "spender") == "silver"


def test_a_rebuild_leaves_refreshed_values_as_they_are(onefold: Stepped) -> None:
    onefold.define(TOP)
    shop(onefold)
    refresh(onefold, "spender")
    assert check_rebuild(onefold.settings).differences == ()
    for number, document in onefold.store.documents(onefold.store.profile_ids(0, 20)).items():
        damaged = decode_profile(document)
        damaged.nodes[0].events += 5
        with onefold.store.db.transaction() as connection:
            connection.execute(
                "update profiles set document = ? where id = ?", (encode_profile(damaged), number)
            )
    assert rebuild(onefold.settings).differences
    onefold.settle()
    assert check_rebuild(onefold.settings).differences == ()
    assert tag(onefold, "u9", "spender") == "gold"


def test_a_refresh_is_asked_for_when_it_is_due(onefold: Stepped) -> None:
    onefold.define(TOP)
    shop(onefold)
    definitions, _ = load_definitions(onefold.store)

    def asked(at: int) -> int:
        ask_for_due(onefold.settings, onefold.store, definitions, at)
        return len(onefold.store.jobs.page(1 << 62, 100))

    assert asked(now_us()) == 1
    assert asked(now_us()) == 1
    job = onefold.store.jobs.latest("refresh", "spender")
    assert job is not None
    refresh(onefold, "spender")
    onefold.store.jobs.finish(job.id, now_us(), "done")
    assert asked(now_us()) == 1
    assert asked(now_us() + DAY) == 2


@pytest.mark.parametrize("by", ["nonsense(", "in_segment('x')"])
def test_a_ranking_that_cannot_be_is_refused(onefold: Stepped, by: str) -> None:
    with pytest.raises(Exception, match="cannot be used"):
        onefold.define(TOP.replace("sum_of('Order Completed', properties.revenue)", by))
