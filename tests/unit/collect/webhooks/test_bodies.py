"""What is in a delivery, whatever its form."""

from __future__ import annotations

import pytest

from onefold.collect.webhooks import Call, WebhookSettings, records_in
from onefold.collect.xml import ForbiddenXML, read_xml
from onefold.model.errors import InvalidInput

KEY = WebhookSettings()


def fields(body: bytes, **headers: str) -> list[dict[str, object]]:
    return [one.fields for one in records_in(Call(headers, {}, body), KEY, 1).records]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": {"b": [1, null]}}', [{"a": {"b": [1, None]}}]),
        (b'\xef\xbb\xbf [{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        (b"[]", []),
        (
            b"email=ann%40example.com&tag=a&tag=b&tag=c&note=",
            [{"email": "ann@example.com", "tag": ["a", "b", "c"], "note": ""}],
        ),
        (b"payload=%7B%22action%22%3A%22opened%22%7D", [{"action": "opened"}]),
        (b"name=%E6%9D%8E+%E4%BC%9F", [{"name": "李 伟"}]),
        (
            b"<o id='7' xmlns='u:x'><l>a</l><l><![CDATA[<b>]]></l></o>",
            [{"@id": "7", "l": ["a", "<b>"]}],
        ),
        ("<?xml version='1.0' encoding='GBK'?><o><n>李伟</n></o>".encode("gbk"), [{"n": "李伟"}]),
        ("<?xml version='1.0' encoding='utf-16'?><o><n>é</n></o>".encode("utf-16"), [{"n": "é"}]),
        (b"<o>7</o>", [{"#text": "7"}]),
    ],
)
def test_each_form_is_read(body, expected):
    assert fields(body) == expected


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b" ", "is empty"),
        (b"hello", "cannot be read"),
        (b"\xff\xfe=1", "well-formed"),
        (b'{"a": 1', "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b'[{"a": 1}, 7, "x"]', "no record"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "too deep"),
        (b"[" * 100_000, "JSON"),
        (b"[" + b"{}," * 10_000 + b"{}]", "too large"),
        (b"&".join(b"a=1" for _ in range(1_001)), "cannot be read"),
        (b"<a><b></a>", "well-formed"),
        (b"<a>" * 65 + b"</a>" * 65, "too deep"),
        (b"<?xml version='1.0' encoding='klingon'?><a/>", "encoding"),
    ],
)
def test_what_is_no_record_is_told(body, says):
    with pytest.raises(InvalidInput) as error:
        fields(body)
    assert says in error.value.message + " ".join(map(str, error.value.faults))


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd">%p;]><a/>',
        b"<?xml-stylesheet href='x'?><a/>",
    ],
)
def test_document_types_and_entities_are_refused(body):
    with pytest.raises(ForbiddenXML):
        read_xml(body)


def test_multipart_is_refused_with_a_hint():
    headers = {"content-type": "multipart/form-data; boundary=x"}
    with pytest.raises(InvalidInput, match="urlencoded"):
        records_in(Call(headers, {}, b"--x\r\n"), KEY, 1)


@pytest.mark.parametrize(
    ("settings", "headers", "body", "place", "stream"),
    [
        (
            WebhookSettings(signature="shopify", secret="x"),
            {
                "x-shopify-event-id": "e1",
                "x-shopify-webhook-id": "w1",
                "x-shopify-topic": "orders/paid",
            },
            b"{}",
            "e1",
            "orders/paid",
        ),
        (
            WebhookSettings(signature="github", secret="x"),
            {"x-github-delivery": "d1", "x-github-event": "push"},
            b"{}",
            "d1",
            "push",
        ),
        (
            WebhookSettings(signature="stripe", secret="x"),
            {},
            b'{"id": "evt_1", "type": "charge.paid"}',
            "evt_1",
            "charge.paid",
        ),
        (
            WebhookSettings(signature="standard", secret="x"),
            {"webhook-id": "msg_1"},
            b'{"type": "user.created"}',
            "msg_1",
            "user.created",
        ),
        (
            WebhookSettings(id_field="event.id", topic_header="X-Topic"),
            {"x-topic": "t"},
            b'{"event": {"id": 17}}',
            "17",
            "t",
        ),
    ],
)
def test_the_same_delivery_has_the_same_place(settings, headers, body, place, stream):
    first, again = (records_in(Call(headers, {}, body), settings, at).records for at in (1, 2))

    assert first == again
    assert [(one.place, one.stream) for one in first] == [(place, stream)]


def test_what_names_nothing_is_told_apart_by_when_it_came():
    first, again = (records_in(Call({}, {}, b'{"a": 1}'), KEY, at).records for at in (1, 2))

    assert first[0].place != again[0].place


def test_each_object_of_a_list_has_its_place():
    settings = WebhookSettings(id_header="X-Id")
    found = records_in(Call({"x-id": "d1"}, {}, b'[{"a": 1}, {"a": 2}]'), settings, 1)

    assert [one.place for one in found.records] == ["d1#0", "d1#1"]
