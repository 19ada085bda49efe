"""A command line to call, and a workspace to call it on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from onefold.app.access import make_workspace
from onefold.cli import main
from onefold.config import Settings


class Answer(NamedTuple):
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)


Onefold = Callable[..., Answer]


@pytest.fixture
def onefold(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Onefold:
    """Runs a command line in an empty folder; not those that become another program."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> Answer:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(one) for one in arguments])
        code = ended.value.code
        out, err = capfd.readouterr()
        return Answer(code if isinstance(code, int) else 0, out, err)

    return run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A new workspace."""
    made = tmp_path / "data"
    make_workspace(Settings(data=made))
    return made
