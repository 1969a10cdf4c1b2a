"""Comments of columns: what ends their first clause and would not hold in running text.

The first kind that matches the whole clause decides; a kind without an element says that the column is no datum.
Alternatives of a pattern stand apart by white space.
"""

import re
from functools import lru_cache

from kuimen.kernels.detection.naming import MEDIUM, STRONG, NameVerdict
from kuimen.kernels.elements.model import Element

_PATTERNS: tuple[tuple[Element | None, str], ...] = (
    (
        Element.CREDIT_REPORT,
        r"""
        (?:个人|企业)?(?:征信|信用)报告(?:PDF|pdf|原文|内容|报文|文件|地址|路径|链接|详情|json|JSON|xml|XML)*
        (?:征信|信用)?不良(?:征信|信用)?(?:记录|信息)
        """,
    ),
    (
        None,
        r"""
        .*(?:授权书|合同|协议|委托书|借条|凭证|发票|回单)(?:影像|图片|照片|扫描件|文件|路径|地址|链接|内容)*
        """,
    ),
    (
        Element.CREDIT_SCORE,
        r"[ABCFabcf]卡(?:评?分|分数|得分) .*(?:人行|央行|百行|征信|同盾|百融|前海|鹏元)(?:评?分|分数|得分)",
    ),
    (Element.MOBILE, r"(?:外呼|拨出|呼出|呼入|来去电|被呼叫?|所拨)(?:手机|电话)?(?:号码|号|手机|电话)"),
    (
        Element.SECRET_KEY,
        r"""
        (?:密码)?盐值? 加密盐 盐
        """,
    ),
    (
        Element.SECRET_KEY,
        r"""
        (?:会话|登录|接口|签名|商户|应用|验证|私|通信|加密|解密|数据|工作|主|传输)?(?:密钥|秘钥|密匙|私钥|令牌)(?:文件|内容|串|值)?
        """,
    ),
    (
        Element.SECRET_KEY,
        r"""
        (?:应用|商户|签名|接口|md5|MD5|AES|aes|DES|app|api|签约)[kK]ey
        (?:登录|登陆|访问|用户|刷新|鉴权|认证|接口|会话|请求)?[tT](?:oken|OKEN)(?:值|串|令牌)?
        谷歌验证码?(?:密钥|key)
        """,
    ),
    (
        None,
        r"""
        公钥
        """,
    ),
    (
        Element.BIOMETRIC,
        r"""
        人脸(?:识别)?(?:token|TOKEN|Token|特征.*|模板|数据|向量.*|信息|视频|模型)
        活体(?:检测)?(?:视频|数据|文件|动作视频).{0,2} (?:.*视频认证|认证视频|人脸识别视频)
        """,
    ),
    (
        Element.BIOMETRIC,
        r"""
        .*(?:声纹|虹膜|掌纹|指静脉|掌静脉|指纹(?:特征|数据|模板|信息|图像)).*
        """,
    ),
    (
        Element.PAYMENT_PASSWORD,
        r"""
        .*(?:PIN|pin|Pin)(?:密文|码|块|BLOCK|block)?
        (?:支付|交易|取款|提现|资金|银行卡|取现|卡)(?:密码|口令|密码密文|PIN)(?:密文|[mM][dD]5|加密|哈希|散列|摘要|值|hash|HASH|Hash)*
        """,
    ),
    (
        Element.PASSWORD,
        r"""
        .*(?<!找回)(?<!修改)(?<!重置)(?<!忘记)(?<!动态)(?<!一次性)(?:密码|口令)(?:密文|加密|[mM][dD]5|值|串|hash|HASH|Hash|摘要|哈希|散列|暗文)*
        """,
    ),
    (
        Element.PERSON_NAME,
        r"""
        (?:推荐|邀请|介绍|渠道|机构|门店|网点|企业|公司|商户|商家|供应商|合作方|部门|项目)(?:的)?(?:联系人|负责人|联络人)(?:姓名)?
        负责人 实际控制人 联系对象 沟通对象 被告 原告 代理律师 律师 对方名称 机主 机主姓名 凸字姓名 凸印姓名 房东
        店主 老板 股东 开户姓名 推荐人姓名 邀请人姓名 账号姓名 卡主 户主 对方户名
        """,
    ),
    (
        None,
        r"""
        (?:创建|录入|修改|更新|审核|审批|操作|复核|跟进|催收|分配|处理|提交|发送|接收|邀请|登记|删除|维护|办理|初审|复审|终审|放款|发布|上传|申报|推荐|添加|最后更新|最后修改|记录|发起|执行|受理|经办|催单|派单|指派|负责|确认)(?:人员?|者|用户)(?:id|ID|Id|编号|工号|账号)?
        """,
    ),
    (
        None,
        r"""
        (?:客户经理|审批柜员|柜员|操作员|坐席|员工|催收员)(?:工号|编号|号|代码|ID|id)?
        """,
    ),
    (
        Element.USER_NAME,
        r"""
        (?:管理员|操作员|柜员|坐席|员工|淘宝|京东|天猫|学信网?|微博|陌陌|抖音|拼多多|美团|平台|网站|运营商|邮箱|登录|登陆|后台|系统|游戏|人行征信|征信网?)(?:登录)?(?:账号|帐号|账户|用户名)
        """,
    ),
    (
        Element.OTHER_CERTIFICATE,
        r"""
        (?:社保|公积金|住房公积金|医保)(?:卡)?(?:账号|帐号|账户|号|号码|编号|卡号)
        """,
    ),
    (
        Element.ADDRESS,
        r"""
        .*(?:居住|家庭|户籍|单位|公司|工作|现居|户口|籍贯|住宅)(?:所在)?(?:地)?(?:省份?|城市|市|区县?|县|地区|区域|省市区?|街道)
        """,
    ),
    (
        None,
        r"""
        .*(?:商品|产品|活动|图标|轮播|门店|店铺|文章|标题|广告|logo|LOGO|Logo|封面|缩略|合同|协议|菜单|背景|海报|营销)(?:图片?|照片|图标|地址|链接|图片地址|图片链接|url)?
        """,
    ),
    (
        Element.PHOTO_IMAGE,
        r"""
        .*(?:照片|相片|自拍|证件照|工作照|人像|头像|正面照?|反面照?|背面照?|工牌照?|人像面|国徽面|活体照?|手持照?|最佳图片|抓拍图?|签名图片|影像)(?:\d|一|二)?(?:图片|图像|base64|BASE64|Base64|url|URL|地址|链接|路径|存储路径|存储地址|文件)*
        """,
    ),
    (
        Element.PHOTO_IMAGE,
        r"""
        (?:身份证|人脸|证件|活体|手持|自拍|名片|工作证|银行卡|社保卡|驾驶证|营业执照)(?:正反面)?(?:正面|反面|背面)?(?:图片|图像|影像|截图|照)(?:url|URL|地址|链接|路径|base64)*
        """,
    ),
    (
        Element.DEVICE_ID,
        r"""
        .*(?:推送|极光|个推|友盟)(?:的)?(?:id|ID|token|标识|注册id) 苹果UUID
        (?:设备|手机|终端|客户端)(?:唯一)?(?:标识|指纹|UUID|uuid|序列号|识别码)(?:符|码|id)? (?:设备|终端)号
        (?:SIM|sim|Sim)卡?(?:序列)?号码?
        .*(?:IDFA|idfa|OAID|oaid|IMSI|imsi|安卓ID|androidId|安卓id|广告标识符?)
        """,
    ),
    (
        Element.WECHAT,
        r"""
        (?:微信|公众号|小程序)(?:的)?(?:unionid|unionId|UnionID|openid|openId|OpenID|open_id|号|账号|id|ID) openid
        openId unionid unionId
        """,
    ),
    (
        None,
        r"""
        (?:芝麻|支付宝|淘宝)(?:信用)?(?:openid|openId|open_id|用户ID|用户id|userid)
        """,
    ),
    (
        None,
        r"""
        (?:登录|操作|访问|注册|申请|上次登录)(?:地点|城市|地区|省份|归属地)
        """,
    ),
    (
        Element.LOCATION,
        r"""
        .*(?:经度|纬度|经纬度|坐标|gps(?:信息|地址)?|GPS(?:信息|地址)?|定位地址|定位信息|定位位置|地理位置)(?:值|信息|坐标)?
        """,
    ),
    (
        Element.CREDIT_SCORE,
        r"""
        (?:信用|风险|客户信用|芝麻信用)(?:等级|评级|积分|级别|分值?|得分)
        .*(?:评分|信用分|风险分|芝麻分|欺诈分|模型分)(?:值|分数)?
        """,
    ),
    (
        None,
        r"""
        .*(?:得分|分数)(?:阈值) .*(?:比对|相似度|匹配度?|置信度|规则|识别)(?:得分|分数|分值|阈值)?
        """,
    ),
    (
        Element.CALL_RECORD,
        r"""
        .*(?:通话|录音|语音)(?:转写|转换|识别)?(?:内容|文本|文件|地址|路径|链接|文件地址) 短信(?:内容|正文|原文)
        """,
    ),
    (
        None,
        r"""
        .*(?:客服|热线|平台|官网|网站)(?:电话|热线|邮箱|微信|QQ|qq|地址|公司名称|公司地址|手机)? 主机(?:IP|ip|地址)
        服务器.*
        .*(?:回调|通知|跳转|接口|网关|请求|来源|接收|下载|访问|图片|合同|文件|存储|协议)(?:地址|链接|URL|url|路径|存储路径)
        """,
    ),
    (
        None,
        r"""
        (?:最小|最大|最低|最高|单笔|单日|起)(?:借款|贷款|提现|充值|投资|投标|支付|放款)(?:金额|限额)
        .*(?:短信|通道|接口|推送|邮件服务|第三方|支付通道)(?:平台|通道|服务)?(?:账号|帐号|账户|用户名)
        .*(?:协议|签约|绑卡|绑定|签约协议|第三方绑卡|订单|商户|流水|批次|借据|合同|申请|案件|工单|任务|请求)(?:编号|单号|号|流水号|id|ID)
        """,
    ),
    (
        Element.OCCUPATION,
        r"""
        职业(?:类型|类别|代码|名称) 职务(?:代码|级别|名称)? 岗位(?:名称)? 职位(?:类型|名称)? 工作岗位
        """,
    ),
    (
        Element.SEX,
        r"""
        性别(?:代码|编码|标识|标志|类型|code)
        """,
    ),
    (
        Element.ETHNICITY,
        r"""
        民族(?:代码|编码|code)
        """,
    ),
    (
        Element.NATIONALITY,
        r"""
        国籍(?:代码|编码|code)
        """,
    ),
    (
        Element.EDUCATION,
        r"""
        (?:最高)?(?:学历|学位|教育程度|文化程度)(?:代码|编码|类型|级别|code)
        """,
    ),
    (
        Element.MARITAL_STATUS,
        r"""
        婚姻(?:状况|状态|情况)?(?:代码|编码|类型)?
        """,
    ),
    (
        Element.CONTACT_RELATION,
        r"""
        (?:与.{0,6})?(?:联系人)?关系(?:类型|代码|描述|编码)?
        """,
    ),
    (
        Element.LANDLINE,
        r"""
        (?:法官|法院|办公室?|单位|公司|工作|企业|雇主|家庭|住宅|家里|座机)(?:固定)?(?:联系)?(?:电话|座机|固话)(?:号码|号)?
        """,
    ),
    (
        Element.INCOME,
        r"""
        (?:月|年|日|家庭|个人|税后|税前|配偶|平均|基本)?(?:月|年)?(?:收入|工资|薪资|薪水|薪酬|薪)(?:范围|水平|区间|金额|情况|合计|总额)?
        .*(?:缴费|社保|公积金)基数
        """,
    ),
)
_COMPILED = tuple((element, re.compile("|".join(pattern.split()))) for element, pattern in _PATTERNS)
_CLAUSE_END = re.compile(r"[(（\[【,，;；:：、\s]|\d+[-=:：、.．]")
_LONGEST_CLAUSE = 40
_NEGATED = re.compile(r"^(?:是否|有无|能否)|(?:状态|时间|日期|次数|类型|标识|标志|是否.*)$")
_KEPT = re.compile(r"(?:职业|职位|关系)类型$|性别标[识志]$|(?:设备|手机|终端|客户端|广告)(?:唯一)?标识$")


@lru_cache(maxsize=65_536)
def schema_comment(comment: str) -> NameVerdict | None:
    """Read the first clause of a comment as a term of schemas; None where it is none."""
    clause = _CLAUSE_END.split(comment.strip(), maxsplit=1)[0][:_LONGEST_CLAUSE]
    if not clause or (_NEGATED.search(clause) and not _KEPT.search(clause)):
        return None
    for element, pattern in _COMPILED:
        if pattern.fullmatch(clause):
            if element is None:
                return NameVerdict(negative=True, rule="schema comment")
            return NameVerdict(element, STRONG if len(clause) > 1 else MEDIUM, rule="schema comment")
    return None
