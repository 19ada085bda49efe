"""The process that does long work which only reads: it starts when there is any, and then ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

import msgspec

from onefold.app.evaluation.choosing import choose_for_job
from onefold.app.evaluation.past import count_for_job
from onefold.app.evaluation.refreshing import refresh_tag
from onefold.app.folding.claims_past import claims_for_job
from onefold.app.folding.rebuild import check_rebuild
from onefold.app.identity.trial import try_for_job
from onefold.app.job_kinds import DEDUPE, TRIAL
from onefold.app.locks import hold
from onefold.app.long_work import Work, do
from onefold.app.matching.clustering_services import dedupe_for_job
from onefold.app.profiles.quality import quality_for_job
from onefold.app.profiles.uploads import load
from onefold.app.questions.audiences import BacktestQuestion
from onefold.app.questions.backtest import backtest
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings

Handler = Callable[[Settings, Work], Any]
_IDLE_SECONDS = 5.0
_NICE = 10
_BACKTEST_SECONDS = 86_400.0
_LOOK_SECONDS = 0.2


def _check_rebuild(settings: Settings, work: Work) -> Any:
    os.nice(_NICE)
    return check_rebuild(settings, work.progress)


def _backfill(settings: Settings, work: Work) -> Any:
    os.nice(
        _NICE
    )  # events that come in go first, and whatever this process does afterwards can wait
    return count_for_job(settings, work)


def _choose(settings: Settings, work: Work) -> Any:
    os.nice(_NICE)
    return choose_for_job(settings, work)


def _refresh(settings: Settings, work: Work) -> Any:
    return refresh_tag(settings, work.job.subject, work.progress)


def _backtest(settings: Settings, work: Work) -> Any:
    question = msgspec.convert(work.job.argument, BacktestQuestion)
    with ExitStack() as inside:
        return backtest(
            settings,
            question,
            tell=work.progress,
            seconds=_BACKTEST_SECONDS,
            opened=lambda people: inside.enter_context(work.interrupting(people.stop)),
        )


def _claims(settings: Settings, work: Work) -> Any:
    os.nice(_NICE)
    return claims_for_job(settings, work)


def _try_identity(settings: Settings, work: Work) -> Any:
    os.nice(_NICE)
    return try_for_job(settings, work)


def _dedupe(settings: Settings, work: Work) -> Any:
    os.nice(_NICE)
    return dedupe_for_job(settings, work)


HANDLERS: Mapping[str, Handler] = {
    "backfill": _backfill,
    "claims": _claims,
    "choose": _choose,
    "rebuild-check": _check_rebuild,
    "refresh": _refresh,
    "backtest": _backtest,
    "quality": quality_for_job,
    "list": load,
    "import": load,
    TRIAL: _try_identity,
    DEDUPE: _dedupe,
}
"""What is done for each kind of job, given settings and the job; what it returns is the result."""


def run_waiting(settings: Settings, stop: threading.Event) -> None:
    """Do what waits, one job after the other, until nothing has waited for a few seconds."""
    with hold(settings.data / "work.lock", stop) as held:
        if not held:
            return
        with open_store(settings, cache_mb=8) as store:
            store.jobs.recover(HANDLERS, now_us())
            idle = 0.0
            while idle < _IDLE_SECONDS and not stop.is_set():
                waiting = [one for one in store.jobs.open(HANDLERS) if one.state == "waiting"]
                for job in waiting[:1]:
                    do(store, job, partial(HANDLERS[job.kind], settings), stop)
                idle = 0.0 if waiting else idle + _LOOK_SECONDS
                if not waiting:
                    stop.wait(_LOOK_SECONDS)
