"""A rebuild from the lake proves the live profiles, and mends those that are not what they should be."""

from __future__ import annotations

from onefold.app.folding.rebuild import check_rebuild, rebuild
from onefold.app.profiles.finding import profile
from onefold.model.profile import decode_profile, encode_profile
from tests.acceptance.conftest import Stepped

ANN = {"type": "identify", "userId": "ann", "anonymousId": "a1", "traits": {"city": "Bonn"}}
ORDER = {"type": "track", "event": "Order Completed", "anonymousId": "a1"}
BOB = {"type": "identify", "userId": "bob", "traits": {"city": "Rome"}}
BUYERS = "kind: segment\nname: buyers\nrule: did('Order Completed', last => interval 30 day)\n"


def test_what_the_stream_made_is_what_a_rebuild_makes(onefold: Stepped) -> None:
    onefold.take(ANN, BOB)
    onefold.take(ORDER, ORDER | {"messageId": "m"}, ORDER | {"messageId": "m"})
    report = check_rebuild(onefold.settings)
    assert (report.events, report.profiles, report.differences) == (4, 2, ())


def test_events_that_have_not_reached_the_lake_count_too(onefold: Stepped) -> None:
    onefold.take(ANN)
    onefold.append(BOB)
    while onefold.worker.step():
        pass
    assert onefold.store.queue_size()[0] == 1
    report = check_rebuild(onefold.settings)
    assert (report.events, report.differences) == (2, ())


def test_a_damaged_profile_is_found_and_mended(onefold: Stepped) -> None:
    onefold.define(BUYERS)
    onefold.take(ANN, BOB, ORDER)
    whole = profile(onefold.settings, "user_id:ann")
    damage(onefold, "ann")

    found = check_rebuild(onefold.settings).differences
    assert {(one.profile, one.what) for one in found} == {
        (whole.id, "traits"),
        (whole.id, "events"),
    }
    rebuild(onefold.settings)
    assert check_rebuild(onefold.settings).differences == ()
    mended = profile(onefold.settings, "user_id:ann")
    assert (mended.id, mended.traits, mended.computed) == (whole.id, whole.traits, whole.computed)
    assert [one.name for one in mended.segments] == ["buyers"]


SPENT = "kind: trait\nname: orders\nexpression: count_of('Order Completed')\n---\n" + BUYERS
SPENT += "---\nkind: tag\nname: level\ncases: [{value: high, when: orders > 0}, {value: low}]\n"


def test_values_and_members_are_compared_and_mended(onefold: Stepped) -> None:
    onefold.define(SPENT)
    onefold.take(ANN, BOB, ORDER)
    onefold.settle()
    assert check_rebuild(onefold.settings).differences == ()
    for number, document in onefold.store.documents(onefold.store.profile_ids(0, 10)).items():
        one = decode_profile(document)
        one.computed["orders"] = 7
        one.tags["level"] = "middle"
        one.members.clear()
        with onefold.store.db.transaction() as connection:
            connection.execute(
                "update profiles set document = ? where id = ?", (encode_profile(one), number)
            )
    ann = profile(onefold.settings, "user_id:ann").id
    found = [one for one in check_rebuild(onefold.settings).differences if one.profile == ann]
    assert [(one.what, one.live, one.rebuilt) for one in found] == [
        ("computed", {"orders": 7}, {"orders": 1}),
        ("tags", {"level": "middle"}, {"level": "high"}),
        ("segments", [], ["buyers"]),
    ]
    rebuild(onefold.settings)
    assert check_rebuild(onefold.settings).differences == ()
    mended = profile(onefold.settings, "user_id:ann")
    assert (mended.computed["orders"], mended.tags) == (1, {"level": "high"})


def test_what_nobody_was_evaluated_for_yet_is_not_compared(onefold: Stepped) -> None:
    onefold.take(ANN, BOB, ORDER)
    onefold.define(SPENT)
    assert check_rebuild(onefold.settings).differences == ()
    onefold.settle()
    assert check_rebuild(onefold.settings).differences == ()
    # Time has come for somebody whom nobody has looked at since.
    with onefold.store.db.transaction() as connection:
        connection.execute("update profiles set due = 1")
    damage(onefold, "ann")
    assert {one.what for one in check_rebuild(onefold.settings).differences} == {"traits", "events"}


def test_a_lost_profile_comes_back(onefold: Stepped) -> None:
    onefold.take(ANN, BOB)
    number = onefold.store.profile_ids(0, 1)[0]
    with onefold.store.db.transaction() as connection:
        connection.execute("delete from profiles where id = ?", (number,))
        for table in ("identifiers", "fresh_identifiers"):
            connection.execute(f"delete from {table} where profile = ?", (number,))
    assert {one.what for one in check_rebuild(onefold.settings).differences} == {"missing"}
    rebuild(onefold.settings)
    assert check_rebuild(onefold.settings).differences == ()
    assert profile(onefold.settings, "user_id:ann").traits == {"city": "Bonn"}


def damage(onefold: Stepped, user: str) -> None:
    """Change a stored profile behind the pipeline's back."""
    for number, document in onefold.store.documents(onefold.store.profile_ids(0, 10)).items():
        one = decode_profile(document)
        if any(node.value == user for node in one.nodes):
            one.traits["city"] = "nowhere"
            one.nodes[0].events += 5
            with onefold.store.db.transaction() as connection:
                connection.execute(
                    "update profiles set document = ? where id = ?", (encode_profile(one), number)
                )
