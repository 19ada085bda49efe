from typing import Any

from onefold.model.delivery import Delivery
from onefold.testing.outbox import MemoryOutbox
from onefold.testing.outbox_suite import OutboxSuite


class TestMemoryOutbox(OutboxSuite):
    def make(self) -> MemoryOutbox:
        return MemoryOutbox()

    def add(self, outbox: Any, *deliveries: Delivery) -> None:
        outbox.add(*deliveries)
