"""XML of any size, a record at a time. Document types are refused, and with them every entity."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec

from onefold.collect.sources.files.encodings import marked
from onefold.collect.sources.files.plain import with_children
from onefold.model.errors import Fault, InvalidInput
from onefold.model.pulled import Batch, Position, Record, Unreadable

_ROWS = 2_000
_HEAD = 64 << 10
_LOOKED_AT, _FEW = 20_000, 2
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_HAS_TYPE, _NO_TYPE = "has a document type (DTD), which is refused", "remove <!DOCTYPE …>"
_ABOUT_SCHEMA = "{http://www.w3.org/2001/XMLSchema-instance}"
"""Attributes that say of what type something is, or that it is nothing (`nil`)."""


class XmlSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an XML file is read: `records` is the path to an element (`customers/customer`), without
    namespaces; without it the one that is repeated. `children` are those within that become records.
    """

    records: str = ""
    children: tuple[str, ...] = ()


def read(file: Path, settings: XmlSettings, position: Position | None) -> Iterator[Batch]:
    """The records of a file: attributes as `@name`, text within elements as `text`."""
    refuse_types(file)
    path = settings.records.strip("/").split("/") if settings.records else _repeated(file)
    skip = number = position["row"] if position else 0
    records: list[Record] = []
    unreadable: list[Unreadable] = []
    seen = 0
    for seen, found in enumerate(_found(file, path), 1):
        if seen <= skip:
            continue
        number = seen
        place = f"record {number}"
        if isinstance(found, str):
            unreadable.append(Unreadable(b"", file.name, place, (found,)))
        else:
            fields = found if isinstance(found, dict) else {"text": found}
            records.extend(with_children(Record(fields, file.name, place), settings.children))
        if len(records) + len(unreadable) >= _ROWS:
            yield Batch(records, {"row": number}, tuple(unreadable))
            records, unreadable = [], []
    if not seen:
        _refuse_other_path(file, path)
    yield Batch(records, {"row": number}, tuple(unreadable))


def _refuse_other_path(file: Path, path: list[str]) -> None:
    """Raise where no record is found though the file has some: they stand at another path."""
    there = ["/".join(one) for one, count in _paths(file).items() if count > 1]
    if there:
        hint = f"several times in it: {', '.join(there[:5])}"
        fault = Fault(f"there is no {'/'.join(path)}", "records", hint)
        raise InvalidInput(f"{file} cannot be read", [fault])


def refuse_types(file: Path) -> None:
    """Refuse a document type: it could name files of ours, or grow without bound."""
    with file.open("rb") as source:
        head = source.read(_HEAD)
    if not head.strip():
        raise InvalidInput(f"{file} is empty", [Fault("is empty", file.name)])
    text = head.decode(marked(head) or "latin-1", "ignore").replace("\0", "")
    # What stands in a comment or within elements is no type, but what somebody wrote about one.
    above = re.split(r"<[\w:]", _COMMENT.sub("", text), maxsplit=1)[0]
    if "<!DOCTYPE" in above or "<!ENTITY" in above:
        raise InvalidInput(f"{file} is not read", [Fault(_HAS_TYPE, file.name, _NO_TYPE)])


def refuse_type(element: Any) -> None:
    """Refuse what stands below a document type."""
    if element.getroottree().docinfo.internalDTD is not None:
        raise InvalidInput("the XML is not read", [Fault(_HAS_TYPE, hint=_NO_TYPE)])


def _found(file: Path, path: list[str]) -> Iterator[dict[str, Any] | str]:
    """Each record; what is wrong, as a text, where the file is broken."""
    from lxml import etree  # noqa: PLC0415 - needed only for such files

    stack: list[str] = []
    try:
        for event, element in _events(file):
            if event == "start":
                if not stack and element.getroottree().docinfo.internalDTD is not None:
                    yield _HAS_TYPE
                    return
                stack.append(local(element.tag))
                continue
            if stack == path:
                yield _fields(element)
            if len(stack) <= len(path):
                _free(element)
            stack.pop()
    except etree.XMLSyntaxError as error:
        yield f"the file ends here, as it is broken: {error.msg}"


def _events(file: Path) -> Iterator[tuple[str, Any]]:
    with file.open("rb") as source:
        yield from parsed(source, ("start", "end"))


def parsed(
    source: IO[bytes], events: Sequence[str], tag: str | None = None
) -> Iterator[tuple[str, Any]]:
    """How elements (of a name) begin and end; nothing that the XML names is ever fetched.

    With a name, each is freed after it was looked at.
    """
    from lxml import etree  # noqa: PLC0415 - needed only for such files

    for event, element in etree.iterparse(
        source,
        events=events,
        tag=tag,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    ):
        yield event, element
        if tag:
            _free(element)


def _paths(file: Path) -> Counter[tuple[str, ...]]:
    """How often elements stand at which path, as far as that is looked at."""
    from lxml import etree  # noqa: PLC0415

    seen: Counter[tuple[str, ...]] = Counter()
    stack: list[str] = []
    try:
        for count, (event, element) in enumerate(_events(file)):
            if event == "start":
                stack.append(local(element.tag))
                seen[tuple(stack)] += 1
            else:
                stack.pop()
                element.clear()
            if count > _LOOKED_AT:
                break
    except etree.XMLSyntaxError as error:
        if len(seen) < _FEW:
            fault = Fault(f"is no XML: {error.msg}", file.name)
            raise InvalidInput(f"{file} cannot be read", [fault]) from error
    return seen


def _repeated(file: Path) -> list[str]:
    """The path of the first elements that stand beside others of their name."""
    seen = _paths(file)
    several: list[tuple[str, ...]] = [path for path, count in seen.items() if count > 1]
    several = [one for one in several if not any(one[:-1] == other for other in several)]
    if several:
        depth = min(map(len, several))
        shallow = [one for one in several if len(one) == depth]
        most = max(shallow, key=seen.__getitem__)
        return list(most)
    inner = [path for path in seen if len(path) == 2]
    if not inner:
        fault = Fault("has no elements", file.name, "say which are records: records: list/item")
        raise InvalidInput(f"{file} cannot be read", [fault])
    return list(inner[0])


def _fields(element: Any) -> dict[str, Any] | str:
    """An element as fields; of several of one name, a list."""
    value = _value(element)
    return value if isinstance(value, dict) else {"text": value}


def _value(element: Any) -> Any:
    found: dict[str, Any] = {
        f"@{local(name)}": value
        for name, value in element.attrib.items()
        if not name.startswith(_ABOUT_SCHEMA)
    }
    for child in element:
        if not isinstance(child.tag, str):
            continue
        name, value = local(child.tag), _value(child)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    parts = [element.text, *(child.tail for child in element)]
    text = " ".join(part for one in parts if (part := (one or "").strip()))
    if not found:
        return text or None
    if text:
        found["text"] = text
    return found


def local(tag: str) -> str:
    """The name of an element or attribute, without its namespace."""
    return tag.rpartition("}")[2]


def _free(element: Any) -> None:
    """Free what was read, and its place in its parent."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]
