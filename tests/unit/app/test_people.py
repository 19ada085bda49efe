"""Tables of people: the same as record by record, whatever is written in them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.app.people.tables import settled, standardize_table
from onefold.app.people.values import Reading, ValueReader, read_values
from onefold.engine.duck import DuckEngine
from onefold.model.person import COLUMNS
from onefold.standardize.people.parts import READERS
from onefold.standardize.people.recognition import recognize
from onefold.standardize.people.records import standardize_record
from onefold.standardize.people.roles import ROLES, Layout
from onefold.testing.people import make_people

NASTY = (
    None, "", " ", "\t", "N/A", "null", "Null", "NaN", "-", "0", "00", "x" * 500, "'; --", "a\0b",
    "first name", "First Last", "Name, First", "Mr Smith", "smith, jr", "Nee Brown", "John Nee Brown",
    "de la", "Van Gogh", "Wei Zhang", "Ming Wei Li", "Zhang, Wei", "ZHANG Wei", "JOHN ii", "Jo Ann Smith",
    "John St Clair", "John O Neil", "Mc Donald", "张偉", "張 三", "欧阳娜娜", "김철수", "佐藤健", "Æsop Öz",
    "12 main st", "12 main st apt 4b", "12  main  st", "12 Main St, Apt. 4", "12 Main St, Leeds",
    "12 Main St, Germany", "12 High St, Leeds 2000", "12 High St, Apt 2000", "5/12 Smith Cres", "300 Court Avenue Unit4A",
    "221 B Baker St", "12 4th Avenue #7", "1 flat rock rd apt 4", "7 lot 4 lane unit 2", "12 box 4 road", "PO Box 12",
    "12 Hauptstraße", "12 apt apt apt 1", "9 n st # 2", "上海市杨浦区幸福路858号1栋1单元1002室", "上城区上海路295号", "某村12号", "甲12号",
    "十二号", "中山路甲12号", "中山路12号楼", "第12号", "幸福路12弄3号", "12号",
    "1985-03-07", "1985-3-7", "1985-02-31", "0000-01-01", "1900-01-01", "1985-01-01", "19850307", "07031985",
    "03/07/1985", "31/12/1985", "12/31/1985", "31.12.1985", "31-12-85", "07 MAR 1985", "07 Mai 1985", "7 March 85",
    "99991231", "2099-01-01", "1874-12-31", "1985-03-07 00:00:00", "85", "民國74年3月7日",
    "415-555-2671", "(415) 555.2671", "1 415 555 2671", "+1 415 555 2671", "001 415 555 2671", "+86 138 1234 5679",
    "13812345679", "+49 171 1239876", "(0049) 171 1239876", "+49 (0)171 1239876", "999-999-9999", "4155552671 x12", "1234567",
    "１３８１２３４５６７８", "+1", "+", "00", "+39 06 698 1234", "8 800 555 3535",
    "a@b.com", "A.B+c@GMAIL.com", "a.b@gmial.com", "none@none.com", "test@test.com", "x..y@acme.org", "+@gmail.com", ".@a.com",
    "a@b@c.com", "mailto:j@x.de", "j(at)x.de", "a@b", "é@x.de",
    "078-05-1120", "219-09-1234", "219091234", "11010519491231002X", "110105194912310021", "111111111111111111", "XXX-XX-1234",
    "C-0017", " c 17 ", "undefined", "0-0", "ffffffff-ffff-ffff-ffff-ffffffffffff", "94105-1234", "8.0", "12.5",
)  # fmt: skip
_SEVERAL = ("given_name", "email", "phone", "phone", "phone", "address_more", "identifier:card")
_KNOWN = [role for role in ROLES if role not in ("ignore", "source", "house_number")]


def differing(table: pa.Table, layout: Layout) -> list[str]:
    engine = DuckEngine(threads=2, memory_mb=1000)
    engine.keep("file", table)
    layout = settled(engine, "file", layout)
    assert standardize_table(engine, "file", layout, source="here") == table.num_rows
    found = engine.arrow("people", "SELECT * FROM people ORDER BY record_id").to_pylist()
    engine.close()
    return [
        f"{column}: {alone!r}, in the table {row[column]!r}: {record}"
        for record, row in zip(table.to_pylist(), found, strict=True)
        for person in [standardize_record(record, layout)]
        for column in COLUMNS
        if (alone := _listed(getattr(person, column))) != row[column]
    ]


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _layout(roles: list[str], **more: Any) -> Layout:
    return Layout({f"c{place}": role for place, role in enumerate(roles)}, **more)


def _table(rows: list[list[str | None]], count: int) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [[] for _ in range(count)]
    return pa.table({f"c{i}": pa.array(list(each), pa.string()) for i, each in enumerate(columns)})


@pytest.mark.parametrize("region", ["US", "CN", None])
def test_made_up_people_are_the_same_alone_and_in_a_table(region: str | None) -> None:
    table = make_people(1500, seed=5, duplicates=0.3)
    found = recognize(table.slice(0, 1000).to_pydict())
    assert (
        differing(table, Layout({h: each.role for h, each in found.items()}, region=region)) == []
    )


@pytest.mark.parametrize(
    ("region", "order"), [("US", "mdy"), ("CN", "dmy"), ("RU", None), (None, None)]
)
def test_nasty_values_in_any_column_are_the_same(region: str | None, order: str | None) -> None:
    roles = [*_KNOWN, *_SEVERAL]
    rows: list[list[str | None]] = [
        [NASTY[(place + 7 * turn) % len(NASTY)] for place in range(len(roles))]
        for turn in range(len(NASTY))
    ]
    rows += [[value] * len(roles) for value in NASTY]
    layout = _layout(roles, region=region, date_order=order)
    assert differing(_table(rows, len(roles)), layout) == []
    alone = [role for role in roles if role not in ("birth_date", "given_name", "family_name")]
    layout = _layout([*alone, "house_number"], region=region)
    assert differing(_table([[v] * (len(alone) + 1) for v in NASTY], len(alone) + 1), layout) == []


_LETTERS = "abJOHNwei zhang,.-'#/+@0123456789号路区张王栋单元室öß\t"
_VALUES = st.one_of(
    st.none(), st.sampled_from(NASTY), st.text(max_size=30), st.text(_LETTERS, max_size=25),
    st.from_regex(r"[0-9]{1,4} [A-Z]?[a-z]{2,8} (St|Ave|Road)(,? (apt|Unit|#|Ste\.) ?[0-9]{1,3}[a-c]?)?", fullmatch=True),
    st.from_regex(r"(Wei|Li|Mary|Dr|Jr|St|X|Ma) ?(Zhang|Van|Smith|A|II)? (Li|Jones|Wu|Sr)", fullmatch=True),
    st.from_regex(r"[+]?(1|86|49|00)?[ (]?[0-9]{3}[ )./-]{0,2}[0-9]{3,4}[ .-]?[0-9]{4}", fullmatch=True),
    st.from_regex(r"[0-3][0-9][/.-][0-3][0-9][/.-](19|20)[0-9]{2}|(19|20)[0-9]{6}", fullmatch=True),
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(_VALUES, min_size=12, max_size=12), min_size=1, max_size=12),
    st.permutations([*_KNOWN, *_SEVERAL]),
    st.sampled_from(["US", "CN", None]),
    st.sampled_from(["dmy", "mdy", None]),
)
def test_any_values_are_the_same(
    rows: list[list[str | None]], roles: list[str], region: str | None, order: str | None
) -> None:
    assert differing(_table(rows, 12), _layout(roles[:12], region=region, date_order=order)) == []


def test_columns_of_other_types_are_the_same() -> None:
    table = pa.table(
        {
            "zip": pa.array([94105.0, 12.5, None, 1e20]),
            "id": pa.array([17, 0, None, 2**53], pa.int64()),
            "born": pa.array([7, 0, None, 20_000], pa.date32()),
            "flag": pa.array([True, False, None, True]),
        }
    )
    layout = Layout(
        {"zip": "postcode", "id": "identifier:crm", "born": "birth_date", "flag": "company"}
    )
    assert differing(table, layout) == []


def test_values_that_several_processes_read_are_the_same() -> None:
    layout = Layout(region="US", columns={})
    values = sorted(set(make_people(300, seed=9)["full_name"].drop_null().to_pylist()))
    how = Reading("role", "full_name", READERS["full_name"].parts, layout)
    with ValueReader(others=1, least=2) as reader:
        found = reader.read(how, values)
        assert reader.read(how, values) == found
    assert found == read_values(how, values)
