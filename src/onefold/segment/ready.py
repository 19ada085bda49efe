"""Ready-made tags: what a few words of a definition stand for, as cases of the rule language."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from onefold.model.definitions import (
    Lifecycle,
    Preference,
    ProductPreference,
    TagCase,
    TagDefinition,
)
from onefold.model.errors import InvalidInput
from onefold.model.sql import literal_sql
from onefold.segment.syntax import Source, parse_tree

RFM_SCORES = ("recency", "frequency", "monetary")
RFM_GROUPS: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "Champions": ((5, 5), (4, 5)),
    "Loyal Customers": ((3, 4), (4, 5)),
    "Potential Loyalists": ((4, 5), (2, 3)),
    "New Customers": ((5, 5), (1, 1)),
    "Promising": ((4, 4), (1, 1)),
    "Customers Needing Attention": ((3, 3), (3, 3)),
    "About To Sleep": ((3, 3), (1, 2)),
    "At Risk": ((1, 2), (3, 4)),
    "Can't Lose Them": ((1, 2), (5, 5)),
    "Hibernating": ((2, 2), (1, 2)),
    "Lost": ((1, 1), (1, 2)),
}
"""Of each group the lowest and highest score of recency, and of frequency and monetary together.

The latter is the mean of both, a half rounded up. Together they cover all 25 pairs once.
"""


def ready_cases(tag: TagDefinition) -> tuple[TagCase, ...]:
    """The cases of a tag that rules decide: its own, or those of a ready-made one."""
    if tag.lifecycle:
        return lifecycle_cases(tag.lifecycle)
    if tag.preference:
        return preference_cases(tag.preference)
    return tag.cases


def tag_values(tag: TagDefinition) -> tuple[str, ...]:
    """The closed list of a tag's values."""
    if tag.rfm:
        return tuple(RFM_GROUPS)
    if tag.rank:
        if tag.rank.into:
            parts = min(tag.rank.into, 1_000)  # so many are refused, but by then they are listed
            return tag.rank.values or tuple(str(one + 1) for one in range(parts))
        return (*tag.rank.top, *([tag.rank.otherwise] if tag.rank.otherwise else []))
    if tag.product_preference:
        about = tag.product_preference
        closed = (*about.among, about.otherwise) if about.among else ()
        return tuple(dict.fromkeys(one for one in closed if one))
    cases = tag.statistics.cases if tag.statistics else ready_cases(tag)
    return tag.values or tuple(dict.fromkeys(case.value for case in cases))


def ready_text(tag: TagDefinition) -> str:
    """The expression of a tag whose values are what the data says, else nothing."""
    return product_expression(tag.product_preference) if tag.product_preference else ""


def product_expression(about: ProductPreference) -> str:
    """The most frequent value of a property; of several the first in the alphabet."""
    event, path = literal_sql(about.event), property_path(about.property)
    window = f"last => interval {about.days} day"
    among = f"{path} in ({', '.join(map(literal_sql, about.among))})" if about.among else ""
    where = f", where => {among}" if among else ""
    enough = (
        f"count_of({event}, {window}, where => {among or f'{path} is not null'}) >= {about.least}"
    )
    best = f"case when {enough} then most_frequent_of({event}, {path}, {window}{where}) end"
    return f"coalesce({best}, {literal_sql(about.otherwise)})" if about.otherwise else best


def property_path(written: str) -> str:
    """The name of a property in a rule; `properties.` may be left out."""
    return written if written.startswith(("properties.", "context.")) else f"properties.{written}"


def is_property(written: str) -> bool:
    """Say whether a text names one property, also of the elements of a list, and nothing else.

    >>> is_property("products[].category"), is_property("price * 2")
    (True, False)
    """
    try:
        node = parse_tree(Source(property_path(written)))
    except InvalidInput:
        return False
    lists = list(node.find_all(exp.Bracket))
    if len(lists) > 1 or any(one.expressions for one in lists):
        return False
    while isinstance(node, exp.Dot | exp.Bracket):
        node = node.this
    return isinstance(node, exp.Column) and not isinstance(node.this, exp.Star)


def lifecycle_cases(about: Lifecycle) -> tuple[TagCase, ...]:
    """New, won back, active, at risk, dormant, lost: by how long ago an event happened last.

    Won back is who was away longer than the days of dormancy, and came again since.
    """
    event = literal_sql(about.event)
    ever = f"count_of({event})"
    away = about.active + about.dormant

    def within(days: int) -> str:
        return f"count_of({event}, last => interval {days} day)"

    recent = f"{within(about.active)} > 0"
    return (
        TagCase("new", f"{recent} and {ever} = {within(about.active)}"),
        TagCase(
            "won back",
            f"{recent} and {within(about.active)} = {within(away)} and {ever} > {within(away)}",
        ),
        TagCase("active", recent),
        TagCase("at risk", f"{within(about.at_risk)} > 0"),
        TagCase("dormant", f"{within(about.dormant)} > 0"),
        TagCase("lost", f"{ever} > 0"),
    )


def preference_cases(about: Preference) -> tuple[TagCase, ...]:
    """The channel with the most answers; of several with as many the one that is named first."""
    counts = {
        channel: " + ".join(
            f"count_of({literal_sql(event)}, last => interval {about.days} day)" for event in events
        )
        for channel, events in about.channels.items()
    }
    cases = []
    for channel, count in counts.items():
        others = [f"{count} >= {other}" for name, other in counts.items() if name != channel]
        cases.append(TagCase(channel, " and ".join([f"{count} > 0", *others])))
    return tuple(cases)
