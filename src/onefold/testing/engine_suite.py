"""What every engine must do. An engine's tests inherit this and say how to open one.

    class TestMine(EngineSuite):
        def open_engine(self): ...

Each query is one that the rule language makes, or could make: the answers are DuckDB's.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from onefold.engine import Engine, Interrupted
from onefold.model.errors import Damaged
from onefold.model.sql import quoted_sql

_JSON = (
    '{"a":1.5,"b":"q\\u00e9","c":{"d":[1,2,{"e":3}]},"n":null,"x.y":3,"big":12345678901234567890,'
    '"t":true,"A":"other case","s":" 7 ","o b":{"~/":"deep"},"list":["x"]}'
)
_PEOPLE = pa.table(
    {
        "profile": pa.array([1, 2, 3], pa.int64()),
        "name": pa.array(["Aβ\\ß", None, "1_000"], pa.string()),
        "score": pa.array([2.675, None, -1e23], pa.float64()),
        "vip": pa.array([True, None, False], pa.bool_()),
        "owner": pa.array([b"\x00\xff", b"", None], pa.binary()),
        "traits": pa.array([_JSON, "{}", "{}"], pa.string()),
    }
)


class EngineSuite:
    """The behavior of an engine; `open_engine` makes one for each test."""

    def open_engine(self) -> Engine:
        raise NotImplementedError

    def ask(self, *columns: str, order: str = "profile") -> list[tuple[Any, ...]]:
        """The columns of the three people."""
        engine = self.open_engine()
        sql = f"SELECT {', '.join(columns)} FROM people ORDER BY {order}"  # noqa: S608
        try:
            return engine.rows("ask", sql, {"people": _PEOPLE})
        finally:
            engine.close()

    def first(self, *columns: str) -> tuple[Any, ...]:
        return self.ask(*columns)[0]

    def check_doubles(self, expected: Sequence[float], *columns: str) -> None:
        assert [float(value) for value in self.first(*columns)] == list(expected)

    def test_values_come_back_as_they_are(self) -> None:
        assert self.ask("profile", "name", "score", "vip", "owner") == [
            (1, "Aβ\\ß", 2.675, True, b"\x00\xff"),
            (2, None, None, None, b""),
            (3, "1_000", -1e23, False, None),
        ]

    def test_texts_in_a_query_are_what_they_are(self) -> None:
        texts = ["it''s", "a\\b", "a\nb", "人", "${x}", '"q"']
        found = self.first(*(f"'{text}'" for text in texts))
        assert found == tuple(text.replace("''", "'") for text in texts)

    def test_values_are_put_in_the_place_of_marks(self) -> None:
        engine = self.open_engine()
        sql = "SELECT profile FROM people WHERE name = ? OR score < ? ORDER BY profile"
        assert engine.rows("ask", sql, {"people": _PEOPLE}, ["Aβ\\ß", -1.0]) == [(1,), (3,)]
        engine.close()

    def test_tables_are_known_to_their_query_only(self) -> None:
        engine = self.open_engine()
        engine.rows("ask", "SELECT 1 FROM people", {"people": _PEOPLE})
        failure = ""
        try:
            engine.rows("again", "SELECT 1 FROM people", {})
        except Damaged as error:
            failure = str(error)
        assert "query again failed" in failure
        assert "SELECT 1 FROM people" in failure
        engine.close()

    def test_an_empty_table_has_no_rows(self) -> None:
        engine = self.open_engine()
        nobody = {"people": _PEOPLE.schema.empty_table()}
        assert engine.rows("ask", "SELECT profile, name FROM people", nobody) == []
        assert engine.rows("ask", "SELECT count(*), sum(score) FROM people", nobody) == [(0, None)]
        engine.close()

    def test_a_view_is_files_and_what_is_newer(self, tmp_path: Path) -> None:
        engine = self.open_engine()
        old, new = tmp_path / "it's old.parquet", tmp_path / "new.parquet"
        pq.write_table(_PEOPLE.select(["profile", "name"]).slice(0, 1), old)
        pq.write_table(_PEOPLE.select(["score", "name", "profile", "vip"]).slice(1, 1), new)
        newer = _PEOPLE.select(["profile", "name", "score"]).slice(2)
        engine.add_view("people", {"mixed": [str(old)], "2": [str(new)]}, newer)
        assert engine.rows("ask", "SELECT * FROM people ORDER BY profile", {}) == [
            (1, "Aβ\\ß", None),
            (2, None, None),
            (3, "1_000", -1e23),
        ]
        engine.view("unscored", "SELECT profile FROM people WHERE score IS NULL")
        assert engine.rows("ask", "SELECT count(*) FROM unscored", {}) == [(2,)]
        engine.close()

    def test_files_are_a_view_with_all_of_their_columns(self, tmp_path: Path) -> None:
        engine = self.open_engine()
        name = '["traits","a b","number"]'
        paths = [str(tmp_path / f"{{1}}*[{number}].parquet") for number in range(2)]
        for number, path in enumerate(paths):
            pq.write_table(pa.table({"profile": [number], name: [number / 2]}), path)
        assert engine.add_files("people_1", "1", paths) == ["profile", name]
        sql = f"SELECT profile, {quoted_sql(name)} FROM people_1 ORDER BY profile"  # noqa: S608
        assert engine.rows("ask", sql, {}) == [(0, 0.0), (1, 0.5)]
        engine.close()

    def test_what_is_kept_may_be_kept_anew(self) -> None:
        engine = self.open_engine()
        assert engine.keep("found", "SELECT profile FROM people", {"people": _PEOPLE}) == 3
        engine.view("twice", "SELECT profile FROM found UNION ALL SELECT profile FROM found")
        assert engine.rows("ask", "SELECT count(*) FROM twice", {}) == [(6,)]
        assert (
            engine.keep("found", "SELECT profile FROM more WHERE profile > 1", {"more": _PEOPLE})
            == 2
        )
        assert engine.keep("few", _PEOPLE.slice(2)) == 1
        sql = "SELECT found.profile FROM found JOIN few ON found.profile = few.profile"
        assert engine.rows("ask", sql, {}) == [(3,)]
        engine.close()

    def test_what_is_kept_is_given_as_a_table_and_forgotten(self) -> None:
        engine = self.open_engine()
        engine.keep("found", _PEOPLE)
        given = engine.arrow("ask", "SELECT name, profile FROM found ORDER BY profile DESC")
        assert given.to_pydict() == {"name": ["1_000", None, "Aβ\\ß"], "profile": [3, 2, 1]}
        engine.forget("found", "never_kept")
        failure = ""
        try:
            engine.arrow("again", "SELECT 1 FROM found")
        except Damaged as error:
            failure = str(error)
        assert "query again failed" in failure
        engine.close()

    def test_texts_are_alike_in_the_same_degree(self) -> None:
        pairs = [
            ("martha", "marhta"),
            ("müller", "mueller"),
            ("", ""),
            ("李明", "李名"),
            ("a", None),
        ]
        functions = (
            "jaro_similarity", "jaro_winkler_similarity", "levenshtein", "damerau_levenshtein",
        )  # fmt: skip
        expected = [
            (0.944444, 0.961111, 2, 1), (0.809524, 0.828571, 2, 2),
            (0.0, 0.0, 0, 0), (0.666667, 0.666667, 3, 3), (None,) * 4,
        ]  # fmt: skip
        engine = self.open_engine()
        columns = {name: [pair[place] for pair in pairs] for place, name in enumerate("ab")}
        table = pa.table({"n": range(len(pairs)), **columns})
        asked = ", ".join(f"{name}(a, b)" for name in functions)
        found = engine.rows("ask", f"SELECT {asked} FROM t ORDER BY n", {"t": table})  # noqa: S608
        rounded = [
            tuple(round(each, 6) if isinstance(each, float) else each for each in row)
            for row in found
        ]
        assert rounded == expected
        engine.close()

    def test_a_query_is_broken_off(self) -> None:
        engine = self.open_engine()
        over = threading.Event()

        def interrupt() -> None:
            while not over.wait(0.5):
                engine.interrupt()

        numbers = {"t": pa.table({"n": range(2_500)})}
        sql = "SELECT count(*) FROM t a, t b, t c WHERE (a.n * b.n) % 7 > (a.n + c.n) % 5"
        thread = threading.Thread(target=interrupt)
        thread.start()
        stopped = False
        try:
            engine.rows("long", sql, numbers)
        except Interrupted:
            stopped = True
        finally:
            over.set()
            thread.join()
        assert stopped
        engine.close()

    def test_quantiles_are_values_that_there_are(self) -> None:
        engine = self.open_engine()
        table = pa.table({"x": [10.0, 20.0, 30.0, 40.0, None]})
        cuts = "SELECT quantile_disc(x, [0.25, 0.5, 0.51]) AS q, quantile_disc(x, 0.5) AS m FROM t"
        sql = f"SELECT q[1], q[2], q[3], m FROM ({cuts})"  # noqa: S608
        assert engine.rows("ask", sql, {"t": table}) == [(10.0, 20.0, 30.0, 20.0)]
        nobody = {"t": table.slice(4)}
        sql = f"SELECT m IS NULL FROM ({cuts})"  # noqa: S608
        assert engine.rows("ask", sql, nobody) == [(True,)]
        engine.close()

    def test_times_and_names_in_objects(self) -> None:
        engine = self.open_engine()
        time = pa.array([1_767_225_600_123_456], pa.timestamp("us", "UTC"))
        table = pa.table({"time": time, "json": ['{"a":null,"b/c":{"d":1}}']})
        sql = (
            "SELECT epoch_us(\"time\"), json_exists(json, '/a'), json_exists(json, '/b~1c'),"
            " json_exists(json, '/d') FROM t"
        )
        found = engine.rows("ask", sql, {"t": table})
        assert found == [(1_767_225_600_123_456, True, True, False)]
        listed = "unnest([{'name': 'a', 'n': 1}, {'name': 'b', 'n': 2}]) AS one FROM t"
        sql = f"SELECT one.name FROM (SELECT {listed}) WHERE one.n > 1"  # noqa: S608
        assert engine.rows("ask", sql, {"t": table}) == [("b",)]
        engine.close()

    def test_pages_hold_at_most_so_many_rows(self) -> None:
        engine = self.open_engine()
        engine.add_view("people", {}, _PEOPLE)
        pages = list(engine.pages("ask", "SELECT profile FROM people ORDER BY 1", [], 2))
        assert pages == [[(1,), (2,)], [(3,)]]
        engine.close()

    def test_json_is_read_as_text(self) -> None:
        paths = ['$."a"', '$."b"', '$."c"."d"', '$."n"', '$."n"."x"', '$."x.y"', '$."big"', '$."t"']
        columns = [f"json_extract_string(traits, '{path}')" for path in paths]
        expected = ("1.5", "qé", '[1,2,{"e":3}]', None, None, "3", "12345678901234567890", "true")
        assert self.first(*columns) == expected
        columns = [f"json_extract_string(traits, '{path}')" for path in ('$."A"', "/o b/~0~1")]
        assert self.first(*columns) == ("other case", "deep")

    def test_numbers_in_json_are_texts_as_they_are_written(self) -> None:
        written = {
            "1.5": "1.5", "-0.0": "-0.0", "12345678.25": "12345678.25", "1e22": "1e22",
            "1.5e-7": "1.5e-7", "2.5e-6": "0.0000025", "-1.25e16": "-12500000000000000.0",
            "100000000000000000000": "100000000000000000000", "1e20": "100000000000000000000.0",
            '{"a":[12345678.25,"1e5 \\"2.5",7]}': '{"a":[12345678.25,"1e5 \\"2.5",7]}',
            '"1e16"': "1e16", "null": None, "[1.5e-9]": "[1.5e-9]",
        }  # fmt: skip
        texts = [f'{{"x 1.5":2.5,"y":{text},"z":0.5}}' for text in written]
        engine = self.open_engine()
        table = pa.table({"number": range(len(texts)), "json": texts})
        sql = "SELECT json_extract_string(json, '$.\"y\"') FROM texts ORDER BY number"
        found = [row[0] for row in engine.rows("ask", sql, {"texts": table})]
        assert found == list(written.values())
        engine.close()

    def test_texts_are_read_as_numbers_alike(self) -> None:
        texts = ["7", " 7\t", "+7", ".5", "5.", "1e3", "1E-3", "1_000", "00012"]
        found = self.first(*(f"try_cast('{text}' AS DOUBLE)" for text in texts))
        assert found == (7.0, 7.0, 7.0, 0.5, 5.0, 1000.0, 0.001, 1000.0, 12.0)
        texts = ["", "x", "1d", "1f", "0x10", "1e", ".", "1,0", "1 0", "--7", "_1", "1_", "１２"]
        found = self.first(*(f"try_cast('{text}' AS DOUBLE)" for text in texts))
        assert found == (None,) * len(texts)
        assert [row[0] for row in self.ask("try_cast(name AS DOUBLE)")] == [None, None, 1000.0]

    def test_numbers_are_rounded_alike(self) -> None:
        texts = ["round(score, 2)", "round(1.005e0, 2)", "round(5.015e0, 2)", "round(-2.5e0, 0)"]
        self.check_doubles([2.68, 1.0, 5.01, -3.0], *texts)
        self.check_doubles([0.0, 1e300, 3.0], "round(0.49999999999999994e0, 0)",
                           "round(1e300, 9)", "round(round(2.4999e0, 3), 0)")  # fmt: skip

    def test_arithmetic_is_that_of_doubles(self) -> None:
        self.check_doubles(
            [0.30000000000000004, 1.5, -1.0], "0.1e0 + 0.2e0", "3e0 / 2e0", "-7e0 % 3e0"
        )
        assert self.first("1e0 / nullif(0e0, 0e0)", "1e308 * 1e10") == (None, math.inf)
        assert self.first("7 // 2", "-7 // 2", "CAST(7 AS DOUBLE)") == (3, -3, 7.0)

    def test_sums_of_wide_numbers_are_exact(self) -> None:
        sums = "sum(CAST(round(score * 1000000e0, 0) AS HUGEINT))"
        found = self.ask(f"CAST({sums} // 1000000000000000000 AS BIGINT)", order="1")
        assert found == [(-99999999999,)]
        found = self.ask(f"CAST({sums} % 1000000000000000000 AS BIGINT)", order="1")
        whole = abs(int(-1e23 * 1e6) + 2_675_000)
        assert found == [(-(whole % 10**18),)]

    def test_letters_change_their_case_one_by_one(self) -> None:
        assert self.first("lower(name)", "upper(name)") == ("aβ\\ß", "AΒ\\ẞ")
        assert self.first("lower('İΣ')", "upper('ŉ')") == ("iσ", "ŉ")

    def test_patterns_have_two_wildcards_and_nothing_else(self) -> None:
        tests = ["name LIKE 'A%\\_'", "name LIKE 'A\\%'", "name ILIKE 'aΒ_SS'", "name ILIKE 'ab%'"]
        assert self.first(*tests) == (True, False, False, False)
        tests = [
            "name NOT LIKE 'A%'",
            "name ILIKE upper(name)",
            "'a\nb' LIKE 'a_b'",
            "'a' LIKE 'a '",
        ]
        assert self.first(*tests) == (False, True, True, False)
        assert self.first("name LIKE name", "starts_with(name, 'A')", "contains(name, '\\')") == (
            True, True, True)  # fmt: skip

    def test_texts_are_ordered_by_code_points(self) -> None:
        assert self.first("'Z' < 'a'", "'é' > 'z'", "'a' < 'a '", "'😀' > '豈'") == (True,) * 4
        assert self.first("length('a😀é')", "trim(' \ta ')", "left('😀bc', 2)") == (
            3, "\ta", "😀b")  # fmt: skip

    def test_texts_are_cut_and_joined_alike(self) -> None:
        texts = [
            "name || '!'",
            "replace(name, '\\', '/')",
            "substring(name, 2, 2)",
            "right(name, 1)",
        ]
        assert self.first(*texts) == ("Aβ\\ß!", "Aβ/ß", "β\\", "ß")
        assert self.first("substring('😀bc', 2)", "trim(' a ', ' ')", "ends_with(name, 'ß')") == (
            "bc", "a", True)  # fmt: skip
        assert self.first("'a%b' LIKE 'a!%b' ESCAPE '!'", "'axb' LIKE 'a!%b' ESCAPE '!'") == (
            True, False)  # fmt: skip
        assert self.ask("name || '!'")[1] == (None,)

    def test_days_are_numbers(self) -> None:
        date = "(DATE '1970-01-01' + CAST(profile * 10957 AS INTEGER))"
        assert self.first(f"year({date})", f"month({date})", f"day({date})") == (2000, 1, 1)
        moved = f"{date} + INTERVAL 1 MONTH - INTERVAL 12 MONTH"
        assert self.first(
            f"date_diff('day', DATE '1970-01-01', CAST({moved} AS DATE))",
            "date_diff('day', DATE '1970-01-01', CAST(DATE '2024-01-31' + INTERVAL 1 MONTH AS DATE))",
            "year(DATE '1970-01-01' + CAST(-1 AS INTEGER))",
        ) == (10957 + 31 - 365, 19782, 1969)

    def test_lists_are_looked_into(self) -> None:
        engine = self.open_engine()
        table = pa.table({"l": pa.array([["a", "b"], [], None], pa.list_(pa.string()))})
        sql = "SELECT list_has_any(l, ['c', 'b']), array_to_string(l, '+') FROM lists"
        found = engine.rows("ask", sql, {"lists": table})
        assert found[:2] == [(True, "a+b"), (False, "")]
        assert found[2] == (None, None)
        sql = (
            "SELECT list_contains(l, 'a'), array_length(l),"
            " array_length(list_filter(l, lambda value: (value LIKE 'b%'))) > 0"
            " FROM lists ORDER BY array_length(l) DESC NULLS LAST"
        )
        assert engine.rows("ask", sql, {"lists": table}) == [
            (True, 2, True), (False, 0, False), (None, None, None)]  # fmt: skip
        engine.close()

    def test_lists_in_json_are_read(self) -> None:
        texts = ['["a",15.0,null,{"b":2.5}]', '{"b":[1]}', '"[1]"', "7", "null", "[]"]
        engine = self.open_engine()
        table = pa.table(
            {"number": range(6), "json": [f'{{"l":{text},"f":0.5}}' for text in texts]}
        )
        values = "json_extract_string(json_extract(json, '$.\"l\"'), '$[*]')"
        sql = (
            "SELECT json_type(json, '/l'), CASE json_type(json, '$.\"l\"') WHEN 'ARRAY' THEN"  # noqa: S608
            f" list_filter({values}, lambda v: v IS NOT NULL) END, CASE json_type(json, '/l')"
            " WHEN 'ARRAY' THEN list_transform(json_extract_string(json, '$.\"l\"[*]'),"
            " lambda v: try_cast(v AS DOUBLE)) END FROM lists ORDER BY number"
        )
        found = engine.rows("ask", sql, {"lists": table})
        assert [row[0] if row[0] in ("ARRAY", "OBJECT") else None for row in found] == [
            "ARRAY", "OBJECT", None, None, None, "ARRAY"]  # fmt: skip
        assert found[0][1:] == (["a", "15.0", '{"b":2.5}'], [None, 15.0, None, None])
        assert [row[1:] for row in found[1:]] == [(None, None)] * 4 + [([], [])]
        engine.close()

    def test_structs_are_ordered_by_their_fields(self) -> None:
        edge = "min({'t': profile % 2, 'i': name, 'v': score}) FILTER (WHERE name IS NOT NULL)"
        assert self.ask(edge, order="1") == [({"t": 1, "i": "1_000", "v": -1e23},)]
        assert self.ask(f"struct_extract({edge}, 'v')", order="1") == [(-1e23,)]

    def test_absence_follows_sql(self) -> None:
        found = self.ask("name = 'x'", "NOT name = 'x'", "name IN ('x', NULL)", "vip IS TRUE")
        assert found[1] == (None, None, None, False)
        assert self.ask("coalesce(name, 'none')")[1] == ("none",)

    def test_steps_may_be_named(self) -> None:
        engine = self.open_engine()
        sql = (
            "WITH l0 AS MATERIALIZED (SELECT *, score > 0 AS o0 FROM people), "
            "m(i, n) AS (VALUES (1, 'a'), (2, 'b')) "
            "SELECT profile, o0, m.n FROM l0 LEFT JOIN m ON m.i = l0.profile ORDER BY profile"
        )
        assert engine.rows("ask", sql, {"people": _PEOPLE}) == [
            (1, True, "a"), (2, None, "b"), (3, False, None)]  # fmt: skip
        engine.close()

    def test_a_chain_of_thousands_of_conditions_is_answered(self) -> None:
        parts = [f"profile = {number}" for number in range(2_000)]
        while len(parts) > 1:
            parts = [f"({' OR '.join(parts[at : at + 8])})" for at in range(0, len(parts), 8)]
        assert self.ask(parts[0]) == [(True,), (True,), (True,)]
