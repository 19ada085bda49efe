"""Large XML of workbooks in Office Open XML, a few elements at a time: the texts that their cells share, and rows.

Nearly every program writes this XML in the same plain way, which is scanned. What is written otherwise is
parsed: that takes longer and gives the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import IO, Any, NamedTuple, Protocol, TypeVar, cast

from onefold.collect.sources.files.xml_text import local, parsed, refuse_type
from onefold.model.errors import Fault, InvalidInput

_PIECE = 1 << 20
_HEAD, _LARGEST = 4 << 20, 16 << 20
_MAIN = (
    b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    b"http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_DECLARED = re.compile(rb'xmlns(?::(\w+))?="(?:' + b"|".join(map(re.escape, _MAIN)) + rb')"')
_WRITTEN = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml[^?>]*\?>")
_ENCODING = re.compile(rb"""encoding=["'](?!utf-8["'])""", re.IGNORECASE)
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|(lt|gt|amp|quot|apos));|&")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_ESCAPED = re.compile(r"_x00([0-9A-Fa-f]{2})_")
_BLANK = " \t\r\n"
_FIRST_PRINTED, _CONTROLS = 0x20, (0x9, 0xA, 0xD)

T = TypeVar("T")


class NotPlain(Exception):
    """What is written so must be parsed."""


class Way(Protocol[T]):
    """What is made of elements, both ways."""

    within: str
    name: str

    def scanned(self, text: str, prefix: str) -> list[T]:
        """What is made of a text of whole elements whose names have a prefix; `NotPlain` if it is odd."""
        ...

    def whole(self, element: Any) -> T:
        """What is made of one that was parsed."""
        ...


class SharedTexts:
    """The texts that cells name by their number."""

    within, name = "sst", "si"

    def scanned(self, text: str, prefix: str) -> list[str]:
        """The texts, without how they are spoken."""
        ways = ways_of(prefix)
        count = text.count(f"<{prefix}si")
        if "&" not in text and "_x00" not in text:
            simple = ways.simple.findall(text)
            if len(simple) == count:
                return [one.strip(_BLANK) for one in simple]
        items = ways.item.findall(text)
        if len(items) != count:
            raise NotPlain
        return [joined(one, prefix) for one in items]

    def whole(self, element: Any) -> str:
        """The text, without how it is spoken."""
        return text_of(element)


class _Ways(NamedTuple):
    """What finds texts in XML that is written plainly."""

    simple: re.Pattern[str]
    item: re.Pattern[str]
    text: re.Pattern[str]
    spoken: re.Pattern[str]


@cache
def ways_of(prefix: str) -> _Ways:
    """Where names begin with a prefix (`x:`, or nothing)."""
    some = (
        r"<si><t>([^<]*)</t></si>",
        r"<si>(.*?)</si>|<si/>",
        r'<t(?: xml:space="(\w+)")?>([^<]*)</t>',
        r"<rPh\b[^<]*(?:<(?!/?rPh\b)[^<]*)*</rPh>",
    )
    return _Ways(*(compiled(one, prefix) for one in some))


def compiled(pattern: str, prefix: str) -> re.Pattern[str]:
    """A pattern of XML, in which names have a prefix."""
    return re.compile(re.sub(r"<(/?)(?=[a-zA-Z])", rf"<\1{prefix}", pattern), re.DOTALL)


def elements(source: IO[bytes], way: Way[T]) -> Iterator[T]:
    """What is made of all elements, one after the other: scanned as long as it can be, then parsed."""
    within, name = way.within, way.name
    head, rest, prefix = _head(source, within)
    if prefix is not None:
        last, over = f"</{prefix}{name}>".encode(), f"</{prefix}{within}>".encode()
        while True:
            end = rest.find(over)
            cut = end if end >= 0 else rest.rfind(last) + len(last)
            some = rest[:cut] if end >= 0 or cut >= len(last) else b""
            try:
                found = _scanned(some, prefix, way)
            except NotPlain:
                break
            yield from found
            if end >= 0:
                while source.read(_PIECE):  # to its end, where it is seen whether it came whole
                    pass
                return
            piece = source.read(_PIECE)
            if not piece or len(rest) - len(some) > _LARGEST:
                why = f"has a <{name}> of more than {_LARGEST:,} bytes" if piece else "is cut off"
                raise InvalidInput("the workbook cannot be read", [Fault(why, within)])
            rest = rest[len(some) :] + piece
    yield from _parsed(_Joined(head + rest, source), way)


def _head(source: IO[bytes], within: str) -> tuple[bytes, bytes, str | None]:
    """What stands above, what comes then, and the prefix of names; none where it must be parsed."""
    head = b""
    begins = re.compile(rb"<(?:(\w+):)?" + within.encode() + rb"\b[^>]*?(/?)>")
    while not (begun := begins.search(head)):
        piece = source.read(_PIECE)
        head += piece
        if not piece or len(head) > _HEAD:
            return head, b"", None
    above, rest = head[: begun.end()], head[begun.end() :]
    written = _WRITTEN.match(above)
    told = above[written.end() :] if written else above
    declared = _DECLARED.findall(above)
    odd = b"<!" in told or b"<?" in told or (written and _ENCODING.search(written[0]))
    if odd or begun[2] or len(declared) != 1 or declared[0] != (begun[1] or b""):
        return above, rest, None
    return above, rest, f"{declared[0].decode()}:" if declared[0] else ""


def _scanned(some: bytes, prefix: str, way: Way[T]) -> list[T]:
    if b"<!" in some or b"<?" in some or b"xmlns" in some:
        raise NotPlain
    text = some.decode()
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return way.scanned(text, prefix)


def joined(inner: str, prefix: str) -> str:
    """The texts within an element, one after the other, without how they are spoken."""
    ways = ways_of(prefix)
    if only := ways.text.fullmatch(inner):
        return shown(unescaped(only[2]), only[1])
    begun = f"<{prefix}rPh"
    if begun in inner:
        inner = ways.spoken.sub("", inner)
    found = ways.text.findall(inner)
    if len(found) != inner.count(f"<{prefix}t>") + inner.count(f"<{prefix}t ") or begun in inner:
        raise NotPlain
    return "".join(shown(unescaped(text), space) for space, text in found)


def unescaped(text: str) -> str:
    """A text with the characters that it names."""
    return _REFERENCE.sub(_meant, text) if "&" in text else text


def _meant(reference: re.Match[str]) -> str:
    decimal, hexadecimal, name = reference.groups()
    if name:
        return _NAMED[name]
    code = int(decimal) if decimal else int(hexadecimal or "0", 16)
    if code < _FIRST_PRINTED and code not in _CONTROLS:
        raise NotPlain
    try:
        return chr(code)
    except (ValueError, OverflowError) as error:
        raise NotPlain from error


def shown(text: str, space: str = "") -> str:
    """A text without blanks around it, unless they count, and with the characters that XML has none of."""
    if space != "preserve":
        text = text.strip(_BLANK)
    return _ESCAPED.sub(lambda one: chr(int(one[1], 16)), text) if "_x00" in text else text


class _Joined:
    """What was read already, then what is left."""

    def __init__(self, first: bytes, rest: IO[bytes]) -> None:
        self._first, self._rest = first, rest

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        found, self._first = self._first, b""
        return found or self._rest.read(size)


def _parsed(source: _Joined, way: Way[T]) -> Iterator[T]:
    for _, element in parsed(cast("IO[bytes]", source), ("end",), f"{{*}}{way.name}"):
        refuse_type(element)
        yield way.whole(element)


def text_of(element: Any) -> str:
    """The texts within an element, without how they are spoken."""
    found = []
    for one in element:
        some = [one] if local(one.tag) == "t" else one if local(one.tag) == "r" else ()
        for text in some:
            if local(text.tag) == "t":
                found.append(shown("".join(text.itertext()), text.get(_SPACE, "")))
    return "".join(found)
