import pytest

from onefold.activate.http import Response
from onefold.activate.retry import HOUR, SECOND, Policy, Verdict, judge, wait
from onefold.model.delivery import Delivery, Outcome
from onefold.model.errors import Busy

NOW = 1_700_000_000 * SECOND
POLICY = Policy()


def judged(
    answer: Response | Busy, attempts: int = 0, age: int = 0, jitter: float = 1.0
) -> Verdict:
    delivery = Delivery(1, "crm", 1, "msg_1", b"{}", created_at=NOW - age, attempts=attempts)
    return judge(delivery, answer, POLICY, NOW, jitter)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_delivered(status: int) -> None:
    verdict = judged(Response(status), attempts=2)
    assert verdict == Verdict(Outcome(1, "delivered", NOW, 3), f"HTTP {status}", healthy=True)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_tried_again_later(status: int) -> None:
    verdict = judged(Response(status, body=b"come\n back"), attempts=1)
    reason = f"HTTP {status}: come back"
    assert verdict.outcome == Outcome(1, "retry", NOW + 6 * SECOND, 2, reason)
    assert not verdict.healthy
    assert not verdict.gone


def test_no_answer_is_tried_again_later() -> None:
    verdict = judged(Busy("no answer within 15 s"))
    assert verdict.outcome == Outcome(1, "retry", NOW + 2 * SECOND, 1, "no answer within 15 s")


def test_gone_kills_the_delivery_and_switches_the_destination_off() -> None:
    verdict = judged(Response(410))
    assert (verdict.outcome.result, verdict.gone) == ("dead", True)


@pytest.mark.parametrize("status", [100, 301, 307, 400, 401, 403, 404, 413, 422])
def test_a_refusal_is_tried_twice_more_then_dead(status: int) -> None:
    results = [judged(Response(status), attempts=n).outcome.result for n in range(3)]
    assert results == ["retry", "retry", "dead"]


def test_a_redirect_is_named_in_the_reason() -> None:
    verdict = judged(Response(301, {"location": "https://new.example/hook"}))
    assert verdict.outcome.reason == "HTTP 301 to https://new.example/hook"


def test_too_many_attempts_are_the_end() -> None:
    verdict = judged(Response(500, body=b"oops"), attempts=POLICY.max_attempts - 1)
    assert verdict.outcome == Outcome(1, "dead", NOW, 50, "after 50 attempts: HTTP 500: oops")


def test_too_old_is_the_end_only_when_it_fails_again() -> None:
    old = POLICY.max_age
    assert judged(Response(500), age=old).outcome.reason == "after 72 hours: HTTP 500"
    assert judged(Busy("refused"), age=old).outcome.result == "dead"
    assert judged(Response(200), age=old).outcome.result == "delivered"


def test_retry_after_is_honored_over_the_back_off() -> None:
    verdict = judged(Response(429, {"retry-after": "1"}), attempts=9)
    assert verdict.outcome.at == verdict.not_before == NOW + SECOND
    later = judged(Response(503, {"retry-after": "3600"}))
    assert later.outcome.at == later.not_before == NOW + HOUR


def test_a_wait_of_more_than_a_day_is_a_slip() -> None:
    verdict = judged(Response(429, {"retry-after": "9" * 30}))
    assert verdict.not_before == NOW + 24 * HOUR


def test_back_off_triples_up_to_two_hours_with_half_of_it_left_to_chance() -> None:
    longest = [wait(n, 1.0) for n in range(1, 60)]
    assert longest[:4] == [2 * SECOND, 6 * SECOND, 18 * SECOND, 54 * SECOND]
    assert max(longest) == longest[-1] == 2 * HOUR
    assert [wait(n, 0.0) * 2 for n in range(1, 60)] == longest
