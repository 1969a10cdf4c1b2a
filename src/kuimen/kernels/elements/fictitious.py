"""Impossible identities for demonstrations and tests: consistent in themselves, recognised only under the overlay.

Area 99xxxx was never issued, the mobile segments 1999000 to 1999009 and the issuer number 629999 are reserved in
`overlay`, mail goes to example.com (RFC 2606), addresses to documentation networks (RFC 5737), and plates open with 夔.
Names are drawn from common characters, so one may by chance equal the name of a person; nothing else can.

>>> from random import Random
>>> make_identity(Random(1), 7) == make_identity(Random(1), 7)
True
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar, Protocol, TypeVar

from kuimen.foundation.errors import InvalidInputError
from kuimen.kernels.elements.checks import luhn_check_digit, resident_id_check_digit, uscc_check_character
from kuimen.kernels.elements.overlay import FICTITIOUS_OVERLAY

MOST_IDENTITIES = 100_000  # ten mobile segments of 10,000 numbers

_SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢"
_COMPOUND_SURNAMES = ("欧阳", "司马", "诸葛", "上官", "慕容", "令狐", "皇甫", "司徒")
_MALE_GIVEN = "伟强磊军洋勇涛超刚辉鹏浩宇轩俊博睿晨阳昊航旭峰龙斌毅凯志国建华文明亮平海波林松"
_FEMALE_GIVEN = "芳娜秀英敏静丽艳娟霞玲梅兰云雪欣怡嘉诗琳琪莉萍莲婷颖慧洁倩蓉薇瑶瑾玉珍凤燕红"
_PINYIN = ("wang", "li", "zhang", "liu", "chen", "yang", "huang", "zhao", "zhou", "wu", "xu", "sun", "ma", "zhu", "hu")
_ETHNICITIES = ("汉族",) * 18 + ("回族", "满族", "壮族", "土家族", "苗族", "彝族")
_OCCUPATIONS = (
    "教师",
    "司机",
    "护士",
    "会计",
    "销售员",
    "工程师",
    "厨师",
    "个体工商户",
    "快递员",
    "公务员",
    "技术员",
    "文员",
)
_EDUCATIONS = ("初中", "高中", "中专", "大专", "大专", "本科", "本科", "硕士研究生")
_MARITAL_STATES = ("未婚", "已婚", "已婚", "离异")
_RELATIONS = ("父母", "配偶", "兄弟", "姐妹", "朋友", "同事")
_STREETS = ("栈道路", "橘乡大道", "滨江西路", "诗城路", "竹枝街", "草堂路", "赤甲街", "永安路", "鱼复路", "三台巷")
_ESTATES = ("江景花园", "橙香小区", "永安新居", "诗城名苑", "竹枝佳苑")
_TRADES = ("橙业", "航运", "建材", "餐饮管理", "电子", "物流", "纺织", "农业科技", "机械", "商贸")
_FIRM_WORDS = ("云崖", "瞿塘", "赤甲", "白盐", "朝云", "登龙", "聚鹤", "青滩", "灯影", "崆岭")
_EARLIEST_BIRTH = date(1960, 1, 1)
_BIRTH_STEPS = 941  # times 17 days: to October 2003
_COUNTIES = tuple(sorted(code for code in FICTITIOUS_OVERLAY.counties if not code.endswith("00")))
_SEGMENTS = tuple(sorted(FICTITIOUS_OVERLAY.segments))
_SEGMENT_SIZE = 10_000
_BLOCKS = 17  # populations larger than areas times order numbers differ in the day of birth
_SEQUENCES = 499  # pairs of an odd and an even order number inside one area and day
_CARD_BIN = "629999"
_TEST_TAC = "00440200"  # GSMA keeps type codes that open with 00 for test equipment

T = TypeVar("T")


class TooManyIdentitiesError(InvalidInputError):
    """The overlay holds no further mobile number; ask for fewer identities."""

    code: ClassVar[str] = "elements.too_many_identities"


class RandomSource(Protocol):
    """The part of `random.Random` that the generator needs."""

    def randrange(self, start: int, stop: int, /) -> int:
        """Return an integer from `start` up to, not including, `stop`."""

    def choice(self, seq: Sequence[T], /) -> T:
        """Return one item of a non-empty sequence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FictitiousIdentity:
    """One person who cannot exist. Every value is text as a lender's table would hold it, except dates and income.

    Attributes:
        index: position in the population; makes mobile, card and resident number unique.
        monthly_income_cents: integer cents.
        card_expiry: MM/YY.
    """

    index: int
    person_name: str
    sex: str
    birth_date: date
    nationality: str
    ethnicity: str
    education: str
    marital_status: str
    occupation: str
    resident_id: str
    id_valid_from: date
    id_valid_until: date
    mobile: str
    email: str
    wechat: str
    qq: str
    user_name: str
    address: str
    work_address: str
    employer: str
    employer_uscc: str
    bank_card: str
    card_expiry: str
    cvn2: str
    monthly_income_cents: int
    contact_name: str
    contact_relation: str
    contact_mobile: str
    device_id: str
    imei: str
    mac: str
    ip: str
    plate: str


def make_identity(rng: RandomSource, index: int) -> FictitiousIdentity:
    """Return the identity number `index` of a population.

    The same generator state and index give the same identity. Mobile, card and resident number are unique over the
    whole population for any generator.

    Args:
        rng: for example `random.Random(seed)`.
        index: 0 up to `MOST_IDENTITIES` - 1.

    Raises:
        TooManyIdentitiesError: the index lies outside the population.
    """
    if not 0 <= index < MOST_IDENTITIES:
        raise TooManyIdentitiesError(f"index: must lie between 0 and {MOST_IDENTITIES - 1}")
    male = rng.randrange(0, 2) == 0
    block = index // (_SEQUENCES * len(_COUNTIES))
    born = _EARLIEST_BIRTH + timedelta(days=_BLOCKS * rng.randrange(0, _BIRTH_STEPS) + block)
    county = _COUNTIES[index // _SEQUENCES % len(_COUNTIES)]
    id_from = date(rng.randrange(2008, 2023), rng.randrange(1, 13), rng.randrange(1, 29))
    alias = f"{rng.choice(_PINYIN)}{rng.choice(_PINYIN)}{index:05d}"
    contact_index = (index * 7919 + 104_729) % MOST_IDENTITIES
    firm = _firm(rng)
    return FictitiousIdentity(
        index=index,
        person_name=make_name(rng, male=male),
        sex="男" if male else "女",
        birth_date=born,
        nationality="中国",
        ethnicity=rng.choice(_ETHNICITIES),
        education=rng.choice(_EDUCATIONS),
        marital_status=rng.choice(_MARITAL_STATES),
        occupation=rng.choice(_OCCUPATIONS),
        resident_id=make_resident_id(county, born, order=2 * (index % _SEQUENCES) + (1 if male else 2)),
        id_valid_from=id_from,
        id_valid_until=id_from.replace(year=id_from.year + 20),
        mobile=make_mobile(index),
        email=f"{alias}@example.com",
        wechat=f"wxid_km{alias}",
        qq=f"{rng.randrange(2, 10)}{index:05d}{rng.randrange(1000, 10_000)}",
        user_name=alias,
        address=_address(rng, county),
        work_address=_address(rng, rng.choice(_COUNTIES)),
        employer=firm,
        employer_uscc=_uscc(rng, county),
        bank_card=make_bank_card(index),
        card_expiry=f"{rng.randrange(1, 13):02d}/{rng.randrange(27, 33)}",
        cvn2=f"{rng.randrange(0, 1000):03d}",
        monthly_income_cents=rng.randrange(30, 300) * 10_000,
        contact_name=make_name(rng, male=rng.randrange(0, 2) == 0),
        contact_relation=rng.choice(_RELATIONS),
        contact_mobile=make_mobile(contact_index),
        device_id=f"{rng.randrange(0, 1 << 62):016x}",
        imei=_imei(index),
        mac=f"02:4b:4d:{rng.randrange(0, 256):02x}:{rng.randrange(0, 256):02x}:{rng.randrange(0, 256):02x}",
        ip=f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}",
        plate=f"{FICTITIOUS_OVERLAY.plate_province}{rng.choice('ABCDE')}{rng.randrange(10_000, 100_000)}",
    )


def make_name(rng: RandomSource, *, male: bool) -> str:
    """Return a name of two to four characters; about one in fifteen has a compound surname."""
    surname = rng.choice(_COMPOUND_SURNAMES) if rng.randrange(0, 15) == 0 else rng.choice(_SURNAMES)
    given = _MALE_GIVEN if male else _FEMALE_GIVEN
    first = rng.choice(given)
    return surname + first if rng.randrange(0, 4) == 0 else surname + first + rng.choice(given)


def make_resident_id(area: str, born: date, *, order: int) -> str:
    """Return an eighteen-character number with the right check character.

    Args:
        area: six digits.
        born: date of birth.
        order: 1 to 999; odd for men, even for women.
    """
    body = f"{area}{born:%Y%m%d}{order:03d}"
    return body + resident_id_check_digit(body)


def make_mobile(index: int) -> str:
    """Return the number of this index; a bijection, so that neighbours do not look alike."""
    scattered = index * 61_927 % MOST_IDENTITIES
    return f"{_SEGMENTS[scattered // _SEGMENT_SIZE]}{scattered % _SEGMENT_SIZE:04d}"


def make_bank_card(index: int) -> str:
    """Return the nineteen-digit card number of this index under issuer number 629999."""
    body = f"{_CARD_BIN}{index * 7_654_321 % 10**12:012d}"
    return body + luhn_check_digit(body)


def _imei(index: int) -> str:
    body = f"{_TEST_TAC}{index:06d}"
    return body + luhn_check_digit(body)


def _address(rng: RandomSource, county: str) -> str:
    names = FICTITIOUS_OVERLAY.counties
    region = names[county[:2] + "0000"] + names[county[:4] + "00"] + names[county]
    street = f"{rng.choice(_STREETS)}{rng.randrange(1, 300)}号"
    rooms = f"{rng.randrange(1, 30)}栋{rng.randrange(1, 5)}单元{rng.randrange(1, 33)}0{rng.randrange(1, 7)}室"
    return region + street + (rng.choice(_ESTATES) if rng.randrange(0, 2) else "") + rooms


def _firm(rng: RandomSource) -> str:
    given = rng.choice(_MALE_GIVEN) + rng.choice(_FEMALE_GIVEN)
    return f"{rng.choice(_FIRM_WORDS)}{given}{rng.choice(_TRADES)}有限公司"


def _uscc(rng: RandomSource, county: str) -> str:
    """Return a code of an area that does not exist, right in its last character only."""
    body = f"91{county}MA{rng.randrange(0, 10**7):07d}"
    return body + uscc_check_character(body)
