"""Segments from a file of identifiers, and tags from a file of values."""

from __future__ import annotations

import pytest

from onefold.app.job_runner import HANDLERS
from onefold.app.long_work import do
from onefold.app.profiles.finding import profile
from onefold.app.profiles.uploads import received, segment_upload, tag_import
from onefold.app.questions.audiences import OverlapQuestion, WhyQuestion
from onefold.app.questions.overlap import overlap
from onefold.app.questions.segments import member_counts
from onefold.app.questions.why import why
from onefold.model.errors import InvalidInput, NotFound
from tests.acceptance.conftest import Stepped

LIST = "kind: segment\nname: guests\nlist: email\n---\nkind: segment\nname: local_guests\n"
LIST += "rule: in_segment('guests') and city = 'Bonn'\n"
CARE = "kind: tag\nname: care\nvalues: [gold, silver]\n"


def person(name: str, city: str = "Bonn") -> dict[str, object]:
    traits = {"email": f"{name}@example.com", "city": city}
    return {"type": "identify", "userId": name, "traits": traits}


def upload(onefold: Stepped, *lines: str) -> None:
    spool = received(onefold.settings, ["\n".join(lines).encode()])
    segment_upload(onefold.settings, "guests", spool)
    work(onefold)


def work(onefold: Stepped) -> None:
    """Do the jobs that wait, and fold what they made."""
    for job in onefold.store.jobs.open(HANDLERS):
        do(onefold.store, job, lambda work: HANDLERS[work.job.kind](onefold.settings, work))
        assert onefold.store.jobs.get(job.id).state == "done"
    onefold.settle()
    onefold.worker.answer()
    onefold.settle()


def segments(onefold: Stepped, user: str) -> list[str]:
    return [one.name for one in profile(onefold.settings, f"user_id:{user}").segments]


def test_who_stands_in_the_list_is_a_member(onefold: Stepped) -> None:
    onefold.define(LIST)
    onefold.take(person("ann"), person("bo", "Rome"), person("cy"))
    upload(onefold, "email,name", "Ann@Example.com,Ann", "bo@example.com,Bo", "no address,-", "")
    assert segments(onefold, "ann") == ["guests", "local_guests"]
    assert segments(onefold, "bo") == ["guests"]
    assert segments(onefold, "cy") == []
    (row,) = onefold.store.given.lists()
    assert (row.version, row.rows, row.refused, row.state) == (1, 2, 1, "live")


def test_the_next_version_replaces_it(onefold: Stepped) -> None:
    onefold.define(LIST)
    onefold.take(person("ann"), person("bo"))
    upload(onefold, "ann@example.com", "bo@example.com")
    since = profile(onefold.settings, "user_id:bo").segments[0].since
    upload(onefold, "bo@example.com")
    assert segments(onefold, "ann") == []
    # Who stands in both was never out.
    assert profile(onefold.settings, "user_id:bo").segments[0].since == since
    assert [one.state for one in onefold.store.given.lists()] == ["replaced", "live"]


def test_who_is_unknown_is_a_member_once_they_appear(onefold: Stepped) -> None:
    onefold.define(LIST)
    onefold.settle()
    upload(onefold, "ann@example.com")
    assert member_counts(onefold.store) == {}
    onefold.take(person("ann"))
    assert segments(onefold, "ann") == ["guests", "local_guests"]


def test_a_tag_is_imported(onefold: Stepped) -> None:
    onefold.define(CARE)
    onefold.take(person("ann"), person("bo"))
    spool = received(
        onefold.settings, [b"email,level\nann@example.com,gold\n", b"bo@example.com,tin\n"]
    )
    job = tag_import(onefold.settings, "care", spool, "email").job
    work(onefold)
    assert onefold.store.jobs.get(job).result == {"rows": 1, "refused": 1}
    assert profile(onefold.settings, "user_id:ann").tags == {"care": "gold"}
    assert profile(onefold.settings, "user_id:bo").tags == {}


@pytest.mark.parametrize(
    ("kind", "hints"),
    [
        ("klingon", ["declare it with `kind: identifier` if sources will send it"]),
        ("e_maill", ["did you mean email?"]),
        ("Mobile", []),  # is what a source may call a phone
        ("crmId", []),  # somebody was seen with one of these
    ],
)
def test_a_kind_that_nobody_was_seen_with_is_taken_with_a_warning(
    onefold: Stepped, kind: str, hints: list[str]
) -> None:
    onefold.define(CARE)
    onefold.take(
        {
            "type": "identify",
            "userId": "a",
            "context": {"externalIds": {"type": "crm_id", "id": "7"}},
        }
    )
    spool = received(onefold.settings, [f"{kind},level\n+8613800138000,gold\n7,gold\n".encode()])
    found = tag_import(onefold.settings, "care", spool, kind)
    assert [one.hint for one in found.warnings] == hints
    work(onefold)
    given = {"care": "gold"} if kind == "crmId" else {}
    assert profile(onefold.settings, "user_id:a").tags == given


def test_what_is_no_name_is_no_kind(onefold: Stepped) -> None:
    onefold.define(CARE)
    spool = received(onefold.settings, ["客户,level\n9,gold\n".encode()])
    with pytest.raises(InvalidInput, match="'客户' is no kind of identifier"):
        tag_import(onefold.settings, "care", spool, "客户")
    assert onefold.store.jobs.open(HANDLERS) == []


def test_a_file_that_names_nobody_changes_nothing(onefold: Stepped) -> None:
    onefold.define(LIST)
    onefold.take(person("ann"))
    upload(onefold, "ann@example.com")
    spool = received(onefold.settings, [b"name;mail\nAnn;ann@example.com\n"])
    number = segment_upload(onefold.settings, "guests", spool).job
    (job,) = onefold.store.jobs.open(HANDLERS)
    do(onefold.store, job, lambda work: HANDLERS[work.job.kind](onefold.settings, work))
    failed = onefold.store.jobs.get(number)
    assert failed.state == "failed"
    assert "none of 2 rows has an identifier of the kind 'email' in column 1" in failed.reason
    assert segments(onefold, "ann") == ["guests", "local_guests"]
    assert list((onefold.settings.data / "uploads").iterdir()) == []
    spool = received(onefold.settings, [b"name;mail\nAnn;ann@example.com\n"])
    segment_upload(onefold.settings, "guests", spool, column="mail")
    work(onefold)
    assert segments(onefold, "ann") == ["guests", "local_guests"]


def test_only_list_segments_take_a_list(onefold: Stepped) -> None:
    onefold.define("kind: segment\nname: ruled\nrule: city = 'Bonn'\n")
    for name, error in (("ruled", InvalidInput), ("other", NotFound)):
        with pytest.raises(error):
            segment_upload(onefold.settings, name, received(onefold.settings, [b"x"]))
    assert list((onefold.settings.data / "uploads").iterdir()) == []


def test_a_list_can_be_asked_of_everybody(onefold: Stepped) -> None:
    onefold.define(LIST)
    onefold.take(person("ann"), person("bo", "Rome"), person("cy"))
    upload(onefold, "ann@example.com", "bo@example.com")
    rules = {"guests": "segment:guests", "local": "segment:local_guests", "bonn": "city = 'Bonn'"}
    found = overlap(onefold.settings, OverlapQuestion(rules))
    assert found.sizes == {"guests": 2, "local": 1, "bonn": 2}
    explained = why(onefold.settings, WhyQuestion("segment:guests", "user_id:ann"))
    assert explained.holds
    assert explained.member
    upload(onefold, "cy@example.com")
    assert overlap(onefold.settings, OverlapQuestion(rules)).sizes["guests"] == 1
