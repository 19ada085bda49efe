"""The parts of all fields of a record, put together to one person: many at once, and one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlglot import exp

from onefold.model.person import COLUMNS, Person
from onefold.standardize.people.emails import JUNK_LOCALS, mailbox
from onefold.standardize.people.names import sorted_words

_PLACES = ("city", "district", "state", "postcode", "country")


class _Given(dict[str, str]):
    """The names of the parts that there are; each other one is NULL."""

    def __missing__(self, name: str) -> str:
        return "NULL"


_NO_PARTS = "{given} IS NULL AND {family} IS NULL"
_CHINESE = "{given_pinyin_sound} IS NOT NULL AND {family_pinyin_sound} IS NOT NULL"


def _apart(whole: str, own: str) -> str:
    """Of the separate columns of a name, or of the whole name where these are empty."""
    return f"CASE WHEN {_NO_PARTS} THEN {{whole_{whole}}} ELSE {own} END"


def _sound(which: str) -> str:
    own = f"CASE WHEN {_CHINESE} THEN {{{which}_pinyin_sound}} ELSE {{{which}_sound}} END"
    return _apart(f"{which}_sound", own)


_WORDS = "concat_ws(' ', {given}, {family})"
_ROOTS = "coalesce({given_roots}, {whole_nickname_roots})"
_EXPRESSIONS = {
    "given_name": _apart("given_name", "{given}"),
    "middle_name": "coalesce(nullif(concat_ws(' ', {given_more}, {middle}), ''), {whole_middle_name})",
    "family_name": _apart("family_name", "{family}"),
    "former_name": "coalesce({former}, {whole_former_name})",
    "name_suffix": "coalesce({suffix}, {family_suffix}, {whole_name_suffix})",
    "given_han": _apart("given_han", "{given_han}"),
    "family_han": _apart("family_han", "{family_han}"),
    "nickname_roots": f"CASE WHEN {{nick_roots}} IS NULL THEN {_ROOTS} ELSE"
    f" list_sort(list_distinct(list_concat({{nick_roots}}, coalesce({_ROOTS}, [])))) END",
    "family_parts": _apart("family_parts", "{family_parts}"),
    "name_sorted": _apart(
        "name_sorted", f"array_to_string(list_sort(string_split({_WORDS}, ' ')), ' ')"
    ),
    "given_sound": _sound("given"),
    "family_sound": _sound("family"),
    "gender": "coalesce({gender}, {id_gender})",
    "birth_date": "coalesce({birth_date}, {id_birth_date})",
    "birth_date_other": "{birth_date_other}",
    "birth_date_weak": "{birth_date_weak}",
    "birth_digits": "coalesce({birth_digits}, {id_birth_digits})",
    "birth_year": "coalesce({birth_year}, {year_only}, {id_birth_year})",
    "email": "{emails}[1]",
    "email_local": "split_part({emails}[1], '@', 1)",
    "email_domain": "split_part({emails}[1], '@', 2)",
    "emails": "{emails}",
    "phone": "{phones}[1]",
    "phone_extension": "{extension_0}",
    "phones": "{phones}",
    "house_number": "coalesce({house_number}, {line_house_number}, {more_number})",
    "street": "coalesce({line_street}, {more_street})",
    "unit": "coalesce({unit}, {line_unit}, {more_unit})",
    "po_box": "coalesce({po_box}, {line_po_box}, {more_po_box})",
    "address_more": "coalesce(CASE WHEN {line_street} IS NOT NULL THEN {more} END,"
    " {line_address_more})",
    **{name: f"coalesce({{{name}}}, {{line_{name}}})" for name in _PLACES},
    "company": "{company}",
    "national_id": "{id_number}",
    "national_id_kind": "{id_kind}",
    "identifiers": "{identifiers}",
}


def assembly_query(parts: Collection[str], table: str = "parts") -> str:
    """The query that makes the standard columns of a table of parts.

    `parts` are its columns besides `record_id` and `source`; those of e-mails, telephones and
    identifiers are numbered from 0.
    """
    known = _Given({name: name for name in parts})
    known["emails"] = _list(map(_address, _numbered("local", parts)))
    known["phones"] = _list(_numbered("phone", parts))
    known["identifiers"] = _list(_numbered("identifier", parts))
    columns = [
        f"CAST({_EXPRESSIONS[name].format_map(known)} AS {kind}) AS {name}"
        for name, kind in COLUMNS.items()
    ]
    return f"SELECT record_id, source, {', '.join(columns)} FROM {table}"


def _numbered(name: str, parts: Collection[str]) -> list[str]:
    count = sum(part.startswith(f"{name}_") and part[len(name) + 1 :].isdigit() for part in parts)
    return [f"{name}_{number}" for number in range(count)]


def _address(local: str) -> str:
    """An address of a mailbox that may still have its tag and dots."""
    domain = local.replace("local", "domain")
    own = f"split_part({local}, '+', 1)"
    mailbox = (
        f"CASE WHEN {domain} = 'gmail.com' THEN replace({own}, '.', '') ELSE trim({own}, '.') END"
    )
    junk = ", ".join(exp.Literal.string(each).sql("duckdb") for each in ("", *sorted(JUNK_LOCALS)))
    return f"CASE WHEN {mailbox} NOT IN ({junk}) THEN concat({mailbox}, '@', {domain}) END"


def _list(values: Any) -> str:
    """The values that there are, each once, in their order; NULL where there is none."""
    values = list(values)
    if not values:
        return "NULL"
    if len(values) == 1:
        return f"(CASE WHEN {values[0]} IS NOT NULL THEN [{values[0]}] END)"
    every = f"list_filter([{', '.join(values)}], lambda x: x IS NOT NULL)"
    once = f"list_filter({every}, lambda x, i: list_position({every}, x) = i)"
    return f"(CASE WHEN len({every}) > 0 THEN {once} END)"


def assembled(parts: Mapping[str, Any]) -> Person:
    """One person of the parts of one record; the same that the query gives."""
    get = parts.get
    own = get("given") is not None or get("family") is not None
    roots = get("given_roots") or get("whole_nickname_roots")
    if get("nick_roots"):
        roots = tuple(sorted({*get("nick_roots", ()), *(roots or ())}))
    emails = _once(_mailbox(parts, name) for name in _numbered("local", parts))
    phones = _once(get(name) for name in _numbered("phone", parts))
    local, _, domain = emails[0].partition("@") if emails else (None, None, None)
    return Person(
        **_name_columns(parts, own),
        nickname_roots=roots,
        gender=_first(parts, "gender", "id_gender"),
        birth_date=_first(parts, "birth_date", "id_birth_date"),
        birth_date_other=get("birth_date_other"),
        birth_date_weak=get("birth_date_weak"),
        birth_digits=_first(parts, "birth_digits", "id_birth_digits"),
        birth_year=_first(parts, "birth_year", "year_only", "id_birth_year"),
        email=emails[0] if emails else None,
        email_local=local,
        email_domain=domain,
        emails=emails,
        phone=phones[0] if phones else None,
        phone_extension=get("extension_0"),
        phones=phones,
        house_number=_first(parts, "house_number", "line_house_number", "more_number"),
        street=_first(parts, "line_street", "more_street"),
        unit=_first(parts, "unit", "line_unit", "more_unit"),
        po_box=_first(parts, "po_box", "line_po_box", "more_po_box"),
        address_more=(get("line_street") and get("more")) or get("line_address_more"),
        **{name: _first(parts, name, f"line_{name}") for name in _PLACES},
        company=get("company"),
        national_id=get("id_number"),
        national_id_kind=get("id_kind"),
        identifiers=_once(get(name) for name in _numbered("identifier", parts)),
    )


def _name_columns(parts: Mapping[str, Any], own: bool) -> dict[str, Any]:
    get = parts.get
    others = " ".join(filter(None, (get("given_more"), get("middle"))))
    found = {
        "middle_name": others or get("whole_middle_name"),
        "former_name": _first(parts, "former", "whole_former_name"),
        "name_suffix": _first(parts, "suffix", "family_suffix", "whole_name_suffix"),
    }
    if not own:
        return found | {name: get(f"whole_{name}") for name in _OF_WHOLE}
    chinese = get("given_pinyin_sound") is not None and get("family_pinyin_sound") is not None
    kind = "_pinyin_sound" if chinese else "_sound"
    return found | {
        "given_name": get("given"),
        "family_name": get("family"),
        "given_han": get("given_han"),
        "family_han": get("family_han"),
        "family_parts": get("family_parts"),
        "name_sorted": sorted_words(get("given"), get("family")),
        "given_sound": get(f"given{kind}"),
        "family_sound": get(f"family{kind}"),
    }


_OF_WHOLE = (
    "given_name", "family_name", "given_han", "family_han", "family_parts", "name_sorted",
    "given_sound", "family_sound",
)  # fmt: skip


def _first(parts: Mapping[str, Any], *names: str) -> Any:
    return next((parts[name] for name in names if parts.get(name) is not None), None)


def _mailbox(parts: Mapping[str, Any], name: str) -> str | None:
    local, domain = parts[name], parts.get(name.replace("local", "domain"))
    if local is None or domain is None:
        return None
    own = mailbox(local, domain)
    return f"{own}@{domain}" if own and own not in JUNK_LOCALS else None


def _once(values: Any) -> tuple[str, ...] | None:
    return tuple(dict.fromkeys(value for value in values if value is not None)) or None
