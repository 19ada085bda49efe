"""Chinese addresses, which begin with the province and end with the door."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from onefold.standardize.people.chinese_names import simplified
from onefold.standardize.people.chinese_places import CITY_PROVINCE, PROVINCES
from onefold.standardize.people.places import place_pinyin, short_place
from onefold.standardize.people.text import tidy

_POSTCODE = re.compile(r"(?:邮编[::]?)?(?<!\d)(\d{6})(?!\d)")
_COUNTRY = re.compile("^(?:中华人民共和国|中国)")
_PROVINCE = re.compile(
    f"^({'|'.join(sorted(PROVINCES, key=len, reverse=True))})"
    "(?:省|特别行政区|(?:维吾尔|壮族|回族)?自治区|市(?!场))?"
)
_CITY = re.compile(f"^({'|'.join(sorted(CITY_PROVINCE, key=len, reverse=True))})(?:市|地区|盟)?")
_OTHER_CITY = re.compile("^([^省市区县路街号\\d]{2,9}?)(?:市|地区|盟|[^路街号]{0,6}自治州)")
_DISTRICT = re.compile(
    "^([^区县市路街道号弄巷\\d]{1,7}?)(?:新区|区|[^路街号]{0,6}自治县|县|旗|市)(?!委|府|场)"
)
_TOWN = re.compile("^[^镇乡路街号\\d]{1,8}(?:街道(?:办事处)?|镇|乡|开发区|高新区)")
_VILLAGE = re.compile("^[^村社路街号\\d]{1,8}(?:村委会|社区|村(?=.))")
_STREET = re.compile(
    "^(.{1,14}?(?:大道|大街|胡同|公路|环路|马路|路|街|巷|道|里|弄|坊|条|村|组|屯)(?:[东南西北中]?[一二三四五六七八九十]*[段里]|[东南西北])?)"
)
_NUMBER = re.compile(r"^第?([\da-z甲乙丙附]+(?:[-之]\d+)*)\s*(?:号|弄)(?!楼|院\d|房|线)(?:院)?")
_DIGITS = re.compile(r"[\da-z]+")
_NUMERALS = str.maketrans("零〇一二三四五六七八九", "00123456789")
_SIGNS = re.compile(r"[\s,，。、;；:：()（）\[\]【】]+")
_BUILDING = re.compile(
    "([\\da-z一二三四五六七八九十零〇甲乙丙丁]+)\\s*(?:号楼|栋|幢|座|号院|单元|层|楼|室|房|户|号|门)"
)


class ChineseAddress(NamedTuple):
    """What an address in characters says; places in pinyin, the street in simplified characters."""

    state: str | None = None
    city: str | None = None
    district: str | None = None
    street: str | None = None
    house_number: str | None = None
    unit: str | None = None
    more: str | None = None
    postcode: str | None = None


@lru_cache(maxsize=4_096)
def chinese_address(value: str) -> ChineseAddress:
    """The parts of an address in Chinese characters.

    >>> chinese_address("广东省深圳市南山区科技园中山路12号3栋2单元501室")[:6]
    ('guangdong', 'shenzhen', 'nanshan', '科技园中山路', '12', '3-2-501')
    >>> chinese_address("北京市朝陽區建國路88號")[:5]
    ('beijing', 'beijing', 'chaoyang', '建国路', '88')
    >>> chinese_address("杭州西湖区文三路90号 邮编310012")
    ChineseAddress(state='zhejiang', city='hangzhou', district='xihu', street='文三路', house_number='90', unit=None, more=None, postcode='310012')
    """
    text = _SIGNS.sub("", simplified(tidy(value))).lower()
    postcode = None
    if found := _POSTCODE.search(text):
        postcode, text = found[1], text[: found.start()] + text[found.end() :]
    province, city, district, rest = _places(_COUNTRY.sub("", text))
    for skipped in (_TOWN, _VILLAGE):
        if (found := skipped.match(rest)) and _STREET.match(rest[found.end() :]):
            rest = rest[found.end() :]
    street, number, rest = _street(rest)
    unit = "-".join(_numeral(part) for part in _BUILDING.findall(rest))
    if not unit and rest and (found := re.search(r"\d[\da-z-]*$", rest)):
        unit = found[0]
    more = re.sub(r"[\da-z-]+$", "", _BUILDING.sub("", rest))
    return ChineseAddress(
        place_pinyin(province) or None,
        place_pinyin(city) or None,
        place_pinyin(district) or None,
        street or None,
        number or None,
        unit or None,
        more or None,
        postcode,
    )


def _places(text: str) -> tuple[str, str, str, str]:
    province = city = district = ""
    if (found := _PROVINCE.match(text)) and not _is_street(text, found.end()):
        province, text = found[1], text[found.end() :]
    if (found := _CITY.match(text)) and not _is_street(text, found.end()):
        city, text = found[1], text[found.end() :]
    elif found := _OTHER_CITY.match(text):
        city, text = short_place(found[1]), text[found.end() :]
    if not city and CITY_PROVINCE.get(province) == province:
        city = province
    province = province or CITY_PROVINCE.get(city, "")
    if found := _DISTRICT.match(text):
        district, text = found[1], text[found.end() :]
    return province, city, district, text


def _is_street(text: str, end: int) -> bool:
    """南京路, 北京东路: a city's name that begins a street."""
    return re.match("[东南西北中]?[一二三]?(?:大道|大街|路|街|道|巷)", text[end:]) is not None


def _street(text: str) -> tuple[str, str, str]:
    street = number = ""
    if found := _STREET.match(text):
        street, text = found[1], text[found.end() :]
    if found := _NUMBER.match(text):
        number, text = _numeral(found[1].replace("之", "-")), text[found.end() :]
    return street, number, text


def _numeral(text: str) -> str:
    """`十二` and `一二` as 12; digits stay.

    >>> _numeral("十二"), _numeral("三"), _numeral("二十"), _numeral("501")
    ('12', '3', '20', '501')
    """
    if "十" in text:
        tens, _, ones = text.partition("十")
        return f"{tens.translate(_NUMERALS) or 1}{ones.translate(_NUMERALS) or 0}"
    return text.translate(_NUMERALS)
