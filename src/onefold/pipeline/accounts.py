"""Accounts in the pipeline: what `group` calls tell of a group, and who belongs to it.

That somebody belongs to an account is a fact of an identifier, and goes with it through merges and
splits; what is claimed of the account is a fact of the account, and knows of no profile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from onefold.engine import DuckEngine
from onefold.model.account import Account, account_statements, decode_account, encode_account
from onefold.model.given import INTERNAL
from onefold.model.profile import (
    NEVER,
    NodeId,
    Statement,
    identifier_text,
    lives_with_somebody,
    living_with,
)
from onefold.pipeline.golden_rules import GoldenInputs, golden_rules
from onefold.pipeline.rows import Rows, json_text
from onefold.pipeline.scores import About, Preferences
from onefold.pipeline.working import Working
from onefold.store import AccountWrite
from onefold.unify import PLAIN, GoldenRules, add_claims, add_statement, golden_record

_encode = msgspec.msgpack.Encoder().encode


class GroupCall(msgspec.Struct, array_like=True, gc=False):
    """A `group` call: whose facts it tells (`owner`), of which account, and what of that.

    What a person says of an account is one, too, but nobody belongs to the account by it.
    """

    owner: NodeId
    account: str
    source: str
    time: int
    message_id: str
    client_minute: int
    traits: dict[str, Any]

    @property
    def given(self) -> bool:
        """Did a person say it?"""
        return self.source == INTERNAL

    @property
    def statement(self) -> Statement:
        """What it claims of the account."""
        return Statement(self.source, self.time, self.message_id, True, dict(self.traits))


def group_call(
    owner: NodeId, source: str, time: int, message_id: str, client_minute: int, properties: str
) -> GroupCall:
    """What a `group` event tells."""
    told = msgspec.json.decode(properties)
    account = str(told.pop("group_id"))
    return GroupCall(owner, account, source, time, message_id, client_minute, told)


class AccountRows(Protocol):
    """The part of the store that a batch reads accounts from."""

    def documents(self, accounts: Sequence[str]) -> dict[str, bytes]:
        """The stored documents of accounts."""


class Accounts:
    """Keeps what is claimed of accounts, and decides their golden records."""

    def __init__(self, store: AccountRows, engine: DuckEngine) -> None:
        self._store = store
        self._engine = engine
        self._preferences = Preferences(engine, PLAIN)
        self.rules: GoldenRules = PLAIN

    def use(self, decided: GoldenInputs, timezone: str) -> None:
        """Put rules for golden records of accounts in force."""
        self.rules = golden_rules(decided, timezone)
        self._preferences.close()
        self._preferences = Preferences(self._engine, self.rules)

    def fold(
        self, calls: Sequence[GroupCall], working: Working, rows: Rows, now: int
    ) -> list[Account]:
        """Fold the calls of a batch in; give the accounts that they are about."""
        if not calls:
            return []
        for call in calls:
            if not call.given:
                working.belong(call.owner, call.account, call.time, True)
        told = calls_by_account(calls)
        documents = self._store.documents(sorted(told))
        known = {name: decode_account(document) for name, document in documents.items()}
        found = [folded(known.get(name), told[name], self.rules) for name in sorted(told)]
        self._decide(found, known.keys(), rows, now)
        return found

    def again(self, accounts: Iterable[Account], rows: Rows, now: int) -> list[Account]:
        """Decide accounts that were folded elsewhere, in the place of those that are there."""
        found = list(accounts)
        known = self._store.documents([one.id for one in found])
        for account in found:
            document = known.get(account.id)
            account.traits = decode_account(document).traits if document else {}
        self._decide(found, known.keys(), rows, now)
        return found

    def _decide(
        self, accounts: Sequence[Account], known: Collection[str], rows: Rows, now: int
    ) -> None:
        """Golden records, with a row of each that is another now, or new."""
        for account, (traits, until) in zip(accounts, self.golden(accounts, now), strict=True):
            account.until = until
            if traits != account.traits or account.id not in known:
                account.traits = traits
                rows.add("accounts", account.id, now, json_text(traits))

    def golden(self, accounts: Iterable[Account], now: int) -> Iterator[tuple[dict[str, Any], int]]:
        """The golden traits of accounts, and when a correction of them ends next."""
        about = [About([account_statements(one)], ["account"]) for one in accounts]
        for one, scores in zip(about, self._preferences.scores(about), strict=True):
            golden = golden_record(one.nodes, self.rules, now, scores)
            yield {trait: won.value for trait, won in golden.traits.items()}, golden.until


def folded(account: Account | None, calls: Iterable[GroupCall], rules: GoldenRules) -> Account:
    """An account with what some calls tell of it; their order does not matter."""
    for call in calls:
        if account is None:
            account = Account(call.account, call.time, call.time)
        statements = account_statements(account)
        account.first_seen = min(account.first_seen, call.time)
        account.last_seen = max(account.last_seen, call.time)
        if not call.traits:
            continue
        new = call.statement
        if add_statement(statements, new) if call.given else add_claims(statements, new, rules):
            account.statements = msgspec.Raw(_encode(statements))
    assert account is not None, "an account is only there where somebody told of it"
    return account


def account_write(accounts: Iterable[Account], working: Working, rows: Rows) -> AccountWrite:
    """What a batch writes of accounts and of who belongs to them."""
    members = []
    for node_id in sorted(working.belongs):
        node = working.nodes[node_id]
        holding = sorted(name for name, said in node.more.accounts.items() if said.holds)
        members.append((node_id, holding))
        for name, said in sorted(node.more.accounts.items()):
            since = said.first if said.last > NEVER else said.left
            rows.add("account_members", name, node.kind, node.value, said.holds, since)
    _tell_homes(working, rows)
    living = [(one, lives_with_somebody(working.nodes[one])) for one in sorted(working.living)]
    documents = [(one.id, encode_account(one), one.until) for one in accounts]
    return AccountWrite(documents, members, living)


def _tell_homes(working: Working, rows: Rows) -> None:
    """A row of the history for each two who are said to live together now, or no longer, at both."""
    for node_id, before in sorted(working.living.items()):
        node = working.nodes[node_id]
        after = living_with(node)
        working.load_nodes(before ^ after)
        for other in sorted(before ^ after):
            if other in working.nodes and node_id in working.home:
                own, theirs = identifier_text(node), identifier_text(working.nodes[other])
                told = (None, own) if other in after else (own, None)
                rows.change(working.home[node_id], "household", theirs, *told)


def calls_by_account(calls: Iterable[GroupCall]) -> Mapping[str, list[GroupCall]]:
    """Calls, by the account that they tell of."""
    found: dict[str, list[GroupCall]] = {}
    for call in calls:
        found.setdefault(call.account, []).append(call)
    return found
