"""XML from strangers to a tree: no document types, no entities, and bounds for everything else."""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat

import msgspec

from onefold.model.errors import Fault, InvalidInput

_MAX_DEPTH = 64
_MAX_ELEMENTS = 200_000
_MAX_ATTRIBUTES = 64
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{1,100}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_OWN = ("utf-8", "utf-16", "iso-8859-1", "us-ascii")
_UNIT = " "


class ForbiddenXML(InvalidInput):
    """A document type, an entity or a processing instruction; send the XML without it."""

    code = "forbidden_xml"


class Element(msgspec.Struct):
    """An element: its namespace and name, what is in it, and its text without that of its children."""

    namespace: str
    name: str
    attributes: dict[str, str]
    children: list[Element]
    text: str = ""

    def child(self, name: str) -> Element | None:
        """The first child of this name, whatever its namespace."""
        return next((one for one in self.children if one.name == name), None)

    def text_of(self, name: str) -> str:
        """The text of the first child of this name, empty if there is none."""
        found = self.child(name)
        return found.text.strip() if found is not None else ""


def read_xml(body: bytes) -> Element:
    """The root of a document. Raises `ForbiddenXML` for a document type, `InvalidInput` for damage.

    >>> read_xml(b"<a><b>1</b></a>").text_of("b")
    '1'
    """
    body, encoding = _transcoded(body)
    reader = _Reader(encoding)
    try:
        reader.parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        fault = Fault(str(error), "body")
        raise InvalidInput("the body is not well-formed XML", [fault]) from error
    assert reader.root is not None
    return reader.root


def as_fields(element: Element) -> Any:
    """An element as a value: its text, or an object of its children; those that repeat are lists.

    Attributes are fields that begin with `@`; text beside children is `#text`.

    >>> as_fields(read_xml(b'<o id="7"><line>a</line><line>b</line></o>'))
    {'@id': '7', 'line': ['a', 'b']}
    """
    text = element.text.strip()
    if not element.children and not element.attributes:
        return text
    fields: dict[str, Any] = {f"@{name}": value for name, value in element.attributes.items()}
    repeated: set[str] = set()
    for child in element.children:
        value = as_fields(child)
        if child.name in repeated:
            fields[child.name].append(value)
        elif child.name in fields:
            fields[child.name] = [fields[child.name], value]
            repeated.add(child.name)
        else:
            fields[child.name] = value
    if text:
        fields["#text"] = text
    return fields


class _Reader:
    """Builds the tree; whatever a parser could be made to do beyond that is refused at once."""

    def __init__(self, encoding: str | None) -> None:
        self.root: Element | None = None
        self._open: list[tuple[Element, list[str]]] = []
        self._count = 0
        parser = self.parser = expat.ParserCreate(encoding, _UNIT)
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters

    @staticmethod
    def _doctype(*_: object) -> None:
        raise ForbiddenXML("a document type (<!DOCTYPE …>) is not taken; send the XML without it")

    @staticmethod
    def _entity(*_: object) -> None:
        raise ForbiddenXML("an entity is not taken; send the XML without it")

    @staticmethod
    def _instruction(*_: object) -> None:
        raise ForbiddenXML("a processing instruction is not taken; send the XML without it")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= _MAX_DEPTH or self._count > _MAX_ELEMENTS:
            bound = f"at most {_MAX_DEPTH} levels and {_MAX_ELEMENTS:,} elements are read"
            raise InvalidInput(f"the XML is nested too deep or has too many elements; {bound}")
        if len(attributes) > _MAX_ATTRIBUTES:
            raise InvalidInput(f"an element has more than {_MAX_ATTRIBUTES} attributes")
        namespace, _, local = name.rpartition(_UNIT)
        own = {key.rpartition(_UNIT)[2]: value for key, value in attributes.items()}
        element = Element(namespace, local, own, [])
        if self._open:
            self._open[-1][0].children.append(element)
        else:
            self.root = element
        self._open.append((element, []))

    def _end(self, _: str) -> None:
        element, texts = self._open.pop()
        element.text = "".join(texts)

    def _characters(self, text: str) -> None:
        self._open[-1][1].append(text)


def _transcoded(body: bytes) -> tuple[bytes, str | None]:
    """As UTF-8 where the parser does not know the encoding that the document declares."""
    found = _DECLARED.match(body[:200])
    declared = found[1].decode().lower() if found else "utf-8"
    if declared in _OWN:
        return body, None
    # What is declared as GB2312 is GBK or GB18030 more often than not.
    codec = "gb18030" if declared in ("gb2312", "gbk", "gb18030") else declared
    try:
        return body.decode(codec).encode(), "utf-8"
    except (LookupError, UnicodeError) as error:
        fault = Fault(f"is not {declared}", "body")
        raise InvalidInput("the body is not in the encoding that it declares", [fault]) from error
