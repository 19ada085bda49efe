"""Which identifiers are one person.

In: identifiers and links. Out: the partition of the touched nodes, and which profile keeps which
name. Promise: a pure function of the evidence; the order of arrival never shows in it.
"""

from onefold.resolve.groups import protected, protection_reads
from onefold.resolve.links import add_link, node_id, node_ids, pairs_of, rank_of
from onefold.resolve.naming import Renaming, name_clusters
from onefold.resolve.parting import parting
from onefold.resolve.partition import (
    Held,
    Link,
    Partition,
    is_shared,
    matched_link,
    partition,
)
from onefold.resolve.plain import Newcomers, Shape, plain_people
from onefold.resolve.refusals import Refusal, Refusals, rule_says
from onefold.resolve.sessions import around, is_end, keep_link, slot, whose
from onefold.resolve.values import is_blocked

__all__ = [
    "Held",
    "Link",
    "Newcomers",
    "Partition",
    "Refusal",
    "Refusals",
    "Renaming",
    "Shape",
    "add_link",
    "around",
    "is_blocked",
    "is_end",
    "is_shared",
    "keep_link",
    "matched_link",
    "name_clusters",
    "node_id",
    "node_ids",
    "pairs_of",
    "parting",
    "partition",
    "plain_people",
    "protected",
    "protection_reads",
    "rank_of",
    "rule_says",
    "slot",
    "whose",
]
