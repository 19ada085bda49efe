"""Who is calling: sources by write key, people by API key, as of a moment ago."""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Callable
from functools import partial

import structlog

from onefold.app.in_force import wordings_in_force
from onefold.model.access import ApiKey
from onefold.model.errors import Unauthorized
from onefold.model.records import Accepted
from onefold.model.sources import Source, hash_secret
from onefold.standardize import Ask, Verdict, Wording, verdicts, wording_of
from onefold.store import SQLiteStore

_LOOK_SECONDS = 0.2
_NOBODY = hash_secret("")
log = structlog.get_logger(__name__)


class Access:
    """Sources and keys in memory, read again when the store's have changed.

    Looked at on a request, at most five times a second: who is shut out, is so within that time.
    Before anybody is refused, it is looked at again: clients throw events away that were refused,
    so who was let in a moment ago must be known at once.
    """

    def __init__(
        self, store: SQLiteStore, seconds: Callable[[], float], ask: Ask | None = None
    ) -> None:
        self._store = store
        self._ask = ask
        self._seconds = seconds
        self._looked_at = -_LOOK_SECONDS
        self._changes = -1
        self._version = -1
        self._sources: dict[str, Source] = {}
        self._wording: Wording | None = None
        self._keys: dict[str, ApiKey] = {}

    def source(self, source_id: str) -> Source | None:
        """The source with this id, as of now."""
        self._refresh()
        found = self._sources.get(source_id)
        if found is None or not found.enabled:
            self._look()
            found = self._sources.get(source_id)
        return found

    def wording(self) -> Wording:
        """How calls become events, as of now."""
        self._refresh()
        if self._wording is None:
            self._wording = wording_of(*wordings_in_force(self._store), self._ask)
        return self._wording

    def judging(self, accepted: Accepted, source: Source) -> Callable[[], list[Verdict]]:
        """What says, in any thread, what becomes of the events of a call."""
        by = self.wording()
        return partial(verdicts, accepted, source, by.writing, by.plans)

    def key(self, authorization: str | None) -> ApiKey:
        """The API key in an `Authorization` header; `Unauthorized` where there is none that holds."""
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not given.strip():
            raise Unauthorized("no API key was given; send `Authorization: Bearer KEY`")
        self._refresh()
        key_id, _, secret = given.strip().partition(":")
        if key_id not in self._keys:
            self._look()
        key = self._keys.get(key_id)
        # The same work for unknown ids, so that time does not tell which exist.
        kept = _NOBODY if key is None else key.key_hash
        if not hmac.compare_digest(hash_secret(secret), kept) or key is None:
            raise Unauthorized("this API key is not known; `onefold key add` makes one")
        if key.revoked_at is not None:
            raise Unauthorized("this API key was revoked; `onefold key add` makes another")
        return key

    def _refresh(self) -> None:
        if self._seconds() - self._looked_at >= _LOOK_SECONDS:
            self._look()

    def _look(self) -> None:
        self._looked_at = self._seconds()
        try:
            changes = self._store.db.changes_seen()
            if changes == self._changes:
                return
            version = self._store.registry.version()
            if version != self._version:
                self._wording = None
                self._sources = {one.id: one for one in self._store.registry.sources()}
                self._keys = {one.id: one for one in self._store.registry.keys()}
            self._changes, self._version = changes, version
        except sqlite3.OperationalError as error:
            # Those known a moment ago may go on; the next request looks again.
            log.warning("access_not_read", error=str(error))
