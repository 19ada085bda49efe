"""Finding the people in records and files that are handed in over the API."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from onefold.app.long_work import do
from onefold.app.matching.clustering_services import (
    cluster_records,
    dedupe_file,
    dedupe_for_job,
    dedupe_upload,
)
from onefold.app.people.answers import Records
from onefold.app.profiles.uploads import Spool, drop_made
from onefold.app.workspace import now_us
from onefold.model.errors import InvalidInput, NotFound
from tests.acceptance.conftest import Stepped

PEOPLE = [
    ("Annabelle", "Fitzwilliam", "1987-03-14", "annabelle.fitzwilliam@example.com"),
    ("Anabelle", "Fitzwilliam", "1987-03-14", "annabelle.fitzwilliam@example.com"),
    ("Bertram", "Oglethorpe", "1961-11-30", "bertram@oglethorpe.example"),
    ("Celestine", "Vandermeer", "1999-07-02", "cvm@example.org"),
]
HEADERS = ("first_name", "last_name", "birth_date", "email")


def test_records_are_clustered(onefold: Stepped) -> None:
    given = Records([dict(zip(HEADERS, one, strict=True)) for one in PEOPLE])
    found = cluster_records(onefold.settings, given)
    assert len(found.profiles) == 4
    assert found.profiles[0] == found.profiles[1]
    assert len(set(found.profiles)) == 3
    assert sorted(one["row_count"] for one in found.golden) == [1, 1, 2]
    assert found.columns["email"] == "email"
    with pytest.raises(InvalidInput):
        cluster_records(onefold.settings, Records([{}]))
    with pytest.raises(NotFound):
        cluster_records(onefold.settings, given, "no-such-model")


def uploaded(onefold: Stepped, text: str) -> Spool:
    spool = Spool(onefold.settings)
    spool.write(text.encode())
    return spool


def test_a_file_is_clustered_by_a_job(onefold: Stepped, tmp_path: Path) -> None:
    text = "\n".join([",".join(HEADERS), *map(",".join, PEOPLE)])
    job = dedupe_upload(onefold.settings, uploaded(onefold, text), {}, actor="ann")
    with pytest.raises(NotFound):
        dedupe_file(onefold.settings, job.id, "clusters")
    do(onefold.store, job, lambda work: dedupe_for_job(onefold.settings, work))
    done = onefold.store.jobs.get(job.id)
    assert (done.state, done.result["rows"], done.result["profiles"]) == ("done", 4, 3)
    with dedupe_file(onefold.settings, job.id, "clusters").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["first_name"] for row in rows] == [one[0] for one in PEOPLE]
    golden = dedupe_file(onefold.settings, job.id, "golden")
    assert len(golden.read_text().splitlines()) == 4
    left = {path.name.split("-")[0] for path in (onefold.settings.data / "uploads").iterdir()}
    assert left == {"made"}  # the file itself is not kept
    os.utime(golden, (0, 0))
    drop_made(onefold.settings, now_us())
    with pytest.raises(NotFound):
        dedupe_file(onefold.settings, job.id, "golden")


def test_a_file_goes_by_the_name_that_its_owner_gives_it(onefold: Stepped) -> None:
    text = "\n".join([",".join(HEADERS), *map(",".join, PEOPLE)])
    told = {"customers:email": "identifier:mail"}
    job = dedupe_upload(onefold.settings, uploaded(onefold, text), told, name="customers.csv")
    do(onefold.store, job, lambda work: dedupe_for_job(onefold.settings, work))
    done = onefold.store.jobs.get(job.id)
    assert (done.state, done.subject) == ("done", "customers.csv")
    assert list(done.result["columns"]) == ["customers.csv"]
    assert done.result["columns"]["customers.csv"]["email"] == "identifier:mail"


def test_the_faults_of_a_file_name_it_as_its_owner_does(onefold: Stepped) -> None:
    job = dedupe_upload(onefold.settings, uploaded(onefold, "a,a\n1,2\n"), {}, name="crm")
    do(onefold.store, job, lambda work: dedupe_for_job(onefold.settings, work))
    done = onefold.store.jobs.get(job.id)
    assert done.state == "failed"
    assert "crm.csv: a" in done.reason


@pytest.mark.parametrize("name", ["", "..", "../x.csv", "a\\b.csv", "a\0.csv", "名" * 80])
def test_what_is_no_name_of_a_file_is_refused(onefold: Stepped, name: str) -> None:
    with pytest.raises(InvalidInput) as found:
        dedupe_upload(onefold.settings, uploaded(onefold, "name\nAnn\n"), {}, name=name)
    assert found.value.faults[0].where == "name"
    assert list((onefold.settings.data / "uploads").iterdir()) == []


def test_a_file_that_is_none_fails_and_is_forgotten(onefold: Stepped) -> None:
    job = dedupe_upload(onefold.settings, uploaded(onefold, ""), {})
    do(onefold.store, job, lambda work: dedupe_for_job(onefold.settings, work))
    assert onefold.store.jobs.get(job.id).state == "failed"
    assert list((onefold.settings.data / "uploads").iterdir()) == []
