"""Companies without their legal form, to be compared: what is shown stays as it was written.

Legal forms are those of ISO 20275, the Entity Legal Forms code list of the GLEIF
(https://www.gleif.org/en/lei-data/code-lists/iso-20275-entity-legal-forms-code-list), as they are abbreviated in names.
"""

from __future__ import annotations

import re
from functools import lru_cache

from onefold.standardize.people.chinese_names import simplified
from onefold.standardize.people.text import HAN, fold, tidy

_FORMS = frozenset(
    """inc incorporated corp corporation co company llc llp lp ltd limited plc pty pte pvt gmbh ag kg kgaa ug ohg
    gbr mbh se sa sas sarl srl spa snc sl slu bv nv oy ab as asa aps kft zrt sro doo dooel ooo oao zao pao kk
    yk sdn bhd holding holdings group intl pc pllc cv ltda eirl eurl sasu sca scs spol ek ev eg partg partgmbb
    gesmbh kgaa aktiengesellschaft gmbhcokg oyj abp publ asbl sprl bvba bhv vof scrl sarlau sapi sl slp sau scoop
    tbk pt cia ca eood ood ead ad jsc pjsc ojsc cjsc spzoo spj sk pltd dac clg ulc nl nuf hf ehf rf
    kabushiki kaisha limitada anonyme sociedad anonima societe gesellschaft""".split()
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
    "(?:(?:股份|责任|集团|控股|两合)*有限(?:责任)?公司|股份公司|集团公司|总公司|分公司|公司|集团|株式会社|有限会社"
    "|合同会社|合资会社|合名会社|事务所|商行|经营部|工作室|厂|有限合伙|普通合伙)$"
)
_CHINESE_STARTS = re.compile("^(?:株式会社|有限会社|合同会社|合资会社|合名会社|有限公司)")
_SHORT_FORMS = re.compile(r"[(（]\s*(?:株|有|合|资|名|주|유)\s*[)）]")
_KOREAN_FORMS = re.compile("^(?:주식회사|유한회사)\\s*|\\s*(?:주식회사|유한회사)$")
_LONG_FORMS = re.compile(
    r" (?:ug haftungsbeschrankt|[ak] s|sp z oo|sp z o o|sab? de cv|s de rl(?: de cv)?)$"
)
_STARTS = frozenset("pt cv ooo oao zao pao ao".split())
"""What stands before a name in some countries."""
_NOT_HAN_WORD = re.compile(r"[\W_]+")


@lru_cache(maxsize=65_536)
def company(value: str) -> str | None:
    """The name of a company as it is compared.

    >>> company("The Acme Company, Inc."), company("Müller & Söhne GmbH & Co. KG"), company("S.A.P. AG")
    ('acme', 'muller sohne', 'sap')
    >>> company("深圳市騰訊計算機系統有限公司"), company("华为技术有限公司"), company("n/a")
    ('深圳市腾讯计算机系统', '华为技术', None)
    >>> company("㈱日立製作所"), company("トヨタ自動車株式会社"), company("삼성전자 주식회사"), company("ООО «Яндекс»")
    ('日立制作所', 'トヨタ自动车', 'samseongjeonja', 'yandeks')
    """
    text = _KOREAN_FORMS.sub("", _SHORT_FORMS.sub("", tidy(value)).strip())
    if not text:
        return None
    if HAN.search(text):
        name = _NOT_HAN_WORD.sub("", simplified(text)).lower()
        return _CHINESE_STARTS.sub("", _CHINESE_FORMS.sub("", name)) or name or None
    words = fold(_INITIALS.sub(lambda match: match[0].replace(".", ""), text)).split()
    words = _LONG_FORMS.sub("", " ".join(words)).split() or words
    kept = [_SAME.get(word, word) for word in words if word not in _SMALL]
    kept = [word for word in kept if word]
    while len(kept) > 1 and kept[-1] in _FORMS:
        kept.pop()
    while len(kept) > 1 and kept[0] in _STARTS:
        kept.pop(0)
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
