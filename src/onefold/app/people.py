"""Tables of people, whatever their columns are called, as tables of standard columns.

What many values have in common is done once: plain e-mail addresses, telephone numbers and house
numbers by SQL, everything else once for each distinct value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from onefold.engine.duck import DuckEngine
from onefold.standardize.people import assembly, plain
from onefold.standardize.people.addresses import after_number
from onefold.standardize.people.birth_dates import date_order
from onefold.standardize.people.emails import mend_domain
from onefold.standardize.people.parts import READERS, identifier
from onefold.standardize.people.records import JOINED, NUMBERED, identifier_kind
from onefold.standardize.people.roles import Layout

_ARROW = {
    "VARCHAR": pa.string(),
    "VARCHAR[]": pa.list_(pa.string()),
    "DATE": pa.date32(),
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int32(),
}


def standardize_table(
    engine: DuckEngine, table: str, layout: Layout, *, source: str = "", first_id: int = 0
) -> pa.Table:
    """The standard columns of a table that the engine holds, one row for each of its rows.

    `source` is what the rows come from unless a column says it; `first_id` is the `record_id`
    of the first row.
    """
    texts = engine.arrow("texts", texts_query(engine, table, layout, source, first_id))
    parts = {name: texts[name] for name in ("record_id", "source")}
    for found in _parts(texts, layout):
        parts |= found
    engine.keep("parts", pa.table(parts))
    names = [name for name in parts if name not in ("record_id", "source")]
    made = engine.arrow("people", assembly.assembly_query(names))
    engine.forget("parts")
    return made


def texts_query(engine: DuckEngine, table: str, layout: Layout, source: str, first_id: int) -> str:
    """The values of each role as text, and what plain SQL reads of them."""
    described = engine.rows("columns", f"DESCRIBE SELECT * FROM {table}", {})
    kinds = {str(row[0]): str(row[1]) for row in described}
    text = {header: plain.text_sql(header, kinds[header]) for header in layout.columns}
    given = next((text[header] for header in layout.headers("source")), "NULL")
    columns = [
        f"row_number() OVER () - 1 + {first_id} AS record_id",
        f"coalesce({given}, {plain.literal(source)}) AS source",
    ]
    for role in dict.fromkeys(each.split(":")[0] for each in layout.columns.values()):
        values = [text[header] for header in layout.headers(role)]
        columns += _columns_of(role, values, layout)
    columns += _three_columns(text, layout)
    return f"SELECT {', '.join(columns)} FROM {table}"


def _three_columns(text: dict[str, str], layout: Layout) -> list[str]:
    """The birth date of a year, a month and a day."""
    headers = [layout.headers(f"birth_{name}") for name in ("year", "month", "day")]
    if not all(headers) or layout.headers("birth_date"):
        return []
    values = [f"regexp_replace({text[each[0]]}, '\\.0$', '')" for each in headers]
    return [f"{' || chr(45) || '.join(values)} AS text_birth_date"]


def _columns_of(role: str, values: list[str], layout: Layout) -> Iterator[str]:
    if role == "email":
        for number, value in enumerate(values):
            read = plain.email_sql(value)
            yield f"nullif(split_part({read}, '@', 1), '') AS local_{number}"
            yield f"nullif(split_part({read}, '@', 2), '') AS written_domain_{number}"
            yield f"CASE WHEN {read} IS NULL THEN {value} END AS text_email_{number}"
    elif role == "phone":
        for number, value in enumerate(values):
            read = plain.phone_sql(value, layout.region)
            yield f"nullif({read}, '') AS phone_{number}"
            yield f"CASE WHEN {read} IS NULL THEN {value} END AS text_phone_{number}"
    elif role == "identifier":
        for number, value in enumerate(values):
            yield f"{value} AS text_identifier_{number}"
    elif role == "address" and not layout.headers("house_number"):
        value = _of(role, values)
        house, rest = plain.line_sql(value)
        yield f"{house} AS plain_number"
        yield f"{rest} AS plain_rest"
        yield f"CASE WHEN {rest} IS NULL THEN {value} END AS text_address"
    elif role in READERS:
        yield f"{_of(role, values)} AS text_{role}"


def _of(role: str, values: list[str]) -> str:
    """The value of a role that several columns hold together, or the first that there is."""
    if role in JOINED and len(values) > 1:
        return f"nullif(concat_ws({plain.literal(JOINED[role])}, {', '.join(values)}), '')"
    return f"coalesce({', '.join(values)})"


def _parts(texts: pa.Table, layout: Layout) -> Iterator[dict[str, pa.Array]]:
    """What each field says, by role."""
    for column in texts.column_names:
        if not column.startswith("text_"):
            continue
        role = column.removeprefix("text_")
        name, _, number = role.rpartition("_")
        if column.startswith("text_identifier_"):
            header = layout.headers("identifier")[int(number)]
            yield {role: _identifiers(texts[column], identifier_kind(header, layout))}
        elif name in NUMBERED and number.isdigit():
            yield _completed(texts, name, number, layout)
        elif column == "text_address" and "plain_rest" in texts.column_names:
            yield _address_parts(texts, layout)
        else:
            yield _read(texts[column], role, layout)


def _read(values: pa.ChunkedArray, role: str, layout: Layout) -> dict[str, pa.Array]:
    reader = READERS[role]
    encoded = _encoded(values)
    if role == "birth_date" and layout.date_order is None:
        order = date_order(each for each in encoded.dictionary.to_pylist() if each)
        layout = msgspec.structs.replace(layout, date_order=order)
    found = [reader.read(each, layout) for each in encoded.dictionary.to_pylist()]
    return _taken(found, reader.parts, encoded.indices)


def _encoded(values: pa.ChunkedArray) -> pa.DictionaryArray:
    """The distinct values, and for each row which it has."""
    return values.combine_chunks().dictionary_encode()


def _taken(
    found: list[tuple[Any, ...]], parts: dict[str, str], rows: pa.Array
) -> dict[str, pa.Array]:
    columns = zip(*found, strict=True) if found else ([] for _ in parts)
    return {
        name: pa.array(column, _ARROW[kind]).take(rows)
        for (name, kind), column in zip(parts.items(), columns, strict=True)
    }


def _completed(texts: pa.Table, role: str, number: str, layout: Layout) -> dict[str, pa.Array]:
    """What plain SQL read of a column, and the rest of it."""
    read = _read(texts[f"text_{role}_{number}"], role, layout)
    if role == "phone":
        phone = pc.coalesce(texts[f"phone_{number}"].combine_chunks(), read["phone"])
        return {f"phone_{number}": phone, f"extension_{number}": read["extension"]}
    domains = _encoded(texts[f"written_domain_{number}"])
    mended = [(mend_domain(each),) for each in domains.dictionary.to_pylist()]
    domain = _taken(mended, {"domain": "VARCHAR"}, domains.indices)["domain"]
    local = pc.coalesce(texts[f"local_{number}"].combine_chunks(), read["local"])
    return {f"local_{number}": local, f"domain_{number}": pc.coalesce(domain, read["domain"])}


def _address_parts(texts: pa.Table, layout: Layout) -> dict[str, pa.Array]:
    """Plain lines have their number apart already: their streets are few."""
    found = _read(texts["text_address"], "address", layout)
    rests = _encoded(texts["plain_rest"])
    streets = [after_number(each)[1:4] for each in rests.dictionary.to_pylist()]
    names = dict.fromkeys(("line_street", "line_unit", "line_po_box"), "VARCHAR")
    numbers = {"line_house_number": texts["plain_number"].combine_chunks()}
    for name, column in (numbers | _taken(streets, names, rests.indices)).items():
        found[name] = pc.coalesce(column, found[name])
    return found


def _identifiers(values: pa.ChunkedArray, kind: str) -> pa.Array:
    encoded = _encoded(values)
    found = [(identifier(each, kind),) for each in encoded.dictionary.to_pylist()]
    return _taken(found, {"identifier": "VARCHAR"}, encoded.indices)["identifier"]
