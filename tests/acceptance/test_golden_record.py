"""Golden records by definitions: who wins, why, and that everybody's follow when rules change."""

from __future__ import annotations

import msgspec
import pytest

from onefold.app.claims import profile_claims, profile_in_full
from onefold.app.profiles import profile
from onefold.app.rebuild import check_rebuild
from onefold.app.workspace import now_us
from onefold.model.records import Accepted, encode_accepted
from tests.acceptance.conftest import Stepped

TRUST = """
kind: golden
name: trust
survivorship: {by: source_priority, sources: [crm, shop]}
"""


def said(source: str, time: str, **traits: object) -> tuple[str, dict[str, object]]:
    """What a source says of Ann at a time of 2026-01-15."""
    event = {"type": "identify", "userId": "ann", "timestamp": f"2026-01-15T{time}Z"}
    return source, {**event, "messageId": f"{source}-{time}", "traits": traits}


def take(onefold: Stepped, *told: tuple[str, dict[str, object]]) -> None:
    for source, event in told:
        body = msgspec.json.encode(event)
        onefold.log.append([encode_accepted(Accepted(source, now_us(), "event", body))])
    onefold.settle()


def city(onefold: Stepped) -> object:
    return profile(onefold.settings, "user_id:ann").traits.get("city")


def whys(onefold: Stepped, trait: str) -> list[tuple[str, object, str]]:
    (found,) = profile_claims(onefold.settings, "user_id:ann", trait).traits
    return [(one.outcome, one.value, one.why) for one in found.claims]


CRM, SHOP, APP = (
    said("crm", "08:00:00", city="Bonn"),
    said("shop", "09:00:00", city="Berlin"),
    said("app", "10:00:00", city="Rome", name="Ann"),
)


def test_the_most_trusted_source_wins_and_it_is_told_why(onefold: Stepped) -> None:
    onefold.define(TRUST)
    take(onefold, CRM, SHOP, APP)
    assert city(onefold) == "Bonn"
    assert whys(onefold, "city") == [
        ("won", "Bonn", "source_priority: crm, shop"),
        ("lost", "Rome", "crm comes before"),
        ("lost", "Berlin", "crm comes before"),
    ]
    origin = profile_in_full(onefold.settings, "user_id:ann").traits["city"]
    assert (origin.source, origin.identifier, origin.lost) == ("crm", "user_id:ann", 2)
    assert check_rebuild(onefold.settings).differences == ()


def test_other_rules_decide_everybody_again_and_segments_follow(onefold: Stepped) -> None:
    onefold.define("kind: segment\nname: bonn\nrule: city = 'Bonn'\n")
    take(onefold, CRM, SHOP, APP)
    assert (city(onefold), onefold.store.counters().get("members", 0)) == ("Rome", 0)
    onefold.define(TRUST)
    onefold.settle()
    assert (city(onefold), onefold.store.counters()["members"]) == ("Bonn", 1)
    assert check_rebuild(onefold.settings).differences == ()


@pytest.mark.parametrize(
    ("way", "golden"),
    [("most_frequent", "Bonn"), ("longest", "Hamburg"), ("minimum", "Bonn"), ("maximum", "Ulm"),
     ("latest", "Ulm"), ("union", ["Bonn", "Hamburg", "Ulm"])],
)  # fmt: skip
def test_what_a_rule_needs_of_the_past_is_read_again(
    onefold: Stepped, way: str, golden: object
) -> None:
    places = ("Bonn", "Bonn", "Hamburg", "Ulm")
    take(onefold, *(said("app", f"1{n}:00:00", city=one) for n, one in enumerate(places)))
    onefold.define(f"kind: trait\nname: city\ntype: text\nsurvivorship: {way}\n")
    onefold.settle()
    assert city(onefold) == golden
    assert check_rebuild(onefold.settings).differences == ()
    onefold.define("kind: trait\nname: city\ntype: text\n")
    onefold.settle()
    assert city(onefold) == "Ulm"
