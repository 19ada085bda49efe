"""The source that the page builds is one, and works."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from onefold.collect.addresses import Reach
from onefold.model.errors import InvalidInput
from onefold.model.pulled import Record, Unreadable

PAGE = Path(__file__).parents[2] / "docs" / "writing-a-source.md"
MESSAGES = [
    (b"1000-0", {b"card": b"7"}),
    (b"1000-1", {b"card": b"\xff"}),
    (b"2000-0", {b"card": b"8"}),
]


class Server:
    """As much of a Redis client as the page uses."""

    def __init__(self, address: str, port: int, password: str | None) -> None:
        assert (address, port, password) == ("127.0.0.1", 6379, None)

    def xread(self, streams: dict[str, str], count: int, block: int) -> list[Any]:
        ((name, last),) = streams.items()
        later = [one for one in MESSAGES if one[0].decode() > last]
        return [(name.encode(), later)] if later else []

    def close(self) -> None:
        pass


def page() -> dict[str, Any]:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert code.count("\n") < 120
    module = ModuleType("page")
    sys.modules["page"] = module  # where its records look up their types
    exec(compile(code, str(PAGE), "exec"), module.__dict__)
    return module.__dict__


def test_the_source_of_the_page_reads_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    redis = ModuleType("redis")
    redis.Redis, redis.RedisError = Server, OSError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "redis", redis)
    built = page()
    source = built["RedisSource"](
        built["RedisSettings"](host="127.0.0.1", stream="tills"), Reach(["127.0.0.1"])
    )
    first = next(source.batches(None))
    assert first.records == [
        Record({"card": "7"}, "tills", "1000-0", "insert", 1_000_000),
        Record({"card": "8"}, "tills", "2000-0", "insert", 2_000_000),
    ]
    (one,) = first.unreadable
    assert isinstance(one, Unreadable)
    assert one.place == "1000-1"
    assert next(source.batches(first.position)).records == []
    source.stored(first.position)
    source.close()


def test_who_lacks_its_driver_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    built = page()
    with pytest.raises(InvalidInput, match=r"onefold\[redis\]"):
        built["RedisSource"](built["RedisSettings"](host="127.0.0.1", stream="t"), Reach())
