"""Events and deliveries that did not work out: looked at, corrected, sent again."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from onefold.app.workspace import now_us, open_log, open_store
from onefold.config import Settings
from onefold.model.delivery import DeadLetter
from onefold.model.errors import Fault, InvalidInput, NotFound
from onefold.model.profile import profile_name
from onefold.model.records import Accepted, encode_accepted
from onefold.store.rejects import StoredReject


class RejectRow(msgspec.Struct, frozen=True):
    """A reject as it is listed."""

    id: int
    source: str
    received_at: int
    kind: str
    reasons: tuple[str, ...]
    size: int
    state: str


class RejectView(msgspec.Struct, frozen=True):
    """A reject with its bytes, as text; bytes that are no UTF-8 are shown as `\\xNN`."""

    id: int
    source: str
    received_at: int
    kind: str
    reasons: tuple[str, ...]
    raw: str
    state: str


class DeadRow(msgspec.Struct, frozen=True):
    """A delivery that was given up."""

    id: int
    destination: str
    profile: str
    attempts: int
    reason: str
    created_at: int
    died_at: int


class Replayed(msgspec.Struct, frozen=True):
    """How many were put back."""

    count: int


def reject_list(
    settings: Settings,
    source: str = "",
    *,
    limit: int = 100,
    after: int = 0,
    state: str = "open",
) -> list[RejectRow]:
    """Open rejects, oldest first; of one source (its id), if named."""
    with open_store(settings, cache_mb=4) as store:
        found = store.rejects.list(after=after, limit=limit, source=source, state=state)
    return [
        RejectRow(
            one.id, one.source, one.received_at, one.kind, one.reasons, len(one.raw), one.state
        )
        for one in found
    ]


def reject_show(settings: Settings, reject: int) -> RejectView:
    """One reject with its bytes."""
    with open_store(settings, cache_mb=4) as store:
        one = store.rejects.get(reject)
    if one is None:
        raise NotFound(f"there is no reject {reject}")
    raw = one.raw.decode("utf-8", "backslashreplace")
    return RejectView(one.id, one.source, one.received_at, one.kind, one.reasons, raw, one.state)


def reject_replay(
    settings: Settings,
    ids: Iterable[int] | None = None,
    *,
    raw: bytes | None = None,
    actor: str = "cli",
) -> Replayed:
    """Put rejects into the log again: those named, or all open ones.

    `raw` replaces the bytes of one reject by a corrected body. What is still wrong
    becomes a reject again.
    """
    wanted = None if ids is None else sorted(set(ids))
    if raw is not None and (wanted is None or len(wanted) != 1):
        hint = "name the one reject that the corrected body is for"
        raise InvalidInput("nothing was replayed", (Fault("one body, many rejects", "ids", hint),))
    with open_store(settings, cache_mb=4) as store:
        if wanted is None:
            found: list[StoredReject] = store.rejects.list(limit=1_000_000)
        else:
            kept = [store.rejects.get(one) for one in wanted]
            found = [one for one in kept if one is not None]
            missing = set(wanted) - {one.id for one in found}
            if missing:
                raise NotFound(f"there is no reject {', '.join(map(str, sorted(missing)))}")
        if not found:
            return Replayed(0)
        payloads = [
            encode_accepted(Accepted(one.source, one.received_at, one.kind, raw or one.raw))
            for one in found
        ]
        log = open_log(settings, store, "replay")
        try:
            log.append(payloads)
        finally:
            log.close()
        store.rejects.replayed([one.id for one in found], now_us(), actor)
    return Replayed(len(found))


def dead_list(
    settings: Settings, destination: str = "", *, limit: int = 100, after: int = 0
) -> list[DeadRow]:
    """Dead letters, oldest first; of one destination, if named."""
    with open_store(settings, cache_mb=4) as store:
        return [_dead_row(one) for one in store.outbox.dead(destination, after, limit)]


def dead_replay(
    settings: Settings, ids: Iterable[int] | None = None, *, actor: str = "cli"
) -> Replayed:
    """Put dead letters back to be delivered: those named, or all."""
    with open_store(settings, cache_mb=4) as store:
        if ids is None:
            ids = [one.delivery.id for one in store.outbox.dead("", 0, 1_000_000)]
        count = store.outbox.revive(list(ids), now_us())
        store.registry.audit(now_us(), actor, "dead.replay", "deliveries", {"count": count})
    return Replayed(count)


def _dead_row(letter: DeadLetter) -> DeadRow:
    one = letter.delivery
    return DeadRow(
        one.id,
        one.destination,
        profile_name(one.profile) if one.profile else "",
        one.attempts,
        letter.reason,
        one.created_at,
        letter.died_at,
    )
