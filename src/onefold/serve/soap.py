"""The SOAP endpoint `/soap/customers`: its WSDL, and calls that are answered once they are durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

import msgspec

from onefold.collect import find_key
from onefold.collect.soap import (
    Envelope,
    Nonces,
    Token,
    answer,
    events_in,
    fault,
    read_envelope,
    token_of,
    wsdl,
)
from onefold.collect.soap.envelope import Answer, version_of
from onefold.model.errors import Fault, InvalidInput, OnefoldError, Unauthorized
from onefold.model.records import Accepted, encode_accepted
from onefold.model.sources import FindSource, Source, authenticate
from onefold.serve.limits import Limits
from onefold.serve.log_writer import LogWriter
from onefold.standardize import Verdict

Judging = Callable[[Accepted, Source], Callable[[], list[Verdict]]]
Passwords = Callable[[str], Sequence[str]]
_MOST_FAULTS = 100
_SLOW_TO_READ = 64 << 10


class SoapApp:
    """Reads calls, asks whether they may, and logs them; whatever is wrong becomes a Fault.

    `passwords` gives those of a source that a digest can be checked with, `judging` what judges a call in
    another thread.
    """

    def __init__(
        self,
        log: LogWriter,
        find_source: FindSource,
        passwords: Passwords,
        judging: Judging,
        clock_us: Callable[[], int],
        limit_wait: float = 0.0,
    ) -> None:
        self._log = log
        self._find_source = find_source
        self._passwords = passwords
        self._judging = judging
        self._clock = clock_us
        self._nonces = Nonces()
        self._limits = Limits(clock_us, limit_wait)
        self.accepted = 0

    def describe(self, base: str) -> Answer:
        """The WSDL of the endpoint at this address."""
        return Answer(200, "text/xml; charset=utf-8", wsdl(f"{base}/soap/customers"))

    async def call(self, body: bytes, headers: list[tuple[bytes, bytes]]) -> Answer:
        """Answer one call."""
        kind = dict(headers).get(b"content-type", b"").decode("latin-1")
        version = version_of(kind, body)
        try:
            if len(body) < _SLOW_TO_READ:
                envelope = read_envelope(body)
            else:
                envelope = await asyncio.to_thread(read_envelope, body)
            version = envelope.version
            return await self._take(envelope, headers)
        except OnefoldError as error:
            return fault(error, version)

    async def _take(self, envelope: Envelope, headers: list[tuple[bytes, bytes]]) -> Answer:
        now = self._clock()
        source = self._caller(envelope, headers, now // 1_000_000)
        events = await asyncio.to_thread(events_in, envelope.operation)
        body = msgspec.json.encode({"batch": events})
        await self._limits.turn(source, len(events), len(body))
        accepted = Accepted(source.id, now, "batch", body)
        verdicts = await asyncio.to_thread(self._judging(accepted, source))
        if faults := list(_faults(verdicts, envelope.operation.name)):
            raise InvalidInput("the call cannot be used; nothing of it was taken", faults)
        await self._log.write(encode_accepted(accepted))
        self.accepted += len(events)
        return answer(envelope, len(events))

    def _caller(self, envelope: Envelope, headers: list[tuple[bytes, bytes]], now: int) -> Source:
        token = token_of(envelope.security, now)
        if token is None:
            key = find_key(headers, None)
            if key is None:
                raise Unauthorized(
                    "who are you? Send a UsernameToken with the source's id and the secret of its"
                    " write key, or HTTP Basic with the same"
                )
            source = authenticate(key, self._find_source)
        elif token.digest:
            source = self._by_digest(token, now)
        else:
            secret = token.password.removeprefix(f"{token.user}:")
            source = authenticate(f"{token.user}:{secret}", self._find_source)
        if source is None:
            raise Unauthorized("this user name or password is wrong")
        if not source.enabled:
            raise Unauthorized("this source is disabled")
        return source

    def _by_digest(self, token: Token, now: int) -> Source | None:
        passwords = self._passwords(token.user)
        if not token.proves(passwords):
            if not passwords:
                raise Unauthorized(
                    "this user name or password is wrong; a digest needs a `password` in the"
                    " source's settings, a write key only works as PasswordText"
                )
            return None
        if not self._nonces.use(token.user, token.nonce, now):
            raise Unauthorized("this UsernameToken was used already; make a new one for each call")
        return self._find_source(token.user) or Source(id=token.user, name=token.user)


def _faults(verdicts: Sequence[Verdict], operation: str) -> Iterator[Fault]:
    for number, one in enumerate(verdicts, 1):
        for reason in one.refused[:_MOST_FAULTS]:
            yield Fault(reason, f"{operation}[{number}]")
