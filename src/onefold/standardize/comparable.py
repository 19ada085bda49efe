"""Texts in one form: half-width, or as they are compared.

Width is that of Unicode's compatible form NFKC (UAX #15, https://www.unicode.org/reports/tr15/); simplified
characters are those of OpenCC's tables (https://github.com/BYVoid/OpenCC), for comparison only: what
somebody wrote in traditional characters stays so wherever it is shown.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from onefold.standardize.people.chinese_names import simplified

_MARKS = re.compile("[\u0300-\u036f]")
_NOT_WORD = re.compile(r"[\W_]+")


@lru_cache(maxsize=65_536)
def half_width(value: str) -> str:
    """Letters, digits and signs in half width, kana in full width, and single blanks.

    >>> half_width("ＡＢＣ　１２３"), half_width("ｶﾀｶﾅ"), half_width("（株）ソニー")
    ('ABC 123', 'カタカナ', '(株)ソニー')
    """
    return " ".join(unicodedata.normalize("NFKC", value).split())


@lru_cache(maxsize=65_536)
def comparable(value: str) -> str:
    """As texts are compared: half-width, simplified, small letters without marks and signs.

    >>> comparable("臺灣 大學"), comparable("台湾大学"), comparable("Ｃａｆé-Bar")
    ('台湾 大学', '台湾大学', 'cafe bar')
    """
    text = unicodedata.normalize("NFKD", half_width(value)).casefold()
    text = unicodedata.normalize("NFKC", _MARKS.sub("", text))
    return " ".join(_NOT_WORD.sub(" ", simplified(text)).split())
