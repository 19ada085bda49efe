"""Tables of people, whatever their columns are called, as tables of standard columns.

What many values have in common is done once: plain values are read by SQL, everything else once for
each distinct value; what follows from a name, once for each name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from onefold.app.people.values import Reading, ValueReader
from onefold.engine.duck import DuckEngine
from onefold.model.sql import literal_sql
from onefold.standardize.people import assembly, plain, plain_addresses, plain_names
from onefold.standardize.people.birth_dates import date_order
from onefold.standardize.people.parts import READERS
from onefold.standardize.people.records import JOINED, NUMBERED, identifier_kind
from onefold.standardize.people.roles import Layout

_PLAIN_NAME = {
    "whole_given_name": "plain_given",
    "whole_middle_name": "plain_middle",
    "whole_family_name": "plain_family",
    "given": "plain_given_name",
    "family": "plain_family_name",
}


def standardize_table(
    engine: DuckEngine,
    table: str,
    layout: Layout,
    *,
    into: str = "people",
    source: str = "",
    first_id: int = 0,
    reader: ValueReader | None = None,
) -> int:
    """Make the table `into` of standard columns, with one row for each row of a table; count them.

    `source` is what the rows come from unless a column says it; `first_id` is the `record_id`
    of the first row. `reader` reads what SQL does not.
    """
    reader = reader or ValueReader()
    layout = settled(engine, table, layout)
    engine.keep("texts", texts_query(engine, table, layout, source, first_id))
    reading = _Reading(engine, layout, reader)
    parts, tables = reading.parts(), reading.tables
    for kind, columns in (("given", assembly.GIVEN_FACTS), ("family", assembly.FAMILY_FACTS)):
        chosen = engine.arrow("names", reading.names_query(kind))["name"]
        how = Reading(kind, "", columns, layout, "name")
        engine.keep(f"{kind}_names", reader.read(how, chosen.to_pylist()))
    count = engine.keep(into, assembly.assembly_query(parts, tables))
    engine.forget("texts", "given_names", "family_names", *reading.kept)
    return count


def settled(engine: DuckEngine, table: str, layout: Layout) -> Layout:
    """The layout with what all values of the table together decide: whether the day comes first."""
    headers = layout.headers("birth_date")
    if layout.date_order is not None or not headers:
        return layout
    text = f"coalesce({', '.join(_texts(engine, table, layout)[each] for each in headers)})"
    signs = plain.listed("/-. ")
    found = engine.arrow(
        "dates",
        f"SELECT DISTINCT {text} AS text FROM {table}"
        f" WHERE substr({text}, 2, 1) IN ({signs}) OR substr({text}, 3, 1) IN ({signs})",
    )
    return msgspec.structs.replace(layout, date_order=date_order(found["text"].to_pylist()))


def _texts(engine: DuckEngine, table: str, layout: Layout) -> dict[str, str]:
    """How each column of the layout is read as text, in SQL."""
    described = engine.rows("columns", f"DESCRIBE SELECT * FROM {table}", {})
    kinds = {str(row[0]): str(row[1]) for row in described}
    return {header: plain.text_sql(header, kinds[header]) for header in layout.columns}


def texts_query(engine: DuckEngine, table: str, layout: Layout, source: str, first_id: int) -> str:
    """The values of each role as text, unless plain SQL reads them, and what it reads of them."""
    text = _texts(engine, table, layout)
    given = next((text[header] for header in layout.headers("source")), "NULL")
    values = dict(_values(text, layout))
    written = "".join(f", {value} AS {name}" for name, value in values.items())
    query = (
        f"SELECT row_number() OVER () - 1 + {first_id} AS record_id,"
        f" coalesce({given}, {literal_sql(source)}) AS source{written} FROM {table}"
    )
    found = [_steps(name, layout) for name in values]
    for level in range(max(map(len, found), default=1) - 1):
        made = {
            name: sql for steps in found if level < len(steps) - 1
            for name, sql in steps[level].items()
        }  # fmt: skip
        query = f"SELECT *, {_listed(made)} FROM ({query})"
    last = {name: sql for steps in found for name, sql in steps[-1].items()}
    columns = "record_id, source" + (f", {_listed(last)}" if last else "")
    return f"SELECT {columns} FROM ({query})"


def _listed(columns: dict[str, str]) -> str:
    return ", ".join(f"{sql} AS {name}" for name, sql in columns.items())


def _values(text: dict[str, str], layout: Layout) -> Iterator[tuple[str, str]]:
    """The text of each role, by `value_ROLE`; those that may be many are numbered."""
    for role in dict.fromkeys(each.split(":")[0] for each in layout.columns.values()):
        values = [text[header] for header in layout.headers(role)]
        if role in NUMBERED or role == "identifier":
            yield from ((f"value_{role}_{number}", each) for number, each in enumerate(values))
        elif role in JOINED and len(values) > 1:
            joined = f"concat_ws({literal_sql(JOINED[role])}, {', '.join(values)})"
            yield f"value_{role}", f"nullif({joined}, '')"
        elif role in READERS:
            yield f"value_{role}", f"coalesce({', '.join(values)})"
    born = [layout.headers(f"birth_{name}") for name in ("year", "month", "day")]
    if all(born) and not layout.headers("birth_date"):
        parts = [f"regexp_replace({text[each[0]]}, '\\.0$', '')" for each in born]
        yield "value_birth_date", f"{' || chr(45) || '.join(parts)}"


def _steps(value: str, layout: Layout) -> plain.Steps:
    """How the values of a role are read by SQL."""
    role, end = _role(value.removeprefix("value_"))
    if role == "email":
        return plain.email_steps(value, end)
    if role == "phone":
        return plain.phone_steps(value, end, layout.region)
    if role == "identifier":
        header = layout.headers(role)[int(end[1:])]
        return plain.identifier_steps(value, end, identifier_kind(header, layout))
    if role == "birth_date":
        return plain.birth_steps(value, layout.date_order, layout.until)
    if role == "national_id":
        return plain.national_steps(value)
    if role in ("given_name", "family_name"):
        return plain_names.word_steps(value, role)
    if role == "full_name":
        return plain_names.name_steps(value)
    if role == "address" and not layout.headers("house_number"):
        return plain_addresses.line_steps(value)
    return [{f"text_{role}": value}]


def _role(name: str) -> tuple[str, str]:
    """The role and the number of a column: `phone_1` gives `phone` and `_1`."""
    role, _, number = name.rpartition("_")
    return (role, f"_{number}") if number.isdigit() else (name, "")


class _Reading:
    """Reads what SQL left, and says how each part is got from `tables`, of which it kept some."""

    def __init__(self, engine: DuckEngine, layout: Layout, reader: ValueReader) -> None:
        self._engine = engine
        self._layout = layout
        self._reader = reader
        self.tables = "texts AS t"
        self.kept: list[str] = []
        self._names: dict[str, list[str]] = {"given": [], "family": []}

    def names_query(self, kind: str) -> str:
        """The given or family names that records may have, of which `parts` has found where they are."""
        every = " UNION ALL ".join(self._names[kind]) or "SELECT NULL::VARCHAR AS name"
        return f"SELECT DISTINCT name FROM ({every}) WHERE name IS NOT NULL"

    def parts(self) -> dict[str, str]:
        """How to get each part of the records."""
        found: dict[str, str] = {}
        described = [str(row[0]) for row in self._engine.rows("texts", "DESCRIBE texts", {})]
        rests = "line_rest" in described
        for column in described:
            role, end = _role(column.removeprefix("text_"))
            if column.startswith("text_identifier_"):
                found[f"identifier{end}"] = self._identifier(end)
            elif column.startswith("text_") and role == "address" and rests:
                found |= self._address()
            elif column.startswith("text_"):
                found |= self._read(column, role, end)
        for own in (plain.BORN, plain.NATIONAL, _PLAIN_NAME):
            for part, sql in own.items():
                if part in found and set(described) & _columns_in(sql):
                    found[part] = f"coalesce({sql}, {found[part]})"
                    self._name(part, sql, "texts")
        for column in described:
            if column.startswith("phone_"):
                found[column] = f"coalesce(t.{column}, {found[column]})"
            elif column.startswith("local_"):
                found |= self._mailbox(column, found)
        return found

    def _read(self, column: str, role: str, end: str) -> dict[str, str]:
        reader = READERS[role]
        number = end if role in NUMBERED else ""
        self._keep(column, column, self._how("role", role, reader.parts))
        for part in reader.parts:
            self._name(part, part, f"read_{column}")
        return {f"{name}{number}": f"read_{column}.{name}" for name in reader.parts}

    def _name(self, part: str, sql: str, table: str) -> None:
        """Remember where a name is, if the part is one."""
        for kind, sources in self._names.items():
            if part in (kind, f"whole_{kind}_name"):
                sources.append(f"SELECT {sql} AS name FROM {table}")

    def _keep(
        self,
        name: str,
        column: str,
        how: Reading,
        where: str = "TRUE",
    ) -> list[str]:
        """Keep what is read of the distinct values of a column, and join it; give what was not read."""
        found = self._engine.arrow(
            name,
            f"SELECT DISTINCT {column} AS text FROM texts WHERE {column} IS NOT NULL AND {where}",
        )
        values = found["text"].to_pylist()
        table = self._reader.read(how, values)
        self._engine.keep(f"read_{name}", table)
        self.kept.append(f"read_{name}")
        self.tables += f" LEFT JOIN read_{name} ON t.{column} = read_{name}.text"
        missing = len(values) - table.num_rows
        return sorted({*values} - {*table["text"].to_pylist()}) if missing else []

    def _how(self, by: str, name: str, parts: Mapping[str, str]) -> Reading:
        return Reading(by, name, parts, self._layout)

    def _identifier(self, end: str) -> str:
        header = self._layout.headers("identifier")[int(end[1:])]
        kind = identifier_kind(header, self._layout)
        column = f"text_identifier{end}"
        self._keep(column, column, self._how("identifier", kind, {"own": "VARCHAR"}))
        return f"coalesce(t.identifier{end}, read_{column}.own)"

    def _mailbox(self, local: str, found: dict[str, str]) -> dict[str, str]:
        written = local.replace("local", "written_domain")
        self._keep(written, written, self._how("domain", "", {"own": "VARCHAR"}))
        domain = local.replace("local", "domain")
        return {
            local: f"coalesce(t.{local}, {found[local]})",
            domain: f"coalesce(read_{written}.own, {found[domain]})",
        }

    def _address(self) -> dict[str, str]:
        """Plain lines have their numbers apart already: what is left of them are few."""
        parts = plain_addresses.REST_PARTS
        kinds = dict.fromkeys(parts, "VARCHAR")
        unread = self._keep("line_rest", "line_rest", self._how("rest", "", kinds))
        others = (
            f"line_rest IS NULL OR line_rest IN ({plain.listed(unread)})"
            if unread
            else "line_rest IS NULL"
        )
        reader = READERS["address"]
        self._keep(
            "address", "text_address", self._how("role", "address", reader.parts), f"({others})"
        )
        rest = {name: f"read_line_rest.{name}" for name in parts}
        rest["house_number"] = "CASE WHEN read_line_rest.text IS NOT NULL THEN t.line_number END"
        rest["unit"] = (
            "CASE WHEN read_line_rest.text IS NOT NULL THEN coalesce(t.line_door, read_line_rest.unit) END"
        )
        return {
            name: f"coalesce({rest[short]}, read_address.{name})"
            if short in rest
            else f"read_address.{name}"
            for name in reader.parts
            for short in [name.removeprefix("line_")]
        }


def _columns_in(sql: str) -> set[str]:
    return {
        word
        for word in sql.replace("(", " ").replace(")", " ").split()
        if word.startswith(("plain_", "resident_"))
    }
