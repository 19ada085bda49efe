"""Whose the minutes of a shared device are."""

from __future__ import annotations

from onefold.model.profile import Node, NodeId
from onefold.model.sessions import MINUTE, Slot
from onefold.resolve import whose

START = 29_451_845


def minute(at: int, *people: str, out: bool = False, events: int = 1) -> Node:
    """A minute of a kiosk in which these people were known."""
    found = Slot("kiosk", START + at, out)
    time = found.minute * MINUTE + (30 if out else 10) * 1_000_000
    links: dict[NodeId, tuple[int, int]] = {one.encode(): (1, time) for one in people}
    name = f"{at}{'out' if out else ''}".encode()
    return Node(name, "device_id", found.value, time, time, events, links)


def said(*chain: Node, silence: int = 30, before: bool = False, after: bool = False) -> list[str]:
    found = whose(chain, silence, more_before=before, more_after=after)
    return [f"{one.id.decode()}:{target.decode()}" for one, target in found]


def test_a_late_login_tells_who_it_was() -> None:
    assert said(minute(0), minute(5), minute(9, "A")) == ["0:A", "5:A", "9:A"]


def test_who_was_known_goes_on_until_silence() -> None:
    found = said(minute(0, "A"), minute(20), minute(60), minute(61))
    assert found == ["0:A", "20:A", "60:", "61:60"]


def test_between_two_people_it_is_nobodys() -> None:
    found = said(minute(0, "A"), minute(1), minute(2), minute(3, "B"), minute(4))
    assert found == ["0:A", "1:", "2:1", "3:B", "4:B"]


def test_between_the_same_person_it_is_theirs() -> None:
    assert said(minute(0, "A"), minute(1), minute(2, "A")) == ["0:A", "1:A", "2:A"]


def test_signing_out_ends_it() -> None:
    chain = (minute(0, "A"), minute(1), minute(2, "A", out=True), minute(3), minute(4, "B"))
    assert said(*chain) == ["0:A", "1:A", "2out:A", "3:B", "4:B"]


def test_nobody_known_signs_out_for_who_was() -> None:
    chain = (minute(0, "A"), minute(1), minute(2, out=True), minute(3), minute(4))
    assert said(*chain) == ["0:A", "1:A", "2out:A", "3:", "4:3"]


def test_a_minute_of_several_is_nobodys_and_tells_nothing() -> None:
    assert said(minute(0), minute(1, "A", "B"), minute(2)) == ["0:", "1:", "2:"]


def test_what_comes_after_signing_out_in_a_minute_cannot_be_told() -> None:
    assert said(minute(0, "A"), minute(0, "A", out=True)) == ["0:", "0out:A"]
    assert said(minute(0, "A", events=0), minute(0, "A", out=True)) == ["0:A", "0out:A"]


def test_nothing_is_said_of_what_lies_beyond() -> None:
    assert said(minute(0, "A"), minute(1), minute(2, "A"), after=True) == ["0:A", "1:A"]
    assert said(minute(0, out=True), minute(1), minute(2, "A"), before=True) == ["1:A", "2:A"]
