"""Why rows are rejected, in other languages: reasons are made in English, of a text with values in it.

A reason is `where: what is wrong (what to do)`. Each of the three is found here by its words; places and
values stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

ZH_WRONG = {
    # Of any event.
    "is missing": "缺失",
    "is empty": "为空",
    "is an object": "是对象", "is a list": "是列表", "is text": "是文本", "is true or false": "是布尔值",
    "is a number": "是数字",
    "is not text": "不是文本",
    "is {}, which is no type of event": "为 {}，不是事件类型",
    "is missing or empty, and there is no other identifier": "缺失或为空，且没有其他标识",
    "is missing or broken": "缺失或已损坏",
    "stands for nobody ({})": "不代表任何人（{}）",
    "names nobody": "未指明任何人",
    "names no group": "未指明群组",
    "has {} characters, at most {} are taken": "有 {} 个字符，最多接受 {} 个",
    "has {} bytes, at most {} are taken": "有 {} 字节，最多接受 {} 字节",
    "has {} names, at most {} are taken": "有 {} 个名称，最多接受 {} 个",
    "has a name of more than {} characters": "有超过 {} 个字符的名称",
    "has {}, which only Onefold gives": "含有 {}，该名称仅由 Onefold 赋予",
    "has {} events, the first {} are taken": "有 {} 个事件，只接受前 {} 个",
    "the event was taken all the same, by its other identifiers": "事件仍按其他标识接受",
    "{} is not a kind of call": "{} 不是一种调用",
    "is not JSON: {}": "不是 JSON：{}",
    "cannot be read: {}": "无法读取：{}",
    "nests deeper than {} levels": "嵌套超过 {} 层",
    "is not a time": "不是时间",
    "lies outside the years 1970 to 2100": "不在 1970 至 2100 年之间",
    # Of a mapping.
    "there is no mapping {}": "没有名为 {} 的映射",
    "the source {} has no mapping": "来源 {} 没有映射",
    "its expressions are not asked here": "此处不计算其表达式",
    "{} is no known {}": "{} 不是已知的{}",
    "{} is no telephone number": "{} 不是电话号码",
    "{} is not in the lookup": "{} 不在对照表中",
    "{} is neither yes nor no": "{} 既不是“是”也不是“否”",
    "{} has none of its formats": "{} 不符合任何一种给定格式",
    "{} is not a number": "{} 不是数字",
    "{} is no number that can be kept": "{} 超出可保存的数字范围",
    "{} is not a whole number": "{} 不是整数",
    "{} is not JSON": "{} 不是 JSON",
    "{} is not a time": "{} 不是时间",
    "{} is not a date": "{} 不是日期",
    "{} may be two different days": "{} 可能是两个不同的日期",
    "{} is not a quantity": "{} 不是带单位的数量",
    "{} is no unit of {}": "{} 不是{}的单位",
    "{} names no unit": "{} 没有写明单位",
    "{} is no known currency": "{} 不是已知的币种",
    "says no currency": "没有写明币种",
    "there is no rate from {} to {} of {}": "没有 {2} 从 {0} 到 {1} 的汇率",
    # Of rules for identifiers.
    "cannot be read as {}": "无法按 {} 读取",
    "is not made of digits": "不是由数字组成",
    "has a wrong check digit (Luhn)": "校验位错误（Luhn）",
    "is not 17 digits and a check sign (GB 11643)": "不是 17 位数字加校验码（GB 11643）",
    "holds no day of birth (GB 11643)": "不含有效的出生日期（GB 11643）",
    "has a wrong check sign (GB 11643)": "校验码错误（GB 11643）",
    "is no telephone number with a country code": "不是带国家代码的电话号码",
    "is no e-mail address": "不是邮箱地址",
    "is no UUID": "不是 UUID",
    "is not all digits": "不全是数字",
    "does not match {}": "不符合 {}",
    "is not {} long": "长度不是 {}",
    # Of tracking plans; the rest in the words of the library that checks JSON Schemas.
    "is not in the plan": "不在方案中",
    "is not of type {}": "类型不是 {}",
    "is not of types {}": "类型不是 {} 之一",
    "is not one of {}": "不是 {} 之一",
    "is less than the minimum of {}": "小于最小值 {}",
    "is greater than the maximum of {}": "大于最大值 {}",
    "is less than or equal to the minimum of {}": "必须大于 {}",
    "is greater than or equal to the maximum of {}": "必须小于 {}",
    "is shorter than {} character{}": "少于 {} 个字符",
    "is longer than {} character{}": "多于 {} 个字符",
    "has less than {} item{}": "少于 {} 项",
    "has more than {} item{}": "多于 {} 项",
    "has non-unique elements": "有重复的项",
    "is not a multiple of {}": "不是 {} 的倍数",
    "is not a {}": "不是 {}",
    "{} was expected": "应为 {}",
    # Of rows and files.
    "is a total of the rows, not a record": "是各行的合计，不是记录",
    "stands above the row that names the columns; if that is another one, say `header`": "位于列名行之上；如果列名在别的行，请写明 `header`",
    "opens a quote that is not closed": "引号没有闭合",
    "is longer than {} bytes": "长度超过 {} 字节",
    "has {} value{}, and there are {} columns": "有 {0} 个值，而列数为 {2}",
    "is not written in {}": "不是 {} 编码",
    "are not written in {}": "不是 {} 编码",
    "holds the character U+0000": "含有字符 U+0000",
    "a column's name holds the character U+0000": "列名含有字符 U+0000",
    "a column's name has more than {} characters": "列名超过 {} 个字符",
    "has no rows": "没有行",
    "there is no such line": "没有这一行",
    "there is no such sheet": "没有这个工作表",
    "are {}, and there are {} widths": "有 {} 个，而列宽有 {} 个",
    "its columns are not told by spaces": "无法按空格分列",
    "is no JSON: it is not closed, and the file is read no further": "不是 JSON：没有闭合，文件不再继续读取",
    "is no JSON: {}": "不是 JSON：{}",
    "is no object": "不是对象",
    "JSON is UTF-8, and this seems to be {}": "JSON 应为 UTF-8，而此文件似乎是 {}",
    "there is no list at {}": "{} 处没有列表",
    "the file ends before its list does: is it all there?": "文件在列表结束之前就结束了：文件完整吗？",
    "the file has another list, which is not read: say `records`": "文件中还有另一个列表，未读取：请写明 `records`",
    "the file ends here, as it is broken: {}": "文件已损坏，到此为止：{}",
    "is no XML: {}": "不是 XML：{}",
    "has no elements": "没有元素",
    "there is no {}": "没有 {}",
    "has a document type (DTD), which is refused": "含有文档类型（DTD），不予接受",
    "is no text": "不是文本",
    "is UTF-32": "是 UTF-32",
    "is no encoding that is read": "不是可读取的编码",
    "seems to be {}": "似乎是{}",
    "seems to be text": "似乎是文本",
    "does not say where its sheet {} lies": "没有写明工作表 {} 的位置",
    "has no part {}": "缺少组成部分 {}",
    "there is no text {}, but {} in all": "没有编号为 {} 的文本，总共只有 {} 个",
    "is no type of cells": "不是单元格类型",
    "there is no such column": "没有这一列",
    "has a <{}> of more than {} bytes": "含有超过 {1} 字节的 <{0}>",
    "is cut off": "不完整",
    "cannot be read as it is": "无法按现状读取",
    "has more than {} characters in its cells": "单元格中的字符超过 {} 个",
    "needs more memory than a workbook is given": "所需内存超过工作簿的限额",
    "is {} bytes unpacked; {} are read": "解压后有 {} 字节；最多读取 {} 字节",
    "unpacks to more than {} bytes": "解压后超过 {} 字节",
    "is not unpacked, only {} are": "不会被解压，只解压 {}",
    "cannot be unpacked: {}": "无法解压：{}",
    "cannot be opened: {}": "无法打开：{}",
    "has {} files, at most {} are read": "有 {} 个文件，最多读取 {} 个",
    "has a file that leads out of it: {}": "含有指向包外的文件：{}",
    "has an archive within: {}": "内含另一个压缩包：{}",
    "is encrypted: {}": "已加密：{}",
    "the record has {} bytes, at most {} are taken": "记录有 {} 字节，最多接受 {} 字节",
    "the record cannot be written as JSON: {}": "记录无法写成 JSON：{}",
    # Of databases, APIs and brokers.
    "has no {}": "没有 {}",
    "is no UTF-8": "不是 UTF-8",
    "the registry has no {}": "注册中心没有 {}",
    "the registry has no schema {}": "注册中心没有模式 {}",
    "has a schema's number, but the source names no registry": "带有模式编号，但来源没有写明注册中心",
    "has schema {}, which is none: {}": "模式 {} 不是有效的模式：{}",
    "does not fit Avro schema {}: {}": "不符合 Avro 模式 {}：{}",
    "does not fit Protobuf schema {}: {}": "不符合 Protobuf 模式 {}：{}",
    "is not what Debezium writes: {}": "不是 Debezium 写出的内容：{}",
    "TRUNCATE emptied this table; which rows it held the server does not say": "TRUNCATE 清空了此表；服务器不会告知其中有过哪些行",
    # How a file is read.
    "{}, divided by {}, columns named in line {}": "{} 编码，以 {} 分隔，列名在第 {} 行",
    "{}, divided by {}, no line names the columns": "{} 编码，以 {} 分隔，没有列名行",
}  # fmt: skip
ZH_HINTS = {
    "add it, or write otherwise:": "请添加，或写明 otherwise:",
    "an alias needs the id to keep": "别名需要给出要保留的标识",
    "an alias needs the id used before": "别名需要给出以前使用的标识",
    "convert it": "请转换",
    "correct the time": "请更正时间",
    "define it, then replay this": "请先定义，再重放",
    "flatten it": "请减少层级",
    "give a lookup": "请给出对照表",
    "give its definition one, then replay this": "请在其定义中写明映射，再重放",
    "give its format, such as dd/MM/yyyy": "请写明格式，例如 dd/MM/yyyy",
    "give {\"records\": [{\"fields\": {…}}]}": "请给出 {{\"records\": [{{\"fields\": {{…}}}}]}}",
    "is it damaged, or not all there? Fetch it again, or unpack it first": "文件是否损坏或不完整？请重新获取，或先解压",
    "it joins nobody": "不用于识别任何人",
    "it seems to be {}": "似乎是{}",
    "its sheets may be too large, or hold a cell far off; save it as .xlsx, or them as CSV": "工作表可能过大，或在很远处有单元格；请另存为 .xlsx，或将工作表另存为 CSV",
    "load them with `onefold rates load FILE`, then replay this": "请用 `onefold rates load FILE` 载入，再重放",
    "name what happened": "请写明发生了什么",
    "is it one text in very many cells? Save it as CSV": "是否很多单元格共用同一段长文本？请另存为 CSV",
    "say which row names the columns: header=N, or header=0 if none does": "请指明列名所在的行：header=N；没有列名则用 header=0",
    "open it and save it as .xlsx": "请打开并另存为 .xlsx",
    "put what varies into properties": "请把变化的内容放入 properties",
    "remove <!DOCTYPE …>": "请删除 <!DOCTYPE …>",
    "save it as CSV": "请另存为 CSV",
    "save it as UTF-8": "请另存为 UTF-8",
    "say `country:`": "请写明 `country:`",
    "say `encoding`": "请写明 `encoding`",
    "say `widths`": "请写明 `widths`",
    "say where the records are: records: data.customers": "请写明记录的位置：records: data.customers",
    "say which are records: records: list/item": "请写明哪些是记录：records: list/item",
    "say which decimal sign it has": "请写明小数点符号",
    "send ISO 8601, such as 2026-01-31T09:30:00Z": "请使用 ISO 8601，例如 2026-01-31T09:30:00Z",
    "send a shorter id": "请使用更短的标识",
    "send a userId or an anonymousId of one person": "请发送某一个人的 userId 或 anonymousId",
    "send less": "请减少内容",
    "send one of {}": "请使用 {} 之一",
    "send shorter names": "请使用更短的名称",
    "send smaller batches": "请使用更小的批次",
    "send the id of the group": "请发送群组的标识",
    "send the id used before": "请发送以前使用的标识",
    "send well-formed JSON": "请发送格式正确的 JSON",
    "send what varies as properties of events": "请把变化的内容作为事件的 properties 发送",
    "send {\"batch\": [event, …]}": "请发送 {{\"batch\": [event, …]}}",
    "send {}": "应为{}",
    "set tags and lists through the API": "标签和名单请通过 API 设置",
    "several times in it: {}": "其中多次出现：{}",
    "such as utf-8, utf-16, gb18030, big5, cp932, euc_kr, cp1250, cp1252": "例如 utf-8、utf-16、gb18030、big5、cp932、euc_kr、cp1250、cp1252",
    "the first {} lines are looked at": "只查看前 {} 行",
    "there are {}": "现有 {}",
    "tracking plan {}, version {}": "埋点方案 {}，版本 {}",
    "try --format csv, or call it .csv": "请尝试 --format csv，或改名为 .csv",
    "unpack it first": "请先解压",
    "use one of {}": "请使用 {} 之一",
    "write `unit: {from: {}, to: {}}`": "请写 `unit: {{from: {}, to: {}}}`",
}  # fmt: skip
ZH_VALUES = {
    "an object": "对象", "a list": "列表", "text": "文本", "true or false": "布尔值", "a number": "数字",
    "the name of what happened": "所发生事情的名称", "the names of columns": "列名",
    "country": "国家", "language": "语言", "currency": "币种", "gender": "性别", "e-mail address": "邮箱地址",
    "area": "面积", "data": "数据量", "duration": "时长", "energy": "能量", "length": "长度", "money": "金额",
    "power": "功率", "pressure": "压强", "share": "比例", "speed": "速度", "temperature": "温度",
    "volume": "体积", "weight": "重量",
    "a page (HTML)": "网页（HTML）", "a PDF document": "PDF 文档", "a SQLite database": "SQLite 数据库",
    "a Parquet file: call it .parquet": "Parquet 文件：请改名为 .parquet",
    "an Avro file: call it .avro": "Avro 文件：请改名为 .avro",
    "a ZIP archive or a workbook: call it .zip or .xlsx, and name no other format": "ZIP 压缩包或工作簿：请改名为 .zip 或 .xlsx，且不要指定其他格式",
    "an old workbook or another document of Office: call it .xls": "旧版工作簿或其他 Office 文档：请改名为 .xls",
    "packed by gzip: call it .gz": "gzip 压缩：请改名为 .gz",
    "packed by bzip2: call it .bz2": "bzip2 压缩：请改名为 .bz2",
    "packed by xz: call it .xz": "xz 压缩：请改名为 .xz",
}  # fmt: skip


def in_chinese(reason: str) -> str:
    """A reason in Chinese; one whose words are not known stays English.

    >>> in_chinese("traits.born: '1.13.2000' is not a date"), in_chinese("event: is missing (name what happened)")
    ("traits.born：'1.13.2000' 不是日期", 'event：缺失（请写明发生了什么）')
    """
    for message, hint in _parted(reason):
        advice = _found(hint, hints=True)
        for where, wrong in _placed(message):
            if (hint and not advice) or not (told := _found(wrong)):
                continue
            place = f"{ZH_VALUES.get(where, where)}：" if where else ""
            return f"{place}{told}（{advice}）" if hint else place + told
    return reason


def _parted(reason: str) -> Iterator[tuple[str, str]]:
    """What may be the message and the hint, with the longest hint first; then all as the message."""
    if reason.endswith(")"):
        for found in re.finditer(r" \(", reason):
            yield reason[: found.start()], reason[found.end() : -1]
    yield reason, ""


def _placed(message: str) -> Iterator[tuple[str, str]]:
    """What may be the place and what is wrong there, with the shortest place first."""
    for found in re.finditer(": ", message):
        yield message[: found.start()], message[found.end() :]
    yield "", message


def _found(text: str, *, hints: bool = False) -> str:
    """The same in Chinese; empty where it is not known."""
    table = ZH_HINTS if hints else ZH_WRONG
    if text in table and "{" not in text:
        return table[text]
    for pattern, template in _patterns(hints):
        if values := pattern.fullmatch(text):
            return template.format(*(ZH_VALUES.get(one, one) for one in values.groups()))
    return ""


@cache
def _patterns(hints: bool) -> tuple[tuple[re.Pattern[str], str], ...]:
    """The texts with places for values, those that say most first."""
    table: Mapping[str, str] = ZH_HINTS if hints else ZH_WRONG
    several = sorted((one for one in table if "{" in one), key=lambda one: -len(one))
    return tuple(
        (re.compile("(.*?)".join(map(re.escape, one.split("{}"))), re.DOTALL), table[one])
        for one in several
    )
