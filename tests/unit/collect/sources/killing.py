"""A reader in a process of its own, which keeps what it is given in a file, and is killed: kill -9."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from onefold.collect.addresses import Reach
from onefold.model.pulled import Position, PulledSource, Record

HERE = Reach(["127.0.0.0/8"])
ROOT = Path(__file__).parents[4]


class Opening(msgspec.Struct):
    """How a source is opened: also by another process."""

    module: str
    maker: str
    kind: str
    settings: dict[str, Any]
    folder: str = ""

    def open(self) -> PulledSource:
        module = import_module(self.module)
        given = msgspec.convert(self.settings, getattr(module, self.kind))
        more = [Path(self.folder)] if self.folder else []
        source: PulledSource = getattr(module, self.maker)(given, HERE, *more)
        return source


class Line(msgspec.Struct):
    """A batch and the position after it, kept in one step as the runner does."""

    records: list[Record]
    position: Position


class Kept:
    """A file of lines; one that was not written whole never was."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def lines(self) -> list[Line]:
        read = msgspec.json.Decoder(Line).decode
        return [read(line) for line in self.path.read_bytes().split(b"\n")[:-1]]

    def records(self) -> list[Record]:
        return [record for line in self.lines() for record in line.records]

    def position(self) -> Position | None:
        lines = self.lines()
        return lines[-1].position if lines else None

    def mend(self) -> None:
        whole, end, _ = self.path.read_bytes().rpartition(b"\n")
        self.path.write_bytes(whole + end)


@contextmanager
def killed(opening: Opening, kept: Kept) -> Iterator[Callable[[], None]]:
    """The source is read by a process that is killed in the end; gives what raises if it ended before."""
    kept.mend()
    command = [sys.executable, "-m", __spec__.name, str(kept.path)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    process = subprocess.Popen(
        [*command, msgspec.json.encode(opening).decode()],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
    )

    def is_alive() -> None:
        if process.poll() is not None:
            assert process.stderr
            raise AssertionError(process.stderr.read().decode()[-3000:])

    try:
        yield is_alive
    finally:
        process.kill()
        process.communicate()


def main() -> None:
    kept, opening = Kept(Path(sys.argv[1])), msgspec.json.decode(sys.argv[2], type=Opening)
    source = opening.open()
    with kept.path.open("ab") as file:
        for batch in source.batches(kept.position()):
            line = Line(list(batch.records), batch.position)
            file.write(msgspec.json.encode(line) + b"\n")
            file.flush()
            source.stored(batch.position)


if __name__ == "__main__":
    main()
