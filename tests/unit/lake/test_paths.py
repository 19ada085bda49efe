"""The lake lies wherever a user puts it, and says so when its files are gone."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from onefold.engine import DuckEngine
from onefold.lake import arrow_schema
from onefold.lake.delta import DeltaLake
from onefold.model.errors import Damaged


def _with_two_rows(directory: Path) -> DeltaLake:
    lake = DeltaLake(directory)
    lake.create()
    row = pa.Table.from_pylist([{}], schema=arrow_schema("links"))
    lake.append("links", row, 1)
    lake.append("links", row, 2)
    return lake


@pytest.mark.parametrize("name", ["two words", "客户 ü", "a#b?c", "it's", "[1]*", "a+b"])
def test_a_directory_may_have_any_of_these_names(tmp_path: Path, name: str) -> None:
    lake = _with_two_rows(tmp_path / name)
    assert lake.compact("links", small_files=1)
    _, files = lake.snapshot("links")
    assert all(Path(file).exists() for file in files)
    engine = DuckEngine()
    engine.add_view("all_links", {"mixed": files}, arrow_schema("links").empty_table())
    engine.lock(files)
    assert engine.rows("count", "select count(*) from all_links", {}) == [(2,)]
    engine.close()


def test_a_lost_file_is_damage_with_a_way_to_look_closer(tmp_path: Path) -> None:
    _, files = _with_two_rows(tmp_path).snapshot("links")
    Path(files[0]).unlink()
    engine = DuckEngine()
    with pytest.raises(Damaged, match="onefold doctor"):
        engine.add_view("all_links", {"mixed": files}, arrow_schema("links").empty_table())
    engine.close()
