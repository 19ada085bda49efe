"""Files that say too little: nobody is merged by default."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import pytest

from onefold.app.matching.dedupe import Wanted, dedupe

_ALL = ["first_name", "last_name", "birth_date", "email", "phone", "city"]
_ANNA = ["Anna", "Schmidt", "1985-03-07", "anna.schmidt@gmx.de", "+4915112345678", "Bonn"]
_PETER = ["Peter", "Lang", "1979-11-02", "peter.lang@web.de", "+4915187654321", "Ulm"]


def profiles(folder: Path, header: list[str], rows: list[list[str]]) -> int:
    file = folder / "people.csv"
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([header, *rows])
    return dedupe([file], Wanted()).profiles


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (["first_name", "city"], ["Анна", "Москва"]),
        (["first_name"], ["Zdzislawa"]),
        (["name"], ["Anna Schmidt"]),
        (["first_name", "last_name", "city"], ["Anna", "Schmidt", "Bonn"]),
        (["email"], ["anna.schmidt@gmx.de"]),
        (["phone"], ["+4915112345678"]),
        (["birth_date"], ["1985-03-07"]),
    ],
)
@pytest.mark.parametrize("count", [2, 10])
def test_what_two_strangers_may_share_merges_nobody(
    header: list[str], row: list[str], count: int, tmp_path: Path
) -> None:
    assert profiles(tmp_path, header, [row] * count) == count


def test_a_name_and_a_town_do_not_outweigh_another_family_name(tmp_path: Path) -> None:
    header = ["first_name", "last_name", "city"]
    rows = [["Анна", "Иванова", "Москва"], ["Анна", "Петрова", "Москва"]]
    assert profiles(tmp_path, header, rows) == 2


def test_people_of_a_household_are_two(tmp_path: Path) -> None:
    header = ["first_name", "last_name", "address", "city", "phone"]
    home = ["Schmidt", "12 Main St", "Boston", "+14155552671"]
    assert profiles(tmp_path, header, [["Anna", *home], ["Peter", *home]]) == 2


def test_what_says_enough_is_merged_in_the_smallest_file(tmp_path: Path) -> None:
    assert profiles(tmp_path, _ALL, [_ANNA]) == 1
    assert profiles(tmp_path, _ALL, [_ANNA, _ANNA]) == 1
    assert profiles(tmp_path, _ALL, [_ANNA, ["Ana", *_ANNA[1:4], "", ""]]) == 1
    assert profiles(tmp_path, _ALL, [_ANNA, _PETER, _ANNA]) == 2
    assert profiles(tmp_path, _ALL, [_ANNA, _PETER]) == 2


def test_ten_thousand_alike_take_no_time(tmp_path: Path) -> None:
    began = time.process_time()
    assert profiles(tmp_path, ["first_name"], [["Anna"]] * 10_000) == 10_000
    assert profiles(tmp_path, _ALL, [_ANNA] * 10_000) == 1
    assert time.process_time() - began < 30
