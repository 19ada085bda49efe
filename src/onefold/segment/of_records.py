"""Expressions over the fields of records that are no events yet: the same language, without metrics."""

from __future__ import annotations

from collections.abc import Sequence

from onefold.segment.plan import Plan, Wanted, compile_plan

Expression = tuple[str, bool]
"""A text of the rule language, and whether it is a condition."""


def expressions_plan(expressions: Sequence[Expression]) -> Plan:
    """The plan of some expressions over the fields of records."""
    wanted = [
        Wanted("segment" if is_condition else "trait", f"e{number}", text)
        for number, (text, is_condition) in enumerate(expressions)
    ]
    return compile_plan(wanted)
