"""zeep, held to what a source may do: addresses that are allowed, bounded answers, no document types."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import httpx

from onefold.collect.addresses import Reach
from onefold.collect.fetching import Fetcher, asked_wait, host_of
from onefold.collect.sources.extras import missing
from onefold.model.errors import Busy, Fault, InvalidInput, Rejected, Unauthorized, Unreachable

try:
    import zeep
    from lxml.etree import LxmlError
    from requests.exceptions import RequestException
    from zeep.exceptions import Error as ZeepError
    from zeep.exceptions import Fault as SoapFault
    from zeep.helpers import serialize_object
    from zeep.transports import Transport
    from zeep.wsse.username import UsernameToken
except ModuleNotFoundError as error:
    raise missing("soap", error) from error


class SoapClient:
    """One service of one WSDL; `call` gives what an operation answers, as plain values."""

    def __init__(
        self,
        url: str,
        reach: Reach,
        *,
        timeout: float,
        user: str = "",
        password: str = "",
        security: str = "text",
        service: str | None = None,
        port: str | None = None,
    ) -> None:
        auth, token = {}, None
        if user and security == "basic":
            known = base64.b64encode(f"{user}:{password}".encode()).decode()
            auth = {"Authorization": f"Basic {known}"}
        if user and security != "basic":
            token = UsernameToken(user, password, use_digest=security == "digest")
        self._fetcher = Fetcher(reach, timeout=timeout)
        self._how = {"wsse": token, "service_name": service, "port_name": port}
        self._transport = _Guarded(self._fetcher, host_of(url), auth)
        self._url = url
        self._client: Any = None

    def call(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        """What an operation answers."""
        try:
            if self._client is None:
                # Read by the first call: where the service is away, that is a failed run.
                # What it imports is fetched by the transport, which judges each address.
                rules = zeep.Settings(forbid_dtd=True, forbid_entities=True, forbid_external=False)
                self._client = zeep.Client(
                    self._url, transport=self._transport, settings=rules, **self._how
                )
            try:
                run = self._client.service[operation]
            except AttributeError as error:
                fault = Fault(f"{operation!r} is not known", "operation", "see its WSDL")
                raise InvalidInput("the service has no such operation", [fault]) from error
            return serialize_object(run(**arguments), dict)
        except SoapFault as error:
            raise Rejected(f"the service refused {operation}: {error.message}") from error
        except (TypeError, ValueError) as error:
            fault = Fault(str(error)[:500], "arguments", "see the service's WSDL")
            raise InvalidInput(f"{operation} cannot be called so", [fault]) from error
        except (ZeepError, LxmlError, RequestException) as error:
            reason = " ".join(str(error).split())[:500] or type(error).__name__
            raise Unreachable(f"the service's answer cannot be used: {reason}") from error

    def close(self) -> None:
        """Free the connections."""
        self._fetcher.close()


class _Guarded(Transport):
    """Fetches WSDL, schemas and answers; none from a file, and none from an address not allowed."""

    def __init__(self, fetcher: Fetcher, home: str, auth: dict[str, str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._fetcher = fetcher
        self._home = home
        self._auth = auth

    def load(self, url: str) -> bytes:
        """A WSDL or a schema that one names."""
        # Who imports a schema from elsewhere does not thereby show our password there.
        answer = self._send("GET", url, self._auth if host_of(url) == self._home else {})
        if answer.status_code in (401, 403):
            raise Unauthorized(f"the service refuses its WSDL with {answer.status_code}")
        if answer.status_code != 200:
            raise Unreachable(f"the WSDL is answered with {answer.status_code}")
        return answer.content

    def get(self, address: str, params: Any, headers: Any) -> httpx.Response:
        """Call by GET."""
        return self._send(
            "GET", str(httpx.URL(address, params=params)), {**(headers or {}), **self._auth}
        )

    def post(self, address: str, message: Any, headers: Any) -> httpx.Response:
        """Call by POST."""
        content = message.encode() if isinstance(message, str) else message
        return self._send("POST", address, {**(headers or {}), **self._auth}, content)

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes = b""
    ) -> httpx.Response:
        answer = self._fetcher.fetch(method, url, headers, content)
        if answer.status in (429, 503):
            raise Busy(f"{host_of(url)} is busy: {answer.status}", asked_wait(answer))
        kept = [(k, v) for k, v in answer.headers.items() if k not in _TRANSPORT]
        return httpx.Response(answer.status, headers=kept, content=answer.body)


_TRANSPORT = ("content-encoding", "content-length", "transfer-encoding")
