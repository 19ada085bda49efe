"""The reader of Kafka topics, as one member of a consumer group.

The position says for each partition what comes next. It is stored with the records; the group's offset is committed
after that, so it is never ahead. A partition goes on at whichever of the two is
further: another member may have read on meanwhile.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from onefold.collect.addresses import Reach
from onefold.collect.sources.change_settings import KafkaSettings
from onefold.collect.sources.debezium.rows import read_envelope
from onefold.collect.sources.kafka_values import NotReadable, Registry, Values
from onefold.model.errors import Fault, InvalidInput, Unreachable
from onefold.model.pulled import Batch, Position, Record, Unreadable

IDLE = 1.0
"""Seconds without a message after which an empty batch is given."""
LINGER = 0.02
"""Seconds in which more messages are waited for when one came."""
WARN = 3600.0
"""Seconds for which it is said that messages were deleted unread."""
AWAY = 30.0
"""Seconds without any broker after which we give up, to try again later."""
_PASSING = {KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE}
_REFUSED = {
    KafkaError._AUTHENTICATION, KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._SSL,
}  # fmt: skip

Partition = tuple[str, int]
_QUIET = logging.getLogger("onefold.kafka")  # what matters comes as an error
_QUIET.propagate = False
_QUIET.addHandler(logging.NullHandler())


class KafkaStream:
    """A source that reads topics through one consumer group."""

    def __init__(self, settings: KafkaSettings, reach: Reach) -> None:
        self._settings = settings
        user, password = settings.registry_user, settings.registry_password
        self._values = Values(Registry(settings.registry, user, password, reach))
        self._warning, self._warned_at = "", 0.0
        self._consumer: Consumer | None = None
        self._offsets: dict[Partition, int] = {}
        self._ours: set[Partition] = set()
        self._taken: list[Message] = []
        self._failed: KafkaError | None = None
        self._failing_since = 0.0

    def batches(self, position: Position | None) -> Iterator[Batch]:
        self._offsets = {
            _partition(name): offset
            for name, offset in ((position or {}).get("offsets") or {}).items()
        }
        consumer = self._consumer = Consumer(self._options())
        consumer.subscribe(
            [*self._settings.topics],
            on_assign=self._assigned,
            on_revoke=self._revoked,
            on_lost=self._revoked,
        )
        given = time.monotonic()
        while True:
            self._take(consumer)
            if self._taken or time.monotonic() - given >= IDLE:
                yield self._batch()
                given = time.monotonic()

    def stored(self, position: Position) -> None:
        """Tell the group how far all is durable, as far as we still read those partitions."""
        if self._consumer is None:
            return
        offsets = [
            TopicPartition(*partition, offset)
            for name, offset in position["offsets"].items()
            if (partition := _partition(name)) in self._ours
        ]
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            self._judge(error.args[0])  # the position is stored all the same

    def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()
        self._values.close()

    def _options(self) -> dict[str, Any]:
        settings = self._settings
        return {
            "client.id": "onefold",
            **settings.options,
            **({"ssl.ca.pem": settings.ca} if settings.ca else {}),
            **({"sasl.password": settings.password} if settings.password else {}),
            "bootstrap.servers": settings.brokers,
            "group.id": settings.group,
            "enable.auto.commit": False,
            "partition.assignment.strategy": "range,roundrobin",
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "error_cb": self._judge,
            "logger": _QUIET,
        }

    def _take(self, consumer: Consumer) -> None:
        # One by one into `_taken`: a rebalance, which runs inside `poll`, must find there what it takes away. The
        # same partition can be ours again in the next moment, and is then read from where the group is.
        wait, ends = IDLE, 0.0
        while len(self._taken) < self._settings.batch_rows:
            message = consumer.poll(wait)
            if message is None:
                break
            if self._is_good(message):
                self._taken.append(message)
                self._failing_since = 0.0
            ends = ends or time.monotonic() + LINGER
            wait = max(0.0, ends - time.monotonic())
        if self._failed is not None and not self._taken:
            self._raise(self._failed)

    def _is_good(self, message: Message) -> bool:
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            self._judge(error)
            if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise InvalidInput(
                    "a topic cannot be read",
                    [Fault("there is no such topic", message.topic() or "topics")],
                )
        return error is None

    def _judge(self, error: KafkaError) -> None:
        """Remember what went wrong; brokers that are away for a moment come back by themselves."""
        if error.code() in _REFUSED:
            self._failed = error
        elif error.code() in _PASSING:
            self._failing_since = self._failing_since or time.monotonic()
            if time.monotonic() - self._failing_since > AWAY:
                self._failed = error

    def _raise(self, error: KafkaError) -> None:
        self._failed = None
        if error.code() in _REFUSED:
            raise InvalidInput("Kafka refuses", [Fault(error.str(), "options")])
        raise Unreachable(f"Kafka does not answer: {error.str()}")

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Go on where the group is, or we are if that is further."""
        for known in consumer.committed(partitions, timeout=30):
            partition = known.topic, known.partition
            further = max(known.offset, self._offsets.get(partition, 0))
            self._ours.add(partition)
            if further > 0:
                self._offsets[partition] = further
                self._look_for_gap(consumer, *partition, further)
        consumer.assign(
            [
                TopicPartition(
                    one.topic,
                    one.partition,
                    self._offsets.get((one.topic, one.partition), OFFSET_BEGINNING),
                )
                for one in partitions
            ]
        )

    def _look_for_gap(self, consumer: Consumer, topic: str, number: int, at: int) -> None:
        """Has the broker deleted what was not read yet? It then gives what it still has, and says nothing."""
        try:
            first, _ = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=30)
        except KafkaException as error:
            self._judge(error.args[0])
            return
        if first > at:
            self._warned_at = time.monotonic()
            self._warning = (
                f"{topic}/{number}: the broker deleted messages {at} to {first - 1} before they were"
                " read; keep them for longer (retention.ms)"
            )

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Others go on with these: what of them was not yet given is theirs."""
        gone = {(one.topic, one.partition) for one in partitions}
        self._ours -= gone
        self._taken = [one for one in self._taken if (one.topic(), one.partition()) not in gone]

    def _batch(self) -> Batch:
        messages, self._taken = self._taken, []
        records: list[Record] = []
        unreadable: list[Unreadable] = []
        for message in messages:
            place = f"{message.partition()}@{message.offset()}"
            try:
                record = self._record(message, place)
                if record is not None:
                    records.append(record)
            except NotReadable as reason:
                raw = message.value() or b""
                unreadable.append(Unreadable(raw, message.topic() or "", place, (str(reason),)))
            self._offsets[message.topic() or "", message.partition() or 0] = (
                message.offset() or 0
            ) + 1
        offsets = {f"{topic}/{number}": at for (topic, number), at in sorted(self._offsets.items())}
        if time.monotonic() - self._warned_at > WARN:
            self._warning = ""
        return Batch(records, {"offsets": offsets}, tuple(unreadable), warning=self._warning)

    def _record(self, message: Message, place: str) -> Record | None:
        settings, topic, raw = self._settings, message.topic() or "", message.value()
        kind, millis = message.timestamp()
        at = None if kind == TIMESTAMP_NOT_AVAILABLE else millis * 1000
        key = self._values.key(message.key())
        if raw is None:  # the sign in a compacted topic that its key is gone
            if settings.envelope == "debezium":
                return None  # said before, by the message with what the row was
            fields = key if isinstance(key, dict) else {settings.key_field or "key": key}
            return Record(fields, topic, place, "delete", at)
        value = (
            self._values.text(raw)
            if settings.format == "text"
            else self._values.value(raw, settings.format)
        )
        if settings.envelope == "debezium":
            return read_envelope(value, topic, place, at, key)
        fields = value if isinstance(value, dict) else {"value": value}
        if settings.key_field:
            fields = {**fields, settings.key_field: key}
        return Record(fields, topic, place, "read", at)


def _partition(name: str) -> Partition:
    topic, _, number = name.rpartition("/")
    return topic, int(number)
