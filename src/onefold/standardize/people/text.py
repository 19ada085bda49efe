"""Texts as they are compared: small Latin letters without marks, words between single blanks."""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

from onefold.standardize.identifiers import clean_text

MAX_LENGTH = 400
"""Longer values are no name and no address line: they are cut here."""

HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_COMMON_HAN = re.compile("[\u4e00-\u9fff]{1,20}")
"""Texts that are in Unicode's compatible form already, and nothing else than characters."""
KANA = re.compile("[\u3041-\u30ff\uff66-\uff9d]")
HANGUL = re.compile("[\uac00-\ud7a3]")
_APOSTROPHES = re.compile("['`´‘’ʻʼʽ′＇]")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
# Marks are dropped by `anyascii`, but these letters it would write as a reader would not.
_LETTERS = str.maketrans({"ʿ": "", "ʾ": "", "ъ": "", "ь": "", "Ъ": "", "Ь": ""})
# What stands in a field that was left empty.
NOTHING = frozenset(
    """n/a na n.a. nil none null nan unknown unk undefined noname tbd tba test testing tester asdf
    qwerty xxx xxxx anonymous anon blank empty missing default dummy sample example - -- --- . ? ?? ???
    无 无名 未知 不详 未填写 未填 匿名 测试 暂无 空 没有""".split()
) | {"no name", "not available", "not applicable", "not given", "not provided", "not known"}


def is_nothing(text: str) -> bool:
    """Does this text say only that there is no value?

    >>> [is_nothing(text) for text in ("N/A", " - ", "未知", "xxx", "Nan Li")]
    [True, True, True, True, False]
    """
    return text.strip().lower() in NOTHING


def tidy(value: object) -> str:
    """A value as text of one line in Unicode's compatible form; empty where it says nothing.

    >>> tidy("  Ｊｏｈｎ   Smith "), tidy(None), tidy("unknown"), tidy(12.0)
    ('John Smith', '', '', '12')
    """
    if value is None:
        return ""
    if type(value) is float and value.is_integer():
        value = int(value)
    text = value if type(value) is str else str(value)
    if not ((text.isascii() and text.isprintable()) or _COMMON_HAN.fullmatch(text)):
        text = unicodedata.normalize("NFKC", clean_text(text[: 2 * MAX_LENGTH].replace("\t", " ")))
        text = clean_text(text)
    text = " ".join(text[:MAX_LENGTH].split())
    return "" if text.lower() in NOTHING else text


def latin(text: str) -> str:
    """In Latin letters without marks; characters of other scripts are written as they sound.

    >>> latin("Łukasz Müller"), latin("Иванов"), latin("さくら"), latin("Ναννι")
    ('Lukasz Muller', 'Ivanov', 'sakura', 'Nanni')
    """
    if text.isascii():
        return text
    return anyascii(text.translate(_LETTERS))


def fold(text: str) -> str:
    """Words of small letters and digits; what joins a word (an apostrophe) is left out.

    >>> fold("O’Brien-Łęcki"), fold("J. R.  R."), fold("Nguyễn Văn A")
    ('obrien lecki', 'j r r', 'nguyen van a')
    """
    if text.isascii() and text.isalnum():
        return text.lower()
    text = latin(_APOSTROPHES.sub("", text)).lower()
    if text.isalnum():
        return text
    return _NOT_WORD.sub(" ", _APOSTROPHES.sub("", text)).strip()
