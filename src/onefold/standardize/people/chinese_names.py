"""Chinese names: simplified characters, family and given name, pinyin, romanized names in any order."""

from __future__ import annotations

import re
from functools import lru_cache

from anyascii import anyascii
from opencc import OpenCC

from onefold.standardize.people.chinese_surnames import (
    COMMON,
    COMPOUND,
    GIVEN_READINGS,
    HONG_KONG,
    JAPANESE,
    READINGS,
    TRADITIONAL,
)
from onefold.standardize.people.nicknames import is_known
from onefold.standardize.people.text import HAN

_SYLLABLES = frozenset(
    """a ai an ang ao e ei en er o ou
    ba bai ban bang bao bei ben beng bi bian biao bie bin bing bo bu
    pa pai pan pang pao pei pen peng pi pian piao pie pin ping po pou pu
    ma mai man mang mao mei men meng mi mian miao mie min ming miu mo mou mu
    fa fan fang fei fen feng fo fou fu
    da dai dan dang dao dei deng di dian diao die ding diu dong dou du duan dui dun duo
    ta tai tan tang tao te teng ti tian tiao tie ting tong tou tu tuan tui tun tuo
    na nai nan nang nao ne nei nen neng ni nian niang niao nie nin ning niu nong nou nu nuan nuo nv nve nyu
    la lai lan lang lao le lei leng li lia lian liang liao lie lin ling liu long lou lu luan lun luo lv lve lyu
    ga gai gan gang gao ge gei gen geng gong gou gu gua guai guan guang gui gun guo
    ka kai kan kang kao ke ken keng kong kou ku kua kuai kuan kuang kui kun kuo
    ha hai han hang hao he hei hen heng hong hou hu hua huai huan huang hui hun huo
    ji jia jian jiang jiao jie jin jing jiong jiu ju juan jue jun
    qi qia qian qiang qiao qie qin qing qiong qiu qu quan que qun
    xi xia xian xiang xiao xie xin xing xiong xiu xu xuan xue xun
    zha zhai zhan zhang zhao zhe zhei zhen zheng zhi zhong zhou zhu zhua zhuai zhuan zhuang zhui zhun zhuo
    cha chai chan chang chao che chen cheng chi chong chou chu chua chuai chuan chuang chui chun chuo
    sha shai shan shang shao she shei shen sheng shi shou shu shua shuai shuan shuang shui shun shuo
    ran rang rao re ren reng ri rong rou ru ruan rui run ruo
    za zai zan zang zao ze zei zen zeng zi zong zou zu zuan zui zun zuo
    ca cai can cang cao ce cen ceng ci cong cou cu cuan cui cun cuo
    sa sai san sang sao se sen seng si song sou su suan sui sun suo
    ya yan yang yao ye yi yin ying yo yong you yu yuan yue yun
    wa wai wan wang wei wen weng wo wu""".split()
)
PINYIN = re.compile(f"(?:{'|'.join(sorted(_SYLLABLES, key=len, reverse=True))})+")
_NOT_HAN = re.compile(f"(?!{HAN.pattern}).")
_SEPARATED = re.compile(r"[\s·・,，]+")
_KOREAN = {
    "gim": "kim",
    "i": "lee",
    "bag": "park",
    "choe": "choi",
    "jeong": "jung",
    "gang": "kang",
    "jo": "cho",
    "yun": "yoon",
    "im": "lim",
    "sin": "shin",
    "o": "oh",
    "seo": "seo",
    "gwon": "kwon",
    "no": "noh",
    "u": "woo",
    "an": "ahn",
}
_JAPANESE_FORMS = str.maketrans(
    "髙﨑邊邉渡藤澤沢桜斎齋斉嶋島関竜鉄塩広辺実恵浜",
    "高崎边边渡藤泽泽樱斋斋齐岛岛关龙铁盐广边实惠滨",
)


class _Simplified(dict[int, str]):
    """Each character that was asked for to its simplified one, as names have them."""

    def __init__(self) -> None:
        super().__init__({ord(old): new for old, new in TRADITIONAL.items()})
        self._converter = OpenCC("t2s")

    def __missing__(self, code: int) -> str:
        if not 0x4E00 <= code < 0xA000:
            return chr(code)
        self[code] = self._converter.convert(chr(code))
        return self[code]


@lru_cache(maxsize=1)
def _simplified() -> _Simplified:
    return _Simplified()


def simplified(text: str) -> str:
    """In simplified characters; Japanese forms of them too.

    >>> simplified("張偉"), simplified("渡邊"), simplified("鍾")
    ('张伟', '渡边', '钟')
    """
    return text.translate(_JAPANESE_FORMS).translate(_simplified())


@lru_cache(maxsize=65_536)
def _reading(character: str) -> str:
    return GIVEN_READINGS.get(character) or anyascii(character).lower().replace(" ", "")


@lru_cache(maxsize=65_536)
def pinyin_of(text: str) -> str:
    """The pinyin of a given name, as one word without tones.

    >>> pinyin_of("小明"), pinyin_of("麗華"), pinyin_of("")
    ('xiaoming', 'lihua', '')
    """
    letters = "".join(map(_reading, _NOT_HAN.sub("", simplified(text))))
    return letters if letters.isascii() and letters.isalnum() else ""


@lru_cache(maxsize=65_536)
def surname_pinyin(text: str) -> str:
    """The pinyin of a family name, which is often not that of the word.

    >>> surname_pinyin("单"), surname_pinyin("曾"), surname_pinyin("尉迟"), surname_pinyin("歐陽")
    ('shan', 'zeng', 'yuchi', 'ouyang')
    """
    text = _NOT_HAN.sub("", simplified(text))
    return READINGS.get(text) or "".join(READINGS.get(c) or _reading(c) for c in text)


@lru_cache(maxsize=4_096)
def split(text: str) -> tuple[str, str]:
    """Family and given name of a name in characters, simplified.

    >>> split("張偉"), split("欧阳娜娜"), split("佐藤健"), split("伟 张"), split("司徒")
    (('张', '伟'), ('欧阳', '娜娜'), ('佐藤', '健'), ('张', '伟'), ('司', '徒'))
    """
    text = simplified(text)
    words = [word for part in _SEPARATED.split(text) if (word := _NOT_HAN.sub("", part))]
    if len(words) == 2:
        return _two_words(*words)
    name = "".join(words)
    for length in (4, 3, 2):
        if len(name) > length and (name[:length] in COMPOUND or name[:length] in JAPANESE):
            return name[:length], name[length:]
    if len(name) == 4 and name[0] in _RANK and name[1] in _RANK:
        return name[:2], name[2:]  # a woman's name after both families: 陈方安生
    if len(name) == 1:
        return (name, "") if name in _RANK else ("", name)
    return name[:1], name[1:]


def _two_words(first: str, second: str) -> tuple[str, str]:
    if not is_surname(first) and is_surname(second):
        return second, first
    return first, second


_RANK = {character: rank for rank, character in reversed(list(enumerate(COMMON)))}


def is_surname(text: str) -> bool:
    """Is this a Chinese or Japanese family name, in simplified characters?"""
    return text in _RANK or text in COMPOUND or text in JAPANESE


@lru_cache(maxsize=1)
def _surname_ranks() -> dict[str, int]:
    """The pinyin of each family name, with the rank of the commonest that is read so."""
    ranks: dict[str, int] = {}
    for name in COMPOUND:
        ranks[surname_pinyin(name)] = 150
    for character, rank in sorted(_RANK.items(), key=lambda each: each[1]):
        ranks.setdefault(surname_pinyin(character), rank)
    for other, usual in (("lyu", "lv"), ("lu", "lu"), ("xiao", "xiao")):
        ranks.setdefault(other, ranks[usual])
    return ranks


def is_syllable(word: str) -> bool:
    """Is this folded word one syllable of pinyin?

    >>> [is_syllable(word) for word in ("xiao", "mary", "lee")]
    [True, False, False]
    """
    return word in _SYLLABLES


@lru_cache(maxsize=65_536)
def is_pinyin(name: str) -> bool:
    """May this folded name be pinyin?

    >>> [is_pinyin(name) for name in ("xiaoming", "zhang", "smith", "ouyang nana")]
    [True, True, False, True]
    """
    return PINYIN.fullmatch(name.replace(" ", "")) is not None


def _syllables(word: str) -> int:
    """How many syllables of pinyin these are, at least; 0 if none."""
    counts = [0] + [99] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - 6), end):
            if word[start:end] in _SYLLABLES:
                counts[end] = min(counts[end], counts[start] + 1)
    return counts[-1] if counts[-1] < 99 else 0


@lru_cache(maxsize=4_096)
def _order(words: tuple[str, ...]) -> int:
    """1 where the family name stands first, -1 where it stands last, 0 where this is no pinyin."""
    ranks = _surname_ranks()
    if is_known(words[-1]) and words[-1] not in ranks:
        # An English given name beside a Chinese family name: `Chen Vivian`. What may be a given name stays one.
        return int(may_lead(words[0]) and len(words) == 2)
    if words[0] in HONG_KONG and (words[-1] not in ranks or len(words) == 3):
        return int(all(map(is_pinyin, words[1:])))
    if not all(is_pinyin(word) for word in words):
        return 0
    first, last = ranks.get(words[0]), ranks.get(words[-1])
    if first is None or last is None:
        return 0 if first is last else (1 if last is None else -1)
    if len(words) == 3:
        return 1 if all(map(is_syllable, words[1:])) and first <= last + 15 else -1
    # Both may be the family name: the far commoner one is. 张伟 is read as zhang, not as wei.
    return 1 if first * 3 + 20 < last else -1


def order(words: list[str]) -> tuple[list[str], list[str]] | None:
    """Given and family names of a romanized Chinese name; None where it is none.

    >>> order(["wei", "zhang"]), order(["zhang", "wei"]), order(["zhang", "xiao", "ming"])
    ((['wei'], ['zhang']), (['wei'], ['zhang']), (['xiao', 'ming'], ['zhang']))
    >>> order(["xiaoming", "li"]), order(["john", "smith"])
    ((['xiaoming'], ['li']), None)
    >>> order(["chen", "vivian"]), order(["cheung", "junbo"])
    ((['vivian'], ['chen']), (['junbo'], ['cheung']))
    """
    if not 2 <= len(words) <= 3:
        return None
    found = _order(tuple(words))
    if found == 0:
        return None
    return (words[1:], words[:1]) if found > 0 else (words[:-1], words[-1:])


def korean_apart(text: str) -> str:
    """A name in Hangul in Latin letters, the family name last.

    >>> korean_apart("김철수")
    'cheolsu kim'
    """
    name = "".join(text.split())
    family = anyascii(name[:1]).lower()
    return f"{anyascii(name[1:]).lower()} {_KOREAN.get(family, family)}".strip()


@lru_cache(maxsize=65_536)
def is_romanized_surname(name: str) -> bool:
    """Is this folded word a Chinese family name in pinyin?

    >>> [is_romanized_surname(name) for name in ("zhang", "ouyang", "cheung", "smith")]
    [True, True, True, False]
    """
    return name in _surname_ranks() or name in HONG_KONG


def may_lead(name: str) -> bool:
    """Is this folded word a family name when a European given name follows?

    >>> may_lead("chen"), may_lead("dan"), may_lead("smith")
    (True, False, False)
    """
    return is_romanized_surname(name) and not is_known(name)


def leading_names() -> list[str]:
    """All for which `may_lead` holds, and those of Hong Kong."""
    return sorted(name for name in {*_surname_ranks(), *HONG_KONG} if may_lead(name))
