"""The parts of all fields of a record, put together to one person: many at once, and one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from onefold.model.person import COLUMNS, Person
from onefold.standardize.people.emails import JUNK_LOCALS, mailbox
from onefold.standardize.people.names import (
    family_parts,
    family_sounds,
    given_is_chinese,
    given_sounds,
    sorted_words,
    sounds,
)
from onefold.standardize.people.nicknames import is_known, nickname_roots
from onefold.standardize.people.plain import listed

_PLACES = ("city", "district", "state", "postcode", "country")


class _Given(dict[str, str]):
    """The names of the parts that there are; each other one is NULL."""

    def __missing__(self, name: str) -> str:
        return "NULL"


def _own(name: str, part: str) -> str:
    """Of the separate columns of a name, or of the whole name where these are empty."""
    return f"CASE WHEN {{given}} IS NULL AND {{family}} IS NULL THEN {{whole_{name}}} ELSE {{{part}}} END"


_NAMES = {
    "given_name": _own("given_name", "given"),
    "family_name": _own("family_name", "family"),
    "given_han": _own("given_han", "given_han"),
    "family_han": _own("family_han", "family_han"),
}
_WORDS = "string_split(concat_ws(' ', given_name, family_name), ' ')"
_MANY = "contains(given_name, ' ') OR contains(family_name, ' ')"
_TWO = "least(given_name, family_name) || ' ' || greatest(given_name, family_name)"
_NICKS = "list_concat(coalesce({nick_roots}, []), coalesce({whole_nick_roots}, []))"
_EXPRESSIONS = {
    **{name: name for name in _NAMES},
    "middle_name": "coalesce(nullif(concat_ws(' ', {given_more}, {middle}), ''), {whole_middle_name})",
    "former_name": "coalesce({former}, {whole_former_name})",
    "name_suffix": "coalesce({suffix}, {family_suffix}, {whole_name_suffix})",
    "given_chinese": "CASE WHEN given_name IS NOT NULL THEN given_han IS NOT NULL OR"
    " (g.chinese AND NOT g.known AND (family_han IS NOT NULL OR coalesce(f.chinese, FALSE))) END",
    "nickname_roots": "CASE WHEN {nick_roots} IS NULL AND {whole_nick_roots} IS NULL THEN g.roots ELSE"
    f" list_sort(list_distinct(list_concat({_NICKS}, coalesce(g.roots, [])))) END",
    "family_parts": "f.parts",
    "name_sorted": "CASE WHEN given_name IS NULL AND family_name IS NULL THEN NULL"
    f" WHEN {_MANY} OR given_name IS NULL OR family_name IS NULL"
    f" THEN array_to_string(list_sort({_WORDS}), ' ') ELSE {_TWO} END",
    "given_sound": "CASE WHEN given_han IS NOT NULL OR (g.chinese AND"
    " (family_han IS NOT NULL OR f.chinese)) THEN g.pinyin ELSE g.sound END",
    "family_sound": "CASE WHEN family_han IS NOT NULL OR (f.chinese AND"
    " (given_han IS NOT NULL OR g.chinese)) THEN f.pinyin ELSE f.sound END",
    "gender": "coalesce({gender}, {id_gender})",
    "birth_date": "coalesce({birth_date}, {id_birth_date})",
    "birth_date_other": "{birth_date_other}",
    "birth_date_weak": "{birth_date_weak}",
    "birth_digits": "coalesce({birth_digits}, {id_birth_digits})",
    "birth_year": "coalesce({birth_year}, {year_only}, {id_birth_year})",
    "email": "{email}",
    "email_local": "{email_local}",
    "email_domain": "{email_domain}",
    "emails": "{emails}",
    "phone": "{phone}",
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


def assembly_query(parts: Mapping[str, str], tables: str) -> str:
    """The query that makes the standard columns.

    `parts` says how each part is got from `tables`; those of e-mails, telephones and identifiers are
    numbered from 0. What follows from a name is in the tables `given_names` and `family_names`.
    """
    known = _Given({name: name for name in parts})
    boxes = [each.removeprefix("local") for each in _numbered("local", parts)]
    mails = {f"mail{end}": f"box{end} || '@' || domain{end}" for end in boxes}
    known |= _firsts([*mails], "email") | _firsts(_numbered("phone", parts), "phone")
    for name, source in (("email_local", "box"), ("email_domain", "domain")):
        cases = "".join(f" WHEN mail{end} IS NOT NULL THEN {source}{end}" for end in boxes)
        known |= {name: f"CASE{cases} END"} if boxes else {}
    known["identifiers"] = _list(_numbered("identifier", parts))
    columns = [
        f"CAST({_EXPRESSIONS[name].format_map(known)} AS {kind}) AS {name}"
        for name, kind in COLUMNS.items()
    ]
    # (each line is a step of its own, so that no expression is computed twice)
    own = ", ".join(f"{sql} AS {name}" for name, sql in parts.items())
    made = {name: sql.format_map(known) for name, sql in _NAMES.items()}
    made |= {f"box{end}": _mailbox_sql(end) for end in boxes}
    rest = [name for name in parts if name not in _NAMES]
    named = ", ".join([*rest, *(f"{sql} AS {name}" for name, sql in made.items())])
    mailed = "".join(f", {sql} AS {name}" for name, sql in mails.items())
    return (
        f"SELECT record_id, source, {', '.join(columns)} FROM (SELECT *{mailed} FROM"
        f" (SELECT record_id, source, {named}"
        f" FROM (SELECT record_id, source{', ' if own else ''}{own} FROM {tables})))"
        " LEFT JOIN given_names AS g ON given_name = g.name"
        " LEFT JOIN family_names AS f ON family_name = f.name"
    )


def given_facts(name: str) -> tuple[Any, ...]:
    """What follows from a given name, for the table `given_names`: `GIVEN_FACTS`."""
    return nickname_roots(name), *given_sounds(name), is_known(name)


def family_facts(name: str) -> tuple[Any, ...]:
    """What follows from a family name, for the table `family_names`: `FAMILY_FACTS`."""
    return family_parts(name), *family_sounds(name)


_SOUNDS = {"sound": "VARCHAR", "pinyin": "VARCHAR", "chinese": "BOOLEAN"}
GIVEN_FACTS = {"roots": "VARCHAR[]", **_SOUNDS, "known": "BOOLEAN"}
FAMILY_FACTS = {"parts": "VARCHAR[]", **_SOUNDS}


def _numbered(name: str, parts: Collection[str]) -> list[str]:
    count = sum(part.startswith(f"{name}_") and part[len(name) + 1 :].isdigit() for part in parts)
    return [f"{name}_{number}" for number in range(count)]


def _mailbox_sql(end: str) -> str:
    """A mailbox without tag and dots; NULL where it is nobody's."""
    own = f"split_part(local{end}, '+', 1)"
    box = f"CASE WHEN domain{end} = 'gmail.com' THEN replace({own}, '.', '') ELSE trim({own}, '.') END"
    junk = listed(("", *JUNK_LOCALS))
    return f"CASE WHEN {box} NOT IN ({junk}) THEN {box} END"


def _firsts(values: list[str], name: str) -> dict[str, str]:
    """The first value that there is, and all of them."""
    return {name: f"coalesce({', '.join(values)})", f"{name}s": _list(values)} if values else {}


def _list(values: list[str]) -> str:
    """The values that there are, each once, in their order; NULL where there is none."""
    if not values:
        return "NULL"
    if len(values) == 1:
        return f"(CASE WHEN {values[0]} IS NOT NULL THEN [{values[0]}] END)"
    if len(values) == 2:
        one, two = values
        return (
            f"(CASE WHEN {one} IS NULL THEN CASE WHEN {two} IS NOT NULL THEN [{two}] END"
            f" WHEN {two} IS NULL OR {one} = {two} THEN [{one}] ELSE [{one}, {two}] END)"
        )
    every = f"list_filter([{', '.join(values)}], lambda x: x IS NOT NULL)"
    once = f"list_filter({every}, lambda x, i: list_position({every}, x) = i)"
    return f"(CASE WHEN len({every}) > 0 THEN {once} END)"


def assembled(parts: Mapping[str, Any]) -> Person:
    """One person of the parts of one record; the same that the query gives."""
    get = parts.get
    emails = _once(_mailbox(parts, name) for name in _numbered("local", parts))
    phones = _once(get(name) for name in _numbered("phone", parts))
    local, _, domain = emails[0].partition("@") if emails else (None, None, None)
    return Person(
        **_name_columns(parts),
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


def _name_columns(parts: Mapping[str, Any]) -> dict[str, Any]:
    get = parts.get
    own = get("given") is not None or get("family") is not None
    given, family = (
        (get("given"), get("family"))
        if own
        else (get("whole_given_name"), get("whole_family_name"))
    )
    han = [get(f"{which}_han" if own else f"whole_{which}_han") for which in ("given", "family")]
    nicks = (*(get("nick_roots") or ()), *(get("whole_nick_roots") or ()))
    roots = nickname_roots(given or "")
    others = " ".join(filter(None, (get("given_more"), get("middle"))))
    first, last = sounds(given, family, (han[0] is not None, han[1] is not None))
    return {
        "given_name": given,
        "middle_name": others or get("whole_middle_name"),
        "family_name": family,
        "former_name": _first(parts, "former", "whole_former_name"),
        "name_suffix": _first(parts, "suffix", "family_suffix", "whole_name_suffix"),
        "given_han": han[0],
        "family_han": han[1],
        "given_chinese": given_is_chinese(given, family, (han[0] is not None, han[1] is not None)),
        "nickname_roots": tuple(sorted({*roots, *nicks})) or None,
        "family_parts": family_parts(family),
        "name_sorted": sorted_words(given, family),
        "given_sound": first,
        "family_sound": last,
    }


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
