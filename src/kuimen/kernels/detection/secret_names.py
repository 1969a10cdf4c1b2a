"""The net under the terms: a column whose name holds a secret's word is that secret unless its head says otherwise.

A missed credential costs more than one too many, so these words decide wherever no term did.
"""

import re
from collections.abc import Sequence

from kuimen.kernels.detection.naming import MEDIUM, NameVerdict
from kuimen.kernels.detection.spellings import canonical
from kuimen.kernels.detection.terms_en import EN_NEGATIVE_HEADS
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.words import words

_PASSWORD = re.compile(r"p(?:ass)?w(?:or)?d|passw|pa?sswd|psw|mima|passphrase|(?:^|_)pass$|kouling|密码|口令")
_PAYING = re.compile(
    r"pay|trad|trans|deal|withdraw|cash|fund|atm|pin|debit|zhifu|jiaoyi|^zf|^jy|支付|交易|取款|提现|资金"
)
_OTHERS: tuple[tuple[Element, re.Pattern[str]], ...] = (
    (Element.CVN2, re.compile(r"cv[vn]2?(?![a-z])|安全码")),
    (Element.TRACK_DATA, re.compile(r"track_?(?:[123]|ii|data|info)|magstripe|磁道|磁条")),
    (
        Element.BIOMETRIC,
        re.compile(
            r"fingerprint_?(?:data|tem|fea|img|image|code)|voice_?print|face_?(?:feature|embed|vec|templ|token|model|enc)"
            r"|iris_|palm_?(?:print|vein)|liveness_?(?:data|video|file)|biometric|人脸特征|声纹|虹膜"
        ),
    ),
    (
        Element.SECRET_KEY,
        re.compile(
            r"(?:^|_)salt(?:$|_)|secret|priv(?:ate)?_?key|(?:access|refresh|auth|login|session|jwt|bearer|oauth)_?token"
            r"|api_?key|encrypt\w*_key|(?:sign|encrypt|aes|des|rsa|sm[24]|md5|hmac|merchant|mch)_?key|私钥|密钥|秘钥|令牌"
        ),
    ),
)
_HEADS = EN_NEGATIVE_HEADS | words(
    "times hint tip policy reset strength question prompt expiry change changed modify error errors num total id no"
    " screen page url visible public checks need required wrong fail failed retry history len size"
)
_ASKING = words("is has need can if allow enable use set reset forget")


def secret_in_name(name: str, tokens: Sequence[str]) -> NameVerdict | None:
    """Return which secret a name holds a word of, None where its head is about something else.

    Args:
        name: the column's name as written.
        tokens: its canonical words.
    """
    lowered = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    if not tokens or canonical(tokens[-1]) in _HEADS or tokens[0] in _ASKING:
        return None
    if _PASSWORD.search(lowered):
        element = Element.PAYMENT_PASSWORD if _PAYING.search(lowered) else Element.PASSWORD
        return NameVerdict(element, MEDIUM, rule="word of a password")
    for element, pattern in _OTHERS:
        if pattern.search(lowered):
            return NameVerdict(element, MEDIUM, rule=f"word of {element}")
    return None
