"""WeChat's messages, made by wechatpy."""

from __future__ import annotations

import pytest

from onefold.collect.webhooks import Call, WebhookSettings, records_in
from onefold.collect.webhooks.wechat import prove
from onefold.model.errors import InvalidInput, Unauthorized

wechatpy = pytest.importorskip("wechatpy.crypto")
from wechatpy.enterprise import crypto as work  # noqa: E402
from wechatpy.utils import WeChatSigner, to_text  # noqa: E402

NOW = 1_790_000_000
AES_KEY = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"
PLAIN = WebhookSettings(signature="wechat", secret="t0ken")
SAFE = WebhookSettings(
    signature="wechat", secret="t0ken", aes_key=AES_KEY, app_id="wx49f0ab532d5d035a"
)
WORK = WebhookSettings(
    signature="wecom", secret="t0ken", aes_key=AES_KEY, app_id="ww1436e0e65a779aee"
)
MESSAGE = (
    "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oAnn]]></FromUserName>"
    "<CreateTime>1790000000</CreateTime><MsgType><![CDATA[text]]></MsgType>"
    "<Content><![CDATA[你好]]></Content><MsgId>23456</MsgId></xml>"
)
EVENT = (
    "<xml><ToUserName>gh_1</ToUserName><FromUserName>oAnn</FromUserName>"
    "<CreateTime>1790000001</CreateTime><MsgType>event</MsgType><Event>subscribe</Event></xml>"
)


def query(token: str, *more: str, name: str = "signature", at: int = NOW) -> dict[str, str]:
    signer = WeChatSigner()
    signer.add_data(token, str(at), "n0nce", *more)
    return {"timestamp": str(at), "nonce": "n0nce", name: signer.signature}


def plain(text: str = MESSAGE, token: str = "t0ken", at: int = NOW) -> Call:
    return Call({}, query(token, at=at), text.encode())


def safe(text: str = MESSAGE, app_id: str = SAFE.app_id, token: str = "t0ken") -> Call:
    sealed = wechatpy.WeChatCrypto(token, AES_KEY, app_id).encrypt_message(text, "n0nce", str(NOW))
    inner = sealed.partition("<Encrypt><![CDATA[")[2].partition("]]>")[0]
    body = f"<xml><ToUserName>gh_1</ToUserName><Encrypt>{inner}</Encrypt></xml>"
    return Call({}, query(token, inner, name="msg_signature"), body.encode())


@pytest.mark.parametrize(("settings", "call"), [(PLAIN, plain()), (SAFE, safe())])
def test_a_message_is_a_record_with_its_id(settings, call):
    found = records_in(call, settings, NOW * 1_000_000)

    assert found.id == "23456"
    assert found.records[0].stream == "text"
    assert found.records[0].fields["Content"] == "你好"


def test_an_event_is_told_apart_by_who_and_when():
    found = records_in(plain(EVENT), PLAIN, NOW * 1_000_000)

    assert (found.id, found.records[0].stream) == ("oAnn-1790000001-subscribe-", "subscribe")


def test_the_url_is_proven_to_be_ours():
    call = Call({}, {**query("t0ken"), "echostr": "5837397130"}, b"")

    assert prove(call, PLAIN) == b"5837397130"


def test_wecom_encrypts_the_proof():
    crypto = work.WeChatCrypto("t0ken", AES_KEY, WORK.app_id)
    echo = to_text(work.PrpCrypto(crypto.key).encrypt("5837397130", WORK.app_id))
    call = Call({}, {**query("t0ken", echo, name="msg_signature"), "echostr": echo}, b"")

    assert (
        crypto.check_signature(call.query["msg_signature"], str(NOW), "n0nce", echo) == "5837397130"
    )
    assert prove(call, WORK) == b"5837397130"


@pytest.mark.parametrize(
    ("settings", "call"),
    [
        (PLAIN, plain(token="other")),
        (PLAIN, plain()._replace(query={})),
        (PLAIN, plain(at=NOW - 301)),
        (SAFE, safe(token="other")),
        (SAFE, safe(app_id="wx0000000000000000")),
        (SAFE, safe()._replace(query=query("t0ken"))),
    ],
)
def test_what_is_not_wechats_is_refused(settings, call):
    with pytest.raises(Unauthorized):
        records_in(call, settings, NOW * 1_000_000)


def test_with_a_key_what_is_not_encrypted_is_refused():
    with pytest.raises(InvalidInput, match="not encrypted"):
        records_in(plain(), SAFE, NOW * 1_000_000)


@pytest.mark.parametrize("sealed", ["!", "AAAA", "A" * 44, "A" * 64])
def test_damage_is_refused(sealed):
    body = f"<xml><Encrypt>{sealed}</Encrypt></xml>".encode()
    call = Call({}, query("t0ken", sealed, name="msg_signature"), body)

    with pytest.raises(Unauthorized):
        records_in(call, SAFE, NOW * 1_000_000)
