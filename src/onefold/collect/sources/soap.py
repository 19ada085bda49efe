"""SOAP services: an operation is called again and again, and its answers are records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal

import msgspec

from onefold.collect.addresses import Reach
from onefold.model.errors import Fault, InvalidInput
from onefold.model.pulled import Batch, Position, Record

_MOST_PAGES = 100_000


class Paging(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The argument that says which page: it counts from `start`, and ends with an empty page."""

    argument: str
    start: int = 1


class Cursor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What changed since: the argument that asks for it, and the field of a record that tells it."""

    argument: str
    field: str
    start: Any = None


class SoapSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which operation is called, with which arguments, and where the records are in its answer.

    `url` is that of the WSDL. `records` is a path such as `Result.Customer`, empty where the answer
    itself is the list. `key` names the field that says which record it is. `security` is by which
    way `user` and `password` are sent: WS-Security with the password or a digest, or HTTP Basic.
    """

    url: str
    operation: str
    records: str = ""
    key: str = ""
    arguments: dict[str, Any] = {}
    service: str | None = None
    port: str | None = None
    paging: Paging | None = None
    cursor: Cursor | None = None
    user: str = ""
    password: str = ""
    security: Literal["text", "digest", "basic"] = "text"
    timeout: float = 60.0


class SoapSource:
    """The records that an operation gives, page by page, and from where the last run ended."""

    def __init__(self, settings: SoapSettings, reach: Reach) -> None:
        # zeep and lxml are loaded by those who pull from such a service.
        from onefold.collect.sources.soap_client import SoapClient  # noqa: PLC0415

        self._settings = settings
        self._client = SoapClient(
            settings.url,
            reach,
            timeout=settings.timeout,
            user=settings.user,
            password=settings.password,
            security=settings.security,
            service=settings.service,
            port=settings.port,
        )

    def batches(self, position: Position | None) -> Iterator[Batch]:
        """All records that are new, or all there are where no cursor is set."""
        settings, at = self._settings, position or {}
        since = at.get("since", settings.cursor.start if settings.cursor else None)
        highest, page = at.get("highest", since), at.get("page")
        before: list[Record] = []
        for _ in range(_MOST_PAGES):
            if page is None:
                page = settings.paging.start if settings.paging else 0
            answer = self._client.call(settings.operation, self._arguments(since, page))
            found = self._records(answer)
            if found and found == before:
                fault = Fault("is not heeded: two pages are the same", "settings.paging.argument")
                raise InvalidInput("the service gives no further page", [fault])
            highest, before = self._highest(found, highest), found
            last = not (found and settings.paging)
            page += 1
            going_on = {"since": since, "highest": highest, "page": page}
            yield Batch(found, {"since": highest} if last else going_on)
            if last:
                return

    def stored(self, position: Position) -> None:
        """Nothing is to be told: a service keeps no positions."""

    def close(self) -> None:
        """Free the connections."""
        self._client.close()

    def _arguments(self, since: Any, page: int) -> dict[str, Any]:
        arguments = dict(self._settings.arguments)
        if self._settings.cursor and since is not None:
            arguments[self._settings.cursor.argument] = since
        if self._settings.paging:
            arguments[self._settings.paging.argument] = page
        return arguments

    def _records(self, answer: Any) -> list[Record]:
        value = answer
        for part in filter(None, self._settings.records.split(".")):
            value = value.get(part) if isinstance(value, Mapping) else None
        found = value if isinstance(value, list) else [] if value is None else [value]
        stream = self._settings.operation
        records = []
        for number, one in enumerate(found):
            fields = plain(one) if isinstance(one, Mapping) else {"value": plain(one)}
            place = fields.get(self._settings.key) if self._settings.key else None
            records.append(Record(fields, stream, str(number if place is None else place)))
        return records

    def _highest(self, records: list[Record], highest: Any) -> Any:
        cursor = self._settings.cursor
        if cursor is None:
            return None
        values = [one.fields[cursor.field] for one in records if one.fields.get(cursor.field)]
        if records and not values:
            fault = Fault("is missing in all records", cursor.field, "name another field")
            raise InvalidInput("what changed last cannot be told", [fault])
        for value in values:  # a record without it is taken, and tells nothing of where to go on
            highest = value if highest is None else max(highest, value, key=_comparable)
        return highest


def plain(value: Any) -> Any:
    """A value as JSON can say it.

    >>> plain({"at": date(2026, 1, 2), "price": Decimal("9.50"), "n": Decimal("3")})
    {'at': '2026-01-02', 'price': 9.5, 'n': 3}
    """
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value()
        return int(value) if whole else float(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return value if isinstance(value, (str, int, float, bool, bytes, type(None))) else str(value)


def _comparable(value: Any) -> Any:
    """Times with and without a zone cannot be compared as texts; numbers can as they are."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return value
        return f"{moment.timestamp():020.6f}" if moment.tzinfo else value
    return value
