"""Links that alone hold two dense parts of a graph together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from onefold.model.profile import NodeId

End = tuple[NodeId, NodeId]
_DENSE = 4


def bridges(links: Sequence[End]) -> Iterator[int]:
    """The places of those links without which a connected graph falls into two dense parts.

    A part is dense if it has at least four nodes and no fewer links than nodes: whoever is in it is
    held by more than one chain. Found by depth-first search (Tarjan, 1974), without recursion.

    >>> square = [(b"a", b"b"), (b"b", b"c"), (b"c", b"d"), (b"d", b"a")]
    >>> other = [(x.upper(), y.upper()) for x, y in square]
    >>> list(bridges([*square, (b"a", b"A"), *other]))
    [4]
    """
    around: dict[NodeId, list[tuple[NodeId, int]]] = {}
    for at, (left, right) in enumerate(links):
        around.setdefault(left, []).append((right, at))
        around.setdefault(right, []).append((left, at))
    nodes, edges = len(around), len(links)
    for root in list(around)[:1]:
        yield from _below(root, around, nodes, edges)


def _below(
    root: NodeId, around: dict[NodeId, list[tuple[NodeId, int]]], nodes: int, edges: int
) -> Iterator[int]:
    order = {root: 0}
    low = {root: 0}
    # Of what lies below a node: how many nodes, and how many ends of links.
    size = {root: (1, len(around[root]))}
    stack = [(root, -1, iter(around[root]))]
    while stack:
        node, came_by, rest = stack[-1]
        for other, at in rest:
            if at == came_by:
                continue
            if other in order:
                low[node] = min(low[node], order[other])
                continue
            order[other] = low[other] = len(order)
            size[other] = (1, len(around[other]))
            stack.append((other, at, iter(around[other])))
            break
        else:
            stack.pop()
            if not stack:
                return
            above = stack[-1][0]
            low[above] = min(low[above], low[node])
            below_nodes, ends = size[node]
            size[above] = (size[above][0] + below_nodes, size[above][1] + ends)
            if low[node] > order[above]:
                inner = (ends - 1) // 2
                outer_nodes, outer = nodes - below_nodes, edges - inner - 1
                if _is_dense(below_nodes, inner) and _is_dense(outer_nodes, outer):
                    yield came_by


def _is_dense(nodes: int, links: int) -> bool:
    return nodes >= _DENSE and links >= nodes
