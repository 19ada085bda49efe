"""What a batch writes of the profiles that it changed."""

from __future__ import annotations

import msgspec

from onefold.model.profile import MATCHED, encode_profile, profile_name
from onefold.pipeline.rows import Rows
from onefold.pipeline.working import Working
from onefold.resolve import Link
from onefold.store import BatchWrite


def write_documents(working: Working, rows: Rows, write: BatchWrite, now: int) -> None:
    """Put the documents and identifiers of what changed into a batch, with their rows for the lake."""
    for number in sorted(working.told):
        told = working.profiles[number]
        values = _json(told.traits), None, _json(told.computed), _json(told.tags)
        rows.add("profiles", profile_name(number), now, *values)
    due_before = working.loaded_due
    for number in sorted(working.changed):
        profile = working.profiles[number]
        document = encode_profile(profile)
        if number in working.created:
            write.new_profiles.append((number, profile.due, document))
        elif profile.due != due_before[number]:
            write.documents_due.append((document, profile.due, number))
        else:
            write.documents.append((document, number))
    for number in working.removed:
        into = working.aliases[number]
        write.removed.append(number)
        rows.add("profiles", profile_name(number), now, "{}", profile_name(into), "{}", "{}")
        rows.change(into, "merge", profile_name(number), None, True)
    for node in sorted(working.moved):
        number = working.home[node]
        write.identifiers.append((node, number))
        one = working.nodes[node]
        rows.add("identifiers", one.kind, one.value, profile_name(number), one.first_seen)
    for node, left in sorted(working.rehomed.items()):
        empty = None if left is None else left not in working.profiles
        rows.add("moves", node, working.home[node], left, empty)
    write.partitioned = working.partitioned | working.forgotten
    write.forgotten = sorted(working.forgotten)
    write.holds = [
        (*ends, one.reason, one.link.rank, one.link.time, now, _weight(one.link))
        for ends, one in sorted(working.held.items())
    ]
    write.aliases = sorted(working.aliases.items())
    write.reclaimed = sorted(working.reclaimed)
    write.counters = {
        "profiles": len(working.created) - len(working.removed),
        "identifiers": sum(node in working.fresh for node in working.moved)
        - len(working.forgotten),
        "merges": len(working.removed),
        "members": len(write.entered) - len(write.left),
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _weight(link: Link) -> float | None:
    """How much the ends are alike, if that is what links them."""
    matched = link.left.more.matched.get(link.right.id) if link.rank == MATCHED else None
    return None if matched is None else matched.weight
