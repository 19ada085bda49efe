"""Workbooks read as a stream give what a reader that holds them gives, however their XML is written."""

from __future__ import annotations

import random
import re
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.collect.sources.files import kept_texts
from onefold.collect.sources.files.books import Book, HeldBook, opened
from onefold.collect.sources.files.kept_texts import KeptTexts
from onefold.collect.sources.files.open_xml import OpenXmlBook
from onefold.model.errors import InvalidInput

_PLAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKED = "http://schemas.openxmlformats.org/package/2006/relationships"
_CODES = ("0.00", "yyyy-mm-dd", "[h]:mm:ss", 'h:mm "d"', '#,##0 "yd"', "[Red]0;[Blue]d", "General")
_BUILT_IN = (0, 1, 9, 14, 20, 22, 45, 46, 47, 49)


def packed(folder: Path, sheets: Sequence[str], shared: str = "", **more: Any) -> Path:
    """A workbook of these sheets (the XML of their parts)."""
    days = ' date1904="1"' if more.get("from_1904") else ""
    kinds = {more.get("chart"): "chartsheet"}
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{_PACKED}"><Relationship Id="r1"'
        f' Type="{_RELATED}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_PLAIN}" xmlns:r="{_RELATED}"><workbookPr{days}/><sheets>'
        + "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="r{n}"/>' for n in range(len(sheets)))
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKED}">'
        + "".join(
            f'<Relationship Id="r{n}" Type="{_RELATED}/{kinds.get(f"r{n}", "worksheet")}" Target="worksheets/s{n}.xml"/>'
            for n in range(len(sheets))
        )
        + "</Relationships>",
        "xl/styles.xml": more.get("styles")
        or f'<styleSheet xmlns="{_PLAIN}"><numFmts>'
        + "".join(
            f'<numFmt numFmtId="{164 + n}" formatCode="{escape(code, {chr(34): "&quot;"})}"/>'
            for n, code in enumerate(_CODES)
        )
        + "</numFmts><cellStyleXfs><xf numFmtId='14'/></cellStyleXfs><cellXfs>"
        + "".join(f'<xf numFmtId="{n}"/>' for n in (*_BUILT_IN, *range(164, 164 + len(_CODES))))
        + "</cellXfs></styleSheet>",
        **{f"xl/worksheets/s{n}.xml": sheet for n, sheet in enumerate(sheets)},
    }
    if shared:
        parts["xl/sharedStrings.xml"] = shared
    file = folder / "x.xlsx"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return file


def sheet(rows: str, namespace: str = _PLAIN) -> str:
    return f'<worksheet xmlns="{namespace}"><sheetData>{rows}</sheetData></worksheet>'


def rows(book: Book, name: str = "S0") -> dict[int, list[Any]]:
    """The rows that have a value, without what is empty on their right."""
    found = {}
    for number, row in book.rows(name):
        while row and row[-1] == "":
            row.pop()
        if row:
            found[number] = row
    return found


def streamed(file: Path, name: str = "S0") -> dict[int, list[Any]]:
    with opened(file) as book:
        assert isinstance(book, OpenXmlBook)
        return rows(book, name)


TEXTS = st.text(st.sampled_from("ab 张\u00a0\U0001f600&<>\"'_x0D\n\t"), max_size=8)
FAR = st.one_of(
    st.integers(-(10**17), 10**17).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
"""Numbers that are no days: a reader that takes them for such may break."""
DAYS = st.one_of(
    st.integers(-(10**7), 10**7).map(str),
    st.floats(0, 80_000, width=32).map(repr),
    st.floats(-1e7, 1e7).map(repr),
    st.sampled_from(["0", "59", "60", "61", "0.5", "1", "45292", "45292.75", "2958466", "-1"]),
)
TIMES = st.sampled_from(
    ["2024-05-01", "2024-05-01T10:00:00", "2024-05-01T10:00:00.5", "10:30:00", "soon"]
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """What is within an element that holds a text, in one of the ways to say it."""
    some = [escape(one) for one in draw(st.lists(TEXTS, max_size=3))]
    space = draw(st.sampled_from(["", ' xml:space="preserve"']))
    way = draw(st.sampled_from(["one", "one", "rich", "spoken", "none", "apart"]))
    if way == "none" or not some:
        return draw(st.sampled_from(["", "<t/>", "<t></t>"]))
    if way == "rich":
        return "".join(f"<r><rPr><b/></rPr><t{space}>{one}</t></r>" for one in some)
    if way == "spoken":
        return f'<t{space}>{some[0]}</t><rPh sb="0" eb="1"><t>x</t></rPh><phoneticPr fontId="1"/>'
    if way == "apart":
        return f"<t{space}>{some[0]}<![CDATA[<&]]></t>"
    return f"<t{space}>{some[0]}</t>"


@st.composite
def cells(draw: st.DrawFn, place: str, shared: int) -> str:
    style = draw(st.sampled_from(["", f' s="{draw(st.integers(0, 18))}"']))
    r = f' r="{place}"' if place else ""
    numbers = DAYS if style else st.one_of(DAYS, FAR)
    kind = draw(
        st.sampled_from(["n", "n", "n", "s", "s", "s", "b", "e", "str", "inline", "d", "f", ""])
    )
    if kind == "s" and shared:
        number = draw(st.integers(0, shared - 1))
        return f'<c{r}{style} t="s"><v>{number}</v></c>'
    if kind == "b":
        return f'<c{r}{style} t="b"><v>{draw(st.integers(0, 1))}</v></c>'
    if kind == "e":
        return f'<c{r}{style} t="e"><v>#N/A</v></c>'
    if kind == "str":
        return f'<c{r}{style} t="str"><f>A1&amp;B1</f><v>{escape(draw(TEXTS))}</v></c>'
    if kind == "inline":
        return f'<c{r}{style} t="inlineStr"><is>{draw(texts())}</is></c>'
    if kind == "d":
        return f'<c{r}{style} t="d"><v>{draw(TIMES)}</v></c>'
    if kind == "f":
        return f'<c{r}{style}><f t="shared" si="0"/><v>{draw(numbers)}</v></c>'
    if kind == "n":
        written = draw(st.sampled_from(["", ' t="n"']))
        return f"<c{r}{style}{written}><v>{draw(numbers)}</v></c>"
    return draw(
        st.sampled_from([f"<c{r}{style}/>", f"<c{r}{style}></c>", f"<c{r}{style}><v></v></c>"])
    )


@st.composite
def workbooks(draw: st.DrawFn) -> tuple[str, str, bool]:
    """A sheet, the shared texts, and whether days count from 1904."""
    said = draw(st.lists(texts(), max_size=70))
    placed = draw(st.booleans())
    found, at = [], 0
    for _ in range(draw(st.integers(0, 12))):
        at += draw(st.sampled_from([1, 1, 1, 2, 5])) if placed else 1
        columns = draw(st.lists(st.integers(0, 30), unique=True, max_size=6).map(sorted))
        within = "".join(
            draw(
                cells(
                    f"{chr(65 + one) if one < 26 else 'A' + chr(39 + one)}{at}" if placed else "",
                    len(said),
                )
            )
            for one in columns
        )
        about = f' r="{at}"' if placed and draw(st.booleans()) else ""
        blank = draw(st.sampled_from(["", "", "\n  ", "<!-- <row> -->"]))
        found.append(f'{blank}<row{about} spans="1:9" ht="1.5">{within}</row>')
        for _ in range(draw(st.integers(0, 3)) if placed else 0):
            found.append(re.sub(rf'( r="[A-Z]*){at}"', rf'\g<1>{at + 1}"', found[-1]))
            at += 1
    namespace = draw(st.sampled_from([_PLAIN, _STRICT]))
    text = sheet("".join(found), namespace)
    shared = f'<sst xmlns="{namespace}">' + "".join(f"<si>{one}</si>" for one in said) + "</sst>"
    way = draw(st.sampled_from(["", "", "prefix", "single"]))
    if way == "prefix":
        text = re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", text).replace("xmlns=", "xmlns:x=")
    elif way == "single":
        text = re.sub(r' s="(\d+)"', r" s='\1'", text)
    return text, shared, draw(st.booleans())


@given(made=workbooks())
@settings(max_examples=400, deadline=None)
def test_a_stream_gives_what_is_held(made: tuple[str, str, bool]) -> None:
    text, shared, from_1904 = made
    with tempfile.TemporaryDirectory() as folder:
        file = packed(Path(folder), [text], shared, from_1904=from_1904)
        assert streamed(file) == rows(HeldBook(file))


def test_numbers_in_the_formats_of_east_asia_are_dates(tmp_path: Path) -> None:
    """Excel in Chinese, Japanese or Korean writes these formats by their number alone."""
    styles = f'<styleSheet xmlns="{_PLAIN}"><cellXfs><xf numFmtId="31"/></cellXfs></styleSheet>'
    file = packed(
        tmp_path, [sheet('<row r="1"><c r="A1" s="0"><v>45292</v></c></row>')], styles=styles
    )
    assert streamed(file) == {0: [date(2024, 1, 1)]}


ODD = [
    (
        f'<!DOCTYPE w [<!ENTITY a "x">]>{sheet("<row><c><v>1</v></c></row>")}',
        r"document type \(DTD\)",
    ),
    (sheet("<row><c><v>1</v></c></row>").removesuffix("</sheetData></worksheet>"), "is cut off"),
    (sheet("<row><c><v>1</c></row>"), "tag mismatch"),
    (sheet('<row><c t="str"><v>&a;</v></c></row>'), "no element found|'a' not defined"),
    (sheet('<row><c t="s"><v>7</v></c></row>'), "there is no text 7, but 0 in all"),
    (sheet('<row><c r="XFE1"><v>7</v></c></row>'), "XFE: there is no such column"),
    (sheet('<row><c t="zip"><v>7</v></c></row>'), "zip: is no type of cells"),
    (sheet(f'<row><c t="str"><v>{"x" * (17 << 20)}</v></c></row>'), "more than 16,777,216 bytes"),
]


@pytest.mark.parametrize(("text", "said"), ODD, ids=[said for _, said in ODD])
def test_what_is_broken_or_hostile_is_told(tmp_path: Path, text: str, said: str) -> None:
    file = packed(tmp_path, [text])
    with pytest.raises(InvalidInput, match=f"x.xlsx.*cannot be read\n.*{said}"):
        streamed(file)


def test_a_part_that_is_not_there_is_told(tmp_path: Path) -> None:
    file = packed(tmp_path, [sheet("")])
    with zipfile.ZipFile(file) as archive:
        kept = {one: archive.read(one) for one in archive.namelist() if "sheets/" not in one}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
    with pytest.raises(InvalidInput, match=r"has no part 'xl/worksheets/s0\.xml'"):
        streamed(file)


def test_charts_are_no_sheets_and_empty_sheets_have_no_rows(tmp_path: Path) -> None:
    file = packed(tmp_path, [sheet(""), "<chartsheet/>"], chart="r1")
    with opened(file) as book:
        assert book.names == ["S0"]
        assert list(book.rows("S0")) == []


def rewritten(file: Path, part: str, *changes: tuple[str, str]) -> None:
    """The workbook with a part in which these texts stand for those."""
    with zipfile.ZipFile(file) as archive:
        kept = {one: archive.read(one).decode() for one in archive.namelist()}
    for before, after in changes:
        assert before in kept[part]
        kept[part] = kept[part].replace(before, after)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)


def test_parts_may_be_named_from_the_top_of_the_archive(tmp_path: Path) -> None:
    cells = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="3"><v>45000</v></c></row>'
    shared = f'<sst xmlns="{_PLAIN}"><si><t>Bonn</t></si></sst>'
    file = packed(tmp_path, [sheet(cells)], shared=shared)
    others = "".join(
        f'<Relationship Id="{kind}" Type="{_RELATED}/{kind}" Target="/xl/{kind}.xml"/>'
        for kind in ("sharedStrings", "styles")
    )
    rewritten(
        file,
        "xl/_rels/workbook.xml.rels",
        ('"worksheets/s0.xml"', '"/xl/worksheets/s0.xml"'),
        ("</Relationships>", f"{others}</Relationships>"),
    )
    assert streamed(file) == {0: ["Bonn", date(2023, 3, 15)]}


def test_modules_of_macros_are_no_sheets(tmp_path: Path) -> None:
    file = packed(tmp_path, [sheet("")])
    module = '<sheet name="Module" sheetId="9" r:id=""/></sheets>'
    rewritten(file, "xl/workbook.xml", ("</sheets>", module))
    with opened(file) as book:
        assert book.names == ["S0"]


def test_texts_asked_for_in_any_order_take_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_texts, "_MOST_BYTES", 20_000)
    with closing(KeptTexts(f"text {n}" for n in range(10_000))) as texts:
        draw = random.Random(1)
        for number in [*range(10_000), *draw.choices(range(10_000), k=10_000)]:
            assert texts.told(str(number)) == f"text {number}"
            assert sum(map(len, texts.at_hand())) < 2 * 20_000 / 80
        with pytest.raises(ValueError, match="there is no text 10000"):
            texts.told("10000")
