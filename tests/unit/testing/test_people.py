"""Made-up people: known truth, the same for the same seed, and as hard as people are."""

from collections import Counter

import pytest

from onefold.testing.people import SOURCES, make_people, source_tables


@pytest.fixture(scope="module")
def people():
    return make_people(8000, seed=7)


def test_the_same_seed_gives_the_same_records():
    assert make_people(500, seed=4).equals(make_people(500, seed=4))
    assert not make_people(500, seed=4).equals(make_people(500, seed=5))


def test_so_many_records_are_about_somebody_who_has_one_already(people):
    assert people.num_rows == 8000
    assert len(set(people["entity_id"].to_pylist())) == 5600


def test_each_source_has_its_own_columns(people):
    tables = source_tables(people)
    assert set(tables) == set(SOURCES)
    assert sum(table.num_rows for table in tables.values()) == 8000
    assert "full_name" in tables["app"].column_names
    assert "full_name" not in tables["crm"].column_names


def test_names_are_as_unequal_as_names_are(people):
    names = Counter(name for name in people["last_name"].to_pylist() if name)
    assert names.most_common(1)[0][1] > 40
    assert sum(count == 1 for count in names.values()) > 300


def test_people_are_written_in_characters_and_in_pinyin(people):
    names = [name for name in people["full_name"].to_pylist() if name]
    assert any(name[0] > "\u4e00" for name in names)
    assert any("," in name for name in names)
    assert any(name.split()[0].isupper() for name in names)


def test_households_share_an_address(people):
    rows = [row for row in people.to_pylist() if row["source"] == "shop" and row["address"]]
    together = Counter((row["household_id"], row["address"], row["entity_id"]) for row in rows)
    homes = Counter((household, address) for household, address, _ in together)
    assert sum(count > 1 for count in homes.values()) > 20
