"""The HTTP client against a real server on this machine."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from onefold.activate.http import MAX_ANSWER, HttpClient, Request
from onefold.model.errors import Busy
from onefold.testing.patience import PATIENCE
from onefold.testing.receiver import Answer, Receiver


def post(url: str, body: bytes = b"{}") -> Request:
    return Request("POST", url, {"content-type": "application/json"}, body)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


def read_request(connection: socket.socket) -> None:
    """Read to the end of the body: closing with something unread would reset the connection."""
    came = b""
    while not came.endswith(b"{}"):
        more = connection.recv(65536)
        came += more
        if not more or not came.startswith(b"POST"):
            return


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads one request from each connection and then does what a test wants."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    read_request(connection)
                    talk(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_request_and_answer_arrive_whole(receiver: Receiver, client: HttpClient) -> None:
    receiver.answer = Answer(202, {"X-Note": "a"}, b"thanks")
    request = Request("POST", f"{receiver.url}/hook?a=b", {"X-Team": "g"}, "张伟".encode())
    response = client(request, PATIENCE)
    assert (response.status, response.headers["x-note"], response.body) == (202, "a", b"thanks")
    (received,) = receiver.received
    assert (received.path, received.body) == ("/hook?a=b", "张伟".encode())
    assert received.headers["x-team"] == "g"


def test_one_connection_serves_many_requests(receiver: Receiver, client: HttpClient) -> None:
    for _ in range(20):
        client(post(receiver.url), PATIENCE)
    assert (len(receiver.received), receiver.connections) == (20, 1)


@pytest.mark.parametrize("drop", ["unread", "noted"])
def test_a_dropped_connection_is_no_answer(
    receiver: Receiver, client: HttpClient, drop: str
) -> None:
    receiver.answers = [Answer(drop=drop)]  # type: ignore[arg-type]
    with pytest.raises(Busy, match="RemoteDisconnected"):
        client(post(receiver.url), PATIENCE)
    assert client(post(receiver.url), PATIENCE).status == 200


def test_a_connection_that_was_closed_while_idle_is_replaced(
    receiver: Receiver, client: HttpClient
) -> None:
    receiver.answers = [Answer(), Answer(drop="unread")]
    assert [client(post(receiver.url), PATIENCE).status for _ in range(2)] == [200, 200]
    assert receiver.connections == 2


def test_connection_close_is_respected(client: HttpClient) -> None:
    answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nwhole body"
    with raw_server(lambda connection: connection.sendall(answer)) as url:
        assert [client(post(url), PATIENCE).body for _ in range(3)] == [b"whole body"] * 3


def test_nobody_listens(client: HttpClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Busy, match="ConnectionRefusedError"):
        client(post(f"http://127.0.0.1:{port}"), PATIENCE)


def test_a_name_that_cannot_be(client: HttpClient) -> None:
    with pytest.raises(Busy):
        client(post(f"http://{'a' * 70}.invalid"), PATIENCE)


def test_a_slow_answer_is_given_up_in_time(receiver: Receiver, client: HttpClient) -> None:
    receiver.answer = Answer(delay=2 * PATIENCE)
    begin = time.monotonic()
    with pytest.raises(Busy, match=r"no answer within 0.2 s"):
        client(post(receiver.url), 0.2)
    assert time.monotonic() - begin < PATIENCE


def test_an_answer_that_trickles_in_is_given_up_in_time(client: HttpClient) -> None:
    def trickle(connection: socket.socket) -> None:
        for _ in range(1000):
            connection.sendall(b"H")
            time.sleep(0.02)

    with raw_server(trickle) as url, pytest.raises(Busy, match="no answer"):
        client(post(url), 0.3)


def test_only_the_beginning_of_a_large_answer_is_read(client: HttpClient) -> None:
    def pour(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    with raw_server(pour) as url:
        response = client(post(url), PATIENCE)
    assert (response.status, len(response.body)) == (200, MAX_ANSWER)


def test_a_broken_body_does_not_change_the_status(client: HttpClient) -> None:
    broken = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    with raw_server(lambda connection: connection.sendall(broken)) as url:
        assert client(post(url), PATIENCE).status == 200


@pytest.mark.parametrize(
    "said",
    [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\0\xff\r\n\r\n", b"",
     b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n"],
)  # fmt: skip
def test_what_is_not_http_is_no_answer(client: HttpClient, said: bytes) -> None:
    with raw_server(lambda connection: connection.sendall(said)) as url, pytest.raises(Busy):
        client(post(url), PATIENCE)


def test_redirects_are_not_followed(receiver: Receiver, client: HttpClient) -> None:
    receiver.answer = Answer(307, {"location": "/elsewhere"})
    assert client(post(receiver.url), PATIENCE).status == 307
    assert len(receiver.received) == 1


def test_a_server_without_tls_is_no_answer_to_https(client: HttpClient) -> None:
    talk = raw_server(lambda connection: connection.sendall(b"no TLS here"))
    with talk as url, pytest.raises(Busy, match="SSL"):
        client(post(url.replace("http:", "https:")), PATIENCE)
