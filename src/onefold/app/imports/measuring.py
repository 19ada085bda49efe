"""How good the data of a file is: complete, valid, unique, consistent, fresh. Shares from 0 to 1."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec

from onefold.model.records import Event
from onefold.standardize import nameless_in
from onefold.standardize.people.emails import is_slip, mend_domain

FRESH_DAYS = 365
_DAY_US = 86_400_000_000
_MOST_SUGGESTIONS = 20
_SHOWN = 60
NAMELESS_HINTS = {
    "email": "they are no e-mail addresses",
    "phone": "they are no numbers, or name no country: say `country:` in the mapping or the source",
}


class Meant(msgspec.Struct, frozen=True):
    """What may be meant, and in how many rows."""

    meant: str
    rows: int


class Nameless(msgspec.Struct, frozen=True):
    """E-mail addresses or telephone numbers that identify nobody: how many, one of them, what to do."""

    rows: int
    example: str
    hint: str


class Quality(msgspec.Struct, frozen=True):
    """Shares from 0 to 1; null where there is nothing to measure it by.

    `complete`: of all traits that any row has, how many a row has. `valid`: rows without a fault.
    `unique`: people who stand in one row only. `consistent`: values that contradict neither another row
    of the same person nor what is known of them. `fresh`: rows with a time within the last year.
    `traits` is how complete each is. `mistyped` suggests, of domains of e-mail addresses that are one slip
    from a well-known one, what may be meant and how often; nothing is changed. `nameless` are the values
    of e-mail addresses and telephone numbers that cannot be read as one, so that they are no identifiers.
    """

    complete: float | None
    valid: float | None
    unique: float | None
    consistent: float | None
    fresh: float | None
    traits: dict[str, float]
    mistyped: dict[str, Meant] = {}
    nameless: dict[str, Nameless] = {}


def quality_of(
    events: Sequence[Event], faultless: float | None, conflicts: int, compared: int, now: int
) -> Quality:
    """The quality of what a file's rows became; `faultless` is the share of those that became something."""
    telling = [event for event in events if event.traits]
    filled: Counter[str] = Counter()
    rows: Counter[tuple[str, str]] = Counter()
    said: defaultdict[tuple[str, str], dict[str, object]] = defaultdict(dict)
    for event in telling:
        filled.update(name for name, value in event.traits.items() if value is not None)
        who = event.identifiers[0]
        rows[who] += event.type == "identify"
        known = said[who]
        for name, value in event.traits.items():
            if name in known:
                compared += 1
                conflicts += known[name] != value
            known[name] = value
    timed = [event.time for event in events if event.client_minute]
    since = now - FRESH_DAYS * _DAY_US
    count = len(telling)
    return Quality(
        _share(sum(filled.values()), count * len(filled)),
        faultless,
        _share(sum(one == 1 for one in rows.values()), sum(one > 0 for one in rows.values())),
        _share(compared - conflicts, compared),
        _share(sum(one >= since for one in timed), len(timed)),
        {name: round(filled[name] / count, 4) for name in sorted(filled)},
        mistyped_domains(events),
        nameless_values(events),
    )


def nameless_values(events: Sequence[Event]) -> dict[str, Nameless]:
    """What is told as an e-mail address or telephone number and is none, so that it identifies nobody."""
    found: dict[str, Nameless] = {}
    for kind, hint in NAMELESS_HINTS.items():
        values = [
            str(event.traits[kind])
            for event in events
            if kind in nameless_in(event.traits, event.identifiers)
        ]
        if values:
            found[kind] = Nameless(len(values), values[0][:_SHOWN], hint)
    return found


def mistyped_domains(events: Sequence[Event]) -> dict[str, Meant]:
    """Domains of e-mail addresses that look mistyped, the most frequent first; at most twenty."""
    domains = Counter(
        domain
        for event in events
        if isinstance(address := event.traits.get("email"), str)
        and (domain := address.rpartition("@")[2].strip().lower())
    )
    found = {
        domain: Meant(meant, rows)
        for domain, rows in domains.most_common()
        # Another name of the same mail is no slip.
        if (meant := mend_domain(domain)) != domain and is_slip(domain, meant)
    }
    return dict(list(found.items())[:_MOST_SUGGESTIONS])


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
