"""Many links at once give the same people as one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from onefold.app.identity.link_files import cluster_links
from onefold.model.errors import InvalidInput
from onefold.model.identity import IdentifierRule, IdentityRules, Protection
from onefold.model.profile import Node
from onefold.resolve import add_link, partition
from onefold.resolve.bulk import Ints, Links, bulk_partition
from tests.identity_rules import CRM_IDS, badges, emails

DAY = 86_400_000_000
KINDS = ("user_id", "crm_id", "email", "badge")
NODES = [(kind, f"{kind}{number}") for kind in KINDS for number in range(4)]
PAIRS = st.tuples(
    st.integers(0, len(NODES) - 1),
    st.integers(0, len(NODES) - 1),
    st.integers(0, 2),
    st.integers(1, 9),
)
RULES = st.builds(
    lambda crm, email, badge, most, bridges: IdentityRules(
        {one.name: one for one in (crm, email, badge)},
        Protection(max_identifiers=most, bridges=bridges),
    ),
    CRM_IDS,
    emails("EMAIL1"),
    badges(3),
    st.sampled_from([4, 1_000]),
    st.booleans(),
)


# An e-mail that was seen first beside a value that says nothing.
SEEN_BESIDE_SILENCE = [(0, 4, 0, 1), (1, 4, 0, 1), (2, 4, 0, 1), (4, 8, 0, 1), (8, 9, 1, 3)]
ONE_IN_TWO_DAYS = IdentityRules(
    {
        "crm_id": IdentifierRule("crm_id", "shareable"),
        "email": IdentifierRule("email", max_per_profile=1, per_days=2, max_profiles=3),
    }
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PAIRS, max_size=40), RULES)
@example(SEEN_BESIDE_SILENCE, ONE_IN_TWO_DAYS)
def test_the_same_people(pairs: list[tuple[int, int, int, int]], rules: IdentityRules) -> None:
    nodes = [
        Node(number.to_bytes(16, "big"), kind, value, 1 << 62, 0, 0, {})
        for number, (kind, value) in enumerate(NODES)
    ]
    for left, right, rank, day in pairs:
        if left != right:
            add_link(nodes[left], nodes[right], rank, day * DAY)
            for end in (left, right):
                nodes[end].first_seen = min(nodes[end].first_seen, day * DAY)
    seen = {
        (at, int.from_bytes(other, "big")): evidence
        for at, node in enumerate(nodes)
        for other, evidence in node.links.items()
        if at < int.from_bytes(other, "big")
    }
    columns = [[*pair, *evidence] for pair, evidence in seen.items()]
    links = Links(*np.array(columns, dtype=np.int64).reshape(-1, 4).T)

    def values(numbers: Ints) -> Sequence[str]:
        return [NODES[number][1] for number in numbers]

    kind_of = np.array([KINDS.index(kind) for kind, _ in NODES], dtype=np.int64)
    labels = bulk_partition(KINDS, kind_of, links, values, rules)
    exact = partition({node.id: node for node in nodes}, rules)
    for cluster in exact.clusters:
        numbers = [int.from_bytes(node.id, "big") for node in cluster]
        assert set(labels[numbers].tolist()) == {min(numbers)}


def test_a_file_of_links(tmp_path: Path) -> None:
    rows = [("user_id", f"u{number}", "anonymous_id", f"a{number // 2}") for number in range(4)]
    names = ("left_kind", "left_value", "right_kind", "right_value")
    table = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    table = table.append_column("rank", pa.array([1] * 4)).append_column("time", pa.array(range(4)))
    pq.write_table(table, tmp_path / "links.parquet")
    found = cluster_links(tmp_path / "links.parquet", tmp_path / "clusters.parquet")
    assert (found.links, found.identifiers, found.profiles) == (4, 6, 4)
    people = pq.read_table(tmp_path / "clusters.parquet").to_pylist()
    assert {one["value"]: one["profile"] for one in people} == {
        "u0": "anonymous_id:a0", "a0": "anonymous_id:a0", "u1": "user_id:u1",
        "u2": "anonymous_id:a1", "a1": "anonymous_id:a1", "u3": "user_id:u3",
    }  # fmt: skip


def test_a_file_without_its_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "links.csv").write_text("left_kind,left_value\na,b\n")
    with pytest.raises(InvalidInput) as caught:
        cluster_links(tmp_path / "links.csv", tmp_path / "clusters.parquet")
    assert [one.where for one in caught.value.faults] == ["right_kind", "right_value"]
