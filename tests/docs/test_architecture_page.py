"""The page of the architecture names every stage, every table of the store, every column of the lake."""

import re
from pathlib import Path

import pytest

from onefold.model.catalogue import TABLES
from onefold.store import SQLiteStore

PAGE = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text(encoding="utf-8")
STAGES = ("collect", "eventlog", "standardize", "resolve", "unify", "segment", "activate", "serve")


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_its_promise(stage: str) -> None:
    assert re.search(rf"^\| `{stage}` \| \S.* \| \S.* \| \S.* \|$", PAGE, re.MULTILINE)


def test_the_tables_of_the_store_are_those_that_it_makes(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "store.db")
    try:
        rows = store.db.rows("select name from sqlite_master where type = 'table'")
    finally:
        store.close()
    made = {name for (name,) in rows if not name.startswith("sqlite_")}
    section = PAGE.split("\n## The store\n")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == made


@pytest.mark.parametrize("name", TABLES)
def test_the_columns_of_a_lake_table_are_those_of_the_catalogue(name: str) -> None:
    table = TABLES[name]
    section = PAGE.split(f"\n**`{name}`**: {table.help}.\n")[1].split("\n**`")[0].split("\n## ")[0]
    rows = [f"| `{one.name}` | {one.type} | {one.help} |" for one in table.columns]
    assert re.findall(r"^\| `.*$", section, re.MULTILINE) == rows
