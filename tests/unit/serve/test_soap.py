"""The SOAP endpoint, called by zeep and by hand."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import pytest
import requests
import zeep
from lxml import etree
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken

from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.workspace import now_us, open_log, open_store
from onefold.model.records import Accepted, decode_accepted
from onefold.model.sources import Source, hash_secret
from onefold.serve.log_writer import LogWriter
from onefold.serve.soap import SoapApp
from onefold.standardize import Verdict, verdicts

S11 = "http://schemas.xmlsoap.org/soap/envelope/"
S12 = "http://www.w3.org/2003/05/soap-envelope"
OURS = "urn:onefold:customers:1"
SERVICES = {"1.1": "{urn:onefold:customers:1}Soap11", "1.2": "{urn:onefold:customers:1}Soap12"}


class Through(requests.adapters.BaseAdapter):
    """Takes what a client sends by HTTP to the application in this process."""

    def __init__(self, desk: Any) -> None:
        super().__init__()
        self._desk = desk

    def send(self, request: Any, **_: Any) -> requests.Response:
        path = request.url.partition("cdp")[2]
        body = request.body or b""
        told = self._desk.call(
            request.method,
            path,
            key=None,
            content=body if isinstance(body, bytes) else body.encode(),
            headers=dict(request.headers),
        )
        answer = requests.Response()
        answer.status_code = told.status_code
        answer.headers.update(told.headers)
        answer._content = told.content
        answer.url = request.url
        return answer

    def close(self) -> None:
        pass


def client(desk: Any, version: str = "1.2", **user: Any) -> Any:
    """zeep's own proxy of the endpoint, made from its WSDL."""
    session = requests.Session()
    session.mount("http://", Through(desk))
    name, _, secret = desk.write_key.partition(":")
    token = UsernameToken(**{"username": name, "password": secret, **user})
    made = zeep.Client(
        "http://cdp/soap/customers?wsdl", transport=Transport(session=session), wsse=token
    )
    return made.create_service(SERVICES[version], "http://cdp/soap/customers")


def logged(desk: Any) -> list[dict[str, Any]]:
    with open_store(desk.settings, cache_mb=4) as store:
        log = open_log(desk.settings, store, None)
        try:
            found = [decode_accepted(one.payload) for one in log.read({}, 1_000, 1 << 24)]
        finally:
            log.close()
    return [event for one in found for event in msgspec.json.decode(one.body)["batch"]]


def judging(accepted: Accepted, source: Source) -> Callable[[], list[Verdict]]:
    """Judges without any plans."""
    return partial(verdicts, accepted, source)


class Door:
    """The endpoint alone, with what it logged."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []

    def post(self, body: str, kind: str = "text/xml", key: str = "crm:s3cret") -> Any:
        return asyncio.run(self._post(body.encode(), kind, key))

    async def _post(self, body: bytes, kind: str, key: str) -> Any:
        sources = {"crm": Source(id="crm", name="CRM", key_hash=hash_secret("s3cret"))}
        writer = LogWriter(self.payloads.extend)
        passwords = {"crm": ("digested",)}
        app = SoapApp(writer, sources.get, lambda user: passwords.get(user, ()), judging, now_us)
        headers = [(b"content-type", kind.encode()), (b"x-write-key", key.encode())]
        try:
            return await app.call(body, headers if key else headers[:1])
        finally:
            await writer.close()


@pytest.fixture
def door() -> Door:
    return Door()


def envelope(inner: str, header: str = "", namespace: str = S11) -> str:
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return f'<s:Envelope xmlns:s="{namespace}">{head}<s:Body>{inner}</s:Body></s:Envelope>'


def upsert(inner: str) -> str:
    return f'<UpsertCustomers xmlns="{OURS}">{inner}</UpsertCustomers>'


GOOD = upsert("<customer><id>c1</id></customer>")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_zeep_sends_customers(desk, version):
    accepted = client(desk, version).UpsertCustomers(
        customer=[
            {
                "id": "c1",
                "identifier": [{"kind": "crm_id", "value": "17"}],
                "email": "ann@example.com",
                "firstName": "Ann & Bob",
                "birthday": dt.date(1990, 2, 1),
                "company": "Möller <GmbH>",
                "address": {"city": "Köln", "country": "DE"},
                "consent": [{"purpose": "marketing", "given": True}],
                "attribute": [{"name": "points", "number": Decimal("12.50")}],
                "changedAt": dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
                "messageId": "m1",
            },
            {"email": "bob@example.com"},
        ]
    )

    assert accepted == 2
    assert logged(desk) == [
        {
            "type": "identify",
            "userId": "c1",
            "messageId": "m1",
            "timestamp": "2026-01-02T03:04:05Z",
            "context": {
                "externalIds": [
                    {"type": "crm_id", "id": "17", "collection": "users", "encoding": "none"}
                ]
            },
            "traits": {
                "email": "ann@example.com",
                "firstName": "Ann & Bob",
                "birthday": "1990-02-01",
                "company": {"name": "Möller <GmbH>"},
                "address": {"city": "Köln", "country": "DE"},
                "consent.marketing": True,
                "points": 12.5,
            },
        },
        {"type": "identify", "traits": {"email": "bob@example.com"}},
    ]


def test_zeep_sends_orders_and_events(desk):
    service = client(desk)

    assert (
        service.RecordOrders(
            order=[
                {
                    "orderId": "o1",
                    "customer": {"id": "c1", "email": "ann@example.com"},
                    "revenue": Decimal(99),
                    "currency": "EUR",
                    "line": [{"productId": "p1", "quantity": 2, "price": Decimal("49.5")}],
                }
            ]
        )
        == 1
    )
    assert (
        service.RecordEvents(event=[{"name": "Store Visited", "customer": {"anonymousId": "a1"}}])
        == 1
    )
    order, visit = logged(desk)
    assert (order["event"], order["userId"]) == ("Order Completed", "c1")
    assert order["context"] == {"traits": {"email": "ann@example.com"}}
    assert order["properties"] == {
        "order_id": "o1",
        "revenue": 99,
        "currency": "EUR",
        "products": [{"product_id": "p1", "price": 49.5, "quantity": 2}],
    }
    assert visit == {"type": "track", "event": "Store Visited", "anonymousId": "a1"}


def test_what_was_sent_becomes_a_profile(desk):
    client(desk).UpsertCustomers(customer=[{"id": "c1", "email": "ann@example.com", "name": "Ann"}])
    desk.process()

    assert desk.get("/api/profiles/email:ann@example.com").json()["traits"]["name"] == "Ann"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_zeep_sees_every_fault(desk, version):
    with pytest.raises(zeep.exceptions.Fault) as told:
        client(desk, version).UpsertCustomers(
            customer=[{"email": "ann@example.com"}, {"name": "Nobody"}, {"id": "x" * 600}]
        )

    problems = [one.text for one in told.value.detail.iter(f"{{{OURS}}}problem")]
    assert len(problems) == 3  # the last also names nobody
    assert "nothing of it was taken" in told.value.message
    assert logged(desk) == []


@pytest.mark.parametrize("user", [{"password": "guess"}, {"username": "nobody"}])
def test_zeep_is_refused_with_a_wrong_password(desk, user):
    with pytest.raises(zeep.exceptions.Fault, match="wrong"):
        client(desk, **user).UpsertCustomers(customer=[{"id": "c1"}])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "well-formed"),
        ("<a/>", "envelope"),
        (envelope("", namespace="urn:x"), "envelope"),
        (envelope(""), "one operation"),
        (envelope(GOOD + GOOD), "one operation"),
        (envelope("<Other/>"), "no such operation"),
        (envelope(upsert("")), "UpsertCustomers.customer"),
        (envelope(upsert("<customer><mail>x</mail></customer>")), "did you mean 'email'"),
        (envelope(upsert("<customer><birthday>1.2.1990</birthday></customer>")), "xsd:date"),
        (envelope(upsert("<customer><changedAt>now</changedAt></customer>")), "xsd:dateTime"),
        (
            envelope(upsert("<customer><attribute><number>1</number></attribute></customer>")),
            "attribute[1].name",
        ),
        (envelope(upsert("<customer><id>a</id><id>b</id></customer>")), "twice"),
        (envelope(upsert("<customer><id><b/></id></customer>")), "other elements"),
        ("<!DOCTYPE a>" + envelope(GOOD), "document type"),
        ('<!DOCTYPE a [<!ENTITY x "y">]>' + envelope(GOOD.replace("c1", "&x;")), "document type"),
        ("<?php x?>" + envelope(GOOD), "processing instruction"),
        (
            envelope(GOOD, '<x:To xmlns:x="urn:x" s:mustUnderstand="1">a</x:To>'),
            "must be understood",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["text/xml", "application/soap+xml"])
def test_what_is_wrong_becomes_a_fault(door, body, says, kind):
    answer = door.post(body, kind)

    assert answer.status in (400, 500)
    assert "Fault>" in answer.body.decode()
    assert says.replace("'", "&apos;") in answer.body.decode() or says in answer.body.decode()
    assert door.payloads == []


def test_every_fault_of_a_call_is_told(door):
    inner = "<customer><birthday>x</birthday><colour>red</colour></customer><customer><consent/></customer>"
    answer = door.post(envelope(upsert(inner)))

    assert answer.body.decode().count("<o:problem ") == 4


@pytest.mark.parametrize(
    ("version", "status", "code"), [("1.1", 500, "s:Client"), ("1.2", 400, "s:Sender")]
)
def test_a_fault_is_of_the_version_that_was_sent(door, version, status, code):
    namespace = S11 if version == "1.1" else S12
    answer = door.post(envelope("<x/>", namespace=namespace))

    assert answer.status == status
    assert namespace in answer.body.decode()
    assert code in answer.body.decode()


def test_without_a_name_nothing_is_taken(door):
    assert "who are you" in door.post(envelope(GOOD), key="").body.decode()
    assert door.payloads == []


def test_a_header_for_others_need_not_be_understood(door):
    header = '<x:To xmlns:x="urn:x" s:mustUnderstand="1" s:actor="urn:next">a</x:To>'

    assert door.post(envelope(GOOD, header)).status == 200


def test_too_much_is_refused(door):
    many = upsert("<customer><id>c</id></customer>" * 2_501)

    assert "at most 2,500" in door.post(envelope(many)).body.decode()


PLAN = """
kind: tracking_plan
name: customers
type: identify
mode: {mode}
schema: {{required: [city]}}
"""


@pytest.mark.parametrize(("mode", "taken"), [("quarantine", 0), ("observe", 1)])
def test_a_call_is_held_against_tracking_plans(desk, mode, taken):
    with open_store(desk.settings) as store:
        put(store, read_text(PLAN.format(mode=mode)), "test")
    headers = {"content-type": "text/xml", "x-write-key": desk.write_key}

    answer = desk.call(
        "POST", "/soap/customers", content=envelope(GOOD).encode(), key=None, headers=headers
    )

    assert (len(logged(desk)), "city" in answer.text) == (taken, not taken)


def test_the_wsdl_names_the_address_that_was_asked(desk):
    answer = desk.call("GET", "/soap/customers?wsdl", key=None, headers={"host": "cdp.example"})

    assert 'location="http://cdp.example/soap/customers"' in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/soap/customers", 405), ("PUT", "/soap/customers", 405), ("POST", "/soap/x", 404)],
)
def test_other_paths_are_answered_like_everywhere(desk, method, path, status):
    answer = desk.call(method, path, key=None)

    assert (answer.status_code, answer.json()["status"]) == (status, status)


def test_a_digest_is_taken_once(door):
    def header(nonce: str) -> str:
        made = UsernameToken("crm", "digested", use_digest=True, nonce=nonce)
        empty = etree.fromstring(envelope(GOOD))
        return etree.tostring(made.apply(empty, {})[0]).decode()

    body = header("n1")

    async def twice() -> list[int]:
        sources = {"crm": Source(id="crm", name="CRM", key_hash=b"")}
        writer = LogWriter(door.payloads.extend)
        app = SoapApp(writer, sources.get, lambda _: ("digested",), judging, now_us)
        answers = [await app.call(body.encode(), []) for _ in range(2)]
        await writer.close()
        return [one.status for one in answers]

    assert asyncio.run(twice()) == [200, 500]
    assert len(door.payloads) == 1


def test_who_calls_with_more_than_its_source_may_is_told_to_come_back(door):
    source = Source(id="crm", name="CRM", key_hash=hash_secret("s3cret"), events_per_second=1)
    headers = [(b"content-type", b"text/xml"), (b"x-write-key", b"crm:s3cret")]

    async def twice() -> list[Any]:
        writer = LogWriter(door.payloads.extend)
        app = SoapApp(
            writer, {"crm": source}.get, lambda _: (), judging, lambda: 1_790_000_000_000_000
        )
        try:
            body = envelope(upsert("<customer><id>c</id></customer>" * 3)).encode()
            return [await app.call(body, headers) for _ in range(2)]
        finally:
            await writer.close()

    first, second = asyncio.run(twice())
    assert (first.status, len(door.payloads)) == (200, 1)
    assert "1 events a second" in second.body.decode()
