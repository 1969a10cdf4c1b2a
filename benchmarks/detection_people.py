"""Sentences with invented names: templates of six kinds of text, filled from pools, the same on every run.

The half to develop on and the half held out share neither a template nor a given name. A surname before a title alone
(`王先生`) is no name: it does not tell who is meant.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.templates import templates
from kuimen.kernels.elements.fictitious import make_identity

HELD_OUT_HASH = "819198bd579f994c7f3bf7c514878bb0d55c0282e55f54b1a2fe7d95d4b32a83"


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_FILLED = 3  # sentences of each template
_SLOT = re.compile(r"\{([a-z]+)\}")
_COMMON = tuple(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟"
)
_RARE = tuple("仇解查盖逄宓芮麻冼揭粟訾蔺昝郝贾邬仝佟冀晏阚逯贡戚柏水窦苑云巩柴瞿喻阎薄时明成和向安常易华白方温于全金")
_COMPOUND = _listed("欧阳 上官 司马 诸葛 令狐 尉迟 东方 皇甫 慕容 司徒 夏侯 端木 公孙 独孤 南宫 宇文 长孙 闻人")
_GIVEN_TWO = _listed(
    """
    建国 志强 秀英 桂兰 晓燕 海涛 文博 梓涵 浩然 欣怡 雨泽 思远 丽娟 玉梅 国栋 永康 春生 庆华 立新 卫东 佳琪 子墨 一诺
    雅静 德胜 金凤 小龙 美玲 宏伟 淑芬 振宇 诗涵 俊杰 鹏飞 晓明 亚楠 红霞 长林 树森 明轩 爱民 向阳 新民 和平 建设 胜利
    光明 大同 婉清 逸尘 若曦 承恩 启明 嘉禾 景行 知远 沐阳 可欣 慧敏 凤琴 翠花 铁柱 满仓 有才 富贵 来福 招娣 喜旺 银花
    冬梅 秋菊 夏荷 宇轩 瑾瑜 奕辰 语桐 芷若 昊天 泽楷 锦程 书瑶 诗雨 天佑 云鹤 家豪 伟业 世昌 耀祖 兆丰 维国 克勤 守义
    延年 传志 继先 绍华
    """
)
_GIVEN_ONE = tuple(
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂鹏华健波辉斌宇浩凯倩雪莹楠琳旭瑞蕾翔晨阳佳雯颖鑫岩峰蓉薇昊岚骞璐"
)
_MINORITY = _listed(
    """
    阿依古丽·买买提 买合木提·吐尔逊 古丽娜尔·艾力 艾尼瓦尔·库尔班 热依汗·阿不都 帕尔哈提·玉素甫 阿不力孜·肉孜
    迪丽努尔·阿布都拉 吐尔洪·依明 努尔兰·哈力木 玛依拉·赛买提 赛福丁·阿西木
    """
)
_MINORITY_PLAIN = _listed(
    "扎西次仁 卓玛央金 多吉才旦 旦增罗布 乌云其其格 巴特尔 阿木尔 苏日娜 格桑梅朵 吉克阿牛 阿措色子 那日苏"
)
_FOREIGN = _listed(
    """
    克里斯托弗 史密斯 安德森 马丁内斯 约翰逊 费尔南多 穆罕默德 卡洛斯 亚历山大·彼得罗夫 詹姆斯·威尔逊 伊丽莎白·布朗
    汉密尔顿 奥利维拉 施耐德 彼得森 罗伯特·米勒 索菲亚·罗西 哈桑·阿里 布莱克 格林伍德 卡特莱特 莫拉莱斯 山本一郎
    铃木惠子 金秀贤 阮文雄
    """
)
_POOLS: dict[str, tuple[str, ...]] = {
    "sex": ("男", "女"),
    "eth": ("汉族", "回族", "满族", "维吾尔族", "藏族", "土家族"),
    "edu": ("大学本科", "硕士研究生", "大专", "博士研究生", "高中"),
    "post": (
        "副总经理", "财务总监", "董事会秘书", "监事", "总工程师",
        "信贷部经理", "首席风险官", "人力资源总监", "客户经理",
    ),
    "place": (
        "山东济南", "湖北武汉", "四川成都", "云南丽江", "广东惠州",
        "河北张家口", "江苏常州", "内蒙古包头", "福建晋江", "浙江温州",
    ),
    "firm": (
        "华诚科技有限公司", "江北机械股份有限公司", "恒通小额贷款有限公司", "方正电机",
        "同方集团", "金马汽车", "高新投资", "长江证券",
    ),
    "uni": ("北京大学", "武汉理工大学", "西南财经大学", "中山大学", "华东师范大学", "安徽农业大学"),
    "bank": ("招商银行", "平安银行", "农业银行和平支行", "工商银行", "温州银行", "常熟农商行"),
    "country": ("美国", "法国", "巴西", "俄罗斯", "墨西哥", "埃及"),
    "addr": (
        "济南市历下区解放路12号", "武汉市江汉区新华街3号楼2单元",
        "成都市武侯区高升桥路9号", "常州市天宁区和平新村5栋",
    ),
    "date": ("3月15日", "2024年6月8日", "昨日", "本月初"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sentence:
    kind: str
    text: str
    names: frozenset[tuple[int, int]]


def people(half: str) -> list[Sentence]:
    """Return the sentences of `dev` or `held`."""
    rng = Random(20_611 if half == "dev" else 99_331)  # noqa: S311 - the same sentences on every run
    return [
        _filled(rng, kind, template, half)
        for kind, template in templates(f"people_{half}.txt", frozen=HELD_OUT_HASH if half == "held" else None)
        for _ in range(_FILLED)
    ]


def _filled(rng: Random, kind: str, template: str, half: str) -> Sentence:
    text, names, place = "", set(), 0
    for match in _SLOT.finditer(template):
        text += template[place : match.start()]
        place = match.end()
        value = _value(rng, match[1], half)
        if match[1] in {"x", "m", "f"}:
            names.add((len(text), len(text) + len(value)))
        text += value
    return Sentence(kind, text + template[place:], frozenset(names))


def _half_of(pool: Sequence[str], half: str) -> Sequence[str]:
    return pool[0::2] if half == "dev" else pool[1::2]


def _value(rng: Random, slot: str, half: str) -> str:
    if slot == "x":
        return _any_name(rng, half)
    if slot in {"m", "f"}:
        return rng.choice(_half_of(_MINORITY if slot == "m" else _FOREIGN, half))
    if slot in _POOLS:
        return rng.choice(_POOLS[slot])
    person = make_identity(rng, rng.randrange(90_000))
    values = {
        "s": rng.choice(_COMMON), "year": str(rng.randrange(1960, 2024)), "mon": str(rng.randrange(1, 13)),
        "num": str(rng.randrange(18, 61)), "amt": f"{rng.randrange(2, 400) * 500}", "id": person.resident_id,
        "phone": person.mobile, "card": person.bank_card,
    }  # fmt: skip
    return values[slot]


def _any_name(rng: Random, half: str) -> str:
    kind = rng.random()
    for share, pool in ((0.05, _MINORITY), (0.08, _MINORITY_PLAIN), (0.11, _FOREIGN)):
        if kind < share:
            return rng.choice(_half_of(pool, half))
    given = rng.choice(_half_of(_GIVEN_ONE if rng.random() < 0.3 else _GIVEN_TWO, half))
    if kind < 0.19:
        return rng.choice(_COMPOUND) + given
    if kind < 0.30:
        return rng.choice(_RARE) + given
    if kind < 0.32:
        return rng.choice(_COMMON) + rng.choice(_COMMON) + rng.choice(_half_of(_GIVEN_TWO, half))
    return rng.choice(_COMMON) + given
