"""The steps by which identifiers are written, and what may be asked of them."""

from __future__ import annotations

import pytest

from onefold.model.identity import IdentifierRule, IdentityRules
from onefold.model.records import Accepted, Event, Identifier
from onefold.standardize import Writing, standardize
from onefold.standardize.normalizers import normalizer, validator


@pytest.mark.parametrize(
    ("step", "value", "written"),
    [
        ("half_width", "ＡＢ１２", "AB12"),
        ("alphanumeric", "ab-12 c", "AB12C"),
        ("no_leading_zeros", "0017", "17"),
        ("digits", "(0) 17", "017"),
        ("email", " Ann@Shop.Example ", "ann@shop.example"),
        ("email", "ann", None),
        ("email_without_tag", "Ann+news@shop.example", "ann@shop.example"),
        ("gmail", "a.n.n+x@googlemail.com", "ann@gmail.com"),
        ("gmail", "a.n.n+x@shop.example", "a.n.n+x@shop.example"),
        ("phone CN", "138 1234 5678", "+8613812345678"),
        ("phone", "138 1234 5678", None),
        ("uuid", "{6F9619FF8B86D011B42D00C04FC964FF}", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        ("uuid", "17", None),
        ("resident_id", "110105 491231 002", "11010519491231002X"),
        ("md5", "x", "9dd4e461268c8034f5c8564e155c67a6"),
        ("md5", "9DD4E461268C8034F5C8564E155C67A6", "9dd4e461268c8034f5c8564e155c67a6"),
    ],
)
def test_a_step_writes_a_value(step: str, value: str, written: str | None) -> None:
    assert normalizer(step)(value) == written


@pytest.mark.parametrize(
    ("test", "good", "bad"),
    [
        ("luhn", "4539 5787 6362 1486", "4539578763621487"),
        ("resident_id", "11010519491231002X", "110105194913310021"),
        ("uuid", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "6f9619ff"),
        ("phone", "+8613812345678", "13812345678"),
        ("length 2-4", "abc", "abcde"),
        ("length 3", "abc", "ab"),
        ("pattern [A-Z]{2}[0-9]+", "AB1", "AB1x"),
        ("pattern (a+)+b", "aab", "a" * 5_000),
    ],
)
def test_a_test_tells_good_from_bad(test: str, good: str, bad: str) -> None:
    assert (validator(test)(good), bool(validator(test)(bad))) == ("", True)


@pytest.mark.parametrize("text", ["lowr", "phone XX", "lower 3", ""])
def test_what_is_no_step_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no|takes nothing"):
        normalizer(text)


@pytest.mark.parametrize("text", ["pattern (", "pattern", "length", "length 5-2", "luhn 3", "odd"])
def test_what_is_no_test_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        validator(text)


RULES = IdentityRules(
    {
        "card": IdentifierRule("card", normalize=("upper",), validate=("length 3-9",)),
        "user_id": IdentifierRule("user_id", "unique", scope="source", sources=("shop",)),
    }
)


def read(source: str, body: bytes) -> tuple[list[Event], list[tuple[str, ...]]]:
    found, rejects = standardize([Accepted(source, 1, "track", body)], {}, Writing(RULES))
    return found, [one.reasons for one in rejects]


CARD = b'{"event":"Seen",%b"context":{"externalIds":[{"type":"card","id":"%b"}]}}'


def test_only_the_event_that_names_nobody_else_is_rejected() -> None:
    kept, told = read("web", CARD % (b'"userId":"u",', b"x"))
    lost, why = read("web", CARD % (b"", b"x"))
    assert (len(kept), len(told), len(lost), len(why)) == (1, 1, 0, 1)
    assert Writing(RULES).apply(kept[0]).identifiers == (
        Identifier("user_id", "u"),
        Identifier("invalid_card", "X"),
    )
    assert "is not 3-9 long" in why[0][0]


def test_a_scope_holds_for_the_sources_that_it_names() -> None:
    writing = Writing(RULES)
    for source, value in (("shop", "shop/u"), ("web", "u")):
        (event,), _ = read(source, b'{"event":"Seen","userId":"u"}')
        assert writing.apply(event).identifiers == (Identifier("user_id", value),)
        assert event.identifiers == (Identifier("user_id", "u"),)
    assert writing.lookup(Identifier("card", "abc")) == Identifier("card", "ABC")
