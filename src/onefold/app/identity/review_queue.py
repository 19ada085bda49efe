"""Several people at the review queue: each has some for a while; many are decided at once, after a look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import msgspec

from onefold.app.identity.decisions import (
    MOST_ORDERED,
    VERDICTS,
    Looked,
    ReviewItem,
    append_decisions,
    look,
    side_by_side,
)
from onefold.app.profiles.finding import find_all
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput, NotFound, Stale
from onefold.model.matching import MatchModel, decode_model, encode_model
from onefold.model.profile import NodeId, Profile
from onefold.model.records import Identifier
from onefold.store import SQLiteStore
from onefold.store.reviews import Review, Verdict

MOST_AT_ONCE = 10_000
_EXAMPLES = 20
_MINUTE = 60_000_000


class Claimed(msgspec.Struct, frozen=True):
    """Reviews that are with somebody until then; nobody else decides them meanwhile."""

    items: list[ReviewItem]
    until: int


class BulkWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which reviews are decided at once: those of one reason, or of weights in a range, and how."""

    verdict: Literal["same", "apart"]
    reason: str | None = None
    least: float | None = None
    most: float | None = None


class SegmentTouched(msgspec.Struct, frozen=True):
    """A segment that some of the people are in: how many, and how many they will be as merged people.

    Who is in it may change as well, for merged people have the events of both.
    """

    name: str
    before: int
    after: int


class BulkPreview(msgspec.Struct, frozen=True):
    """What deciding these reviews would do; `token` names exactly these, as they are now."""

    pairs: int
    people: int
    merges: int
    segments: list[SegmentTouched]
    examples: list[ReviewItem]
    token: str


class Calibrated(msgspec.Struct, frozen=True):
    """How decisions changed a model's weights to `scale * weight + shift`, and the standard error of the shift.

    And which precision and recall of pairs the model expects now, with their standard errors.
    """

    decisions: int
    scale: float
    shift: float
    error: float
    precision: float
    precision_error: float
    recall: float
    recall_error: float
    version: str


class BulkDone(msgspec.Struct, frozen=True):
    """What was decided at once; `at` names it for `bulk_undo`."""

    pairs: int
    at: int
    by: str


def review_claim(
    settings: Settings, limit: int = 10, minutes: int = 15, *, actor: str = "cli"
) -> Claimed:
    """Take the most useful reviews that nobody else has, for so many minutes."""
    now = now_us()
    until = now + minutes * _MINUTE
    with open_store(settings, cache_mb=4) as store:
        found = store.reviews.open(max(MOST_ORDERED, limit), free=(actor, now))
        wanted = [one for _, one in look(store, found).ordered]
        mine = store.reviews.claim(wanted, limit, actor, until, now)
        return Claimed(side_by_side(store, look(store, mine), limit), until)


def review_release(settings: Settings, *, actor: str = "cli") -> int:
    """Give back what one has claimed and not decided; how many reviews these were."""
    with open_store(settings, cache_mb=4) as store:
        return store.reviews.release(actor)


def bulk_preview(settings: Settings, wanted: BulkWanted, *, actor: str = "cli") -> BulkPreview:
    """What deciding these reviews at once would do; nothing is decided yet."""
    with open_store(settings, cache_mb=4) as store:
        looked = look(store, _chosen(store, wanted, actor, now_us()))
        examples = side_by_side(store, looked, _EXAMPLES)
    chosen = [one for _, one in looked.ordered]
    people = {looked.homes[end] for one in chosen for end in (one.left, one.right)}
    groups = _merged(looked) if wanted.verdict == "same" else {one: one for one in people}
    return BulkPreview(
        len(chosen),
        len(people),
        len(people) - len(set(groups.values())),
        _segments(looked.profiles, groups),
        examples,
        token_of(wanted, chosen),
    )


def bulk_decide(
    settings: Settings, wanted: BulkWanted, token: str, *, actor: str = "cli"
) -> BulkDone:
    """Decide all that a preview showed; `Stale` if these are no longer the same reviews."""
    now = now_us()
    with open_store(settings, cache_mb=4) as store:
        looked = look(store, _chosen(store, wanted, actor, now))
        chosen = [one for _, one in looked.ordered]
        if token_of(wanted, chosen) != token:
            raise Stale("the reviews have changed since the preview; look at it again")
        ends = [(one.left, one.right, one.version) for one in chosen]
        store.reviews.judge(ends, VERDICTS[wanted.verdict], actor, now)
        named = _named(looked.profiles.values())
        pairs = [(named[one.left], named[one.right]) for one in chosen]
        append_decisions(settings, store, pairs, wanted.verdict, actor, now)
        detail = {"pairs": len(pairs), "reason": wanted.reason} | {
            name: value
            for name, value in (("least", wanted.least), ("most", wanted.most))
            if value is not None
        }
        store.registry.audit(now, actor, f"identity.bulk_{wanted.verdict}", str(now), detail)
    return BulkDone(len(pairs), now, actor)


def token_of(wanted: BulkWanted, chosen: Sequence[Review]) -> str:
    """What names exactly these reviews, as they are now."""
    ends = sorted((one.left, one.right, one.version) for one in chosen)
    digest = blake2b(msgspec.msgpack.encode((wanted.verdict, ends)), digest_size=12)
    return digest.hexdigest()


def bulk_undo(settings: Settings, at: int, *, actor: str = "cli") -> BulkDone:
    """Take back all that was decided at once at that time: the evidence decides again."""
    now = now_us()
    with open_store(settings, cache_mb=4) as store:
        ends = store.reviews.decided(at)
        _, profiles = find_all(store, [end for pair in ends for end in pair])
        named = _named(profiles.values())
        there = [pair for pair in ends if named.keys() >= set(pair)]
        store.reviews.judge([(*pair, None) for pair in there], None, actor, now)
        pairs = [(named[left], named[right]) for left, right in there]
        append_decisions(settings, store, pairs, "open", actor, now)
        store.registry.audit(now, actor, "identity.bulk_open", str(at), {"pairs": len(pairs)})
    return BulkDone(len(pairs), now, actor)


def calibrate(settings: Settings, model: Path, output: Path) -> Calibrated:
    """A new version of a match model, whose weights fit what reviewers decided."""
    # It brings numpy, which a web process has no need of otherwise.
    from onefold.app.matching.training import recalibrate  # noqa: PLC0415

    if not model.is_file():
        raise NotFound("a file is missing", [Fault("there is no such file", str(model))])
    trained = decode_model(model.read_bytes())
    with open_store(settings, cache_mb=4) as store:
        said = store.reviews.verdicts()
        nodes = {node for one in said for node in (one.left, one.right)}
        records = {one.node: one.record for one in store.matches.of_nodes(nodes)}
    made = recalibrate(trained, _weighed(trained, said, records))
    output.write_bytes(encode_model(made))
    quality = made.quality
    return Calibrated(
        len(said), made.scale, made.shift, quality.calibration_error,
        quality.precision, quality.precision_error, quality.recall, quality.recall_error,
        made.version,
    )  # fmt: skip


def _weighed(
    model: MatchModel, said: Sequence[Verdict], records: Mapping[NodeId, bytes]
) -> list[tuple[float, bool]]:
    """What was said, with the weights that this model gives: another one may have been in force then."""
    from onefold.resolve.matching.pairwise import Matcher, decode_record  # noqa: PLC0415

    matcher = Matcher(model)
    found = []
    for one in said:
        weight = one.weight
        if one.left in records and one.right in records:
            pair = [decode_record(records[node]) for node in (one.left, one.right)]
            left, right = (matcher.ready(person, source) for source, person in pair)
            weight = matcher.explain(left, right).weight
        if weight is not None:
            found.append((weight, one.same))
    return found


def _chosen(store: SQLiteStore, wanted: BulkWanted, actor: str, now: int) -> list[Review]:
    """The reviews that are meant and that nobody else is looking at."""
    found = store.reviews.open(
        MOST_AT_ONCE + 1,
        reason=wanted.reason,
        least=wanted.least,
        most=wanted.most,
        free=(actor, now),
    )
    if len(found) > MOST_AT_ONCE:
        hint = "say a reason or a range of weights"
        fault = Fault(f"at most {MOST_AT_ONCE:,} reviews are decided at once", "reason", hint)
        raise InvalidInput("these are too many", [fault])
    return found


def _merged(looked: Looked) -> dict[int, int]:
    """For each profile the first of those that it is merged with."""
    first = {number: number for number in looked.profiles}

    def top(number: int) -> int:
        while first[number] != number:
            first[number] = first[first[number]]
            number = first[number]
        return number

    for _, one in looked.ordered:
        low, high = sorted((top(looked.homes[one.left]), top(looked.homes[one.right])))
        first[high] = low
    return {number: top(number) for number in first}


def _segments(profiles: Mapping[int, Profile], groups: Mapping[int, int]) -> list[SegmentTouched]:
    before: dict[str, int] = defaultdict(int)
    after: dict[str, set[int]] = defaultdict(set)
    for number, one in profiles.items():
        for name in one.members:
            before[name] += 1
            after[name].add(groups[number])
    return [SegmentTouched(name, count, len(after[name])) for name, count in sorted(before.items())]


def _named(profiles: Iterable[Profile]) -> dict[NodeId, Identifier]:
    return {node.id: Identifier(node.kind, node.value) for one in profiles for node in one.nodes}
