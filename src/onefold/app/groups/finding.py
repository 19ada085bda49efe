"""One account, found by its id."""

from __future__ import annotations

from onefold.model.account import Account, decode_account
from onefold.model.errors import NotFound
from onefold.store import SQLiteStore


def find_account(store: SQLiteStore, name: str) -> Account:
    """The account as it is now; `NotFound` if nobody ever told of it."""
    document = store.accounts.documents([name]).get(name)
    if document is None:
        raise NotFound(f"there is no account {name}; `group` calls make them")
    return decode_account(document)
