"""Where customers live: their names, cities, phones and money. Plain tables, picked by number."""

from __future__ import annotations

from typing import NamedTuple


class Country(NamedTuple):
    """What is typical of the customers of one country."""

    code: str
    share: int
    locale: str
    timezone: str
    currency: str
    rate: float
    dial: str
    phone_prefixes: tuple[str, ...]
    phone_digits: int
    phone_groups: tuple[int, ...]
    mail_domains: tuple[str, ...]
    cities: tuple[str, ...]
    surnames: tuple[tuple[str, str], ...]
    women: tuple[tuple[str, str], ...]
    men: tuple[tuple[str, str], ...]


def _hanzi(text: str) -> tuple[tuple[str, str], ...]:
    """`伟wei 芳fang` → (("伟", "wei"), ("芳", "fang"))."""
    pairs = []
    for word in text.split():
        length = next(i for i, letter in enumerate(word) if letter.isascii())
        pairs.append((word[:length], word[length:]))
    return tuple(pairs)


def _latin(text: str) -> tuple[tuple[str, str], ...]:
    """`Müller:mueller Schmidt` → (("Müller", "mueller"), ("Schmidt", "schmidt"))."""
    return tuple((a, b or a.lower()) for a, _, b in (word.partition(":") for word in text.split()))


_CN_SURNAMES = _hanzi(
    "王wang 李li 张zhang 刘liu 陈chen 杨yang 黄huang 赵zhao 吴wu 周zhou 徐xu 孙sun 马ma 朱zhu 胡hu "
    "郭guo 何he 林lin 罗luo 高gao 郑zheng 梁liang 谢xie 宋song 唐tang 许xu 韩han 邓deng 冯feng 曹cao "
    "彭peng 曾zeng 肖xiao 田tian 董dong 潘pan 袁yuan 蔡cai 蒋jiang 余yu 欧阳ouyang 司马sima"
)
_CN_WOMEN = _hanzi(
    "芳fang 娜na 敏min 静jing 丽li 艳yan 秀英xiuying 娟juan 霞xia 桂英guiying 婷ting 雪xue 慧hui "
    "梅mei 玲ling 倩qian 颖ying 琳lin 欣怡xinyi 雨桐yutong 梓涵zihan 诗涵shihan 思雨siyu 佳琪jiaqi "
    "若曦ruoxi 语嫣yuyan 晓燕xiaoyan 美玲meiling"
)
_CN_MEN = _hanzi(
    "伟wei 强qiang 磊lei 军jun 洋yang 勇yong 杰jie 涛tao 明ming 超chao 刚gang 平ping 辉hui 鹏peng "
    "浩然haoran 子轩zixuan 宇航yuhang 俊杰junjie 志强zhiqiang 建国jianguo 文博wenbo 天宇tianyu "
    "一鸣yiming 博文bowen 嘉豪jiahao 明轩mingxuan 晓东xiaodong 国栋guodong"
)
_ENGLISH_SURNAMES = _latin(
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Wilson Taylor Thomas Moore Martin "
    "Lee Walker Hall Young King Wright Scott Green Baker Adams Nelson Carter Mitchell Roberts "
    "O'Brien:obrien Campbell Evans"
)
_ENGLISH_WOMEN = _latin(
    "Mary Emma Olivia Ava Sophia Isabella Charlotte Amelia Grace Emily Chloe Lucy Hannah Zoe "
    "Ruby Alice Megan Laura Sarah Katie"
)
_ENGLISH_MEN = _latin(
    "James Liam Noah Oliver William Henry Jack Thomas George Oscar Harry Samuel Daniel Ethan "
    "Lucas Leo Ryan Adam Michael David"
)
_ENGLISH_MAILS = ("mail.example", "inbox.example", "example.com", "example.org")

_US_AREAS = (212, 415, 312, 617, 206, 305, 702)

CHINA = Country(
    "CN", 58, "zh-CN", "Asia/Shanghai", "CNY", 1.0, "86",
    ("138", "139", "135", "136", "150", "158", "186", "188", "177"), 8, (3, 4, 4),
    ("qq.example", "163.example", "126.example", "sina.example", "foxmail.example"),
    ("上海", "北京", "深圳", "广州", "杭州", "成都", "武汉", "南京", "苏州", "重庆", "西安", "长沙", "天津", "青岛"),
    _CN_SURNAMES, _CN_WOMEN, _CN_MEN,
)  # fmt: skip
UNITED_STATES = Country(
    "US", 12, "en-US", "America/New_York", "USD", 0.14, "1",
    tuple(f"{area}{exchange}" for area in _US_AREAS for exchange in (32, 34, 36, 42, 46, 62, 68)), 5,
    (3, 3, 4), _ENGLISH_MAILS,
    ("New York", "San Francisco", "Chicago", "Boston", "Seattle", "Miami", "Las Vegas", "Austin"),
    _ENGLISH_SURNAMES, _ENGLISH_WOMEN, _ENGLISH_MEN,
)  # fmt: skip
BRITAIN = Country(
    "GB", 7, "en-GB", "Europe/London", "GBP", 0.11, "44", ("71", "72", "73"), 8, (4, 6),
    _ENGLISH_MAILS, ("London", "Manchester", "Leeds", "Bristol", "Edinburgh", "Cardiff"),
    _ENGLISH_SURNAMES, _ENGLISH_WOMEN, _ENGLISH_MEN,
)  # fmt: skip
GERMANY = Country(
    "DE", 6, "de-DE", "Europe/Berlin", "EUR", 0.13, "49", ("1512", "1514", "1517"), 7, (4, 7),
    ("post.example", "web.example", "mail.example"),
    ("Berlin", "Hamburg", "München", "Köln", "Frankfurt am Main", "Düsseldorf", "Leipzig"),
    _latin("Müller:mueller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann "
           "Schäfer:schaefer Koch Bauer Richter Klein Wolf Schröder:schroeder Neumann Krüger:krueger"),
    _latin("Anna Lena Lea Sophie Marie Julia Katharina Sabine Johanna Greta"),
    _latin("Lukas Leon Finn Paul Jonas Felix Jürgen:juergen Stefan Björn:bjoern Maximilian Karl"),
)  # fmt: skip
FRANCE = Country(
    "FR", 4, "fr-FR", "Europe/Paris", "EUR", 0.13, "33", ("61", "62", "66"), 7, (1, 2, 2, 2, 2),
    ("poste.example", "courriel.example"),
    ("Paris", "Lyon", "Marseille", "Toulouse", "Nantes", "Bordeaux"),
    _latin("Martin Bernard Dubois Petit Durand Leroy Moreau Simon Laurent Lefèvre:lefevre Roux "
           "Girard Lambert Mercier François:francois Garnier"),
    _latin("Léa:lea Manon Camille Chloé:chloe Inès:ines Jade Louise Zoé:zoe Hélène:helene Élodie:elodie"),
    _latin("Lucas Hugo Louis Gabriel Jules Théo:theo Noé:noe Rémi:remi Antoine Étienne:etienne"),
)  # fmt: skip
JAPAN = Country(
    "JP", 6, "ja-JP", "Asia/Tokyo", "JPY", 21.0, "81", ("901", "902", "801"), 7, (2, 4, 4),
    ("meru.example", "docomo.example"), ("東京", "大阪", "名古屋", "札幌", "福岡", "京都", "横浜"),
    _hanzi("佐藤sato 鈴木suzuki 高橋takahashi 田中tanaka 伊藤ito 渡辺watanabe 山本yamamoto "
           "中村nakamura 小林kobayashi 加藤kato 吉田yoshida 山田yamada"),
    _hanzi("陽菜hina 結衣yui 美咲misaki 葵aoi 愛子aiko 恵子keiko 真由美mayumi 桜sakura"),
    _hanzi("翔太shota 大輔daisuke 健一kenichi 蓮ren 悠真yuma 拓也takuya 誠makoto 直樹naoki"),
)  # fmt: skip
SINGAPORE = Country(
    "SG", 4, "en-SG", "Asia/Singapore", "SGD", 0.19, "65",
    ("90", "91", "92", "93", "94", "96", "97"), 6, (4, 4), _ENGLISH_MAILS, ("Singapore",),
    _latin("Tan Lim Lee Ng Ong Wong Goh Chua Chan Koh Teo Ang Yeo Tay Ho"),
    _latin("Hui-Min:huimin Mei-Ling:meiling Siew:siew Rachel Cheryl Jasmine Nurul Priya"),
    _latin("Wei-Ming:weiming Jun-Jie:junjie Kai Benjamin Darren Farid Arjun Marcus"),
)  # fmt: skip
AUSTRALIA = Country(
    "AU", 3, "en-AU", "Australia/Sydney", "AUD", 0.21, "61", ("41", "42", "43"), 7, (3, 3, 3),
    _ENGLISH_MAILS, ("Sydney", "Melbourne", "Brisbane", "Perth", "Adelaide"),
    _ENGLISH_SURNAMES, _ENGLISH_WOMEN, _ENGLISH_MEN,
)  # fmt: skip

COUNTRIES = (CHINA, UNITED_STATES, BRITAIN, GERMANY, FRANCE, JAPAN, SINGAPORE, AUSTRALIA)
BY_SHARE: tuple[Country, ...] = tuple(c for c in COUNTRIES for _ in range(c.share))
"""A hundred places: pick one at random to get a country as often as its share says."""
