from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onefold.model.delivery import Delivery
from onefold.store import SQLiteStore
from onefold.testing.outbox_suite import SECOND, OutboxSuite, delivery


class TestSQLiteOutbox(OutboxSuite):
    @pytest.fixture(autouse=True)
    def _store(self, tmp_path: Path) -> Iterator[None]:
        self.store = SQLiteStore(tmp_path / "store.db", cache_mb=1)
        yield
        self.store.close()

    def make(self) -> Any:
        return self.store.outbox

    def add(self, outbox: Any, *deliveries: Delivery) -> None:
        rows = [tuple(msgspec.structs.astuple(one)) for one in deliveries]
        with self.store.db.transaction() as connection:
            connection.executemany(
                "insert into deliveries (id, destination, profile, key, payload, created_at,"
                " attempts, next_at) values (?,?,?,?,?,?,?,?)",
                rows,
            )

    def test_dead_letters_of_all_destinations_can_be_listed(self) -> None:
        outbox = self.filled(delivery(1), delivery(2, destination="mail"))
        for id in (1, 2):
            outbox.finish([self.dead_outcome(id)])
        assert [one.delivery.id for one in outbox.dead("")] == [1, 2]

    @staticmethod
    def dead_outcome(id: int) -> Any:
        from onefold.model.delivery import Outcome

        return Outcome(id, "dead", SECOND, 1, "no")
