"""Everybody decided anew after the identity rules changed: stricter rules mend the past."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

import msgspec

from onefold.app.job_kinds import REGROUP
from onefold.app.long_work import Work, begin, end, patiently
from onefold.model.identity import BUILT_IN, IdentityRules
from onefold.model.profile import ProfileId
from onefold.store import SQLiteStore

_RULES, _CURSOR = "identity_rules", "identity_cursor"
_A_PAGE, _IN_A_HURRY = 2_000, 100


class Regrouping:
    """Regroups the identifiers of all profiles, a page between two batches; a restart goes on."""

    def __init__(
        self, store: SQLiteStore, regroup: Callable[[Sequence[ProfileId], int], None]
    ) -> None:
        self._store = store
        self._regroup = regroup
        self._after: int | None = store.setting(_CURSOR)
        self._work: Work | None = None
        self._done = 0

    def use(self, rules: IdentityRules) -> None:
        """Begin, unless these rules are those by which everybody was decided."""
        digest = fingerprint(rules)
        if digest == (self._store.setting(_RULES) or fingerprint(BUILT_IN)):
            return
        self._store.set_setting(_CURSOR, 0)
        self._store.set_setting(_RULES, digest)
        self._after, self._done = 0, 0

    def step(self, now: int, *, hurry: bool = False) -> bool:
        """Decide the next page; say whether there was one."""
        if self._after is None:
            return False
        size = _IN_A_HURRY if hurry else _A_PAGE
        page = self._store.profile_ids(self._after, size)
        if page:
            self._regroup(page, now)
        self._after = page[-1] if page else None
        self._store.set_setting(_CURSOR, self._after)
        self._done += len(page)
        if len(page) == size and self._work is None:
            self._work = begin(self._store, REGROUP, "identity rules")
        self._tell()
        return bool(page)

    def _tell(self) -> None:
        if self._work is None:
            return
        if self._after is None:
            end(self._store, self._work, canceled=False)
            self._work = None
            return
        total = self._store.counters().get("profiles", 0)
        # Half decided by other rules is no state to stay in.
        patiently(self._work)(self._done, total, "deciding who is who")


def fingerprint(rules: IdentityRules) -> bytes:
    """What tells rules apart, but for how they are described."""
    kinds = sorted(
        msgspec.json.encode(msgspec.structs.replace(one, description="", version=0))
        for one in rules.kinds.values()
    )
    protection = msgspec.structs.replace(rules.protection, version=0)
    return blake2b(msgspec.json.encode((kinds, protection)), digest_size=16).digest()
