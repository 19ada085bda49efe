"""Messages of an MQTT broker: what a till, a door or a machine says, as JSON.

The broker keeps messages for us while we are away, and each until we say that it is durable. After a
crash it sends again what was under way: give such messages an `id` in the mapping to count them once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec

from onefold.collect.addresses import Reach
from onefold.collect.sources.change_settings import MqttSettings
from onefold.collect.sources.extras import driver
from onefold.collect.tls import context_of, for_name, is_wanted
from onefold.model.errors import Fault, InvalidInput, Unreachable
from onefold.model.pulled import Batch, Position, Record, Unreadable

__all__ = ["MqttSettings", "MqttSource", "look_at_mqtt"]
IDLE, AWAY = 1.0, 30.0  # seconds: a broker that took the call and says nothing for longer is away
_REFUSED = {"Bad user name or password", "Not authorized", "Client identifier not valid"}


class MqttSource:
    """A source that listens to topics; needs `onefold[mqtt]`."""

    def __init__(self, settings: MqttSettings, reach: Reach) -> None:
        self._paho = driver("paho.mqtt.client", "mqtt")
        self._address = reach.address_of(settings.host, settings.port)
        self._settings = settings
        self._client: Any = None
        self._messages: list[Any] = []
        self._given: list[tuple[int, int, int]] = []  # number, and what its acknowledgement names
        self._number, self._reason, self._listens = 0, "", False

    def batches(self, position: Position | None) -> Iterator[Batch]:
        self._number = (position or {}).get("received", 0)
        client = self._client = self._connect()
        began = given = time.monotonic()
        while True:
            code = client.loop(0.2)
            if self._reason in _REFUSED:
                raise InvalidInput("the MQTT broker refuses", [Fault(self._reason, "user")])
            silent = not self._listens and time.monotonic() - began >= AWAY
            if code != self._paho.MQTT_ERR_SUCCESS or self._reason or silent:
                reason = self._reason or (f"nothing came in {AWAY:g} s" if silent else code)
                raise Unreachable(f"the MQTT broker does not answer: {reason}")
            # An empty batch says that all goes well: not before the broker keeps messages for us.
            if self._messages or (self._listens and time.monotonic() - given >= IDLE):
                yield self._batch()
                given = time.monotonic()

    def stored(self, position: Position) -> None:
        """What is durable need not be sent again."""
        while self._given and self._given[0][0] <= position["received"]:
            _, number, quality = self._given.pop(0)
            self._client.ack(number, quality)

    def close(self) -> None:
        if self._client is not None:
            for _ in range(5):  # what was not read when it closes would cost what was just said
                self._client.loop(0.01)
            self._client.disconnect()

    def _connect(self) -> Any:
        settings, paho = self._settings, self._paho
        client = paho.Client(
            paho.CallbackAPIVersion(2), settings.client, protocol=5, manual_ack=True
        )
        if settings.user:
            client.username_pw_set(settings.user, settings.password)
        if is_wanted(settings.tls, self._address):
            client.tls_set_context(for_name(context_of(settings.tls, settings.ca), settings.host))
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = lambda _client, _data, message: self._messages.append(message)
        wanted = paho.Properties(paho.PacketTypes.CONNECT)
        wanted.SessionExpiryInterval = settings.keep_hours * 3600
        wanted.ReceiveMaximum = 1000  # messages under way at once
        try:
            client.connect(self._address, settings.port, 60, clean_start=False, properties=wanted)
        except OSError as error:
            raise Unreachable(f"the MQTT broker does not answer: {error}") from error
        return client

    def _connected(self, client: Any, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        self._reason = str(reason) if reason.is_failure else ""
        if not self._reason:
            client.subscribe([(topic, 1) for topic in self._settings.topics])

    def _subscribed(self, _client: Any, _data: Any, _id: int, told: Any, _more: Any) -> None:
        self._listens = True
        self._reason = next((str(one) for one in told if one.is_failure), "")

    def _batch(self) -> Batch:
        messages, self._messages = self._messages, []
        records: list[Record] = []
        unreadable: list[Unreadable] = []
        for one in messages:
            self._number += 1
            self._given.append((self._number, one.mid, one.qos))
            at = time.time_ns() // 1000
            try:
                value = msgspec.json.decode(one.payload)
                fields = value if isinstance(value, dict) else {"value": value}
                records.append(Record(fields, one.topic, f"{at} {self._number}", "read", at))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                told = (f"is no JSON: {error}",)
                unreadable.append(Unreadable(one.payload, one.topic, str(self._number), told))
        return Batch(records, {"received": self._number}, tuple(unreadable))


def look_at_mqtt(settings: MqttSettings, reach: Reach, most: int | None) -> MqttSource:
    """The same under a name of its own, for which the broker keeps nothing: what it sends meanwhile."""
    apart = f"{settings.client}-test-{time.time_ns()}"
    return MqttSource(msgspec.structs.replace(settings, client=apart, keep_hours=0), reach)
