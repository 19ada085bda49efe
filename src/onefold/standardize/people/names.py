"""Names of people: parts of a name, and a whole name in its parts."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from onefold.standardize.people import chinese_names
from onefold.standardize.people.nicknames import is_known
from onefold.standardize.people.sounds import pinyin_sound, sound
from onefold.standardize.people.text import HAN, HANGUL, KANA, fold, tidy

PREFIXES = frozenset(
    """mr mrs ms miss mx dr prof professor doctor sir madam dame lord lady rev reverend fr father sister
    hon judge capt captain col colonel gen general lt sgt maj major herr frau fraulein dipl ing mag
    monsieur madame mademoiselle mme mlle senor senora senorita sra srta sig signor signora dhr mevr
    mister mstr master shri smt""".split()
)
SUFFIXES = {
    "jr": "jr",
    "junior": "jr",
    "jnr": "jr",
    "sr": "sr",
    "senior": "sr",
    "snr": "sr",
    "ii": "2",
    "2nd": "2",
    "iii": "3",
    "3rd": "3",
    "iv": "4",
    "4th": "4",
}
CREDENTIALS = frozenset(
    "phd md dds dmd esq cpa mba rn jd dvm do obe mbe cbe facs pe ma msc bsc bsn llb llm mph".split()
)
_SURNAMES_TOO = ("ma", "do")
"""What of a whole name would leave one word only: `Thomas Ma`."""
PARTICLES = frozenset(
    """van von der den de del della delle di da do dos das du la le las los el al bin ibn binti bint
    ter ten tot zu zum zur af av y e i und and st san santa ben abu ap mac mc o vande vander""".split()
)
# Particles that begin a family name when they stand within a whole name.
_LEADS = PARTICLES - frozenset("ben e i o and do mac mc san santa st y und ap la al".split())
_CONNECTORS = frozenset("y e i und and".split())
HONORIFICS = re.compile(r"(?:先生|女士|小姐|太太|老师|老師|经理|總經理|医生|教授|博士|さん|様)+$")
MAIDEN_WORDS = frozenset("nee née geb geborene born formerly fka".split())
_MAIDEN = re.compile(
    rf"\s*[\(（,]?\s*\b(?:{'|'.join(sorted(MAIDEN_WORDS))})\.?\s+([^)）]+)[)）]?", re.I
)
_NICKNAME = re.compile(
    r"[\"“”«»]([^\"“”«»]+)[\"“”«»]|[(（]([^)）]*)[)）]|(?<!\w)['‘]([^'’]+)['’](?!\w)"
)
_ASIDE = re.compile(r"[(（\[][^)）\]]*[)）\]]")
_NO_NAME = re.compile(r"[\d\W_]*", re.UNICODE)
JUNK = frozenset(
    """fnu lnu first last name firstname lastname surname customer client user guest test1 abc abcd
    xx infant newborn nobody someone noname ii none undefined cash walkin mrmrs aaa bbb""".split()
)

_MEANT = frozenset("Null Na Nan Blank Sample Tester Empty".split())
"""Names of people, written like names: `NULL`, `na` and `nan` are none."""


@lru_cache(maxsize=65_536)
def given_name(value: str) -> tuple[str | None, str | None]:
    """The first given name and the others, of a field that holds given names.

    >>> given_name("Mary Ann"), given_name("John F."), given_name("J."), given_name("Jean-Paul")
    (('mary', 'ann'), ('john', 'f'), ('j', None), ('jean', 'paul'))
    >>> given_name("Xiao-Ming"), given_name("小明"), given_name("Dr. Zoë"), given_name("Unknown")
    (('xiaoming', None), ('xiaoming', None), ('zoe', None), (None, None))
    """
    text = _clean(value)
    if not text:
        return None, None
    if HAN.search(text) and not KANA.search(text):
        return chinese_names.pinyin_of(text) or None, None
    words = _without_titles(fold(text).split())
    if len(words) > 1 and all(chinese_names.is_syllable(word) for word in words):
        return "".join(words), None
    return _first_and_others(words)


def _first_and_others(words: list[str]) -> tuple[str | None, str | None]:
    """Words of at least three letters, or initials, after the first are names of their own."""
    words = [word for word in words if word not in SUFFIXES or word == words[0]]
    if not words:
        return None, None
    count = 1
    if len(words) > 1 and (len(words[0]) == 2 or len(words[1]) == 2):
        count = 2  # Jo Ann, Mary Jo, Al Amin: written apart or together
    return "".join(words[:count]), " ".join(words[count:]) or None


@lru_cache(maxsize=65_536)
def middle_name(value: str) -> str | None:
    """Other given names, or initials.

    >>> middle_name("F."), middle_name("Ann Marie"), middle_name("N/A")
    ('f', 'ann marie', None)
    """
    return " ".join(fold(_clean(value)).split()) or None


@lru_cache(maxsize=65_536)
def family_name(value: str) -> tuple[str | None, str | None]:
    """The family name and the suffix, of a field that holds family names.

    >>> family_name("O'Brien"), family_name("Smith, Jr."), family_name("van der Berg")
    (('obrien', None), ('smith', 'jr'), ('van der berg', None))
    >>> family_name("García-López"), family_name("Mc Donald"), family_name("欧阳"), family_name("單")
    (('garcia lopez', None), ('mcdonald', None), ('ouyang', None), ('shan', None))
    """
    text = _clean(value)
    if not text:
        return None, None
    if HAN.search(text) and not KANA.search(text):
        return chinese_names.surname_pinyin(text) or None, None
    words, suffix = _split_suffix(fold(text).split())
    return " ".join(_joined(words)) or None, suffix


def _split_suffix(words: list[str]) -> tuple[list[str], str | None]:
    suffix = None
    while len(words) > 1:
        last = words[-1]
        if last in SUFFIXES:
            suffix = SUFFIXES[last]
        elif last not in CREDENTIALS or (len(words) == 2 and words[0] and last in _SURNAMES_TOO):
            break
        words = words[:-1]
    return words, suffix


def _joined(words: list[str]) -> list[str]:
    """`mc donald` and `o brien` become one word."""
    found: list[str] = []
    for word in words:
        if found and found[-1] in ("mc", "mac", "o", "d", "l") and len(word) > 2:
            found[-1] += word
        else:
            found.append(word)
    return found


def family_parts(name: str | None) -> tuple[str, ...] | None:
    """The parts of a folded family name without particles, sorted.

    >>> family_parts("van der berg"), family_parts("garcia lopez"), family_parts("de la")
    (('berg',), ('garcia', 'lopez'), ('de', 'la'))
    """
    if not name:
        return None
    if " " not in name:
        return (name,)
    words = name.split()
    return tuple(sorted({word for word in words if word not in PARTICLES} or set(words)))


def _without_titles(words: list[str]) -> list[str]:
    while len(words) > 1 and words[0] in PREFIXES:
        words = words[1:]
    return words


def _clean(value: str) -> str:
    """The text of a name without honorifics and asides; empty where it is junk."""
    text = tidy(value) or (value.strip() if value.strip() in _MEANT else "")
    if not text or _NO_NAME.fullmatch(text) or text.lower() in JUNK:
        return ""
    if not text.isascii():
        text = HONORIFICS.sub("", text)
    return _ASIDE.sub(" ", text).strip() or text


class WholeName(NamedTuple):
    """The parts of a name written in one field; `nickname` is a given name in brackets or quotes."""

    given_name: str | None = None
    middle_name: str | None = None
    family_name: str | None = None
    former_name: str | None = None
    name_suffix: str | None = None
    given_han: str | None = None
    family_han: str | None = None
    nickname: str | None = None


@lru_cache(maxsize=4_096)
def whole_name(value: str) -> WholeName:
    """A name written in one field, in its parts.

    >>> name = whole_name("Dr. William \\"Bill\\" O'Brien Jr.")
    >>> name.given_name, name.nickname, name.family_name, name.name_suffix
    ('william', 'bill', 'obrien', 'jr')
    >>> [(p.given_name, p.family_name) for p in map(whole_name, ("Zhang, Wei", "ZHANG Wei", "张伟"))]
    [('wei', 'zhang'), ('wei', 'zhang'), ('wei', 'zhang')]
    """
    text = _clean_whole(value)
    if not text:
        return WholeName()
    former = nick = None
    if not text.isascii():
        if HAN.search(text) and not KANA.search(text):
            return _from_han(text)
        if HANGUL.search(text):
            text = chinese_names.korean_apart(text)
    if not text.replace(" ", "").isalpha() or not MAIDEN_WORDS.isdisjoint(text.lower().split()):
        text, former = _former(text)
        text, nick = _nickname(text)
    given, family, suffix = _parts(text)
    first, others = _first_and_others(given)
    if given and len(given) > 1 and all(chinese_names.is_syllable(word) for word in given):
        first, others = "".join(given), None
    return WholeName(
        first, others, " ".join(_joined(family)) or None, former, suffix, nickname=nick
    )


def _clean_whole(value: str) -> str:
    text = tidy(value)
    if not text or _NO_NAME.fullmatch(text):
        return ""
    if text.isascii():
        return "" if fold(text).replace(" ", "") in JUNK else text
    return HONORIFICS.sub("", text)


def _from_han(text: str) -> WholeName:
    family, given = chinese_names.split(text)
    return WholeName(
        given_name=chinese_names.pinyin_of(given) or None,
        family_name=chinese_names.surname_pinyin(family) or None,
        given_han=given or None,
        family_han=family or None,
    )


def _former(text: str) -> tuple[str, str | None]:
    if found := _MAIDEN.search(text):
        return text[: found.start()] + text[found.end() :], family_name(found[1])[0]
    return text, None


def _nickname(text: str) -> tuple[str, str | None]:
    if found := _NICKNAME.search(text):
        rest = text[: found.start()] + " " + text[found.end() :]
        if fold(rest):
            return rest, given_name(next(filter(None, found.groups()), ""))[0]
    return text, None


@lru_cache(maxsize=65_536)
def _folded_word(word: str) -> str:
    """The words of many names are few."""
    return fold(word)


def _parts(text: str) -> tuple[list[str], list[str], str | None]:
    """Given names, family names and suffix of a name in Latin letters."""
    before, comma, after = text.partition(",")
    if comma and (rest := _split_suffix(["", *fold(after).split()]))[0] != [""]:
        family, suffix = _split_suffix(_without_titles(fold(before).split()))
        given = _without_titles([word for word in rest[0] if word])
        return given, family, suffix or rest[1]
    if text.isascii() and text.replace(" ", "").isalpha():
        written = text.lower().split()
    else:
        apart = re.split(r"[\s,]+", text.replace("-", " "))
        written = [word for each in apart if (word := _folded_word(each).replace(" ", ""))]
    words, suffix = _split_suffix(_without_titles(written))
    if len(words) < 2:
        return ([], words, suffix) if suffix else (words, [], None)
    capitals = [
        each for word in text.split() if word.isupper() and len(each := _folded_word(word)) > 1
    ]
    if capitals and (family := _in_capitals(words, " ".join(capitals).split())):
        return [word for word in words if word not in family], family, suffix
    return *_split_words(words, text), suffix


def _in_capitals(words: list[str], capitals: list[str]) -> list[str]:
    """The family name where it alone is written in capitals, first or last."""
    count = len(capitals)
    if 0 < count < len(words) and capitals in (words[:count], words[-count:]):
        plain = [word for word in words if word not in capitals]
        return (
            capitals if any(len(word) > 1 for word in plain) and capitals[0] not in SUFFIXES else []
        )
    return []


def _split_words(words: list[str], text: str) -> tuple[list[str], list[str]]:
    if chinese := chinese_names.order(words):
        return chinese
    for at, word in enumerate(words[1:], 1):
        if word in _LEADS and at < len(words) - 1:
            return words[:at], words[at:]
    if len(words) > 3 and words[-2] in _CONNECTORS:
        return words[:-3], words[-3:]
    tail = _hyphenated(text)
    if tail and len(words) > len(tail) and words[-len(tail) :] == tail:
        return words[: -len(tail)], tail
    if words[-2] in ("mc", "mac", "o", "st", "san", "santa", "ben", "al", "la") and len(words) > 2:
        return words[:-2], words[-2:]
    return words[:-1], words[-1:]


def _hyphenated(text: str) -> list[str]:
    """The words of a hyphenated last word."""
    last = text.rsplit(maxsplit=1)[-1]
    return fold(last).split() if "-" in last else []


def given_sounds(name: str) -> tuple[str | None, str | None, bool]:
    """How a folded given name sounds by European habits, and in pinyin, and whether it may be that."""
    return sound(name), pinyin_sound(name), chinese_names.is_pinyin(name)


def family_sounds(name: str) -> tuple[str | None, str | None, bool]:
    """How a folded family name sounds by European habits, and in pinyin, and whether it may be that."""
    return sound(name), pinyin_sound(name), chinese_names.is_romanized_surname(name)


def sounds(
    given: str | None, family: str | None, han: tuple[bool, bool] = (False, False)
) -> tuple[str | None, str | None]:
    """How both sound: in pinyin what is written in characters, or where both may be pinyin.

    >>> sounds("wei", "zhang"), sounds("wei", "shaw"), sounds("wei", None, (True, False))
    (('wei', 'zan'), ('w', 'C'), ('wei', None))
    """
    nothing = (None, None, False)
    first = given_sounds(given) if given else nothing
    last = family_sounds(family) if family else nothing
    return (
        first[1] if han[0] or (first[2] and (han[1] or last[2])) else first[0],
        last[1] if han[1] or (last[2] and (han[0] or first[2])) else last[0],
    )


def given_is_chinese(
    given: str | None, family: str | None, han: tuple[bool, bool] = (False, False)
) -> bool | None:
    """Is this a Chinese given name: in characters, or pinyin that is no European name beside a Chinese family name?

    >>> [given_is_chinese(one, "wang") for one in ("xiaoming", "linda", "coco", None)]
    [True, False, False, None]
    """
    if not given:
        return None
    if han[0]:
        return True
    pinyin = chinese_names.is_pinyin(given) and not is_known(given)
    return pinyin and (han[1] or bool(family and chinese_names.is_romanized_surname(family)))


def sorted_words(given: str | None, family: str | None) -> str | None:
    """The words of both, in the order of the alphabet.

    >>> sorted_words("wei", "zhang") == sorted_words("zhang", "wei")
    True
    """
    return " ".join(sorted(f"{given or ''} {family or ''}".split())) or None
