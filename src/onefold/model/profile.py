"""The profile: the nodes that are one person now, with the facts keyed by each.

A profile is stored as one document (`encode_profile`). Claims and buckets are kept as undecoded
msgpack inside it, so that an event pays only for what it touches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from onefold.model.records import Identifier

NodeId = bytes
ProfileId = int
LAST_PROFILE: ProfileId = (1 << 63) - 1
"""No profile has a greater id."""

DECIDED, ASSERTED, WITH_USER, OBSERVED, MATCHED, SESSION = -1, 0, 1, 2, 3, 4
"""Ranks of a link: decided by a person, declared by an `alias`, seen beside a user id, without one;
nothing but alike; of one session on a shared device."""


class Statement(msgspec.Struct, array_like=True, gc=False):
    """Claims that one message made: "source S said at time T that trait K is V", for many K.

    Of one source only the last claim of a trait is kept, ordered by `(strong, time, message_id)`.
    """

    source: str
    time: int
    message_id: str
    strong: bool
    traits: dict[str, Any]

    @property
    def order(self) -> tuple[bool, int, str]:
        return (self.strong, self.time, self.message_id)


class Matched(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """How much two identifiers' claims are alike: the weight, and the model's version.

    `taken` if both are in one cluster of those who are alike enough to be merged; otherwise a person
    should look.
    """

    weight: float
    model: str
    taken: bool


NEVER = -(1 << 62)
"""Before all times."""


class Belongs(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """That an identifier's owner is of an account: when that was first and last said, and last denied."""

    first: int = -NEVER
    last: int = NEVER
    left: int = NEVER

    def with_word(self, time: int, belongs: bool) -> Belongs:
        """The same after a word of this time; any order of words gives the same."""
        if not belongs:
            return Belongs(self.first, self.last, max(self.left, time))
        return Belongs(min(self.first, time), max(self.last, time), self.left)

    @property
    def holds(self) -> bool:
        """Is it so by the last word?"""
        return self.last > self.left


NO_STATEMENTS = msgspec.Raw(msgspec.msgpack.encode([]))
NO_BUCKETS = msgspec.Raw(msgspec.msgpack.encode({}))


class Extras(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What few identifiers have, kept apart: reading seven empty tables of each costs as much as all the rest.

    `refreshed` are values that were computed from everybody, by trait: `(as of, value)`. `decided` is what
    people said of it and other nodes: `(whether they are the same person, time, message id)`. `matched`
    are the nodes whose claims are alike. `session` is set on a minute of a shared device: the node that
    its session says it belongs to. `accounts` are those that its owner belongs to, or did.
    `housemates` are the nodes whose claims say that their owners live together, with how much, and
    `homes` is what people said of that, as `decided` is.
    """

    refreshed: dict[str, tuple[int, Any]] = {}
    decided: dict[NodeId, tuple[bool | None, int, str]] = {}
    matched: dict[NodeId, Matched] = {}
    session: NodeId = b""
    accounts: dict[str, Belongs] = {}
    housemates: dict[NodeId, float] = {}
    homes: dict[NodeId, tuple[bool | None, int, str]] = {}


NO_EXTRAS = Extras()


class Node(msgspec.Struct, array_like=True, gc=False):
    """One identifier and what it ever told us.

    `links` maps other nodes to `(rank, time first seen together)`. `events` counts the events
    whose facts are keyed by this node. `counted` is the batch that last wrote the buckets. `extras` is
    None where there are none: read them with `more`, change them with `keep`.
    """

    id: NodeId
    kind: str
    value: str
    first_seen: int
    last_seen: int
    events: int
    links: dict[NodeId, tuple[int, int]]
    statements: msgspec.Raw = NO_STATEMENTS
    buckets: msgspec.Raw = NO_BUCKETS
    counted: int = 0
    extras: Extras | None = None

    @property
    def more(self) -> Extras:
        """What few identifiers have, empty where this one has nothing of it."""
        return self.extras or NO_EXTRAS

    def keep(self, **changes: Any) -> None:
        """Put other values in the place of these of the extras."""
        extras = msgspec.structs.replace(self.more, **changes)
        self.extras = None if extras == NO_EXTRAS else extras


class Profile(msgspec.Struct, array_like=True, gc=False):
    """One person. `names` are the ids it answers to with the node that each stays with.

    `traits` is the golden record, `members` maps segments to the time of entry, `due` is
    the next moment at which a time window changes a value without an event (0: never).
    `computed` and `tags` are the values of the computed traits and tags that have one, `until` is
    when the next correction by a person ends (0: never).
    """

    id: ProfileId
    names: list[tuple[ProfileId, NodeId]]
    nodes: list[Node]
    traits: dict[str, Any]
    members: dict[str, int]
    due: int = 0
    computed: dict[str, Any] = {}
    tags: dict[str, str] = {}
    until: int = 0


encode_profile = msgspec.msgpack.Encoder().encode
decode_profile = msgspec.msgpack.Decoder(Profile).decode
_STATEMENTS = msgspec.msgpack.Decoder(list[Statement])
_APART = msgspec.msgpack.Decoder(tuple[NodeId, list[Node]])
# As msgpack writes an array: first of how many, then each.
_PROFILE, _ONE, _PAIR = b"\x99", b"\x91", b"\x92"
_NOTHING_FOUND = b"".join(map(encode_profile, ({}, 0, {}, {}, 0)))


def encode_apart(root: NodeId, nodes: Sequence[Node]) -> bytes:
    """The part of a document that is known before its profile has an id: the node that the name stays
    with, and all nodes.
    """
    return encode_profile((root, nodes))[len(_PAIR) :]


def nodes_apart(body: bytes) -> tuple[NodeId, list[Node]]:
    """What `encode_apart` was given."""
    return _APART.decode(_PAIR + body)


def put_together(profile: Profile, body: bytes) -> bytes:
    """The document of a profile that has its first name: what `encode_profile` would give, where the nodes
    are encoded already (`encode_apart`).

    >>> node = Node(b"n", "email", "ann@shop.example", 1, 1, 1, {})
    >>> whole = Profile(7, [(7, b"n")], [node], {"level": 3}, {"gold": 5}, 9)
    >>> put_together(whole, encode_apart(b"n", [node])) == encode_profile(whole)
    True
    """
    number, found = encode_profile(profile.id), _NOTHING_FOUND
    if profile.members or profile.due or profile.computed or profile.tags or profile.until:
        rest = profile.members, profile.due, profile.computed, profile.tags, profile.until
        found = b"".join(map(encode_profile, rest))
    traits = encode_profile(profile.traits)
    return b"".join((_PROFILE, number, _ONE, _PAIR, number, body, traits, found))


def statements_of(node: Node) -> list[Statement]:
    """The claims of a node, decoded."""
    return _STATEMENTS.decode(node.statements)


def belongings(nodes: Iterable[Node]) -> dict[str, Belongs]:
    """The accounts that these identifiers' owner belongs to, by id.

    One of them is enough: who is taken out of an account is so by each identifier.
    """
    found: dict[str, Belongs] = {}
    for node in nodes:
        for account, said in node.more.accounts.items():
            if said.holds:
                known = found.get(account, said)
                found[account] = Belongs(min(known.first, said.first), max(known.last, said.last))
    return {account: found[account] for account in sorted(found)}


def belongs_to(node: Node, account: str) -> bool:
    """Does this identifier say that its owner belongs to an account?"""
    said = node.more.accounts.get(account)
    return said is not None and said.holds


def lives_with_somebody(node: Node) -> bool:
    """Does anything say that the owner of a node lives with another's?"""
    return bool(node.more.housemates) or any(word[0] for word in node.more.homes.values())


def living_with(node: Node) -> set[NodeId]:
    """The nodes whose owners are said to live with this one's; a person's word outranks claims."""
    said = {other: word[0] for other, word in node.more.homes.items() if word[0] is not None}
    return {one for one in {*node.more.housemates, *said} if said.get(one, True)}


def refreshed_values(nodes: Iterable[Node]) -> dict[str, Any]:
    """Of each refreshed trait the newest value; whatever the order of the nodes."""
    newest: dict[str, tuple[int, bytes, Any]] = {}
    for node in nodes:
        for name, (as_of, value) in node.more.refreshed.items():
            candidate = (as_of, encode_profile(value), value)
            if name not in newest or candidate[:2] > newest[name][:2]:
                newest[name] = candidate
    return {name: won[2] for name, won in newest.items() if won[2] is not None}


def identifier_text(one: Node | Identifier) -> str:
    """An identifier as people write it.

    >>> identifier_text(Identifier("email", "eva@example.com"))
    'email:eva@example.com'
    """
    return f"{one.kind}:{one.value}"


def identifier_from(text: str) -> Identifier:
    """The identifier that `identifier_text` wrote.

    >>> identifier_from("email:eva@example.com").value
    'eva@example.com'
    """
    kind, _, value = text.partition(":")
    return Identifier(kind, value)


PROFILE_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_DIGITS = {letter: value for value, letter in enumerate(PROFILE_LETTERS)}
_PAIRS = tuple(a + b for a in PROFILE_LETTERS for b in PROFILE_LETTERS)
NAME_WIDTH = 13


def profile_name(profile: ProfileId) -> str:
    """The id as people see it: 13 letters and digits.

    >>> profile_name(1234567890123456789)
    '128ggyhyyk08n'
    """
    pairs = _PAIRS
    return (
        PROFILE_LETTERS[profile >> 60 & 31]
        + pairs[profile >> 50 & 1023]
        + pairs[profile >> 40 & 1023]
        + pairs[profile >> 30 & 1023]
        + pairs[profile >> 20 & 1023]
        + pairs[profile >> 10 & 1023]
        + pairs[profile & 1023]
    )


def profile_name_sql(number: str) -> str:
    """SQL that writes a column of ids as people see them."""
    letters = (
        f"'{PROFILE_LETTERS}'[({number} >> {5 * (NAME_WIDTH - 1 - place)} & 31) + 1]"
        for place in range(NAME_WIDTH)
    )
    return f"concat({', '.join(letters)})"


def profile_number_sql(name: str) -> str:
    """SQL that reads a column of such names as the ids behind them."""
    digits = (
        f"(instr('{PROFILE_LETTERS}', substr({name}, {place + 1}, 1)) - 1)::bigint * {32 ** (12 - place)}"
        for place in range(NAME_WIDTH)
    )
    return f"({' + '.join(digits)})"


def parse_profile_name(name: str) -> ProfileId | None:
    """The id behind a name, or None where it cannot be one.

    >>> parse_profile_name('128ggyhyyk08n')
    1234567890123456789
    """
    if len(name) != NAME_WIDTH or any(letter not in _DIGITS for letter in name):
        return None
    value = 0
    for letter in name:
        value = value << 5 | _DIGITS[letter]
    return value if value < 1 << 63 else None
