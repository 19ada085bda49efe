"""Names as they are shown: in usual case and order, without titles."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from onefold.standardize.people.names import CREDENTIALS, HONORIFICS, PARTICLES, PREFIXES, SUFFIXES
from onefold.standardize.people.text import HAN, HANGUL, KANA, is_nothing

_SMALL = PARTICLES - frozenset("i o e mac mc san santa st ben abu ap al el la las los le".split())
"""What is written small within a name in Latin letters."""
_FACULTIES = frozenset("med rer habil jur iur theol dent vet oec techn agr mult hc".split())
_FACULTIES_OR_NAMES = frozenset("phil nat pol soc sc h c univ em ing".split())
_OF_DE = frozenset({"la", "las", "los"})
_TITLED = frozenset({"dr", "prof", "dres", "dipl", "mag", "pd"})
_ROMAN = re.compile(r"(?:i{1,3}|iv|v)\.?", re.I)
_PART = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=65_536)
def written_name(value: str) -> str:
    """A name as people write it: given name first, in usual case, without titles and degrees.

    What has both small and capital letters is somebody's own way to write it and stays so. Characters are never
    turned into simplified or traditional ones.

    >>> written_name("DR. SMITH, JOHN A."), written_name("ludwig VAN BEETHOVEN"), written_name("o'brien, mary-jane")
    ('John A. Smith', 'Ludwig van Beethoven', "Mary-Jane O'Brien")
    >>> written_name("Frau Dr. Anna Müller"), written_name("張 偉 先生"), written_name("José DeSouza, PhD"), written_name("n/a")
    ('Anna Müller', '張偉', 'José DeSouza', '')
    """
    text = " ".join(unicodedata.normalize("NFKC", value[:400]).split())
    if not text or is_nothing(text):
        return ""
    if HAN.search(text) or HANGUL.search(text) or KANA.search(text):
        bare = HONORIFICS.sub("", text).strip()
        return "".join(bare.split()) if HAN.search(bare) and not KANA.search(bare) else bare or text
    words = _in_order(text)
    bare_words = _untitled(words) or words
    behind = zip(["", *bare_words], bare_words, strict=False)
    return " ".join(
        word.lower()
        if before.lower() == "de" and word.lower() in _OF_DE and not _is_own(word)
        else _cased(word, at)
        for at, (before, word) in enumerate(behind)
    )


def _in_order(text: str) -> list[str]:
    """The words with the given name first: what stands behind a comma stands before the rest."""
    before, comma, after = text.partition(",")
    behind = [word for word in after.replace(",", " ").split() if _key(word) not in CREDENTIALS]
    if not comma or not behind:
        return before.split()
    if all(_key(word) in SUFFIXES for word in behind):
        return [*before.split(), *behind]
    return [*_untitled(behind), *_untitled(before.split())] or before.split()


def _untitled(words: list[str]) -> list[str]:
    start = 0
    titled = False
    while start < len(words) - 1:
        key = _key(words[start])
        is_title = key in PREFIXES or key.partition("-")[0] in _TITLED
        if not is_title and not (titled and _is_faculty(words[start])):
            break
        titled = titled or is_title
        start += 1
    end = len(words)
    while end - start > 2 and _key(words[end - 1]) in CREDENTIALS and words[end - 1].isupper():
        end -= 1
    return words[start:end]


def _is_own(word: str) -> bool:
    """Is it written in small and capital letters, so that it stays as it is?"""
    return not (word.isupper() or word.islower())


def _is_faculty(word: str) -> bool:
    """Is it what somebody is a doctor of? `Phil` and `Nat` are only where they are shortened."""
    key = _key(word)
    return key in _FACULTIES or (key in _FACULTIES_OR_NAMES and word.endswith("."))


def _key(word: str) -> str:
    return word.strip(".,").casefold().replace(".", "")


def _cased(word: str, at: int) -> str:
    if not (word.isupper() or word.islower()) or (len(word) == 1 and word.isupper()):
        return word
    low = word.lower()
    if at and low in _SMALL:
        return low
    if at and _ROMAN.fullmatch(low):
        return word.upper()
    cased = _PART.sub(lambda found: found[0].capitalize(), low)
    return re.sub(r"\bMc([a-z])(?=[a-z])", lambda found: f"Mc{found[1].upper()}", cased)
