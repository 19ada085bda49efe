"""What a web process that only accepts events carries in memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).parents[3] / "src"


def test_the_web_process_loads_no_query_engine_before_it_is_asked() -> None:
    program = "import sys, onefold.serve.web; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert not {"duckdb", "pyarrow", "deltalake"} & set(done.stdout.split())
