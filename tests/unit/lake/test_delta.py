import os
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from onefold.lake import complete, to_table
from onefold.lake.delta import DeltaLake
from onefold.model.errors import Busy


@pytest.fixture
def lake(tmp_path: Path) -> DeltaLake:
    lake = DeltaLake(tmp_path)
    lake.create()
    return lake


def append(lake: DeltaLake, batch: int) -> None:
    row = [["a"], ["x"], ["b"], ["y"], [1], [1_000_000], ["web"], [f"m{batch}"]]
    lake.append("links", complete("links", to_table("links", row), {"batch": [batch]}), batch)


def batches(lake: DeltaLake) -> list[int]:
    held, files = lake.snapshot("links")
    found = duckdb.sql(f"select batch from read_parquet({files!r}) order by 1").fetchall()
    assert held == lake.last_batch("links")
    return [row[0] for row in found]


def test_rows_and_the_batch_they_are_of_are_one_commit(lake: DeltaLake) -> None:
    assert lake.last_batch("links") == 0
    for batch in (1, 2, 5):
        append(lake, batch)
    assert lake.last_batch("links") == 5
    assert DeltaLake(lake.directory).last_batch("links") == 5
    assert batches(lake) == [1, 2, 5]
    assert DeltaTable(str(lake.directory / "links")).to_pyarrow_table().num_rows == 3


def test_only_columns_whose_values_come_again_have_a_dictionary(lake: DeltaLake) -> None:
    count = 5_000
    names = [f"u{one}" for one in range(count)]
    row = [["user_id"] * count, names, ["email"] * count, names]
    row += [[1] * count, [*range(count)], ["web"] * count, names]
    lake.append("links", complete("links", to_table("links", row), {"batch": [1] * count}), 1)
    (file,) = lake.snapshot("links")[1]
    group = pq.ParquetFile(file).metadata.row_group(0)
    columns = [group.column(one) for one in range(group.num_columns)]
    found = {one.path_in_schema for one in columns if one.has_dictionary_page}
    assert found == {"left_kind", "right_kind", "rank", "source", "batch"}


def test_joining_small_files_keeps_rows_and_batch(lake: DeltaLake) -> None:
    for batch in range(1, 8):
        append(lake, batch)
    assert not lake.compact("links", 7)
    assert lake.compact("links", 6)
    assert len(lake.snapshot("links")[1]) == 1
    append(lake, 8)
    assert batches(lake) == list(range(1, 9))


def test_the_last_batch_is_known_after_checkpoints_and_cleaning(lake: DeltaLake) -> None:
    append(lake, 1)
    append(lake, 2)
    table = DeltaTable(str(lake.directory / "links"))
    table.create_checkpoint()
    table.cleanup_metadata()
    assert DeltaLake(lake.directory).last_batch("links") == 2


def test_a_reader_sees_newer_versions_whatever_was_removed_of_older_ones(lake: DeltaLake) -> None:
    append(lake, 1)
    reader = DeltaLake(lake.directory)
    assert reader.last_batch("links") == 1
    for batch in (2, 3):
        append(lake, batch)
    table = DeltaTable(str(lake.directory / "links"))
    table.create_checkpoint()
    for commit in (lake.directory / "links" / "_delta_log").glob("*.json"):
        if int(commit.stem) < table.version():
            commit.unlink()
    assert batches(reader) == [1, 2, 3]


def test_a_commit_is_on_the_disk_when_it_is_done(
    lake: DeltaLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []

    def fsync(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)

    monkeypatch.setattr(os, "fsync", fsync)
    for batch in (1, 2):
        append(lake, batch)
        rows, _directory, commit, log = synced[-4:]
        newest = max((lake.directory / "links" / "_delta_log").glob("*.json"))
        assert (commit, log) == (newest.name, "_delta_log")
        assert rows in [Path(file).name for file in lake.snapshot("links")[1]]


def test_two_who_write_the_same_table_do_not_lose_each_others_rows(lake: DeltaLake) -> None:
    other = DeltaLake(lake.directory)
    append(lake, 1)
    assert other.last_batch("links") == 1
    append(lake, 2)
    other.compact("links", 1)
    append(lake, 3)
    assert batches(lake) == batches(other) == [1, 2, 3]


def test_a_table_that_is_gone_or_back_is_noticed(lake: DeltaLake) -> None:
    append(lake, 1)
    table = lake.directory / "links"
    table.rename(lake.directory / "aside")
    with pytest.raises(Busy, match="links"):
        append(lake, 2)
    with pytest.raises(Busy, match="links"):
        lake.snapshot("links")
    (lake.directory / "aside").rename(table)
    append(lake, 2)
    assert batches(lake) == [1, 2]


def test_a_commit_that_fails_leaves_no_file(lake: DeltaLake) -> None:
    append(lake, 1)
    table = lake.directory / "links"
    in_the_way = table / "_delta_log" / f"{2:020d}.json"
    in_the_way.mkdir()
    with pytest.raises(Busy):
        append(lake, 2)
    in_the_way.rmdir()
    assert [str(file) for file in table.glob("*.parquet")] == lake.snapshot("links")[1]
    append(lake, 2)
    assert batches(lake) == [1, 2]
