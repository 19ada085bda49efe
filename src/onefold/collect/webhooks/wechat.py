"""WeChat's and WeCom's messages: the proof that a URL is ours, signatures, and the safe mode.

https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Access_Overview.html and
https://developer.work.weixin.qq.com/document/path/90968
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

import msgspec

from onefold.collect.webhooks.settings import Call, WebhookSettings, aes_key
from onefold.collect.xml import read_xml
from onefold.model.errors import Fault, InvalidInput, Unauthorized

_BLOCK = 32
_RANDOM, _LENGTH = 16, 4


def prove(call: Call, settings: WebhookSettings) -> bytes:
    """The answer that shows that this URL belongs to who knows the token: its own `echostr`."""
    echo = call.query.get("echostr", "")
    if "msg_signature" in call.query:
        _check(call, settings, "msg_signature", echo)
        return _decrypted(echo, settings)
    _check(call, settings, "signature")
    return echo.encode()


def opened(call: Call, settings: WebhookSettings) -> bytes:
    """The XML or JSON of a message, decrypted in safe mode; raises `Unauthorized` if it is not signed.

    Where a key is set, what is not encrypted is refused: plain messages are signed by nothing that
    is in them.
    """
    if settings.aes_key:
        sealed = _sealed(call.body)
        _check(call, settings, "msg_signature", sealed)
        return _decrypted(sealed, settings)
    _check(call, settings, "signature")
    return call.body


def _check(call: Call, settings: WebhookSettings, where: str, *more: str) -> None:
    given = call.query.get(where)
    if not given:
        raise Unauthorized(f"{where} is missing in the query; it would hold the signature")
    time, nonce = call.query.get("timestamp", ""), call.query.get("nonce", "")
    found = False
    for token in settings.secrets:
        text = "".join(sorted([token, time, nonce, *more]))
        right = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        found |= hmac.compare_digest(given.encode("utf-8", "surrogatepass"), right.encode())
    if not found:
        raise Unauthorized("the signature is wrong; compare the token with that of WeChat's page")


def in_time(call: Call, settings: WebhookSettings, now: int) -> None:
    """Raise where a message was signed too long ago; `now` is in seconds."""
    time = call.query.get("timestamp", "")
    if not (time.isascii() and time.isdigit() and len(time) <= 11):
        raise Unauthorized("timestamp in the query is no number of seconds")
    if abs(now - int(time)) > settings.tolerance:
        raise Unauthorized(f"this was signed more than {settings.tolerance} seconds from now")


def _sealed(body: bytes) -> str:
    """What is encrypted in a message of the safe mode."""
    if body.lstrip()[:1] == b"{":
        try:
            sealed = msgspec.json.decode(body).get("Encrypt")
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidInput("the body is not JSON", [Fault(str(error), "body")]) from error
    else:
        sealed = read_xml(body).text_of("Encrypt")
    if not isinstance(sealed, str) or not sealed:
        hint = "choose the safe mode on WeChat's page, or take aes_key out of the settings"
        raise InvalidInput("the message is not encrypted", [Fault("is missing", "Encrypt", hint)])
    return sealed


def _decrypted(sealed: str, settings: WebhookSettings) -> bytes:
    # Only who uses the safe mode needs the library, which takes 6 MB.
    from cryptography.hazmat.primitives.ciphers import (  # noqa: PLC0415
        Cipher,
        algorithms,
        modes,
    )

    key = aes_key(settings.aes_key)
    if key is None:
        raise Unauthorized("this is encrypted; set the aes_key of this source")
    try:
        raw = base64.b64decode(sealed, validate=True)
        decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        text = decryptor.update(raw) + decryptor.finalize()
    except (binascii.Error, ValueError) as error:
        raise Unauthorized("what is encrypted cannot be decrypted with the aes_key") from error
    return _content(text, settings.app_id)


def _content(text: bytes, app_id: str) -> bytes:
    """Random bytes, a length, the message, and whom it is for; filled up to whole blocks."""
    filled = text[-1] if text else 0
    text = text[:-filled] if 0 < filled <= _BLOCK else text
    start = _RANDOM + _LENGTH
    size = int.from_bytes(text[_RANDOM:start], "big")
    receiver = text[start + size :]
    if len(text) < start + size or not hmac.compare_digest(receiver, app_id.encode()):
        raise Unauthorized("what is encrypted is for another app; compare app_id and aes_key")
    return text[start : start + size]
