"""Messages from a real MQTT broker, Mosquitto."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

from onefold.collect.sources import mqtt
from onefold.collect.sources.mqtt import MqttSettings, MqttSource
from onefold.model.errors import InvalidInput, Unreachable
from onefold.testing import servers
from onefold.testing.patience import PATIENCE
from tests.unit.collect.sources.conftest import NUMBERS
from tests.unit.collect.sources.reading import HERE, Taker


class Tills:
    """Topics of one test's own, and somebody who sends."""

    def __init__(self, server: servers.Server) -> None:
        self.name, self.port = f"shop{next(NUMBERS)}", server.port
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.connect("127.0.0.1", server.port)
        self._client.loop_start()

    def send(self, *values: Any, till: str = "1") -> None:
        for value in values:
            raw = value if isinstance(value, bytes) else json.dumps(value).encode()
            self._client.publish(f"{self.name}/{till}/sales", raw, qos=1).wait_for_publish(PATIENCE)

    def taker(self) -> Taker:
        settings = MqttSettings(
            host="127.0.0.1", port=self.port, topics=(f"{self.name}/+/sales",), client=self.name
        )
        return Taker(lambda: MqttSource(settings, HERE))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def tills(mosquitto: servers.Server) -> Iterator[Tills]:
    made = Tills(mosquitto)
    yield made
    made.close()


def listening(reader: Taker) -> bool:
    return len(reader.batches) >= 1


def count(number: int) -> Any:
    return lambda reader: len(reader.records) + len(reader.unreadable) >= number


def test_messages_are_records_also_those_sent_while_we_were_away(tills):
    reader = tills.taker().take(listening)
    tills.send({"total": 9.5}, 21.5, b"\xff{")
    tills.send({"total": 1}, till="2")
    reader.take(count(4))
    assert sorted(record.stream for record in reader.records) == [
        f"{tills.name}/1/sales", f"{tills.name}/1/sales", f"{tills.name}/2/sales",
    ]  # fmt: skip
    assert {"total": 9.5} in [record.fields for record in reader.records]
    assert {"value": 21.5} in [record.fields for record in reader.records]
    (poison,) = reader.unreadable
    assert poison.raw == b"\xff{"
    assert len({record.place for record in reader.records}) == 3


def test_what_is_not_durable_is_sent_again(tills):
    reader = tills.taker().take(listening)
    tills.send({"id": 1}, {"id": 2})
    reader.take(count(2), durable=False)
    tills.send({"id": 3})
    again = tills.taker().take(count(3))
    assert sorted(record.fields["id"] for record in again.records) == [1, 2, 3]
    after = tills.taker()
    tills.send({"id": 4})
    after.take(count(1))
    assert [record.fields["id"] for record in after.records] == [4]


def test_more_messages_than_may_be_under_way_come_all(tills):
    reader = tills.taker().take(listening)
    tills.send(*[{"id": number} for number in range(2500)])
    reader.take(count(2500))
    assert [record.fields["id"] for record in reader.records] == list(range(2500))


def test_a_broker_that_takes_the_call_and_says_nothing_is_away(monkeypatch):
    monkeypatch.setattr(mqtt, "AWAY", 1.5 * mqtt.IDLE)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        reader = Taker(
            lambda: MqttSource(MqttSettings(host="127.0.0.1", port=port, topics=("a",)), HERE)
        )
        with pytest.raises(Unreachable, match="nothing came"):
            reader.take(count(1))
    assert reader.batches == []


def test_a_broker_that_is_away_may_come_back():
    settings = MqttSettings(host="127.0.0.1", port=1, topics=("a",))
    with pytest.raises(Unreachable):
        Taker(lambda: MqttSource(settings, HERE)).take(count(1))


def refusing(port: list[int], ready: threading.Event) -> None:
    """A broker that lets anybody in and lets nobody listen."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port.append(server.getsockname()[1])
        ready.set()
        with server.accept()[0] as caller:
            caller.recv(1000)
            caller.sendall(bytes([0x20, 3, 0, 0, 0]))
            wish = caller.recv(1000)
            caller.sendall(bytes([0x90, 4, wish[2], wish[3], 0, 0x87]))
            caller.recv(1000)


def test_a_topic_that_may_not_be_read_is_told_and_is_no_silence() -> None:
    port: list[int] = []
    ready = threading.Event()
    broker = threading.Thread(target=refusing, args=(port, ready), daemon=True)
    broker.start()
    assert ready.wait(PATIENCE)
    settings = MqttSettings(host="127.0.0.1", port=port[0], topics=("secret/#",))
    with pytest.raises(InvalidInput, match="Not authorized"):
        Taker(lambda: MqttSource(settings, HERE)).take(count(1))
    broker.join(PATIENCE)


def test_a_source_is_one_file_of_less_than_120_lines() -> None:
    assert len(Path(mqtt.__file__).read_text().splitlines()) < 120
