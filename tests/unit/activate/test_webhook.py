import base64
import json
import time
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from onefold.activate.types import destination_from
from onefold.activate.webhook import (
    WebhookSettings,
    membership_payload,
    message_id,
    request,
    secret_text,
)
from onefold.activate.webhook_settings import settings_from, text_faults
from onefold.model.definitions import DestinationDefinition
from onefold.model.delivery import Delivery
from onefold.model.errors import InvalidInput
from onefold.model.profile import profile_name
from onefold.model.records import Identifier

KEY, OLD_KEY = bytes(range(32)), b"old key " * 4
SECRET = secret_text(KEY)
NOW = 1_700_000_000_999_999


def delivery(payload: bytes = b'{"a":1}') -> Delivery:
    return Delivery(1, "crm", 1, "msg_abc", payload, created_at=NOW)


def test_a_request_is_the_payload_with_signed_headers() -> None:
    settings = WebhookSettings(
        "https://example.com/hook?a=b", (KEY,), {"Authorization": "Bearer t"}
    )
    made = request(settings, delivery(), NOW)
    assert (made.method, made.url, made.body) == ("POST", settings.url, b'{"a":1}')
    assert made.headers.pop("webhook-signature").startswith("v1,")
    assert made.headers.pop("user-agent").startswith("Onefold/")
    assert made.headers == {
        "Authorization": "Bearer t",
        "content-type": "application/json",
        "webhook-id": "msg_abc",
        "webhook-timestamp": "1700000000",
    }


@pytest.mark.parametrize("payload", [b"{}", '{"name":"张伟 👋"}'.encode(), b'{"dot":"a.b.c"}'])
def test_the_published_verifier_accepts_it(payload: bytes) -> None:
    made = request(WebhookSettings("https://x.example", (KEY,)), delivery(payload), now_micros())
    assert Webhook(SECRET).verify(made.body, made.headers) == json.loads(payload)


def test_the_published_verifier_refuses_a_changed_body_and_another_secret() -> None:
    made = request(WebhookSettings("https://x.example", (KEY,)), delivery(), now_micros())
    for secret, body in ((SECRET, b'{"a":2}'), (secret_text(OLD_KEY), made.body)):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, made.headers)


def test_while_a_secret_changes_both_are_accepted() -> None:
    made = request(WebhookSettings("https://x.example", (KEY, OLD_KEY)), delivery(), now_micros())
    for key in (KEY, OLD_KEY):
        assert Webhook(secret_text(key)).verify(made.body, made.headers) == {"a": 1}


def test_a_retry_keeps_its_id_and_is_signed_afresh() -> None:
    settings = WebhookSettings("https://x.example", (KEY,))
    first, again = (request(settings, delivery(), NOW + later) for later in (0, 60_000_000))
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert first.headers["webhook-signature"] != again.headers["webhook-signature"]


def test_a_membership_is_told_with_the_profile() -> None:
    payload = membership_payload(
        segment="loyal",
        entered=True,
        at=NOW,
        since=NOW,
        profile=42,
        identifiers=[Identifier("email", "a@example.com")],
        traits={"country": "CN", "name": "张伟"},
    )
    assert json.loads(payload) == {
        "type": "segment.entered",
        "timestamp": "2023-11-14T22:13:20.999Z",
        "data": {
            "segment": "loyal",
            "since": "2023-11-14T22:13:20.999Z",
            "profile": {
                "id": profile_name(42),
                "identifiers": [{"kind": "email", "value": "a@example.com"}],
                "traits": {"country": "CN", "name": "张伟"},
            },
        },
    }


def test_leaving_is_told_with_the_time_of_entry() -> None:
    payload = membership_payload(
        segment="loyal", entered=False, at=NOW, since=0, profile=1, identifiers=[], traits={}
    )
    told = json.loads(payload)
    assert told["type"] == "segment.exited"
    assert told["data"]["since"] == "1970-01-01T00:00:00.000Z"


def test_a_message_id_names_one_change() -> None:
    change = ("crm", 7, "loyal", True, NOW)
    assert message_id(*change) == message_id(*change)
    others = [("x", 7, "loyal", True, NOW), ("crm", 8, "loyal", True, NOW)]
    others += [("crm", 7, "a", True, NOW), ("crm", 7, "loyal", False, NOW)]
    ids = {message_id(*other) for other in [change, *others]}
    assert len(ids) == 5


def test_settings_with_defaults() -> None:
    settings = settings_from({"url": "https://example.com/hook", "secret": SECRET})
    assert settings == WebhookSettings("https://example.com/hook", (KEY,))


def test_all_settings() -> None:
    given = {
        "url": "http://10.0.0.1:8080/a?b=c",
        "secret": [SECRET, secret_text(OLD_KEY)],
        "headers": {"X-Team": "growth"},
        "timeout": 2.5,
        "concurrency": 2,
        "max_attempts": 4,
        "max_age_hours": 1,
    }
    settings = settings_from(given)
    assert settings.secrets == (KEY, OLD_KEY)
    assert (settings.headers, settings.timeout, settings.concurrency) == (
        {"X-Team": "growth"},
        2.5,
        2,
    )
    assert (settings.policy.max_attempts, settings.policy.max_age) == (4, 3_600_000_000)


def test_in_a_definition_secrets_are_only_named() -> None:
    given = {
        "url": "https://example.com",
        "secret": [{"secret": "new"}, {"secret": "old"}],
        "headers": {"Authorization": {"secret": "token"}, "X-Team": "growth"},
    }
    assert list(text_faults(given)) == []


@pytest.mark.parametrize(
    ("given", "where", "message"),
    [
        ({"secret": SECRET}, "secret", "is no place for a secret itself"),
        ({"secret": [{"secret": "new"}, SECRET]}, "secret", "is no place for a secret itself"),
        ({"secret_env": "CRM_SECRET"}, "secret_env", "is no longer read"),
        ({}, "secret", "a signing secret is missing"),
        (
            {"secret": {"secret": "s"}, "headers": {"Authorization": "Bearer k", "X-Team": "a"}},
            "headers.Authorization",
            "is no place for a secret itself",
        ),
        (
            {"secret": {"secret": "s"}, "headers": {"x-crm-key": "k"}},
            "headers.x-crm-key",
            "is no place for a secret itself",
        ),
    ],
)
def test_a_secret_itself_is_refused_there_with_the_way_to_name_it(
    given: dict[str, Any], where: str, message: str
) -> None:
    (fault,) = text_faults({"url": "https://example.com", **given})
    assert (fault.where, fault.message) == (where, message)
    assert "onefold secret set NAME" in fault.hint
    assert "whsec_" not in str(fault)


def test_every_fault_is_named_at_once() -> None:
    given = {
        "url": "ftp://example.com",
        "secret": "whsec_short",
        "headers": {"Webhook-Id": "x", "bad name": "x", "X-A": "a\r\nX-B: b", "Host": "x"},
        "timeout": 0,
        "concurrency": True,
        "uri": "x",
    }
    with pytest.raises(InvalidInput) as raised:
        settings_from(given)
    assert sorted(fault.where for fault in raised.value.faults) == [
        "concurrency",
        "headers.Host",
        "headers.Webhook-Id",
        "headers.X-A",
        "headers.bad name",
        "secret",
        "timeout",
        "uri",
        "url",
    ]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"secret": ""},
        {"secret": 5},
        {"secret": [None]},
        {"secret": SECRET.removeprefix("whsec_")},
        {"secret": "whsec_" + base64.b64encode(b"short").decode()},
        {"secret": "whsec_" + base64.b64encode(b"long " * 30).decode()},
    ],
)
def test_a_missing_or_wrong_secret_is_a_fault_that_does_not_show_it(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as raised:
        settings_from({"url": "https://example.com", **given})
    (fault,) = raised.value.faults
    assert fault.where.startswith("secret")
    assert "whsec_" not in str(fault).replace("`whsec_`", "")


@pytest.mark.parametrize(
    "url",
    [None, "", 5, "example.com", "https://", "http://[1", "http://a:99999", "https://a b", "https://é",
     "https://u:p@example.com", "https://a\r\nb"],
)  # fmt: skip
def test_a_wrong_url_is_a_fault(url: object) -> None:
    with pytest.raises(InvalidInput) as raised:
        settings_from({"url": url, "secret": SECRET})
    assert [fault.where for fault in raised.value.faults] == ["url"]


def test_secrets_do_not_show_in_any_text() -> None:
    given = {"url": "https://example.com/h?token=t0ken", "secret": SECRET}
    given["headers"] = {"Authorization": "t0ken"}
    made = destination_from(DestinationDefinition("crm", "webhook", given))
    texts = [repr(made), repr(made.settings), repr(made.request(made.settings, delivery(), NOW))]
    assert texts == [
        "Destination(crm)",
        "WebhookSettings(example.com)",
        "Request(POST example.com)",
    ]


def test_an_unknown_type_is_a_fault() -> None:
    with pytest.raises(InvalidInput, match="known are webhook"):
        destination_from(DestinationDefinition("crm", "fax", {}))


def now_micros() -> int:
    return time.time_ns() // 1000
