"""The question of `bench.preview`, asked with Polars: as well tuned as we can."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import polars as pl

from bench.by_turns import Answer, Ask
from bench.preview_question import COUNTRY, MAILS, ORDERS, REVENUE, Files, files_of
from onefold.config import Settings

_Engine = Literal["in-memory", "streaming"]
_IS_ORDER, _IS_MAIL = pl.col("name") == "Order Completed", pl.col("name") == "Email Opened"
_ENOUGH = (pl.col("orders") >= 3) & (pl.col("spent") >= 100)


@contextmanager
def polars(settings: Settings) -> Iterator[Ask]:
    """Polars, lazily and streaming, over the same files."""
    files = files_of(settings)

    def found() -> pl.DataFrame:
        totals = (
            _events(files, _ordered() | _opened(), "name", REVENUE)
            .group_by("profile")
            .agg(
                _IS_ORDER.sum().alias("orders"),
                pl.col(REVENUE).sum().alias("spent"),
                _IS_MAIL.sum().alias("mails"),
            )
            .filter(_ENOUGH & (pl.col("mails") == 0))
        )
        return _members(_people(files), totals).collect(engine="streaming")

    yield _asking(found)


@contextmanager
def polars_in_steps(settings: Settings) -> Iterator[Ask]:
    """The same, first the orders, then the mails of those whom these leave."""
    files = files_of(settings)

    def found() -> pl.DataFrame:
        orders, mails = _events(files, _ordered(), REVENUE), _events(files, _opened())
        totals = _in_steps(orders, mails)
        return _members(_people(files), totals).collect(engine="streaming")

    yield _asking(found)


@contextmanager
def polars_in_memory(settings: Settings) -> Iterator[Ask]:
    """The same, of columns that it read before: the two names apart, moves applied, countries by number."""
    files = files_of(settings)
    orders, mails = (one.collect().rechunk() for one in _held(files))
    yield _faster(orders, mails, _countries(files))


@contextmanager
def polars_numbered(settings: Settings) -> Iterator[Ask]:
    """The same, of the columns that ours holds: profiles by short numbers, sorted, those with events first."""
    files = files_of(settings)
    orders, mails = (one.collect() for one in _held(files))
    both = pl.concat([orders["profile"], mails["profile"]]).unique().sort()
    numbers = pl.DataFrame({"profile": both}).with_row_index("number")

    def numbered(rows: pl.DataFrame) -> pl.DataFrame:
        found = rows.join(numbers, on="profile").drop("profile").rename({"number": "profile"})
        return found.sort("profile", "time").rechunk()

    # Who has no event of these names can be no member.
    people = _countries(files).join(numbers, left_on="profile_id", right_on="profile")
    people = people.sort("number").rechunk()
    yield _faster(numbered(orders), numbered(mails), people, "number")


def _ordered() -> pl.Expr:
    return _IS_ORDER & (pl.col("time").dt.epoch("us") >= ORDERS)


def _opened() -> pl.Expr:
    return _IS_MAIL & (pl.col("time").dt.epoch("us") >= MAILS)


def _events(files: Files, which: pl.Expr, *columns: str | pl.Expr) -> pl.LazyFrame:
    """Some events, with the moves of profiles applied."""
    moved = (
        pl.scan_parquet(files.moves)
        .filter(pl.col("batch") > files.known)
        .sort("batch")
        .group_by("left_id", maintain_order=True)
        .agg(pl.col("profile_id").last().alias("home"))
    )
    return (
        pl.scan_parquet(files.events)
        .filter(which)
        .select("profile_id", *columns)
        .join(moved, left_on="profile_id", right_on="left_id", how="left")
        .with_columns(pl.coalesce("home", "profile_id").alias("profile"))
        .drop("home", "profile_id")
    )


def _people(files: Files) -> pl.LazyFrame:
    return pl.scan_parquet(files.profiles).select("profile_id", COUNTRY)


def _held(files: Files) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    at = pl.col("time").dt.epoch("us")
    return _events(files, _IS_ORDER, at, REVENUE), _events(files, _IS_MAIL, at)


def _countries(files: Files) -> pl.DataFrame:
    people = _people(files).with_columns(pl.col(COUNTRY).cast(pl.Categorical()))
    return people.collect().rechunk()


def _in_steps(orders: pl.LazyFrame, mails: pl.LazyFrame) -> pl.LazyFrame:
    """Who ordered enough and opened no mail."""
    return (
        orders.group_by("profile")
        .agg(pl.len().alias("orders"), pl.col(REVENUE).sum().alias("spent"))
        .filter(_ENOUGH)
        .join(mails, on="profile", how="anti")
    )


def _members(people: pl.LazyFrame, totals: pl.LazyFrame, key: str = "profile_id") -> pl.LazyFrame:
    return (
        people.filter(pl.col(COUNTRY) == "CN")
        .join(totals, left_on=key, right_on="profile")
        .select(pl.len().alias("n"), pl.col("profile_id").cast(pl.Int128).sum().alias("total"))
    )


def _faster(
    orders: pl.DataFrame, mails: pl.DataFrame, people: pl.DataFrame, key: str = "profile_id"
) -> Ask:
    """Ask in memory, with the one of its engines that is faster."""

    def found(engine: _Engine) -> pl.DataFrame:
        totals = _in_steps(
            orders.lazy().filter(pl.col("time") >= ORDERS),
            mails.lazy().filter(pl.col("time") >= MAILS),
        )
        return _members(people.lazy(), totals, key).collect(engine=engine)

    engines: tuple[_Engine, _Engine] = ("in-memory", "streaming")
    asks = {engine: _asking(lambda engine=engine: found(engine)) for engine in engines}
    took = {engine: min(ask()[1] for _ in range(5)) for engine, ask in asks.items()}
    sys.stderr.write(f"polars: {took}\n")
    return asks[min(took, key=took.__getitem__)]


def _asking(found: Callable[[], Any]) -> Ask:
    def ask() -> tuple[Answer, float]:
        began = time.perf_counter()
        answer = found()
        return (answer["n"][0], int(answer["total"][0])), time.perf_counter() - began

    return ask
