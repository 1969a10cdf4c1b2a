"""Names that are no surname with a given name: parts of names with dots, Tibetan, Mongolian and Yi names in one run.

Only what is common; a part that is not here is still found by its neighbours, but where it ends is then guessed.
"""

import re

from kuimen.kernels.detection.literals import Literals, matches
from kuimen.kernels.detection.trie import alternation
from kuimen.kernels.elements.words import words

PARTS = words(
    """
    阿不都 阿不都拉 阿布都拉 阿卜杜拉 阿不力孜 阿不力米提 阿布力孜 阿布都热合曼 阿不都热依木 阿不都外力 阿不来提
    阿布来提 阿不都克里木 阿布都克里木 阿不都热西提 阿里木 阿里木江 阿力木 阿力甫 阿迪力 阿尔孜古丽 阿依古丽 阿依努尔
    阿依夏木 阿曼古丽 阿米娜 阿孜古丽 阿西木 阿吾提 阿布拉 阿巴斯 艾力 艾尔肯 艾合买提 艾海提 艾尼 艾尼瓦尔 艾买提
    艾山 艾散 艾麦尔 艾则孜 艾孜买提 艾斯卡尔 安尼瓦尔 巴哈尔古丽 巴合提 巴吐尔 拜合提 布海丽切 布威海丽且 达吾提
    达吾列提 迪力木拉提 迪丽努尔 迪丽娜尔 迪丽热巴 迪力夏提 帕提古丽 帕提曼 帕尔哈提 帕孜力 古力 古丽 古丽娜尔
    古丽巴哈尔 古丽米热 古丽仙 古丽夏提 哈力 哈力木 哈里木 哈斯木 哈尼克孜 海尼 海里木 吾买尔 吾斯曼 吾布力 吾甫尔
    吾守尔 乌斯曼 乌买尔 乌布力 伊布拉音 伊布拉依木 伊布拉英 依布拉音 依布拉依木 依明 依米提 依马木 依不拉音 依力哈木
    伊力哈木 伊力亚斯 伊敏 伊明 伊斯拉木 吉力力 加米拉 江阿古丽 卡德尔 卡迪尔 卡哈尔 卡米力 卡斯木 克里木 克依木
    克尤木 库尔班 库尔班江 拉孜古丽 玛依拉 玛丽亚木 麦麦提 麦麦提明 麦麦提艾力 麦麦提吐尔逊 麦合木提 买买提 买买提明
    买买提江 买买提艾力 买合木提 买热木 买合买提 买苏木 满苏尔 米吉提 米热古丽 米日古丽 木拉提 木沙 木合塔尔 木塔力甫
    木台力甫 牙生 牙森 亚森 亚生 亚合甫 尼加提 尼亚孜 尼格尔 努尔 努尔兰 努尔买买提 努尔麦麦提 努尔艾力 努尔古丽
    努热曼 帕尔哈提 帕夏古丽 帕提玛 热合曼 热合木 热依汗 热孜万古丽 热孜亚 热西提 茹先古丽 肉孜 肉孜买买提 如孜 如则
    赛买提 赛麦提 赛福丁 赛迪艾合麦提 赛依提 沙吾提 沙依木 司马义 斯马义 斯依提 斯拉木 苏来曼 苏力坦 塔依尔 塔西 塔什
    太外库力 铁木尔 托合提 托合提古丽 托乎提 托提 吐尔洪 吐尔迪 吐尔地 吐尔逊 吐尔逊江 吐尔逊古丽 吐尔孙 吐逊 吐拉普
    吐拉克 外力 吾拉木 西尔艾力 西热力 谢依提 夏木西努尔 夏依提 雅森 亚力坤 亚库普 依沙克 伊萨克 尤努斯 玉努斯 玉素甫
    玉苏甫 玉山 玉山江 再努尔 再娜甫 再比布拉 祖丽胡玛尔 祖农 祖力皮亚 则帕尔 扎克尔 居马 居来提 朱马 朱买 胡达拜尔迪
    胡加 胡西塔尔 阿合买提 哈布力 哈那提 叶尔江 叶尔肯 叶尔兰 巴合提古丽 别克 赛力克 木拉提别克 阿斯哈尔 塔拉 加尔肯
    马木提 穆罕默德 穆罕买提 史密斯 约翰逊 约翰 威廉 威廉姆斯 威尔逊 布朗 琼斯 米勒 戴维斯 马丁 马丁内斯 安德森 汤普森
    加西亚 罗德里格斯 罗德里格兹 冈萨雷斯 洛佩斯 佩雷斯 桑切斯 拉米雷斯 托雷斯 费尔南德斯 戈麦斯 迪亚斯 席尔瓦 桑托斯
    奥利维拉 费雷拉 阿尔维斯 罗西 费拉里 埃斯波西托 比安奇 米勒 施密特 施耐德 费舍尔 韦伯 瓦格纳 贝克尔 舒尔茨 霍夫曼
    杜邦 莫罗 伯纳德 彼得罗夫 伊万诺夫 彼得森 约翰森 汉森 安德烈 斯米尔诺夫 库兹涅佐夫 波波夫 詹姆斯 罗伯特 迈克尔
    大卫 理查德 约瑟夫 托马斯 查尔斯 克里斯托弗 丹尼尔 马修 安东尼 马克 唐纳德 史蒂文 保罗 安德鲁 乔舒亚 凯文 布莱恩
    乔治 爱德华 玛丽 帕特里夏 詹妮弗 琳达 伊丽莎白 芭芭拉 苏珊 杰西卡 萨拉 凯伦 索菲亚 艾玛 奥利维亚 哈桑 侯赛因 阿里
    艾哈迈德 易卜拉欣 优素福 奥马尔 卡里姆 拉赫曼 汗 辛格 库马尔 夏尔马 帕特尔 古普塔 亚历山大 弗拉基米尔 谢尔盖
    德米特里 卡洛斯 胡安 何塞 路易斯 佩德罗 费尔南多 巴勃罗 迭戈 马可 朱塞佩 让 皮埃尔 弗朗索瓦 克劳德 汉斯 卡尔
    沃尔夫冈
    """
)
_SYLLABLES = words(
    """
    扎西 次仁 卓玛 央金 多吉 才旦 才让 才仁 旦增 丹增 罗布 格桑 梅朵 尼玛 达瓦 平措 拉姆 白玛 德吉 桑吉 索朗 索南 边巴
    巴桑 普布 仁青 仁增 加措 嘉措 顿珠 曲珍 曲扎 强巴 洛桑 次旦 次珍 玉珍 央宗 旺堆 旺姆 贡布 贡嘎 土登 平康 格列 伦珠
    班觉 晋美 坚赞 措姆 措毛 吉毛 卓嘎 拉巴 米玛 巴珠 旺杰 旺加 旺扎 旺久 益西 赤列 江措 江白 其美 却吉 拥措 泽仁 泽旺
    志玛 拥忠 降央 四郎
    """
)
_WHOLE = words(
    """
    乌云其其格 其其格 巴特尔 阿木尔 苏日娜 那日苏 娜仁托娅 娜仁高娃 娜仁图雅 萨仁高娃 萨仁图雅 斯琴高娃 斯琴图雅
    斯日古楞 格日勒图 格日乐 阿拉坦 阿拉坦其木格 敖登高娃 敖登格日乐 乌日娜 乌日汗 乌兰图雅 乌兰托娅 乌力吉 呼和巴特尔
    布和巴特尔 布仁巴雅尔 宝音图 宝音德力格尔 孟和巴雅尔 孟克巴特尔 巴雅尔图 朝鲁门 朝格图 哈斯高娃 哈斯巴根
    哈斯额尔敦 额尔敦 额尔登 额尔敦其木格 图门巴雅尔 特木尔 特木其勒 那顺巴雅尔 那仁朝克图 那木拉 苏和巴特尔 苏雅拉
    青格勒 青格乐 阿日斯楞 阿茹娜 阿茹汗 萨日娜 萨如拉 塔娜 莫日根 恩和巴雅尔 牧仁 乌尼尔 格根塔娜 海日罕 斯钦巴特尔
    鄂尔敦 呼格吉勒图 吉克阿牛 吉克布铁 阿措色子 阿牛木支 阿牛布拉 沙马尔洛 吉木尔夫 马海阿木 曲比阿乌 曲木史哈
    俄木尔布 阿苦拉且 阿西阿呷 吉狄马加 沙玛阿依 木乃约布
    """
)
_HAN = "\u3400-\u9fff"
_LONG = frozenset(name for name in _WHOLE if len(name) > 2)  # noqa: PLR2004 - shorter ones are words
_RUN = re.compile(f"{alternation(_SYLLABLES)}{{2,3}}(?!措湖)|{alternation(_LONG)}")
_WORDS = Literals.ready(_SYLLABLES | _LONG)
_PART = re.compile(alternation(PARTS))


def part_end(text: str, start: int) -> int:
    """Return where the longest known part of a name that begins here ends, `start` for none."""
    match = _PART.match(text, start)
    return match.end() if match else start


def names_without_surname(text: str) -> list[tuple[int, int]]:
    """Return the spans of Tibetan, Mongolian and Yi names written in one run."""
    return [match.span() for match in matches(text, _RUN, _WORDS)]
