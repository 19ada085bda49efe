"""A file is imported: every row accounted for, once, whatever breaks it off; and rehearsed before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from onefold.app.access import make_workspace
from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.imports.importing import import_file
from onefold.app.imports.page import page_of
from onefold.app.imports.rehearsing import rehearse
from onefold.app.imports.wanted import Wanted
from onefold.app.profiles.finding import profile
from onefold.app.syncs.services import load_cancel, load_list
from onefold.app.workspace import open_store
from onefold.config import Settings
from onefold.model.errors import InvalidInput
from onefold.testing.patience import wait_until
from tests.acceptance.conftest import Stepped

DEFINED = """
kind: source
name: crm
type: csv
country: CN
mapping:
  identifiers: {user_id: 编号, phone: 手机}
  traits: {name: 姓名, level: 等级}
---
kind: mapping
name: leads
identifiers: {email: mail}
traits: {name: name}
---
kind: segment
name: gold
rule: level = '金'
"""
ROWS = "编号,姓名,手机,等级\nC1,张伟,13812345679,金\nC2,李娜,13812345670,银\n,无名,,金\nC4,王芳\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "customers.csv"
    found.write_text(ROWS, encoding="gb18030")
    return found


def test_every_row_of_a_file_is_an_event_or_a_reject(onefold: Stepped, file: Path) -> None:
    onefold.define(DEFINED)

    import_file(onefold.settings, Wanted(file, "crm"), wait=False)
    onefold.settle()

    known = profile(onefold.settings, "phone:+8613812345679")
    assert known.traits == {"name": "张伟", "level": "金", "phone": "13812345679"}
    assert onefold.store.segment_sizes() == {"gold": 1}
    counters = onefold.store.counters()
    assert (counters["events"], counters["rejects"]) == (2, 2)
    (load,) = onefold.store.loads.page(1 << 60, 10)
    assert (load.kind, load.state, load.rows, load.unreadable) == ("import", "done", 3, 1)


def test_the_same_file_again_tells_nothing_new(onefold: Stepped, file: Path) -> None:
    onefold.define(
        DEFINED.replace("  identifiers: {user_id", "  time: 日期\n  identifiers: {user_id")
    )
    file.write_text(
        "编号,姓名,手机,等级,日期\nC1,张伟,13812345679,金,2026-01-01\nC2,李娜,13812345670,银,2026-01-02\n"
    )
    for _ in range(2):
        import_file(onefold.settings, Wanted(file, "crm"), wait=False)
        onefold.settle()
    counters = onefold.store.counters()
    assert (counters["events"], counters["duplicates"], counters["profiles"]) == (2, 2, 2)


def test_an_import_that_is_broken_off_while_it_is_folded_is_no_other_one(
    onefold: Stepped, file: Path
) -> None:
    onefold.define(DEFINED)

    class Killed(BaseException):
        pass

    def tell(what: str, _done: int, _total: int) -> None:
        if "folded" in what:
            raise Killed

    with pytest.raises(Killed):
        import_file(onefold.settings, Wanted(file, "crm"), tell=tell)
    import_file(onefold.settings, Wanted(file, "crm"), wait=False)
    onefold.settle()

    (load,) = onefold.store.loads.page(1 << 60, 10)
    assert (load.rows, load.events, load.state) == (3, 2, "done")

    with pytest.raises(Killed):
        import_file(onefold.settings, Wanted(file, "crm"), tell=tell)
    stopped = load_cancel(onefold.settings, load.id + 1)
    assert stopped.state == "canceled", "nobody is there to hear that it is to stop"


def test_a_file_that_came_in_before_is_told(onefold: Stepped, file: Path) -> None:
    onefold.define(DEFINED)
    found = [import_file(onefold.settings, Wanted(file, "crm"), wait=False) for _ in range(2)]
    file.write_text(ROWS.replace("王芳", "王方方"), encoding="gb18030")
    found.append(import_file(onefold.settings, Wanted(file, "crm"), wait=False))
    assert [one.same_as for one in found] == [None, found[0].load, None]


@pytest.mark.parametrize(
    ("name", "source"),
    [("new leads.2024.ndjson", "new-leads"), ("客户.ndjson", "KeHu"), ("….ndjson", "file")],
)
def test_a_mapping_may_be_named_and_the_file_name_is_the_source(
    onefold: Stepped, tmp_path: Path, name: str, source: str
) -> None:
    onefold.define(DEFINED)
    file = tmp_path / name
    file.write_text('{"mail": "a@example.com", "name": "Ann"}\n')
    import_file(onefold.settings, Wanted(file, mapping="leads"), wait=False)
    onefold.settle()
    assert profile(onefold.settings, "email:a@example.com").traits["name"] == "Ann"
    (load,) = onefold.store.loads.page(1 << 60, 10)
    assert load.source == source


def test_numbers_of_no_country_are_told_with_the_load(onefold: Stepped, tmp_path: Path) -> None:
    onefold.define(DEFINED.replace("country: CN\n", ""))
    file = tmp_path / "customers.csv"
    file.write_text(
        "编号,姓名,手机,等级\nC1,张伟,13812345679,金\nC2,李娜,+8613812345670,银\nC3,王芳,,金\n"
    )

    import_file(onefold.settings, Wanted(file, "crm"), wait=False)
    onefold.settle()

    (load,) = load_list(onefold.settings)
    assert (load.events, load.nameless_phones, load.nameless_emails) == (3, 1, 0)


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        (Wanted(Path("gone.csv"), "crm"), "there is no such file"),
        (Wanted(Path("x.csv"), "shop"), "the source 'shop' has no mapping"),
        (Wanted(Path("x.csv"), "crm", "lead"), "did you mean 'leads'?"),
        (Wanted(Path("x.csv"), "crm", options={"delimeter": ";"}), "delimeter"),
        (Wanted(Path("x.csv"), "crm", format="pdf"), "is no format of files"),
    ],
)
def test_what_cannot_be_imported_is_told(
    onefold: Stepped, tmp_path: Path, wanted: Wanted, fault: str
) -> None:
    onefold.define(DEFINED)
    (tmp_path / "x.csv").write_text(ROWS)
    with pytest.raises(InvalidInput) as raised:
        import_file(onefold.settings, wanted._replace(file=tmp_path / wanted.file), wait=False)
    assert fault in str(raised.value)
    assert onefold.store.loads.page(1 << 60, 10) == []


def state(onefold: Stepped) -> list[Any]:
    """Everything that the store holds."""
    tables = (
        "profiles", "identifiers", "fresh_identifiers", "members", "rejects", "loads", "seen",
        "fresh_seen", "lake_queue",
    )  # fmt: skip
    return [onefold.store.db.rows(f"select * from {one} order by 1, 2") for one in tables]


def test_a_rehearsal_says_what_an_import_does_and_keeps_nothing(
    onefold: Stepped, file: Path
) -> None:
    onefold.define(DEFINED)
    onefold.take(
        {"userId": "C1", "type": "identify", "traits": {"name": "张大伟", "level": "银"}},
        {"userId": "C9", "type": "identify", "traits": {"phone": "+8613812345670"}},
    )
    before = state(onefold)

    found = rehearse(onefold.settings, Wanted(file, "crm"))

    assert state(onefold) == before
    assert (found.rows, found.unreadable, found.sampled, found.whole) == (3, 1, 3, True)
    assert (found.events, found.rejects, found.repeats) == (2, 1, 0)
    assert found.unreadable_reasons == {"has 2 values, and there are 4 columns": 1}
    assert (found.new, found.updated, found.merged) == (1, 1, 0)
    assert [(one.trait, one.count, one.wins) for one in found.conflicts] == [
        ("level", 1, 1),
        ("name", 1, 1),
    ]
    assert found.conflicts[1].examples == (("user_id:C1", "张大伟", "张伟"),)
    assert [(one.segment, one.now, one.entering, one.leaving) for one in found.segments] == [
        ("gold", 0, 1, 0)
    ]
    fills = {one.name: (one.filled, one.rows) for one in found.fields}
    assert fills == {"编号": (2, 3), "姓名": (3, 3), "手机": (2, 3), "等级": (3, 3)}
    assert found.quality.valid == 0.5  # one cannot be read, one is rejected
    assert found.quality.consistent == 0.0

    import_file(onefold.settings, Wanted(file, "crm"), wait=False)
    onefold.settle()
    assert onefold.store.segment_sizes() == {"gold": 1}
    again = rehearse(onefold.settings, Wanted(file, "crm"))
    assert (again.new, again.updated, again.unchanged, again.conflicts) == (0, 0, 2, ())


def test_a_rehearsal_says_how_a_file_is_read_and_what_the_mapping_misses(
    onefold: Stepped, file: Path, tmp_path: Path
) -> None:
    onefold.define(DEFINED)
    found = rehearse(onefold.settings, Wanted(file, "crm"))
    assert found.read_as == "gb18030, divided by ',', columns named in line 1"
    assert found.missing == ()

    other = tmp_path / "other.csv"
    other.write_text("Number;name\n1;Ann\n")
    found = rehearse(onefold.settings, Wanted(other, "crm", "leads"))
    assert (found.read_as, found.missing) == (
        "utf-8, divided by ';', columns named in line 1",
        ("mail",),
    )
    assert "The mapping asks for what no row has: mail." in page_of(found)


def test_a_large_file_is_rehearsed_with_rows_at_even_distances(
    onefold: Stepped, tmp_path: Path
) -> None:
    onefold.define(DEFINED)
    file = tmp_path / "x.csv"
    rows = "".join(f"C{n},N{n},,{'金' if n % 2 else '银'}\n" for n in range(40_000))
    file.write_text("编号,姓名,手机,等级\n" + rows)
    found = rehearse(onefold.settings, Wanted(file, "crm"), sample=500)
    assert (found.rows, found.whole) == (40_000, False)
    assert 500 <= found.sampled <= 1_000
    assert found.new == found.sampled


def test_the_page_of_a_rehearsal_shows_values_as_text(onefold: Stepped, tmp_path: Path) -> None:
    onefold.define(DEFINED)
    file = tmp_path / "x.csv"
    file.write_text("编号,姓名,手机,等级\nC1,<script>alert(1)</script>,,金\n")
    page = page_of(rehearse(onefold.settings, Wanted(file, "crm")))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "gold" in page


@pytest.mark.slow
def test_an_import_that_is_killed_goes_on_and_brings_every_row_once(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", min_free_disk=0)
    make_workspace(settings)
    with open_store(settings) as store:
        put(store, read_text(DEFINED), "test")
    file = tmp_path / "customers.csv"
    rows = 60_000
    file.write_text(
        "编号,姓名,手机,等级\n" + "".join(f'C{n},"N\n{n}",,金\n' for n in range(rows)),
        encoding="gb18030",
    )
    line = [sys.executable, "-m", "onefold", "--data", str(settings.data), "--min-free-disk", "0"]
    line += ["import", str(file), "--source", "crm"]
    for wanted in (1, 20_000):
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

        def is_amidst(process: subprocess.Popen[bytes] = process, wanted: int = wanted) -> bool:
            assert process.poll() is None, process.communicate()
            with open_store(settings) as store:
                loads = store.loads.page(1 << 60, 1)
            return bool(loads) and loads[0].rows >= wanted

        wait_until(is_amidst, f"{wanted} rows are read")
        process.kill()
        process.communicate()
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with open_store(settings) as store:
        (load,) = store.loads.page(1 << 60, 10)
        assert (load.state, load.rows, load.unreadable) == ("done", rows, 0)
        counters = store.counters()
        assert (counters["events"], counters["profiles"]) == (rows, rows)
        assert counters.get("rejects", 0) == 0
