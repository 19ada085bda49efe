"""What a batch writes of the profiles that it changed."""

from __future__ import annotations

from onefold.model.profile import MATCHED, encode_profile, profile_name
from onefold.pipeline.rows import Rows
from onefold.pipeline.working import Working
from onefold.resolve import Link
from onefold.store import BatchWrite


def write_documents(working: Working, rows: Rows, write: BatchWrite, now: int) -> None:
    """Put the documents and identifiers of what changed into a batch, with their rows for the lake."""
    told, changed = working.told - working.arrived.keys(), working.changed - working.arrived.keys()
    rows.tell_people([working.profiles[number] for number in sorted(told)])
    due_before = working.loaded_due
    for number in sorted(changed):
        profile = working.profiles[number]
        document = encode_profile(profile)
        if number in working.created:
            write.new_profiles.append((number, profile.due, document))
        elif profile.due != due_before[number]:
            write.documents_due.append((document, profile.due, number))
        else:
            write.documents.append((document, number))
    for number in working.removed:
        write.removed.append(number)
        into = working.aliases.get(number)
        if into is None:  # all that it was made of was taken back: it leads to itself
            write.vanished.append(number)
            name = profile_name(number)
            rows.add("profiles", name, now, "{}", name, "{}", "{}")
            continue
        rows.add("profiles", profile_name(number), now, "{}", profile_name(into), "{}", "{}")
        rows.change(into, "merge", profile_name(number), None, True)
    for node in sorted(working.moved):
        number = working.home[node]
        write.identifiers.append((node, number))
        moved = working.nodes[node]
        rows.add("identifiers", moved.kind, moved.value, profile_name(number), moved.first_seen)
    for number, one in working.newcomers.items():
        write.identifiers += [(node.id, number) for node in one.profile.nodes]
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
        + sum(len(one.profile.nodes) for one in working.newcomers.values())
        - len(working.forgotten),
        "merges": len(working.removed) - len(write.vanished),
        "members": len(write.entered) - len(write.left),
    }


def _weight(link: Link) -> float | None:
    """How much the ends are alike, if that is what links them."""
    matched = link.left.more.matched.get(link.right.id) if link.rank == MATCHED else None
    return None if matched is None else matched.weight
