"""Tags that people give: claims on identifiers, that survive whatever becomes of profiles."""

from __future__ import annotations

from itertools import permutations

import pytest

from onefold.app.folding.rebuild import check_rebuild
from onefold.app.profiles.finding import profile
from onefold.app.profiles.given import append_claims, tag_set, tag_value
from onefold.app.questions.audiences import PreviewQuestion, WhyQuestion
from onefold.app.questions.preview import preview
from onefold.app.questions.why import why
from onefold.app.workspace import now_us
from onefold.model.errors import InvalidInput, NotFound
from onefold.model.given import GivenClaim, tag_trait
from tests.acceptance.conftest import Stepped

TAG = "kind: tag\nname: care\nvalues: [gold, silver]\n"
VIPS = "kind: segment\nname: vips\nrule: care = 'gold'\n"
ANN = {"type": "identify", "userId": "ann", "traits": {"city": "Bonn"}}


def tags(onefold: Stepped, reference: str) -> dict[str, str]:
    return profile(onefold.settings, reference).tags


def give(onefold: Stepped, reference: str, value: str | None) -> None:
    tag_set(onefold.settings, "care", reference, value)
    onefold.settle()


def test_a_tag_is_given_and_taken_away(onefold: Stepped) -> None:
    onefold.define(TAG + "---\n" + VIPS)
    onefold.take(ANN)
    give(onefold, "user_id:ann", "gold")
    found = profile(onefold.settings, "user_id:ann")
    assert (found.tags, [one.name for one in found.segments]) == ({"care": "gold"}, ["vips"])
    assert found.traits == {"city": "Bonn"}
    assert found.computed["event_count"] == 1
    give(onefold, found.id, None)
    assert tags(onefold, "user_id:ann") == {}


def test_who_is_not_known_yet_has_it_once_they_are(onefold: Stepped) -> None:
    onefold.define(TAG)
    onefold.settle()
    give(onefold, "email:bo@example.com", "silver")
    with pytest.raises(NotFound):
        profile(onefold.settings, "email:bo@example.com")
    onefold.take({"type": "identify", "userId": "bo", "traits": {"email": "Bo@example.com"}})
    assert tags(onefold, "user_id:bo") == {"care": "silver"}
    assert onefold.store.db.one("select count(*) from waiting_claims") == 0


def test_why_names_it_as_its_owner_does(onefold: Stepped) -> None:
    onefold.define(TAG)
    onefold.take(ANN)
    give(onefold, "user_id:ann", "gold")
    clause = why(onefold.settings, WhyQuestion("care = 'gold'", "user_id:ann")).clause
    (tag,) = clause.inputs
    assert (tag.name, tag.value) == ("care", "gold")
    assert [(one.name, one.value) for one in tag.inputs] == [("tag care, as given", "gold")]


def test_a_preview_shows_it_as_no_trait_of_a_source(onefold: Stepped) -> None:
    onefold.define(TAG)
    onefold.take(ANN)
    give(onefold, "user_id:ann", "gold")
    found = preview(onefold.settings, PreviewQuestion("care = 'gold'", sample=1))
    assert [one.traits for one in found.sample] == [{"city": "Bonn"}]


def test_two_identifiers_become_one_person_and_the_later_tag_holds(onefold: Stepped) -> None:
    onefold.define(TAG)
    onefold.take(ANN, {"type": "track", "event": "Visit", "anonymousId": "a1"})
    give(onefold, "user_id:ann", "gold")
    give(onefold, "anonymous_id:a1", "silver")
    onefold.take({**ANN, "anonymousId": "a1"})
    assert tags(onefold, "user_id:ann") == {"care": "silver"}


def test_a_rebuild_gives_the_same(onefold: Stepped) -> None:
    onefold.define(TAG)
    onefold.settle()
    give(onefold, "email:bo@example.com", "silver")
    onefold.take(ANN, {"type": "identify", "userId": "bo", "traits": {"email": "bo@example.com"}})
    give(onefold, "user_id:ann", "gold")
    give(onefold, "user_id:nobody", "gold")
    report = check_rebuild(onefold.settings)
    assert report.differences == ()


def test_only_values_of_the_tag_can_be_given(onefold: Stepped) -> None:
    onefold.define(TAG + "---\nkind: tag\nname: level\ncases: [{value: any}]\n")
    for name, value, error in (
        ("care", "bronze", "no value of the tag"),
        ("level", "any", "are computed"),
    ):
        with pytest.raises(InvalidInput, match=error):
            tag_set(onefold.settings, name, "user_id:ann", value)
    with pytest.raises(NotFound, match="no tag"):
        tag_set(onefold.settings, "other", "user_id:ann", "x")


def test_a_source_cannot_give_a_tag(onefold: Stepped) -> None:
    onefold.define(TAG)
    onefold.take({**ANN, "traits": {"$tag.care": {"value": "gold"}}})
    reasons = onefold.store.db.one("select reasons from rejects")
    assert "only Onefold gives" in reasons


def test_how_many_have_each_value_is_counted(onefold: Stepped) -> None:
    onefold.define(TAG)
    onefold.take(ANN, {**ANN, "userId": "bo"})
    give(onefold, "user_id:ann", "gold")
    give(onefold, "user_id:bo", "gold")
    give(onefold, "user_id:bo", "silver")
    assert onefold.store.given.tag_values("care") == {"gold": 1, "silver": 1}
    onefold.take({"type": "alias", "userId": "ann", "previousId": "bo"})
    assert sum(onefold.store.given.tag_values("care").values()) == 1


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
def test_in_whatever_order_it_comes_the_same_holds(
    onefold: Stepped, order: tuple[int, ...]
) -> None:
    """Two identifiers, one link between them and a claim on each, in any order."""
    onefold.define(TAG)
    onefold.settle()
    now = now_us()

    def claim(kind: str, value: str, tag: str, at: int) -> None:
        traits = {tag_trait("care"): tag_value(tag, at)}
        claims = [GivenClaim(f"{kind}-{at}", at, kind, value, traits)]
        append_claims(onefold.settings, onefold.store, claims, now)

    steps = (
        lambda: onefold.append({**ANN, "anonymousId": "a1", "messageId": "1"}),
        lambda: onefold.append({"type": "page", "anonymousId": "a1", "messageId": "2"}),
        lambda: claim("user_id", "ann", "gold", now + 1),
        lambda: claim("anonymous_id", "a1", "silver", now + 2),
    )
    for number in order:
        steps[number]()
        onefold.settle()
    assert tags(onefold, "user_id:ann") == {"care": "silver"}
    assert onefold.store.given.tag_values("care") == {"silver": 1}
    assert check_rebuild(onefold.settings).differences == ()
