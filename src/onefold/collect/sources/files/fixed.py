"""Text files whose columns stand at fixed places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from onefold.collect.sources.files.encodings import encoding_in
from onefold.collect.sources.files.layout import IS_TOTAL, SAMPLE_ROWS, is_total, named, no_line
from onefold.collect.sources.files.lines import Place, is_broken, lines, raw
from onefold.model.errors import Fault, InvalidInput
from onefold.model.pulled import Batch, Position, Record, Unreadable

_ROWS = 5_000


class FixedSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a file of fixed width is read.

    `widths` are those of its columns, counted in characters or in bytes; without them columns end where
    all lines have a space. `header` is the line that names the columns, 0 if none does.
    """

    encoding: str = ""
    widths: tuple[Annotated[int, msgspec.Meta(ge=1)], ...] = ()
    count: Literal["characters", "bytes"] = "characters"
    header: Annotated[int, msgspec.Meta(ge=0)] = 1
    columns: tuple[str, ...] = ()


def read(file: Path, settings: FixedSettings, position: Position | None) -> Iterator[Batch]:
    """The lines of a file as records."""
    encoding = encoding_in(file, settings.encoding)
    first = [text.rstrip("\r\n") for _, text in islice(lines(file, encoding), SAMPLE_ROWS)]
    if settings.header > len(first):
        raise no_line(file, settings.header, len(first))
    head = first[settings.header - 1] if settings.header else ""
    cuts = _cuts(settings, head, [one for one in first[settings.header :] if one], file)
    by_bytes = encoding if settings.count == "bytes" else ""
    names: Sequence[str] = settings.columns
    if not names and settings.header:
        names = _values(head, cuts, by_bytes)
    columns = named(names or [""] * len(cuts), file.name)
    if len(columns) != len(cuts):
        fault = Fault(f"are {len(columns)}, and there are {len(cuts)} widths", "columns")
        raise InvalidInput(f"{file} cannot be read", [fault])
    row = position["row"] if position else 0
    place = Place(*position["place"]) if position else Place(0, settings.header)
    records: list[Record] = []
    unreadable: list[Unreadable] = []
    for at, text in lines(file, encoding, place):
        place = Place(at.byte, at.line + 1)
        line = text.rstrip("\r\n")
        if not line.strip():
            continue
        row += 1
        where = f"row {row}"
        if is_broken(line):
            reason = (f"is not written in {encoding}",)
            unreadable.append(Unreadable(raw(text, encoding), file.name, where, reason))
        elif "\0" in line:
            reason = ("holds the character U+0000",)
            unreadable.append(Unreadable(raw(text, encoding), file.name, where, reason))
        elif is_total(values := _values(line, cuts, by_bytes)):
            unreadable.append(Unreadable(raw(text, encoding), file.name, where, (IS_TOTAL,)))
        else:
            fields = dict(zip(columns, values, strict=True))
            records.append(Record(fields, file.name, where))
        if len(records) + len(unreadable) >= _ROWS:
            yield Batch(records, {"place": list(place), "row": row}, tuple(unreadable))
            records, unreadable = [], []
    yield Batch(records, {"place": list(place), "row": row}, tuple(unreadable))


def _cuts(
    settings: FixedSettings, head: str, sample: list[str], file: Path
) -> list[tuple[int, int | None]]:
    """Where each column begins and ends; the last goes on to the end of the line."""
    starts = [0]
    if settings.widths:
        for width in settings.widths:
            starts.append(starts[-1] + width)
        starts.pop()
    else:
        width = max(map(len, sample), default=0)
        blank = [all(line[at : at + 1] in ("", " ") for line in sample) for at in range(width)]
        begun = [at for at in range(1, width) if blank[at - 1] and not blank[at]]
        starts += [
            at
            for at in begun
            if not head or (head[at - 1 : at] == " " and head[at : at + 1].strip())
        ]
        if len(starts) < 2:
            fault = Fault("its columns are not told by spaces", file.name, "say `widths`")
            raise InvalidInput(f"{file} cannot be read", [fault])
    return list(zip(starts, [*starts[1:], None], strict=True))


def _values(line: str, cuts: list[tuple[int, int | None]], by_bytes: str) -> list[str]:
    if by_bytes:
        data = line.encode(by_bytes, "replace")
        return [data[start:end].decode(by_bytes, "replace").strip() for start, end in cuts]
    return [line[start:end].strip() for start, end in cuts]
