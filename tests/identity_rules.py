"""Rules of identifiers, drawn for properties that hold under any of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from onefold.model.identity import IdentifierRule

CRM_IDS = st.builds(
    IdentifierRule,
    st.just("crm_id"),
    st.sampled_from(["immutable", "unique", "shareable"]),
    st.integers(0, 100),
)


def emails(blocked: str) -> SearchStrategy[IdentifierRule]:
    """Of which a profile may have few, and which may be of few profiles; perhaps one is nobody's."""
    return st.builds(
        IdentifierRule,
        st.just("email"),
        max_per_profile=st.integers(0, 2),
        per_days=st.sampled_from([0, 2]),
        max_profiles=st.integers(1, 3),
        blocked=st.sampled_from([(), (blocked,)]),
    )


def badges(days: int, **more: SearchStrategy[Any]) -> SearchStrategy[IdentifierRule]:
    """That may be handed on, and perhaps are forgotten after so many days."""
    return st.builds(
        IdentifierRule,
        st.just("badge"),
        st.sampled_from(["shareable", "ephemeral"]),
        lifetime_days=st.sampled_from([0, days]),
        **more,
    )
