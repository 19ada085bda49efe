"""Importing files: customers in GB 18030 or as a workbook to golden profiles, orders as NDJSON, rehearsal, memory.

Run by `python -m bench.importing customers 1000000`, `… workbook 1000000`, `… events 1000000`,
`… rehearse 1000000`, `… read 1000000` (of a workbook with `--file x.xlsx`). Each makes its file and a workspace in
a temporary folder. With `--up` a server runs, and takes part in what is told of memory.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import chain
from pathlib import Path

SURNAMES, GIVEN = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗",
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平",
)
PROCESSES = {
    "onefold.app.worker.reading": "read-ahead",
    "onefold.collect.sources.files.sheets": "workbook",
    **{one: one for one in ("import", "up", "web", "worker", "jobs")},
}
LETTERS = "ABCDEFGHIJ"
CITIES = ("北京市朝阳区", "上海市徐汇区", "广州市天河区", "深圳市南山区", "杭州市西湖区")
DEFINED = """
kind: source
name: crm
type: csv
country: CN
mapping:
  identifiers: {user_id: 客户编号, phone: 手机, email: 邮箱}
  traits:
    name: 姓名
    gender: 性别
    birth_date: 生日
    city: 城市
    level: 会员等级
    spent: {from: 累计消费, type: number}
---
kind: source
name: shop
type: json
mapping:
  event: Order Completed
  id: order
  time: at
  identifiers: {user_id: customer}
  properties: {order_id: order, revenue: total}
---
kind: segment
name: gold
rule: level = '金'
"""


COLUMNS = [
    "客户编号",
    "姓名",
    "性别",
    "手机",
    "邮箱",
    "生日",
    "城市",
    "会员等级",
    "累计消费",
    "备注",
]
BIRTHDAY, SPENT = 5, 8


def people(count: int) -> Iterator[list[str]]:
    """Customers: a row of ten columns each."""
    draw = random.Random(1)
    for n in range(count):
        name = draw.choice(SURNAMES) + "".join(draw.choices(GIVEN, k=draw.randint(1, 2)))
        phone = f"1{draw.choice('3578')}{draw.randrange(10**9):09d}"
        born = (
            f"{draw.randrange(1950, 2006)}-{draw.randrange(1, 13):02d}-{draw.randrange(1, 29):02d}"
        )
        yield [
            f"C{n:08d}", name, draw.choice("男女"), phone, f"u{n}@example{n % 50}.cn", born,
            draw.choice(CITIES), draw.choice("金银铜"), str(draw.randrange(10**6) / 100), "",
        ]  # fmt: skip


def customers(file: Path, count: int) -> None:
    """A CSV of ten columns."""
    with file.open("w", encoding="gb18030", newline="") as out:
        out.writelines(",".join(row) + "\n" for row in (COLUMNS, *people(count)))


def workbook(file: Path, count: int) -> None:
    """A workbook as spreadsheets write it: texts apart, each once, and days as numbers."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    related = "http://schemas.openxmlformats.org/package/2006/relationships"
    targets = {
        "worksheet": "sheet.xml",
        "sharedStrings": "sharedStrings.xml",
        "styles": "styles.xml",
    }
    relations = "".join(
        f'<Relationship Id="{one}" Type="{kind}/{one}" Target="{path}"/>'
        for one, path in targets.items()
    )
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{related}"><Relationship Id="a" Type="{kind}/officeDocument"'
        ' Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{kind}"><sheets>'
        '<sheet name="客户" sheetId="1" r:id="worksheet"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{related}">{relations}</Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
    }
    texts: dict[str, int] = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name, text in parts.items():
            packed.writestr(name, text)
        with packed.open("xl/sheet.xml", "w", force_zip64=True) as out:
            out.write(f'<worksheet xmlns="{main}"><sheetData>'.encode())
            for number, row in enumerate(chain([COLUMNS], people(count)), 1):
                cells = []
                for at, value in enumerate(row):
                    if number > 1 and at == BIRTHDAY:
                        days = (date.fromisoformat(value) - date(1899, 12, 30)).days
                        cells.append(f'<c r="{LETTERS[at]}{number}" s="1"><v>{days}</v></c>')
                    elif number > 1 and at == SPENT:
                        cells.append(f'<c r="{LETTERS[at]}{number}"><v>{value}</v></c>')
                    elif value:
                        known = texts.setdefault(value, len(texts))
                        cells.append(f'<c r="{LETTERS[at]}{number}" t="s"><v>{known}</v></c>')
                out.write(f'<row r="{number}">{"".join(cells)}</row>'.encode())
            out.write(b"</sheetData></worksheet>")
        with packed.open("xl/sharedStrings.xml", "w", force_zip64=True) as out:
            out.write(f'<sst xmlns="{main}">'.encode())
            out.writelines(f"<si><t>{one}</t></si>".encode() for one in texts)
            out.write(b"</sst>")


def orders(file: Path, count: int) -> None:
    """NDJSON of orders: ten a customer."""
    draw = random.Random(2)
    with file.open("w") as out:
        for n in range(count):
            day = f"2026-{draw.randrange(1, 12):02d}-{draw.randrange(1, 29):02d}T08:00:00Z"
            who = f"C{draw.randrange(max(1, count // 10)):08d}"
            row = {
                "order": f"O{n}",
                "customer": who,
                "at": day,
                "total": draw.randrange(10**5) / 100,
            }
            out.write(json.dumps(row) + "\n")


def memory_of(*processes: int) -> dict[str, int]:
    """Resident bytes by process, and of all below them, without what they share counted twice."""
    found: dict[str, int] = {}
    for one in (one for process in processes for one in (process, *below(process))):
        try:
            told = Path(f"/proc/{one}/smaps_rollup").read_text()
            words = Path(f"/proc/{one}/cmdline").read_text().split("\0")
        except OSError:
            continue
        size = next(line.split()[1] for line in told.splitlines() if line.startswith("Pss:"))
        name = next((word for word in words if word in PROCESSES), words[-2] if words[1:] else "")
        found[PROCESSES.get(name, name)] = int(size) << 10
    return found


def below(process: int) -> list[int]:
    """The processes that a process started, and those below them."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = [int(one) for one in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *below(child)]
    return found


def run(*line: str, beside: int = 0) -> tuple[float, dict[str, int], str]:
    """Run Onefold; seconds, the memory of its processes when it was most, and what it said.

    With it count the processes of the tree that runs `beside`, if one does.
    """
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "onefold", *line], stdout=subprocess.PIPE, text=True
    )
    most: dict[str, int] = {}
    over = threading.Event()

    def watch() -> None:
        nonlocal most
        # To count the pages of some hundred megabytes holds their process up: five times a second cost a sixth.
        while not over.wait(1.0):
            now = memory_of(process.pid, *([beside] if beside else []))
            most = max(most, now, key=lambda one: sum(one.values()))

    thread = threading.Thread(target=watch)
    thread.start()
    out, _ = process.communicate()
    over.set()
    thread.join()
    if process.returncode:
        raise SystemExit(out)
    return time.monotonic() - start, most, out


@contextmanager
def server(wanted: bool) -> Iterator[int]:
    """`onefold up`, if it is wanted: the number of its process, else 0."""
    if not wanted:
        yield 0
        return
    line = [sys.executable, "-m", "onefold", "up", "--port", "0", "--json"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        while not process.stdout.readline().endswith(b"}\n"):
            pass
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def read(file: Path) -> None:
    """The reader alone, with the process that it starts for a workbook: seconds, and the memory of each."""
    import resource

    from onefold.collect.sources.files.formats import format_of, read_file, settings_of

    rows = 0
    kind = format_of(file)
    for batch in read_file(file, kind, settings_of(kind, {}), None):
        rows += len(batch.records)
    used = [resource.getrusage(one) for one in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(one.ru_utime + one.ru_stime for one in used)
    peak = " and ".join(f"{one.ru_maxrss >> 10} MB" for one in used if one.ru_maxrss)
    print(f"{rows:,} rows of {file.stat().st_size >> 20} MB in {seconds:.1f} s of CPU; peak {peak}")


def main() -> None:
    """Make the file and the workspace, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["customers", "workbook", "events", "rehearse", "read"])
    parser.add_argument("count", type=int, default=1_000_000, nargs="?")
    parser.add_argument("--up", action="store_true", help="import into a running server")
    parser.add_argument("--file", type=Path, help="take this file, and make it if it is not there")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onefold-bench-") as folder:
        data, defined = Path(folder) / "data", Path(folder) / "defined"
        events = chosen.what == "events"
        named = {"events": "orders.ndjson", "workbook": "customers.xlsx"}
        file = chosen.file or Path(folder) / named.get(chosen.what, "customers.csv")
        if not file.exists():
            make = orders if events else workbook if file.suffix == ".xlsx" else customers
            make(file, chosen.count)
        if chosen.what == "read":
            read(file)
            return
        defined.mkdir()
        kind = "excel" if file.suffix == ".xlsx" else "csv"
        (defined / "all.yaml").write_text(DEFINED.replace("type: csv", f"type: {kind}"))
        os.environ["ONEFOLD_DATA"] = str(data)
        run("init")
        run("apply", str(defined))
        line = ["import", str(file), "--source", "shop" if events else "crm"]
        line += ["--rehearse"] if chosen.what == "rehearse" else []
        with server(chosen.up) as beside:
            seconds, most, out = run(*line, beside=beside)
        print(out.splitlines()[0])
        each = ", ".join(f"{name} {size >> 20}" for name, size in most.items())
        print(
            f"{chosen.count:,} rows, {file.stat().st_size >> 20} MB: {seconds:.1f} s,"
            f" {chosen.count / seconds:,.0f} a second;"
            f" peak of all processes {sum(most.values()) >> 20} MB ({each})"
        )


if __name__ == "__main__":
    main()
