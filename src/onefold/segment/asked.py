"""Rules that are asked, saved or not, compiled with what they refer to and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

import msgspec

from onefold.model.errors import InvalidInput
from onefold.segment.clauses import Clause, clauses_of
from onefold.segment.metric import Type
from onefold.segment.plan import Key, Plan, Wanted, compile_plan, declared_by
from onefold.segment.rule import Rule, Scope, names_in
from onefold.segment.syntax import Source, parse_tree


class Asked(msgspec.Struct, frozen=True):
    """Rules by the names they are asked under, compiled to one plan.

    `columns` names the column of each in the rows of the plan's query. `clauses` is each taken
    apart; a clause that refers to computed traits, tags or segments reads further columns of the
    plan's query, those of `scope`.
    """

    plan: Plan
    columns: Mapping[str, str]
    clauses: Mapping[str, Clause]
    scope: Scope

    @property
    def name(self) -> str:
        """The name of the first rule."""
        return next(iter(self.columns))

    @property
    def only_needed(self) -> bool:
        """Whether who satisfies all that is `needed` satisfies the first rule."""
        return len(self.needed) == len(self.clauses[self.name].needed)

    @property
    def needed(self) -> list[Rule]:
        """What all who satisfy the first rule must satisfy, as far as profiles and events tell."""
        others = [column for column, _ in self.scope.values.values()]
        others += (self.scope.segments or {}).values()
        return [
            one.rule
            for one in self.clauses[self.name].needed
            if not any(column in one.rule.expression for column in others)
        ]


def asked_rules(
    texts: Mapping[str, str],
    known: Iterable[Wanted] = (),
    traits: Mapping[str, Type] | None = None,
) -> Asked:
    """Compile rules that are asked under names; `InvalidInput` names every fault of the first.

    `known` is what they may refer to, `traits` the types of the declared traits. A rule never
    refers to itself: a name that is asked means what was known by it.
    """
    asked = {_key(name): Wanted("segment", _key(name)[1], text) for name, text in texts.items()}
    by_key = {one.key: one for one in known}
    reached = reachable(asked.values(), by_key)
    plan = compile_plan([*asked.values(), *reached], traits)
    for key in asked:
        if key in plan.refused:
            raise plan.refused[key]
    outputs = {one.key: one for one in plan.outputs}
    others = [one for key, one in outputs.items() if key not in asked]
    scope = msgspec.structs.replace(
        declared_by(reached, traits),
        values={one.name: (one.column, one.type) for one in others if one.kind != "segment"},
        segments={one.name: one.column for one in others if one.kind == "segment"},
    )
    return Asked(
        plan,
        {name: outputs[_key(name)].column for name in texts},
        {name: clauses_of(text, scope) for name, text in texts.items()},
        scope,
    )


def _key(name: str) -> Key:
    """Apart from all names that definitions may have."""
    return "segment", f"\0{name}"


def reachable(asked: Iterable[Wanted], known: Mapping[Key, Wanted]) -> list[Wanted]:
    """What rules refer to, and what that refers to."""
    found: dict[Key, Wanted] = {}
    waiting = list(asked)
    while waiting:
        for key in _names(waiting.pop()):
            if key in known and key not in found:
                found[key] = known[key]
                waiting.append(known[key])
    return list(found.values())


def _names(wanted: Wanted) -> Iterator[Key]:
    for text in (wanted.text, *(case.when for case in wanted.cases)):
        if text:
            with suppress(InvalidInput):  # compiling it says what is wrong
                yield from names_in(parse_tree(Source(text)))
