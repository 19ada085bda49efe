"""Files of the past: a row for each identifier, in the order of their nodes.

So a file is written from its beginning to its end, and the few that a batch touches are found in it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from onefold.model.errors import Busy
from onefold.model.profile import NodeId

INSERT = "insert into past values (?,?)"
_KEYS = 500


@contextmanager
def written(path: Path, what: str) -> Iterator[sqlite3.Connection]:
    """A new file, to `INSERT` into; it is there when all of it is. `what` is for the message if it cannot be."""
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(unfinished, isolation_level=None)) as file:
            file.execute("pragma journal_mode = off")
            file.execute("pragma synchronous = off")
            file.execute("create table past (node blob primary key, facts blob) without rowid")
            file.execute("begin")
            yield file
            file.execute("commit")
        with unfinished.open("rb+") as whole:
            os.fsync(whole.fileno())
        unfinished.rename(path)
    except (OSError, sqlite3.Error) as error:
        raise Busy(f"{what} cannot be written: {error}") from error


class PastRows:
    """The rows of such a file."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)

    def of(self, nodes: Sequence[NodeId]) -> Iterator[tuple[NodeId, bytes]]:
        """Those of some nodes."""
        for start in range(0, len(nodes), _KEYS):
            some = nodes[start : start + _KEYS]
            marks = ",".join("?" * len(some))
            yield from self._file.execute(f"select * from past where node in ({marks})", some)  # noqa: S608

    def nodes(self, after: NodeId, limit: int) -> list[NodeId]:
        """The nodes that there is a row of, in their order, a page at a time."""
        sql = "select node from past where node > ? order by node limit ?"
        return [row[0] for row in self._file.execute(sql, (after, limit))]

    def close(self) -> None:
        """Close the file."""
        self._file.close()
