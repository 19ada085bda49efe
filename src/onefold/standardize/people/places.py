"""Countries, states and cities."""

from __future__ import annotations

import re
from functools import lru_cache

from anyascii import anyascii

from onefold.standardize.people.chinese_names import simplified
from onefold.standardize.people.chinese_places import (
    CITY_PROVINCE,
    PLACE_CHARACTERS,
    PLACE_READINGS,
    PROVINCES,
)
from onefold.standardize.people.text import HAN, fold, tidy

_COUNTRIES = """
us: usa united states america u s a us of a estados unidos etats unis vereinigte staaten 美国
gb: uk united kingdom great britain england scotland wales northern ireland 英国
cn: china prc chn p r china peoples republic of china mainland china 中国 中国大陆 中华人民共和国
hk: hong kong hongkong hkg 香港
mo: macau macao 澳门
tw: taiwan twn 台湾
jp: japan jpn nippon 日本
kr: korea south korea republic of korea kor 韩国
de: germany deutschland deu ger allemagne alemania 德国
at: austria osterreich oesterreich aut 奥地利
ch: switzerland schweiz suisse svizzera che 瑞士
fr: france fra frankreich francia 法国
it: italy italia ita italien 意大利
es: spain espana esp spanien 西班牙
pt: portugal prt 葡萄牙
nl: netherlands nederland holland the netherlands nld 荷兰
be: belgium belgie belgique bel 比利时
lu: luxembourg lux 卢森堡
ie: ireland eire irl 爱尔兰
dk: denmark danmark dnk 丹麦
se: sweden sverige swe schweden 瑞典
no: norway norge nor 挪威
fi: finland suomi fin 芬兰
is: iceland isl 冰岛
pl: poland polska pol polen 波兰
cz: czechia czech republic cesko cze 捷克
sk: slovakia svk 斯洛伐克
hu: hungary magyarorszag hun 匈牙利
ro: romania rou 罗马尼亚
bg: bulgaria bgr 保加利亚
gr: greece hellas grc 希腊
tr: turkey turkiye tur 土耳其
ru: russia russian federation rossiya rus 俄罗斯
ua: ukraine ukr 乌克兰
ca: canada can kanada 加拿大
mx: mexico mex 墨西哥
br: brazil brasil bra 巴西
ar: argentina arg 阿根廷
cl: chile chl 智利
co: colombia col 哥伦比亚
pe: peru per 秘鲁
au: australia aus 澳大利亚
nz: new zealand nzl 新西兰
in: india ind bharat 印度
pk: pakistan pak 巴基斯坦
bd: bangladesh bgd 孟加拉国
lk: sri lanka lka 斯里兰卡
id: indonesia idn 印度尼西亚
my: malaysia mys 马来西亚
sg: singapore sgp 新加坡
th: thailand tha 泰国
vn: vietnam viet nam vnm 越南
ph: philippines phl 菲律宾
ae: united arab emirates uae are 阿联酋
sa: saudi arabia sau 沙特阿拉伯
il: israel isr 以色列
eg: egypt egy 埃及
za: south africa zaf 南非
ng: nigeria nga 尼日利亚
ke: kenya ken 肯尼亚
ma: morocco mar 摩洛哥
"""
_SEVERAL_WORDS = (
    "united states",
    "us of a",
    "u s a",
    "estados unidos",
    "etats unis",
    "vereinigte staaten",
    "united states of america",
    "united kingdom",
    "great britain",
    "northern ireland",
    "p r china",
    "peoples republic of china",
    "mainland china",
    "hong kong",
    "south korea",
    "republic of korea",
    "the netherlands",
    "czech republic",
    "russian federation",
    "new zealand",
    "sri lanka",
    "viet nam",
    "united arab emirates",
    "saudi arabia",
    "south africa",
)
_STATES = """
us: alabama al|alaska ak|arizona az|arkansas ar|california ca|colorado co|connecticut ct|delaware de|
 district of columbia dc|florida fl|georgia ga|hawaii hi|idaho id|illinois il|indiana in|iowa ia|kansas ks|
 kentucky ky|louisiana la|maine me|maryland md|massachusetts ma|michigan mi|minnesota mn|mississippi ms|
 missouri mo|montana mt|nebraska ne|nevada nv|new hampshire nh|new jersey nj|new mexico nm|new york ny|
 north carolina nc|north dakota nd|ohio oh|oklahoma ok|oregon or|pennsylvania pa|puerto rico pr|
 rhode island ri|south carolina sc|south dakota sd|tennessee tn|texas tx|utah ut|vermont vt|virginia va|
 washington wa|west virginia wv|wisconsin wi|wyoming wy|
 calif ca|fla fl|tex tx|mass ma|penn pa|wash wa|mich mi|minn mn|ill il|ariz az|colo co|conn ct|tenn tn|
au: new south wales nsw|victoria vic|queensland qld|south australia sa|western australia wa|tasmania tas|
 northern territory nt|australian capital territory act|
ca: ontario on|quebec qc|british columbia bc|alberta ab|manitoba mb|saskatchewan sk|nova scotia ns|
 new brunswick nb|newfoundland and labrador nl|prince edward island pe|
"""
_SHORT_STATE = {
    name: short
    for block in _STATES.replace("\n ", "").strip().split("\n")
    for name, _, short in (each.rpartition(" ") for each in block[4:].split("|") if each)
}
US_STATES = frozenset(
    each.rpartition(" ")[2]
    for each in _STATES.replace("\n ", "").strip().split("\n")[0][4:].split("|")
    if each
)
_SUFFIX = re.compile("(?:(?:维吾尔|壮族|回族)?自治区|特别行政区|自治州|地区|省|市|盟|州)$")
_DISTRICT_SUFFIX = re.compile("(?<=..)(?:(?:[^区]{1,6}族)?自治县|新区|区|县|旗|市)$")
_NATIONS = re.compile(
    "(?<=..)(?:[藏彝苗侗傣壮回]|布依|土家|蒙古|朝鲜|哈萨克|傈僳|景颇|柯尔克孜)+族?$"
)
_TOWNS = {"saint": "st", "sankt": "st", "mount": "mt", "fort": "ft", "point": "pt", "north": "n"}
_TOWNS |= {"south": "s", "east": "e", "west": "w", "heights": "hts"}


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    names = {}
    for line in _COUNTRIES.strip().split("\n"):
        code, _, rest = line.partition(": ")
        names[code] = code
        for name in _SEVERAL_WORDS:
            if f" {name} " in f" {rest} ":
                names.setdefault(name, code)
                rest = f" {rest} ".replace(f" {name} ", " ").strip()
        names |= dict.fromkeys((name for name in rest.split() if len(name) > 1), code)
    return names | {"united states of america": "us"}


@lru_cache(maxsize=4096)
def country(value: str) -> str | None:
    """The two letters of a country; None where it is not known.

    >>> [country(value) for value in ("U.S.A.", "中國", "Deutschland", "GB", "Atlantis")]
    ['us', 'cn', 'de', 'gb', None]
    """
    text = tidy(value)
    if HAN.search(text):
        return _countries().get(simplified(text))
    words = fold(text)
    return _countries().get(words) or _countries().get(words.replace(" ", ""))


@lru_cache(maxsize=65_536)
def state(value: str) -> str | None:
    """A state or province: its usual abbreviation, or its name in Latin letters.

    >>> [state(value) for value in ("California", "NSW", "广东省", "Guangdong", "陕西", "Bayern")]
    ['ca', 'nsw', 'guangdong', 'guangdong', 'shaanxi', 'bayern']
    """
    text = tidy(value)
    if HAN.search(text):
        return place_pinyin(_SUFFIX.sub("", simplified(text).replace(" ", ""))) or None
    words = fold(text).removesuffix(" province").removesuffix(" sheng")
    return _SHORT_STATE.get(words, words) or None


@lru_cache(maxsize=65_536)
def city(value: str) -> str | None:
    """A city or suburb in Latin letters.

    >>> [city(value) for value in ("深圳市", "Shenzhen", "St. Louis", "Saint Louis", "Köln", "重慶")]
    ['shenzhen', 'shenzhen', 'st louis', 'st louis', 'koln', 'chongqing']
    """
    text = tidy(value)
    if HAN.search(text):
        name = simplified(text).replace(" ", "")
        return place_pinyin(short_place(name)) or None
    words = fold(text).split()
    if len(words) > 1 and words[-1] in ("city", "shi"):
        words = words[:-1]
    return " ".join(_TOWNS.get(word, word) for word in words) or None


@lru_cache(maxsize=65_536)
def district(value: str) -> str | None:
    """A district or county in Latin letters.

    >>> district("南山区"), district("朝陽區"), district("Nanshan District")
    ('nanshan', 'chaoyang', 'nanshan')
    """
    text = tidy(value)
    if HAN.search(text):
        name = simplified(text).replace(" ", "")
        return place_pinyin(_DISTRICT_SUFFIX.sub("", name)) or None
    return fold(text).removesuffix(" district").removesuffix(" county").removesuffix(" qu") or None


def short_place(name: str) -> str:
    """A simplified place name without what says that it is a city or prefecture.

    >>> short_place("深圳市"), short_place("凉山彝族自治州"), short_place("沙市")
    ('深圳', '凉山', '沙市')
    """
    if name in CITY_PROVINCE or name in PROVINCES:
        return name
    short = _NATIONS.sub("", _SUFFIX.sub("", name))
    return short if len(short) > 1 else name


def place_pinyin(name: str) -> str:
    """The pinyin of a simplified place name; what is in Latin letters already stays.

    >>> place_pinyin("长沙"), place_pinyin("厦门")
    ('changsha', 'xiamen')
    """
    if name in PLACE_READINGS:
        return PLACE_READINGS[name]
    read = "".join(PLACE_CHARACTERS.get(each) or anyascii(each) for each in name)
    return fold(read).replace(" ", "")
