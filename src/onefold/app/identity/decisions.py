"""What people decide of who is who, and what waits for their word."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from onefold.app.answers import RANKS
from onefold.app.identity.review_order import most_useful_first
from onefold.app.matching.answers import MatchWhy
from onefold.app.profiles.finding import find_all, find_node, identifier_of
from onefold.app.profiles.given import append_claims
from onefold.app.workspace import node_key, now_us, open_store
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput, NotFound, OnefoldError
from onefold.model.given import SAME, GivenClaim
from onefold.model.profile import (
    MATCHED,
    Node,
    NodeId,
    Profile,
    identifier_text,
    profile_name,
)
from onefold.model.records import Identifier
from onefold.resolve import node_id
from onefold.store import SQLiteStore
from onefold.store.reviews import Review

Verdict = Literal["same", "apart", "open"]
MOST_ORDERED = 1_000
VERDICTS: dict[Verdict, bool | None] = {"same": True, "apart": False, "open": None}


class Decision(msgspec.Struct, frozen=True):
    """What a person said of two identifiers; `open` takes back what was said before."""

    left: str
    right: str
    verdict: Verdict
    at: int
    by: str


class ChainLink(msgspec.Struct, frozen=True):
    """One piece of evidence between two identifiers: its rank, and when they were first seen together.

    `source` and `message_id` are the event that said so, `versions` those of the rules by which it
    joins: of both kinds of identifiers, and of what protects people (0: built in).
    Of two that were only found to be alike (`matched`), `match` says how much.
    """

    left: str
    right: str
    evidence: str
    time: int
    source: str | None = None
    message_id: str | None = None
    versions: dict[str, int] = {}
    match: MatchWhy | None = None


class Obstacle(msgspec.Struct, frozen=True):
    """A piece of evidence that joined nobody, and why: the rule with its words (`says`) and version."""

    left: str
    right: str
    evidence: str
    time: int
    reason: str
    rule: str = ""
    says: str = ""
    version: int = 0
    match: MatchWhy | None = None


class WhyIdentity(msgspec.Struct, frozen=True):
    """Are two identifiers one person? The chain of evidence between them, or what keeps them apart.

    `decided` are people's last words: on these two, on links of the chain, or on identifiers of both sides.
    """

    left: str
    right: str
    same: bool
    profiles: tuple[str, ...]
    chain: tuple[ChainLink, ...]
    obstacles: tuple[Obstacle, ...]
    decided: tuple[Decision, ...]


class ReviewSide(msgspec.Struct, frozen=True):
    """One end of a link under review: the identifier, its profile and what is known of it."""

    identifier: str
    profile: str
    identifiers: tuple[str, ...]
    traits: dict[str, Any]


class ReviewItem(msgspec.Struct, frozen=True):
    """A link that waits for a person's word, side by side with what agrees and what differs.

    `weight` is how much the two are alike, if that is what links them; `worth` what a word on it is
    worth. `version` is for `If-Match`. Until `claimed_until` it is with `claimed_by`.
    """

    left: ReviewSide
    right: ReviewSide
    reason: str
    evidence: str
    time: int
    since: int
    agrees: tuple[str, ...]
    differs: tuple[str, ...]
    weight: float | None
    worth: float
    version: int
    claimed_by: str
    claimed_until: int
    match: MatchWhy | None = None


class ReviewPage(msgspec.Struct, frozen=True):
    """What waits, most useful first, and how many wait in all."""

    items: list[ReviewItem]
    waiting: int


class Looked(NamedTuple):
    """Reviews in order, each with its worth, and where their ends belong."""

    homes: dict[NodeId, int]
    profiles: dict[int, Profile]
    ordered: list[tuple[float, Review]]


def identity_decide(
    settings: Settings,
    left: str,
    right: str,
    verdict: Verdict,
    *,
    actor: str = "cli",
    version: int | None = None,
) -> Decision:
    """Say that two identifiers (`KIND:VALUE`) are the same person, are not, or take that back.

    It goes through the log like everything else, outranks all evidence, and holds in a rebuild. With
    a version only if their review is still at it; `Conflict` while another is looking at that.
    """
    with open_store(settings, cache_mb=4) as store:
        ends = [known(store, one, settings.default_country) for one in (left, right)]
        if ends[0] == ends[1]:
            fault = Fault("is the same identifier", "right", "name another one")
            raise InvalidInput("nothing can be decided", [fault])
        now = now_us()
        key = node_key(store)
        pair = (node_id(key, ends[0]), node_id(key, ends[1]), version)
        store.reviews.judge([pair], VERDICTS[verdict], actor, now)
        append_decisions(settings, store, [(ends[0], ends[1])], verdict, actor, now)
        texts = [identifier_text(one) for one in ends]
        store.registry.audit(now, actor, f"identity.{verdict}", " ".join(texts), {})
    return Decision(texts[0], texts[1], verdict, now, actor)


def append_decisions(
    settings: Settings,
    store: SQLiteStore,
    pairs: Sequence[tuple[Identifier, Identifier]],
    verdict: Verdict,
    actor: str,
    now: int,
) -> None:
    """Put what somebody said of pairs of identifiers into the log, each a claim of its own."""
    claims = [
        GivenClaim(
            f"identity-{uuid.uuid4().hex}",
            now,
            *left,
            {SAME: VERDICTS[verdict]},
            actor,
            (right.kind, right.value),
        )
        for left, right in pairs
    ]
    try:
        append_claims(settings, store, claims, now)
    except OnefoldError:
        store.reviews.reopen(now, actor)
        raise


def reviews(
    settings: Settings,
    limit: int = 100,
    offset: int = 0,
    *,
    reason: str | None = None,
    least: float | None = None,
    most: float | None = None,
) -> ReviewPage:
    """The links that wait for a person's word, most useful first; of one reason, or of some weights.

    Of more than a thousand the most doubtful are put in order.
    """
    with open_store(settings, cache_mb=4) as store:
        wanted = max(MOST_ORDERED, offset + limit)
        found = store.reviews.open(wanted, reason=reason, least=least, most=most)
        return ReviewPage(
            side_by_side(store, look(store, found), limit, offset), store.reviews.count()
        )


def look(store: SQLiteStore, found: Sequence[Review]) -> Looked:
    """Reviews in the order of their worth, with the profiles on their sides."""
    homes, profiles = find_all(store, [end for one in found for end in (one.left, one.right)])
    there = [one for one in found if {one.left, one.right} <= homes.keys()]
    return Looked(homes, profiles, most_useful_first(there, homes, profiles))


def side_by_side(
    store: SQLiteStore, looked: Looked, limit: int, offset: int = 0
) -> list[ReviewItem]:
    """Some of the reviews, to be shown."""
    some = looked.ordered[offset : offset + limit]
    matched = any(one.rank == MATCHED for _, one in some)
    why = _explaining(store) if matched else _unexplained
    return [_item(one, worth, looked, why) for worth, one in some]


def review_put_off(
    settings: Settings,
    left: str,
    right: str,
    state: Literal["open", "later"],
    *,
    actor: str = "cli",
) -> None:
    """Put a review off, or back among those that wait."""
    with open_store(settings, cache_mb=4) as store:
        key = node_key(store)
        one, two = (
            node_id(key, known(store, end, settings.default_country)) for end in (left, right)
        )
        if not (
            store.reviews.set_state(one, two, state) or store.reviews.set_state(two, one, state)
        ):
            raise NotFound(f"no review of {left} and {right} waits")
        store.registry.audit(now_us(), actor, f"identity.{state}", f"{left} {right}", {})


def known(store: SQLiteStore, reference: str, country: str) -> Identifier:
    """The identifier that `KIND:VALUE` names; somebody must have it."""
    kind, colon, value = reference.partition(":")
    identifier = identifier_of(kind, value, country) if colon else None
    if identifier is None:
        fault = Fault(f"{reference!r} is no identifier", "identifier", "write KIND:VALUE")
        raise InvalidInput("the identifiers cannot be used", [fault])
    written, home = find_node(store, identifier)
    if home is None:
        raise NotFound(f"nobody has the identifier {reference}")
    return written


_Why = Callable[[Node, Node], MatchWhy | None]


def _explaining(store: SQLiteStore) -> _Why:
    # It brings numpy, which a web process has no need of otherwise.
    from onefold.app.matching.explained import Explaining  # noqa: PLC0415

    return Explaining(store).why


def _unexplained(one: Node, two: Node) -> MatchWhy | None:
    return None


def _item(one: Review, worth: float, looked: Looked, why: _Why) -> ReviewItem:
    homes, profiles = looked.homes, looked.profiles
    ends = [node_of(end, profiles[homes[end]]) for end in (one.left, one.right)]
    sides = [_side(end, profiles[homes[end.id]]) for end in ends]
    left, right = sides[0].traits, sides[1].traits
    both = sorted(left.keys() & right.keys())
    return ReviewItem(
        sides[0],
        sides[1],
        one.reason,
        RANKS[one.rank],
        one.time,
        one.since,
        tuple(name for name in both if left[name] == right[name]),
        tuple(name for name in both if left[name] != right[name]),
        one.weight,
        worth,
        one.version,
        one.claimed_by,
        one.claimed_until,
        why(*ends) if one.rank == MATCHED else None,
    )


def node_of(end: NodeId, profile: Profile) -> Node:
    """The node of a profile with this id."""
    return next(node for node in profile.nodes if node.id == end)


def _side(node: Node, profile: Profile) -> ReviewSide:
    known = tuple(identifier_text(one) for one in profile.nodes)
    return ReviewSide(identifier_text(node), profile_name(profile.id), known, profile.traits)


def verdict_of(same: bool | None) -> Verdict:
    """The name of what a person said."""
    return next(name for name, value in VERDICTS.items() if value is same)
