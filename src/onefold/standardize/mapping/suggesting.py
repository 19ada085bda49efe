"""What a mapping could be, from the names of fields, their values, and what is known already.

Nothing of this is applied by itself: each suggestion says why, and how sure that is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from onefold.standardize.mapping import seen
from onefold.standardize.mapping.canonical import CANONICAL, Canonical, Entity, key_of
from onefold.standardize.mapping.naming import Naming, are_values, has_stem, is_id
from onefold.standardize.mapping.schema import Schema
from onefold.standardize.mapping.suggestion import SuggestedCountry, Suggestion
from onefold.standardize.mapping.telephones import telephones
from onefold.standardize.people.birth_dates import birth_date, date_order
from onefold.standardize.people.headers import role_of
from onefold.standardize.people.recognition import SAMPLE, SURE, Guess, recognize

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
_OF_PEOPLE = ("address", "person", "contact", "consent")
_OTHERS = ("order", "line", "ticket", "account")
_IDS = {"order": "order_id", "line": "sku", "ticket": "ticket_id", "account": "account_id"}
_BOUGHT = frozenset({"quantity", "order_id", "ordered_at"})
"""What a line of an order has, and a list of products has not."""
_WHO_OR_NUMBER = frozenset({"customer", "client", "kunde", "buyer", "顧客", "客户", "会员", "会員"})
"""Names of fields that may be a customer's name or number: their values tell."""
_KNOWN, _SHARED = 0.3, 20
_STATES_NUMBER = (
    "a number that a state gives to one person: map it by hand where it is really needed"
)
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
    every = [
        _suggested(name, texts[name], guesses[name], about, known.get(name, {})) for name in texts
    ]
    fields = _timed(_once(every), texts, about)
    found = {one.field: one for one in fields}
    numbers = [one for name in texts if _is_phone(found[name]) for one in texts[name]]
    beside = {name: [] if _is_phone(found[name]) else some for name, some in texts.items()}
    phones = telephones(numbers, beside, country)
    body = _body(fields, about)
    if phones.country and phones.country.confidence >= SURE:
        body = {"country": phones.country.code, **body}
    notes = [phones.note] if phones.note else []
    if are_values(texts):
        notes.append(
            "the names of the fields look like values: read a file without a header with `--option header=0`"
        )
    if "identifiers" not in body:
        notes.append("nothing says whom the records are about: name an identifier")
    return SuggestedMapping(body, tuple(fields), phones.country, tuple(notes))


def _once(every: Sequence[Suggestion]) -> list[Suggestion]:
    """Each target for the one field that is surest of it."""
    best: dict[str, Suggestion] = {}
    for one in sorted(every, key=lambda one: -one.confidence):
        if one.target:
            best.setdefault(one.target, one)
    return [
        one
        if not one.target or best[one.target] is one
        else Suggestion(one.field, "", None, 0.0, f"another field is {one.target}")
        for one in every
    ]


def _timed(
    fields: list[Suggestion], texts: Mapping[str, Sequence[str]], about: _About
) -> list[Suggestion]:
    """The one column of times says when it happened, whatever it is called."""
    if not about.entity.event or any(one.target == "time" for one in fields):
        return fields
    dated = [one for one in fields if one.target and _is_dated(one, texts[one.field])]
    if len(dated) != 1:
        return fields
    (one,) = dated
    how = {key: value for key, value in one.how.items() if key != "type"}
    reason = f"{one.reason}; the only ones in it"
    time = Suggestion(one.field, "time", how if len(how) > 1 else one.field, 0.6, reason)
    return [time if each is one else each for each in fields]


def _is_dated(one: Suggestion, values: Sequence[str]) -> bool:
    return isinstance(one.how, dict) and one.how.get("type") == "time" and bool(values)


def _is_phone(one: Suggestion) -> bool:
    return one.target == "identifiers.phone"


class _About(NamedTuple):
    """What records are about, the fields of people, which may stand beside, and how names are read."""

    name: str
    entity: Entity
    people: Mapping[str, Canonical]
    naming: Naming

    def field(self, name: str) -> Canonical:
        return self.entity.fields.get(name) or self.people[name]


def _about(texts: Mapping[str, Sequence[str]], schema: Schema) -> _About:
    """What the records are about: the entity of which most of the fields are named, else a person."""
    people = {name: one for some in _OF_PEOPLE for name, one in schema[some].fields.items()}
    naming = Naming(texts)
    best, most = "person", 1
    for entity in (*_OTHERS, *(name for name in schema if name not in CANONICAL)):
        fields = schema[entity].fields
        found = {naming.field(name, fields)[0]: name for name in texts}
        own = {field for field in found if field and field not in people}
        needed = _IDS.get(entity)
        if needed is not None and needed not in own and not {"ordered_at", "status"} <= own:
            continue
        if entity == "line" and not own & _BOUGHT:
            continue
        # Its own number in each row, and an amount: no other field need be named as the schema does.
        count = len(own)
        if entity == "order" and count == 1 and _is_own(texts[found["order_id"]]):
            count += any(_is_amount(name) for name in texts)
        if count > most:
            best, most = entity, count
    return _About(best, schema[best], people, naming)


def _is_own(values: Sequence[str]) -> bool:
    return len(set(values)) == len(values)


def _named(name: str, about: _About) -> tuple[str, float]:
    """The canonical field that a name means, and how sure that is."""
    for fields, sure in ((about.entity.fields, 0.95), (about.people, 0.9)):
        field, less = about.naming.field(name, fields)
        if field:
            return field, sure - less
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
    if key_of(about.naming.bare(name)) in _WHO_OR_NUMBER and values:
        field, sure = ("name", 0.8) if seen.share(values, _is_wordy) >= 0.5 else ("user_id", 0.8)
    if field and (fault := _unlike(field, about, values)):
        return Suggestion(name, "", None, 0.3, f"its name means {field}, but {fault}")
    if field:
        return _placed(name, field, about, values, sure, "its name")
    if guess.role == "national_id" and guess.confidence >= SURE:
        return Suggestion(name, "", None, guess.confidence, _STATES_NUMBER)
    if (
        guess.role in _ROLE_FIELDS
        and guess.confidence >= SURE
        and not _is_told_otherwise(name, guess)
    ):
        return _placed(
            name, _ROLE_FIELDS[guess.role], about, values, guess.confidence, guess.reason
        )
    if role_of(name)[0] == "identifier" and len(set(values)) > len(values) // _SHARED:
        return Suggestion(name, "identifiers.user_id", name, 0.8, "its name")
    if _is_amount(name) and values and seen.share(values, seen.is_number) >= 0.8:
        return _amount(name, values, about, 0.75, "its name: an amount of money")
    return _by_values(name, values, about)


def _is_wordy(value: str) -> bool:
    return not any(map(str.isdigit, value)) and len(value) > 1


def _is_told_otherwise(name: str, guess: Guess) -> bool:
    """Does its name say that what looks like a telephone number is the number of something else?"""
    return guess.role == "phone" and is_id(name) and has_stem(name) and "values" in guess.reason


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
        if seen.are_comma(values):
            return {"from": name, "decimal": ","}, "its numbers have decimal commas", 1.0
        grouped = any("," in value for value in values)
        return (
            ({"from": name, "decimal": "."} if grouped else {"from": name, "type": "number"}),
            "",
            1.0,
        )
    if one.type == "boolean":
        return {"from": name, "type": "boolean"}, "say yes only where it means consent", 0.9
    field = one.place.rpartition(".")[2]
    if field in seen.CODES and seen.are_coded(field, values):
        return {"from": name, "type": field}, "its values are read as codes", 1.0
    return name, "", 1.0


def _unlike(field: str, about: _About, values: list[str]) -> str:
    """How the values of a field contradict what its name says; nothing if they do not."""
    one = about.field(field)
    if not values:
        return ""
    if one.type == "boolean" and seen.share(values, seen.is_yes_or_no) < 1:
        return "not all of its values are yes or no"
    if one.type == "number" and seen.share(values, seen.is_number) < 0.5:
        return "its values are not numbers"
    if (one.type in ("date", "time") or one.place == "time") and seen.share(
        values, seen.is_time
    ) < 0.5:
        return "its values are not dates"
    if field == "email" and seen.share(values, lambda value: "@" in value) < 0.5:
        return "its values are not e-mail addresses"
    if field == "currency" and seen.share(values, lambda value: len(value) <= 4) < 0.5:
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
        how["decimal"] = "," if seen.are_comma(values) else "."
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
    if seen.share(values, seen.is_currency) >= 0.9:
        how = {"from": name, "type": "currency"} if seen.are_coded("currency", values) else name
        return Suggestion(name, f"{place}.currency", how, 0.8, "its values: currencies")
    if seen.share(values, seen.is_written_time) >= 0.9:
        how = {"from": name, "type": "time"}
        if order := date_order(values):
            how["format"] = order
        return Suggestion(name, target, how, 0.6, "its values: dates and times")
    if seen.share(values, seen.is_money) >= 0.8:
        return _amount(name, values, about, 0.7, "its values: amounts of money")
    if quantity := seen.quantity(name, values):
        return Suggestion(name, target, quantity, 0.7, "its values: numbers with their units")
    if seen.are_amounts(values):
        return _amount(name, values, about, 0.55, "its values: numbers as amounts of money are")
    if (
        len(values) > 5
        and len(distinct) == len(values)
        and seen.share(values, seen.is_code) >= 0.95
    ):
        return _coded(name, values, about)
    if 1 < len(distinct) <= min(20, len(values) // 2):
        return Suggestion(name, target, name, 0.4, f"its values: one of {len(distinct)}")
    return Suggestion(name, "", None, 0.0, "neither its name nor its values say what it holds")


def _coded(name: str, values: Sequence[str], about: _About) -> Suggestion:
    """What has another code or number in each record: the id of a person, unless it is that of something else."""
    target = f"{_beside(about)}.{_trait_name(name)}"
    if is_id(name) and has_stem(name):
        sure = 0.4 if about.name == "person" else 0.5
        return Suggestion(name, target, name, sure, "its name and values: the id of something")
    reason = "its values: codes, another one in each record"
    if about.name != "person":
        return Suggestion(name, target, name, 0.5, reason)
    if is_id(name) or seen.are_counted(values):
        return Suggestion(name, "identifiers.user_id", name, 0.6 if is_id(name) else 0.5, reason)
    reason = "its values: another number in each record, as an id or a measured value"
    return Suggestion(name, target, name, 0.3, reason)


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


def _trait_name(name: str) -> str:
    """A name as traits have it, in any script."""
    return re.sub(r"\W+", "_", name.strip()).strip("_").lower()[:100] or "field"
