"""Rules for golden records change while events go on: what they need of the past is read beside."""

from __future__ import annotations

from random import Random

import pytest

from onefold.app.folding.claims_past import claims_for_job
from onefold.app.folding.rebuild import check_rebuild
from onefold.app.folding.redeciding import Redeciding
from onefold.app.long_work import do
from onefold.app.profiles.claims import profile_in_full
from onefold.app.profiles.finding import profile
from onefold.app.questions.audiences import BacktestQuestion
from onefold.app.questions.backtest import backtest
from onefold.app.worker.loop import Worker
from tests.acceptance.conftest import Stepped
from tests.acceptance.test_golden_record import CRM, said, take

OFTEN = "kind: trait\nname: city\ntype: text\nsurvivorship: most_frequent\n"
WAYS = ("latest", "most_frequent", "longest", "minimum", "union", "most_complete", "strictest")


class Beside(Stepped):
    """Reads the past by jobs, however little there is, and only when told to."""

    def renew(self) -> None:
        """As after a crash: whatever was only in memory is gone."""
        self.worker.close()
        self.worker = Worker(self.settings, self.store, self.lake, self.log, at_once_events=-1)
        self.worker.step()

    def do_jobs(self) -> None:
        for job in self.store.jobs.open(["claims"]):
            do(self.store, job, lambda work: claims_for_job(self.settings, work))
        self.worker._claims._next_look = 0.0


@pytest.fixture
def beside(onefold: Stepped) -> Beside:
    onefold.__class__ = Beside
    assert isinstance(onefold, Beside)
    onefold.renew()
    return onefold


def city(onefold: Stepped) -> object:
    return profile(onefold.settings, "user_id:ann").traits.get("city")


def test_the_rules_before_decide_until_the_past_is_read(beside: Beside) -> None:
    take(beside, *(said("app", f"0{n}:00:00", city="Bonn") for n in range(3)))
    beside.define(OFTEN)
    take(beside, said("app", "10:00:00", city="Ulm"))
    assert city(beside) == "Ulm"
    take(beside, said("app", "11:00:00", city="Ulm"))
    assert profile_in_full(beside.settings, "user_id:ann").traits["city"].why == "latest"
    beside.do_jobs()
    beside.settle()
    assert city(beside) == "Bonn"
    assert check_rebuild(beside.settings).differences == ()
    beside.worker.step()
    assert list((beside.settings.data / "backfill").iterdir()) == []


def test_a_crash_at_any_point_changes_nothing(beside: Beside) -> None:
    take(beside, *(said("app", f"0{n}:00:00", city="Bonn") for n in range(3)))
    beside.define(OFTEN)
    beside.worker.step()
    beside.renew()
    take(beside, said("app", "10:00:00", city="Ulm"))
    beside.do_jobs()
    beside.renew()
    beside.worker.step()
    beside.renew()
    beside.settle()
    assert city(beside) == "Bonn"
    assert check_rebuild(beside.settings).differences == ()


def test_a_canceled_reading_leaves_the_rules_before_in_force(beside: Beside) -> None:
    take(beside, *(said("app", f"0{n}:00:00", city="Bonn") for n in range(3)))
    take(beside, said("app", "10:00:00", city="Ulm"))
    beside.define(OFTEN)
    beside.worker.step()
    (job,) = beside.store.jobs.open(["claims"])
    beside.store.jobs.cancel(job.id, 1, "test")
    beside.worker._claims._next_look = 0.0
    beside.settle()
    assert city(beside) == "Ulm"
    beside.renew()
    beside.worker.step()
    beside.do_jobs()
    beside.settle()
    assert city(beside) == "Bonn"


@pytest.mark.parametrize("seed", range(5))
def test_whatever_rules_follow_each_other_a_rebuild_gives_the_same(
    beside: Beside, seed: int
) -> None:
    chance = Random(seed)
    clock = 0
    for _ in range(6):
        told = []
        for _ in range(chance.randint(1, 6)):
            clock += 1
            at = f"{chance.randint(0, 23):02d}:{clock // 60:02d}:{clock % 60:02d}"
            place = chance.choice([None, "Bonn", "Ulm", "Rome", "Frankfurt"])
            told.append(
                said(chance.choice(["crm", "app"]), at, city=place, zip=chance.choice("12"))
            )
        take(beside, *told)
        way = chance.choice(WAYS)
        text = f"kind: golden\nname: rest\nsurvivorship: {chance.choice(WAYS)}\n---\n"
        if chance.random() < 0.5:
            text += f"kind: trait\nname: city\ntype: text\nallowed: [Bonn, Ulm, Rome]\nsurvivorship: {way}\n"
        else:
            text += f"kind: trait\nname: city\ntype: text\nsurvivorship: {way}\n"
        beside.define(text)
        beside.worker.step()
        if chance.random() < 0.7:
            beside.do_jobs()
        beside.settle()
    beside.do_jobs()
    beside.settle()
    assert check_rebuild(beside.settings).differences == ()


def test_it_goes_on_where_it_was_cut_off(onefold: Stepped) -> None:
    onefold.take(*({"type": "identify", "userId": f"u{n}"} for n in range(401)))
    seen: list[int] = []
    for stop in (1, 9):
        deciding = Redeciding(onefold.store, lambda page, _: seen.extend(page))
        deciding.use(b"rules")
        for _ in range(stop):
            deciding.step(0, hurry=True)
    assert len(seen) == 401
    assert deciding.done
    (job,) = onefold.store.jobs.page(1 << 62, 10, only_open=False)
    assert (job.kind, job.state, job.done) == ("decide", "done", 401)


def test_a_backtest_says_that_it_takes_the_last_claim(onefold: Stepped) -> None:
    onefold.define(OFTEN)
    take(onefold, CRM)
    question = BacktestQuestion("city = 'Bonn'", 1_770_000_000_000_000, 1_770_000_000_000_000)
    (note,) = backtest(onefold.settings, question).notes
    assert "last claim" in note.message
