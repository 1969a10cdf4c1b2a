"""Addresses and sentences that merely name places: patterns filled from pools, the same on every run.

Regions are real, doors are drawn. The half to develop on and the half held out share neither a pattern nor a county.
"""

import re
from dataclasses import dataclass
from random import Random

from benchmarks.templates import templates
from kuimen.kernels.elements.fictitious import make_identity

HELD_OUT_HASH = "dfeaf56dc688ae6025930bc0d2a09484f59961b5df5a837e3f405357556c7341"
_FILLED = {"line": 6, "sentence": 6, "none": 8}
_SLOT = re.compile(r"\{([a-z0-9]+)\}|[\[\]]")
# Province, prefecture, county; a municipality has no prefecture.
_REGIONS = tuple(
    tuple(line.split(","))
    for line in """
    浙江省,杭州市,余杭区;四川省,成都市,武侯区;山东省,济南市,历下区
    湖北省,武汉市,江汉区;广东省,深圳市,宝安区;江苏省,苏州市,吴中区
    河南省,郑州市,金水区;湖南省,长沙市,岳麓区;陕西省,西安市,雁塔区
    安徽省,合肥市,蜀山区;福建省,泉州市,晋江市;江西省,赣州市,于都县
    河北省,石家庄市,长安区;山西省,太原市,小店区;辽宁省,沈阳市,和平区
    吉林省,长春市,朝阳区;黑龙江省,哈尔滨市,南岗区;云南省,昆明市,官渡区
    贵州省,遵义市,汇川区;广西壮族自治区,南宁市,青秀区;甘肃省,兰州市,城关区
    海南省,海口市,龙华区;重庆市,,渝北区;北京市,,海淀区;上海市,,浦东新区
    天津市,,河西区;广东省,东莞市,;广东省,中山市,;浙江省,义乌市,
    江苏省,南通市,如皋市;河南省,周口市,沈丘县;四川省,凉山彝族自治州,西昌市
    湖北省,恩施土家族苗族自治州,利川市;宁夏回族自治区,银川市,兴庆区
    青海省,西宁市,城东区;新疆维吾尔自治区,昌吉回族自治州,阜康市
    """.replace("\n", ";")
    .replace(" ", "")
    .strip(";")
    .split(";")
)


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_POOLS = {
    "road": _listed(
        """
        解放路 人民东路 建设大道 中山北路 文三路 科技五路 长江南大街 朝阳门外大街
        南京西路 滨河大道 青年路 胜利街 和平里中街 学府路 太白南路 迎宾大道
        桃园巷 柳荫胡同
        """
    ),
    "estate": _listed(
        """
        阳光花园 翡翠湾小区 金色家园 万科城 锦绣江南 碧桂园 幸福里 龙湖天街公寓
        世纪嘉园 御景华府 和平新村 绿地国际花都 恒大名都 保利香槟国际 北辰福第
        """
    ),
    "town": _listed(
        """
        良渚街道 大石镇 虎丘街道 柳林镇 白沙乡 马桥镇 清溪镇 五里墩街道 黄土坡乡
        石门街道
        """
    ),
    "village": _listed(
        """
        李家村 新民村 前进村 王家庄 大坪社区 桃花坞村 双河村 杨柳屯 下湾村
        和平社区
        """
    ),
    "hamlet": _listed("上屋场 老屋湾 东头 大坝沟 刘家院子"),
    "mall": _listed("万达广场 银泰城 华强北商场 义乌国际商贸城 新世界百货 大悦城"),
    "park": _listed("软件园 留学生创业园 南山科技园 光谷软件园 纺织工业园 电子商务产业园"),
    "university": _listed("武汉理工大学 西南财经大学 中山大学 安徽农业大学 北京邮电大学"),
    "dorm": _listed("学生公寓3号楼 北区宿舍12栋 教职工宿舍 东校区2舍"),
    "hospital": _listed("市第一人民医院 协和医院 省中医院 妇幼保健院"),
    "hotel": _listed("如家酒店 锦江之星 维也纳酒店"),
    "shop": _listed("便利蜂 兰州拉面馆 好又多超市 顺丰驿站"),
    "factory": _listed("红星机械厂 第二棉纺厂 宏达塑料厂"),
    "firm": _listed("华诚科技有限公司 恒通小额贷款有限公司 江北机械股份有限公司"),
    "dir": tuple("东西南北"),
    "banner": _listed("科尔沁左翼中旗 鄂托克旗 阿鲁科尔沁旗 达拉特旗"),
    "sumu": _listed("查干 巴彦 乌兰"),
    "gacha": _listed("哈日根 白音 敖包"),
    "xj": _listed("乌鲁木齐市天山区 喀什市 伊宁市 吐鲁番市"),
    "xz": _listed("拉萨市城关区 日喀则市桑珠孜区 林芝市巴宜区"),
    "prefecture": _listed(
        """
        延边朝鲜族自治州延吉市 黔东南苗族侗族自治州凯里市 大理白族自治州大理市
        甘孜藏族自治州康定市
        """
    ),
    "hk": _listed("九龙油尖旺区 新界沙田区 湾仔区 中西区"),
    "hkroad": _listed("弥敦道 轩尼诗道 皇后大道中 沙田正街"),
    "hkb": _listed("永安大厦 时代广场 恒生中心"),
    "mo": _listed("澳门半岛新马路 氹仔官也街"),
    "tw": _listed("台北市大安区 高雄市三民区 台中市西屯区"),
    "twroad": _listed("忠孝东路 中正路 民生西路"),
    "letter": tuple("ABCD"),
    "cn": _listed("三 十二 二十一 五 八"),
    "wide": _listed("建设路１２ 和平西路３０５"),
}  # fmt: skip
_SHORT = {"北京市": "京", "上海市": "沪", "重庆市": "渝", "天津市": "津"}


@dataclass(frozen=True, slots=True)
class Line:
    kind: str
    text: str
    addresses: frozenset[tuple[int, int]]


def lines(half: str) -> list[Line]:
    """Return the lines of `dev` or `held`: kind `line` (an address and nothing else), `sentence`, `none`."""
    rng = Random(4_417 if half == "dev" else 80_809)  # noqa: S311 - the same lines on every run
    return [
        _filled(rng, kind, template, half)
        for kind, template in templates(f"lines_{half}.txt", frozen=HELD_OUT_HASH if half == "held" else None)
        for _ in range(_FILLED[kind])
    ]


def _filled(rng: Random, kind: str, pattern: str, half: str) -> Line:
    regions = _REGIONS[0::2] if half == "dev" else _REGIONS[1::2]
    text, place, opened, spans = "", 0, 0, set()
    for match in _SLOT.finditer(pattern):
        text += pattern[place : match.start()]
        place = match.end()
        if match[0] == "[":
            opened = len(text)
        elif match[0] == "]":
            spans.add((opened, len(text)))
        else:
            text += _value(rng, match[1], regions)
    text += pattern[place:]
    return Line(kind, text, frozenset({(0, len(text))} if kind == "line" else spans))


def _value(rng: Random, slot: str, regions: tuple[tuple[str, ...], ...]) -> str:
    if slot in _POOLS:
        return rng.choice(_POOLS[slot])
    province, city, county = rng.choice(regions)
    if slot == "short":
        return _SHORT[rng.choice(sorted(_SHORT))]
    person = make_identity(rng, rng.randrange(90_000))
    bare = re.sub(r"(?:壮族|回族|维吾尔|土家族苗族|彝族)*(?:自治[区州]|省|市)$", "", city or province)
    values = {
        "pcd": rng.choice((province, province, re.sub("省$", "", province))) + city + county,
        "pc": province + city, "cd": (city or province) + county, "d": county or city,
        "p": re.sub(r"(?:壮族|回族|维吾尔)?(?:自治区|省|市)$", "", province),
        "c": bare, "c2": re.sub("[市州]$", "", rng.choice(regions)[1] or "北京"),
        "no": str(rng.randrange(1, 999)), "b": str(rng.randrange(1, 40)), "u": str(rng.randrange(1, 5)),
        "r": str(rng.randrange(101, 2800)), "f": str(rng.randrange(1, 9)), "g": str(rng.randrange(1, 13)),
        "m": str(rng.randrange(20, 400)), "year": str(rng.randrange(1990, 2024)), "name": person.person_name,
        "phone": person.mobile,
    }  # fmt: skip
    return values[slot]
