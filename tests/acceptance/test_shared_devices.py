"""What is done on a shared device by nobody known belongs to whoever's session it is in."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from onefold.app.access import make_workspace
from onefold.app.folding.rebuild import check_rebuild
from onefold.app.identity.why import identity_why
from onefold.app.profiles.finding import profile
from onefold.config import Settings
from onefold.model.errors import NotFound
from tests.acceptance.conftest import Stepped

KIOSK = "kind: identifier\nname: anonymous_id\nscope: session\n"
VIEWS = "kind: trait\nname: views\nexpression: count_of('Viewed')\n"
IDS = ("user_id:ann", "user_id:bob")


def at(minute: float, event: str = "Viewed", user: str | None = None) -> dict[str, Any]:
    """An event on the kiosk, so many minutes after ten."""
    time = f"2026-01-15T{10 + int(minute) // 60}:{int(minute) % 60:02}:{int(minute % 1 * 60):02}Z"
    found = {"type": "track", "event": event, "anonymousId": "kiosk-7", "timestamp": time}
    return found | {"messageId": f"{minute}"} | ({"userId": user} if user else {})


def views(onefold: Stepped, reference: str) -> int:
    return int(profile(onefold.settings, reference).computed.get("views", 0))


DAY = [
    *(at(1), at(2), at(3, "Signed In", "ann"), at(4, "Viewed", "ann"), at(6)),
    *(at(7, "Signed Out", "ann"), at(8), at(9, "Signed In", "bob"), at(10)),
    *(at(55), at(56)),
]


def test_each_session_has_its_user(onefold: Stepped) -> None:
    onefold.define(KIOSK + "---\n" + VIEWS)
    onefold.take(*DAY)
    assert [views(onefold, one) for one in IDS] == [4, 2]
    later = profile(onefold.settings, "anonymous_id:kiosk-7/2026-01-15T10:55")
    assert later.computed["views"] == 2
    assert len(later.identifiers) == 2
    assert check_rebuild(onefold.settings).differences == ()
    why = identity_why(onefold.settings, "anonymous_id:kiosk-7/2026-01-15T10:01", "user_id:ann")
    assert [one.evidence for one in why.chain] == ["session"]


def test_a_late_login_takes_the_session_along(onefold: Stepped) -> None:
    onefold.define(KIOSK + "---\n" + VIEWS)
    onefold.take(at(1), at(2))
    before = profile(onefold.settings, "anonymous_id:kiosk-7/2026-01-15T10:01")
    onefold.take(at(9, "Signed In", "ann"))
    found = profile(onefold.settings, "user_id:ann")
    assert (found.id, found.computed["views"]) == (before.id, 2)
    onefold.take(at(0.5, "Viewed", "bob"), at(3, "Signed Out"))
    assert [views(onefold, one) for one in IDS] == [0, 3]
    assert check_rebuild(onefold.settings).differences == ()


def test_the_order_of_arrival_does_not_matter(tmp_path: Path) -> None:
    found = set()
    for number, order in enumerate(list(permutations((0, 1, 2)))[1:]):
        settings = Settings(data=tmp_path / f"{number}", min_free_disk=0)
        make_workspace(settings)
        onefold = Stepped(settings)
        onefold.define(KIOSK + "---\n" + VIEWS)
        for part in order:
            onefold.take(*DAY[part::3])
        found.add(tuple(views(onefold, one) for one in IDS))
        onefold.close()
    assert found == {(4, 2)}


def test_a_device_declared_late_gives_the_past_its_users(onefold: Stepped) -> None:
    onefold.define(VIEWS)
    onefold.take(*DAY)
    assert [views(onefold, one) for one in IDS] == [8, 0]
    onefold.define(KIOSK)
    onefold.settle()
    assert [views(onefold, one) for one in IDS] == [4, 2]
    assert check_rebuild(onefold.settings).differences == ()
    onefold.define(KIOSK + "session_minutes: 60\n")
    onefold.settle()
    assert [views(onefold, one) for one in IDS] == [4, 4]
    assert check_rebuild(onefold.settings).differences == ()
    onefold.define("kind: identity\nname: people\nsign_outs: []\n")
    onefold.settle()
    assert [views(onefold, one) for one in IDS] == [4, 3]
    assert check_rebuild(onefold.settings).differences == ()


def test_only_the_sources_named_have_shared_devices(onefold: Stepped) -> None:
    onefold.define(KIOSK + "sources: [stand]\n")
    onefold.take(at(1), at(3, "Signed In", "ann"))
    assert profile(onefold.settings, "anonymous_id:kiosk-7").id
    onefold.define(KIOSK + "sources: [default]\n")
    onefold.settle()
    with pytest.raises(NotFound):
        profile(onefold.settings, "anonymous_id:kiosk-7")
