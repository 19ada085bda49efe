"""What must be read or changed one row at a time: identifiers, profiles, settings, queues.

In: rows. Out: rows. Promise: a batch is written in one transaction with the log positions it
came from, so a crash leaves either all of it or none.
"""

from onefold.store.accounts import AccountWrite, MemberNode
from onefold.store.given import ListRow, RefreshRow
from onefold.store.matching import Matches, MatchRecord, MatchWrite, StoredModel
from onefold.store.sent import Sent, SentValues
from onefold.store.sqlite import BatchWrite, QueuedRows, SQLiteStore

__all__ = [
    "AccountWrite",
    "BatchWrite",
    "ListRow",
    "MatchRecord",
    "MatchWrite",
    "Matches",
    "MemberNode",
    "QueuedRows",
    "RefreshRow",
    "SQLiteStore",
    "Sent",
    "SentValues",
    "StoredModel",
]
