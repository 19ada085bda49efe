"""Messages from Apache Kafka itself, and from a broker that speaks its protocol."""

from __future__ import annotations

import base64
import io
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import fastavro
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

from onefold.collect.sources import kafka_stream
from onefold.collect.sources.kafka import KafkaSettings, open_kafka
from onefold.model.errors import InvalidInput, Unreachable
from onefold.model.pulled import PulledSource
from onefold.testing import servers
from onefold.testing.patience import PATIENCE, wait_until
from tests.real_servers import started
from tests.unit.collect.sources.conftest import NUMBERS
from tests.unit.collect.sources.reading import HERE, Taker
from tests.web_servers import serving

pytestmark = pytest.mark.slow  # brokers take their time to start and to agree on who reads what


@pytest.fixture(scope="module")
def other_broker() -> Iterator[servers.Server]:
    yield from started(servers.kafka_like)


class Topic:
    """A topic of one test's own."""

    def __init__(self, server: servers.Server, partitions: int = 2) -> None:
        self.name, self.brokers = f"orders-{next(NUMBERS)}", f"127.0.0.1:{server.port}"
        admin = AdminClient({"bootstrap.servers": self.brokers})
        admin.create_topics([NewTopic(self.name, partitions, 1)])[self.name].result(PATIENCE)
        self._producer = Producer({"bootstrap.servers": self.brokers})

    def send(self, *values: Any, partition: int = 0, key: bytes | None = None) -> None:
        for value in values:
            raw = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
            self._producer.produce(self.name, raw, key, partition)
        assert self._producer.flush(PATIENCE) == 0

    def stream(self, **settings: Any) -> PulledSource:
        given = KafkaSettings(
            brokers=self.brokers,
            topics=(self.name,),
            **{"group": self.name, "options": {"session.timeout.ms": "30000"}, **settings},
        )
        return open_kafka(given, HERE)

    def taker(self, **settings: Any) -> Taker:
        return Taker(lambda: self.stream(**settings))

    def delete_before(self, offset: int) -> None:
        place = TopicPartition(self.name, 0, offset)
        admin = AdminClient({"bootstrap.servers": self.brokers})
        for done in admin.delete_records([place]).values():
            done.result(PATIENCE)

    def committed(self) -> list[int]:
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": self.name})
        with closing(consumer):
            asked = [TopicPartition(self.name, number) for number in (0, 1)]
            return [one.offset for one in consumer.committed(asked, timeout=PATIENCE)]


@pytest.fixture
def topic(kafka: servers.Server) -> Topic:
    return Topic(kafka)


class Registry(ThreadingHTTPServer):
    """A schema registry that knows what a test gave it."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), Answering)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        registry = self.server
        assert isinstance(registry, Registry)
        registry.asked.append(self.path)
        answer = registry.answers.get(self.path)
        body = json.dumps(answer or {"error_code": 40403}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def registry() -> Iterator[Registry]:
    made = Registry()
    with serving(made):
        yield made


def count(number: int) -> Any:
    return lambda reader: len(reader.records) + len(reader.unreadable) >= number


def test_messages_are_records_and_what_is_none_is_kept_with_the_reason(topic):
    topic.send({"id": 1, "total": 9.5}, b"\x00\x01garbage", [1, 2], key=b"k")
    topic.send(None, key=b'{"id": 7}')
    reader = topic.taker(key_field="key").take(count(4))
    first, listed, gone = reader.records
    assert first.fields == {"id": 1, "total": 9.5, "key": "k"}
    assert (first.stream, first.place, first.change) == (topic.name, "0@0", "read")
    assert first.time is not None
    assert listed.fields["value"] == [1, 2]
    assert (gone.change, gone.fields) == ("delete", {"id": 7})
    (poison,) = reader.unreadable
    assert (poison.raw, poison.place) == (b"\x00\x01garbage", "0@1")
    assert "names no registry" in poison.reasons[0]


def test_the_group_moves_only_when_what_came_is_durable(topic):
    topic.send({"id": 1}, {"id": 2})
    reader = topic.taker().take(count(2), durable=False)
    assert topic.committed()[0] < 0
    again = topic.taker().take(count(2))
    assert [record.place for record in again.records] == [record.place for record in reader.records]
    assert topic.committed()[0] == 2


def test_it_goes_on_from_the_position_also_where_the_group_did_not_hear_of_it(topic):
    topic.send({"id": 1}, {"id": 2})
    reader = topic.taker().take(count(2), durable=False)
    topic.send({"id": 3})
    topic.send({"id": 4}, partition=1)
    reader.take(count(4))
    assert sorted(record.fields["id"] for record in reader.records) == [1, 2, 3, 4]
    assert reader.position == {"offsets": {f"{topic.name}/0": 3, f"{topic.name}/1": 1}}


def test_two_readers_of_one_group_share_the_partitions_without_doubling(topic):
    """The second joins while the first reads; then the first leaves, and the second reads all."""
    first, second = topic.taker(batch_rows=50), topic.taker(batch_rows=50)
    ends = threading.Event(), threading.Event()
    sent = 0

    def send(more: int) -> None:
        nonlocal sent
        for number in range(sent, sent + more):
            topic.send({"id": number}, partition=number % 2)
        sent += more

    def all_came() -> bool:
        return len(first.records) + len(second.records) >= sent

    def second_reads() -> bool:
        send(10)
        return bool(second.records)

    threads = [
        threading.Thread(target=reader.take, args=(lambda _, end=end: end.is_set(),))
        for reader, end in zip((first, second), ends, strict=True)
    ]
    try:
        send(100)
        threads[0].start()
        wait_until(all_came, "the first reads alone")
        threads[1].start()
        wait_until(second_reads, "the second reads too")
        send(100)
        wait_until(all_came, "both read")
        assert {record.place.partition("@")[0] for record in second.records} in ({"0"}, {"1"})
        ends[0].set()
        threads[0].join()
        send(100)
        wait_until(all_came, "the second reads alone")
    finally:
        for thread, end in zip(threads, ends, strict=True):
            end.set()
            thread.join()
    together = [record.fields["id"] for record in [*first.records, *second.records]]
    assert sorted(together) == list(range(sent))


def test_what_was_read_just_before_the_partitions_were_shared_out_anew_comes_once(
    topic, monkeypatch
):
    """The first has read both messages and waits for a third when the second joins; it keeps one of the partitions."""
    monkeypatch.setattr(kafka_stream, "LINGER", 2 * PATIENCE)  # only three messages end a batch
    streams = [topic.stream(batch_rows=3), topic.stream(batch_rows=3)]
    first, second = (Taker(lambda stream=stream: stream) for stream in streams)

    def all_came(_: Taker) -> bool:
        return len(first.records) + len(second.records) >= 6

    threads = [threading.Thread(target=one.take, args=(all_came,)) for one in (first, second)]
    for number in (0, 1):
        topic.send({"id": number}, partition=number)
    threads[0].start()
    wait_until(lambda: len(streams[0]._taken) == 2, "the first has read both")
    threads[1].start()
    wait_until(lambda: streams[1]._ours, "the second has joined")
    for number in range(2, 6):
        topic.send({"id": number}, partition=number % 2)
    for thread in threads:
        thread.join()
    together = [record.fields["id"] for record in [*first.records, *second.records]]
    assert sorted(together) == list(range(6))
    assert len(first.records) == len(second.records) == 3


AVRO = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "customer", "type": "Customer"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "note", "type": ["null", "string"]},
    ],
}
CUSTOMER = {
    "type": "record",
    "name": "Customer",
    "fields": [{"name": "name", "type": "string"}],
}


def wire(number: int, body: bytes) -> bytes:
    return b"\0" + struct.pack(">I", number) + body


def test_avro_by_a_registry_with_a_schema_that_builds_on_another(topic, registry):
    named: dict[str, Any] = {}
    fastavro.parse_schema(CUSTOMER, named_schemas=named)
    body = io.BytesIO()
    order = {"id": 5, "customer": {"name": "王小明"}, "at": 1_700_000_000_000, "note": None}
    fastavro.schemaless_writer(body, fastavro.parse_schema(AVRO, named_schemas=named), order)
    reference = {"name": "Customer", "subject": "customer", "version": 2}
    registry.answers = {
        "/schemas/ids/258": {"schema": json.dumps(AVRO), "references": [reference]},
        "/subjects/customer/versions/2": {"schema": json.dumps(CUSTOMER)},
    }
    topic.send(wire(258, body.getvalue()), wire(258, body.getvalue()))
    topic.send(wire(258, body.getvalue()[:-3]), wire(99, b"x"), {"id": 6})
    reader = topic.taker(registry=registry.url).take(count(5))
    assert reader.records[0].fields == {
        "id": 5,
        "customer": {"name": "王小明"},
        "at": "2023-11-14T22:13:20+00:00",
        "note": None,
    }
    assert reader.records[2].fields == {"id": 6}
    assert ["does not fit Avro schema 258" in reader.unreadable[0].reasons[0]] == [True]
    assert reader.unreadable[1].reasons == ("the registry has no schema 99",)
    assert registry.asked.count("/schemas/ids/258") == 1


def protobuf_file() -> descriptor_pb2.FileDescriptorProto:
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="order.proto", package="shop", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    order = file.message_type.add(name="Order")
    order.field.add(name="id", number=1, type=kinds.TYPE_INT64, label=kinds.LABEL_OPTIONAL)
    order.field.add(name="tags", number=2, type=kinds.TYPE_STRING, label=kinds.LABEL_REPEATED)
    order.field.add(
        name="at", number=3, type=kinds.TYPE_MESSAGE, type_name=".google.protobuf.Timestamp",
        label=kinds.LABEL_OPTIONAL,
    )  # fmt: skip
    line = order.nested_type.add(name="Line")
    line.field.add(name="sku", number=1, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL)
    order.field.add(
        name="lines", number=4, type=kinds.TYPE_MESSAGE, type_name=".shop.Order.Line",
        label=kinds.LABEL_REPEATED,
    )  # fmt: skip
    return file


def test_protobuf_by_a_registry(topic, registry):
    file = protobuf_file()
    registry.answers = {
        "/schemas/ids/3": {"schema": "as text", "schemaType": "PROTOBUF"},
        "/schemas/ids/3?format=serialized": {
            "schema": base64.b64encode(file.SerializeToString()).decode()
        },
    }
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    order = message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Order"))()
    order.id, order.tags[:] = 2**53 + 1, ["a", "b"]
    order.at.seconds = 1_700_000_000
    order.lines.add(sku="x-1")
    body = order.SerializeToString()
    line = order.lines[0].SerializeToString()
    topic.send(wire(3, b"\0" + body), wire(3, b"\4\0\0" + line), wire(3, b"\0" + body[:-1]))
    reader = topic.taker(registry=registry.url).take(count(3))
    assert [record.fields for record in reader.records] == [
        {
            "id": 2**53 + 1,
            "tags": ["a", "b"],
            "at": "2023-11-14T22:13:20Z",
            "lines": [{"sku": "x-1"}],
        },
        {"sku": "x-1"},
    ]
    assert "does not fit Protobuf schema 3" in reader.unreadable[0].reasons[0]


def test_a_registry_that_is_away_loses_nothing(topic):
    topic.send(wire(1, b"x"))
    with pytest.raises(Unreachable, match="schema registry"):
        topic.taker(registry="http://127.0.0.1:1").take(count(1))
    assert topic.committed()[0] < 0


def test_a_schema_that_is_none_spoils_only_its_messages(topic, registry):
    registry.answers = {
        "/schemas/ids/4": {"schema": '{"type": "recording"}'},
        "/schemas/ids/5": {"schema": "no JSON"},
    }
    topic.send(wire(4, b"x"), wire(5, b"x"), {"id": 6})
    reader = topic.taker(registry=registry.url).take(count(3))
    assert [record.fields for record in reader.records] == [{"id": 6}]
    assert [one.reasons[0][:27] for one in reader.unreadable] == [
        "has schema 4, which is none", "has schema 5, which is none",
    ]  # fmt: skip


def test_a_registry_that_answers_garbage_loses_nothing(topic, registry):
    registry.answers = {"/schemas/ids/7": ["no schema"]}
    topic.send(wire(7, b"x"))
    with pytest.raises(Unreachable, match="schema registry"):
        topic.taker(registry=registry.url).take(count(1))


def test_messages_that_the_broker_deleted_before_they_were_read_are_told(topic):
    topic.send(*[{"id": number} for number in range(4)])
    first = topic.taker().take(count(4))
    assert first.batches[-1].warning == ""
    topic.send(*[{"id": number} for number in range(4, 8)])
    topic.delete_before(6)

    reader = topic.taker().take(count(2))
    assert [record.fields["id"] for record in reader.records] == [6, 7]
    assert "deleted messages 4 to 5 before they were read" in reader.batches[-1].warning


@pytest.mark.parametrize(
    "name",
    [
        "ssl.engine.location",
        "plugin.library.paths",
        "sasl.oauthbearer.metadata.authentication.type",
        "sasl.oauthbearer.token.endpoint.url",
    ],
)
def test_options_that_reach_beyond_the_brokers_are_refused(name):
    settings = KafkaSettings(brokers="127.0.0.1:9092", topics=("a",), options={name: "x"})
    with pytest.raises(InvalidInput) as caught:
        open_kafka(settings, HERE)
    assert [fault.message for fault in caught.value.faults] == ["is not taken from a definition"]


def test_rows_as_debezium_writes_them(topic):
    row = {"id": 1, "name": "Anna"}
    source = {"schema": "public", "table": "customers", "ts_ms": 1_700_000_000_000}
    topic.send({"op": "u", "before": {"id": 1, "name": "Ann"}, "after": row, "source": source})
    topic.send(
        {"schema": {}, "payload": {"op": "d", "before": row, "after": None, "source": source}}
    )
    topic.send(None, key=b'{"id": 1}')
    topic.send({"op": "c", "before": None, "after": {"id": 2}, "source": source})
    reader = topic.taker(envelope="debezium").take(count(3))
    assert [(one.change, one.fields, one.before) for one in reader.records] == [
        ("update", row, {"id": 1, "name": "Ann"}),
        ("delete", row, row),
        ("insert", {"id": 2}, None),
    ]
    assert reader.records[0].stream == "public.customers"
    assert reader.records[0].time == 1_700_000_000_000_000


def test_a_topic_that_is_not_there_is_said(kafka):
    reader = Topic(kafka).taker()
    missing = KafkaSettings(
        brokers=f"127.0.0.1:{kafka.port}", topics=("nowhere",), group="nobody",
        options={"allow.auto.create.topics": "false"},
    )  # fmt: skip
    reader._make = lambda: open_kafka(missing, HERE)
    with pytest.raises(InvalidInput, match="no such topic"):
        reader.take(count(1))


def test_another_broker_of_the_same_protocol_is_read_too(other_broker):
    """One test only: until it has a group's members together it takes 24 seconds."""
    topic = Topic(other_broker)
    topic.send({"id": 1}, b"{", {"id": 2})
    reader = topic.taker().take(count(3))
    assert [record.fields["id"] for record in reader.records] == [1, 2]
    assert reader.unreadable[0].place == "0@1"
    assert topic.committed()[0] == 3
