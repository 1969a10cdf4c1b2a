"""Closed vocabularies of personal attributes: ethnic groups, education, marital state, relations, occupations."""

from kuimen.kernels.elements.words import words

ETHNIC_GROUPS = words(
    """
    汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西
    景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安
    裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺
    """,
)
SEXES = words(
    """
    男 女 男性 女性 M F male female Male Female MALE FEMALE 先生 女士
    """,
)
EDUCATIONS = words(
    """
    文盲 半文盲 小学 初中 中学 高中 中专 职高 技校 中等专业学校 技工学校 大专 专科 大学专科 专科学校 高职 本科 大学
    大学本科 学士 研究生 硕士 硕士研究生 博士 博士研究生 博士后 初中及以下 高中及以下 高中/中专 大专及以下
    本科及以上 硕士及以上 研究生及以上 研究生及其以上 中专/高中 其他学历 BACHELOR MASTER DOCTOR COLLEGE HIGH_SCHOOL
    PRIMARY_SCHOOL JUNIOR_HIGH bachelor master doctor college high_school
    """,
)
MARITAL_STATES = words(
    """
    未婚 已婚 离异 离婚 丧偶 再婚 初婚 复婚 已婚有子女 已婚无子女 已婚已育 已婚未育 单身 未婚同居 分居
    未说明的婚姻状况 SINGLE MARRIED DIVORCED WIDOWED single married divorced widowed
    """,
)
RELATIONS = words(
    """
    父母 父亲 母亲 父子 母子 配偶 夫妻 丈夫 妻子 子女 儿子 女儿 兄弟 姐妹 兄弟姐妹 兄妹 姐弟 哥哥 弟弟 姐姐 妹妹
    亲属 亲戚 直系亲属 朋友 同事 同学 老师 领导 上司 下属 邻居 房东 监护人 祖父母 爷爷 奶奶 外公 外婆 岳父 岳母 公公
    婆婆 其他亲属 其他关系 本人 PARENT PARENTS SPOUSE CHILD CHILDREN SIBLING FRIEND COLLEAGUE RELATIVE CLASSMATE
    parent parents spouse child children sibling friend colleague relative classmate
    """,
)
NATIONALITIES = words(
    """
    中国 中华人民共和国 中国大陆 中国香港 中国澳门 中国台湾 美国 英国 日本 韩国 法国 德国 加拿大 澳大利亚 新西兰
    新加坡 马来西亚 泰国 越南 印度 俄罗斯 意大利 西班牙 荷兰 瑞士 瑞典 巴西 墨西哥 菲律宾 印度尼西亚 巴基斯坦 缅甸
    蒙古 哈萨克斯坦 乌克兰 埃及 南非 尼日利亚 CHN USA GBR JPN KOR FRA DEU CAN AUS SGP HKG MAC TWN CN US
    """,
)
OCCUPATIONS = words(
    """
    教师 医生 护士 律师 会计 出纳 司机 驾驶员 厨师 保安 保洁 工人 农民 学生 公务员 军人 警察 工程师 程序员 设计师
    销售 销售员 业务员 营业员 收银员 服务员 快递员 外卖员 外卖骑手 骑手 网约车司机 客服 文员 行政 人事 财务 采购
    仓管 仓库管理员 技术员 技工 电工 焊工 木工 钳工 车工 瓦工 普工 操作工 质检员 检验员 维修工 修理工 理发师 美容师
    教练 导游 翻译 编辑 记者 演员 摄影师 建筑工人 施工员 监理 项目经理 产品经理 部门经理 经理 主管 店长 店员 总监
    总经理 董事长 厂长 班组长 个体户 个体工商户 个体经营 自由职业 自由职业者 私营业主 企业主 退休 退休人员 无业 待业
    家庭主妇 务农 专业技术人员 办事人员 商业服务业人员 生产运输人员 企业管理人员 国家机关负责人 农林牧渔人员
    事业单位人员 企业职工 其他从业人员 不便分类的其他从业人员 养殖户 种植户 物流员 配送员 装卸工 搬运工 公司职员
    职员
    """,
)
PROVINCE_SHORT_NAMES = words(
    """
    北京 天津 上海 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 海南 四川 贵州
    云南 陕西 甘肃 青海 台湾 内蒙古 广西 西藏 宁夏 新疆 香港 澳门
    """,
)
