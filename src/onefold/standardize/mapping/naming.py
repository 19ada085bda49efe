"""What the names of fields mean: canonical fields, by the words of four languages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from onefold.standardize.mapping.canonical import Canonical, key_of
from onefold.standardize.people.chinese_names import simplified
from onefold.standardize.people.headers import role_of

_ASIDE = re.compile(r"[(（\[【].*?[)）\]】]")
_PARTS = re.compile(r"[/|／\s()（）]+")
_PREFIX = re.compile(r"^([A-Za-z]{1,12}[_.])(?=.)")
_OF_THEM = re.compile(
    r"^(?:customers?|custs?|clients?|users?|buyers?|members?|contacts?|persons?|people|shoppers?|billing|bill to|kunden?|kun|kd"
    r"|kaeufer|käufer|besteller|rechnungs?|properties|attributes|fields|data)[\s_.\-]+(?=.)"
    r"|^(?:客户|会员|顾客|用户|买家|客戶|會員|顧客|會員|会員|お客様|ご注文者|注文者|申込者|購入者|ご)(?=.)",
    re.I,
)
"""What stands before names of fields that are about the same person."""
_OF_OTHERS = re.compile("緊急|保護者|届先|配送先|お届け|送付先|勤務先|紧急|配偶")
_APART = re.compile(
    r"(?:^|(?<=[\s_.#-]))(?:id|ids|nr|no|num|number|nummer|key|code|uuid|guid|ref)\.?$"
    r"|(?:nummer|编号|编码|單號|单号|号码|番号|コード|編號|号|號)$",
    re.I,
)
_HUMP = re.compile(r"(?<=[a-zäöüß\u3041-\u9fff])(?:ID|Id|id|Nr|No|Key|Code)$(?<![a-zäöüß]id)")
_GLUED = re.compile(
    r"(?:(?<=order)|(?<=item)|(?<=user)|(?<=cart)|(?<=customer)|(?<=client)|(?<=product)|(?<=kunden)|(?<=kunde)|(?<=bestell)"
    r"|(?<=artikel)|(?<=produkt)|(?<=auftrags))(?:id|nr|no|key)$",
    re.I,
)


class Naming:
    """Reads the names of one record's fields, which often begin alike (`kun_mail`, `kun_plz`)."""

    def __init__(self, names: Iterable[str]) -> None:
        every = list(names)
        begins = Counter(found[1] for name in every if (found := _PREFIX.match(name)))
        prefix, count = begins.most_common(1)[0] if begins else ("", 0)
        self._prefix = prefix if count >= 3 and count >= 0.6 * len(every) else ""

    def bare(self, name: str) -> str:
        """A name without what all begin with.

        >>> Naming(["kun_mail", "kun_plz", "kun_ort"]).bare("kun_plz")
        'plz'
        """
        return name.removeprefix(self._prefix) if self._prefix else name

    def keys(self, name: str) -> Iterator[tuple[str, float]]:
        """What a name may be called in the table of words, and how much less sure each is.

        >>> [key for key, _ in Naming([]).keys("会員番号(ID)")][:2], [key for key, _ in Naming([]).keys("姓名/Name")][-2:]
        (['会員番号id', '会员番号id'], ['姓名', 'name'])
        """
        for text, less in self._readings(name):
            key = key_of(text)
            if key:
                yield key, less
                if (plain := simplified(key)) != key:
                    yield plain, less

    def _readings(self, name: str) -> Iterator[tuple[str, float]]:
        yield name, 0.0
        if (bare := self.bare(name)) != name:
            yield bare, 0.03
        if _is_of_another(name):
            return
        whole = _ASIDE.sub("", bare)
        if whole != bare:
            yield whole, 0.02
        if (own := _OF_THEM.sub("", whole)) != whole:
            yield own, 0.05
        if len(parts := [one for one in _PARTS.split(bare) if one]) == 2 and _is_twice(parts):
            yield from ((one, 0.05) for one in parts)

    def field(self, name: str, fields: Mapping[str, Canonical]) -> tuple[str, float]:
        """The field that a name means, and how much less sure that is than a name can be."""
        for key, less in self.keys(name):
            for field, one in fields.items():
                if key == one.words[0]:
                    return field, less
            for field, one in fields.items():
                if key in one.words:
                    return field, less + 0.03
        return "", 0.0


def _is_of_another(name: str) -> bool:
    """Does it speak of somebody else, such as an employer or who is called in an emergency?"""
    role, sure = role_of(name)
    return (role == "ignore" and 0 < sure < 0.95) or _OF_OTHERS.search(name) is not None


def _is_twice(parts: list[str]) -> bool:
    """Is it one name in two languages (`姓名 Name`), not a name of two words?"""
    return sum(one.isascii() for one in parts) == 1


def is_id(name: str) -> bool:
    """Does a name say that it is the number or code of something?

    >>> [is_id(one) for one in ("order_id", "BestellID", "kundennr", "订单编号", "オーダー ID", "Einkommen", "paid")]
    [True, True, True, True, True, False, False]
    """
    return _id_ends(name.strip()) is not None


def has_stem(name: str) -> bool:
    """Is there more to such a name than that it is a number: `order_id`, not `ID`?

    >>> has_stem("order_id"), has_stem("ID"), has_stem("编号"), has_stem("No.")
    (True, False, False, False)
    """
    found = _id_ends(name.strip())
    return found is not None and bool(key_of(name.strip()[: found.start()]))


def _id_ends(text: str) -> re.Match[str] | None:
    return _APART.search(text) or _HUMP.search(text) or _GLUED.search(text)


def are_values(names: Iterable[str]) -> bool:
    """Do these names look like a row of values: is there no header?

    >>> are_values(["1", "ann@example.com", "Eden Route 5"]), are_values(["id", "2025", "2026"])
    (True, False)
    """
    every = [one.strip() for one in names]
    numbers = sum(sum(map(str.isdigit, one)) >= 5 for one in every)
    return any("@" in one and "." in one for one in every) or numbers > 0.3 * len(every)
