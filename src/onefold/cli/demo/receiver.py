"""A webhook receiver, as a customer's CRM would have one: checks signatures and counts."""

from __future__ import annotations

import hmac
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from onefold.activate.webhook import sign

_MOST_BYTES = 1024 * 1024


class Receiver:
    """Listens on this machine only; `port` 0 takes a free one."""

    def __init__(self, key: bytes, port: int) -> None:
        self.received = 0
        self.refused = 0
        try:
            self._server = _server(self, key, port)
        except OSError:
            self._server = _server(self, key, 0)
        self._thread = threading.Thread(target=self._server.serve_forever, name="receiver")
        self._thread.daemon = True
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where webhooks are to be sent."""
        return f"http://127.0.0.1:{self.port}/hooks/onefold"

    def stop(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _server(receiver: Receiver, key: bytes, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            length = min(int(self.headers.get("content-length", 0)), _MOST_BYTES)
            body = self.rfile.read(length)
            expected = sign(
                key,
                self.headers.get("webhook-id", ""),
                self.headers.get("webhook-timestamp", ""),
                body,
            )
            given = self.headers.get("webhook-signature", "").split()
            if any(hmac.compare_digest(expected, one) for one in given):
                receiver.received += 1
                self.send_response(204)
            else:
                receiver.refused += 1
                self.send_response(401)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    return server
