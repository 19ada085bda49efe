"""Who the customers are: everything about customer number k follows from the seed and k."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from random import Random
from typing import Any, TypeVar

import msgspec

from onefold.model.records import Identifier
from onefold.testing.shop.countries import BY_SHARE, CHINA, Country

Item = TypeVar("Item")

FAMILY = 16
"""Of every sixteen neighbors, number 5 and 6 are a couple that shares a tablet."""
KIOSK_USERS = 20
"""Of every twenty customers one is a regular of the kiosk in the shop; ten share a kiosk."""

ZERO_UUID = "00000000-0000-0000-0000-000000000000"


class Device(msgspec.Struct, frozen=True):
    """Something customers browse on, with the ids its SDK puts into every call.

    `skew` is how wrong its clock goes, `forgets` says whether signing out starts a new anonymous
    id, and `context` is the part of a call's context that never changes.
    """

    source: str
    anonymous_id: str
    identifiers: tuple[Identifier, ...]
    context: dict[str, Any]
    skew: int = 0
    forgets: bool = True
    sends_junk: bool = False

    def anonymous_id_after(self, sign_outs: int) -> str:
        """The anonymous id after the device was reset so many times."""
        if not sign_outs or not self.forgets:
            return self.anonymous_id
        return f"{self.anonymous_id[:-2]}{sign_outs & 255:02x}"


class Person(msgspec.Struct, frozen=True):
    """One customer as the truth knows them."""

    number: int
    country: Country
    user_id: str
    name: str
    first_name: str
    last_name: str
    gender: str
    birthday: str
    city: str
    email: str
    phone: str
    national_phone: str
    unionid: str | None
    mini_program_id: str | None
    devices: tuple[Device, ...]
    tablet: Device | None
    kiosk: Device | None


def is_regular(number: int) -> bool:
    """Do they share a device with others? These come often, so that small shops have the case."""
    return number % FAMILY in (5, 6) or number % KIOSK_USERS == 7


def pick(random: Callable[[], float], items: Sequence[Item]) -> Item:
    """One of the items. The same on every Python version, unlike `Random.choice`."""
    return items[int(random() * len(items))]


def uuid(rng: Random) -> str:
    """Sixteen random bytes, written like a UUID of version 4."""
    h = f"{rng.getrandbits(128):032x}"
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"


def seeded(seed: int, what: int, number: int) -> int:
    """A seed for one thing among many: `what` keeps the kinds of things apart."""
    return (seed * 64 + what) * 16_777_216 * 4 + number


_CUSTOMER, _TABLET, _KIOSK = 1, 2, 3


def person(seed: int, number: int) -> Person:
    """Customer number `number` of the shop with this seed."""
    partner = number % FAMILY == 6
    home = number - 1 if partner else number
    country = BY_SHARE[(home * 2_654_435_761 + seed * 40_503 & 0xFFFFFFFF) * len(BY_SHARE) >> 32]
    rng = Random(seeded(seed, _CUSTOMER, number))
    r = rng.random
    gender = "female" if r() < 0.54 else "male"
    last, last_latin = pick(r, country.surnames)
    first, first_latin = pick(r, country.women if gender == "female" else country.men)
    # A couple may have given one telephone number for both.
    phone = national_phone(country, home if r() < 0.3 else number)
    in_china = country is CHINA
    return Person(
        number=number,
        country=country,
        user_id=f"u{number}",
        name=_full_name(country, first, last),
        first_name=first,
        last_name=last,
        gender=gender,
        birthday=f"{1950 + int(r() * 56)}-{1 + int(r() * 12):02d}-{1 + int(r() * 28):02d}",
        city=pick(r, country.cities),
        email=f"{pick(r, _MAIL_STYLES)(first_latin, last_latin)}{number}@{pick(r, country.mail_domains)}",
        phone=f"+{country.dial}{phone}",
        national_phone=phone,
        unionid=f"oZx{rng.getrandbits(120):030x}"[:28] if in_china and r() < 0.7 else None,
        mini_program_id=f"wx{number}" if in_china and r() < 0.06 else None,
        devices=tuple(_device(rng, country) for _ in range(1 + int(r() * 2.6))),
        tablet=_tablet(seed, home // FAMILY) if home % FAMILY == 5 else None,
        kiosk=_kiosk(seed, number // (10 * KIOSK_USERS)) if number % KIOSK_USERS == 7 else None,
    )


def national_phone(country: Country, number: int) -> str:
    """A valid telephone number for customer `number`, as dialed within the country."""
    prefix = country.phone_prefixes[number % len(country.phone_prefixes)]
    digits = country.phone_digits
    # The factor has no common divisor with 10, so that no two customers get the same.
    return f"{prefix}{(number * 48271 + 7919) % 10**digits:0{digits}d}"


_MAIL_STYLES: tuple[Callable[[str, str], str], ...] = (
    lambda first, last: f"{first}.{last}",
    lambda first, last: f"{last}{first}",
    lambda first, last: f"{first[:1]}{last}.",
    lambda first, last: f"{last}_{first}",
)


def _full_name(country: Country, first: str, last: str) -> str:
    return last + first if country.code in ("CN", "JP") else f"{first} {last}"


_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.61",
)
_PHONES = (
    ("android", "Xiaomi", "Mi 14", "15"),
    ("android", "HUAWEI", "Mate 60", "12"),
    ("android", "samsung", "SM-S921B", "16"),
    ("ios", "Apple", "iPhone16,2", "26.1"),
    ("ios", "Apple", "iPhone17,1", "26.0"),
)
_HOUR = 3_600_000_000


def _device(rng: Random, country: Country) -> Device:
    if rng.random() < 0.6:
        return _browser(rng, country)
    return _app(rng, country, pick(rng.random, _PHONES))


def _browser(rng: Random, country: Country) -> Device:
    r = rng.random
    context = {
        "library": {"name": "analytics.js", "version": "next-1.81.0"},
        "userAgent": pick(r, _BROWSERS),
        "locale": country.locale,
        "timezone": country.timezone,
        "screen": {"width": 1920, "height": 1080, "density": 2},
    }
    return Device(
        source="web",
        anonymous_id=uuid(rng),
        identifiers=(),
        context=context,
        skew=_skew(r),
        forgets=r() < 0.6,
        sends_junk=r() < 0.02,
    )


def _app(rng: Random, country: Country, model: tuple[str, str, str, str]) -> Device:
    system, maker, name, version = model
    device_id, advertising_id = uuid(rng), uuid(rng)
    tracked = rng.random() < 0.6
    context = {
        "library": {"name": f"rudder-{system}-library", "version": "2.4.1"},
        "userAgent": f"OnefoldShop/5.2 ({name}; {system} {version})",
        "locale": country.locale,
        "timezone": country.timezone,
        "app": {"name": "Shop", "version": "5.2.0", "build": "520", "namespace": "example.shop"},
        "os": {"name": system, "version": version},
        "network": {"wifi": True, "cellular": False, "carrier": "unknown"},
        "device": {
            "id": device_id,
            "manufacturer": maker,
            "model": name,
            "type": system,
            "adTrackingEnabled": tracked,
            "advertisingId": advertising_id if tracked else ZERO_UUID,
        },
    }
    identifiers = [Identifier("device_id", device_id)]
    if tracked:
        identifiers.append(Identifier("advertising_id", advertising_id))
    return Device(
        source="app",
        anonymous_id=uuid(rng),
        identifiers=tuple(identifiers),
        context=context,
        skew=_skew(rng.random),
    )


def _skew(random: Callable[[], float]) -> int:
    """Most clocks are right; some are hours off, one in a hundred lives in another year."""
    dice = random()
    if dice < 0.9:
        return 0
    if dice < 0.99:
        return int((random() - 0.5) * 24) * _HOUR
    return -400 * 24 * _HOUR


@lru_cache(4096)
def _tablet(seed: int, family: int) -> Device:
    rng = Random(seeded(seed, _TABLET, family))
    tablet = _app(rng, CHINA, ("ios", "Apple", "iPad15,3", "26.1"))
    return msgspec.structs.replace(tablet, forgets=False, skew=0)


@lru_cache(4096)
def _kiosk(seed: int, place: int) -> Device:
    rng = Random(seeded(seed, _KIOSK, place))
    return msgspec.structs.replace(_browser(rng, CHINA), forgets=False, skew=0, sends_junk=False)
