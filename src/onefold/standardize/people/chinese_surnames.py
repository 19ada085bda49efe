"""Chinese surnames in simplified characters, the commonest first, and how they are read."""

from __future__ import annotations

# By frequency: the first hundred are seven in eight people.
COMMON = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任"
    "卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔"
    "向常汤康易乔赖文牛樊葛邢安齐庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单"
    "季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧阳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦"
    "麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩"
    "明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强"
    "帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓"
    "修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利於呼居揭干但尉冶斯元束檀衣信展阴昝智幸奉植"
    "衡富尧闭由柒贡降仁问厍蹇宓逄尕郇泮户郗糜竺贝应承钮从佴郏贲谯隗璩蓬池钭冒俎牧晓暨"
)
COMPOUND = frozenset(
    """欧阳 上官 司马 诸葛 夏侯 皇甫 尉迟 公孙 慕容 司徒 令狐 东方 长孙 宇文 端木 南宫 独孤 轩辕 百里 呼延 闻人
    澹台 公冶 宗政 濮阳 淳于 单于 太叔 申屠 仲孙 钟离 鲜于 司空 闾丘 亓官 司寇 公羊 东郭 南门 西门 左丘 梁丘
    拓跋 赫连 万俟 第五 纳兰 完颜 耶律 叶赫 爱新觉罗 范姜 张简 欧陽 段干 谷梁 东里 公西 漆雕 乐正 壤驷 子车 颛孙
    巫马 公良 夹谷 宰父 归海 海法 微生 羊舌 公户 公玉 公仪 仲长 叔孙 屈突 尔朱 东乡 相里 胡母 贺兰""".split()
)
# Japanese family names in their characters as simplified: they are not split after the first.
JAPANESE = frozenset(
    """佐藤 铃木 高桥 田中 渡边 伊藤 山本 中村 小林 加藤 吉田 山田 佐佐木 山口 松本 井上 木村 斋藤 清水 山崎 池田
    桥本 阿部 石川 山下 中岛 石井 小川 前田 冈田 长谷川 藤田 后藤 近藤 村上 远藤 青木 坂本 福田 太田 西村 藤井
    金子 冈本 藤原 三浦 中野 中川 原田 松田 竹内 小野 田村 中山 和田 石田 森田 上田 内田 柴田 酒井 宫崎 横山 高木
    安藤 宫本 大野 小岛 谷口 今井 工藤 高田 增田 丸山 杉山 村田 大冢 小山 藤本 平野 新井 上野 武田 野口 松井 千叶
    菅原 岩崎 久保 木下 佐野 野村 松尾 市川 菊地 菊池 古川 大西 岛田 水野 樱井 渡部 吉川 山内 西田 饭田 西川
    小松 北村 安田 五十岚 川口 平田 关口 中田 久保田 服部 东 岩田 土屋 福岛 本田 川崎 樋口 秋山 永井 松下 堀田""".split()
) - {"东"}
HONG_KONG = frozenset(
    "wong chan cheung lam lau chow cheng leung tse yip kwok tsang yuen yeung fung tsui chiu szeto"
    " auyeung kwan mak poon".split()
)
"""Family names as they are written in Hong Kong, that are hardly anything else."""
# As a surname read otherwise than as a word.
READINGS = {
    "单": "shan",
    "曾": "zeng",
    "解": "xie",
    "仇": "qiu",
    "区": "ou",
    "查": "zha",
    "朴": "piao",
    "任": "ren",
    "华": "hua",
    "盖": "ge",
    "乐": "yue",
    "冼": "xian",
    "覃": "qin",
    "缪": "miao",
    "翟": "zhai",
    "臧": "zang",
    "尉": "wei",
    "召": "shao",
    "员": "yun",
    "贠": "yun",
    "黑": "he",
    "秘": "bi",
    "种": "chong",
    "折": "she",
    "洗": "xian",
    "繁": "po",
    "都": "du",
    "宓": "mi",
    "郗": "xi",
    "幺": "yao",
    "哈": "ha",
    "角": "jue",
    "能": "nai",
    "过": "guo",
    "么": "yao",
    "车": "che",
    "谌": "chen",
    "句": "gou",
    "阚": "kan",
    "牟": "mu",
    "隗": "wei",
    "令狐": "linghu",
    "尉迟": "yuchi",
    "万俟": "moqi",
    "单于": "chanyu",
    "长孙": "zhangsun",
    "澹台": "tantai",
    "呼延": "huyan",
    "濮阳": "puyang",
    "鲜于": "xianyu",
    "亓官": "qiguan",
    "宿": "su",
    "撒": "sa",
    "盛": "sheng",
    "祭": "zhai",
    "应": "ying",
    "燕": "yan",
    "訾": "zi",
    "相": "xiang",
    "柏": "bai",
    "薄": "bo",
    "重": "chong",
    "适": "kuo",
    "那": "na",
    "行": "xing",
    "洪": "hong",
    "石": "shi",
    "沈": "shen",
    "卜": "bu",
    "干": "gan",
    "宁": "ning",
    "纪": "ji",
    "晁": "chao",
    "逄": "pang",
    "郇": "xun",
    "佴": "nai",
    "贲": "ben",
    "钭": "tou",
    "昝": "zan",
    "厍": "she",
    "邰": "tai",
    "仝": "tong",
    "吕": "lv",
}
# Traditional surnames that differ from what the characters become in other words.
TRADITIONAL = {
    "於": "於",
    "鍾": "钟",
    "鐘": "钟",
    "葉": "叶",
    "蕭": "萧",
    "范": "范",
    "範": "范",
    "余": "余",
    "餘": "余",
}
# In given names, where the commonest reading of the character is another.
GIVEN_READINGS = {
    "地": "di",
    "朝": "chao",
    "长": "chang",
    "乐": "le",
    "行": "xing",
    "似": "si",
    "女": "nv",
    "旅": "lv",
    "绿": "lv",
    "律": "lv",
    "侣": "lv",
    "履": "lv",
    "拓": "tuo",
    "茜": "qian",
    "晟": "sheng",
    "俞": "yu",
    "好": "hao",
    "传": "chuan",
    "重": "zhong",
    "仔": "zai",
}
