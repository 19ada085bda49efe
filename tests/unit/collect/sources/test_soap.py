"""Pulling from SOAP services: one made with spyne, in a process of its own, and bad ones."""

from __future__ import annotations

import http.server
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from lxml import etree

from onefold.collect.addresses import Reach
from onefold.collect.sources.soap import Cursor, Paging, SoapSettings, SoapSource
from onefold.model.errors import Busy, InvalidInput, OnefoldError, Rejected, Unreachable
from onefold.testing.patience import PATIENCE
from tests.web_servers import serving

LOCAL = Reach(["127.0.0.0/8"])
PEER = Path(__file__).with_name("soap_peer.py")


@pytest.fixture(scope="module", params=["1.1", "1.2"])
def peer(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of the WSDL of a service that speaks this version."""
    command = [sys.executable, "-W", "ignore", str(PEER), request.param]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/?wsdl"
        process.kill()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[list[bytes]]:
    """What a server answers whatever it is asked; the second item is its address."""
    said = [b""]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(said[0])

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    with serving(server) as address:
        said.append(f"{address}/".encode())
        yield said


def source(url: str, reach: Reach = LOCAL, **more: object) -> SoapSource:
    given = {"operation": "GetCustomers", "key": "id", "paging": Paging("page"), **more}
    return SoapSource(SoapSettings(url=url, **given), reach)


def test_all_pages_are_read(peer):
    made = source(peer)
    batches = list(made.batches(None))
    made.close()

    records = [one for batch in batches for one in batch.records]
    assert [one.place for one in records] == [str(n) for n in range(1, 8)]
    assert records[0].fields == {
        "id": 1,
        "name": "李 1",
        "spent": 1.5,
        "changed": "2026-01-01T00:00:00+00:00",
    }
    assert records[0].stream == "GetCustomers"


def test_it_goes_on_from_any_page(peer):
    first = next(iter(source(peer).batches(None)))
    rest = [one for batch in source(peer).batches(first.position) for one in batch.records]

    assert [one.place for one in rest] == ["4", "5", "6", "7"]


def test_the_next_run_asks_for_what_changed_since(peer):
    settings = {"cursor": Cursor("since", "changed")}
    last = list(source(peer, **settings).batches(None))[-1].position
    again = [one for batch in source(peer, **settings).batches(last) for one in batch.records]
    earlier = {"since": "2026-01-05T00:00:00+00:00"}
    newer = [one for batch in source(peer, **settings).batches(earlier) for one in batch.records]

    assert last == {"since": "2026-01-07T00:00:00+00:00"}
    assert again == []
    assert [one.place for one in newer] == ["6", "7"]


def test_a_fault_is_told(peer):
    with pytest.raises(Rejected, match="refused Fail"):
        list(source(peer, operation="Fail", paging=None).batches(None))


@pytest.mark.parametrize(
    "more",
    [{"operation": "Nothing"}, {"arguments": {"colour": "red"}}, {"cursor": Cursor("since", "x")}],
)
def test_settings_that_cannot_work_are_told(peer, more):
    with pytest.raises(InvalidInput):
        list(source(peer, **more).batches(None))


def test_private_addresses_are_refused(peer):
    with pytest.raises(InvalidInput, match="may not be called"):
        list(source(peer, Reach()).batches(None))


def test_a_description_that_leads_to_a_private_address_is_refused(page):
    class Away(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", page[1].decode().replace("127.0.0.1", "localhost"))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    page[0] = b"<secret/>"
    server = http.server.HTTPServer(("127.0.0.2", 0), Away)
    with serving(server) as address:
        made = source(f"{address}/?wsdl", Reach(["127.0.0.2/32"]))
        with pytest.raises(InvalidInput, match="may not be called") as refused:
            list(made.batches(None))
    assert "127.0.0.1" in str(refused.value)


def test_a_schema_apart_from_its_description_is_fetched(peer, tmp_path):
    """As .NET and Java do it: the types stand at an address of their own."""
    whole = etree.fromstring(httpx.get(peer, timeout=PATIENCE).content)
    (types,) = whole.iter("{http://schemas.xmlsoap.org/wsdl/}types")
    (schema,) = types
    (tmp_path / "types.xsd").write_bytes(etree.tostring(schema))
    types.remove(schema)
    types.append(
        etree.fromstring(
            '<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema">'
            '<s:import namespace="urn:peer" schemaLocation="types.xsd"/></s:schema>'
        )
    )
    (tmp_path / "service.wsdl").write_bytes(etree.tostring(whole))
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = http.server.HTTPServer(("127.0.0.1", 0), handler)
    with serving(server) as address:
        made = source(f"{address}/service.wsdl")
        found = [one.place for batch in made.batches(None) for one in batch.records]
    assert found == [str(n) for n in range(1, 8)]


IMPORTING = b"""<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" targetNamespace="urn:x">
<import namespace="urn:y" location="http://169.254.169.254/latest/meta-data"/></definitions>"""


def test_a_description_that_names_a_private_address_is_refused(page):
    page[0] = IMPORTING
    with pytest.raises(InvalidInput, match="may not be called"):
        list(source(page[1].decode()).batches(None))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "/etc/passwd", "gopher://x/"])
def test_only_http_is_fetched(url):
    with pytest.raises(InvalidInput, match="cannot be called"):
        list(source(url).batches(None))


@pytest.mark.parametrize(
    "body",
    [
        b"garbage",
        b"<html/>",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        (
            b'<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/">'
            b'<wsdl:import namespace="urn:x" location="file:///etc/passwd"/></wsdl:definitions>'
        ),
    ],
)
def test_a_service_that_answers_garbage_is_told(page, body):
    page[0] = body
    with pytest.raises(OnefoldError):
        list(source(page[1].decode()).batches(None))


def test_a_service_that_is_away_is_told():
    with pytest.raises(Unreachable):
        list(source("http://127.0.0.1:1/?wsdl").batches(None))


class Answers(SoapSource):
    """A service whose answers a test says."""

    def __init__(self, *answers: object, **more: object) -> None:
        given = {"operation": "Get", "key": "id", **more}
        super().__init__(SoapSettings(url="http://127.0.0.1:1/?wsdl", **given), LOCAL)
        self._client.call = lambda operation, arguments: list(answers[arguments.get("page", 1) - 1])


def test_a_record_that_does_not_say_when_it_changed_is_read_and_the_others_tell_it():
    made = Answers([{"id": 1, "at": "2026-01-02"}, {"id": 2}], cursor=Cursor("since", "at"))
    (batch,) = made.batches(None)
    assert [one.place for one in batch.records] == ["1", "2"]
    assert batch.position == {"since": "2026-01-02"}


def test_a_service_that_heeds_no_number_of_a_page_is_not_called_for_ever():
    made = Answers([{"id": 1}], [{"id": 1}], paging=Paging("page"))
    with pytest.raises(InvalidInput, match="no further page"):
        list(made.batches(None))


def test_a_service_that_is_busy_is_called_when_it_says():
    class Busily(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503)
            self.send_header("Retry-After", "120")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Busily)
    with serving(server) as address, pytest.raises(Busy) as caught:
        list(source(f"{address}/?wsdl").batches(None))
    assert caught.value.retry_after == 120
