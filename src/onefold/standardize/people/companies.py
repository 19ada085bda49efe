"""Companies without their legal form."""

from __future__ import annotations

import re
from functools import lru_cache

from onefold.standardize.people.chinese_names import simplified
from onefold.standardize.people.text import HAN, fold, tidy

_FORMS = frozenset(
    """inc incorporated corp corporation co company llc llp lp ltd limited plc pty pte pvt gmbh ag kg kgaa ug ohg
    gbr mbh se sa sas sarl srl spa snc sl slu bv nv oy ab as asa aps kft zrt sro doo dooel ooo oao zao pao kk
    yk sdn bhd holding holdings group intl pc pllc cv ltda eirl eurl sasu sca scs spol""".split()
)
_SMALL = frozenset("the of".split())
_SAME = {
    "and": "",
    "und": "",
    "et": "",
    "y": "",
    "e": "",
    "international": "intl",
    "brothers": "bros",
}
_CHINESE_FORMS = re.compile(
    "(?:(?:股份|责任|集团|控股)*有限(?:责任)?公司|股份公司|集团公司|总公司|分公司|公司|集团|株式会社|事务所|商行|经营部|工作室|厂)$"
)
_CHINESE_STARTS = re.compile("^(?:株式会社|有限会社)")
_NOT_HAN_WORD = re.compile(r"[\W_]+")


@lru_cache(maxsize=65_536)
def company(value: str) -> str | None:
    """The name of a company as it is compared.

    >>> company("The Acme Company, Inc."), company("Müller & Söhne GmbH & Co. KG"), company("S.A.P. AG")
    ('acme', 'muller sohne', 'sap')
    >>> company("深圳市騰訊計算機系統有限公司"), company("华为技术有限公司"), company("n/a")
    ('深圳市腾讯计算机系统', '华为技术', None)
    """
    text = tidy(value)
    if not text:
        return None
    if HAN.search(text):
        name = _NOT_HAN_WORD.sub("", simplified(text)).lower()
        return _CHINESE_STARTS.sub("", _CHINESE_FORMS.sub("", name)) or name or None
    words = fold(_INITIALS.sub(lambda match: match[0].replace(".", ""), text)).split()
    kept = [_SAME.get(word, word) for word in words if word not in _SMALL]
    kept = [word for word in kept if word]
    while len(kept) > 1 and kept[-1] in _FORMS:
        kept.pop()
    return " ".join(kept) or " ".join(words) or None


_INITIALS = re.compile(r"\b(?:\w\.){2,}")


def has_legal_form(value: str) -> bool:
    """Does a name end in a legal form, as only companies' do?

    >>> has_legal_form("Acme Inc."), has_legal_form("华为技术有限公司"), has_legal_form("Ann Smith")
    (True, True, False)
    """
    if HAN.search(value):
        return _CHINESE_FORMS.search(simplified(tidy(value))) is not None
    words = fold(value).split()
    return len(words) > 1 and words[-1] in _FORMS
