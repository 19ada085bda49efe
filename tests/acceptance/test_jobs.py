"""Long work: progress that is seen, a stop that is heard soon, and a crash that costs nothing."""

from __future__ import annotations

import threading

import pytest

from onefold.app.evaluation.evaluating import Population
from onefold.app.long_work import Work, begin, do, end
from onefold.app.workspace import open_store
from onefold.engine import DuckEngine
from onefold.model.errors import Canceled
from onefold.segment import Wanted, compile_plan
from onefold.testing.patience import wait_until
from tests.acceptance.conftest import Stepped


def test_a_job_that_is_canceled_stops_within_a_second(onefold: Stepped) -> None:
    job = onefold.store.jobs.get(onefold.store.jobs.add("count", "", {}, 1, "ann"))
    canceled_at = threading.Event()

    def cancel() -> None:
        with open_store(onefold.settings, cache_mb=1) as store:
            wait_until(lambda: store.jobs.get(job.id).done, "it has begun to count")
            store.jobs.cancel(job.id, 2, "bob")
        canceled_at.set()

    def count(work: Work) -> None:
        for number in range(1, 1 << 40):
            work.progress(number, 1 << 40, "counting")

    other = threading.Thread(target=cancel)
    other.start()
    do(onefold.store, job, count)
    other.join()
    found = onefold.store.jobs.get(job.id)
    assert canceled_at.is_set()
    assert (found.state, found.step, found.result) == ("canceled", "counting", None)


def test_a_long_query_is_interrupted(onefold: Stepped) -> None:
    job = onefold.store.jobs.get(onefold.store.jobs.add("query", "", {}, 1, "ann"))
    engine = DuckEngine()
    numbers = [f"range(1000000) {name}(i)" for name in "abc"]  # it would take years

    def query(work: Work) -> None:
        onefold.store.jobs.cancel(work.job.id, 2, "bob")
        with work.interrupting(engine.connection.interrupt):
            engine.rows("long", f"select sum(a.i * b.i + c.i) from {', '.join(numbers)}", {})

    do(onefold.store, job, query)
    engine.close()
    assert onefold.store.jobs.get(job.id).state == "canceled"


def test_a_process_that_is_to_end_leaves_its_job_to_the_next(onefold: Stepped) -> None:
    job = onefold.store.jobs.get(onefold.store.jobs.add("count", "", {}, 1, "ann"))
    stop = threading.Event()

    def count(work: Work) -> None:
        work.progress(3, 9)
        stop.set()
        work.check()

    for _ in range(5):
        stop.clear()
        do(onefold.store, job, count, stop)
    found = onefold.store.jobs.get(job.id)
    assert (found.state, found.done) == ("waiting", 3)


def test_work_that_nobody_asked_for_is_taken_up_again(onefold: Stepped) -> None:
    work = begin(onefold.store, "count", "orders")
    work.progress(3, 9)
    work.keep({"after": 3})
    # As after a kill: the row says it runs, and nobody does.
    again = begin(onefold.store, "count", "orders")
    assert (again.job.id, again.job.done, again.position) == (work.job.id, 3, {"after": 3})
    onefold.store.jobs.cancel(again.job.id, 2, "bob")
    with pytest.raises(Canceled):
        again.check()
    end(onefold.store, again, canceled=True)
    assert begin(onefold.store, "count", "orders").job.id != work.job.id


def everybody(onefold: Stepped, count: int) -> tuple[Population, list[int]]:
    """An evaluation of so many profiles, and those that were evaluated."""
    with onefold.store.db.transaction() as connection:
        rows = [(number, 0, b"") for number in range(1, count + 1)]
        connection.executemany("insert or ignore into profiles values (?,?,?)", rows)
    seen: list[int] = []
    data = onefold.settings.data
    population = Population(onefold.store, data, lambda page, _: seen.extend(page), "UTC")
    population.use(compile_plan([Wanted("segment", "all", "true")]), [("segment", "all")])
    return population, seen


def test_the_evaluation_of_everybody_is_a_job_that_goes_on_after_a_kill(onefold: Stepped) -> None:
    population, first = everybody(onefold, 1_000)
    assert population.step(1, hurry=True)
    (job,) = onefold.store.jobs.page(1 << 62, 9)
    again, rest = everybody(onefold, 1_000)
    while again.step(1, hurry=True):
        pass

    ended = onefold.store.jobs.get(job.id)
    assert (job.kind, job.state, job.done) == ("evaluate", "running", 400)
    assert first + rest == list(range(1, 1_001))
    assert (ended.state, again.done) == ("done", True)
    assert len(onefold.store.jobs.page(1 << 62, 9)) == 1


def test_who_came_after_the_definitions_is_evaluated_once(onefold: Stepped) -> None:
    population, seen = everybody(onefold, 500)
    with onefold.store.db.transaction() as connection:
        connection.execute("insert into profiles values (501, 0, '')")
    while population.step(1, hurry=True):
        pass
    assert seen == list(range(1, 501))
    assert population.done


def test_an_evaluation_that_is_canceled_begins_anew_with_the_next_start(onefold: Stepped) -> None:
    population, first = everybody(onefold, 3_000)
    population.step(1, hurry=True)
    (job,) = onefold.store.jobs.page(1 << 62, 9)
    onefold.store.jobs.cancel(job.id, 2, "bob")

    def ended() -> bool:
        population.step(1, hurry=True)
        return not onefold.store.jobs.get(job.id).is_open

    wait_until(ended, "the evaluation heeds it", pause=0.1)
    again, rest = everybody(onefold, 3_000)
    while again.step(1):
        pass

    assert onefold.store.jobs.get(job.id).state == "canceled"
    assert (population.done, again.done) == (False, True)
    assert (len(first) < 3_000, rest) == (True, list(range(1, 3_001)))
