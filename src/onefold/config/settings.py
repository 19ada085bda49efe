"""The catalogue: every setting once, with its type, default, unit, limits and help."""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

ENVIRONMENT_PREFIX = "ONEFOLD_"

Unit = Literal["", "bytes", "seconds", "days", "records", "rows"]


class Is(msgspec.Struct, frozen=True):
    """What a setting is: its help, its unit, and the values it may have."""

    help: str
    unit: Unit = ""
    least: float | None = None
    most: float | None = None
    check: Callable[[Any], str | None] | None = None
    secret: bool = False


def _time_zone_fault(name: str) -> str | None:
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return f"there is no time zone {name!r}; use a name such as 'Asia/Shanghai' or 'UTC'"
    return None


def _country_fault(code: str) -> str | None:
    if code and not (len(code) == 2 and code.isascii() and code.isalpha() and code.isupper()):
        return f"{code!r} is no country code; use two capital letters such as 'CN', or nothing"
    return None


def _network_fault(network: str) -> str | None:
    try:
        ipaddress.ip_network(network)
    except ValueError as error:
        return f"{error}; use an address or a network such as '10.0.0.0/8'"
    return None


def _networks_fault(networks: tuple[str, ...]) -> str | None:
    return next((fault for fault in map(_network_fault, networks) if fault), None)


def _host_fault(host: str) -> str | None:
    return None if host.strip() else "must not be empty; use '127.0.0.1', or '0.0.0.0' for all"


def _data_fault(data: Path) -> str | None:
    """The driver of the lake takes these for something else, in whatever way they are written."""
    wrong = _NO_PATH.search(str(data.absolute()))
    if wrong is None:
        return None
    return (
        f"must not have {wrong[0]!r} in its path ({data.absolute()}): the lake cannot be kept there"
    )


def engine_fault(engine: str) -> str | None:
    """Why this names no engine; None where it does."""
    if _ENGINES.fullmatch(engine) is None:
        return (
            f"{engine!r} is no engine; use 'duckdb', a master of Spark such as 'local[4]' or"
            " 'spark://host:7077', or a Spark Connect server such as 'sc://host:15002'"
        )
    if "token=" in engine:
        return "must not hold a token; set SPARK_CONNECT_AUTHENTICATE_TOKEN in the environment"
    return None


_NO_PATH = re.compile(r"%[0-9A-Fa-f]{2}|[\\\x00-\x1f\x7f]")
_ENGINES = re.compile(
    r"duckdb|local(\[(\*|[1-9]\d*)\])?|yarn|k8s://\S+|spark://[^\s/]+:\d+|sc://[^\s/]+(/\S*)?"
)
KIB, MIB, GIB = 1024, 1024**2, 1024**3
DAY = 86_400.0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of one installation. Sizes are bytes, durations are seconds."""

    data: Annotated[
        Path, Is("The folder that holds everything: log, store, lake, keys.", check=_data_fault)
    ] = Path("onefold-data")

    host: Annotated[str, Is("Address that the web process listens on.", check=_host_fault)] = (
        "127.0.0.1"
    )
    port: Annotated[
        int, Is("Port of the web process; 0 takes a free one.", least=0, most=65_535)
    ] = 8181

    timezone: Annotated[
        str, Is("Time zone in which the days of metrics begin.", check=_time_zone_fault)
    ] = "UTC"
    default_country: Annotated[
        str,
        Is(
            "Country of phone numbers without a country code, where their source names none.",
            check=_country_fault,
        ),
    ] = ""

    max_segments: Annotated[
        int, Is("Segments that may be in force at once.", least=1, most=100_000)
    ] = 1_000
    max_computed_traits: Annotated[
        int, Is("Computed traits and tags that may be in force at once.", least=1, most=100_000)
    ] = 500

    max_body_size: Annotated[
        int,
        Is(
            "Largest request body accepted, after decompression.",
            "bytes",
            least=1 * KIB,
            most=256 * MIB,
        ),
    ] = 4 * MIB
    limit_wait: Annotated[
        float,
        Is(
            "How long a call above the limit of its source waits for its turn before it is refused.",
            "seconds",
            least=0,
            most=60,
        ),
    ] = 3.0
    ip_mode: Annotated[
        Literal["none", "direct", "proxy"],
        Is(
            "Where `context.ip` comes from if the client gives none: nowhere, the "
            "connection, or the header that a trusted proxy sets."
        ),
    ] = "direct"
    trusted_proxies: Annotated[
        tuple[str, ...],
        Is(
            "Addresses or networks whose `X-Forwarded-For` is believed (`ip_mode = proxy`).",
            check=_networks_fault,
        ),
    ] = ()

    source_networks: Annotated[
        tuple[str, ...],
        Is(
            "Private addresses or networks that sources may be read from, such as a database's; "
            "without, only addresses of the internet.",
            check=_networks_fault,
        ),
    ] = ()
    source_concurrency: Annotated[
        int,
        Is(
            "Sources that are read at the same time, each by a process of its own.",
            least=1,
            most=64,
        ),
    ] = 4
    secrets_key: Annotated[
        str,
        Is(
            "Key of the stored secrets, the base64 of 32 random bytes; nothing: the file "
            "`secrets.key` in the data folder.",
            secret=True,
        ),
    ] = ""

    eventlog_segment_size: Annotated[
        int,
        Is(
            "A segment file of the log is closed at this size.",
            "bytes",
            least=64 * KIB,
            most=4 * GIB,
        ),
    ] = 64 * MIB
    eventlog_retention: Annotated[
        float, Is("Processed events stay in the log this long, for replay.", "seconds", least=0)
    ] = 7 * DAY
    eventlog_retention_size: Annotated[
        int, Is("Processed events beyond this total go sooner.", "bytes", least=1 * MIB)
    ] = 20 * GIB
    min_free_disk: Annotated[
        int, Is("With less free disk, new events are refused with 503.", "bytes", least=0)
    ] = 1 * GIB

    rebuild_check_every: Annotated[
        float,
        Is(
            "All events are folded again and compared with what is live this often; 0: never.",
            "seconds",
            least=0,
            most=366 * DAY,
        ),
    ] = 0.0
    dedup_days: Annotated[
        int,
        Is("A repeated message id within this time is the same event.", "days", least=1, most=365),
    ] = 7
    lake_seconds: Annotated[
        float,
        Is("New history is written to the lake this often.", "seconds", least=0.1, most=600),
    ] = 2.0
    batch_records: Annotated[
        int,
        Is("Most log records that the worker takes at once.", "records", least=1, most=1_000_000),
    ] = 20_000
    batch_size: Annotated[
        int,
        Is(
            "Most bytes of the log that the worker takes at once; 0: as the memory allows, 8 to 128 MiB.",
            "bytes",
            least=0,
            most=1 * GIB,
        ),
    ] = 0
    store_cache: Annotated[
        int, Is("Page cache of the store, per process.", "bytes", least=1 * MIB)
    ] = 32 * MIB

    store_wait: Annotated[
        float,
        Is("Who writes to the store waits this long for others.", "seconds", least=0.1, most=600),
    ] = 30.0

    engine: Annotated[
        str,
        Is(
            "What asks everybody: `duckdb` in this process, or Spark by its master "
            "(`local[4]`, `spark://host:7077`) or by Spark Connect (`sc://host:15002`).",
            check=engine_fault,
        ),
    ] = "duckdb"
    sql_memory: Annotated[
        int, Is("Memory that one SQL query may use.", "bytes", least=32 * MIB)
    ] = 512 * MIB
    sql_seconds: Annotated[
        float, Is("A SQL query is stopped after this time.", "seconds", least=0.1)
    ] = 30.0
    sql_rows: Annotated[
        int, Is("Most rows that a SQL query returns.", "rows", least=1, most=10_000_000)
    ] = 10_000
    sql_threads: Annotated[
        int,
        Is(
            "Threads that one SQL query may use; from three on, few cores group faster too.",
            least=1,
            most=256,
        ),
    ] = 3

    stop_timeout: Annotated[
        float,
        Is(
            "Processes that are asked to stop are ended by force after this time.",
            "seconds",
            least=0,
            most=3_600,
        ),
    ] = 20.0
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Is("Least severe of the lines that are logged."),
    ] = "info"
    log_format: Annotated[Literal["text", "json"], Is("How log lines on stderr are written.")] = (
        "text"
    )


class Setting(msgspec.Struct, frozen=True):
    """One row of the catalogue of settings."""

    name: str
    type: Any
    default: Any
    about: Is

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return ENVIRONMENT_PREFIX + self.name.upper()

    @property
    def metavar(self) -> str:
        """What its value is, in one word of help."""
        return {"bytes": "SIZE", "seconds": "DURATION"}.get(self.about.unit) or {
            int: "NUMBER",
            float: "NUMBER",
            Path: "DIR",
        }.get(self.type, "TEXT")

    @property
    def choices(self) -> tuple[str, ...]:
        return get_args(self.type) if get_origin(self.type) is Literal else ()


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Setting]:
    """Every setting by name, in the order of the documentation."""
    hints = get_type_hints(Settings, include_extras=True)
    defaults = Settings()
    rows = {}
    for name in Settings.__struct_fields__:
        kind, about = get_args(hints[name])
        rows[name] = Setting(name, kind, getattr(defaults, name), about)
    return rows
