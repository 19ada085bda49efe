"""What stands on the page of a rehearsal, in the languages that it can be had in."""

from __future__ import annotations

from collections.abc import Callable

from onefold.app.imports.reason_words import in_chinese
from onefold.model.errors import Fault, InvalidInput

Words = Callable[[str], str]
_ZH = {
    "Rehearsal of {}": "{} 的导入预演",
    "Read as {}.": "按 {} 读取。",
    "The mapping asks for what no row has: {}.": "映射所需但各行都没有的字段：{}。",
    "{} rows, read as {} for the source {}. Nothing was kept.": "共 {} 行，按 {} 格式读取，来源为 {}。未保存任何数据。",
    "The first {} rows, read as {} for the source {}. Nothing was kept.": "前 {} 行，按 {} 格式读取，来源为 {}。未保存任何数据。",
    "What follows is of {} of them, at even distances.": "以下结果基于其中均匀抽取的 {} 行。",
    "new profiles": "新增档案",
    "updated": "更新",
    "unchanged": "不变",
    "merged into others": "并入其他档案",
    "rows that cannot be used": "无法使用的行",
    "Rows": "行",
    "rows": "行数",
    "read": "已读取",
    "unreadable": "无法读取",
    "tried": "已试算",
    "events": "事件",
    "rejected": "被拒绝",
    "came before": "以前已有",
    "Why rows are rejected": "行被拒绝的原因",
    "reason": "原因",
    "Tracking plans that are broken": "违反的埋点方案",
    "plan, field and fault": "方案、字段与问题",
    "times": "次数",
    "Segments": "人群",
    "segment": "人群",
    "now": "现在",
    "enter": "进入",
    "leave": "离开",
    "Conflicts with what is known": "与已知数据的冲突",
    "trait": "属性",
    "values": "不同值",
    "new wins": "采用新值",
    "known → new": "已知 → 新值",
    "Data quality": "数据质量",
    "share": "比例",
    "complete": "完整",
    "valid": "有效",
    "unique": "唯一",
    "consistent": "一致",
    "fresh": "新鲜",
    "traits that a row has, of all that any row has": "每行具有的属性，占所有出现过的属性",
    "rows without a fault": "没有问题的行",
    "people who stand in one row only": "只出现在一行中的人",
    "values that contradict neither another row of the same person nor what is known": "与同一人的其他行及已知数据都不矛盾的值",
    "rows with a time within the last year": "时间在最近一年之内的行",
    "{} is there": "有 {}",
    "cannot be measured": "无法衡量",
    "Identifiers that name nobody": "不能识别任何人的标识",
    "identifier": "标识",
    "such as": "例如",
    "why": "原因",
    "they are no e-mail addresses": "不是邮箱地址",
    "they are no numbers, or name no country: say `country:` in the mapping or the source": "不是电话号码，或没有国家代码：请在映射或来源中写明 `country:`",
    "E-mail domains that look mistyped": "疑似写错的邮箱域名",
    "written": "写作",
    "meant": "可能是",
    "Fields": "字段",
    "stream": "表",
    "field": "字段",
    "filled": "填写率",
    "none": "无",
}
_LANGUAGES = {"en": {}, "zh": _ZH}


def reasons_in(language: str) -> Words:
    """What gives a reason in a language that `words_of` knows, for the English one."""
    return in_chinese if language == "zh" else str


def words_of(language: str) -> Words:
    """What gives the words of a language for the English ones; what it lacks stays English.

    >>> words_of("zh")("Rows"), words_of("en")("Rows")
    ('行', 'Rows')
    """
    if language not in _LANGUAGES:
        hint = f"use {' or '.join(_LANGUAGES)}"
        raise InvalidInput(
            "the page cannot be written", [Fault("there is no such language", language, hint)]
        )
    table = _LANGUAGES[language]
    return lambda text: table.get(text, text)
