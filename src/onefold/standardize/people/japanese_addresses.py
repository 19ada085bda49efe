"""Japanese addresses, which begin with the prefecture and end with the room.

The order of the parts is that of Japan Post (https://www.post.japanpost.jp/): postcode, prefecture, municipality, town
with block and number, building.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

_POSTCODE = re.compile(r"〒?\s*(\d{3})-?(\d{4})(?!\d)")
_PREFECTURE = re.compile("^(東京都|北海道|(?:京都|大阪)府|[^\\d都道府県]{2,3}県)")
_ODD = "市川 四日市 廿日市 野々市 八日市 市原 町田 大町 十日町 村上 村山 東村山 武蔵村山 羽村 大村 田村 郡山 大和郡山 郡上 小郡 蒲郡".split()
"""Cities whose names hold a sign that else ends a municipality."""
_MUNICIPALITY = re.compile(
    rf"^((?:{'|'.join(_ODD)})市(?:[^\d区]{{1,4}}区)?|[^\d郡]{{1,4}}郡[^\d町村]{{1,5}}[町村]"
    r"|[^\d市区町村]{1,5}市(?:[^\d区市町村]{1,4}区)?|[^\d市区町村]{1,5}[区町村])"
)
_STEPS = re.compile(
    r"(?<=[\d一二三四五六七八九十])(?:丁目|番地の?|番|の)(?=\d)|(?<=\d)[−ー‐–―](?=\d)"
)
_LAST = re.compile(r"(?<=\d)(?:番地|番|号|丁目)")
_NUMBER = re.compile(r"^([^\d]*?)([\d一二三四五六七八九十]*(?:\d|丁目)[\d-]*)(.*)$")
_KANJI = {sign: str(number) for number, sign in enumerate("一二三四五六七八九", 1)}
_BLOCK = re.compile(r"([一二三四五六七八九])(?=丁目)")


class JapaneseAddress(NamedTuple):
    """What an address in Japanese says, in its own characters; numbers with hyphens between them."""

    state: str | None = None
    city: str | None = None
    street: str | None = None
    house_number: str | None = None
    more: str | None = None
    postcode: str | None = None


def is_japanese(value: str) -> bool:
    """Does an address begin with a prefecture of Japan, or its postcode?

    >>> is_japanese("東京都港区六本木6-10-1"), is_japanese("上海市浦东新区世纪大道100号")
    (True, False)
    """
    text = unicodedata.normalize("NFKC", value).strip()
    return "〒" in text or _PREFECTURE.match(_POSTCODE.sub("", text).strip()) is not None


@lru_cache(maxsize=4_096)
def japanese_address(value: str) -> JapaneseAddress:
    """The parts of an address in Japanese.

    >>> japanese_address("〒106-0032 東京都港区六本木６丁目１０番１号 森タワー20階")
    JapaneseAddress(state='東京都', city='港区', street='六本木', house_number='6-10-1', more='森タワー20階', postcode='106-0032')
    >>> japanese_address("三重県四日市市諏訪町1-5")[:4], japanese_address("大阪府大阪市北区梅田三丁目1番3号")[:4]
    (('三重県', '四日市市', '諏訪町', '1-5'), ('大阪府', '大阪市北区', '梅田', '3-1-3'))
    """
    text = "".join(unicodedata.normalize("NFKC", value).split())
    postcode = None
    if found := _POSTCODE.match(text):
        postcode, text = f"{found[1]}-{found[2]}", text[found.end() :]
    state, text = _begin(_PREFECTURE, text)
    city, text = _begin(_MUNICIPALITY, text)
    plain = _BLOCK.sub(lambda found: _KANJI[found[1]], text)
    plain = _LAST.sub("", _STEPS.sub("-", plain), count=1)
    street: str | None = plain
    number = more = None
    if found := _NUMBER.match(plain):
        street, number, more = found[1], found[2].strip("-"), found[3]
    return JapaneseAddress(
        state, city, street or None, number, (more or "").strip("、,") or None, postcode
    )


def _begin(pattern: re.Pattern[str], text: str) -> tuple[str | None, str]:
    found = pattern.match(text)
    return (found[1], text[found.end() :]) if found else (None, text)
