"""`plan` with changed identity rules says what they would do."""

from __future__ import annotations

from pathlib import Path

import pytest

from onefold.app.identity import planning
from onefold.app.identity.planning import plan
from tests.acceptance.conftest import Stepped

STRICT = "kind: identifier\nname: user_id\nstrength: immutable\n"


def test_merges_and_splits_are_told(onefold: Stepped, tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "users.yaml").write_text(STRICT)
    assert plan(onefold.settings, folder).identity is None  # there is nobody yet
    onefold.take({"type": "alias", "userId": "ann", "previousId": "bo"})
    found = plan(onefold.settings, folder).identity
    assert found is not None
    assert (found.merges, found.splits, found.profiles_then) == (0, 1, found.profiles + 1)
    (folder / "users.yaml").write_text("kind: segment\nname: all\nrule: 'true'\n")
    assert plan(onefold.settings, folder).identity is None


def test_of_many_only_when_asked(
    onefold: Stepped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "AT_ONCE_PROFILES", 0)
    (tmp_path / "users.yaml").write_text(STRICT)
    onefold.take({"type": "alias", "userId": "ann", "previousId": "bo"})
    waiting = plan(onefold.settings, tmp_path)
    assert (waiting.identity, waiting.untried > 0) == (None, True)
    tried = plan(onefold.settings, tmp_path, always=True).identity
    assert tried is not None
    assert tried.splits == 1
