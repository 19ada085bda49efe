"""Reasons in Chinese: each that the code has is known, and says the same."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import onefold
from onefold.app.imports import reason_words
from onefold.app.imports.page_words import reasons_in
from onefold.app.imports.reason_words import in_chinese
from onefold.standardize.faults import wrong_type
from onefold.standardize.mapping import coded
from onefold.standardize.units import UNITS

ROOT = Path(onefold.__file__).parent
MAKERS = [
    *(f"standardize/{name}" for name in (
        "calls", "envelopes", "events", "identifiers", "parsing", "times", "units", "writing",
        "normalizers", "plans/judging", "plans/schemas", "mapping/coded", "mapping/columns",
        "mapping/event_mapping", "mapping/money", "mapping/records", "mapping/values",
    )),
    *(f"collect/sources/files/{one.stem}" for one in (ROOT / "collect/sources/files").glob("[a-z]*.py")
      if one.stem not in ("formats", "file_systems", "http_place", "object_stores", "sftp_place")),
    *(f"collect/sources/{name}" for name in (
        "kafka_values", "mqtt", "sql_table", "mysql_stream", "postgres_reading", "rest/pages", "debezium/source",
    )),
    "app/syncs/appending",
]  # fmt: skip
"""All that makes a reason why a row is rejected or cannot be read, or says how a file is read."""
BEGINNING = re.compile(
    r"(\{\} )?(is|are|has|holds|stands|opens|names|says|nests|lies|may|does|needs|seems|cannot|there|the file"
    r"|the record|JSON|unpacks|TRUNCATE|its|a column's|must|was|contains|exceeds|ends|begins)\b"
)
"""How what is wrong begins, throughout."""
ELSEWHERE = {
    # What ends a run or refuses a definition, and so stands on no page.
    "{} is no format", "{} is no part of a date", "{} is no country: write two letters, such as CN",
    "{} is no normalizer", "{} is no validator", "must be a JSON Schema", "must be of an object",
    "{} is no text", "{} is empty", "{} cannot be read", "{} is not read",
    "{} is among what `location` reads", "there is no folder {}", "there is no bucket {}", "is a folder",
    "is not heeded: two pages are the same", "is not there; the answer has {}", "is no list",
    "{} is one character, or `tab`, and not {}",
    "write `properties:` and `required:`", "it describes all properties together", "say which of its files: {}/*",
    "say another folder", "reset the source's position, and everything is read anew",
    # Where something stood.
    "the file",
}  # fmt: skip


def text_of(node: ast.expr) -> str | None:
    """A text of the code, with `{}` for each value in it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) else "{}"  # type: ignore[misc]
            for part in node.values
        )
    return None


def texts_in(tree: ast.AST) -> Iterator[str]:
    """All texts but those for whoever reads the code."""
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inner.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            inner |= {id(part) for part in ast.walk(node) if part is not node}
    for node in ast.walk(tree):
        if isinstance(node, ast.expr) and id(node) not in inner and (text := text_of(node)):
            yield text


def hints_in(tree: ast.AST) -> Iterator[str]:
    """What to do, where that stands in the call itself or was named `hint` before."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(
            isinstance(one, ast.Name) and one.id == "hint" for one in node.targets
        ):
            yield from filter(None, map(text_of, _branches(node.value)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            at = {"explain": 2, "Fault": 2, "Wrong": 1, "wrong": 1}.get(node.func.id)
            if at is not None and len(node.args) > at:
                yield from filter(None, map(text_of, _branches(node.args[at])))


def _branches(node: ast.expr) -> list[ast.expr]:
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]


def trees() -> Iterator[tuple[str, ast.AST]]:
    for name in MAKERS:
        yield name, ast.parse((ROOT / f"{name}.py").read_text(encoding="utf-8"))


def test_every_reason_of_the_code_has_its_chinese() -> None:
    missing = {
        (name, text)
        for name, tree in trees()
        for text in texts_in(tree)
        if " " in text
        and BEGINNING.match(text)
        and text not in ELSEWHERE
        and text not in reason_words.ZH_WRONG
        and text not in reason_words.ZH_HINTS
        and text not in reason_words.ZH_VALUES
    }
    assert not missing, "add it to `reason_words`, or here to ELSEWHERE if no page shows it"


def test_every_hint_of_the_code_has_its_chinese() -> None:
    missing = {
        (name, hint)
        for name, tree in trees()
        for hint in hints_in(tree)
        if hint not in reason_words.ZH_HINTS and hint not in ELSEWHERE
    }
    assert not missing, "add it to `reason_words`, or here to ELSEWHERE if no page shows it"


def test_nothing_is_translated_that_nobody_says() -> None:
    said = {text for _, tree in trees() for text in texts_in(tree)}
    said |= {wrong_type("", "", one).partition(" (")[0] for one in ({}, [], "", True, 1)}
    assert said >= ELSEWHERE
    by_library = {one for one in reason_words.ZH_WRONG if one.startswith(("is ", "has "))}
    assert set(reason_words.ZH_VALUES) - said <= {
        *(unit.kind for unit in UNITS.values()), "an object", "a list", "text", "true or false", "a number",
    }  # fmt: skip
    found = {one for one in reason_words.ZH_WRONG if one not in said} - by_library
    assert found == {
        "{} was expected",
        "{}, divided by {}, columns named in line {}",
        "{}, divided by {}, no line names the columns",
    }


@pytest.mark.parametrize("value", [{}, [], "x", True, 1.5], ids=str)
def test_every_type_of_a_value_has_its_chinese(value: object) -> None:
    told = in_chinese(wrong_type("traits", "an object", value))
    assert re.fullmatch(r"traits：是[^a-z]+（应为对象）", told)


def test_every_kind_of_a_code_and_a_unit_has_its_chinese() -> None:
    kinds = {unit.kind for unit in UNITS.values()}
    readers = (ROOT / "standardize/mapping/coded.py").read_text(encoding="utf-8")
    kinds |= set(re.findall(r'_reader\([\w.]+, "([^"]+)"\)', readers))
    assert coded.CODED
    assert kinds <= set(reason_words.ZH_VALUES)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("has 8 values, and there are 6 columns", "有 8 个值，而列数为 6"),
        ("traits.b: 'a: (b)' is not a date", "traits.b：'a: (b)' 不是日期"),
        (
            "userId: stands for nobody (userId 'null') (send a userId or an anonymousId of one person)",
            "userId：不代表任何人（userId 'null'）（请发送某一个人的 userId 或 anonymousId）",
        ),
        ("phone '12': is not all digits (it joins nobody)", "phone '12'：不全是数字（不用于识别任何人）"),
        (
            "records: cannot be read: {x} (give {\"records\": [{\"fields\": {…}}]})",
            "records：无法读取：{x}（请给出 {\"records\": [{\"fields\": {…}}]}）",
        ),
        ("traits.w: '5' names no unit (write `unit: {from: kg, to: g}`)", "traits.w：'5' 没有写明单位（请写 `unit: {from: kg, to: g}`）"),
        ("is no JSON: line 1: (x)", "不是 JSON：line 1: (x)"),
        ("said by nobody: so (far)", "said by nobody: so (far)"),
    ],
)  # fmt: skip
def test_places_and_values_stay_as_they_are(reason: str, told: str) -> None:
    assert reasons_in("zh")(reason) == told
    assert reasons_in("en")(reason) == reason
