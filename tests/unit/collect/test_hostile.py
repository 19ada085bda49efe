"""Whatever is sent: never a 500, always JSON with CORS, and nothing that the pipeline trips over."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress

import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from onefold.collect.decoding import decode_body
from onefold.collect.outline import outline
from onefold.model.errors import InvalidInput
from onefold.standardize import standardize
from tests.unit.collect.conftest import Shop

ANSWERS = {200, 400, 401, 413}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
bodies = st.one_of(
    st.binary(max_size=300),
    st.text(alphabet='{}[]",:\\ \n\t0aN\u202e\u200b\ud800', max_size=80).map(
        lambda text: text.encode("utf-8", "surrogatepass")
    ),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(
        st.sampled_from(["batch", "writeKey", "sentAt", "context", "type", "userId", "event"]),
        json_values,
    ).map(lambda value: json.dumps(value).encode()),
)
packed = st.sampled_from(
    [
        lambda body: body,
        gzip.compress,
        zstandard.ZstdCompressor().compress,
        lambda body: gzip.compress(body)[:-3],
        lambda body: b"data=" + body,
        lambda body: b"\xef\xbb\xbf" + body,
    ]
)
paths = st.sampled_from(["/v1/track", "/v1/batch", "/v1/i", "/beacon/v1/batch", "/api/s/page"])


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(path=paths, body=bodies, pack=packed)
@example(path="/v1/batch", body=b'{"batch":[],"batch":[{}]}', pack=lambda body: body)
@example(path="/v1/batch", body=b"]" * 1000, pack=lambda body: body)
@example(path="/v1/batch", body=b'{"batch":' + b"[" * 200_000, pack=lambda body: body)
@example(path="/v1/batch", body=b'{"batch":"\\', pack=lambda body: body)
def test_every_body_gets_an_answer(path, body, pack):
    shop = Shop()

    answer = shop.post(path, pack(body), headers={"origin": "http://shop.example"})

    assert answer.status_code in ANSWERS
    assert answer.headers["access-control-allow-origin"] == "http://shop.example"
    assert isinstance(answer.json(), dict)
    assert len(shop.log) == (1 if answer.status_code == 200 else 0)
    standardize(shop.log, {})


header_text = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=40)


@settings(max_examples=80)
@given(
    key=header_text, authorization=header_text, query=header_text, host=header_text,
    path=st.sampled_from(["/v1/track", "/v1/projects/x/settings", "/sourceConfig", "/%00/../x"]),
)  # fmt: skip
def test_every_header_gets_an_answer(key, authorization, query, host, path):
    method = "GET" if "s" in path[4:] else "POST"

    answer = Shop().call(
        method,
        path,
        params={"writeKey": query},
        headers={"x-write-key": key, "authorization": "Basic " + authorization, "host": host},
    )

    assert answer.status_code in {400, 401, 404, 405}
    assert answer.json()["status"] == answer.status_code


@given(st.binary(max_size=200))
def test_decoding_gives_json_or_says_what_is_wrong(body):
    for packed_body in (body, b"\x1f\x8b" + body, b"\x28\xb5\x2f\xfd" + body):
        with suppress(InvalidInput):
            decode_body(packed_body, 1 << 20)


@given(json_values.map(lambda value: json.dumps({"a": value, "b": [value]}).encode()))
def test_the_outline_of_json_is_json_without_what_is_nested(body):
    outer = outline(body)

    assert outer is not None
    assert json.loads(outer)["b"] is None


@given(st.binary(max_size=60))
def test_the_outline_is_none_where_brackets_are_left_open(body):
    inside = body.replace(b'"', b"").replace(b"]", b"").replace(b"}", b"")

    assert outline(b'{"a":' + inside) is None


@pytest.mark.parametrize("tail", [b"", b'"', b"]", b"]}x"])
def test_half_a_body_is_refused_however_long(tail):
    shop = Shop()

    answer = shop.post("/v1/batch", b'{"batch":[' + b'{"a":NaN},' * 50_000 + tail)

    assert answer.status_code == 400
