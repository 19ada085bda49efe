"""One evaluation plan: computed traits, tags and segments as outputs of one query.

An output may refer to others: a rule reads a computed trait or a tag by its name, like any trait.
Each output is a column of the level after the deepest one that it refers to; the levels are CTEs
of one query over the columns that are read from a profile. Outputs that cannot be compiled, that
stand in a cycle, or that refer to such, are left out of the query and named in `refused`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Literal

import msgspec

from onefold.model.definitions import TagCase
from onefold.model.errors import Fault, InvalidInput
from onefold.model.sql import literal_sql
from onefold.segment.membership import Features
from onefold.segment.metric import (
    Column,
    Metric,
    Type,
    clock_column,
    merge_metrics,
    short_id,
    trait_column,
)
from onefold.segment.plan_order import circles, in_order
from onefold.segment.plan_sql import plan_sql
from onefold.segment.rule import ANY, Rule, Scope, compile_rule, names_in
from onefold.segment.syntax import Source, parse_tree
from onefold.segment.texts import MAX_CHARACTERS
from onefold.segment.zone import load_zone

OutputKind = Literal["trait", "tag", "segment"]
Key = tuple[Literal["value", "segment"], str]
"""What a rule refers to an output by: traits and tags share their names."""

# The greatest double: what is beyond, or is no number, is absent.
_GREATEST = "1.7976931348623157e308"
_MOST_LEVELS = 20
_MOST_KEPT = 5_000
_kept: dict[tuple[object, ...], Output] = {}
_ORDER: dict[OutputKind, int] = {"segment": 0, "trait": 1, "tag": 2}


class Held(msgspec.Struct, frozen=True):
    """A value that was given, imported or refreshed, and lies in a trait of Onefold's own.

    Of a tag only `values` count, each for a `lifetime` (µs, 0: for ever) from the time that lies
    beside it. A segment's members are those with a number of `at_least`.
    """

    path: tuple[str, ...]
    type: Type = "text"
    values: tuple[str, ...] = ()
    at_least: int = 0
    lifetime: int = 0


class Wanted(msgspec.Struct, frozen=True):
    """What is to be computed: `text` of a computed trait or a segment, or the `cases` of a tag.

    A tag may have a text instead, which gives its value; `values` are those that it can have, if
    that is a closed list.
    `type` is what a computed trait is declared as; else its expression decides. A trait without a
    text is one that sources tell of, of that type. What is `held` is only read. From the local day `until` on (numbered from 1970-01-01) a tag has no values.
    """

    kind: OutputKind
    name: str
    text: str = ""
    cases: tuple[TagCase, ...] = ()
    type: Type | None = None
    held: Held | None = None
    until: int | None = None
    values: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        return ("segment" if self.kind == "segment" else "value", self.name)

    @property
    def claimed(self) -> bool:
        """Is it only declared, and told by sources?"""
        return self.kind == "trait" and not (self.text or self.held)

    @property
    def choices(self) -> tuple[str, ...]:
        """The values that a tag can have."""
        if self.held:
            return self.held.values
        return self.values or tuple(dict.fromkeys(case.value for case in self.cases))


class Output(msgspec.Struct, frozen=True):
    """A column of the plan's query: `uses` are the outputs that it refers to itself.

    `columns` and `metrics` are what it reads of a profile directly, `level` is its CTE. `warnings`
    are about names that never came in.
    """

    kind: OutputKind
    name: str
    type: Type
    column: str
    expression: str
    level: int
    columns: tuple[Column, ...]
    metrics: tuple[Metric, ...]
    uses: tuple[Key, ...]
    turn_days: tuple[str, ...] = ()
    turn_moments: tuple[str, ...] = ()
    warnings: tuple[Fault, ...] = ()

    @property
    def key(self) -> Key:
        return ("segment" if self.kind == "segment" else "value", self.name)


class Plan(msgspec.Struct, frozen=True):
    """All outputs, compiled to one query.

    `sql` reads the relation `profiles(profile BIGINT, …)` with one further column for each of
    `columns`, in that order, named by it, of type VARCHAR, DOUBLE or BOOLEAN. Its rows are
    `(profile, …)` with one value for each of `outputs`, in that order: segments, computed traits,
    tags. A segment's is never NULL.
    """

    outputs: tuple[Output, ...]
    columns: tuple[Column, ...]
    metrics: tuple[Metric, ...]
    sql: str
    refused: Mapping[Key, InvalidInput] = {}

    @property
    def segments(self) -> tuple[str, ...]:
        """The names of the segments, in the order of their outputs."""
        return tuple(one.name for one in self.outputs if one.kind == "segment")

    @property
    def live_sql(self) -> str:
        """The same query; its rows end with the next local day, and the next moment (µs UTC), at
        which time alone may change an output, apart from windows: NULL when that is never.
        """
        return plan_sql(self.outputs, turns=True)

    def features(self, now: int, timezone: str) -> Features:
        """Prepare to read the columns of many profiles at one moment (µs UTC)."""
        return Features(self.columns, now, load_zone(timezone))


def compile_plan(
    wanted: Iterable[Wanted], traits: Mapping[str, Type] | None = None, seen: Scope = ANY
) -> Plan:
    """Compile everything to one plan; `traits` are the declared types of claimed traits.

    `seen` says what names came in, for the warnings of the outputs.
    """
    wanted = list(wanted)
    known_as = declared_by(wanted, traits, seen)
    drafts = [_Draft(one) for one in wanted if not one.claimed]
    known = {draft.wanted.key: draft for draft in drafts}
    for draft in drafts:
        draft.uses = tuple(key for key in draft.names if key in known)
    uses = {key: draft.uses for key, draft in known.items()}
    ready = in_order(uses)
    compiled: dict[Key, Output] = {}
    refused: dict[Key, InvalidInput] = {}
    for key in ready:
        try:
            compiled[key] = _compiled(known[key], compiled, refused, known_as)
        except InvalidInput as error:
            refused[key] = error
    refused |= circles(uses, set(ready))
    listed = [compiled[key] for key in known if key in compiled]
    outputs = sorted(listed, key=lambda one: _ORDER[one.kind])
    return plan_of(outputs, refused)


def declared_by(
    wanted: Iterable[Wanted], traits: Mapping[str, Type] | None = None, seen: Scope = ANY
) -> Scope:
    """What the traits and tags that are wanted say of names: types, and closed lists of values."""
    types = dict(traits or {})
    choices = {}
    for one in wanted:
        if one.claimed and one.type:
            types[one.name] = one.type
        elif one.kind == "tag" and one.choices:
            choices[one.name] = one.choices
    return msgspec.structs.replace(seen, traits=types, choices=choices)


def compile_membership(rules: Mapping[str, Rule]) -> Plan:
    """Compile segments whose rules are parsed, by name, to one plan."""
    outputs = [
        _output(Wanted("segment", name, rule.text), rule, f"coalesce({rule.expression}, FALSE)", 0)
        for name, rule in rules.items()
    ]
    return plan_of(outputs, {})


def plan_of(outputs: Sequence[Output], refused: Mapping[Key, InvalidInput]) -> Plan:
    """Put compiled outputs together to one query."""
    columns = {column.name: column for one in outputs for column in one.columns}
    metrics = merge_metrics(metric for one in outputs for metric in one.metrics)
    return Plan(tuple(outputs), tuple(columns.values()), metrics, plan_sql(outputs), refused)


def checked_plan(wanted: Iterable[Wanted], traits: Mapping[str, Type] | None = None) -> Plan:
    """Like `compile_plan`, but `InvalidInput` lists every fault of every output."""
    plan = compile_plan(wanted, traits)
    faults = [
        Fault(fault.message, f"{key[1]}: {fault.where}".removesuffix(": "), fault.hint)
        for key, error in plan.refused.items()
        for fault in error.faults or (Fault(str(error)),)
    ]
    if faults:
        raise InvalidInput("the definitions cannot be used", faults)
    return plan


class _Draft:
    """One output that is wanted, parsed but not compiled, and the names that it holds."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.uses: tuple[Key, ...] = ()
        self.names = _names(wanted)


@lru_cache(maxsize=_MOST_KEPT)
def _names(wanted: Wanted) -> tuple[Key, ...]:
    """All names that a definition holds, each once."""
    names: list[Key] = []
    of_cases = [case.when for case in wanted.cases if case.when]
    texts = [*of_cases, wanted.text] if wanted.text else of_cases
    for text in () if wanted.held else texts:
        with suppress(InvalidInput):  # compiling it says what is wrong
            names += names_in(parse_tree(Source(text)))
    return tuple(dict.fromkeys(names))


def _compiled(
    draft: _Draft,
    compiled: Mapping[Key, Output],
    refused: Mapping[Key, InvalidInput],
    known: Scope,
) -> Output:
    for key in draft.uses:
        if key in refused:
            fault = Fault(f"it refers to {key[1]}, which cannot be used")
            raise InvalidInput("the definition cannot be used", [fault])
    used = [compiled[key] for key in draft.uses]
    level = 1 + max((one.level for one in used), default=-1)
    if level >= _MOST_LEVELS:
        fault = Fault(f"more than {_MOST_LEVELS} definitions refer to one another in a row")
        raise InvalidInput("the definition cannot be used", [fault])
    scope = msgspec.structs.replace(
        known,
        values={one.name: (one.column, one.type) for one in used if one.kind != "segment"},
        segments={one.name: one.column for one in used if one.kind == "segment"},
    )
    # With a thousand definitions, compiling those that did not change would hold events up.
    same = (draft.wanted, level, draft.uses, short_id(scope))
    output = _kept.get(same)
    if output is None:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        output = _kept[same] = _compile(draft, scope, level)
    return output


def _compile(draft: _Draft, scope: Scope, level: int) -> Output:
    wanted = draft.wanted
    if wanted.held:
        return _held(wanted, wanted.held)
    if wanted.kind == "tag" and not wanted.text:
        return _tag(wanted, scope, level, draft.uses)
    if wanted.kind == "segment":
        rule = compile_rule(wanted.text, scope)
        expression = f"coalesce({rule.expression}, FALSE)"
    else:
        of = "text" if wanted.kind == "tag" else wanted.type
        rule = compile_rule(wanted.text, scope, of, any_type=True)
        expression = _bounded(rule)
    return _until(_output(wanted, rule, expression, level, draft.uses), wanted.until)


def _tag(wanted: Wanted, scope: Scope, level: int, uses: tuple[Key, ...]) -> Output:
    """`CASE`: the first case that holds gives the value."""
    rules: list[Rule] = []
    faults: list[Fault] = []
    parts = []
    for number, case in enumerate(wanted.cases, 1):
        try:
            rule = compile_rule(case.when or "true", scope)
        except InvalidInput as error:
            faults += [
                Fault(one.message, f"case {number}, {one.where}", one.hint) for one in error.faults
            ]
            continue
        rules.append(rule)
        parts.append(f"WHEN {rule.expression} THEN {literal_sql(case.value)}")
    if faults:
        raise InvalidInput("the tag cannot be used", faults)
    whole = Rule(
        "",
        merge_metrics(metric for rule in rules for metric in rule.metrics),
        (),
        tuple({one.name: one for rule in rules for one in rule.columns}.values()),
        f"CASE {' '.join(parts)} END" if parts else "CAST(NULL AS VARCHAR)",
        "text",
        turn_days=tuple(day for rule in rules for day in rule.turn_days),
        turn_moments=tuple(moment for rule in rules for moment in rule.turn_moments),
        warnings=tuple(warning for rule in rules for warning in rule.warnings),
    )
    return _until(_output(wanted, whole, whole.expression, level, uses), wanted.until)


def _held(wanted: Wanted, held: Held) -> Output:
    column = trait_column(held.path, held.type)
    columns = [column]
    moments: tuple[str, ...] = ()
    expression = column.name
    if wanted.kind == "segment":
        expression = f"coalesce({column.name} >= {held.at_least}, FALSE)"
    elif wanted.kind == "tag":
        choices = ", ".join(literal_sql(value) for value in held.values) or "NULL"
        holds = f"{column.name} IN ({choices})"
        if held.lifetime:
            since = trait_column((*held.path[:-1], "at"), "number")
            clock = clock_column(("now",), "time")
            columns += [since, clock]
            ends = f"({since.name} + {held.lifetime})"
            moments = (f"CASE WHEN {ends} > {clock.name} THEN {ends} END",)
            holds = f"{holds} AND {ends} > {clock.name}"
        expression = f"CASE WHEN {holds} THEN {column.name} END"
    of: Type = "boolean" if wanted.kind == "segment" else held.type
    rule = Rule("", (), (), tuple(columns), expression, of, turn_moments=moments)
    return _until(_output(wanted, rule, expression, 0), wanted.until)


def _until(output: Output, day: int | None) -> Output:
    """The same until a day."""
    if day is None:
        return output
    today = clock_column(("today",), "date")
    return msgspec.structs.replace(
        output,
        expression=f"CASE WHEN {today.name} < {day} THEN {output.expression} END",
        columns=(*output.columns, today),
        turn_days=(*output.turn_days, f"CASE WHEN {today.name} < {day} THEN {day} END"),
    )


def _bounded(rule: Rule) -> str:
    """What arithmetic makes beyond all numbers is absent, as it would be in JSON; so is a text that is
    made too long: traits that read one another could double it with each step.
    """
    made = rule.expression
    if rule.type == "number" and any(one in made for one in (" * ", " / ", " + ", " - ", "-")):
        return f"CASE WHEN abs({made}) <= {_GREATEST} THEN {made} END"
    if rule.type == "text" and any(one in made for one in (" || ", "replace(")):
        return f"CASE WHEN length({made}) <= {MAX_CHARACTERS} THEN {made} END"
    return made


def _output(
    wanted: Wanted, rule: Rule, expression: str, level: int, uses: tuple[Key, ...] = ()
) -> Output:
    return Output(
        wanted.kind,
        wanted.name,
        rule.type,
        "o" + short_id(*wanted.key),
        expression,
        level,
        rule.columns,
        rule.metrics,
        uses,
        rule.turn_days,
        rule.turn_moments,
        rule.warnings,
    )
