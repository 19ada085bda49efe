"""Gender in one letter."""

from __future__ import annotations

from onefold.standardize.people.text import fold, tidy

_WORDS = {
    "f": "f female woman w weiblich frau girl femme feminin femenino mujer donna femmina 女 女性 女士 小姐 2 mrs ms miss mme weibl fem おんな",
    "m": "m male man mannlich mann boy homme masculin masculino hombre uomo maschio 男 男性 先生 1 mr herr mannl masc おとこ",
    "x": "x nonbinary non binary other diverse divers d nb mx 其他 非二元 その他 third",
}
_LETTERS = {word: letter for letter, words in _WORDS.items() for word in words.split()}


def gender(value: object) -> str | None:
    """`f`, `m`, `x`, or None.

    >>> [gender(value) for value in ("Female", "男", "M", "non-binary", "2", "?")]
    ['f', 'm', 'm', 'x', 'f', None]
    """
    text = tidy(value).lower()
    return _LETTERS.get(text) or _LETTERS.get(fold(text).replace(" ", ""))
