"""A rehearsal as a page that a browser shows by itself, with no script and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from onefold.app.imports.measuring import Quality
from onefold.app.imports.rehearsed import Rehearsed

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}"
    "th,td{text-align:left;padding:.25rem .75rem;border-bottom:1px solid #ddd;overflow-wrap:anywhere}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}h2{margin-top:2rem}"
    ".bar{background:#e8eef7;border-radius:3px}.bar i{display:block;height:.8rem;background:#3b6fb6;"
    "border-radius:3px}.note{color:#666}"
)


def page_of(found: Rehearsed) -> str:
    """The page."""
    rest = (
        "" if found.whole else f" What follows is of {found.sampled:,} of them, at even distances."
    )
    first = "" if found.read_all else "The first "
    read = (
        f"{first}{found.rows + found.unreadable:,} rows, read as {escape(found.format)} for the source"
        f" <b>{escape(found.source)}</b>. Nothing was kept.{rest}"
    )
    parts = [
        f"<h1>Rehearsal of {escape(found.name)}</h1>",
        f"<p>{read}</p>",
        _table("Rows", ("", "rows"), [
            ("read", found.rows), ("unreadable", found.unreadable), ("tried", found.sampled),
            ("events", found.events), ("rejected", found.rejects), ("came before", found.repeats),
        ]),
        _table("Why rows are rejected", ("reason", "rows"),
               [*found.unreadable_reasons.items(), *found.reasons.items()]),
        _table("Tracking plans that are broken", ("plan, field and fault", "times"),
               found.violations.items()),
        _table("Profiles", ("", "profiles"), [
            ("new", found.new), ("updated", found.updated), ("unchanged", found.unchanged),
            ("merged into others", found.merged),
        ]),
        _table("Segments", ("segment", "now", "enter", "leave"),
               [(one.segment, one.now, one.entering, one.leaving) for one in found.segments]),
        _table("Conflicts with what is known", ("trait", "values", "new wins", "known → new"), [
            (one.trait, one.count, one.wins, "; ".join(f"{old} → {new}" for _, old, new in one.examples))
            for one in found.conflicts
        ]),
        _quality(found.quality),
        _fields(found),
    ]  # fmt: skip
    title = f"Rehearsal of {escape(found.name)}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )


def _quality(quality: Quality) -> str:
    named = ("complete", "valid", "unique", "consistent", "fresh")
    rows = [(name, _bar(getattr(quality, name))) for name in named]
    rows += [(f"{trait} is there", _bar(share)) for trait, share in quality.traits.items()]
    shares = _table("Data quality", ("", "share"), rows)
    if quality.nameless:
        columns = ("identifier", "rows", "such as", "why")
        told = [(kind, one.rows, one.example, one.hint) for kind, one in quality.nameless.items()]
        shares += _table("Identifiers that name nobody", columns, told)
    if not quality.mistyped:
        return shares
    slips = [(domain, f"{one.meant}?", one.rows) for domain, one in quality.mistyped.items()]
    return shares + _table("E-mail domains that look mistyped", ("written", "meant", "rows"), slips)


def _fields(found: Rehearsed) -> str:
    rows = [
        (one.stream, one.name, _bar(one.filled / one.rows if one.rows else None), one.distinct, one.example)
        for one in found.fields
    ]  # fmt: skip
    return _table("Fields", ("stream", "field", "filled", "values", "such as"), rows)


class _Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def _bar(share: float | None) -> str:
    if share is None:
        return _Html('<span class="note">cannot be measured</span>')
    return _Html(f'{share:.1%}<div class="bar"><i style="width:{share:.1%}"></i></div>')


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = ["<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows]
    if not lines:
        return f'<h2>{title}</h2><p class="note">none</p>'
    head = "".join(f"<th>{escape(one)}</th>" for one in columns)
    return f"<h2>{title}</h2><table><tr>{head}</tr>{''.join(lines)}</table>"


def _cell(value: Any) -> str:
    if isinstance(value, int):
        return f'<td class="n">{value:,}</td>'
    return f"<td>{value if isinstance(value, _Html) else escape(str(value))}</td>"
