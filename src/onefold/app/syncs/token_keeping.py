"""Refresh tokens of pulled sources, kept encrypted, and exchanged by one process at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from onefold.app.locks import hold, source_path
from onefold.app.secret_values import Revealed, fingerprint, sealed, unsealed
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.errors import Busy
from onefold.model.refresh_tokens import Turn

_PATIENCE = 300.0
"""Seconds for which a new token waits for a store that cannot be written: it is nowhere else."""
_PAUSE = 1.0
log = structlog.get_logger(__name__)


class KeptTokens:
    """Keeps the refresh tokens of one source; what they become is known to all runs, rehearsals and sources."""

    def __init__(self, settings: Settings, source: str, revealed: Revealed) -> None:
        self._settings = settings
        self._source = source
        self._revealed = revealed

    @contextmanager
    def turn(self, given: str) -> Iterator[Turn | None]:
        """The right to exchange what came of the token that a definition gives; None while another has it."""
        key = fingerprint(self._settings, given)
        # Of the token and not of the source: several may be given the same.
        path = source_path(self._settings.data, key.hex()).with_suffix(".token.lock")
        with hold(path) as alone:
            yield self._begun(key, given) if alone else None

    def hide(self, token: str) -> None:
        """Whatever is told from now on holds this nowhere."""
        self._revealed.learn(token)

    def _begun(self, key: bytes, given: str) -> _Turn:
        name = f"refresh-token {key.hex()}"
        with open_store(self._settings, cache_mb=1) as store:
            kept, lost_at = store.refresh_tokens.begin(key, self._source, now_us())
        token = given if kept is None else unsealed(self._settings, name, kept)
        self.hide(token)
        return _Turn(self._settings, key, name, token, lost_at)


class _Turn:
    """The right to exchange one token, while its lock is held."""

    def __init__(self, settings: Settings, key: bytes, name: str, token: str, lost_at: int) -> None:
        self._settings = settings
        self._key = key
        self._name = name
        self.token = token
        self.lost_at = lost_at

    def keep(self, token: str) -> None:
        value = sealed(self._settings, self._name, token) if token else None
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                with open_store(self._settings, cache_mb=1) as store:
                    store.refresh_tokens.keep(self._key, value, now_us())
                    return
            except Busy as error:
                if time.monotonic() > until:
                    raise
                log.warning("token_waits_for_store", reason=str(error))
                time.sleep(_PAUSE)

    def refused(self) -> None:
        with open_store(self._settings, cache_mb=1) as store:
            store.refresh_tokens.unasked(self._key, self.lost_at)
