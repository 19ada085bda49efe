"""Three ways to play a shop: in real time, in fast time, and all at once; `demo` is two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import msgspec

from onefold.testing.shop.messages import Body, Message, iso, parse_iso
from onefold.testing.shop.visits import DAY, SECOND

Clock = Callable[[], int]
"""Says what time it is, in microseconds since 1970."""
Sleep = Callable[[float], None]

_TIMES = ("timestamp", "originalTimestamp", "sentAt")


def real_time(
    messages: Iterable[Message], clock: Clock, sleep: Sleep, rate: float | None = None
) -> Iterator[Message]:
    """Messages when they are due, as if the shop were open now.

    The first one comes at once. The others keep their distance, or come at `rate` a second.
    Their times are moved so that what arrives now also happened now, in the shop's order.
    """
    begin = clock()
    first: int | None = None
    for count, message in enumerate(messages):
        first = message.at if first is None else first
        due = begin + (message.at - first if rate is None else int(count / rate * SECOND))
        _wait_until(due, clock, sleep)
        yield moved(message, due - message.at)


def fast_time(
    messages: Iterable[Message],
    clock: Clock,
    sleep: Sleep,
    *,
    start: int,
    days: float,
    minutes: float,
) -> Iterator[Message]:
    """So many days from `start` on, played within so many minutes.

    Events keep the times at which they happened in the shop: they are sent as history.
    """
    begin = clock()
    speed = days * 1440 / minutes
    for message in messages:
        _wait_until(begin + int((message.at - start) / speed), clock, sleep)
        yield as_history(message)


def demo(
    messages: Iterable[Message], clock: Clock, sleep: Sleep, *, minutes: float, rate: float
) -> Iterator[Message]:
    """First what came until now, in fast time; then all that follows, at `rate` a second.

    To go on after a stop, leave out as many messages as were sent before.
    """
    now = clock()
    stream = iter(messages)
    first = next(stream, None)
    if first is None:
        return
    following: list[Message] = []
    past = _until(now, chain([first], stream), following)
    days = max(SECOND, now - first.at) / DAY
    yield from fast_time(past, clock, sleep, start=first.at, days=days, minutes=minutes)
    yield from real_time(chain(following, stream), clock, sleep, rate)


def _until(now: int, messages: Iterable[Message], following: list[Message]) -> Iterator[Message]:
    """The messages that arrive until now. The first that does not goes to `following`."""
    for message in messages:
        if message.at > now:
            following.append(message)
            return
        yield message


def batches(messages: Iterable[Message], size: int = 100) -> Iterator[tuple[str, list[Body]]]:
    """All at once, as history: the source and up to `size` bodies for its `/v1/batch`."""
    waiting: dict[str, list[Body]] = {}
    for message in messages:
        bodies = waiting.setdefault(message.source, [])
        bodies.append(as_history(message).body)
        if len(bodies) == size:
            yield message.source, waiting.pop(message.source)
    yield from waiting.items()


def as_history(message: Message) -> Message:
    """The same message as an import sends it: with the true time and without `sentAt`."""
    body = {name: value for name, value in message.body.items() if name not in _TIMES}
    body["timestamp"] = iso(message.time)
    return msgspec.structs.replace(message, body=body)


def moved(message: Message, by: int) -> Message:
    """The same message so many microseconds later."""
    by = by // 1000 * 1000  # SDKs send milliseconds
    times = {
        name: iso(parse_iso(message.body[name]) + by) for name in _TIMES if name in message.body
    }
    return msgspec.structs.replace(
        message, at=message.at + by, time=message.time + by, body={**message.body, **times}
    )


def _wait_until(due: int, clock: Clock, sleep: Sleep) -> None:
    while (left := due - clock()) > 0:
        sleep(left / SECOND)
