"""Signatures, made by the vendors' own packages or published by them."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac

import pytest
import standardwebhooks
import stripe

from onefold.collect.webhooks import Call, WebhookSettings, settings_faults, verify
from onefold.model.errors import Unauthorized

NOW = 1_790_000_000
BODY = b'{"id": "evt_1", "type": "customer.created", "name": "\xe6\x9d\x8e\xe4\xbc\x9f"}'
STANDARD_SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()


def stripe_call(at: int = NOW, secret: str = "whsec_test") -> Call:
    made = stripe.WebhookSignature.generate_signature_header(BODY.decode(), secret, timestamp=at)
    return Call({"stripe-signature": made}, {}, BODY)


def standard_call(at: int = NOW, secret: str = STANDARD_SECRET, prefix: str = "webhook") -> Call:
    moment = dt.datetime.fromtimestamp(at, dt.UTC)
    made = standardwebhooks.Webhook(secret).sign("msg_1", moment, BODY.decode())
    names = {"id": "msg_1", "timestamp": str(at), "signature": f"v1a,x {made}"}
    return Call({f"{prefix}-{name}": value for name, value in names.items()}, {}, BODY)


def hmac_call(secret: bytes = b"s3cret") -> Call:
    made = hmac.new(secret, f"v0:{NOW}:".encode() + BODY, hashlib.sha256).hexdigest()
    return Call({"x-sig": f"v0={made}", "x-time": str(NOW)}, {}, BODY)


STRIPE = WebhookSettings(signature="stripe", secret="whsec_test")
STANDARD = WebhookSettings(signature="standard", secret=STANDARD_SECRET)
GITHUB = WebhookSettings(signature="github", secret="It's a Secret to Everybody")
SHOPIFY = WebhookSettings(signature="shopify", secret="hush")
SLACK = WebhookSettings(
    signature="hmac",
    secret="s3cret",
    header="X-Sig",
    prefix="v0=",
    signed="v0:{timestamp}:{body}",
    timestamp_header="X-Time",
)
TOKEN = WebhookSettings(signature="token", secret="open sesame", header="X-Token")
# The example of https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
GITHUB_CALL = Call(
    {
        "x-hub-signature-256": "sha256="
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    },
    {},
    b"Hello, World!",
)
SHOPIFY_CALL = Call(
    {"x-shopify-hmac-sha256": base64.b64encode(hmac.digest(b"hush", BODY, "sha256")).decode()},
    {},
    BODY,
)
RIGHT = {
    "stripe": (STRIPE, stripe_call()),
    "standard": (STANDARD, standard_call()),
    "svix": (STANDARD, standard_call(prefix="svix")),
    "github": (GITHUB, GITHUB_CALL),
    "shopify": (SHOPIFY, SHOPIFY_CALL),
    "slack": (SLACK, hmac_call()),
    "token": (TOKEN, Call({"x-token": "open sesame"}, {}, BODY)),
    "bearer": (TOKEN, Call({"x-token": "Bearer open sesame"}, {}, BODY)),
    "token in the query": (TOKEN, Call({}, {"token": "open sesame"}, BODY)),
}
right = pytest.mark.parametrize(("settings", "call"), RIGHT.values(), ids=RIGHT.keys())
signed = pytest.mark.parametrize(
    ("settings", "call"),
    [pair for name, pair in RIGHT.items() if pair[0].signature != "token"],
    ids=[name for name, pair in RIGHT.items() if pair[0].signature != "token"],
)


@right
def test_what_the_sender_signed_is_taken(settings, call):
    verify(call, settings, NOW)


@right
def test_while_a_secret_is_changed_both_are_taken(settings, call):
    both = {**{name: getattr(settings, name) for name in settings.__struct_fields__}}
    other = STANDARD_SECRET[:-4] + "AAAA"
    verify(call, WebhookSettings(**{**both, "secret": (other, settings.secret)}), NOW)


@right
def test_another_secret_is_refused(settings, call):
    both = {name: getattr(settings, name) for name in settings.__struct_fields__}
    other = STANDARD_SECRET[:-4] + "AAAA"
    with pytest.raises(Unauthorized):
        verify(call, WebhookSettings(**{**both, "secret": other}), NOW)


@signed
def test_another_body_is_refused(settings, call):
    with pytest.raises(Unauthorized, match="signature is wrong"):
        verify(call._replace(body=call.body + b" "), settings, NOW)


@right
def test_without_a_signature_it_is_refused(settings, call):
    with pytest.raises(Unauthorized):
        verify(Call({}, {}, call.body), settings, NOW)


@pytest.mark.parametrize(
    "odd", ["", "=", ",,,", "t=,v1=", "v1,", "sha256=", "\udcff", "é", "v1 " * 500]
)
@right
def test_no_signature_makes_it_fail_otherwise(settings, call, odd):
    headers = dict.fromkeys(call.headers, odd)
    with pytest.raises(Unauthorized):
        verify(Call(headers, {"token": odd}, call.body), settings, NOW)


@pytest.mark.parametrize("by", [-301, 301, 10**8])
@pytest.mark.parametrize(("settings", "make"), [(STRIPE, stripe_call), (STANDARD, standard_call)])
def test_what_was_signed_at_another_time_is_refused(settings, make, by):
    with pytest.raises(Unauthorized, match="seconds from now"):
        verify(make(NOW - by), settings, NOW)


@pytest.mark.parametrize("by", [-299, 299])
@pytest.mark.parametrize(("settings", "make"), [(STRIPE, stripe_call), (STANDARD, standard_call)])
def test_clocks_may_differ_a_little(settings, make, by):
    verify(make(NOW - by), settings, NOW)


def test_a_time_that_was_not_signed_proves_nothing():
    call = stripe_call(NOW - 1_000)
    newer = call.headers["stripe-signature"].replace(f"t={NOW - 1_000}", f"t={NOW}")

    with pytest.raises(Unauthorized, match="signature is wrong"):
        verify(call._replace(headers={"stripe-signature": newer}), STRIPE, NOW)


def test_stripe_itself_takes_what_we_take():
    call = stripe_call()

    assert stripe.WebhookSignature.verify_header(
        BODY.decode(), call.headers["stripe-signature"], "whsec_test"
    )


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        (WebhookSettings(signature="stripe"), "secret"),
        (WebhookSettings(secret="x"), "secret"),
        (WebhookSettings(signature="stripe", secret="x", tolerance=0), "tolerance"),
        (WebhookSettings(signature="hmac", secret="x"), "header"),
        (WebhookSettings(signature="hmac", secret="x", header="h", signed="v0"), "signed"),
        (
            WebhookSettings(signature="hmac", secret="x", header="h", signed="{timestamp}{body}"),
            "timestamp_header",
        ),
        (WebhookSettings(signature="standard", secret="whsec_!"), "secret"),
        (WebhookSettings(signature="wecom", secret="x"), "aes_key"),
        (WebhookSettings(signature="wechat", secret="x", app_id="a", aes_key="short"), "aes_key"),
        (WebhookSettings(signature="wechat", secret="x", aes_key="a" * 43), "app_id"),
    ],
)
def test_settings_that_cannot_work_are_told(settings, where):
    assert where in [fault.where for fault in settings_faults(settings)]


@pytest.mark.parametrize("settings", [one for one, _ in RIGHT.values()] + [WebhookSettings()])
def test_settings_that_work_have_no_faults(settings):
    assert list(settings_faults(settings)) == []
