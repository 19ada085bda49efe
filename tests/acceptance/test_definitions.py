"""Definitions that name each other are checked together."""

from __future__ import annotations

import pytest

from onefold.app.definitions.applying import Plan, plan_of, put
from onefold.app.definitions.files import Reading, read_text
from onefold.app.definitions.meaning import Limits
from onefold.model.errors import Fault, InvalidInput
from tests.acceptance.conftest import Stepped

BUYERS = "kind: segment\nname: buyers\nrule: did('Order Completed')\n"
HOOK = """
kind: destination
name: hook
type: webhook
url: http://127.0.0.1:9/
secret: {secret: hook}
segments: [buyer]
"""
SPENT = "kind: trait\nname: spent\nexpression: sum_of('Order Completed', properties.revenue)\n"
LEVEL = "kind: tag\nname: level\ncases:\n  - value: gold\n    when: spent > 100\n"
VIPS = "kind: segment\nname: vips\nrule: level = 'gold'\n"


def all_of(*texts: str) -> str:
    return "---\n".join(texts)


def faults(onefold: Stepped, text: str) -> list[Fault]:
    with pytest.raises(InvalidInput) as refused:
        onefold.define(text)
    return list(refused.value.faults)


def planned(onefold: Stepped, text: str, *, prune: bool = False) -> Plan:
    return plan_of(onefold.store, read_text(text), prune=prune)


def test_a_destination_for_a_segment_that_nobody_defined_is_refused(onefold: Stepped) -> None:
    (fault,) = faults(onefold, all_of(BUYERS, HOOK))
    assert ("'buyer'" in fault.message, fault.hint) == (True, "did you mean 'buyers'?")
    assert onefold.store.registry.definitions() == []


def test_a_segment_that_nobody_defined_is_told_once_with_its_place(onefold: Stepped) -> None:
    rule = "kind: segment\nname: both\nrule: country = 'CN' and in_segment('buyer')\n"
    (fault,) = faults(onefold, all_of(BUYERS, rule))
    assert "rule line 1, column 20" in fault.where
    assert (fault.message, fault.hint) == (
        "there is no segment 'buyer'",
        "did you mean 'buyers'?",
    )


def test_the_segment_may_be_in_force_already(onefold: Stepped) -> None:
    onefold.define(BUYERS)
    onefold.define(HOOK.replace("[buyer]", "[buyers]"))
    assert len(onefold.store.registry.definitions()) == 2


def test_a_plan_says_what_a_change_touches(onefold: Stepped) -> None:
    hook = HOOK.replace("[buyer]", "[vips]")
    onefold.define(all_of(SPENT, LEVEL, VIPS, hook))
    (change,) = planned(onefold, SPENT.replace("revenue", "total")).changes
    touched = [(one.kind, one.name) for one in change.touches]
    assert touched == [("tag", "level"), ("segment", "vips"), ("destination", "hook")]
    assert planned(onefold, all_of(SPENT, LEVEL, VIPS, hook), prune=True).changes == ()


def test_a_change_that_breaks_what_is_in_force_is_refused(onefold: Stepped) -> None:
    onefold.define(all_of(SPENT, LEVEL))
    as_text = "kind: trait\nname: spent\nexpression: lower(city)\n"
    (fault,) = faults(onefold, as_text)
    assert fault.where.startswith("tag level, in force: cases case 1")


def test_a_circle_is_refused_by_name(onefold: Stepped) -> None:
    one = "kind: trait\nname: one\nexpression: two + 1\n"
    two = "kind: trait\nname: two\nexpression: three + 1\n"
    three = "kind: trait\nname: three\nexpression: one + 1\n"
    alone = "kind: trait\nname: me\nexpression: me + 1\n"
    found = faults(onefold, all_of(one, two, three, alone, VIPS))
    assert [fault.message for fault in found] == [
        "it goes round in a circle: trait one → trait two → trait three → trait one",
        "it goes round in a circle: trait me → trait me",
    ]
    onefold.define(all_of(one, two))
    (fault,) = faults(onefold, three)
    assert "trait three → trait one → trait two → trait three" in fault.message


def test_what_others_need_is_not_taken_out(onefold: Stepped) -> None:
    onefold.define(all_of(SPENT, LEVEL, VIPS))
    with pytest.raises(InvalidInput, match=r"trait 'spent' is needed by tag level"):
        put(onefold.store, Reading([], []), "test", gone=[("trait", "spent")])
    with pytest.raises(InvalidInput, match=r"tag 'level' is needed by segment vips"):
        put(onefold.store, read_text(all_of(SPENT, VIPS)), "test", prune=True)
    put(onefold.store, read_text(SPENT), "test", prune=True)
    assert [one.name for one in onefold.store.registry.definitions()] == ["spent"]


def test_every_fault_of_all_definitions_is_told_at_once(onefold: Stepped) -> None:
    found = faults(
        onefold,
        all_of(
            "kind: segment\nname: a\nrule: country =\ncolor: 1\n",
            "kind: tag\nname: b\ncases:\n  - value: x\n    when: 1 +\n",
            "kind: trait\nname: c\n",
            "kind: nonsense\nname: d\n",
            "kind: tag\nname: spent\ncases: [{value: x}]\n",
            SPENT,
        ),
    )
    messages = "\n".join(map(str, found))
    for part in ("body:4: color", "nonsense", "has neither", "already", "body:8: cases case 1"):
        assert part in messages, (part, messages)


def test_a_segment_without_a_rule_is_told_so_once(onefold: Stepped) -> None:
    found = faults(onefold, "kind: segment\nname: a\nrul: country = 'CN'\n")
    assert [one.message for one in found] == ["'rul' is not known", "has no rule"]


def test_limits_are_named(onefold: Stepped) -> None:
    reading = read_text(all_of(BUYERS, VIPS, SPENT, LEVEL))
    with pytest.raises(InvalidInput) as refused:
        put(onefold.store, reading, "test", limits=Limits(1, 1))
    assert [one.message for one in refused.value.faults] == [
        "2 segments (0 in force, 2 more); at most 1",
        "2 computed traits and tags (0 in force, 2 more); at most 1",
    ]


def test_more_than_may_be_in_force_is_refused_before_it_is_judged(onefold: Stepped) -> None:
    """A thousand rules take seconds to compile, and their faults would hide what is the matter."""
    onefold.define(BUYERS)
    written = [f"kind: segment\nname: s{n}\nrule: nonsense(\n" for n in range(1_100)]
    written += [f"kind: trait\nname: t{n}\nexpression: nonsense(\n" for n in range(600)]
    for text in (all_of(*written), all_of(*reversed(written))):
        (many, computed) = faults(onefold, text)
        assert str(many) == (
            "1,101 segments (1 in force, 1,100 more); at most 1,000"
            " (leave out 101, or raise max_segments)"
        )
        assert (
            computed.message == "600 computed traits and tags (0 in force, 600 more); at most 500"
        )


def test_who_has_too_many_already_may_change_them_and_take_some_out(onefold: Stepped) -> None:
    onefold.define(all_of(SPENT, LEVEL, BUYERS))
    few = Limits(1, 1)
    put(onefold.store, read_text(SPENT + "owner: Ann\n"), "test", limits=few)
    put(onefold.store, Reading([], []), "test", gone=[("segment", "buyers")], limits=few)
    with pytest.raises(InvalidInput, match=r"3 computed traits and tags \(2 in force, 1 more\)"):
        put(
            onefold.store,
            read_text("kind: trait\nname: x\nexpression: 1 + 1\n"),
            "test",
            limits=few,
        )


def test_a_declared_trait_is_of_its_type(onefold: Stepped) -> None:
    onefold.define("kind: trait\nname: age\ntype: number\n")
    (fault,) = faults(onefold, "kind: segment\nname: old\nrule: age = 'old'\n")
    assert fault.where.startswith("body:3: rule line 1, column")
    onefold.define("kind: segment\nname: old\nrule: age > 9\n")
    onefold.take({"type": "identify", "userId": "ann", "traits": {"age": "10"}})
    onefold.take({"type": "identify", "userId": "bob", "traits": {"age": 10}})
    assert onefold.store.segment_sizes() == {"old": 2}


def test_a_value_that_a_tag_does_not_have_is_refused(onefold: Stepped) -> None:
    onefold.define(all_of(SPENT, LEVEL))
    (fault,) = faults(onefold, VIPS.replace("gold", "golld"))
    assert fault.hint == "did you mean gold?"


def test_a_name_that_never_came_in_is_warned_of(onefold: Stepped) -> None:
    onefold.take(
        {"type": "identify", "userId": "ann", "traits": {"country": "CN"}},
        {"type": "track", "event": "Order Completed", "userId": "ann"},
    )
    rule = "cuntry = 'CN' and did('Order Complete') and city = 'x' and level = 'gold'"
    text = all_of(SPENT, LEVEL, f"kind: segment\nname: a\nrule: {rule}\n")
    warnings = {warning.hint: warning.where for warning in planned(onefold, text).warnings}
    assert warnings.keys() >= {"did you mean country?", "did you mean Order Completed?"}
    assert {where.partition(" line")[0] for where in warnings.values()} == {"body:13: rule"}
    seen = onefold.store.names_seen()
    assert seen == {("event", "Order Completed"), ("event", "identify"), ("trait", "country")}


@pytest.mark.parametrize("name", ["preview", "why", "overlap", "compare", "backtest"])
def test_a_segment_is_not_called_as_a_question_is(onefold: Stepped, name: str) -> None:
    with pytest.raises(InvalidInput, match=f"cannot be called '{name}'"):
        onefold.define(f"kind: segment\nname: {name}\nrule: vip\n")


def test_keys_of_yaml_are_texts_as_written_and_stand_once() -> None:
    written = read_text("kind: mapping\nname: crm\nwords: {no: Norwegen, 2026-01-01: day, 1: one}")
    faulty = read_text("kind: tag\nname: a\nname: b\n---\n? [a]\n: 1\n", "tags.yaml")

    [one] = written.written
    assert one.body == {"words": {"no": "Norwegen", "2026-01-01": "day", "1": "one"}}
    assert [(fault.message, fault.where) for fault in faulty.faults] == [
        ("is not YAML: the key 'name' stands twice", "tags.yaml:3")
    ]
