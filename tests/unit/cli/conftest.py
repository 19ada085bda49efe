"""A command line to call, and a workspace to call it on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from onefold.cli import main


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
    """Runs a command line in an empty folder."""
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
def data(onefold: Onefold, tmp_path: Path) -> Path:
    """A new workspace."""
    made = tmp_path / "data"
    assert onefold("init", "--data", made).code == 0
    return made
