"""Changing a YAML text where it must change, and leaving every other byte as somebody wrote it.

A parser that says where each value stands is enough for that: what differs is written anew in its
place, with the quotes and the indentation that were there; comments, order and blank lines around
it are never touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import yaml

_WIDE = 1_000_000
Plain = dict[str, Any]


class Edit(NamedTuple):
    """What stands between two offsets is replaced."""

    start: int
    end: int
    text: str


class Document(NamedTuple):
    """One document of a YAML text: from `start` to `end`, `---` and comments included."""

    start: int
    end: int
    node: yaml.Node
    value: Any


class _Writer(yaml.SafeDumper):
    """Writes texts of several lines as people do, and lists indented below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


class _Styled(str):
    """A text with the style that it was written in."""

    __slots__ = ("style",)
    style: str | None


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = getattr(text, "style", None) or ("|" if "\n" in text else None)
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style)


_Writer.add_representer(str, _represent)
_Writer.add_representer(_Styled, _represent)


def documents(text: str) -> list[Document]:
    """The documents of a text that hold anything."""
    starts = [
        event.start_mark.index if event.explicit and event.start_mark else 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader)
        if isinstance(event, yaml.DocumentStartEvent)
    ]
    nodes = yaml.compose_all(text, Loader=yaml.SafeLoader)
    values = yaml.safe_load_all(text)
    found = zip(starts, [*starts[1:], len(text)], nodes, values, strict=True)
    return [Document(*one) for one in found if one[3] is not None]


def written(value: Plain) -> str:
    """A whole document."""
    return _dumped(value, flow=False)


def edited(text: str, edits: list[Edit]) -> str:
    """The text with all edits made."""
    for one in sorted(edits, reverse=True):
        text = text[: one.start] + one.text + text[one.end :]
    return text


def mapping_edits(text: str, node: yaml.Node, new: Plain, keep: frozenset[str]) -> Iterator[Edit]:
    """What turns a mapping into another; keys in `keep` stay as they are.

    >>> text = "name: a  # mine\\nrule: x = 1 # why\\nold: 1\\n"
    >>> (one,) = documents(text)
    >>> print(edited(text, list(mapping_edits(text, one.node, {"rule": "x = 2"}, frozenset({"name"})))))
    name: a  # mine
    rule: x = 2 # why
    <BLANKLINE>
    """
    assert isinstance(node, yaml.MappingNode)
    pairs = {str(key.value): (key, value) for key, value in node.value}
    gone = [name for name in pairs if name not in new and name not in keep]
    added = {name: value for name, value in new.items() if name not in pairs}
    if not pairs or (node.flow_style and (gone or added)):
        kept = {name: _plain(pairs[name][1]) for name in pairs if name in keep}
        yield Edit(node.start_mark.index, end_of(node), _dumped({**kept, **new}, flow=True).strip())
        return
    for name, (key, value) in pairs.items():
        if name in gone:
            yield _removal(text, key, value)
        elif name not in keep:
            yield from _value_edits(text, key, value, new[name], bool(node.flow_style))
    if added:
        end = _line_end(text, end_of(node.value[-1][1]))
        column = node.value[0][0].start_mark.column
        more = _indented(_dumped(added, flow=False), column)
        first = "" if text[:end].endswith("\n") else "\n"
        yield Edit(
            end, end, first + " " * column + more + ("\n" if not more.endswith("\n") else "")
        )


def _value_edits(
    text: str, key: yaml.Node, node: yaml.Node, new: Any, inside: bool
) -> Iterator[Edit]:
    """What turns the value of a key into another."""
    if _plain(node) == new:
        return
    if isinstance(node, yaml.MappingNode) and isinstance(new, dict) and new:
        yield from mapping_edits(text, node, new, frozenset())
    elif isinstance(node, yaml.SequenceNode) and isinstance(new, list) and new:
        yield from _list_edits(text, key, node, new, inside)
    else:
        yield _replacement(text, key, node, new, inside)


def _list_edits(
    text: str, key: yaml.Node, node: yaml.SequenceNode, new: list[Any], inside: bool
) -> Iterator[Edit]:
    """What turns a list into another: equal items at both ends stay, as do those in the middle."""
    old = [_plain(item) for item in node.value]
    shorter = min(len(old), len(new))
    before = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    after = next(
        (at for at in range(shorter - before) if old[-1 - at] != new[-1 - at]), shorter - before
    )
    items, wanted = node.value[before : len(old) - after], new[before : len(new) - after]
    alike = [
        (item, value)
        for item, value in zip(items, wanted, strict=False)
        if isinstance(item, yaml.MappingNode) and isinstance(value, dict) and value
    ]
    if len(items) == len(wanted) and len(alike) == len(items):
        for item, value in alike:
            yield from mapping_edits(text, item, value, frozenset())
    elif node.flow_style or not old:
        yield _replacement(text, key, node, new, inside)
    else:
        column = node.start_mark.column
        starts = [text.rfind("\n", 0, _dash(text, item)) + 1 for item in node.value]
        ends = [_line_end(text, end_of(item)) for item in node.value]
        for number in range(before, len(old) - after):
            yield Edit(starts[number], ends[number], "")
        if wanted:
            at = ends[before - 1] if before else starts[0]
            more = _indented(_dumped(wanted, flow=False), column)
            first = "" if not at or text[at - 1] == "\n" else "\n"
            yield Edit(at, at, f"{first}{' ' * column}{more}")


def _replacement(text: str, key: yaml.Node, node: yaml.Node, new: Any, inside: bool) -> Edit:
    """A value written anew behind its key; `inside` braces or not."""
    start, end = node.start_mark.index, end_of(node)
    style = node.style if isinstance(node, yaml.ScalarNode) else None
    shown = _dumped({"k": _styled(new, style)}, flow=False)
    if inside:
        shown = "k: " + _dumped([_styled(new, style)], flow=True).strip()[1:-1]
    elif getattr(node, "flow_style", False) and isinstance(new, (dict, list)):
        shown = "k: " + _dumped(new, flow=True)
    behind = _indented(shown[2:].rstrip("\n"), key.start_mark.column)
    if behind.startswith("\n") or start == end or not isinstance(node, yaml.ScalarNode):
        colon = text.index(":", key.end_mark.index) + 1
        return Edit(colon, max(end, colon), behind)
    return Edit(start, end, behind.lstrip(" "))


def _removal(text: str, key: yaml.Node, node: yaml.Node) -> Edit:
    """A key and its value, with the whole of their lines."""
    start = text.rfind("\n", 0, key.start_mark.index) + 1
    if text[start : key.start_mark.index].strip():  # the first key of an item: `- key: value`
        start = key.start_mark.index
        after = _line_end(text, end_of(node))
        return Edit(start, after + len(text[after:]) - len(text[after:].lstrip(" ")), "")
    return Edit(start, _line_end(text, end_of(node)), "")


def end_of(node: yaml.Node) -> int:
    """Where a node's last character stands; what follows may be comments and blank lines."""
    children = node.value if not isinstance(node, yaml.ScalarNode) else []
    if not children or getattr(node, "flow_style", False):
        end: int = node.end_mark.index
        if getattr(node, "style", None) in ("|", ">"):
            buffer = node.end_mark.buffer
            return end if buffer is None else len(buffer[:end].rstrip("\n\0"))
        return end
    last = children[-1]
    return end_of(last[1] if isinstance(last, tuple) else last)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _dash(text: str, item: yaml.Node) -> int:
    return text.rindex("-", 0, item.start_mark.index)


def _plain(node: yaml.Node) -> Any:
    """The value of a node, as definitions are kept."""
    loader = yaml.SafeLoader("")
    try:
        value = loader.construct_document(node)
    finally:
        loader.dispose()
    return msgspec.json.decode(msgspec.json.encode(value))


def _styled(value: Any, style: str | None) -> Any:
    if not isinstance(value, str) or style is None:
        return value
    styled = _Styled(value)
    styled.style = style
    return styled


def _indented(text: str, column: int) -> str:
    """All lines but the first moved to a column; blank ones stay blank."""
    lines = text.split("\n")
    return "\n".join([lines[0], *(" " * column + line if line else line for line in lines[1:])])


def _dumped(value: Any, *, flow: bool) -> str:
    text: str = yaml.dump(
        value,
        Dumper=_Writer,
        allow_unicode=True,
        sort_keys=False,
        width=_WIDE,
        default_flow_style=flow,
    )
    return text


def without(text: str, numbers: list[int]) -> str:
    """The text without some of its documents, by their number; empty if none is left."""
    if not numbers:
        return text
    found = documents(text)
    gone = [Edit(found[number].start, found[number].end, "") for number in numbers]
    return edited(text, gone) if len(gone) < len(found) else ""
