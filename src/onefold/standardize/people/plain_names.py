"""Whole names that are written the plain way, in SQL: two words or three, none of them special."""

from __future__ import annotations

from onefold.standardize.people import chinese_names, names, text
from onefold.standardize.people.plain import Steps, listed, matches

_LAST_FIRST = "[A-Z][a-z]+, [A-Z][a-z]+(?: [A-Z][a-z]*)?|[A-Z]{2,}, [A-Z]{2,}(?: [A-Z]+)?"
_FIRST_LAST = (
    "[A-Z][a-z]+(?: [A-Z][a-z]*)? [A-Z][a-z]+|[A-Z]{2,}(?: [A-Z]+)? [A-Z]{2,}"
    "|[a-z]{2,}(?: [a-z]+)? [a-z]{2,}"
)
_SPECIAL = (
    names.PREFIXES | names.PARTICLES | names.CREDENTIALS | names.SUFFIXES.keys() | names.JUNK
    | {word for word in text.NOTHING if word.isascii()} | names.MAIDEN_WORDS
)  # fmt: skip


def name_steps(value: str) -> Steps:
    """`plain_given`, `plain_middle` and `plain_family` of a plain name, and the text if it is none.

    A name of which two words may be pinyin is not plain, nor one that begins with a Chinese family name: its order is
    to be found out.
    """
    two, last = "name_words[1]", "name_words[-1]"
    given = f"CASE WHEN comma THEN name_words[2] ELSE {two} END"
    middle = "CASE WHEN len(name_words) = 3 THEN CASE WHEN comma THEN name_words[3] ELSE name_words[2] END END"
    family = f"CASE WHEN comma THEN {two} ELSE {last} END"
    nothing = listed({word for word in text.NOTHING if " " in word} | names.JUNK)
    pinyin = chinese_names.PINYIN.pattern
    special = listed(_SPECIAL)
    leading = listed(chinese_names.leading_names())
    may_be_pinyin = [matches(name, pinyin) for name in ("name_1", "name_2", "name_3")]
    return [
        {
            "comma": f"contains({value}, ',')",
            "name_words": f"CASE WHEN length({value}) <= 60 AND {matches(value, _FIRST_LAST + '|' + _LAST_FIRST)}"
            f" THEN string_split(lower(replace({value}, ',', '')), ' ') END",
        },
        {"name_1": given, "name_2": middle, "name_3": family},
        {
            "is_plain": f"name_1 NOT IN ({special}) AND name_3 NOT IN ({special})"
            f" AND array_to_string(name_words, '') NOT IN ({nothing})"
            f" AND array_to_string(name_words, ' ') NOT IN ({nothing})"
            f" AND (name_2 IS NULL OR name_2 NOT IN ({special})"
            " AND length(name_1) <> 2 AND length(name_2) <> 2)"
            f" AND name_words[1] NOT IN ({leading})"
            f" AND NOT ({may_be_pinyin[0]} AND ({may_be_pinyin[2]} OR coalesce({may_be_pinyin[1]}, FALSE)))"
        },
        {
            "plain_given": "CASE WHEN is_plain THEN name_1 END",
            "plain_middle": "CASE WHEN is_plain THEN name_2 END",
            "plain_family": "CASE WHEN is_plain THEN name_3 END",
            "text_full_name": f"CASE WHEN is_plain THEN NULL ELSE {value} END",
        },
    ]


def word_steps(value: str, role: str) -> Steps:
    """`plain_ROLE` of a field that holds one plain word, and the text if it does not."""
    nothing = listed({word for word in text.NOTHING if word.isascii()} | names.JUNK)
    plain = f"{matches(value, '[A-Za-z]{3,40}')} AND lower({value}) NOT IN ({nothing})"
    return [
        {f"word_{role}": f"CASE WHEN {plain} THEN lower({value}) END"},
        {
            f"plain_{role}": f"word_{role}",
            f"text_{role}": f"CASE WHEN word_{role} IS NULL THEN {value} END",
        },
    ]
