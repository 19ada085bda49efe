"""Files of people: who is who, whatever the order, and with a frozen model."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from onefold.app.matching.dedupe import Wanted, dedupe
from onefold.model.errors import InvalidInput, NotFound

HEADERS = ("given_name", "family_name", "birth_date", "email", "address", "postcode")
GIVEN = [
    "anna",
    "bernd",
    "carla",
    "dieter",
    "elsa",
    "frank",
    "greta",
    "hans",
    "ines",
    "jonas",
    "karla",
    "luis",
    "maria",
    "nils",
    "olga",
]
FAMILY = [
    "albers",
    "brandt",
    "cordes",
    "dahl",
    "ebert",
    "fuchs",
    "gruber",
    "holm",
    "issler",
    "jansen",
    "kuhn",
    "lorenz",
]


def people(count: int, seed: int) -> list[tuple[list[str], int]]:
    """Rows about `count` people, a third of them twice with something different, and who it is."""
    chance = random.Random(seed)
    rows = []
    for person in range(count):
        given, family = chance.choice(GIVEN), chance.choice(FAMILY) + chance.choice("abcdefgh")
        born = f"{chance.randint(1940, 2005)}-{chance.randint(1, 12):02}-{chance.randint(2, 28):02}"
        row = [given, family, born, f"{given}.{family}{person}@example.org",
               f"{chance.randint(1, 200)} {chance.choice(FAMILY)}weg", str(chance.randint(10000, 10400))]  # fmt: skip
        rows.append((row, person))
        if person % 3 == 0:
            other = list(row)
            other[chance.choice((0, 3, 4, 5))] = ""
            other[1] = other[1][:2] + other[1][3:]
            rows.append((other, person))
    return rows


def write(path: Path, rows: list[list[str]], headers: tuple[str, ...] = HEADERS) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([headers, *rows])
    return path


def profiles(path: Path) -> list[str]:
    with path.open(encoding="utf-8") as file:
        return [row["profile_id"] for row in csv.DictReader(file)]


def clusters(found: list[str], names: list[int]) -> set[frozenset[int]]:
    grouped: dict[str, set[int]] = {}
    for profile, name in zip(found, names, strict=True):
        grouped.setdefault(profile, set()).add(name)
    return {frozenset(one) for one in grouped.values()}


def test_rows_of_one_person_get_one_profile_and_one_golden_row(tmp_path: Path) -> None:
    rows = people(600, 1)
    file = write(tmp_path / "people.csv", [row for row, _ in rows])
    out, golden = tmp_path / "out.csv", tmp_path / "golden.csv"
    found = dedupe([file], Wanted(output=out, golden=golden))
    ids = profiles(out)
    assert found.rows == len(rows) == len(ids)
    wrong = sum(
        (ids[i] == ids[j]) != (rows[i][1] == rows[j][1]) for i in range(len(rows)) for j in range(i)
    )
    assert wrong <= 6
    assert len(set(profiles(golden))) == len(profiles(golden)) == found.profiles


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    rows = people(300, 2)
    order = list(range(len(rows)))
    random.Random(3).shuffle(order)
    one = write(tmp_path / "one.csv", [row for row, _ in rows])
    two = write(tmp_path / "two.csv", [rows[i][0] for i in order])
    models = [tmp_path / "one.json", tmp_path / "two.json"]
    dedupe([one], Wanted(output=tmp_path / "a.csv", save_model=models[0]))
    dedupe([two], Wanted(output=tmp_path / "b.csv", save_model=models[1]))
    before = clusters(profiles(tmp_path / "a.csv"), list(range(len(rows))))
    assert before == clusters(profiles(tmp_path / "b.csv"), order)
    assert models[0].read_bytes() == models[1].read_bytes()


def test_a_frozen_model_gives_the_same_again(tmp_path: Path) -> None:
    file = write(tmp_path / "people.csv", [row for row, _ in people(300, 4)])
    model = tmp_path / "model.json"
    first = dedupe([file], Wanted(output=tmp_path / "a.csv", save_model=model))
    again = dedupe([file], Wanted(output=tmp_path / "b.csv", model=model))
    assert profiles(tmp_path / "a.csv") == profiles(tmp_path / "b.csv")
    assert first.model_version == again.model_version


def test_several_files_are_linked_by_what_their_columns_hold(tmp_path: Path) -> None:
    rows = people(300, 5)
    seen: set[int] = set()
    left, right = [], []
    for row, person in rows:
        (right if person in seen else left).append(row)
        seen.add(person)
    one = write(tmp_path / "crm.csv", left)
    headers = ("vorname", "nachname", "geburtstag", "mail", "strasse", "plz")
    two = write(tmp_path / "shop.csv", right, headers)
    columns = dict(zip(headers, HEADERS, strict=True))
    wanted = Wanted(output=tmp_path / "out.parquet", columns=columns, link_only=True)
    found = dedupe([one, two], wanted)
    assert 80 <= found.merged_rows <= 100


@pytest.mark.parametrize(
    "rows",
    [
        [["anna", "", "", "", "", ""]] * 5000,
        [["", "", "", "", "", ""]] * 50,
        [[f"anna{i}", "", "", "", "", ""] for i in range(500)],
        [["anna", "albers", "", "", "", ""]] * 40 + [["", "brandt", "", "", "", ""]] * 40,
    ],
    ids=["one field, all alike", "nothing", "one field", "two names"],
)
def test_what_says_too_little_is_never_merged(tmp_path: Path, rows: list[list[str]]) -> None:
    file = write(tmp_path / "people.csv", rows)
    found = dedupe([file], Wanted(output=tmp_path / "out.csv"))
    assert found.merged_rows == 0


def test_ten_thousand_rows_alike_in_everything_take_no_time(tmp_path: Path) -> None:
    rows = [row for row, _ in people(200, 6)]
    file = write(tmp_path / "people.csv", rows + [rows[0]] * 10_000)
    found = dedupe([file], Wanted(output=tmp_path / "out.csv"))
    assert found.compared_pairs < 100_000


def test_what_cannot_be_done_is_said_all_at_once(tmp_path: Path) -> None:
    file = write(tmp_path / "people.csv", [["a", "b"]], ("x", "y"))
    with pytest.raises(NotFound, match="no such file"):
        dedupe([tmp_path / "nothing.csv"], Wanted())
    with pytest.raises(InvalidInput, match="--column HEADER=ROLE"):
        dedupe([file], Wanted())
    with pytest.raises(InvalidInput, match="no role 'nom'"):
        dedupe([file], Wanted(columns={"x": "nom"}))
    with pytest.raises(InvalidInput, match=r"is none of \.csv, \.parquet"):
        dedupe([file], Wanted(output=tmp_path / "out.xlsx", columns={"x": "email"}))


def test_a_model_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    file = write(tmp_path / "people.csv", [row for row, _ in people(100, 7)])
    dedupe([file], Wanted(save_model=model))
    phones = write(tmp_path / "phones.csv", [[f"+4930{i:07}"] for i in range(50)], ("phone",))
    with pytest.raises(InvalidInput, match="does not fit"):
        dedupe([phones], Wanted(model=model))
    model.write_text("{}")
    with pytest.raises(InvalidInput, match="no match model"):
        dedupe([file], Wanted(model=model))


@pytest.mark.parametrize("engine", ["sprak", "spark://host", "sc://host:15002/;token=secret"])
def test_an_engine_that_is_none_is_refused_before_anything_is_read(
    tmp_path: Path, engine: str
) -> None:
    file = write(tmp_path / "people.csv", [row for row, _ in people(5, 1)])
    with pytest.raises(InvalidInput) as refused:
        dedupe([file], Wanted(output=tmp_path / "a.csv", engine=engine))
    assert [fault.where for fault in refused.value.faults] == ["engine"]
    assert "secret" not in str(refused.value)
