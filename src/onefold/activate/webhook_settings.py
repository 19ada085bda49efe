"""A webhook's settings, read from its definition; every fault is named at once."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from onefold.activate.retry import Policy
from onefold.activate.webhook import KEY_PREFIX, WebhookSettings
from onefold.model.errors import Fault, InvalidInput

HOUR = 3_600_000_000
NUMBERS: dict[str, tuple[float, float, float]] = {
    # name: default, smallest, largest
    "timeout": (15, 1, 120),
    "concurrency": (8, 1, 64),
    "max_attempts": (50, 1, 1000),
    "max_age_hours": (72, 1, 24 * 90),
}
"""The settings that are numbers: `timeout` in seconds, `concurrency` in requests at a time."""

KNOWN = {"url", "secret", "headers", *NUMBERS}
_SECRETS = {"secret"}
_NAME_IT = "`secret: {secret: NAME}`, and `onefold secret set NAME`"
_ANY_KEY = KEY_PREFIX + base64.b64encode(bytes(24)).decode()
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
_HOLDS_SECRET = re.compile(
    r"authorization|cookie|token|secret|password|credential|signature|api-?key|-key$", re.I
)
OURS = {"host", "content-length", "content-type", "transfer-encoding", "connection", "user-agent"}


def settings_from(given: Mapping[str, Any]) -> WebhookSettings:
    """The settings of a webhook destination; raises `InvalidInput` with every fault.

    `url` and a signing secret are needed. `secret` is one `whsec_…` text, or a list of two while
    receivers change over; in a definition each is named, as `{secret: NAME}`.
    `headers`, `timeout`, `concurrency`, `max_attempts` and `max_age_hours` may be given.
    """
    faults: list[Fault] = [
        Fault("no such setting", name, f"known are {', '.join(sorted(KNOWN))}")
        for name in sorted(set(given) - KNOWN)
    ]
    url = _url(given.get("url"), faults)
    secrets = _secrets(given.get("secret"), faults)
    headers = _headers(given.get("headers") or {}, faults)
    numbers = {name: _number(name, given, faults) for name in NUMBERS}
    if faults:
        raise InvalidInput("this webhook's settings are wrong", faults)
    policy = Policy(
        max_attempts=int(numbers["max_attempts"]), max_age=int(numbers["max_age_hours"] * HOUR)
    )
    return WebhookSettings(
        url, secrets, headers, numbers["timeout"], int(numbers["concurrency"]), policy
    )


def _url(url: object, faults: list[Fault]) -> str:
    if not isinstance(url, str) or not url:
        faults.append(Fault("is missing", "url", "such as https://example.com/hooks/onefold"))
        return ""
    if not re.fullmatch(r"[\x21-\x7e]+", url):
        faults.append(Fault("holds spaces or other signs", "url", "write them percent-encoded"))
        return ""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        faults.append(Fault(f"is no URL: {error}", "url"))
        return ""
    if parts.scheme not in ("http", "https") or not host:
        faults.append(Fault("must begin with https:// or http:// and a host", "url"))
    if parts.username is not None or parts.password is not None:
        faults.append(Fault("holds a user name or password", "url", "put it into `headers`"))
    return url


def _secrets(texts: object, faults: list[Fault]) -> tuple[bytes, ...]:
    if isinstance(texts, str):
        texts = texts.split()
    if not texts or not isinstance(texts, (list, tuple)):
        faults.append(Fault("a signing secret is missing", "secret", _NAME_IT))
        return ()
    return tuple(key for text in texts if (key := _key(text, faults)))


def _key(text: object, faults: list[Fault]) -> bytes:
    """One signing key. Its text never becomes part of a fault."""
    key = b""
    if isinstance(text, str) and text.startswith(KEY_PREFIX):
        try:
            key = base64.b64decode(text.removeprefix(KEY_PREFIX), validate=True)
        except binascii.Error:
            key = b""
    if not 24 <= len(key) <= 64:
        hint = f"`{KEY_PREFIX}` and the base64 of 24 to 64 random bytes"
        faults.append(Fault("is no signing secret", "secret", hint))
    return key


def text_faults(given: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with settings as they stand in a definition, where secrets are only named."""
    for key in _SECRETS & given.keys():
        if not all(map(_is_named, _listed(given[key]))):
            yield Fault("is no place for a secret itself", key, _NAME_IT)
    for name in secret_headers(given):
        hint = f"`{name}: {{secret: NAME}}`, and `onefold secret set NAME` with all that it says"
        yield Fault("is no place for a secret itself", f"headers.{name}", hint)
    if "secret_env" in given:
        hint = f"{_NAME_IT} with what the variable held"
        yield Fault("is no longer read", "secret_env", hint)
    known = {key: _stand_in(key, value) for key, value in given.items() if key != "secret_env"}
    if "secret_env" in given:
        known.setdefault("secret", _ANY_KEY)
    try:
        settings_from(known)
    except InvalidInput as error:
        yield from error.faults


def secret_headers(given: Mapping[str, Any]) -> list[str]:
    """The headers of settings whose names say that they hold a secret, where that stands there itself.

    >>> secret_headers({"headers": {"X-Api-Key": "k1", "X-Shop": "de", "Authorization": {"secret": "crm"}}})
    ['X-Api-Key']
    """
    headers = given.get("headers")
    return [
        name
        for name, value in (headers.items() if isinstance(headers, Mapping) else ())
        if isinstance(name, str) and isinstance(value, str) and _HOLDS_SECRET.search(name)
    ]


def _stand_in(key: str, value: Any) -> Any:
    """Settings in which anything stands for what a secret holds."""
    if key in _SECRETS:
        return _ANY_KEY if value else value
    if key == "headers" and isinstance(value, Mapping):
        return {name: "secret" if _is_named(one) else one for name, one in value.items()}
    return value


def _is_named(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and value.keys() == {"secret"}
        and isinstance(value["secret"], str)
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _headers(headers: object, faults: list[Fault]) -> dict[str, str]:
    if not isinstance(headers, Mapping):
        faults.append(Fault("must be names with values", "headers"))
        return {}
    for name, value in headers.items():
        where = f"headers.{name}"
        if not isinstance(name, str) or not HEADER_NAME.fullmatch(name):
            faults.append(Fault("is no header name", where))
        elif name.lower() in OURS or name.lower().startswith("webhook-"):
            faults.append(Fault("is set by Onefold", where, "leave it out"))
        if not isinstance(value, str) or not HEADER_VALUE.fullmatch(value):
            faults.append(Fault("must be a text of printable ASCII in one line", where))
    return {str(name): str(value) for name, value in headers.items()}


def _number(name: str, given: Mapping[str, Any], faults: list[Fault]) -> float:
    default, smallest, largest = NUMBERS[name]
    value = given.get(name, default)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not smallest <= value <= largest:
        faults.append(Fault(f"must be a number from {smallest:g} to {largest:g}", name))
        return default
    return float(value)
