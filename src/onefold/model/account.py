"""Accounts: groups that people belong to, with facts of their own."""

from __future__ import annotations

from typing import Any

import msgspec

from onefold.model.profile import NO_STATEMENTS, Statement


class Account(msgspec.Struct, array_like=True, gc=False):
    """A group as `group` calls tell of it: its claims, and what survivorship makes of them.

    Who belongs to it stands with each identifier: so merges and splits change nothing here. `until` is
    when the next correction by a person ends (0: never).
    """

    id: str
    first_seen: int
    last_seen: int
    statements: msgspec.Raw = NO_STATEMENTS
    traits: dict[str, Any] = {}
    until: int = 0


encode_account = msgspec.msgpack.Encoder().encode
decode_account = msgspec.msgpack.Decoder(Account).decode
_STATEMENTS = msgspec.msgpack.Decoder(list[Statement])


def account_statements(account: Account) -> list[Statement]:
    """The claims of an account, decoded."""
    return _STATEMENTS.decode(account.statements)
