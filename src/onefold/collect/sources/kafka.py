"""Messages of Kafka topics: JSON, or Avro and Protobuf by a schema registry."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

import msgspec

from onefold.collect.addresses import Reach
from onefold.collect.sources.change_settings import KafkaSettings
from onefold.collect.sources.extras import missing
from onefold.model.errors import Fault, InvalidInput
from onefold.model.pulled import PulledSource

__all__ = ["KafkaSettings", "look_at_kafka", "open_kafka"]

_NOT_OURS = ("bootstrap.servers", "metadata.broker.list", "sasl.kerberos.kinit.cmd")
_NONE_OF_OURS = ("plugin.", "ssl.engine.", "ssl.providers", "sasl.oauthbearer.", "https.")
"""What names other addresses than the judged ones (a cloud's metadata among them), or programs to run."""


def open_kafka(settings: KafkaSettings, reach: Reach) -> PulledSource:
    """The reader; needs `onefold[kafka]`, and that `reach` allows brokers and registry."""
    try:
        from onefold.collect.sources.kafka_stream import KafkaStream  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise missing("kafka", error) from error
    refused = [one for one in settings.options if one in _NOT_OURS or one.startswith(_NONE_OF_OURS)]
    if refused:
        faults = [Fault("is not taken from a definition", f"options.{one}") for one in refused]
        raise InvalidInput("these options would reach beyond the brokers", faults)
    for broker in settings.brokers.split(","):
        host, _, port = broker.strip().rpartition("://")[2].rpartition(":")
        reach.address_of(host or port, int(port) if host and port.isdigit() else 9092)
    if settings.registry:
        parts = urlsplit(settings.registry)
        reach.address_of(parts.hostname or "", parts.port or 443)
    return KafkaStream(settings, reach)


def look_at_kafka(settings: KafkaSettings, reach: Reach, most: int | None) -> PulledSource:
    """The same in a group of its own, which takes no partition from the one that reads."""
    apart = f"{settings.group}-test-{uuid.uuid4().hex[:12]}"
    return open_kafka(msgspec.structs.replace(settings, group=apart), reach)
