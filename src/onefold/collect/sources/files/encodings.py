"""What text files are encoded in.

A byte order mark tells, else zero bytes in every other place (UTF-16), else whether its lines are
UTF-8. Of what is none of these, pieces of the file are read in each of the usual encodings; which of
them gives texts of frequent characters is voted on with charset-normalizer and chardet.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from onefold.model.errors import Fault, InvalidInput

_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
PIECE = 1 << 20
_WHOLE = 64 << 20
"""Of larger files only pieces are looked at."""
_PIECES = 32
_VOTED = 32 << 10
_JUDGED = 2_000
"""So many lines that are not ASCII tell whether a file is UTF-8 of which some lines are broken."""
_NO_TEXT, _FEW = 0.01, 2
"""A text has fewer control characters than that, or but a few."""
_KNOWN = (
    (b"\x1f\x8b", "packed by gzip: call it .gz"),
    (b"PK\x03\x04", "a ZIP archive or a workbook: call it .zip or .xlsx, and name no other format"),
    (b"BZh", "packed by bzip2: call it .bz2"),
    (b"\xfd7zXZ\0", "packed by xz: call it .xz"),
    (b"\xd0\xcf\x11\xe0", "an old workbook or another document of Office: call it .xls"),
    (b"%PDF", "a PDF document"),
    (b"PAR1", "a Parquet file: call it .parquet"),
    (b"Obj\x01", "an Avro file: call it .avro"),
    (b"SQLite format 3\0", "a SQLite database"),
)
_SAME = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "cp936": "gb18030",
    "hz": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "shift_jis_2004": "cp932",
    "shift_jisx0213": "cp932",
    "big5hkscs": "cp950",
    "big5-hkscs": "cp950",
    "big5": "cp950",
    "windows-1252": "cp1252",
    "iso-8859-1": "cp1252",
    "latin_1": "cp1252",
    "latin-1": "cp1252",
    "iso8859_15": "cp1252",
    "iso-8859-15": "cp1252",
    "euc_kr": "cp949",
    "euc-kr": "cp949",
    "euc-jp": "euc_jp",
}
# Where the characters stand that texts are mostly made of: by first byte, of each encoding.
_FREQUENT = {
    "gb18030": (0xB0, 0xD7),
    "big5": (0xA4, 0xC6),
    "euc_kr": (0xB0, 0xC8),
}
# What stands within words only where letters of another part of Europe are read as Windows-1252.
_ODD = re.compile(
    "[^\\W\\d_][¡-¿×÷Œ€‚ƒ„…†‡ˆ‰‹‘’“”•–—˜™›ÐÝÞðýþ\ufffd]|[¡-¿×÷ÐÝÞðýþ\ufffd][^\\W\\d_]"
)
_ISOLATED = ["gb18030", "big5", "cp932", "cp1252", "euc_jp", "cp949"]
_FARTHER = ["cp1250", "cp1251", "cp1253", "cp1254", "cp1256", "cp1257", "koi8_r", "cp874"]


def marked(start: bytes) -> str:
    """The encoding that a byte order mark at the start of a file tells of; empty without one."""
    return next((name for mark, name in _MARKS.items() if start.startswith(mark)), "")


def decoded(file: Path, encoding: str) -> Iterator[str]:
    """The text of a file, piece by piece; `UnicodeError` where it is not of this encoding."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    with file.open("rb") as source:
        while piece := source.read(PIECE):
            yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def encoding_in(file: Path, said: str) -> str:
    """The encoding that somebody says, as Python calls it; found out where nothing is said."""
    if not said:
        return encoding_of(file)
    try:
        known = codecs.lookup(said)
        "".encode(known.name)
    except (LookupError, ValueError):
        known = None
    if known is None or known.name.startswith(("utf-32", "utf-7")):
        hint = "such as utf-8, utf-16, gb18030, big5, cp932, euc_kr, cp1250, cp1252"
        raise InvalidInput(
            f"{file} cannot be read",
            [Fault("is no encoding that is read", f"encoding: {said}", hint)],
        )
    return known.name


def encoding_of(file: Path) -> str:
    """What a text file is written in, as Python names it.

    UTF-8, UTF-16, GB 18030, Big5 (`cp950`), Shift-JIS (`cp932`), EUC-JP, EUC-KR (`cp949`), or
    Windows-1252; of other texts what those who vote agree on.
    """
    with file.open("rb") as source:
        start = source.read(PIECE)
    if not start:
        raise InvalidInput(f"{file} is empty", [Fault("is empty", file.name)])
    if mark := marked(start):
        if mark == "utf-32":
            raise _no_text(file, "is UTF-32", "save it as UTF-8")
        return mark.removesuffix("-sig")
    if wide := _wide(start):
        return wide
    _refuse_what_is_no_text(file, start)
    if b"\x1b$" in start and _is(start[: start.rfind(b"\n") + 1] or start, "iso2022_jp"):
        return "iso2022_jp"
    is_utf_8, sample = _looked_at(file)
    return "utf-8" if is_utf_8 else _voted(sample)


def _wide(start: bytes) -> str:
    """UTF-16 without a mark: of ASCII each other byte is zero, and Chinese text has frequent characters."""
    second, first = (start[place:2_000:2].count(0) for place in (1, 0))
    for zeros, others, encoding in ((second, first, "utf-16-le"), (first, second, "utf-16-be")):
        if 10 * zeros > min(len(start), 2_000) and 10 * others < zeros:
            return encoding
    if second + first:
        for encoding in ("utf-16-le", "utf-16-be"):
            text = start[: min(len(start), 4_000) & ~1].decode(encoding, "replace")
            if len(_USUAL.findall(text)) > 0.95 * len(text):
                return encoding
    return ""


_USUAL = re.compile("[\t\n\r -~\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff00-\uffef]")


def _refuse_what_is_no_text(file: Path, start: bytes) -> None:
    """Raise where it is no text; a zero here and there is none of that."""
    what = next((name for mark, name in _KNOWN if start.startswith(mark)), "")
    odd = sum(start.count(one) for one in range(32) if one not in b"\t\n\v\f\r\x1a\x1b\x1f")
    if (what and odd) or odd > max(_FEW, _NO_TEXT * len(start)):
        raise _no_text(file, "is no text", f"it seems to be {what}" if what else "save it as CSV")


def _no_text(file: Path, what: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{file} is no text", [Fault(what, file.name, hint)])


def _looked_at(file: Path) -> tuple[bool, bytes]:
    """Is it UTF-8, but for some lines? And some lines with more than ASCII, from its beginning on."""
    some, size, good, bad = [], 0, 0, 0
    for lines in _lines(file):
        text = b"".join(lines)
        if text.isascii():
            continue
        far = [line for line in lines if not line.isascii()]
        broken = 0 if _is(text, "utf-8") else sum(not _is(line, "utf-8") for line in far)
        bad += broken
        good += len(far) - broken
        for line in far:
            if size > _VOTED:
                break
            some.append(line)
            size += len(line)
        if size > _VOTED and good + bad >= _JUDGED and bad > good:
            break
    # No other encoding looks so by chance: one line in a hundred of it would be UTF-8.
    return good >= 2 * bad, b"".join(some)


def _lines(file: Path) -> Iterator[list[bytes]]:
    """Whole lines of a file, some at a time: all, or of a large one those of pieces from everywhere."""
    size = file.stat().st_size
    with file.open("rb") as source:
        if size <= _WHOLE:
            yield from iter(lambda: source.readlines(PIECE), [])
            return
        for number in range(_PIECES):
            source.seek(number * (size // _PIECES))
            if number:
                source.readline(PIECE)
            yield source.readlines(PIECE)


def _is(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _voted(sample: bytes) -> str:
    """What most say that bytes are which are no UTF-8; our own word counts where others are divided."""
    ours = _likeliest(sample)
    if ours == "cp1252":  # of few letters the others know less
        return ours
    votes = Counter([ours] if ours else [])
    for vote in (_normalizer, _chardet):
        votes.update(vote(sample, wide=not ours))
        best, count = votes.most_common(1)[0] if votes else ("", 0)
        if count > 1:
            return best
    return next(iter(votes), "cp1252") if ours else next(reversed(votes), "cp1252")


def _likeliest(sample: bytes) -> str:
    """The encoding in which nearly all characters that are not ASCII are frequent ones; empty if none."""
    if _is_latin(sample):
        return "cp1252"
    scores: dict[str, float] = {}
    for encoding, (low, top) in _FREQUENT.items():
        pairs = _pairs(sample, encoding)
        share = sum(low <= one[0] <= top for one in pairs) / max(1, len(pairs))
        if share >= _FREQUENT_SHARE:
            scores[encoding] = share
    for encoding in ("cp932", "euc_jp"):
        text = _text(sample, encoding)
        far_ones = [one for one in text if one > "\x7f"]
        kana = sum("\u3040" <= one <= "\u30ff" for one in far_ones)
        odd = sum("\uff61" <= one <= "\uff9f" for one in far_ones)
        if far_ones:  # half-width kana stand for nearly any byte
            share = 1 - odd / len(far_ones)
            scores[encoding] = 0.9 * share if kana else 0.3 * share
            scores[encoding] += 0.2 * min(1, 10 * kana / len(far_ones))
    best = max(scores, key=lambda one: scores[one], default="")
    return _SAME.get(best, best) if best and scores[best] >= _SURE else ""


_FREQUENT_SHARE = 0.7
_SURE = 0.35
"""Less says nothing: most of what is read so would be rare characters."""


def _is_latin(sample: bytes) -> bool:
    """Most letters of Western Europe have no mark, two side by side are rare, and no sign is within a word."""
    high = [byte > 127 for byte in sample]
    pairs = sum(one and other for one, other in pairwise(high))
    odd = len(_ODD.findall(sample.decode("cp1252", "replace")))
    return 2 * pairs <= sum(high) and 20 * odd <= sum(high)


def _pairs(sample: bytes, encoding: str) -> list[bytes]:
    """The characters that are not ASCII, as bytes; empty where the sample is not of the encoding."""
    text = _text(sample, encoding)
    return [one.encode(encoding) for one in text if one > "\x7f"]


def _text(sample: bytes, encoding: str) -> str:
    """The text, of which one character in a hundred may be broken; empty where more are."""
    text = sample.decode(encoding, "ignore")
    lost = len(sample) - len(text.encode(encoding, "ignore"))
    return "" if 100 * lost > max(len(text), 100) else text


def _normalizer(sample: bytes, *, wide: bool) -> list[str]:
    from charset_normalizer import from_bytes  # noqa: PLC0415 - needed only for files that are no UTF-8

    best = from_bytes(sample, cp_isolation=_ISOLATED + (_FARTHER if wide else [])).best()
    return _named(best.encoding if best else None)


def _chardet(sample: bytes, *, wide: bool) -> list[str]:
    """What it says: asked last, as its tables take 28 MB."""
    import chardet  # noqa: PLC0415

    return _named(chardet.detect(sample)["encoding"])


def _named(name: str | None) -> list[str]:
    if not name:
        return []
    try:
        found = _SAME.get(name.lower()) or codecs.lookup(name).name
    except LookupError:
        return []
    return [_SAME.get(found, found)]
