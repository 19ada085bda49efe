"""How identifiers of a kind are written, what they must be, how far they reach: now and in the past."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from onefold.app.folding.rebuild import check_rebuild
from onefold.app.identity.decisions import identity_decide
from onefold.app.profiles.finding import ProfileView, profile
from onefold.app.rejects import reject_list
from onefold.app.workspace import now_us
from onefold.model.errors import InvalidInput, NotFound
from onefold.model.records import Accepted, encode_accepted
from tests.acceptance.conftest import Stepped
from tests.acceptance.test_identity import said

BUYERS = "kind: segment\nname: buyers\nrule: count_of('Order Completed') >= 2\n"
CARD = "kind: identifier\nname: card\n"


def order(*ids: str, **more: Any) -> dict[str, Any]:
    event = said(None, *ids)
    return {**event, "type": "track", "event": "Order Completed", **more}


def take_from(onefold: Stepped, source: str, *events: dict[str, Any]) -> None:
    body = msgspec.json.encode({"batch": events})
    onefold.log.append([encode_accepted(Accepted(source, now_us(), "batch", body))])
    onefold.settle()


def who(onefold: Stepped, reference: str) -> ProfileView:
    return profile(onefold.settings, reference)


def known(onefold: Stepped, reference: str) -> list[str]:
    return sorted(f"{one.kind}:{one.value}" for one in who(onefold, reference).identifiers)


def assert_rebuilt(onefold: Stepped) -> None:
    assert check_rebuild(onefold.settings).differences == ()


def test_a_value_is_written_in_one_way(onefold: Stepped) -> None:
    onefold.define(CARD + "normalize: [half_width, alphanumeric, no_leading_zeros]\n")
    onefold.take(said("ann", "card:00-ab 17"), said(None, "card:ＡＢ17", "email:ann@shop.example"))
    assert known(onefold, "card:ab-17") == ["card:AB17", "email:ann@shop.example", "user_id:ann"]
    assert_rebuilt(onefold)


@pytest.mark.parametrize("compacted", [False, True])
def test_a_new_rule_writes_the_past_anew(onefold: Stepped, compacted: bool) -> None:
    onefold.define(BUYERS)
    onefold.take(order("card:ab-17"), said(None, "card:ab-17", city="Bonn"))
    onefold.take(order("card:AB17"), said("eve", "card:x"))
    old = [who(onefold, f"card:{one}") for one in ("ab-17", "AB17")]
    if compacted:
        from onefold.app.lake.compaction import compact
        from onefold.app.workspace import spill_path

        compact(onefold.store, onefold.lake, spill_path(onefold.settings), at_once=True)
    onefold.define(CARD + "normalize: [alphanumeric]\n")
    onefold.settle()
    found = who(onefold, "card:AB17")
    assert found.id == old[0].id
    assert found.aliases == (old[1].id,)
    assert found.traits == {"city": "Bonn"}
    assert found.computed["event_count"] == 3
    assert [one.name for one in found.segments] == ["buyers"]
    assert known(onefold, "user_id:eve") == ["card:X", "user_id:eve"]
    assert known(onefold, "card:ab-17") == ["card:AB17"]
    assert who(onefold, old[1].id).id == old[0].id
    assert_rebuilt(onefold)
    onefold.define(CARD + "normalize: [trim]\n")
    onefold.settle()
    again = [who(onefold, f"card:{one}") for one in ("ab-17", "AB17")]
    assert [one.computed["event_count"] for one in again] == [2, 1]
    assert [one.segments for one in again] == [(), ()]
    assert_rebuilt(onefold)


def test_events_and_rules_in_any_order_give_the_same(onefold: Stepped) -> None:
    onefold.define(CARD + "normalize: [lower]\nscope: source\n")
    take_from(onefold, "shop", order("card:A1"), said("ann", "card:a1"))
    take_from(onefold, "crm", said("bob", "card:a1"), order("card:a1"))
    assert known(onefold, "user_id:ann") == ["card:shop/a1", "user_id:ann"]
    assert known(onefold, "card:crm/A1") == ["card:crm/a1", "user_id:bob"]
    assert_rebuilt(onefold)
    onefold.define(CARD + "normalize: [lower]\n")
    onefold.settle()
    assert known(onefold, "user_id:ann") == ["card:a1", "user_id:ann"]
    assert known(onefold, "user_id:bob") == ["user_id:bob"]
    assert_rebuilt(onefold)
    onefold.define(CARD + "normalize: [lower]\nscope: source\n")
    onefold.settle()
    assert known(onefold, "user_id:bob") == ["card:crm/a1", "user_id:bob"]
    assert who(onefold, "user_id:bob").computed["event_count"] == 2
    assert_rebuilt(onefold)


def test_brands_keep_their_own_numbers(onefold: Stepped) -> None:
    onefold.define(
        CARD + "scope: brand\n---\nkind: identity\nname: people\n"
        "brands: {shop-de: acme, shop-fr: acme, outlet: dealz}\n"
    )
    take_from(onefold, "shop-de", said("ann", "card:1"))
    take_from(onefold, "shop-fr", said(None, "card:1", "email:ann@shop.example"))
    take_from(onefold, "outlet", said("bob", "card:1"))
    other = said("cas", "card:1")
    other["context"]["brand"] = "Third"
    take_from(onefold, "outlet", other)
    assert known(onefold, "user_id:ann") == [
        "card:acme/1", "email:ann@shop.example", "user_id:ann",
    ]  # fmt: skip
    assert known(onefold, "user_id:bob") == ["card:dealz/1", "user_id:bob"]
    assert known(onefold, "user_id:cas") == ["card:Third/1", "user_id:cas"]
    assert_rebuilt(onefold)


def test_traits_hold_identifiers_too(onefold: Stepped) -> None:
    onefold.take(said("ann", loyalty="L-1"), said(None, "email:a@shop.example", loyalty=["L-1"]))
    onefold.define(CARD + "traits: [loyalty]\n")
    onefold.settle()
    assert known(onefold, "card:L-1") == ["card:L-1", "email:a@shop.example", "user_id:ann"]
    assert_rebuilt(onefold)


def test_what_is_invalid_joins_nobody_and_is_told(onefold: Stepped) -> None:
    onefold.define(
        "kind: identifier\nname: national_id\nstrength: immutable\n"
        "normalize: [resident_id]\nvalidate: [resident_id]\n"
    )
    good, bad = "11010519491231002x", "110105194912310021"
    onefold.take(said("ann", f"national_id:{good}"), said("bob", f"national_id:{bad}", city="Rome"))
    onefold.take(said(None, f"national_id:{bad}"), said("cas", f"national_id:{bad}"))
    assert known(onefold, "user_id:ann") == [f"national_id:{good.upper()}", "user_id:ann"]
    assert known(onefold, "user_id:bob") == ["user_id:bob"]
    assert who(onefold, "user_id:bob").traits == {"city": "Rome"}
    told = reject_list(onefold.settings)
    assert len(told) == 3
    assert all("has a wrong check sign (GB 11643)" in one.reasons[0] for one in told)
    assert ["taken all the same" in one.reasons[-1] for one in told] == [True, False, True]
    assert_rebuilt(onefold)
    onefold.define("kind: identifier\nname: national_id\n")
    onefold.settle()
    assert known(onefold, "user_id:bob") == [f"national_id:{bad}", "user_id:bob"]


def test_a_rule_that_comes_late_takes_invalid_values_out(onefold: Stepped) -> None:
    onefold.take(said("ann", "card:12"), said(None, "card:12", "email:x@shop.example"))
    assert len(known(onefold, "user_id:ann")) == 3
    onefold.define(CARD + "validate: [length 6-20, digits]\n")
    onefold.settle()
    assert known(onefold, "user_id:ann") == ["user_id:ann"]
    assert known(onefold, "email:x@shop.example") == ["email:x@shop.example"]
    assert known(onefold, "invalid_card:12") == ["invalid_card:12"]
    assert_rebuilt(onefold)


def test_what_people_decided_holds_whatever_the_rules_write(onefold: Stepped) -> None:
    onefold.take(said(None, "card:ab"), said("bob"))
    identity_decide(onefold.settings, "card:ab", "user_id:bob", "same", actor="eve")
    onefold.settle()
    onefold.define(CARD + "normalize: [upper]\n")
    onefold.settle()
    assert known(onefold, "user_id:bob") == ["card:AB", "user_id:bob"]
    assert_rebuilt(onefold)


def test_nobody_is_found_by_a_value_that_came_from_nowhere(onefold: Stepped) -> None:
    onefold.define(CARD + "normalize: [lower]\n")
    with pytest.raises(NotFound):
        who(onefold, "card:Nothing")


def test_every_fault_of_the_rules_is_told(onefold: Stepped) -> None:
    with pytest.raises(InvalidInput) as caught:
        onefold.define(
            CARD + "normalize: [lowr, phone Germany]\nvalidate: ['pattern (', length, 'luhn 3']\n"
            "scope: planet\nsources: [shop]\ntraits: loyalty\n"
        )
    assert len(caught.value.faults) == 7
    assert any("did you mean 'lower'" in fault.hint for fault in caught.value.faults)
    with pytest.raises(InvalidInput):
        onefold.define("kind: identifier\nname: invalid_card\n")
