"""Accounts folded from the history: when rules for them change, and as of a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice
from operator import attrgetter

import msgspec
import structlog

from onefold.app.lake.tables import add_views, tables_now
from onefold.app.workspace import now_us, spill_path
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.lake.delta import DeltaLake
from onefold.model.account import Account, decode_account
from onefold.model.given import ACCOUNTS, EVENT, INTERNAL
from onefold.pipeline import GoldenInputs, GroupCall, Pipeline, folded, golden_rules
from onefold.store import SQLiteStore
from onefold.unify import GoldenRules

_RULES = "account_rules"
_PAGE = 10_000
_ACCOUNTS_A_BATCH = 1_000
_GROUP = "json_extract_string(properties, '$.group_id')"
_CALLED = f"name = 'group' and type = 'group' and {_GROUP} is not null"
_GIVEN = (
    f"source = '{INTERNAL}' and name = '{EVENT}'"
    f" and json_extract_string(identifiers, '$[0][0]') = '{ACCOUNTS}'"
)
_ACCOUNT = f"case when {_GIVEN} then json_extract_string(identifiers, '$[0][1]') else {_GROUP} end"
log = structlog.get_logger(__name__)


class AccountsKept:
    """Sees to it that all accounts are folded by the rules in force.

    The owner of the store does it, between two batches: calls that tell of accounts are few.
    """

    def __init__(
        self, settings: Settings, store: SQLiteStore, lake: DeltaLake, pipeline: Pipeline
    ) -> None:
        self._settings = settings
        self._store = store
        self._lake = lake
        self._pipeline = pipeline

    def use(self, decided: GoldenInputs) -> None:
        """Fold all accounts again, unless they were by these rules."""
        before = self._store.setting(_RULES)
        if before == decided.fingerprint:
            return
        if self._store.batch():
            self._fold(golden_rules(decided, self._settings.timezone), anew=before is None)
        self._store.set_setting(_RULES, decided.fingerprint)

    def end_corrections(self, now: int) -> None:
        """Decide accounts again of which a correction holds no longer."""
        if due := self._store.accounts.due(now, _ACCOUNTS_A_BATCH):
            self._pipeline.put_accounts([decode_account(one) for one in due], now)

    def _fold(self, rules: GoldenRules, *, anew: bool) -> None:
        """All accounts; `anew` where an earlier release did not keep who belongs to them."""
        engine = DuckEngine(threads=1, memory_mb=512, spill=spill_path(self._settings))
        accounts = 0
        try:
            add_views(engine, {"events": tables_now(self._store, self._lake)["events"]})
            grouped = groupby(group_calls(engine), attrgetter("account"))
            told = (list(calls) for _, calls in grouped)
            while some := list(islice(told, _ACCOUNTS_A_BATCH)):
                found = [folded(None, calls, rules) for calls in some]
                calls = [call for calls in some for call in calls] if anew else []
                self._pipeline.put_accounts(found, now_us(), calls)
                accounts += len(found)
        finally:
            engine.close()
        if accounts:
            log.info("accounts_folded", accounts=accounts)


def group_calls(
    engine: DuckEngine, account: str | None = None, until: int = 1 << 62
) -> Iterator[GroupCall]:
    """What tells of accounts, or of one, by a time (µs): calls, and people; the view `all_events` is there."""
    query = (
        f"select owner, {_ACCOUNT} as account, source, epoch_us(time), message_id, client_minute,"  # noqa: S608
        f" case when {_GIVEN} then traits else properties end from all_events"
        f" where ({_CALLED} or {_GIVEN}) and epoch_us(time) <= ?"
        f"{'' if account is None else ' and account = ?'}"
        " order by account, time, source, message_id"
    )
    values = [until] if account is None else [until, account]
    for rows in engine.pages("groups", query, values, _PAGE):
        for owner, name, source, time, message_id, minute, told in rows:
            traits = msgspec.json.decode(told)
            traits.pop("group_id", None)
            yield GroupCall(owner, name, source, time, message_id, minute, traits)


def all_accounts(store: SQLiteStore) -> Iterator[Account]:
    """Every account of a store, by id."""
    after = ""
    while page := store.accounts.page(after, _ACCOUNTS_A_BATCH):
        for _, document in page:
            yield decode_account(document)
        after = page[-1][0]
