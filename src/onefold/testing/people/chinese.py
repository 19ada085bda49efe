"""Chinese names with the pinyin that their owners write."""

from __future__ import annotations


def _pairs(text: str) -> list[tuple[str, str]]:
    """`王wang 李li` as pairs; the characters are those before the first Latin letter."""
    found = []
    for each in text.split():
        at = next(i for i, sign in enumerate(each) if sign.isascii())
        found.append((each[:at], each[at:]))
    return found


SURNAMES = _pairs(
    """王wang 李li 张zhang 刘liu 陈chen 杨yang 黄huang 赵zhao 吴wu 周zhou 徐xu 孙sun 马ma 朱zhu 胡hu 郭guo 何he 林lin
    高gao 罗luo 郑zheng 梁liang 谢xie 宋song 唐tang 许xu 韩han 邓deng 冯feng 曹cao 彭peng 曾zeng 肖xiao 田tian 董dong 潘pan
    袁yuan 蔡cai 蒋jiang 余yu 于yu 杜du 叶ye 程cheng 魏wei 苏su 吕lv 丁ding 任ren 卢lu 姚yao 沈shen 钟zhong 姜jiang 崔cui
    谭tan 陆lu 范fan 汪wang 廖liao 石shi 金jin 韦wei 贾jia 夏xia 付fu 方fang 邹zou 熊xiong 白bai 孟meng 秦qin 邱qiu 侯hou
    江jiang 尹yin 薛xue 闫yan 段duan 雷lei 龙long 黎li 史shi 陶tao 贺he 毛mao 郝hao 顾gu 龚gong 邵shao 万wan 覃qin 武wu 钱qian
    戴dai 严yan 莫mo 孔kong 向xiang 常chang 汤tang 康kang 易yi 乔qiao 赖lai 文wen 牛niu 樊fan 葛ge 邢xing 安an 齐qi 庞pang
    颜yan 倪ni 庄zhuang 聂nie 章zhang 鲁lu 岳yue 翟zhai 殷yin 詹zhan 申shen 欧阳ouyang 耿geng 关guan 兰lan 焦jiao 俞yu 左zuo
    柳liu 甘gan 祝zhu 包bao 宁ning 尚shang 符fu 舒shu 阮ruan 柯ke 纪ji 梅mei 童tong 凌ling 毕bi 单shan 季ji 裴pei 霍huo 涂tu
    成cheng 苗miao 谷gu 盛sheng 曲qu 翁weng 冉ran 骆luo 蓝lan 路lu 游you 辛xin 靳jin 管guan 柴chai 蒙meng 鲍bao 华hua 喻yu
    祁qi 蒲pu 房fang 滕teng 屈qu 饶rao 解xie 牟mu 艾ai 尤you 阳yang 时shi 穆mu 农nong 司si 卓zhuo 古gu 吉ji 缪miao 简jian
    车che 项xiang 连lian 芦lu 麦mai 褚chu 娄lou 窦dou 戚qi 岑cen 景jing 党dang 宫gong 费fei 卜bu 冷leng 晏yan 席xi 卫wei
    上官shangguan 司马sima 诸葛zhuge 皇甫huangfu 慕容murong 司徒situ 令狐linghu 夏侯xiahou 尉迟yuchi 区ou 仇qiu 查zha 朴piao"""
)
MEN = _pairs(
    """伟wei 强qiang 磊lei 军jun 勇yong 杰jie 涛tao 超chao 明ming 刚gang 平ping 辉hui 鹏peng 华hua 飞fei 鑫xin 波bo 斌bin
    宇yu 浩hao 凯kai 健jian 俊jun 帆fan 帅shuai 旭xu 宁ning 龙long 林lin 欢huan 阳yang 建jian 亮liang 成cheng 峰feng 毅yi
    博bo 文wen 志zhi 国guo 天tian 德de 海hai 东dong 立li 松song 鸣ming 晨chen 轩xuan 泽ze 睿rui 翔xiang 晓xiao 少shao 振zhen
    家jia 永yong 洪hong 荣rong 庆qing 兵bing 胜sheng 祥xiang 云yun 浩hao 嘉jia 子zi 梓zi 一yi 宏hong 光guang 大da 根gen 福fu
    贵gui 新xin 春chun 长chang 学xue 金jin 生sheng 正zheng 瑞rui 树shu 世shi 启qi 元yuan 恒heng 钧jun 朝chao 乐le 楠nan 铭ming"""
)
WOMEN = _pairs(
    """芳fang 娜na 敏min 静jing 丽li 艳yan 娟juan 霞xia 秀xiu 燕yan 玲ling 红hong 梅mei 兰lan 英ying 华hua 慧hui 莉li 婷ting
    玉yu 颖ying 洁jie 雪xue 倩qian 琳lin 晶jing 萍ping 蕾lei 薇wei 佳jia 欣xin 怡yi 雅ya 思si 涵han 梦meng 诗shi 雨yu 馨xin
    琪qi 悦yue 妍yan 瑶yao 月yue 云yun 凤feng 珍zhen 桂gui 香xiang 淑shu 琴qin 花hua 春chun 菊ju 莲lian 翠cui 美mei 彩cai
    晓xiao 小xiao 子zi 梓zi 文wen 嘉jia 可ke 若ruo 依yi 心xin 语yu 宁ning 君jun 丹dan 媛yuan 茜qian 楠nan 露lu 青qing 蓉rong
    群qun 素su 爱ai 金jin 银yin 芝zhi 苗miao 姗shan 珊shan 晴qing 冰bing 璐lu 璇xuan 钰yu 曼man 菲fei 薏yi 桐tong 禾he"""
)
CANTONESE = {
    "wang": "wong", "huang": "wong", "chen": "chan", "zhang": "cheung", "lin": "lam", "liu": "lau", "li": "lee",
    "wu": "ng", "zhou": "chow", "zheng": "cheng", "xu": "hui", "he": "ho", "luo": "law", "liang": "leung", "xie": "tse",
    "cai": "choi", "ye": "yip", "guo": "kwok", "tan": "tam", "zeng": "tsang", "deng": "tang", "feng": "fung", "yuan": "yuen",
}  # fmt: skip
"""Family names as they are written in Hong Kong."""
ENGLISH_MEN = (
    "Jason Kevin David Jack Tony Eric Leo Frank Andy Alex Ryan Vincent Peter Sam Steven".split()
)
ENGLISH_WOMEN = (
    "Amy Lily Cindy Lucy Grace Helen Vivian Alice Coco Joyce Angela Sophie Emma Tina Linda".split()
)
# Province, city, telephone area, postcode, districts.
CITIES = [
    (one[0], one[1], one[2], one[3], one[4:])
    for one in (
        line.split()
        for line in """北京市 北京市 010 1000 朝阳区 海淀区 东城区 西城区 丰台区 通州区
上海市 上海市 021 2000 浦东新区 徐汇区 静安区 黄浦区 闵行区 杨浦区
广东省 深圳市 0755 5180 南山区 福田区 罗湖区 宝安区 龙岗区
广东省 广州市 020 5100 天河区 越秀区 海珠区 白云区 番禺区
浙江省 杭州市 0571 3100 西湖区 上城区 拱墅区 滨江区 余杭区
江苏省 南京市 025 2100 玄武区 鼓楼区 建邺区 江宁区
江苏省 苏州市 0512 2150 姑苏区 吴中区 虎丘区 昆山市
四川省 成都市 028 6100 武侯区 锦江区 青羊区 金牛区 双流区
湖北省 武汉市 027 4300 武昌区 江汉区 洪山区 汉阳区
陕西省 西安市 029 7100 雁塔区 碑林区 未央区 莲湖区
重庆市 重庆市 023 4000 渝中区 江北区 沙坪坝区 南岸区
天津市 天津市 022 3000 和平区 河西区 南开区 滨海新区
湖南省 长沙市 0731 4100 岳麓区 芙蓉区 天心区 雨花区
山东省 青岛市 0532 2660 市南区 市北区 崂山区 黄岛区
福建省 厦门市 0592 3610 思明区 湖里区 集美区
辽宁省 大连市 0411 1160 中山区 西岗区 沙河口区
河南省 郑州市 0371 4500 金水区 二七区 中原区
云南省 昆明市 0871 6500 五华区 盘龙区 官渡区""".split("\n")
    )
]
STREETS = """中山路 人民路 解放路 建设路 和平路 文化路 新华路 长江路 黄河路 北京路 南京路 上海路 学院路 科技路 延安路 胜利路 朝阳路
光明路 幸福路 友谊路 东风路 红旗路 体育路 滨河路 花园路 公园路 工业路 迎宾大道 世纪大道 中央大街 复兴路 建国路 文三路
天目山路 环城东路 环城西路 湖滨路 江滨路 站前路 教育路 健康路 青年路 劳动路 民主路 自由路 团结路 西大街 东大街 南大街 北大街""".split()
COMMUNITIES = "阳光花园 金色家园 翠湖苑 碧桂园 万科城 世纪新城 锦绣华庭 绿城 银河湾 龙湖".split()
