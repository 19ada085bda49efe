"""What text files are encoded in.

A byte order mark tells, else zero bytes in every other place (UTF-16), else whether all of it is
UTF-8. Of what is none of these, pieces of the file are read in each of the usual encodings; which of
them gives texts of frequent characters is voted on with charset-normalizer and chardet.
"""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from onefold.model.errors import Fault, InvalidInput

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
PIECE = 1 << 20
_WHOLE = 64 << 20
"""Of larger files only pieces are looked at."""
_PIECES = 32
_VOTED = 32 << 10
_SAME = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "cp936": "gb18030",
    "hz": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "shift_jis_2004": "cp932",
    "shift_jisx0213": "cp932",
    "big5hkscs": "big5",
    "big5-hkscs": "big5",
    "cp950": "big5",
    "windows-1252": "cp1252",
    "iso-8859-1": "cp1252",
    "latin_1": "cp1252",
    "latin-1": "cp1252",
    "iso8859_15": "cp1252",
    "iso-8859-15": "cp1252",
    "cp949": "euc_kr",
    "euc-kr": "euc_kr",
    "euc-jp": "euc_jp",
}
# Where the characters stand that texts are mostly made of: by first byte, of each encoding.
_FREQUENT = {
    "gb18030": (0xB0, 0xD7),
    "big5": (0xA4, 0xC6),
    "euc_kr": (0xB0, 0xC8),
}


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


def encoding_of(file: Path) -> str:
    """What a text file is written in, as Python names it.

    UTF-8, UTF-16, GB 18030, Big5, Shift-JIS (`cp932`), EUC-JP, EUC-KR, or Windows-1252.
    """
    with file.open("rb") as source:
        start = source.read(PIECE)
    if not start:
        raise InvalidInput(f"{file} is empty", [Fault("is empty", file.name)])
    if mark := marked(start):
        return mark.removesuffix("-sig")
    second, first = (start[place:2_000:2].count(0) for place in (1, 0))
    for zeros, others, encoding in ((second, first, "utf-16-le"), (first, second, "utf-16-be")):
        if 10 * zeros > min(len(start), 2_000) and 10 * others < zeros:
            return encoding
    if b"\0" in start:
        raise InvalidInput(f"{file} is no text", [Fault("is no text", file.name, "save it as CSV")])
    is_utf_8, sample = _looked_at(file)
    return "utf-8" if is_utf_8 else _voted(sample)


def _looked_at(file: Path) -> tuple[bool, bytes]:
    """Is all of it UTF-8? And some lines with more than ASCII, from its beginning on."""
    is_utf_8, some, size = True, [], 0
    for lines in _lines(file):
        text = b"".join(lines)
        is_utf_8 = is_utf_8 and _is(text, "utf-8")
        if size <= _VOTED and not text.isascii():
            for line in lines:
                if size <= _VOTED and not line.isascii():
                    some.append(line)
                    size += len(line)
        if size > _VOTED and not is_utf_8:
            break
    return is_utf_8, b"".join(some)


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
    votes = Counter([_likeliest(sample)])
    for vote in (_normalizer, _chardet):
        votes.update(vote(sample))
        best, count = votes.most_common(1)[0]
        if count > 1:
            return best
    return next(iter(votes))


def _likeliest(sample: bytes) -> str:
    """The encoding in which nearly all characters that are not ASCII are frequent ones."""
    scores = {"cp1252": 0.5 if _is_latin(sample) else 0.01}
    for encoding, (low, top) in _FREQUENT.items():
        pairs = _pairs(sample, encoding)
        if pairs:
            scores[encoding] = sum(low <= one[0] <= top for one in pairs) / len(pairs)
    for encoding in ("cp932", "euc_jp"):
        text = _text(sample, encoding)
        far = [one for one in text if one > "\x7f"]
        kana = sum("\u3040" <= one <= "\u30ff" for one in far)
        odd = sum("\uff61" <= one <= "\uff9f" for one in far)
        if far:  # half-width kana stand for nearly any byte
            scores[encoding] = 0.9 * (1 - odd / len(far)) if kana else 0.3 * (1 - odd / len(far))
            scores[encoding] += 0.2 * min(1, 10 * kana / len(far))
    return max(scores, key=lambda one: scores[one])


def _is_latin(sample: bytes) -> bool:
    """Two letters with marks side by side are rare in Europe, and most letters have none."""
    high = [byte > 127 for byte in sample]
    pairs = sum(one and other for one, other in pairwise(high))
    return 2 * pairs <= sum(high)


def _pairs(sample: bytes, encoding: str) -> list[bytes]:
    """The characters that are not ASCII, as bytes; empty where the sample is not of the encoding."""
    text = _text(sample, encoding)
    return [one.encode(encoding) for one in text if one > "\x7f"]


def _text(sample: bytes, encoding: str) -> str:
    """The text, of which one character in a hundred may be broken; empty where more are."""
    text = sample.decode(encoding, "ignore")
    lost = len(sample) - len(text.encode(encoding, "ignore"))
    return "" if 100 * lost > max(len(text), 100) else text


def _normalizer(sample: bytes) -> list[str]:
    from charset_normalizer import from_bytes  # noqa: PLC0415 - needed only for files that are no UTF-8

    isolated = ["gb18030", "big5", "cp932", "cp1252", "euc_jp", "cp949"]
    best = from_bytes(sample, cp_isolation=isolated).best()
    return _named(best.encoding if best else None)


def _chardet(sample: bytes) -> list[str]:
    """What it says: asked last, as its tables take 28 MB."""
    import chardet  # noqa: PLC0415

    return _named(chardet.detect(sample)["encoding"])


def _named(name: str | None) -> list[str]:
    return [_SAME.get(name.lower(), name.lower())] if name else []
