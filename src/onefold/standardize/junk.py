"""Values that many people share because a program made them up. They are no evidence."""

from __future__ import annotations

# Compared in lower case, without surrounding blanks and quotes. `test` and the like are not here:
# someone trying the product out sends just that.
JUNK = frozenset(
    {
        # nothing, as some language writes it
        "null",
        "nil",
        "none",
        "undefined",
        "nan",
        "void",
        "n/a",
        "(null)",
        "(none)",
        "(not set)",
        "<null>",
        "<nil>",
        # a whole object or a condition turned into text
        "[object object]",
        "object",
        "{}",
        "[]",
        "true",
        "false",
        # numbers that stand for "no number"
        "-1",
        # somebody unknown
        "anonymous",
        "unknown",
        "guest",
        "not_authenticated",
        "not authenticated",
        "unauthenticated",
        "匿名",
        "匿名用户",
        "游客",
        "访客",
        "未登录",
        # nothing, in Chinese
        "无",
        "没有",
        "暂无",
        "未知",
        "不详",
        "空",
        # the name of the field instead of its value
        "id",
        "userid",
        "user_id",
        "anonymousid",
        "anonymous_id",
        "distinct_id",
        "email",
        "phone",
        # templates nobody filled in
        "${userid}",
        "{{userid}}",
        "{{user_id}}",
        "%userid%",
        # UUIDs of one repeated letter; those of zeros are told by `is_junk`
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        # the Android id that a whole series of telephones shipped with, and a common test IMEI
        "9774d56d682e549c",
        "004999010640000",
        # the addresses that telephones give in place of their own
        "02:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        # addresses that forms are filled with
        "test@test.com",
        "none@none.com",
        "no@email.com",
        "noemail@noemail.com",
        "email@email.com",
        "a@a.com",
    }
)


def is_junk(text: str) -> bool:
    """Does this value stand for nobody?

    >>> [is_junk(text) for text in ("undefined", "00000000-0000", "'null'", "u-17")]
    [True, True, True, False]
    """
    lowered = text.lower()
    if lowered in JUNK or not lowered.strip("0-:"):
        return True
    return text[0] in "\"'`" and (not (bare := lowered.strip("\"'` ")) or bare in JUNK)
