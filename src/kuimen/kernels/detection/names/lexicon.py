"""Characters and words that end a name, and words that are written where names stand."""

from kuimen.kernels.elements.words import words

# Characters that given names do not hold and sentences do.
STOPS = frozenset(
    "的了在是我你他她它们这那有和与及或但也都还就要会能被把将向对从到于给让请叫说称表已未不没电话手机号码证件住址籍性别年月岁时分秒元款额债账户卡"
    "银行借贷逾期催收申请办理提交确认拒绝投诉咨询来去打拨接听询问回复答应因为所以则且并而其此该各每某哪谁什么怎样身份联系先女士小姐经理"
    "后前现内外上下个些种类，、。；：,.;:"
) - frozenset("年月女小经理先分秒上现外内和能银行")
NO_NAMES = words(
    """
    未知 暂无 不详 无名 没有 为空 测试 本人 某某 匿名 保密 未填 未提供 先生 女士 小姐 其他 其它 错误 失败 成功 正常
    异常 不能为空 盖章 签字 签名 签章 公章 同上 同意 男性 女性 汉族 中国 中国人 中国籍 公司 单位 银行 法院 政府
    集团 学校 患者 死者 被害人 受害人 犯罪嫌疑人 嫌疑人 学生 教师 医生 护士 职工 董事 监事 董事长 总经理 副总经理
    经理 财务总监 家属 家长 儿童 婴儿 成年人 当事人 负责人 任职 历任 曾任 现任 兼任 聘任 学历 性别 国籍 民族 籍贯
    职务 职称 年龄 简历
    """,
)
FOLLOWERS = tuple(
    words(
        """
    先生 女士 小姐 本人 电话 手机 身份 证件 来电 致电 表示 反馈 申请 还款 逾期 借款 贷款 承诺 要求 投诉 咨询 办理
    提交 确认 同意 拒绝 签署 名下 现在 现住 现任 今日 今天 明天 明日 昨天 昨日 上午 下午 上月 本月 下月 银行 卡号
    账号 工作 任职 地址 单位 住在 家住 男 女 年龄 联系 提供 登录 登陆 注册 修改 查询 打来 打电话 接听 回电 再次
    多次 先后 分期 分别 经核实 经查 能否 能够 和其 和他 和她 小区 性别 月收入 年收入 理赔 内容 外出 外地 年满
    """,
    )
)
FOLLOWING = frozenset(
    "的了在是于与及或但也都还就要会被把将向对从到给让请说称表已未不没电手身证住籍因欠借贷逾催收申办提确拒"
    "投咨来去打拨接询问回答元号等为并而其此该后前名户账卡可承签同负均"
)
# Words that announce a person; a colon or the like behind them may be missing.
ROLES = words(
    """
    客户 用户 借款人 贷款人 联系人 紧急联系人 申请人 持卡人 担保人 共借人 债务人 欠款人 收款人 付款人 经办人 法人
    法定代表人 被告 原告 被执行人 被申请人 会员 员工 坐席 催收员 客户经理 业务员 操作员 审批人 配偶 丈夫 妻子 父亲
    母亲 儿子 女儿 哥哥 弟弟 姐姐 妹妹 同事 朋友 机主 户主 收件人 收货人 推荐人 受托人 委托人 代理人 投保人 受益人
    被保险人 名叫 姓名 本人 我叫 我是 联系 转给 致电
    """,
)
# Of courts, contracts and the press: only with a space, a colon or the tagger behind them.
OFFICES = words(
    """
    审判长 审判员 代理审判员 人民陪审员 陪审员 书记员 法官助理 执行员 上诉人 被上诉人 申请执行人 委托诉讼代理人
    委托代理人 诉讼代理人 证人 甲方 乙方 丙方 出借人 填表人 审核人 复核人 制表人 记录人 审批人员 处理人 工单处理人
    接听人 其兄 其弟 其姐 其妹 其妻 其夫 其父 其母 其子 其女 配偶姓名 子女姓名 户主为 负责人 保证人 抵押人 出质人
    汇款人 转告 转账给 转接 回访 告知
    """,
)
# What a life begins with behind the name: `高启明：男，汉族`.
OPENERS = words(
    """
    男 女 先生 女士 小姐 汉族 中国国籍 中国籍 无境外 研究生 硕士 博士 本科 大学 大专 专科 中专 高中 初中 学士 高级
    工程师 经济师 会计师 政工师 律师 教授 董事 监事 独立董事 执行董事 副总 总经理 经理 财务 历任 曾任 现任 毕业
    出生 简历 中共 党员 身份证 籍贯 未婚 已婚 离异 主任 主席 书记 行长 主管 总监 合伙人 副董事长 董事长 职工
    注册会计师 工商管理 加拿大 香港 美国 台湾 澳大利亚 新加坡 国籍 助理 讲师 副教授 研究员
    """,
)
# A text with one of these is about lending, so its roles are taken at their word.
BUSINESS = tuple(
    words(
        """
    客户 借款 还款 逾期 贷款 催收 坐席 工单 账单 额度 利息 本金 来电 外呼 罚息 放款 征信 授信 分期 欠款 回访 转账
    客服 被执行 纠纷 原告 被告 审判 委托 代理人 联系人 姓名 开户 户名 经办 审批 担保 申请人 收件 快递 投保 流水
    接听
    """,
    )
)
HONORIFICS = ("先生", "女士", "小姐", "同志", "师傅")
# Behind a surname alone these address somebody without saying who: 王经理.
TITLES = words(
    """
    先生 女士 小姐 太太 夫人 同志 师傅 老师 经理 主任 主管 总 总监 董 董事长 行长 局长 处长 科长 所长 院长 校长 部长
    市长 县长 书记 秘书 医生 大夫 护士 律师 法官 警官 警察 教练 教授 博士 会计 工 队长 班长 组长 老板 同学 阿姨 叔叔
    大妈 大哥 大姐 哥 姐 嫂 叔 姨 伯 老 客服 专员 某 某某 氏 家 姓
    """
)
BEFORE_SURNAMES = frozenset("老小阿")
# What makes a name the name of a firm, a shop or a prize when it stands behind it; 公司 and 银行 alone do not, they may
# be somebody's (张伟公司电话, 张伟银行卡).
OF_FIRMS = tuple(
    words(
        """
    有限公司 股份有限 集团 控股 品牌 出行 打车 网约车 药业 制药 珠宝 烤鸭 麻辣烫 体育用品 旗舰店 专卖店 文学奖 奖学金
    基金会 工作室 律师事务所 会计师事务所 事务所 故居 纪念馆
    """
    )
)
# Firms and wares that bear what would be a name; a person of the name is still found behind a label.
BRANDS = words(
    """
    周大福 周大生 周生生 周黑鸭 老凤祥 花小猪 康师傅 老干妈 王老吉 马应龙 张小泉 王守义 陈李济 胡庆余堂 李锦记 白加黑
    全聚德 杨国福 张亮麻辣烫 王麻子 狗不理 波司登 史丹利 金六福 金龙鱼 福临门 花西子 林清轩 马可波罗 富安娜 保时捷
    杜蕾斯 巴宝莉 路易威登 范思哲 阿玛尼 普拉达 卡地亚 蒂芙尼 麦当劳 肯德基 沃尔玛 家乐福 云南白药 同仁堂 白云山 方正
    安踏 特步 雷士 方太 万科 华润 金地 龙湖 金蝶 金山 明基 戴尔 惠普 福特 林肯 沃尔沃 雪铁龙 丰田 本田 马自达 高德
    乐视 乐高 罗莱 曹操出行 毛戈平 谭木匠 莫小仙 李子柒 程派 石药 祁连山 华为 康佳 康宁 孔子学院 诺贝尔 茅台 郎酒 董酒
    温氏 云铜 江铜 江铃 江淮 柳工 徐工 常柴 全柴 童话 易方达 白象 安利 贺利氏
    """
)
# These are brands beside other brands, otherwise persons.
BRANDS_OR_PERSONS = words(
    "李宁 曹操 张裕 张亮 鲁迅 茅盾 孔子 李维斯 王朝 安娜苏 古驰 马钢 白大夫 沈飞 成飞 郑煤机 马上"
)
