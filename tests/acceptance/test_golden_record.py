"""Golden records by definitions: who wins, why, and that everybody's follow when rules change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from onefold.app.folding.rebuild import check_rebuild
from onefold.app.profiles.claims import profile_claims, profile_in_full
from onefold.app.profiles.correcting import trait_correct, trait_release
from onefold.app.profiles.finding import profile
from onefold.app.profiles.history import profile_changes
from onefold.app.profiles.lookback import profile_as_of
from onefold.app.workspace import now_us
from onefold.model.errors import InvalidInput
from onefold.model.records import Accepted, encode_accepted
from onefold.testing.patience import wait_until
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


def test_a_trait_may_go_by_its_own_rule_beside_that_for_all(onefold: Stepped) -> None:
    take(onefold, CRM, SHOP)
    onefold.define(TRUST + "---\nkind: trait\nname: city\ntype: text\nsurvivorship: latest\n")
    onefold.settle()
    assert city(onefold) == "Berlin"
    onefold.define("kind: trait\nname: city\ntype: text\n")
    onefold.settle()
    assert city(onefold) == "Bonn"


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


def correct(onefold: Stepped, value: object, **how: Any) -> None:
    trait_correct(onefold.settings, "user_id:ann", "city", value, actor="eve", **how)
    onefold.settle()


def test_a_person_corrects_a_value_for_ever_and_takes_it_back(onefold: Stepped) -> None:
    take(onefold, CRM)
    correct(onefold, "Kiel")
    take(onefold, said("crm", "11:00:00", city="Rome"))
    assert city(onefold) == "Kiel"
    assert whys(onefold, "city") == [
        ("won", "Kiel", "corrected, for ever"),
        ("lost", "Rome", "corrected by eve"),
    ]
    changes = profile_changes(onefold.settings, "user_id:ann").items
    assert (changes[0].name, changes[0].new, changes[0].source) == ("city", "Kiel", "person:eve")
    assert check_rebuild(onefold.settings).differences == ()
    trait_release(onefold.settings, "user_id:ann", "city")
    onefold.settle()
    assert city(onefold) == "Rome"


def test_a_correction_holds_until_a_source_says_something_new(onefold: Stepped) -> None:
    take(onefold, CRM)
    correct(onefold, "Kiel", holds="next")
    later = datetime.now(UTC) + timedelta(minutes=5)
    for place, golden in (("Bonn", "Kiel"), ("Ulm", "Ulm")):
        event = {"type": "identify", "userId": "ann", "timestamp": later.isoformat()}
        take(onefold, ("crm", {**event, "messageId": place, "traits": {"city": place}}))
        assert city(onefold) == golden
    assert check_rebuild(onefold.settings).differences == ()


def test_a_correction_ends_by_itself(onefold: Stepped) -> None:
    onefold.define("kind: segment\nname: kiel\nrule: city = 'Kiel'\n")
    take(onefold, CRM)
    correct(onefold, "Kiel", holds="until", until=now_us() + 3_600_000_000)
    assert (city(onefold), onefold.store.counters()["members"]) == ("Kiel", 1)
    correct(onefold, "Kiel", holds="until", until=now_us() + 3_000_000)

    def ended() -> bool:
        onefold.worker.step()
        return city(onefold) == "Bonn"

    wait_until(ended, "the correction ends")
    assert (city(onefold), onefold.store.counters()["members"]) == ("Bonn", 0)
    onefold.settle()
    assert check_rebuild(onefold.settings).differences == ()


def test_a_correction_goes_with_its_identifier(onefold: Stepped) -> None:
    take(onefold, CRM)
    take(onefold, ("app", {"type": "track", "event": "Visit", "anonymousId": "a1"}))
    trait_correct(onefold.settings, "anonymous_id:a1", "city", "Kiel", actor="eve")
    onefold.settle()
    take(onefold, ("app", {"type": "identify", "userId": "ann", "anonymousId": "a1"}))
    assert city(onefold) == "Kiel"


def test_what_the_definition_does_not_allow_is_no_correction(onefold: Stepped) -> None:
    onefold.define("kind: trait\nname: city\ntype: text\nallowed: [Bonn, Kiel]\n")
    take(onefold, CRM)
    with pytest.raises(InvalidInput, match="allowed"):
        correct(onefold, "Atlantis")


def test_as_of_a_time_the_same_rules_decide(onefold: Stepped) -> None:
    onefold.define(TRUST)
    take(onefold, SHOP, APP, said("crm", "12:00:00", city="Bonn"))
    moment = int(datetime(2026, 1, 15, 11, tzinfo=UTC).timestamp()) * 1_000_000
    assert profile_as_of(onefold.settings, "user_id:ann", moment).traits["city"] == "Berlin"
    assert city(onefold) == "Bonn"


def test_an_invalid_value_is_shown_and_does_not_win(onefold: Stepped) -> None:
    onefold.define("kind: trait\nname: age\ntype: number\nrange: {min: 0, max: 120}\n")
    take(onefold, said("crm", "08:00:00", age=30), said("crm", "09:00:00", age=300, hobby="go"))
    found = profile_in_full(onefold.settings, "user_id:ann").traits
    assert (found["age"].value, found["age"].known, found["hobby"].known) == (30, True, False)
    assert whys(onefold, "age")[1] == ("lost", 300, "invalid: is more than 120")
    assert check_rebuild(onefold.settings).differences == ()


def test_an_expression_prefers(onefold: Stepped) -> None:
    prefer = "case when source = 'crm' then 100 else 0 end + length(value)"
    onefold.define(
        f'kind: trait\nname: city\ntype: text\nsurvivorship: {{by: expression, prefer: "{prefer}"}}\n'
    )
    take(
        onefold,
        said("app", "10:00:00", city="Rothenburg"),
        CRM,
        said("crm", "09:00:00", city="Rome"),
    )
    assert city(onefold) == "Rome"
    assert whys(onefold, "city")[1][2] == "preferred less: 10.0, the winner 104.0"
    assert check_rebuild(onefold.settings).differences == ()
    with pytest.raises(InvalidInput, match="nothing that a claim has"):
        onefold.define(
            "kind: golden\nname: x\ntraits: [x]\nsurvivorship: {by: expression, prefer: age}\n"
        )
