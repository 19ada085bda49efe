"""What an answer means: delivered, again later, or never.

| answer | the delivery | the destination |
|---|---|---|
| 2xx | delivered | well |
| 410 | dead | has asked for no more: switched off |
| 429 or 5xx with Retry-After | again, not before that time | nothing is sent to it before that time |
| 408, 425, 429, 5xx, none in time, no connection | again, until too old or too often | failing |
| anything else (3xx, other 4xx) | again twice, in case it is being set up; then dead | failing |

Redirects are not followed, so the definition must name the final address.
"""

from __future__ import annotations

import msgspec

from onefold.activate.http import Response
from onefold.model.delivery import Delivery, Outcome
from onefold.model.errors import Busy
from onefold.model.retry_after import asked_until

SECOND = 1_000_000
HOUR = 3600 * SECOND
FIRST_WAIT = 2 * SECOND
LONGEST_WAIT = 2 * HOUR
LONGEST_RETRY_AFTER = 24 * HOUR
AGAIN = frozenset({408, 425, 429})
GONE = 410


class Policy(msgspec.Struct, frozen=True):
    """When to give a delivery up: after so many attempts, or at this age.

    `refusals` is how many attempts there are where the answer says that the request is wrong.
    """

    max_attempts: int = 50
    max_age: int = 72 * HOUR
    refusals: int = 3


class Verdict(msgspec.Struct, frozen=True):
    """What an attempt led to, and what it says about the destination.

    `answer` is short and free of personal data, fit for a log. Before `not_before` the destination
    wants nothing at all, and after `gone` nothing ever again.
    """

    outcome: Outcome
    answer: str
    healthy: bool
    not_before: int = 0
    gone: bool = False


def judge(
    delivery: Delivery, answer: Response | Busy, policy: Policy, now: int, jitter: float
) -> Verdict:
    """Decide what an attempt led to; `jitter` is a random number from 0 up to 1."""
    attempts = delivery.attempts + 1
    if isinstance(answer, Busy):
        retry_at = now + wait(attempts, jitter)
        return Verdict(_again(delivery, answer.message, policy, now, retry_at), "none", False)
    said = f"HTTP {answer.status}"
    if 200 <= answer.status < 300:
        return Verdict(Outcome(delivery.id, "delivered", now, attempts), said, True)
    reason = _reason(said, answer)
    if answer.status == GONE:
        return Verdict(Outcome(delivery.id, "dead", now, attempts, reason), said, False, gone=True)
    if answer.status in AGAIN or answer.status >= 500:
        asked = asked_until(answer.headers.get("retry-after", ""), now, LONGEST_RETRY_AFTER)
        retry_at = asked or now + wait(attempts, jitter)
        outcome = _again(delivery, reason, policy, now, retry_at)
        return Verdict(outcome, said, False, asked)
    if attempts >= policy.refusals:
        return Verdict(Outcome(delivery.id, "dead", now, attempts, reason), said, False)
    retry_at = now + wait(attempts, jitter)
    return Verdict(_again(delivery, reason, policy, now, retry_at), said, False)


def wait(attempts: int, jitter: float) -> int:
    """How long to wait after so many failed attempts: tripled each time, up to two hours.

    >>> [wait(n, 1.0) // 1_000_000 for n in (1, 2, 3, 4, 9)]
    [2, 6, 18, 54, 7200]
    >>> wait(1, 0.0) // 1_000_000
    1
    """
    longest = min(FIRST_WAIT * 3 ** min(attempts - 1, 12), LONGEST_WAIT)
    return int(longest * (0.5 + jitter / 2))


def _again(delivery: Delivery, reason: str, policy: Policy, now: int, retry_at: int) -> Outcome:
    attempts = delivery.attempts + 1
    if attempts >= policy.max_attempts:
        return Outcome(delivery.id, "dead", now, attempts, f"after {attempts} attempts: {reason}")
    if now - delivery.created_at >= policy.max_age:
        hours = (now - delivery.created_at) // HOUR
        return Outcome(delivery.id, "dead", now, attempts, f"after {hours} hours: {reason}")
    return Outcome(delivery.id, "retry", retry_at, attempts, reason)


def _reason(said: str, answer: Response) -> str:
    """The answer as a person who looks into a dead letter wants to see it."""
    if 300 <= answer.status < 400:
        return f"{said} to {answer.headers.get('location', '?')[:200]}"
    text = " ".join(answer.body[:300].decode("utf-8", "replace").split())
    return f"{said}: {text}" if text else said
