"""The trees of few cases, walked for many profiles and outputs at once: a step for all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from onefold.segment.cases import Choice
from onefold.segment.cells import Ints
from onefold.segment.tallies import Columns, Values

NO_TREE = object()
"""Stands for the tree of an output that has none."""
_APART = np.iinfo(np.int64).min


class Forest:
    """Trees as arrays: from a choice and the code of its column to the next choice, or an answer.

    An answer is a number below 0.
    """

    def __init__(self, trees: Sequence[Any], columns: Columns) -> None:
        self._columns = columns
        self.answers: list[Any] = []
        self._answer_of: dict[Any, int] = {}
        self._column: list[int] = []
        self._keys: list[int] = []
        self._next: list[int] = []
        known: dict[int, int] = {}
        roots = []
        for tree in trees:
            if id(tree) not in known:
                known[id(tree)] = self._planted(tree) if self._is_read(tree) else _APART
            roots.append(known[id(tree)])
        self._roots: Ints = np.array(roots, np.int64)
        order = np.argsort(np.array(self._keys, np.int64), kind="stable")
        self._sorted: Ints = np.array(self._keys, np.int64)[order]
        self._follows: Ints = np.array(self._next, np.int64)[order]
        self._reads: Ints = np.array(self._column, np.int64)
        self.walked = self._roots != _APART
        """Of which outputs there is a tree here."""

    def walk(self, rows: Ints, places: Ints, values: Values) -> list[Any]:
        """What outputs are of rows."""
        if not len(rows):
            return []
        at = self._roots[places]
        going = (at >= 0).nonzero()[0]
        while len(going):
            choices = at[going]
            codes = values.codes(rows[going], self._reads[choices])
            found = self._sorted.searchsorted(choices << 32 | codes, "right") - 1
            at[going] = following = self._follows[found]
            going = going[following >= 0]
        answers = self.answers
        return [answers[one] for one in (-1 - at).tolist()]

    def _is_read(self, tree: Any) -> bool:
        if tree is NO_TREE:
            return False
        if type(tree) is not Choice:
            return True
        below = {id(one): one for one in (*tree.children, *tree.named.values())}
        return tree.name in self._columns.number and all(map(self._is_read, below.values()))

    def _planted(self, tree: Any) -> int:
        """Put a tree into the arrays; gives where it begins."""
        if type(tree) is not Choice:
            of = type(tree), tree
            if of not in self._answer_of:
                self._answer_of[of] = len(self.answers)
                self.answers.append(tree)
            return -1 - self._answer_of[of]
        choice = len(self._column)
        self._column.append(self._columns.number[tree.name])
        column = tree.column
        if tree.marks is not None:
            codes = (0, 1, *(self._columns.code(column, mark) for mark in tree.marks))
            steps = dict(zip(codes, tree.children, strict=True))
        else:
            other = tree.children[0]
            named = {self._columns.code(column, one): then for one, then in tree.named.items()}
            steps = {0: other, **{code + 1: other for code in named}, **named}
        for code, then in steps.items():
            following = self._planted(then)
            self._keys.append(choice << 32 | code)
            self._next.append(following)
        return choice
