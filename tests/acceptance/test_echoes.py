"""The loop guard: what Onefold wrote into a system is not taken as that system's own change."""

from __future__ import annotations

from typing import Any

import pytest

from onefold.activate.webhook import secret_text
from onefold.app.definitions.editing import definition_delete
from onefold.app.profiles.claims import profile_claims
from onefold.app.profiles.finding import profile
from onefold.app.secret_values import secret_set
from onefold.app.syncs.appending import append_batch
from onefold.app.workspace import now_us
from onefold.model.errors import Conflict, InvalidInput
from onefold.model.pulled import Batch, Record
from onefold.testing import servers
from onefold.testing.patience import wait_until
from onefold.testing.receiver import OK, Answer, Received, Receiver
from tests.acceptance.conftest import Stepped
from tests.programs import NEAR, jobs

KEY = bytes(range(32))
CRM = """
kind: source
name: crm
type: webhook
settings: {secret: {secret: hook}, signature: standard}
echo: {of: [crm-hook]}
mapping:
  identifiers: {user_id: id}
  traits: {city: town, score: score}
"""
OUT = """
kind: segment
name: known
rule: city is not null
---
kind: destination
name: crm-hook
type: webhook
url: http://127.0.0.1:9/
secret: {secret: hook}
segments: [known]
"""


def said_by(onefold: Stepped, trait: str) -> dict[str, Any]:
    """What each source claims."""
    (found,) = profile_claims(onefold.settings, "user_id:1", trait).traits
    return {one.source: one.value for one in found.claims}


def tell(onefold: Stepped, name: str = "crm", time: int | None = None, **fields: Any) -> None:
    """The system tells of a row, as its source does."""
    record = Record({"id": "1", **fields}, "contacts", "1", "update", time)
    append_batch(onefold.log, name, Batch([record], {}), at=now_us())
    onefold.settle()


def identify(onefold: Stepped, **traits: Any) -> None:
    onefold.take({"type": "identify", "userId": "1", "traits": traits})


def echoes(onefold: Stepped) -> int:
    return onefold.store.counters().get("echoes", 0)


@pytest.fixture
def looped(onefold: Stepped) -> Stepped:
    secret_set(onefold.settings, "hook", secret_text(KEY))
    onefold.define(OUT)
    onefold.define(CRM)
    identify(onefold, city="Köln")
    return onefold


def test_what_was_sent_and_comes_back_is_no_claim(looped):
    tell(looped, town="Köln")
    assert said_by(looped, "city") == {"default": "Köln"}
    assert (echoes(looped), looped.store.counters()["events"]) == (1, 1)


def test_what_a_system_says_besides_is_taken(looped):
    tell(looped, town="Köln", score=7)
    assert said_by(looped, "city") == {"default": "Köln"}
    assert said_by(looped, "score") == {"crm": 7}
    assert echoes(looped) == 0


def test_a_value_changed_there_is_a_change_and_so_is_changing_it_back(looped):
    tell(looped, town="Bonn")
    assert profile(looped.settings, "user_id:1").traits["city"] == "Bonn"
    tell(looped, town="Köln")
    assert profile(looped.settings, "user_id:1").traits["city"] == "Köln"
    assert said_by(looped, "city") == {"default": "Köln", "crm": "Köln"}


def test_what_a_system_said_before_it_was_told_is_its_own(looped):
    tell(looped, time=now_us() - 3_600_000_000, town="Köln")
    assert said_by(looped, "city") == {"default": "Köln", "crm": "Köln"}


def test_a_source_that_speaks_for_no_destination_says_what_it_says(looped):
    looped.define(CRM.replace("name: crm", "name: erp").replace("echo: {of: [crm-hook]}", ""))
    tell(looped, "erp", town="Köln")
    assert said_by(looped, "city") == {"default": "Köln", "erp": "Köln"}


def test_after_the_window_a_value_is_the_systems_own(looped):
    looped.define(CRM.replace("[crm-hook]", "[crm-hook], window: 1ms"))
    tell(looped, town="Köln")
    assert said_by(looped, "city") == {"default": "Köln", "crm": "Köln"}


def test_told_twice_is_left_out_twice(looped):
    tell(looped, town="Köln", time=now_us())
    tell(looped, town="Köln", time=now_us())
    assert said_by(looped, "city") == {"default": "Köln"}
    assert looped.store.counters()["events"] == 1


@pytest.mark.parametrize(
    ("marker", "by", "left_out"),
    [
        ("{field: meta.by, value: onefold}", "onefold", True),
        ("{field: meta.by, value: onefold}", "ann", False),
        ("{field: meta.by}", "msg_" + "0" * 32, True),
        ("{field: meta.by}", "ann", False),
    ],
)
def test_a_record_that_bears_our_mark_is_left_out(onefold, marker, by, left_out):
    onefold.define(CRM.replace("{of: [crm-hook]}", f"{{marker: {marker}}}"))
    tell(onefold, town="Ulm", meta={"by": by})
    assert onefold.store.counters().get("events", 0) == (0 if left_out else 1)
    assert echoes(onefold) == int(left_out)


def test_a_guard_of_a_destination_that_there_is_not_is_refused(onefold):
    with pytest.raises(InvalidInput, match=r"echo\.of: there is no destination 'crm-hook'"):
        onefold.define(CRM)
    with pytest.raises(InvalidInput, match="did you mean 'crm-hook'"):
        onefold.define(f"{CRM.replace('[crm-hook]', '[crm-hok]')}---{OUT}")
    onefold.define(f"{CRM}---{OUT}")
    with pytest.raises(Conflict, match="is needed by source crm"):
        definition_delete(onefold.settings, "destination", "crm-hook", actor="cli")


@pytest.mark.parametrize("echo", ["{}", "{of: crm-hook}", "{of: [a], window: 1y}", "{from: [a]}"])
def test_a_guard_that_cannot_work_is_refused(onefold, echo):
    with pytest.raises(InvalidInput, match="echo"):
        onefold.define(CRM.replace("{of: [crm-hook]}", echo))


@pytest.mark.slow
def test_a_table_that_a_destination_writes_and_a_source_reads_is_no_loop(onefold, postgres):
    """Onefold tells a CRM by webhook; the CRM writes its table; Onefold reads the table's changes."""
    import psycopg

    url = servers.postgres_url(postgres)
    table = psycopg.connect(url, autocommit=True)
    table.execute("create table contacts (id int primary key, town text, writes int default 0)")
    written: list[str] = []

    def write(came: Received) -> Answer:
        told = came.json["data"]["profile"]
        number = next(one["value"] for one in told["identifiers"] if one["kind"] == "user_id")
        town = told["traits"]["city"]
        table.execute(
            "insert into contacts (id, town) values (%s, %s)"
            " on conflict (id) do update set town = excluded.town, writes = contacts.writes + 1",
            (number, town),
        )
        written.append(town)
        return OK

    def until(is_so: Any, what: str) -> None:
        def folded() -> bool:
            onefold.settle()
            return bool(is_so())

        wait_until(folded, what)

    with Receiver(KEY) as receiver, table:
        receiver.answer = write
        secret_set(onefold.settings, "hook", secret_text(KEY))
        onefold.define(f"""
kind: segment
name: in-town
rule: city = 'Köln'
---
kind: destination
name: crm-hook
type: webhook
url: {receiver.url}/hook
secret: {{secret: hook}}
segments: [in-town]
---
kind: source
name: crm
type: postgres-changes
settings: {{url: "{url}", tables: [public.contacts], publication: contacts, slot: contacts}}
echo: {{of: [crm-hook]}}
mapping:
  identifiers: {{user_id: id}}
  traits: {{city: town}}
""")
        identify(onefold, city="Köln")
        with jobs(onefold.settings.data, **NEAR):
            until(lambda: echoes(onefold) == 1, "the CRM's row comes back")
            assert written == ["Köln"]
            assert said_by(onefold, "city") == {"default": "Köln"}
            table.execute("update contacts set town = 'Bonn'")
            until(lambda: said_by(onefold, "city").get("crm") == "Bonn", "a person's change")
            until(lambda: len(written) == 2, "the CRM is told that she left the segment")
            until(lambda: echoes(onefold) == 2, "what it then wrote comes back")
            assert said_by(onefold, "city") == {"default": "Köln", "crm": "Bonn"}
            assert onefold.store.counters()["events"] == 2
