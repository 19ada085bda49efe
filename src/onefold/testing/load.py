"""Load for benches: events of N known users as JSON bytes, made faster than they can be taken in.

User number k has the user id `u{k}` and an anonymous id of their own. The same arguments give the
same bytes; give each generator process another `run`, so that no two message ids are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from random import Random

import msgspec

from onefold.testing.shop.catalog import products
from onefold.testing.shop.countries import CHINA
from onefold.testing.shop.messages import iso
from onefold.testing.shop.people import person

HOT_USERS = 0.1
HOT_EVENTS = 0.9

_USER_AGENT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Safari/537.36"
)
# How many of a hundred events have which name.
_EVENT_NAMES = (
    *("Product Viewed",) * 56,
    *("Product Clicked",) * 14,
    *("Product Added",) * 14,
    *("Cart Viewed",) * 6,
    *("Checkout Started",) * 4,
    *("Order Completed",) * 4,
    *("Email Opened",) * 2,
)
_HEAD = (
    b'{"type":"track","event":"%b","userId":"u%%d","anonymousId":"a%%015x-web","messageId":'
    b'"%%08x-0000-4000-8000-%%012x","timestamp":"%%b","context":%b,"properties":%b}'
)


def uniform(users: int, seed: int = 1) -> Iterator[int]:
    """User numbers without end, each user as likely as any other: the worst case for caches."""
    random = Random(seed).random
    while True:
        yield int(random() * users)


def skewed(users: int, seed: int = 1) -> Iterator[int]:
    """User numbers without end, nine in ten of them from a tenth of the users, as in real life.

    The busy tenth is spread over all numbers.
    """
    random = Random(seed).random
    hot = max(1, int(users * HOT_USERS))
    step = max(1, int(1 / HOT_USERS))
    while True:
        if random() < HOT_EVENTS:
            yield int(random() * hot) * step % users
        else:
            yield int(random() * users)


def user_events(
    user_numbers: Iterable[int], at: int, *, run: int = 0, first: int = 0
) -> Iterator[bytes]:
    """A `track` of about 500 bytes for each user number, as JSON, at a time in microseconds.

    `first` is the number of the first event within the run: message ids and contents follow from it.
    """
    templates, choose = event_templates(), Random(run << 40 | first).random
    variants, time = len(templates), iso(at).encode()
    for count, user in enumerate(user_numbers, first):
        template = templates[int(choose() * variants)]
        yield template % (user, user, run, count, time)


def user_profiles(user_numbers: Iterable[int], at: int, *, run: int = 0) -> Iterator[bytes]:
    """An `identify` for each user number, which makes the user known with e-mail and country."""
    time = iso(at)
    for user in user_numbers:
        somebody = person(1, user)
        body = {
            "type": "identify",
            "userId": f"u{user}",
            "anonymousId": f"a{user:015x}-web",
            "messageId": f"{run:08x}-1111-4000-8000-{user:012x}",
            "timestamp": time,
            "traits": {
                "email": somebody.email,
                "name": somebody.name,
                "country": somebody.country.code,
                "city": somebody.city,
                "gender": somebody.gender,
            },
        }
        yield msgspec.json.encode(body)


def batch_bodies(events: Iterable[bytes], size: int = 100) -> Iterator[bytes]:
    """Bodies for `/v1/batch` with so many events each. Times count as they are: no `sentAt`."""
    waiting = iter(events)
    while chunk := list(islice(waiting, size)):
        yield b'{"batch":[' + b",".join(chunk) + b"]}"


def live_bodies(
    user_numbers: Iterator[int], clock: Callable[[], int], *, size: int = 100, run: int = 0
) -> Iterator[bytes]:
    """Bodies without end for `/v1/batch`, each with the time at which it is asked for."""
    first = 0
    while True:
        at = clock()
        events = user_events(islice(user_numbers, size), at, run=run, first=first)
        yield b'{"batch":[' + b",".join(events) + b'],"sentAt":"' + iso(at).encode() + b'"}'
        first += size


def event_templates() -> list[bytes]:
    """Events of every name with some products, to be filled by `% (user, user, run, count, time)`."""
    goods = products(CHINA)
    return [_template(name, place * 7 % len(goods)) for place, name in enumerate(_EVENT_NAMES)]


def _template(name: str, number: int) -> bytes:
    product = {key: value for key, value in products(CHINA)[number].items() if key != "url"}
    properties: dict[str, object] = {**product, "quantity": 1}
    if name == "Order Completed":
        total = product["price"]
        properties = {
            "order_id": f"o{number}",
            "total": total,
            "revenue": total,
            "products": [product],
        }
    context = {
        "library": {"name": "analytics-node", "version": "2.3.0"},
        "userAgent": _USER_AGENT,
        "locale": "zh-CN",
        "page": {"path": f"/zh-CN/p/{number:03d}"},
    }
    encode = msgspec.json.encode
    constant = [part.replace(b"%", b"%%") for part in (encode(context), encode(properties))]
    return _HEAD % (name.encode(), constant[0], constant[1])
