"""Quantities in the units that people write, turned into the unit that is wanted.

Factors are exact where their definition is: SI units by the BIPM's SI Brochure (9th edition,
https://www.bipm.org/en/publications/si-brochure), those of the United States and the United Kingdom by
NIST Special Publication 811, appendix B (https://www.nist.gov/pml/special-publication-811), Chinese market
units by the State Council's order of 1984 on legal units (1 斤 = 500 g, 1 亩 = 2000/3 m²), the Japanese
坪 by the law of 1891 on measures (400/121 m²).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple


class UnitMeaning(NamedTuple):
    """What a unit measures, and how it becomes the base unit of that: `value * factor + offset`."""

    kind: str
    factor: float
    offset: float = 0.0


_TABLE = """
length | mm 0.001 millimeter millimetre millimeters millimetres 毫米 ミリ
length | cm 0.01 centimeter centimetre centimeters centimetres zentimeter 厘米 公分 センチ
length | dm 0.1 decimeter decimetre 分米
length | m 1 meter metre meters metres 米 公尺 メートル
length | km 1000 kilometer kilometre kilometers kilometres 公里 千米 キロメートル
length | in 0.0254 inch inches zoll 英寸 吋 インチ " ″ ”
length | ft 0.3048 foot feet fuss 英尺 呎 フィート ' ′ ’
length | yd 0.9144 yard yards 码 碼
length | mi 1609.344 mile miles meile meilen 英里 マイル
length | nmi 1852 海里
length | chi 1/3 尺 市尺
length | cun 1/30 寸 市寸
length | li 500 市里 华里 里
weight | mg 1e-6 milligram milligrams milligramm 毫克
weight | g 0.001 gram grams gramme gramm gr 克 公克 グラム
weight | kg 1 kilo kilos kilogram kilograms kilogramm kgs 千克 公斤 キロ キログラム
weight | t 1000 tonne tonnes metric_ton 吨 噸 トン
weight | oz 0.028349523125 ounce ounces unze unzen 盎司 オンス
weight | lb 0.45359237 lbs pound pounds 磅 英磅 ポンド
weight | pfund 0.5
weight | st 6.35029318 stone stones
weight | ct 0.0002 carat karat carats 克拉 カラット
weight | short_ton 907.18474
weight | long_ton 1016.0469088
weight | jin 0.5 斤 市斤
weight | liang 0.05 两 市两
duration | ms 0.001 millisecond milliseconds 毫秒
duration | s 1 sec second seconds sek sekunde sekunden 秒
duration | min 60 minute minutes minuten 分钟 分鐘
duration | h 3600 hr hrs hour hours std stunde stunden 小时 小時 時間
duration | day 86400 d days tag tage 天 日
duration | week 604800 wk weeks woche wochen 周 週間 星期
volume | ml 0.001 milliliter millilitre milliliters cc cm3 毫升 ミリリットル
volume | cl 0.01 centiliter centilitre
volume | dl 0.1 deciliter decilitre
volume | l 1 liter litre liters litres ltr 升 公升 リットル
volume | hl 100 hectoliter hektoliter
volume | m3 1000 立方米 cbm
volume | fl_oz 0.0295735295625
volume | cup 0.2365882365 cups
volume | pt 0.473176473 pint pints
volume | qt 0.946352946 quart quarts
volume | gal 3.785411784 gallon gallons 加仑
volume | fl_oz_uk 0.0284130625
volume | pt_uk 0.56826125
volume | gal_uk 4.54609
area | cm2 0.0001 平方厘米
area | m2 1 sqm qm 平方米 平米 ㎡ 平方公尺 平方メートル
area | km2 1e6 平方公里
area | ha 10000 hectare hectares hektar 公顷
area | are 100 ar
area | ft2 0.09290304 sqft 平方英尺
area | yd2 0.83612736
area | acre 4046.8564224 acres 英亩
area | mi2 2589988.110336
area | mu 2000/3 亩 畝
area | tsubo 400/121 坪
temperature | k 1 kelvin
temperature | c 1+273.15 celsius °c ℃ 摄氏度
temperature | f 5/9+255.372222222222 fahrenheit °f ℉ 华氏度
speed | m_s 1 m/s
speed | km_h 1/3.6 km/h kmh kph 公里/小时
speed | mph 0.44704
speed | kn 0.514444444444 knot knots
energy | j 1 joule
energy | kj 1000
energy | cal 4.184
energy | kcal 4184 大卡 千卡
energy | wh 3600
energy | kwh 3.6e6 度电
power | w 1 watt
power | kw 1000
power | ps 735.49875
power | hp 745.699871582
pressure | pa 1
pressure | hpa 100
pressure | kpa 1000
pressure | bar 1e5
pressure | psi 6894.757293168
pressure | mmhg 133.322387415
data | byte 1 bytes 字节
data | kb 1000
data | mb 1e6
data | gb 1e9
data | tb 1e12
data | kib 1024
data | mib 1048576
data | gib 1073741824
share | percent 0.01 % pct prozent 百分之
share | permille 0.001 ‰
share | share 1
money | cent 0.01 cents
money | fen 0.01
money | unit 1
"""


def _factor(text: str) -> float:
    above, _, below = text.partition("/")
    return float(above) / float(below) if below else float(above)


def _read_table() -> tuple[dict[str, UnitMeaning], dict[str, str]]:
    units: dict[str, UnitMeaning] = {}
    names: dict[str, str] = {}
    for line in filter(None, _TABLE.splitlines()):
        kind, _, rest = line.partition(" | ")
        code, number, *spoken = rest.split()
        factor, _, offset = number.partition("+")
        if "e" in number:
            factor, offset = number, ""
        units[code] = UnitMeaning(kind, _factor(factor), float(offset or 0))
        for name in (code, *spoken):
            names.setdefault(_key(name), code)
    return units, names


def _key(name: str) -> str:
    text = unicodedata.normalize("NFKC", name).casefold().replace("²", "2").replace("³", "3")
    return "".join(text.split()).strip(".")


UNITS, _NAMES = _read_table()
"""Each unit by its code."""
_QUANTITY = re.compile(r"([^\w°'\"]*[+-]?[\d.,'’\s]*\d[.,]?)\s*([^\d].*)?")
_FEET = re.compile(
    r"(\d+)\s*(?:'|ft\.?|feet|foot)\s*(?:(\d{1,2}(?:\.\d+)?)\s*(?:\"|''|in\.?|inch|inches)?)?"
)
_TWO = re.compile(
    r"(\d+)\s*(lbs?|pounds?|st|stones?)\.?\s*(\d+(?:\.\d+)?)\s*(oz|ounces?|lbs?|pounds?)\.?"
)
_METERS = re.compile(r"(\d)\s*m\s*(\d{2})")
_LONGEST = 200
_QUOTES = str.maketrans("′’‘″”“", "'''\"\"\"")


def unit_named(name: str) -> str | None:
    """The code of a unit, however it is called.

    >>> [unit_named(one) for one in ("Kilogram", "公斤", "lbs.", "㎡", "cubit")]
    ['kg', 'kg', 'lb', 'm2', None]
    """
    return _NAMES.get(_key(name))


def converted(value: float, source: str, to: str) -> float:
    """A number in another unit of the same kind.

    >>> converted(10, "in", "cm"), converted(98.6, "f", "c"), converted(3, "斤", "kg")
    (25.4, 37.0, 1.5)
    """
    one, other = UNITS[unit_named(source) or source], UNITS[unit_named(to) or to]
    found = (value * one.factor + one.offset - other.offset) / other.factor
    return round(found, 9)


@lru_cache(maxsize=65_536)
def taken_apart(text: str) -> tuple[str | float, str] | None:
    """A text as its number and the name of its unit (empty where it has none); None: neither.

    The number is a text as it is written, unless it is put together of two.

    >>> taken_apart("1.80 m"), taken_apart("72,5 kg"), taken_apart("180"), taken_apart("tall")
    (('1.80', 'm'), ('72,5', 'kg'), ('180', ''), None)
    >>> taken_apart("5' 11\\""), taken_apart("6ft"), taken_apart("1m80")
    ((71.0, 'in'), (72.0, 'in'), (180.0, 'cm'))
    """
    if len(text) > _LONGEST:
        return None
    plain = unicodedata.normalize("NFKC", text).translate(_QUOTES).replace("\u2212", "-").strip()
    if found := _FEET.fullmatch(plain.lower()):
        return int(found[1]) * 12 + float(found[2] or 0), "in"
    if (found := _TWO.fullmatch(plain.lower())) and (parts := _two(found)):
        return parts
    if found := _METERS.fullmatch(plain.lower()):
        return float(found[1] + found[2]), "cm"
    found = _QUANTITY.fullmatch(plain)
    return (found[1].strip(), (found[2] or "").strip()) if found else None


def _two(found: re.Match[str]) -> tuple[float, str] | None:
    """Pounds and ounces as ounces, stones and pounds as pounds."""
    unit = found[2][0] + found[4][0]
    if unit == "lo":
        return float(found[1]) * 16 + float(found[3]), "oz"
    return (float(found[1]) * 14 + float(found[3]), "lb") if unit in ("sl", "sp") else None


def quantity_reader(
    source: str, to: str, number: Callable[[Any], Any], wrong: Callable[[str, str], Any]
) -> Callable[[Any], Any]:
    """What gives a quantity in the unit `to`: in the unit that is written with it, else in `source`.

    `number` reads the number; what it cannot read, it gives back as it does. `wrong` makes what tells that a
    text is no such quantity, of a problem and a hint.
    """
    source, to = unit_named(source) or source, unit_named(to) or to
    kind = UNITS[to].kind

    def read(value: Any) -> Any:
        written = source
        if isinstance(value, str) and kind != "money":  # amounts have a currency's sign instead
            parts = taken_apart(value)
            if parts is None:
                return wrong(f"{value[:60]!r} is not a quantity", "")
            value, name = parts
            if name:
                written = unit_named(name) or ""
                if not written or UNITS[written].kind != kind:
                    return wrong(f"{name[:40]!r} is no unit of {kind}", "give a lookup")
        if not written:
            return wrong(f"{value!r} names no unit", f"write `unit: {{from: {to}, to: {to}}}`")
        found = number(value)
        if type(found) is not int and type(found) is not float:
            return found
        return converted(found, written, to)

    return read
