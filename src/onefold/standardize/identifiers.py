"""Who an event is about: each identifier in the one way it is written."""

from __future__ import annotations

import re
import traceback
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import phonenumbers

from onefold.model.records import Identifier
from onefold.standardize.faults import explain, wrong_type
from onefold.standardize.junk import is_junk

MAX_LENGTH = 512
_make = tuple.__new__  # a NamedTuple's own constructor is three times as slow

_ADDRESS = re.compile(
    r"[^\s@,;:<>()\[\]\"\\]{1,64}@(?:[^\s@.,;:<>()\[\]\"\\]{1,63}\.)+[^\s@.,;:<>()\[\]\"\\]{2,63}"
)
_PEOPLE = (None, "", "users", "user")  # Segment's collections; others identify companies
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_KINDS = {
    "userid": "user_id",
    "anonymousid": "anonymous_id",
    "e_mail": "email",
    "mail": "email",
    "phone_number": "phone",
    "mobile": "phone",
    "msisdn": "phone",
    "ios_id": "device_id",
    "android_id": "device_id",
    "deviceid": "device_id",
    "idfa": "advertising_id",
    "gaid": "advertising_id",
    "aaid": "advertising_id",
    "oaid": "advertising_id",
    "ios_idfa": "advertising_id",
    "android_idfa": "advertising_id",
    "android_gaid": "advertising_id",
    "advertisingid": "advertising_id",
    "openid": "wechat_openid",
    "open_id": "wechat_openid",
    "wechat_open_id": "wechat_openid",
    "unionid": "wechat_unionid",
    "union_id": "wechat_unionid",
    "wechat_union_id": "wechat_unionid",
}
# Who owns the facts of an event: the first that it carries. All other kinds come after `user_id`.
_LAST = {"email": 2, "phone": 3, "anonymous_id": 4, "device_id": 5, "advertising_id": 6}
STANDARD_KINDS = frozenset([*_LAST, *_KINDS.values()])
"""The kinds that have a meaning of their own. A source may send any other."""
_AMONG_TRAITS, _NOTHING = ("email", "phone"), (None, "")


def find_identifiers(
    fields: dict[str, Any],
    traits: dict[str, Any],
    context: dict[str, Any],
    country: str | None,
    faults: list[str],
) -> tuple[Identifier, ...]:
    """All identifiers of an event, normalized, the owner of its facts first."""
    found: list[Identifier] = []
    value = fields.get("userId")
    if value is not None and (text := plain_id(value, "userId", faults)):
        found.append(_make(Identifier, ("user_id", text)))
    external = context.get("externalIds") or context.get("externalId")
    if external:
        _add_external(external, country, found, faults)
    if traits:
        if (value := traits.get("email")) is not None and (text := email(value)):
            found.append(_make(Identifier, ("email", text)))
        if (value := traits.get("phone")) is not None and (text := phone(value, country)):
            found.append(_make(Identifier, ("phone", text)))
    value = fields.get("anonymousId")
    if value is not None and (text := plain_id(value, "anonymousId", faults)):
        found.append(_make(Identifier, ("anonymous_id", text)))
    device = context.get("device")
    if type(device) is dict:
        _add_device(device, found, faults)
    return _in_order(found) if external else tuple(found)


def _add_external(
    external: Any, country: str | None, found: list[Identifier], faults: list[str]
) -> None:
    """`context.externalIds`; an entry without a type or an id stays in the context only."""
    for entry in external if type(external) is list else [external]:
        if type(entry) is not dict or entry.get("collection") not in _PEOPLE:
            continue
        kind = _external_kind(entry.get("type"), entry.get("encoding"))
        value = entry.get("id")
        if kind is None or value is None or type(value) in (dict, list):
            continue
        text = normalize(kind, value, country, "context.externalIds", faults)
        if text:
            found.append(Identifier(kind, text))


def nameless_in(traits: Mapping[str, Any], identifiers: Sequence[Identifier]) -> Sequence[str]:
    """Which of `email` and `phone` are told, but could not be read as such, so that they identify nobody.

    >>> nameless_in({"phone": "0171 2345678"}, [Identifier("user_id", "7")])
    ['phone']
    """
    named, found = dict(identifiers), []
    for kind in _AMONG_TRAITS:
        if kind not in named and traits.get(kind) not in _NOTHING:
            found.append(kind)
    return found


def _external_kind(name: Any, encoding: Any) -> str | None:
    """The kind of an external id; an encoded value is of another kind than a plain one."""
    if type(name) is not str:
        return None
    kind = kind_named(name[:64])
    if kind and type(encoding) is str and encoding not in ("", "none"):
        kind = f"{kind}_{kind_named(encoding[:64])}"
    return kind


@lru_cache(maxsize=4096)
def kind_named(name: str) -> str | None:
    """The kind that a source or a file calls so, as identifiers have it; None: it is no name.

    >>> kind_named("Phone Number"), kind_named("crmId")
    ('phone', 'crm_id')
    """
    slug = _NOT_WORD.sub("_", _HUMP.sub("_", name.strip()).lower()).strip("_")
    return _KINDS.get(slug, slug) or None


def _add_device(device: dict[str, Any], found: list[Identifier], faults: list[str]) -> None:
    for name, kind in (("id", "device_id"), ("advertisingId", "advertising_id")):
        value = device.get(name)
        if type(value) is str and (text := plain_id(value, f"context.device.{name}", faults)):
            found.append(_make(Identifier, (kind, text)))


def _in_order(found: list[Identifier]) -> tuple[Identifier, ...]:
    """Each once, by kind; within a kind as the event named them, the event's own field first."""
    return tuple(sorted(dict.fromkeys(found), key=rank))


def rank(identifier: Identifier) -> tuple[int, str]:
    """Whose the facts of an event are: of the identifier with the least, by kind."""
    kind = identifier.kind
    return (0, "") if kind == "user_id" else (_LAST.get(kind, 1), kind)


def normalize(
    kind: str, value: Any, country: str | None, where: str, faults: list[str]
) -> str | None:
    """The value as every identifier of its kind is written, or None if it is no evidence."""
    if kind == "email":
        return email(value)
    if kind == "phone":
        return phone(value, country)
    return plain_id(value, where, faults)


def plain_id(value: Any, where: str, faults: list[str]) -> str | None:
    """An id as text, trimmed; None where it stands for nobody."""
    if type(value) is not str:
        value = _number_as_text(value, where, faults)
    text = clean_text(value)
    if not text or is_junk(text):
        return None
    if len(text) > MAX_LENGTH:
        size = f"has {len(text):,} characters, at most {MAX_LENGTH} are taken"
        faults.append(explain(where, size, "send a shorter id"))
        return None
    return text


def _number_as_text(value: Any, where: str, faults: list[str]) -> str:
    if type(value) is float and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if type(value) is int or type(value) is float:
        return str(value)
    if type(value) is not bool:  # true and false are junk, as their texts are
        faults.append(wrong_type(where, "text", value))
    return ""


def clean_text(text: str) -> str:
    """Trimmed, in Unicode's composed form, without characters that nobody sees."""
    if text.isascii() and text.isprintable():
        return text.strip()
    text = _BLANK.sub("", text.strip())
    if not text.isprintable():
        text = "".join(c for c in text if unicodedata.category(c) not in _INVISIBLE)
    return unicodedata.normalize("NFC", text).strip()


_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # NUL, zero width, direction marks …
# Unicode counts these among the letters and marks, but nobody sees them: fillers, selectors.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def email(value: Any) -> str | None:
    """An e-mail address in lower case, or None if this is none.

    >>> email(" Li.Wei@Example.COM "), email("li.wei")
    ('li.wei@example.com', None)
    """
    return _email(value) if type(value) is str and len(value) <= MAX_LENGTH else None


@lru_cache(maxsize=4_096)
def _email(text: str) -> str | None:
    # Full-width letters and signs come from Chinese input methods: the same address.
    text = unicodedata.normalize("NFKC", clean_text(text).lower())
    valid = len(text) <= 254 and _ADDRESS.fullmatch(text) and not is_junk(text)
    return text if valid else None


def phone(value: Any, country: str | None) -> str | None:
    """A telephone number in E.164, or None if it is not a valid one.

    >>> phone("138 1234 5678", "CN"), phone("138 1234 5678", None)
    ('+8613812345678', None)
    """
    if type(value) is int:
        value = str(value)
    return _phone(value, country) if type(value) is str and len(value) <= 64 else None


@lru_cache(maxsize=16_384)
def _phone(text: str, country: str | None) -> str | None:
    # As most numbers of China are written, and fifty times as fast as the whole library.
    if country == "CN" and len(text) == 11 and text.isdigit() and text.isascii():
        digits = text
    else:
        text = clean_text(text)
        plain = text.replace(" ", "").replace("-", "")
        digits = plain[3:] if plain[:3] == "+86" else plain if country == "CN" else ""
    if len(digits) == 11 and digits.isascii() and digits.isdigit():
        if _chinese_mobile().fullmatch(digits):
            return f"+86{digits}"
        # Of so many digits no other number begins like them; behind 179 that of an operator may follow.
        if digits[0] == "1" and digits[1] >= "3" and digits[:3] != "179":
            return None
    if (found := _read(text, country)) is not None:
        return found
    whole = _ascii(text)
    return _read(f"+{whole[2:]}", None) if whole.startswith("00") else None


def _ascii(text: str) -> str:
    """In half width: whoever types Chinese may type full-width digits."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _read(text: str, country: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        # It refers to itself by what the library's frames hold, and so to the whole batch that asked.
        traceback.clear_frames(error.__traceback__)
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=1)
def _chinese_mobile() -> re.Pattern[str]:
    """The mobile numbers of mainland China, as the library knows them."""
    found: Any = phonenumbers.PhoneMetadata.metadata_for_region("CN")
    return re.compile(found.mobile.national_number_pattern)
