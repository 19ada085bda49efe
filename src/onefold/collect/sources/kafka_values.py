"""What the bytes of a message say: JSON, or by the schema that a registry has under its number.

A message with a schema begins with a zero byte and the schema's number in four bytes (Confluent's
wire format); of Protobuf, the path of the message type within its file follows.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import msgspec
from fastavro import parse_schema, schemaless_reader
from fastavro.schema import SchemaParseException
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from onefold.collect.addresses import Reach
from onefold.collect.fetching import Fetcher
from onefold.collect.sources.files.plain import plain
from onefold.model.errors import Fault, InvalidInput, Unreachable

MAGIC = 0


class NotReadable(Exception):
    """These bytes are no message as it should be; the text says why."""


class Schema(msgspec.Struct):
    """A schema as the registry has it."""

    text: str
    type: str = "AVRO"
    references: list[dict[str, Any]] = []


class Registry:
    """A schema registry with Confluent's API; every schema is asked for once."""

    def __init__(self, url: str, user: str, password: str, reach: Reach) -> None:
        self.url = url.rstrip("/")
        known = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {known}"} if user else {}
        self._fetcher = Fetcher(reach, timeout=15) if url else None

    def close(self) -> None:
        if self._fetcher is not None:
            self._fetcher.close()

    def schema(self, number: int) -> Schema:
        """A schema by its number."""
        found = self._ask(f"/schemas/ids/{number}", f"the registry has no schema {number}")
        kind = found.get("schemaType", "AVRO")
        if kind == "PROTOBUF":
            found = self._ask(f"/schemas/ids/{number}?format=serialized", "")
        return Schema(found["schema"], kind, found.get("references") or [])

    def referred(self, reference: dict[str, Any], kind: str) -> Schema:
        """A schema that another one builds on."""
        asked = "?format=serialized" if kind == "PROTOBUF" else ""
        path = f"/subjects/{reference['subject']}/versions/{reference['version']}{asked}"
        found = self._ask(path, f"the registry has no {reference['name']}")
        return Schema(found["schema"], kind, found.get("references") or [])

    def _ask(self, path: str, missing: str) -> dict[str, Any]:
        if self._fetcher is None:
            raise NotReadable("has a schema's number, but the source names no registry")
        try:
            answer = self._fetcher.fetch("GET", self.url + path, self._headers)
        except Unreachable as error:
            raise Unreachable(f"the schema registry does not answer: {error}") from error
        if answer.status in (401, 403):
            raise InvalidInput(
                "the schema registry refuses", [Fault("wrong user or password", "registry")]
            )
        if answer.status == 404:
            raise NotReadable(missing)
        try:
            found = msgspec.json.decode(answer.body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            found = {}
        if answer.status != 200 or not isinstance(found.get("schema"), str):
            raise Unreachable(f"the schema registry answers {answer.status}, and with no schema")
        return found


class Values:
    """Reads messages; keeps what it learned of schemas."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._avro: dict[int, Any] = {}
        self._protobuf: dict[int, Any] = {}
        self._kinds: dict[int, str] = {}

    def close(self) -> None:
        self._registry.close()

    def key(self, raw: bytes | None) -> Any:
        """A message's key: by its schema, as JSON, else as text."""
        if raw is None:
            return None
        try:
            return self.value(raw, "auto")
        except NotReadable:
            return raw.decode(errors="replace")

    @staticmethod
    def text(raw: bytes) -> str:
        """A message that is a text; raises `NotReadable` if it is none."""
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise NotReadable("is no UTF-8") from error

    def value(self, raw: bytes, form: str) -> Any:
        """What a message says; raises `NotReadable` with the reason."""
        if form == "auto" and len(raw) > 5 and raw[0] == MAGIC:
            return self._by_schema(int.from_bytes(raw[1:5]), raw[5:])
        try:
            return msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise NotReadable(f"is no JSON: {error}") from error

    def _by_schema(self, number: int, body: bytes) -> Any:
        if number not in self._kinds:
            self._learn(number)
        kind = self._kinds[number]
        if kind == "AVRO":
            return self._read_avro(number, body)
        if kind == "PROTOBUF":
            return self._read_protobuf(number, body)
        return self.value(body, "json")

    def _learn(self, number: int) -> None:
        schema = self._registry.schema(number)
        try:
            self._keep(number, schema)
        except (DecodeError, SchemaParseException, ValueError, KeyError, TypeError) as error:
            raise NotReadable(f"has schema {number}, which is none: {error}") from error

    def _keep(self, number: int, schema: Schema) -> None:
        if schema.type == "AVRO":
            named: dict[str, Any] = {}
            self._learn_avro(schema, named)
            self._avro[number] = parse_schema(msgspec.json.decode(schema.text), named_schemas=named)
        elif schema.type == "PROTOBUF":
            pool = descriptor_pool.DescriptorPool()
            self._protobuf[number] = pool.FindFileByName(self._learn_file(schema, pool, ""))
        self._kinds[number] = schema.type

    def _learn_avro(self, schema: Schema, named: dict[str, Any]) -> None:
        for reference in schema.references:
            inner = self._registry.referred(reference, "AVRO")
            self._learn_avro(inner, named)
            parse_schema(msgspec.json.decode(inner.text), named_schemas=named)

    def _learn_file(self, schema: Schema, pool: descriptor_pool.DescriptorPool, name: str) -> str:
        """Add a file and all that it builds on to the pool; gives its name there."""
        file = descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(schema.text))
        file.name = name or file.name or "main.proto"
        referred = {reference["name"]: reference for reference in schema.references}
        for needed in file.dependency:
            if needed in referred:
                self._learn_file(
                    self._registry.referred(referred[needed], "PROTOBUF"), pool, needed
                )
            else:
                known = descriptor_pb2.FileDescriptorProto()
                descriptor_pool.Default().FindFileByName(needed).CopyToProto(known)
                pool.Add(known)
        pool.Add(file)
        return str(file.name)

    def _read_avro(self, number: int, body: bytes) -> Any:
        try:
            return plain(schemaless_reader(io.BytesIO(body), self._avro[number], None))
        except (EOFError, ValueError, IndexError, TypeError, KeyError, OverflowError) as error:
            raise NotReadable(f"does not fit Avro schema {number}: {error}") from error

    def _read_protobuf(self, number: int, body: bytes) -> Any:
        try:
            path, at = _message_path(body)
            kind = _message_at(self._protobuf[number], path)
            message = message_factory.GetMessageClass(kind).FromString(body[at:])
        except (DecodeError, IndexError) as error:
            raise NotReadable(f"does not fit Protobuf schema {number}: {error}") from error
        return _message(message)


def _message_path(body: bytes) -> tuple[list[int], int]:
    """Where in its file the message type stands, and where the message begins.

    >>> _message_path(bytes([0, 99])), _message_path(bytes([4, 2, 0, 99]))
    (([0], 1), ([1, 0], 3))
    """
    many, at = _number(body, 0)
    path = []
    for _ in range(many):
        index, at = _number(body, at)
        path.append(index)
    return path or [0], at


def _number(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at


def _message_at(file: Any, path: list[int]) -> Descriptor:
    kinds = [*file.message_types_by_name.values()]
    found: Descriptor = kinds[path[0]]
    for index in path[1:]:
        found = found.nested_types[index]
    return found


def _message(message: Message) -> Any:
    """A message as JSON can say it; numbers stay numbers, absent values are absent."""
    if message.DESCRIPTOR.full_name.startswith("google.protobuf."):
        return json_format.MessageToDict(message)
    fields: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        if field.has_presence and not message.HasField(field.name):
            continue
        value = getattr(message, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            inner = field.message_type.fields_by_name["value"]
            fields[field.name] = {str(key): _one(value[key], inner) for key in value}
        elif field.is_repeated:
            fields[field.name] = [_one(one, field) for one in value]
        else:
            fields[field.name] = _one(value, field)
    return fields


def _one(value: Any, field: FieldDescriptor) -> Any:
    if isinstance(value, Message):
        return _message(value)
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    return plain(value)
