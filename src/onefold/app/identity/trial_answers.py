"""What trying identity rules is answered with; apart, so that knowing the form loads no engine."""

from __future__ import annotations

import msgspec

from onefold.app.answers import Rank


class TriedLink(msgspec.Struct, frozen=True):
    """A piece of evidence that would join now, or no longer, and the rule that decides that.

    `rule` is the kind of identifier whose definition it stands in, `people` for what protects people,
    with its words (`says`) and `version` (0: built in); empty where nothing stood against it.
    """

    left: str
    right: str
    evidence: Rank
    time: int
    reason: str = ""
    rule: str = ""
    says: str = ""
    version: int = 0


class TriedPerson(msgspec.Struct, frozen=True):
    """Somebody before or after: the profile's id (null: a new one) and its first identifiers."""

    profile: str | None
    identifiers: tuple[str, ...]
    count: int


class TrialExample(msgspec.Struct, frozen=True):
    """People as they are, as they would be, and why.

    `joined` are links that would hold and did not, with what stood against them; `parted` those
    that would hold no longer, with what stands against them.
    """

    before: tuple[TriedPerson, ...]
    after: tuple[TriedPerson, ...]
    joined: tuple[TriedLink, ...]
    parted: tuple[TriedLink, ...]


class SegmentEffect(msgspec.Struct, frozen=True):
    """What would happen to a segment; one entry or exit for each of the people, before and after."""

    segment: str
    now: int
    then: int
    entered: int
    left: int


class IdentityTrial(msgspec.Struct, frozen=True):
    """What identity rules would do to everybody, found by the computation that applying them runs.

    `merges` are the profiles that there would be no more, `splits` those that there would be more,
    `moved` the identifiers that would be somebody else's, `waiting` the links that wait for a
    person's word now and then. `uncounted` are definitions that are not evaluated now. Of each kind
    of change there are at most 20 examples, drawn evenly.
    """

    at: int
    profiles: int
    profiles_then: int
    merges: int
    splits: int
    moved: int
    waiting: int
    waiting_then: int
    segments: tuple[SegmentEffect, ...]
    uncounted: tuple[str, ...]
    merge_examples: tuple[TrialExample, ...]
    split_examples: tuple[TrialExample, ...]
    move_examples: tuple[TrialExample, ...]
