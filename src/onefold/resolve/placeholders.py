"""Values that people and programs fill in where they have none: they are nobody's.

Only what cannot well be somebody's own stands here. A user id is not judged by it: whoever
counts users from one has given 111111 to a customer.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from onefold.model.identity import DEVICES, USER

_WORDS = frozenset(
    [
        "test",
        "testing",
        "tester",
        "demo",
        "sample",
        "example",
        "dummy",
        "fake",
        "temp",
        "tmp",
        "asdf",
        "asdfgh",
        "qwerty",
        "qwer",
        "abc",
        "abcd",
        "abc123",
        "foo",
        "bar",
        "foobar",
        "nobody",
        "default",
        "none",
        "nothing",
        "empty",
        "blank",
        "na",
        "n/a",
        "n.a.",
        "nil",
        "tbd",
        "tbc",
        "xx",
        "xxx",
        "xxxx",
        "no",
        "yes",
        "not-available",
        "not-provided",
        "notprovided",
        "notavailable",
        "no-id",
        "noid",
        "missing",
        "invalid",
        "测试",
        "测试用户",
        "测试账号",
        "测试数据",
        "试用",
        "示例",
        "演示",
        "无",
        "没有",
        "暂无",
        "未知",
        "不详",
        "不知道",
        "空",
        "空白",
        "匿名",
        "匿名用户",
        "游客",
        "访客",
        "未登录",
        "未填写",
        "未提供",
        "保密",
        "其他",
        "默认",
        "先生",
        "女士",
    ]
)
_EMAILS = re.compile(
    # Mailboxes that write to people and read nothing, or that every domain has.
    r"(?:no-?_?reply|do-?_?not-?_?reply|mailer-daemon|postmaster|hostmaster|nobody|abuse|null|none"
    r"|noemail|no-?mail|no|notprovided|unknown|anonymous|undefined|asdf|qwerty|xxx+|aaa+)@.+"
    # Addresses that forms are filled with.
    r"|(?:test|testing|tester|demo|fake|dummy|abc|a|1|12|123|1234|12345|123456|111|1111|111111)@"
    r"(?:test|testing|demo|fake|dummy|abc|a|b|1|123|mail|email|gmail|qq|163|126|sina|foxmail"
    r"|hotmail|outlook|yahoo)\.(?:com|cn|net|org|com\.cn)"
    r"|(?P<word>[a-z0-9]{1,8})@(?P=word)\.(?:com|cn|net|org)"
)
_PHONES = re.compile(
    r"\+86(?:13800138000|1[3-9]012345678|13[08]00000000|1[3-9]0{9}|10086|10010|10000)"
    # Numbers that are kept for films: nobody has them.
    r"|\+1\d{3}55501\d\d|\+447700900\d{3}|\+61491570\d{3}"
    r"|\+\d{1,6}(?P<digit>\d)(?P=digit){7,}"
)
_DATES = re.compile(r"(?:1900|1970|1753|1899|0001|9999)[-/.]?(?:0?1|12)[-/.]?(?:0?1|3[01])")
_COUNTED = ("12345678901234567890", "01234567890123456789", "98765432109876543210")
_LEAST_SAME = 7


# One search through all values of a batch is a third of the work of one look at each.
_LINES = {
    kind: re.compile(rf"\n(?:{one.pattern})(?=\n)")
    for kind, one in (("email", _EMAILS), ("phone", _PHONES))
}


def placeholders(kind: str, values: Collection[str]) -> set[str]:
    """Those of many values of a kind that stand for none.

    >>> placeholders("email", ["ann@shop.example", "test@test.com"])
    {'test@test.com'}
    """
    lines = _LINES.get(kind)
    if kind == USER or (lines and not lines.search(_as_lines(values))):
        return set()
    return {one for one in values if is_placeholder(kind, one)}


def _as_lines(values: Collection[str]) -> str:
    # No pattern reaches over a line's end, so a value that holds one is looked at by itself at worst.
    return "\n".join(("", *values, "")).casefold()


@lru_cache(maxsize=4_096)
def is_placeholder(kind: str, value: str) -> bool:
    """Does this value of this kind stand for none?

    >>> is_placeholder("phone", "+8613800138000"), is_placeholder("email", "test@test.com")
    (True, True)
    >>> is_placeholder("crm_id", "88888888"), is_placeholder("crm_id", "8848")
    (True, False)
    """
    if kind == USER:
        return False
    text = value.casefold()
    if kind in DEVICES:
        return is_filling(text)
    if kind == "email":
        return _EMAILS.fullmatch(text) is not None
    if kind == "phone":
        return _PHONES.fullmatch(text) is not None
    return text in _WORDS or is_filling(text)


def is_filling(text: str) -> bool:
    """Is it one letter or digit over and over, digits counted up or down, or the first of all days?

    >>> [is_filling(text) for text in ("1900-01-01", "1111111", "987654321", "1900-02-01", "11111")]
    [True, True, True, False, False]
    """
    bare = text.replace("-", "").replace(" ", "").replace(":", "")
    if len(bare) >= _LEAST_SAME and (
        bare == bare[0] * len(bare) or any(one.startswith(bare) for one in _COUNTED)
    ):
        return True
    return _DATES.fullmatch(text[:10]) is not None
