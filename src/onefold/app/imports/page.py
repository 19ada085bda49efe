"""A rehearsal as a page that a browser shows by itself, with no script and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from onefold.app.imports.measuring import Quality
from onefold.app.imports.page_words import Words, reasons_in, words_of
from onefold.app.imports.rehearsed import Rehearsed

_STYLE = (
    ":root{color-scheme:light dark;--line:#ddd;--soft:#e8eef7;--bar:#3b6fb6;--note:#666}"
    "@media(prefers-color-scheme:dark){:root{--line:#444;--soft:#2a3545;--bar:#6d9fe0;--note:#aaa}}"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}"
    "th,td{text-align:left;padding:.25rem .75rem;border-bottom:1px solid var(--line);vertical-align:top}"
    "td.t{overflow-wrap:anywhere;min-width:6rem}th{white-space:nowrap}h2{margin-top:2rem}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
    "td.b{min-width:9rem}.bar{background:var(--soft);border-radius:3px}"
    ".bar i{display:block;height:.6rem;background:var(--bar);border-radius:3px}.note{color:var(--note)}"
    ".wide{overflow-x:auto}.sum{display:flex;flex-wrap:wrap;gap:.5rem 2.5rem;margin:1.5rem 0}.sum b{display:block;font-size:1.6rem}"
)
_MEASURED = {
    "complete": "traits that a row has, of all that any row has",
    "valid": "rows without a fault",
    "unique": "people who stand in one row only",
    "consistent": "values that contradict neither another row of the same person nor what is known",
    "fresh": "rows with a time within the last year",
}


def page_of(found: Rehearsed, language: str = "en") -> str:
    """The page, in English or Chinese (`zh`); values, and what other programs say, stay as they are."""
    say, tell = words_of(language), reasons_in(language)
    title = say("Rehearsal of {}").format(escape(found.name))
    parts = [f"<h1>{title}</h1>", _read(found, say, tell), _summary(found, say)]
    parts += _tables(found, say, tell)
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )


def _read(found: Rehearsed, say: Words, tell: Words) -> str:
    text = "{} rows, read as {} for the source {}. Nothing was kept."
    if not found.read_all:
        text = "The first {} rows, read as {} for the source {}. Nothing was kept."
    rows = f"{found.rows + found.unreadable:,}"
    told = say(text).format(rows, escape(found.format), f"<b>{escape(found.source)}</b>")
    if not found.whole:
        rest = say("What follows is of {} of them, at even distances.")
        told += " " + rest.format(f"{found.sampled:,}")
    more = ""
    if found.read_as:
        more = f"<p>{say('Read as {}.').format(escape(tell(found.read_as)))}</p>"
    if found.missing:
        gone = say("The mapping asks for what no row has: {}.")
        more += f"<p>{gone.format(escape(', '.join(found.missing)))}</p>"
    return f"<p>{told}</p>{more}"


def _summary(found: Rehearsed, say: Words) -> str:
    """What matters most, at a glance."""
    told = (
        ("new profiles", found.new),
        ("updated", found.updated),
        ("unchanged", found.unchanged),
        ("merged into others", found.merged),
        ("rows that cannot be used", found.rejects + found.unreadable),
    )
    cells = "".join(f"<span><b>{count:,}</b>{say(name)}</span>" for name, count in told)
    return f'<div class="sum">{cells}</div>'


def _tables(found: Rehearsed, say: Words, tell: Words) -> list[str]:
    rows = [
        ("read", found.rows), ("unreadable", found.unreadable), ("tried", found.sampled),
        ("events", found.events), ("rejected", found.rejects), ("came before", found.repeats),
    ]  # fmt: skip
    every = [*found.unreadable_reasons.items(), *found.reasons.items()]
    reasons = [(tell(reason), count) for reason, count in every]
    segments = [(one.segment, one.now, one.entering, one.leaving) for one in found.segments]
    conflicts = [
        (
            one.trait,
            one.count,
            one.wins,
            "; ".join(f"{old} → {new}" for _, old, new in one.examples),
        )
        for one in found.conflicts
    ]
    plan = ("plan, field and fault", "times")
    return [
        _table(say, "Rows", ("", "rows"), [(say(name), count) for name, count in rows]),
        _table(say, "Why rows are rejected", ("reason", "rows"), reasons),
        _table(say, "Tracking plans that are broken", plan, found.violations.items()),
        _table(say, "Segments", ("segment", "now", "enter", "leave"), segments),
        _table(
            say,
            "Conflicts with what is known",
            ("trait", "values", "new wins", "known → new"),
            conflicts,
        ),
        *_quality(found.quality, say),
        _fields(found, say),
    ]


def _quality(quality: Quality, say: Words) -> list[str]:
    rows: list[tuple[str, str]] = [
        (
            _Html(f'{say(name)} <span class="note">{say(what)}</span>'),
            _bar(getattr(quality, name), say),
        )
        for name, what in _MEASURED.items()
    ]
    rows += [
        (say("{} is there").format(trait), _bar(share, say))
        for trait, share in quality.traits.items()
    ]
    parts = [_table(say, "Data quality", ("", "share"), rows)]
    if quality.nameless:
        whom = ("identifier", "rows", "such as", "why")
        told = [
            (kind, one.rows, one.example, say(one.hint)) for kind, one in quality.nameless.items()
        ]
        parts.append(_table(say, "Identifiers that name nobody", whom, told))
    if quality.mistyped:
        slips = [(domain, f"{one.meant}?", one.rows) for domain, one in quality.mistyped.items()]
        domains = ("written", "meant", "rows")
        parts.append(_table(say, "E-mail domains that look mistyped", domains, slips))
    return parts


def _fields(found: Rehearsed, say: Words) -> str:
    several = len({one.stream for one in found.fields}) > 1
    columns = ("field", "filled", "values", "such as")
    rows: list[Sequence[Any]] = []
    for one in found.fields:
        filled = _bar(one.filled / one.rows if one.rows else None, say)
        row = (one.name, filled, one.distinct, one.example)
        rows.append((one.stream, *row) if several else row)
    return _table(say, "Fields", ("stream", *columns) if several else columns, rows)


class _Html(str):
    """Text that is HTML already."""

    __slots__ = ()


class _Bar(_Html):
    """A share and how long that is."""

    __slots__ = ()


def _bar(share: float | None, say: Words) -> str:
    if share is None:
        return _Bar(f'<span class="note">{say("cannot be measured")}</span>')
    return _Bar(f'{share:.1%}<div class="bar"><i style="width:{share:.1%}"></i></div>')


def _table(say: Words, title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    every = list(rows)
    if not every:
        return f'<h2>{say(title)}</h2><p class="note">{say("none")}</p>'
    head = "".join(
        f'<th class="{_kind(value)}">{escape(say(one))}</th>'
        for one, value in zip(columns, every[0], strict=True)
    )
    lines = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in every)
    return f'<h2>{say(title)}</h2><div class="wide"><table><tr>{head}</tr>{lines}</table></div>'


def _cell(value: Any) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return f'<td class="{_kind(value)}">{text if isinstance(value, _Html) else escape(text)}</td>'


def _kind(value: Any) -> str:
    """What a cell holds: a number, a bar or a text."""
    if isinstance(value, int):
        return "n"
    return "b" if isinstance(value, _Bar) else "t"
