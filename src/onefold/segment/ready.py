"""Ready-made tags: what a few words of a definition stand for, as cases of the rule language."""

from __future__ import annotations

from collections.abc import Mapping

from onefold.model.definitions import Lifecycle, Preference, TagCase, TagDefinition
from onefold.segment.texts import literal_sql

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
    cases = tag.statistics.cases if tag.statistics else ready_cases(tag)
    return tag.values or tuple(dict.fromkeys(case.value for case in cases))


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
