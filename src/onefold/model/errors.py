"""Errors, as one small tree.

OnefoldError
├── InvalidInput      what a caller gave is wrong; every fault is listed
│   ├── NotFound      there is no such thing
│   ├── Conflict      it exists already, or others need it
│   │   └── Stale     it is no longer at the version that was looked at
│   └── TooLarge      over a limit
├── Unauthorized      a person must act: wrong key, missing right
│   └── Forbidden     the key is known, but its role may not do this
├── Busy              the same again, after `retry_after` seconds
│   └── RateLimited   the caller sends more than it may
├── Rejected          never again: keep it as a dead letter, with the reason
├── Canceled          somebody asked to stop it
└── Damaged           stored data cannot be read
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong: where, what, and what to do about it."""

    message: str
    where: str = ""
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text


class OnefoldError(Exception):
    """Something Onefold could not do. `faults` says every reason at once."""

    code = "error"

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n  ".join([self.message, *map(str, self.faults)])


class InvalidInput(OnefoldError):
    """What was given is wrong; correct the listed faults and try again."""

    code = "invalid"


class NotFound(InvalidInput):
    """There is no such thing."""

    code = "not_found"


class Conflict(InvalidInput):
    """It exists already, or others need it; look at it again first."""

    code = "conflict"


class Stale(Conflict):
    """It was changed since it was looked at; look at it again first."""

    code = "stale"


class TooLarge(InvalidInput):
    """Over a limit; send less at a time."""

    code = "too_large"


class Unauthorized(OnefoldError):
    """No valid key was given; check the key, or make one with `onefold key add`."""

    code = "unauthorized"


class Forbidden(Unauthorized):
    """This key's role may not do this; use a key with a higher role."""

    code = "forbidden"


class Busy(OnefoldError):
    """Not now; the same request will be accepted after `retry_after` seconds."""

    code = "busy"

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimited(Busy):
    """More than this source may send; send the same again after `retry_after` seconds."""

    code = "rate_limited"


class Rejected(OnefoldError):
    """Refused for good by the other side; kept as a dead letter."""

    code = "rejected"


class Canceled(OnefoldError):
    """Somebody asked to stop it; ask again to do it after all."""

    code = "canceled"


class Unreachable(OnefoldError):
    """Another system does not answer, or refuses us; the same may work later."""

    code = "unreachable"


class Damaged(OnefoldError):
    """Stored bytes fail their checksum or cannot be decoded."""

    code = "damaged"


def no_page() -> InvalidInput:
    """The error for a cursor that no answer gave."""
    fault = Fault("is no cursor", "cursor", "take `next` of the page before")
    return InvalidInput("there is no such page", [fault])
