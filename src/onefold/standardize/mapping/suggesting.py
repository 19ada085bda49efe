"""What a mapping could be, from the names of fields, their values, and what is known already.

Nothing of this is applied by itself: each suggestion says why, and how sure that is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from onefold.standardize.codes import currency
from onefold.standardize.mapping.canonical import CANONICAL, Canonical, Entity, key_of
from onefold.standardize.mapping.schema import Schema
from onefold.standardize.mapping.suggestion import SuggestedCountry, Suggestion
from onefold.standardize.mapping.telephones import telephones
from onefold.standardize.people.birth_dates import birth_date, date_order
from onefold.standardize.people.headers import role_of
from onefold.standardize.people.recognition import SAMPLE, SURE, Guess, recognize
from onefold.standardize.times import micros
from onefold.standardize.units import UNITS, taken_apart, unit_named

_NUMBER = re.compile(r"[^\d\s]{0,4}\s?[+-]?\d[\d.,'\s]*\s?[^\d\s]{0,4}")
_COMMA = re.compile(r"\d,\d{1,2}\D*$")
_POINT = re.compile(r"\d\.\d{1,2}\D*$")
_MONEY = re.compile(r"[$€£¥￥元円]|\b(?:EUR|USD|CNY|RMB|JPY|GBP|CHF)\b")
_CURRENCIES = frozenset(
    [
        "AED",
        "AUD",
        "BRL",
        "CAD",
        "CHF",
        "CNY",
        "CZK",
        "DKK",
        "EUR",
        "GBP",
        "HKD",
        "HUF",
        "IDR",
        "INR",
        "JPY",
        "KRW",
        "MXN",
        "MYR",
        "NOK",
        "NZD",
        "PHP",
        "PLN",
        "RMB",
        "RUB",
        "SEK",
        "SGD",
        "THB",
        "TRY",
        "TWD",
        "USD",
        "VND",
        "ZAR",
    ]
)
_DAYS = (".", "/", "-", "年")
_ROLE_FIELDS = {
    "full_name": "name",
    "given_name": "first_name",
    "family_name": "last_name",
    "gender": "gender",
    "birth_date": "birth_date",
    "company": "company",
    "address": "address",
    "house_number": "house_number",
    "city": "city",
    "district": "district",
    "state": "state",
    "postcode": "postal_code",
    "country": "country",
    "email": "email",
    "phone": "phone",
}
_OF_PEOPLE = ("address", "person", "contact")
_OTHERS = ("order", "line", "ticket", "account", "consent")
_IDS = {"order": "order_id", "line": "sku", "ticket": "ticket_id", "account": "account_id"}
_KNOWN = 0.3
_AMOUNTS = frozenset(CANONICAL["order"].fields["revenue"].words) - {"value", "total"}
_OF_MONEY = (
    "revenue", "turnover", "amount", "spent", "spend", "umsatz", "betrag", "saldo", "balance", "guthaben",
    "金额", "消费", "余额", "营业额", "金額", "売上", "残高", "購入額",
)  # fmt: skip
"""What stands within the names of amounts."""


class SuggestedMapping(msgspec.Struct, frozen=True):
    """A mapping that could be, as the body of a definition, and each field with its reason.

    `country` is proposed where telephone numbers do not name theirs; `notes` say what has to be decided
    before it is used.
    """

    body: dict[str, Any]
    fields: tuple[Suggestion, ...]
    country: SuggestedCountry | None = None
    notes: tuple[str, ...] = ()


def suggest_mapping(
    columns: Mapping[str, Sequence[Any]],
    known: Mapping[str, Mapping[str, float]] = {},
    country: str | None = None,
    schema: Schema = CANONICAL,
) -> SuggestedMapping:
    """A mapping for records with these fields, from some hundred values of each.

    `known` gives, of a field, the share of its values that are identifiers of a kind already; `country` is
    that of most of the workspace's telephone numbers, `schema` its canonical schema.

    >>> found = suggest_mapping({"Kunden-Nr.": ["17", "18"], "E-Mail": ["a@b.de", "c@d.de"], "Ort": ["Bonn"]})
    >>> found.body["identifiers"], found.body["traits"]
    ({'user_id': 'Kunden-Nr.', 'email': 'E-Mail'}, {'city': 'Ort'})
    """
    texts = {
        name: [str(one) for one in values[:SAMPLE] if one not in (None, "")]
        for name, values in columns.items()
    }
    guesses = recognize(columns)
    about = _about(texts, schema)
    fields: list[Suggestion] = []
    taken: set[str] = set()
    ranked = sorted(texts, key=lambda name: -_named(name, about)[1])
    found = {}
    for name in ranked:
        one = _suggested(name, texts[name], guesses[name], about, known.get(name, {}))
        if one.target in taken:
            reason = f"another field is {one.target}"
            one = msgspec.structs.replace(one, target="", how=None, confidence=0.0, reason=reason)
        elif one.target:
            taken.add(one.target)
        found[name] = one
    fields = [found[name] for name in texts]
    numbers = [one for name in texts if _is_phone(found[name]) for one in texts[name]]
    beside = {name: [] if _is_phone(found[name]) else some for name, some in texts.items()}
    phones = telephones(numbers, beside, country)
    body = _body(fields, about)
    if phones.country and phones.country.confidence >= SURE:
        body = {"country": phones.country.code, **body}
    notes = [phones.note] if phones.note else []
    if "identifiers" not in body:
        notes.append("nothing says whom the records are about: name an identifier")
    return SuggestedMapping(body, tuple(fields), phones.country, tuple(notes))


def _is_phone(one: Suggestion) -> bool:
    return one.target == "identifiers.phone"


class _About(NamedTuple):
    """What records are about, and the fields of people, which may stand beside."""

    name: str
    entity: Entity
    people: Mapping[str, Canonical]

    def field(self, name: str) -> Canonical:
        return self.entity.fields.get(name) or self.people[name]


def _about(texts: Mapping[str, Sequence[str]], schema: Schema) -> _About:
    """What the records are about: the entity of which most of the fields are named, else a person."""
    people = {name: one for some in _OF_PEOPLE for name, one in schema[some].fields.items()}
    keys = {key_of(name) for name in texts}
    best, most = "person", 1
    for entity in (*_OTHERS, *(name for name in schema if name not in CANONICAL)):
        own = [
            name
            for name, one in schema[entity].fields.items()
            if name not in people and keys & set(one.words)
        ]
        needed = _IDS.get(entity)
        if len(own) > most and (needed is None or needed in own):
            best, most = entity, len(own)
    best = "person" if best == "consent" else best
    return _About(best, schema[best], people)


def _named(name: str, about: _About) -> tuple[str, float]:
    """The canonical field that a name means, and how sure that is."""
    key = key_of(name)
    for fields, sure in ((about.entity.fields, 0.95), (about.people, 0.9)):
        for field, one in fields.items():
            if key == one.words[0]:
                return field, sure
        for field, one in fields.items():
            if key in one.words:
                return field, sure - 0.03
    return "", 0.0


def _suggested(
    name: str, values: list[str], guess: Guess, about: _About, known: Mapping[str, float]
) -> Suggestion:
    """The best of what its name, its values and what is known say."""
    kind, share = max(known.items(), key=lambda one: one[1], default=("", 0.0))
    if share >= _KNOWN:
        reason = f"{share:.0%} of its values are known as {kind}"
        return Suggestion(name, f"identifiers.{kind}", name, round(0.6 + 0.39 * share, 2), reason)
    field, sure = _named(name, about)
    if field and (fault := _unlike(field, about, values)):
        return Suggestion(name, "", None, 0.3, f"its name means {field}, but {fault}")
    if field:
        return _placed(name, field, about, values, sure, "its name")
    dated = guess.role == "phone" and _share(values, _is_written_time) >= 0.9
    if guess.role in _ROLE_FIELDS and guess.confidence >= SURE and not dated:
        return _placed(
            name, _ROLE_FIELDS[guess.role], about, values, guess.confidence, guess.reason
        )
    if role_of(name)[0] == "identifier":
        return Suggestion(name, "identifiers.user_id", name, 0.8, "its name")
    if _is_amount(name) and values and _share(values, _is_number) >= 0.8:
        return _amount(name, values, about, 0.75, "its name: an amount of money")
    return _by_values(name, values, about)


def _placed(
    name: str, field: str, about: _About, values: list[str], sure: float, reason: str
) -> Suggestion:
    one = about.field(field)
    how, more, less = _how(name, one, values)
    place = {"id": "id", "time": "time", "group": "group"}.get(one.place, one.place)
    reason = "; ".join(part for part in (reason, more) if part)
    return Suggestion(name, place, how, round(sure * less, 2), reason)


def _how(name: str, one: Canonical, values: list[str]) -> tuple[Any, str, float]:
    """What is written for a field, what else is to be told of it, and how much less sure it is."""
    if one.place == "time" or one.type in ("date", "time"):
        how: dict[str, Any] = {"from": name}
        if one.place != "time":
            how["type"] = one.type
        order = date_order(values)
        if order:
            return {**how, "format": order}, f"its dates are written {order}", 1.0
        if any(birth_date(value[:10].strip()).other for value in values):
            return how, "whether day or month comes first stays open: say its format", 0.6
        return (name if how == {"from": name} else how), "", 1.0
    if one.type == "number":
        if _is_comma(values):
            return {"from": name, "decimal": ","}, "its numbers have decimal commas", 1.0
        grouped = any("," in value for value in values)
        return (
            ({"from": name, "decimal": "."} if grouped else {"from": name, "type": "number"}),
            "",
            1.0,
        )
    if one.type == "boolean":
        return {"from": name, "type": "boolean"}, "", 1.0
    return name, "", 1.0


def _is_comma(values: Sequence[str]) -> bool:
    commas = sum(_COMMA.search(value) is not None for value in values)
    return commas > sum(_POINT.search(value) is not None for value in values)


def _unlike(field: str, about: _About, values: list[str]) -> str:
    """How the values of a field contradict what its name says; nothing if they do not."""
    one = about.field(field)
    if not values:
        return ""
    if one.type == "number" and _share(values, _is_number) < 0.5:
        return "its values are not numbers"
    if (one.type in ("date", "time") or one.place == "time") and _share(values, _is_time) < 0.5:
        return "its values are not dates"
    if field == "email" and _share(values, lambda value: "@" in value) < 0.5:
        return "its values are not e-mail addresses"
    if field == "currency" and _share(values, lambda value: len(value) <= 4) < 0.5:
        return "its values are not currencies"
    return ""


def _is_amount(name: str) -> bool:
    """Does a name speak of money, whatever stands around that: `Umsatz 2025`, `total_spent`?"""
    key = key_of(name)
    return key in _AMOUNTS or any(word in key for word in _OF_MONEY)


def _amount(name: str, values: list[str], about: _About, sure: float, reason: str) -> Suggestion:
    """A number beside what is known of an entity. Without a comma anywhere no sign need be told."""
    how: dict[str, Any] = {"from": name, "type": "number"}
    if any("," in value for value in values):
        how["decimal"] = "," if _is_comma(values) else "."
    target = f"{_beside(about)}.{_trait_name(name)}"
    return Suggestion(name, target, how, sure, reason)


def _beside(about: _About) -> str:
    """Where what is not in the schema stands."""
    return "traits" if about.entity.type in ("identify", "group") else "properties"


def _by_values(name: str, values: list[str], about: _About) -> Suggestion:
    """What the values alone say."""
    distinct = set(values)
    if not values:
        return Suggestion(name, "", None, 0.0, "it is empty")
    place = _beside(about)
    target = f"{place}.{_trait_name(name)}"
    if _share(values, lambda value: value.upper() in _CURRENCIES or _has_name(value)) >= 0.9:
        return Suggestion(name, f"{place}.currency", name, 0.8, "its values: currencies")
    if _share(values, _is_written_time) >= 0.9:
        how: dict[str, Any] = {"from": name, "type": "time"}
        if order := date_order(values):
            how["format"] = order
        return Suggestion(name, target, how, 0.6, "its values: dates and times")
    if _share(values, lambda value: _MONEY.search(value) is not None and _is_number(value)) >= 0.8:
        return _amount(name, values, about, 0.7, "its values: amounts of money")
    if quantity := _quantity(name, values):
        return Suggestion(name, target, quantity, 0.7, "its values: numbers with their units")
    if len(values) > 5 and len(distinct) == len(values) and _share(values, _is_code) >= 0.95:
        kind = "user_id" if about.name == "person" else ""
        reason = "its values: codes, another one in each record"
        if kind:
            return Suggestion(name, f"identifiers.{kind}", name, 0.5, reason)
        return Suggestion(name, target, name, 0.5, reason)
    if 1 < len(distinct) <= min(20, len(values) // 2):
        return Suggestion(name, target, name, 0.4, f"its values: one of {len(distinct)}")
    return Suggestion(name, "", None, 0.0, "neither its name nor its values say what it holds")


def _has_name(value: str) -> bool:
    """Is it the name of a currency, and no number or short word that may be anything?"""
    return len(value) > 2 and value.isalpha() and currency(value) is not None


def _quantity(name: str, values: Sequence[str]) -> dict[str, Any] | None:
    """How a column of quantities in units of one kind is read, in the unit that most have."""
    parts = [taken_apart(value) for value in values]
    units = Counter(unit for one in parts if one and (unit := unit_named(one[1])))
    kinds = {UNITS[unit].kind for unit in units}
    if units.total() < 0.7 * len(values) or len(kinds) != 1 or kinds & {"money", "share"}:
        return None
    how: dict[str, Any] = {"from": name, "unit": {"to": units.most_common(1)[0][0]}}
    if any("," in str(one[0]) for one in parts if one):
        how["decimal"] = ","
    return how


def _body(fields: Sequence[Suggestion], about: _About) -> dict[str, Any]:
    """The suggestions as the body of a mapping."""
    entity = about.entity
    body: dict[str, Any] = {"event": entity.event} if entity.event else {}
    if entity.type not in ("identify", "track"):
        body["type"] = entity.type
    for name in ("id", "time", "group", "identifiers", "traits", "properties"):
        inner = {
            one.target.partition(".")[2]: one.how
            for one in fields
            if one.target.partition(".")[0] == name and one.confidence >= SURE
        }
        if inner:
            body[name] = inner.get("", inner)
    if "id" in body:
        name = next(name for name, one in entity.fields.items() if one.place == "id")
        body["properties"] = {name: body["id"], **body.get("properties", {})}
    return body


def _share(values: Sequence[str], fits: Any) -> float:
    return sum(map(bool, map(fits, values))) / len(values) if values else 0.0


def _is_number(value: str) -> bool:
    return _NUMBER.fullmatch(value.strip()) is not None


def _is_time(value: str) -> bool:
    if micros(value) is not None:
        return True
    day = re.split(r"[T ]", value.strip(), maxsplit=1)[0]
    return birth_date(day).day is not None or birth_date(value).day is not None


def _is_written_time(value: str) -> bool:
    return any(sign in value for sign in _DAYS) and not value.isdigit() and _is_time(value)


def _is_code(value: str) -> bool:
    if _is_number(value) and (_COMMA.search(value) or _POINT.search(value)):
        return False
    return len(value) <= 40 and " " not in value and any(map(str.isdigit, value))


def _trait_name(name: str) -> str:
    """A name as traits have it, in any script."""
    return re.sub(r"\W+", "_", name.strip()).strip("_").lower()[:100] or "field"
