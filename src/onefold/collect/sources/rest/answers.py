"""What an API's answer means, and what is told of one that failed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec

from onefold.collect.fetching import Answer, host_of
from onefold.collect.sources.rest.settings import Failure
from onefold.collect.sources.rest.values import at
from onefold.model.errors import Unreachable

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_SHOWN = 300
UNAUTHORIZED = 401


class Refused(Unreachable):
    """The API says that this call will never work: wrong, not allowed, or gone."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def decoded(answer: Answer) -> Any:
    """What an answer says; UNSET where that is no JSON."""
    try:
        return msgspec.json.decode(answer.body) if answer.body else None
    except (msgspec.DecodeError, RecursionError):
        return msgspec.UNSET


def judged(failure: Failure | None, answer: Answer, said: Any) -> str:
    """`fine`, `again`, `token` (with a new one), or `never`."""
    code = _code(failure, said)
    if answer.status in _AGAIN or (failure and code in failure.again):
        return "again"
    if answer.status == UNAUTHORIZED or (failure and code in failure.token):
        return "token"
    if answer.status >= 300 or said is msgspec.UNSET:
        return "never"
    return "fine" if failure is None or code is None or code in failure.fine else "never"


def told(failure: Failure | None, answer: Answer, said: Any) -> str:
    """What the API says of its refusal, without the URL: its query may hold a key."""
    text = str(at(said, failure.message) or "") if failure and failure.message else ""
    text = text or " ".join(answer.body[:_SHOWN].decode("utf-8", "replace").split())
    where = f"{host_of(answer.url)}{urlsplit(answer.url).path}"
    said_what = "with what is no JSON" if said is msgspec.UNSET and answer.status < 300 else ""
    return f"{where} answers {answer.status} {said_what}: {text}".replace(" :", ":")


def _code(failure: Failure | None, said: Any) -> Any:
    """The code by which an answer says how it went; None where it says none."""
    if failure is None:
        return None
    places = (failure.at,) if isinstance(failure.at, str) else failure.at
    return next((code for place in places if (code := at(said, place)) is not None), None)
