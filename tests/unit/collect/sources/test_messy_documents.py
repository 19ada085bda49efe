"""JSON and XML as people send them: cut off, one object after the other, with more than one list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onefold.collect.sources.files.formats import format_of, read_file, settings_of
from onefold.model.errors import InvalidInput
from onefold.model.pulled import Batch


def batches(file: Path, **options: Any) -> list[Batch]:
    kind = format_of(file)
    return list(read_file(file, kind, settings_of(kind, options), None))


def read(folder: Path, name: str, text: str, **options: Any) -> tuple[list[Any], list[str]]:
    """The records of a file with this text, and why others are none."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    found = batches(file, **options)
    return (
        [one.fields for batch in found for one in batch.records],
        [one.reasons[0] for batch in found for one in batch.unreadable],
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"a": 1}, {"a": 2}', "the file ends before its list does"),
        ('{"data": [{"a": 1}, {"a": 2}]', ""),
        ('{"data": [{"a": 1}, {"a": 2}', "the file ends before its list does"),
        ('[{"a": 1}, {"a": 2}, {"a": "x', "it is not closed"),
        ('{"people": [{"a": 1}, {"a": 2}], "orders": [{"b": 1}]}', "has another list"),
        ('{"people": [{"a": 1}, {"a": 2}], "codes": [1, 2]}', ""),
    ],
)
def test_what_is_missing_of_a_list_is_told(tmp_path: Path, text: str, said: str) -> None:
    records, lost = read(tmp_path, "x.json", text)
    assert records == [{"a": 1}, {"a": 2}]
    assert len(lost) == bool(said)
    assert all(said in why for why in lost)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{\n "a": 1\n}\n', [{"a": 1}]),
        ('{\n "a": 1\n}\n{\n "a": 2\n}\n', [{"a": 1}, {"a": 2}]),
        ('{"a": 1, "tags": ["x", "y"]}', [{"a": 1, "tags": ["x", "y"]}]),
        ('{\n"a": {"tags": [[1]]}\n}\n', [{"a": {"tags": [[1]]}}]),
    ],
)
def test_objects_without_a_list_are_records(tmp_path: Path, text: str, expected: list[Any]) -> None:
    assert read(tmp_path, "x.json", text) == (expected, [])


def test_objects_one_after_the_other_go_on_from_every_position(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("".join(f'{{\n "a": {n}\n}}\n' for n in range(12_000)))
    every = batches(file)
    assert sum(len(one.records) for one in every) == 12_000
    for at, batch in enumerate(every):
        rest = read_file(file, "json", settings_of("json", {}), batch.position)
        assert [one for two in rest for one in two.records] == [
            one for two in every[at + 1 :] for one in two.records
        ]


def test_what_somebody_wrote_about_a_document_type_is_none(tmp_path: Path) -> None:
    text = (
        "<!-- <!DOCTYPE x> --><list><one><note><![CDATA[<!DOCTYPE html><p>Hi</p>]]></note></one>"
        "<one><note>b</note></one></list>"
    )
    assert read(tmp_path, "x.xml", text) == (
        [{"note": "<!DOCTYPE html><p>Hi</p>"}, {"note": "b"}],
        [],
    )


def test_what_says_the_type_of_a_value_is_no_part_of_it(tmp_path: Path) -> None:
    text = (
        '<list xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><one><phone xsi:nil="true"/>'
        '<age xsi:type="xs:int">5</age></one><one><age>6</age></one></list>'
    )
    assert read(tmp_path, "x.xml", text)[0] == [{"phone": None, "age": "5"}, {"age": "6"}]


def test_records_at_another_path_are_told(tmp_path: Path) -> None:
    text = "<list><one><a>1</a></one><one><a>2</a></one></list>"
    with pytest.raises(InvalidInput, match=r"there is no list/two \(several times in it: list/one"):
        read(tmp_path, "x.xml", text, records="list/two")
    assert read(tmp_path, "x.xml", "<list/>", records="list/one") == ([], [])


@pytest.mark.parametrize("text", ["no XML", '<?xml version="1.0" encoding="klingon"?><a/>'])
def test_what_is_no_xml_is_said(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput, match="is no XML: "):
        read(tmp_path, "x.xml", text)
