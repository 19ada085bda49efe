"""Two checkouts of Onefold import the same customers, in turns of two seconds: while one runs, the other stands still.

Run by `python -m bench.importing_against OTHER_CHECKOUT 1000000`. On a machine that others share, two runs
one after the other differ by a quarter without any reason; so does one core's speed. Of each the seconds
are told in which it ran, and the processor time that it took.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from bench.importing import DEFINED, below, customers

TURN = 2.0
LOOK = 0.05


class Importing:
    """One import, which stands still unless it is its turn."""

    def __init__(self, checkout: Path, folder: Path, file: Path) -> None:
        self.checkout = checkout
        self.seconds = self.cpu = 0.0
        (defined := folder / "defined").mkdir(parents=True)
        (defined / "all.yaml").write_text(DEFINED)
        self._environment = {
            **os.environ,
            "ONEFOLD_DATA": str(folder / "data"),
            "PYTHONPATH": str(checkout / "src"),
        }
        for line in (["init"], ["apply", str(defined)]):
            self._start(*line).wait()
        self._process = self._start("import", str(file), "--source", "crm")
        self._tell(signal.SIGSTOP)

    def _start(self, *line: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "onefold", *line]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(
            command, cwd=self.checkout, env=self._environment, stdout=quiet, stderr=quiet
        )

    @property
    def ended(self) -> bool:
        """Is it done?"""
        return self._process.poll() is not None

    def turn(self) -> None:
        """Let it run for a while."""
        begun = time.monotonic()
        self._tell(signal.SIGCONT)
        while not self.ended and time.monotonic() - begun < TURN:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(LOOK)
        if not self.ended:
            self._tell(signal.SIGSTOP)
            self.cpu = sum(map(cpu_of, self._all()))
        self.seconds += time.monotonic() - begun

    def _tell(self, what: signal.Signals) -> None:
        for one in self._all():
            with suppress(ProcessLookupError):
                os.kill(one, what)

    def _all(self) -> list[int]:
        return [self._process.pid, *below(self._process.pid)]


def cpu_of(process: int) -> float:
    """The processor time of a process's threads, in seconds."""
    found = 0
    for thread in Path(f"/proc/{process}/task").glob("*/schedstat"):
        with suppress(OSError):
            found += int(thread.read_text().split()[0])
    return found / 1e9


def main() -> None:
    """Let both import, and tell what it took them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path, help="another checkout, with the same dependencies")
    parser.add_argument("count", type=int, default=1_000_000, nargs="?")
    chosen = parser.parse_args()
    checkouts = [chosen.other.resolve(), Path(__file__).resolve().parents[1]]
    with tempfile.TemporaryDirectory(prefix="onefold-bench-") as folder:
        file = Path(folder) / "customers.csv"
        customers(file, chosen.count)
        both = [Importing(one, Path(folder) / str(at), file) for at, one in enumerate(checkouts)]
        while not all(one.ended for one in both):
            for one in both:
                if not one.ended:
                    one.turn()
        for one in both:
            print(f"{one.checkout.name}: {one.seconds:.1f} s, {one.cpu:.1f} s of processor time")
        old, new = both
        print(
            f"ratio: {new.seconds / old.seconds:.3f} of the seconds, {new.cpu / old.cpu:.3f} of the time"
        )


if __name__ == "__main__":
    main()
