"""Made-up people: known truth, the same for the same seed, and as hard as people are."""

from collections import Counter

import numpy as np
import pytest

from onefold.testing.people import SOURCES, make_people, source_tables
from onefold.testing.people.population import ENGLISH, populate


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


def test_two_people_are_called_alike_as_seldom_as_in_a_census():
    people = populate(np.random.default_rng(1), 30_000)
    heads = (people.culture == ENGLISH) & (people.role == 0)
    for names, least, most in ((people.family, 1_100, 1_900), (people.given, 280, 450)):
        counts = np.array(list(Counter(names[heads].tolist()).values()))
        pairs = counts.sum() * (counts.sum() - 1)
        assert least < pairs / (counts * (counts - 1)).sum() < most


def test_a_mailbox_is_of_one_household(people):
    owners: dict[str, set[int]] = {}
    for row in people.to_pylist():
        email = (row["email"] or "").lower().replace("+shop", "")
        if "@" in email and not email.startswith(("none@", "noemail@", "test@")):
            owners.setdefault(email, set()).add(row["household_id"])
    assert sum(len(households) > 1 for households in owners.values()) <= 2
    assert sum(len(households) == 1 for households in owners.values()) > 2000


def test_children_are_no_customers(people):
    born = [
        int(row["birth_date"][-4:])
        for row in people.to_pylist()
        if row["source"] == "crm" and row["birth_date"]
    ]
    assert sum(year > 2013 for year in born) < 0.02 * len(born)


def test_who_logs_in_can_be_reached(people):
    rows = [row for row in people.to_pylist() if row["source"] in ("shop", "support")]
    lost = sum(row["email"] is None and row["phone"] is None for row in rows)
    assert lost < 0.01 * len(rows)
