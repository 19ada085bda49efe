"""A value that very many carry says nothing of who they are, and costs next to nothing.

195,405 is how many identifiers shared one value at a customer of another system, and stopped it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from statistics import median

import pytest

from onefold.engine import DuckEngine
from onefold.model.profile import decode_profile
from onefold.model.records import Event, Identifier
from onefold.pipeline import Pipeline
from onefold.resolve.links import MAX_LINKS, MAX_USER_LINKS
from onefold.store import SQLiteStore
from onefold.testing.reference import evidence_of, partition

NOW = 1_767_225_600_000_000
MANY = 195_405
Carried = Callable[[int], tuple[Identifier, ...]]
Groups = frozenset[frozenset[Identifier]]

MAIL, DEVICE = Identifier("email", "x@y.example"), Identifier("device_id", "d")
PHONE, GUEST = Identifier("phone", "+4915112345678"), Identifier("user_id", "guest7")


def user(number: int) -> Identifier:
    return Identifier("user_id", f"u{number}")


def mail(number: int) -> Identifier:
    return Identifier("email", f"{number}@y.example")


SHAPES: dict[str, Carried] = {
    "users, one e-mail address": lambda number: (user(number), MAIL),
    "users, one telephone and a cookie each": lambda number: (
        user(number), PHONE, Identifier("anonymous_id", f"a{number}")
    ),
    "addresses, one device": lambda number: (mail(number), DEVICE),
    "one device, addresses": lambda number: (DEVICE, mail(number)),
    "one user, cookies": lambda number: (GUEST, Identifier("anonymous_id", f"a{number}")),
}  # fmt: skip


def event(number: int, carried: tuple[Identifier, ...]) -> Event:
    at = NOW + number
    return Event(
        "s", "identify", "identify", at, NOW, f"m{number}", carried, (), {"n": number}, True,
        "{}", "{}", at // 60_000_000,
    )  # fmt: skip


@contextmanager
def pipeline(folder: Path) -> Iterator[tuple[Pipeline, SQLiteStore]]:
    numbers = count(1)
    with closing(SQLiteStore(folder / "store.db")) as store, closing(DuckEngine(threads=1)) as duck:
        yield Pipeline(store, duck, b"k", lambda: next(numbers), "UTC"), store


def groups(store: SQLiteStore) -> Groups:
    documents = store.documents(store.profile_ids(0, 1 << 20)).values()
    return frozenset(
        frozenset(Identifier(node.kind, node.value) for node in decode_profile(one).nodes)
        for one in documents
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_what_it_joined_is_decided_again_in_any_order(shape: str, tmp_path: Path) -> None:
    most = MAX_USER_LINKS if shape.startswith("one user") else MAX_LINKS
    events = [event(number, SHAPES[shape](number)) for number in range(most + 20)]
    # One of them is known by something else, too: that stays.
    other = (Identifier("anonymous_id", "other"), *SHAPES[shape](0)[:1])
    events.append(event(len(events), tuple(sorted(other, key=lambda one: one[0] != "user_id"))))
    expected = partition(evidence_of(events))
    for order, most_a_batch in ((0, 2_000), (1, 300), (2, 17)):
        chance = random.Random(order)
        chance.shuffle(events)
        folder = tmp_path / str(order)
        folder.mkdir()
        with pipeline(folder) as (folding, store):
            left = list(events)
            while left:
                size = chance.randint(1, most_a_batch)
                folding.fold(left[:size], [], {}, NOW)
                left = left[size:]
            assert groups(store) == expected


def cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def load(folder: Path, carried: Carried, users: int) -> tuple[float, float, int]:
    """Seconds to fold events that carry the value, the seconds of one more alone, the profiles."""
    folder.mkdir()
    with pipeline(folder) as (folding, store):
        took = 0.0
        for first in range(0, users, 5_000):
            batch = [event(one, carried(one)) for one in range(first, min(first + 5_000, users))]
            took += cpu(lambda batch=batch: folding.fold(batch, [], {}, NOW))  # type: ignore[misc]
        more = [[event(one, carried(one))] for one in range(users, users + 40)]
        alone = median(cpu(lambda one=one: folding.fold(one, [], {}, NOW)) for one in more)  # type: ignore[misc]
        return took, alone, store.counters()["profiles"]


@pytest.mark.slow
def test_195_405_with_one_value_cost_no_more_than_others(tmp_path: Path) -> None:
    few = MANY // 5
    own, alone, _ = load(tmp_path / "own", lambda number: (user(number), mail(number)), few)
    for place, shape in enumerate(("addresses, one device", "one user, cookies")):
        took, one, profiles = load(tmp_path / str(place), SHAPES[shape], MANY)
        assert profiles >= MANY
        # Newcomers who share nothing are folded in at once, which takes half of what others take. A
        # second, and what is noise where tests run; the bench has the figures.
        assert took < 2.6 * own * MANY / few + 1, shape
        assert one < alone + 0.02, shape
