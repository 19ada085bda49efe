"""Files of any size are read in the same memory: twenty times as many rows take no more."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.collect.sources.reading import PEAK

SOURCES = str(Path(__file__).parents[4] / "src")
ALLOWED_MB = 12
READING = (
    PEAK
    + """
import resource
import sys
from pathlib import Path
from onefold.collect.sources.files.formats import format_of, read_file, settings_of

file = Path(sys.argv[1])
kind = format_of(file)
rows = sum(len(one.records) for one in read_file(file, kind, settings_of(kind, {}), None))
beside = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(rows, max(peak_kb(), beside) >> 10)
"""
)
Rows = Callable[[int], Iterator[str]]


def csv(count: int) -> Iterator[str]:
    yield "编号,姓名,城市,备注\n"
    for n in range(count):
        yield f'C{n},"张{n}",北京市朝阳区,"{n % 97 * "好"}"\n'


def ndjson(count: int) -> Iterator[str]:
    for n in range(count):
        yield f'{{"id": "C{n}", "name": "张{n}", "lines": [{{"sku": "S{n}", "n": {n}}}]}}\n'


def json(count: int) -> Iterator[str]:
    yield '{"data": ['
    for n in range(count):
        yield f'{"," if n else ""}{{"id": "C{n}", "name": "张{n}", "note": "{n % 97 * "好"}"}}\n'
    yield "]}"


def xml(count: int) -> Iterator[str]:
    yield "<customers>"
    for n in range(count):
        yield f'<customer id="C{n}"><name>张{n}</name><city>北京市朝阳区</city></customer>\n'
    yield "</customers>"


def made(file: Path, rows: Iterator[str], encoding: str) -> Path:
    with file.open("w", encoding=encoding) as out:
        out.writelines(rows)
    return file


def workbook(file: Path, count: int) -> Path:
    """Six columns of texts, of which no two are the same."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    related = "http://schemas.openxmlformats.org/package/2006/relationships"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name, text in {
            "_rels/.rels": f'<Relationships xmlns="{related}"><Relationship Id="a"'
            f' Type="{kind}/officeDocument" Target="workbook.xml"/></Relationships>',
            "workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{kind}"><sheets>'
            '<sheet name="A" sheetId="1" r:id="a"/></sheets></workbook>',
            "_rels/workbook.xml.rels": f'<Relationships xmlns="{related}"><Relationship Id="a"'
            f' Type="{kind}/worksheet" Target="sheet.xml"/></Relationships>',
        }.items():
            packed.writestr(name, text)
        with packed.open("sheet.xml", "w") as out:
            out.write(f'<worksheet xmlns="{main}"><sheetData>'.encode())
            for n in range(count + 1):
                numbers = range(6 * n, 6 * n + 6)
                cells = "".join(
                    f'<c r="{"ABCDEF"[one % 6]}{n + 1}" t="s"><v>{one}</v></c>' for one in numbers
                )
                out.write(f'<row r="{n + 1}">{cells}</row>'.encode())
            out.write(b"</sheetData></worksheet>")
        with packed.open("sharedStrings.xml", "w") as out:
            out.write(f'<sst xmlns="{main}">'.encode())
            out.writelines(f"<si><t>张 number {n}</t></si>".encode() for n in range(6 * count + 6))
            out.write(b"</sst>")
    return file


def peak(file: Path, count: int) -> int:
    """The most memory (MB) of a process that reads the file, or of one that it starts for that."""
    done = subprocess.run(
        [sys.executable, "-c", READING, str(file)],
        env={"PYTHONPATH": SOURCES, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    rows, megabytes = map(int, done.stdout.split())
    assert rows == count
    return megabytes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "rows", "encoding"),
    [
        ("csv", csv, "gb18030"),
        ("ndjson", ndjson, "utf-8"),
        ("json", json, "utf-8"),
        ("xml", xml, "utf-8"),
    ],
)
def test_twenty_times_as_many_rows_take_no_more_memory(
    tmp_path: Path, suffix: str, rows: Rows, encoding: str
) -> None:
    small = peak(made(tmp_path / f"small.{suffix}", rows(20_000), encoding), 20_000)
    large = peak(made(tmp_path / f"large.{suffix}", rows(400_000), encoding), 400_000)
    assert large - small <= ALLOWED_MB, (small, large)
    assert large < 120


@pytest.mark.slow
def test_a_large_workbook_takes_no_more_memory_than_its_texts_may(tmp_path: Path) -> None:
    """What holds a sheet takes 250 MB for this one."""
    assert peak(workbook(tmp_path / "x.xlsx", 400_000), 400_000) < 130
