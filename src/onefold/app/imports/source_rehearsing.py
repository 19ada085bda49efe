"""Rehearsing a source: what its next run would bring, with nothing kept, here or there.

Its position stays as it is, and the other system is told nothing: no slot is made, no offset committed,
no file moved. What systems push cannot be fetched; of these a delivery that somebody saved is rehearsed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from onefold.app.imports.importing import Tell
from onefold.app.imports.rehearsed import Rehearsed
from onefold.app.imports.rehearsing import SAMPLE, About, calls_of, try_calls
from onefold.app.imports.sampling import Sampling
from onefold.app.pushing import SOAP, TYPES, WEBHOOK
from onefold.app.secret_values import Revealed
from onefold.app.syncs.opening import is_endless, is_pulled, open_looks, pulled_source, with_texts
from onefold.app.syncs.running import UNFORESEEN
from onefold.app.workspace import now_us, open_store
from onefold.collect.soap import events_in, read_envelope
from onefold.collect.webhooks import Call, WebhookSettings, records_of
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput, NotFound, OnefoldError
from onefold.model.pulled import Batch, Position, PulledSource, Record
from onefold.model.records import Accepted

_PATIENCE, _QUIET = 15.0, 2.5
"""Seconds that a stream is listened to for its first record, and for another one."""
_MOST_PAYLOAD = 64 << 20
_MOST_TEXT = 2_000


def rehearse_source(
    settings: Settings,
    name: str,
    *,
    sample: int = SAMPLE,
    everything: bool = False,
    anew: bool = False,
    payload: bytes | None = None,
    stream: str = "",
    tell: Tell = lambda _what, _done, _total: None,
) -> Rehearsed:
    """Say what a source would bring; works while the server runs.

    Reads `sample` rows from where its next run goes on, or `anew` from the beginning; `everything` reads on
    to the end, and tries rows at even distances. Of a source that pushes, `payload` is a delivery as it comes;
    of any other it stands for what would be read. `stream` is its topic, table or the like, where it does not
    say so itself.
    """
    began = time.monotonic()
    type_name = _type_of(settings, name)
    if payload is not None:
        return _delivered(settings, name, type_name, payload, stream, began)
    if type_name in TYPES:
        hint = f"save one as it comes: `onefold source test {name} --payload FILE`"
        raise InvalidInput(
            f"source {name!r} cannot be read: its system sends by itself",
            [Fault(f"its type is {type_name}", "type", hint)],
        )
    sampling = Sampling(sample)
    read_all = _read(settings, name, sampling, None if everything else sample, anew, tell)
    about = About(name, name, type_name, read_all)
    return try_calls(settings, about, sampling, calls_of(name, sampling.records), began)


def payload_in(file: Path) -> bytes:
    """A delivery that somebody saved."""
    try:
        with file.open("rb") as opened:
            found = opened.read(_MOST_PAYLOAD + 1)
    except OSError as error:
        raise InvalidInput(
            "the payload cannot be read", [Fault(error.strerror or str(error), str(file))]
        ) from error
    if len(found) > _MOST_PAYLOAD:
        raise InvalidInput(
            "the payload is too large", [Fault(f"has more than {_MOST_PAYLOAD:,} bytes", str(file))]
        )
    return found


def _type_of(settings: Settings, name: str) -> str:
    """The type of a source that is defined."""
    with open_store(settings, cache_mb=4) as store:
        for one in store.registry.definitions():
            if (one.kind, one.name) == ("source", name):
                type_name = one.body.get("type")
                if is_pulled(type_name) or type_name in TYPES:
                    return str(type_name)
                hint = f"`onefold import FILE --source {name} --rehearse`"
                fault = Fault(f"its type is {type_name!r}", "type", hint)
                raise InvalidInput(f"files of source {name!r} are imported", [fault])
    raise NotFound(
        f"there is no definition of a source {name!r}; `onefold apply` puts one in force, and without"
        " `schedule:` it runs only when asked. What sends to the tracking API is told by `?strict=1` what"
        " becomes of a call"
    )


def _read(
    settings: Settings, name: str, sampling: Sampling, most: int | None, anew: bool, tell: Tell
) -> bool:
    """Read from each part of a source; says whether that was all there is."""
    with open_store(settings, cache_mb=4) as store:
        pulling = pulled_source(store, name)
        position = None if anew else store.source_states.get(name).position
        revealed = Revealed(settings, store, pulling.body)
    ended = True
    try:
        for source, share in open_looks(settings, pulling, revealed, most):
            with closing(source):
                batches = _batches(source, position, endless=is_endless(pulling.type))
                ended &= _sampled(batches, sampling, share, tell)
    except OnefoldError as error:
        if revealed.hide(str(error)) == str(error):
            raise
        raise OnefoldError(revealed.hide(str(error))) from None
    except UNFORESEEN as error:
        told = revealed.hide(f"{type(error).__name__}: {error}"[:_MOST_TEXT])
        raise OnefoldError(f"source {name!r} could not be read: {told}") from None
    return ended


def _batches(source: PulledSource, position: Position | None, *, endless: bool) -> Iterator[Batch]:
    """What a source gives; of a stream what comes until nothing more does for a moment."""
    until = time.monotonic() + _PATIENCE
    for batch in source.batches(position):
        yield batch
        if batch.records or batch.unreadable:
            until = time.monotonic() + _QUIET
        elif endless and time.monotonic() > until:
            return


def _sampled(batches: Iterator[Batch], sampling: Sampling, most: int | None, tell: Tell) -> bool:
    """Take batches until there are enough rows; says whether there are no more."""
    taken = 0
    for batch in batches:
        records = batch.records if most is None else batch.records[: most - taken]
        sampling.add(msgspec.structs.replace(batch, records=records))
        taken += len(records)
        tell("rows read", sampling.rows + sampling.unreadable, batch.total or 0)
        if most is not None and taken >= most:
            batches.close()  # type: ignore[attr-defined]
            return False
    return True


def _delivered(
    settings: Settings, name: str, type_name: str, payload: bytes, stream: str, began: float
) -> Rehearsed:
    """What a delivery would do that somebody saved. Nobody need have signed it."""
    now = now_us()
    sampling = Sampling(SAMPLE)
    if type_name == SOAP:
        events = events_in(read_envelope(payload).operation)
        body = msgspec.json.encode({"batch": events})
        sampling.add(Batch([Record(one, "call", str(at)) for at, one in enumerate(events)], {}))
        accepted = [Accepted(name, now, "batch", body)]
    else:
        given = _settings_of(settings, name)
        wanted = WebhookSettings()
        if type_name == WEBHOOK:
            wanted = msgspec.convert(with_texts(given), WebhookSettings)
        header = wanted.names.topic_header or "topic"
        stream = stream or ("" if type_name == WEBHOOK else _only_stream(given))
        call = Call({header: stream} if stream else {}, {}, payload)
        wanted = msgspec.structs.replace(wanted, topic_header=header)
        sampling.add(Batch(records_of(call, wanted, now).records, {}))
        accepted = calls_of(name, sampling.records)
    return try_calls(settings, About(name, name, type_name), sampling, accepted, began)


def _settings_of(settings: Settings, name: str) -> Mapping[str, Any]:
    with open_store(settings, cache_mb=4) as store:
        body = store.registry.definition_versions("source", name)[0].body or {}
        found: Mapping[str, Any] = body.get("settings") or {}
        return found


def _only_stream(body: Mapping[str, Any]) -> str:
    """The one table, topic or stream that a source reads; empty where there are several."""
    named = [one for key in ("tables", "topics", "streams") for one in body.get(key) or ()]
    if len(named) != 1:
        return ""
    (one,) = named
    return one if isinstance(one, str) else str(one.get("name") or one.get("table") or "")
