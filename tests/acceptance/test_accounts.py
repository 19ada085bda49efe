"""Accounts: who belongs to what, their golden traits, and what their members add up to."""

from __future__ import annotations

from typing import Any

import pytest

from onefold.app.folding.rebuild import check_rebuild, rebuild
from onefold.app.groups.accounts import (
    account,
    account_as_of,
    account_claims,
    account_history,
    account_list,
    account_members,
)
from onefold.app.groups.belonging import account_add, account_remove
from onefold.app.identity.decisions import identity_decide
from onefold.app.profiles.finding import find, profile
from onefold.app.questions.query import sql
from onefold.model.errors import InvalidInput, NotFound
from onefold.model.profile import encode_profile, profile_name
from onefold.store import BatchWrite
from tests.acceptance.conftest import Stepped

JANUARY = 1_767_225_600_000_000
DAY = 86_400_000_000


def group(user: str, name: str, day: int, **traits: Any) -> dict[str, Any]:
    at = f"2026-01-{day:02}T00:00Z"
    return {"type": "group", "userId": user, "groupId": name, "traits": traits, "timestamp": at}


def name_of(onefold: Stepped, who: str) -> str:
    return profile_name(find(onefold.store, who).id)


def people(onefold: Stepped, name: str) -> set[str]:
    return {one.profile for one in account_members(onefold.settings, name).items}


def test_an_account_has_golden_traits_and_members(onefold: Stepped) -> None:
    onefold.take(
        group("ann", "acme", 1, plan="free", seats=5),
        group("bo", "acme", 2, plan="pro"),
        group("bo", "acme", 3),
        group("bo", "zeta", 3, plan="free"),
    )
    found = account(onefold.settings, "acme")
    assert (found.traits, found.members) == ({"plan": "pro", "seats": 5}, 2)
    assert (found.first_seen, found.last_seen) == (JANUARY, JANUARY + 2 * DAY)
    assert people(onefold, "acme") == {
        name_of(onefold, "user_id:ann"),
        name_of(onefold, "user_id:bo"),
    }
    seen = profile(onefold.settings, "user_id:bo").accounts
    assert [(one.id, one.since, one.last) for one in seen] == [
        ("acme", JANUARY + DAY, JANUARY + 2 * DAY),
        ("zeta", JANUARY + 2 * DAY, JANUARY + 2 * DAY),
    ]
    with pytest.raises(NotFound):
        account(onefold.settings, "nobody")


def test_the_order_of_arrival_does_not_matter(onefold: Stepped) -> None:
    onefold.take(group("bo", "acme", 5, plan="pro"))
    onefold.take(group("bo", "acme", 1, plan="free", city="Ulm"))
    found = account(onefold.settings, "acme")
    assert (found.traits, found.first_seen) == ({"plan": "pro", "city": "Ulm"}, JANUARY)


def test_members_follow_merges_and_their_undoing(onefold: Stepped) -> None:
    onefold.take(group("ann", "acme", 1), group("bo", "acme", 2), group("bo", "zeta", 2))
    identity_decide(onefold.settings, "user_id:ann", "user_id:bo", "same")
    onefold.settle()
    assert account(onefold.settings, "acme").members == 1
    assert len(account_members(onefold.settings, "acme").items) == 1
    assert [one.id for one in profile(onefold.settings, "user_id:ann").accounts] == ["acme", "zeta"]
    identity_decide(onefold.settings, "user_id:ann", "user_id:bo", "apart")
    onefold.settle()
    assert account(onefold.settings, "acme").members == 2
    assert [one.id for one in profile(onefold.settings, "user_id:ann").accounts] == ["acme"]
    assert check_rebuild(onefold.settings).differences == ()


def test_lists_come_a_page_at_a_time(onefold: Stepped) -> None:
    onefold.take(*(group(f"u{number}", "acme", 1) for number in range(7)))
    onefold.take(*(group("u1", name, 1, plan=name) for name in "abc"))
    found, cursor = set[str](), ""
    for _ in range(4):
        page = account_members(onefold.settings, "acme", 2, cursor)
        found |= {one.profile for one in page.items}
        cursor = page.next or ""
    assert (len(found), cursor) == (7, "")
    first = account_list(onefold.settings, 2)
    rest = account_list(onefold.settings, 2, first.next or "")
    listed = [(one.id, one.members) for one in (*first.items, *rest.items)]
    assert (listed, rest.next) == ([("a", 1), ("acme", 7), ("b", 1), ("c", 1)], None)
    with pytest.raises(InvalidInput):
        account_members(onefold.settings, "acme", 2, "no cursor")


RULES = """
kind: account_trait
name: plan
type: text
allowed: [free, pro]
survivorship: most_frequent
---
kind: account_trait
name: city
type: text
survivorship: {by: expression, prefer: length(value)}
"""


def test_declared_traits_decide_and_the_past_follows(onefold: Stepped) -> None:
    onefold.take(
        group("ann", "acme", 1, plan="free", city="Frankfurt"),
        group("ann", "acme", 2, plan="free", city="Ulm"),
        group("ann", "acme", 3, plan="pro"),
        group("ann", "acme", 4, plan="gratis"),
    )
    assert account(onefold.settings, "acme").traits == {"plan": "gratis", "city": "Ulm"}
    onefold.define(RULES)
    onefold.settle()
    assert account(onefold.settings, "acme").traits == {"plan": "free", "city": "Frankfurt"}
    (plan,) = account_claims(onefold.settings, "acme", "plan").traits
    assert (plan.known, plan.rule, plan.claims[0].value) == (True, "most_frequent", "free")
    assert any(one.why.startswith("invalid") for one in plan.claims)
    onefold.take(group("ann", "acme", 5, plan="pro"), group("ann", "acme", 6, plan="pro"))
    assert account(onefold.settings, "acme").traits["plan"] == "pro"
    changes = account_history(onefold.settings, "acme").items
    assert [(one.old.get("plan"), one.new.get("plan")) for one in changes] == [
        ("free", "pro"),
        ("gratis", "free"),
        (None, "gratis"),
    ]
    assert check_rebuild(onefold.settings).differences == ()


def test_as_of_a_time(onefold: Stepped) -> None:
    onefold.take(group("ann", "acme", 1, plan="free"), group("bo", "acme", 3, plan="pro"))
    then = account_as_of(onefold.settings, "acme", JANUARY + DAY)
    assert (then.traits, then.members) == ({"plan": "free"}, 1)
    with pytest.raises(NotFound):
        account_as_of(onefold.settings, "acme", JANUARY - 1)


ADDED_UP = """
kind: account_trait
name: people
aggregate: count
---
kind: account_trait
name: revenue
aggregate: sum
of: spent
---
kind: account_trait
name: country
aggregate: most_frequent
of: country
---
kind: trait
name: spent
expression: sum_of('Order Completed', properties.revenue)
"""


def test_members_add_up(onefold: Stepped) -> None:
    onefold.define(ADDED_UP)
    onefold.take(
        *(group(user, "acme", 1) for user in ("ann", "bo", "eve")),
        *({"type": "identify", "userId": user, "traits": {"country": country}}
          for user, country in (("ann", "CN"), ("bo", "DE"), ("eve", "CN"))),
        *({"type": "track", "event": "Order Completed", "userId": user,
           "properties": {"revenue": revenue}} for user, revenue in (("ann", 50), ("bo", 25))),
    )  # fmt: skip
    found = account(onefold.settings, "acme").computed
    assert found == {"people": 3, "revenue": 75, "country": "CN"}


def test_definitions_that_say_nothing_are_refused(onefold: Stepped) -> None:
    with pytest.raises(InvalidInput) as refused:
        onefold.define(
            "kind: account_trait\nname: a\naggregate: total\nof: x\n---\n"
            "kind: account_trait\nname: b\naggregate: sum\n---\n"
            "kind: account_trait\nname: c\naggregate: count\ntype: text"
        )
    assert len(refused.value.faults) == 3


def test_people_are_put_in_and_taken_out_by_hand(onefold: Stepped) -> None:
    onefold.take(group("ann", "acme", 1), {"type": "identify", "userId": "bo"})
    account_add(onefold.settings, "acme", "user_id:bo")
    account_add(onefold.settings, "acme", "user_id:late")
    account_remove(onefold.settings, "acme", "user_id:ann")
    onefold.settle()
    assert people(onefold, "acme") == {name_of(onefold, "user_id:bo")}
    assert "$account.acme" not in find(onefold.store, "user_id:bo").traits
    onefold.take({"type": "identify", "userId": "late"})
    assert account(onefold.settings, "acme").members == 2
    assert check_rebuild(onefold.settings).differences == ()
    with pytest.raises(NotFound):
        account_remove(onefold.settings, "acme", "user_id:ann")
    with pytest.raises(InvalidInput):
        account_add(onefold.settings, "nobody", "user_id:bo")
    again = {"type": "group", "userId": "ann", "groupId": "acme"}
    onefold.take(again)
    assert account(onefold.settings, "acme").members == 3


def test_a_rebuild_compares_accounts_and_mends_them(onefold: Stepped) -> None:
    onefold.take(group("ann", "acme", 1, plan="free"), group("bo", "acme", 1, plan="free"))
    store = onefold.store
    with store.db.transaction() as connection:
        connection.execute("delete from accounts")
    bo = find(store, "user_id:bo")
    bo.nodes[0].keep(accounts={})
    store.write(BatchWrite(store.batch(), documents=[(encode_profile(bo), bo.id)]))
    assert {one.what for one in check_rebuild(onefold.settings).differences} == {
        "accounts",
        "account",
    }
    rebuild(onefold.settings)
    assert check_rebuild(onefold.settings).differences == ()
    assert account(onefold.settings, "acme").members == 2


def test_what_an_earlier_release_took_in_is_there_at_the_start(onefold: Stepped) -> None:
    onefold.take(group("ann", "acme", 1, plan="free"))
    store = onefold.store
    ann = find(store, "user_id:ann")
    ann.nodes[0].keep(accounts={})
    store.write(BatchWrite(store.batch(), documents=[(encode_profile(ann), ann.id)]))
    with store.db.transaction() as connection:
        connection.execute("delete from accounts")
        connection.execute("delete from account_members")
    store.set_setting("account_rules", None)
    onefold.define("kind: segment\nname: all\nrule: 'true'")
    onefold.settle()
    assert account(onefold.settings, "acme").members == 1
    assert check_rebuild(onefold.settings).differences == ()


def test_sql_knows_accounts_and_members(onefold: Stepped) -> None:
    onefold.take(group("ann", "acme", 1, plan="free"), group("bo", "acme", 2, plan="pro"))
    rows = sql(onefold.settings, "select account, traits->>'plan' from accounts").rows
    assert list(rows) == [("acme", "pro")]
    members = "select count(*) from account_members join profiles using (profile)"
    assert list(sql(onefold.settings, members).rows) == [(2,)]
    onefold.take({"type": "alias", "userId": "ann", "previousId": "bo"})
    assert list(sql(onefold.settings, members).rows) == [(1,)]
