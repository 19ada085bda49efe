from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.testing.log_directory import LogDirectory


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[LogDirectory]:
    opened = LogDirectory(tmp_path / "log")
    yield opened
    opened.close()
