"""What a rehearsal of a file says is what its import then does; the data stay as they are until then."""

from __future__ import annotations

import random
import re
from hashlib import blake2b
from pathlib import Path

import pytest

from onefold.app.folding.rebuild import check_rebuild
from onefold.app.imports.importing import import_file
from onefold.app.imports.page import page_of
from onefold.app.imports.rehearsed import Rehearsed
from onefold.app.imports.rehearsing import rehearse
from onefold.app.imports.wanted import Wanted
from onefold.app.profiles.finding import profile
from onefold.model.errors import InvalidInput
from onefold.model.profile import decode_profile
from tests.acceptance.conftest import Stepped

DEFINED = """
kind: source
name: crm
type: csv
country: DE
mapping:
  empty: {empty}
  identifiers: {{user_id: id, email: mail, phone: tel}}
  traits: {{name: name, level: level, born: {{from: born, type: date, format: dd.MM.yyyy}}}}
---
kind: source
name: shop
type: csv
mapping:
  event: Order Completed
  id: order
  time: {{from: at, type: time}}
  identifiers: {{user_id: id, email: mail}}
  properties: {{revenue: {{from: sum, decimal: ","}}}}
---
kind: trait
name: spent
expression: sum_of('Order Completed', properties.revenue)
---
kind: segment
name: gold
rule: level = 'gold'
---
kind: segment
name: rich
rule: spent > 100
"""
Outcome = tuple[int, int, int, int, int, int, dict[str, int]]


def kept(data: Path) -> dict[str, bytes]:
    """All that lies in a workspace's folder."""
    files = (one for one in data.rglob("*") if one.is_file() and one.suffix != ".db-shm")
    return {str(one): blake2b(one.read_bytes()).digest() for one in files}


def golden(onefold: Stepped) -> dict[int, dict[str, object]]:
    pages = onefold.store.pages(1_000)
    return {number: decode_profile(one).traits for page in pages for number, one in page.items()}


def predicted(found: Rehearsed, before: dict[str, int]) -> Outcome:
    sizes = before | {one.segment: one.now + one.entering - one.leaving for one in found.segments}
    rejects = found.rejects + found.unreadable
    told = found.events, found.repeats, rejects, found.new, found.updated, found.merged
    return (*told, {name: size for name, size in sizes.items() if size})


def came(onefold: Stepped, load: int, before: dict[int, dict[str, object]]) -> Outcome:
    after, found = golden(onefold), onefold.store.loads.get(load)
    updated = sum(after[one] != before[one] for one in after.keys() & before.keys())
    new, gone = len(after.keys() - before.keys()), len(before.keys() - after.keys())
    sizes = {name: size for name, size in onefold.store.segment_sizes().items() if size}
    return found.events, found.repeats, found.rejects, new, updated, gone, sizes


def customer(draw: random.Random) -> str:
    fields = (
        ["", f"u{draw.randrange(8)}"],
        ["", f"m{draw.randrange(8)}@x.com", "bad"],
        ["", f"0171234567{draw.randrange(4)}", "12"],
        ["", "Ann", "Bob", "Cid"],
        ["", "gold", "silver"],
        ["", "01.02.1990", "13.13.1990", "03.04.1985"],
    )
    return ",".join(map(draw.choice, fields))


def order(draw: random.Random) -> str:
    fields = (
        [f"o{draw.randrange(9)}"],
        ["", f"u{draw.randrange(8)}"],
        ["", f"m{draw.randrange(8)}@x.com"],
        ["99,50", "12", "abc", "40,00"],
        ["", f"2026-01-0{draw.randrange(1, 9)} 10:00", "2026-13-01"],
    )
    return ";".join(map(draw.choice, fields))


@pytest.mark.parametrize("seed", range(6))
def test_the_import_does_what_was_rehearsed(onefold: Stepped, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    onefold.define(DEFINED.format(empty=draw.choice(["keep", "clear"])))
    for number in range(3):
        source, row, header = draw.choice(
            [
                ("crm", customer, "id,mail,tel,name,level,born"),
                ("shop", order, "order;id;mail;sum;at"),
            ]
        )
        file = tmp_path / f"{source}{number}.csv"
        rows = [row(draw) for _ in range(draw.randrange(1, 12))]
        file.write_text("\n".join([header, *rows]) + "\n")
        wanted, data = Wanted(file, source), kept(onefold.settings.data)

        said = predicted(rehearse(onefold.settings, wanted), onefold.store.segment_sizes())

        assert kept(onefold.settings.data) == data
        before = golden(onefold)
        load = import_file(onefold.settings, wanted, wait=False).load
        onefold.settle()
        assert came(onefold, load, before) == said


def test_of_two_rows_about_one_person_the_later_one_counts(
    onefold: Stepped, tmp_path: Path
) -> None:
    """Also where they lie in different batches of the log, and whenever all is computed again."""
    onefold.define(DEFINED.format(empty="keep"))
    file = tmp_path / "crm.csv"
    rows = [f"u{number % 700},,,Name {number},," for number in range(2_100)]
    file.write_text("id,mail,tel,name,level,born\n" + "\n".join(rows) + "\n")

    import_file(onefold.settings, Wanted(file, "crm"), wait=False)
    onefold.settle()

    for number in (0, 1, 350, 699):
        found = profile(onefold.settings, f"user_id:u{number}")
        assert found.traits["name"] == f"Name {number + 1_400}"
    assert not check_rebuild(onefold.settings).differences


def test_the_page_can_be_had_in_chinese(onefold: Stepped, tmp_path: Path) -> None:
    onefold.define(DEFINED.format(empty="keep"))
    file = tmp_path / "客户.csv"
    file.write_text(
        "id,mail,tel,name,level,born\nu1,a@gmial.com,12,王,,1.13.2000\nu2,,12,李,,\nu3\n"
    )

    found = rehearse(onefold.settings, Wanted(file, "crm"))
    page = page_of(found, "zh")

    assert '<html lang="zh">' in page
    assert "客户.csv 的导入预演" in page
    untold = set(re.findall(r"[A-Za-z][a-z ]{3,}", re.sub(r"<[^>]*>|`[^`]*`", " ", page)))
    assert not {"rows", "share", "reason", "complete", "Data quality", "Fields"} & untold
    assert "traits.born：&#x27;1.13.2000&#x27; 不符合任何一种给定格式" in page
    assert "有 1 个值，而列数为 6" in page
    assert "utf-8 编码，以 &#x27;,&#x27; 分隔，列名在第 1 行" in page
    # One of three rows cannot be read, one of the others is rejected.
    assert found.quality.valid == round(2 / 3 * 1 / 2, 4)
    with pytest.raises(InvalidInput, match="no such language"):
        page_of(found, "fr")


def test_the_same_order_in_another_export_is_one(onefold: Stepped, tmp_path: Path) -> None:
    """Daily exports overlap, and each has another name."""
    onefold.define(DEFINED.format(empty="keep"))
    orders = [f"o{number};u1;;{number},00;2026-01-0{number} 10:00" for number in range(1, 8)]
    for name, some in (("monday", orders[:5]), ("tuesday", orders[2:])):
        file = tmp_path / f"{name}.csv"
        file.write_text("\n".join(["order;id;mail;sum;at", *some]) + "\n")
        said = rehearse(onefold.settings, Wanted(file, "shop"))
        load = import_file(onefold.settings, Wanted(file, "shop"), wait=False).load
        onefold.settle()
        found = onefold.store.loads.get(load)
        assert (found.events, found.repeats) == (said.events, said.repeats)
    assert (found.events, found.repeats) == (2, 3)
    assert profile(onefold.settings, "user_id:u1").computed["spent"] == 28
