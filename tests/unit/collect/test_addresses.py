"""What a source may call: the internet, and what is allowed; whatever a name or a redirect says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from onefold.collect.addresses import Reach
from onefold.collect.fetching import Fetcher
from onefold.model.errors import InvalidInput, Unreachable
from tests.unit.collect.sources.api_server import Apis

PRIVATE = [
    "127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",
    "100.64.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
    "2002:7f00:1::", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::127.0.0.1", "::ffff:0:10.0.0.1",
    "64:ff9b:1::7f00:1", "fec0::1", "168.63.129.16", "192.88.99.1",
]  # fmt: skip


@pytest.fixture
def apis() -> Iterator[Apis]:
    made = Apis()
    yield made
    made.close()


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_no_address_of_the_internet_is_refused(address: str) -> None:
    assert not Reach().allows(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_the_internet_is_reached(address: str) -> None:
    assert Reach().allows(address)


def test_what_is_allowed_is_reached_by_either_family() -> None:
    assert Reach(["10.0.0.0/8"]).allows("::ffff:10.0.0.1")
    assert not Reach(["10.0.0.0/8"]).allows("192.168.0.1")
    assert Reach(["::1"]).allows("::1")


def test_a_name_with_a_public_and_a_private_address_is_refused() -> None:
    reach = Reach((), lambda host, port: ["93.184.215.14", "10.0.0.1"])
    with pytest.raises(InvalidInput, match="source_networks"):
        reach.address_of("trap.example.com", 443)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "127.1"]
)
def test_this_machine_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises((InvalidInput, Unreachable)):
        Reach().address_of(host, 80)


def test_the_address_that_was_judged_is_the_one_that_is_called(apis: Apis) -> None:
    apis.api = lambda asked: (200, {"host": asked.host})
    answers = iter([["127.0.0.1"], ["10.9.9.9"]])
    port = apis.url.rsplit(":", 1)[1]
    fetcher = Fetcher(Reach(["127.0.0.1"], lambda host, port: next(answers)))
    first = fetcher.fetch("GET", f"http://rebinding.example.com:{port}/x", {})
    assert first.body == f'{{"host": "rebinding.example.com:{port}"}}'.encode()
    with pytest.raises(InvalidInput, match="may not be called"):
        fetcher.fetch("GET", f"http://rebinding.example.com:{port}/x", {})
    fetcher.close()


def test_a_redirect_to_a_private_address_is_refused(apis: Apis) -> None:
    apis.api = lambda asked: (302, {}, {"Location": "http://10.0.0.1/latest/meta-data"})
    fetcher = Fetcher(Reach(["127.0.0.1"]))
    with pytest.raises(InvalidInput, match=r"10\.0\.0\.1"):
        fetcher.fetch("GET", f"{apis.url}/x", {})
    fetcher.close()


def test_keys_do_not_follow_a_redirect_to_another_host(apis: Apis) -> None:
    port = apis.url.rsplit(":", 1)[1]
    apis.before = [(302, {}, {"Location": f"http://other.example.com:{port}/y"})]
    apis.api = lambda asked: (200, {})
    fetcher = Fetcher(Reach(["127.0.0.1"], lambda host, port: ["127.0.0.1"]))
    fetcher.fetch(
        "GET", f"{apis.url}/x", {"Authorization": "Bearer s", "X-Odd-Key": "s", "Accept": "a/b"}
    )
    fetcher.close()
    sent = apis.asked[1].headers
    assert sent["accept"] == "a/b"
    assert "authorization" not in sent
    assert "x-odd-key" not in sent


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/",
        "http://",
        "http://u:p@example.com/",
        "gopher://x",
    ],
)
def test_only_http_is_called(url: str) -> None:
    fetcher = Fetcher(Reach())
    with pytest.raises(InvalidInput):
        fetcher.fetch("GET", url, {})
    fetcher.close()


def test_an_answer_has_an_end(apis: Apis) -> None:
    apis.api = lambda asked: (200, b"x" * 5_000)
    fetcher = Fetcher(Reach(["127.0.0.1"]), max_bytes=1_000)
    with pytest.raises(Unreachable, match="answers with more than"):
        fetcher.fetch("GET", apis.url, {})
    fetcher.close()
