"""Identity rules: what an identifier of each kind says about who is who."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Strength = Literal["immutable", "unique", "shareable", "ephemeral"]
"""`immutable`: a person has one, for ever, and no alias joins two of them. `unique`: a person has one, unless
an alias says that two are the same person. `shareable`: several people may use it, so it joins until too many do.
`ephemeral`: it belongs to whoever uses it at the time, and never joins two known people."""
STRENGTHS: tuple[Strength, ...] = ("immutable", "unique", "shareable", "ephemeral")
Scope = Literal["global", "source", "brand", "session"]
"""Within what a value is one identifier: everywhere, or within a source, a brand or a session. The same
value in another is another identifier."""
SCOPES: tuple[Scope, ...] = ("global", "source", "brand", "session")
INVALID = "invalid_"
"""How kinds begin that hold values that cannot be of the kind: they join nobody."""
USER = "user_id"
DEVICES = frozenset({"anonymous_id", "device_id", "advertising_id"})
"""The kinds that name a thing somebody uses. All others name a person."""


class IdentifierRule(msgspec.Struct, frozen=True):
    """What identifiers of one kind (`name`) say.

    `priority` orders evidence of the same rank: the smaller is taken first. `max_per_profile` values at most
    belong to a person (0: any number), counted over `per_days` days after each other where given.
    A value that more than `max_profiles` known people carry is no evidence. `lifetime_days` after it was
    seen with somebody, a value seen with somebody else is theirs alone (0: never). `blocked` values,
    with `*` and `?` for any letters and any letter, are no evidence.

    `normalize` are the steps by which a value is written, `validate` what it must be then, each a name
    and perhaps what it needs. Within its `scope` a value is one identifier; with `sources` that holds of
    those only. A session ends after `session_minutes` in which nothing happens. `traits` hold
    identifiers of this kind, too.
    """

    name: str
    strength: Strength = "shareable"
    priority: int = 100
    max_per_profile: int = 0
    per_days: int = 0
    max_profiles: int = 3
    lifetime_days: int = 0
    blocked: tuple[str, ...] = ()
    normalize: tuple[str, ...] = ()
    validate: tuple[str, ...] = ()
    scope: Scope = "global"
    sources: tuple[str, ...] = ()
    session_minutes: int = 30
    traits: tuple[str, ...] = ()
    description: str = ""
    version: int = 1


class Protection(msgspec.Struct, frozen=True):
    """What no evidence but a person's word may join.

    `names` and `birth_dates` are the traits that hold first names and dates of birth: two known people who
    differ in both are not joined. `hold` is the trait that keeps a profile as it is while it is true.
    `consent` keeps known people apart who disagree on a purpose. A profile takes `max_identifiers`.
    With `bridges`, a single link does not join two groups that each hang together by several.
    `brands` says which brand a source is of, `sign_outs` are the events that end somebody's session.
    """

    names: tuple[str, ...] = ("first_name", "firstName", "given_name")
    birth_dates: tuple[str, ...] = ("birth_date", "birthDate", "birthday", "date_of_birth")
    hold: str = "legal_hold"
    consent: bool = True
    max_identifiers: int = 1_000
    bridges: bool = True
    brands: dict[str, str] = {}
    sign_outs: tuple[str, ...] = (
        "Signed Out",
        "Sign Out",
        "User Signed Out",
        "Logged Out",
        "Log Out",
        "Logout",
        "User Logged Out",
        "Reset",
    )
    version: int = 0


USER_RULE = IdentifierRule(USER, "unique", 0)


class IdentityRules(msgspec.Struct, frozen=True):
    """All identity rules in force: by kind, and what protects people."""

    kinds: Mapping[str, IdentifierRule] = {}
    protection: Protection = Protection()

    @property
    def writing(self) -> tuple[IdentifierRule, ...]:
        """The rules that say how values are written, what they must be and how far they reach."""
        return tuple(
            one
            for _, one in sorted(self.kinds.items())
            if one.normalize or one.validate or one.traits or one.scope != "global"
        )

    @property
    def sessions(self) -> dict[str, int]:
        """The kinds whose values are one identifier within a session, with its minutes."""
        return {
            one.name: one.session_minutes for one in self.kinds.values() if one.scope == "session"
        }

    def of(self, kind: str) -> IdentifierRule:
        """The rule of a kind: the workspace's own, or what holds without one.

        >>> IdentityRules().of("user_id").strength, IdentityRules().of("email").strength
        ('unique', 'shareable')
        """
        found = self.kinds.get(kind)
        if found is None:
            found = USER_RULE if kind == USER else _plain(kind)
        return found


_PLAIN: dict[str, IdentifierRule] = {}


def _plain(kind: str) -> IdentifierRule:
    found = _PLAIN.get(kind)
    if found is None:
        found = IdentifierRule(kind)
        if len(_PLAIN) < 10_000:
            _PLAIN[kind] = found
    return found


BUILT_IN = IdentityRules()
