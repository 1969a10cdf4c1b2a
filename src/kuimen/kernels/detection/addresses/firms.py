"""Names of firms by their legal form."""

import re
from collections.abc import Iterator

from kuimen.kernels.detection.context import label_before
from kuimen.kernels.detection.evidence import Candidate, Evidence, EvidenceKind
from kuimen.kernels.elements.model import Element

_HAN = r"\u3400-\u9fff"
_FIRM = re.compile(
    rf"[{_HAN}A-Za-z0-9()]{{2,28}}?(?:股份有限公司|有限责任公司|有限公司|集团公司|分公司|专业合作社|合作社|事务所|经营部)(?![{_HAN}]?公司)"
)
_FIRM_LEAD = re.compile(
    r".*(?:就职于|任职于|供职于|工作于|就职|任职|单位名称|工作单位|所在单位|公司名称|企业名称|用人单位|供职|雇主|[为是在于到向由与和给的被:=,，。；;、]|客户|公司(?=[\u3400-\u9fff]{4}))"
)
_FIRM_GATE = ("公司", "合作社", "事务所", "经营部")
_LEAST_FIRM = 6


def recognise_firms(text: str) -> Iterator[Candidate]:
    """Yield names of firms by their legal form."""
    if not any(word in text for word in _FIRM_GATE):
        return
    for match in _FIRM.finditer(text):
        lead = _FIRM_LEAD.match(text, match.start(), match.end() - 4)
        start = lead.end() if lead else match.start()
        if match.end() - start < _LEAST_FIRM:
            continue
        label = label_before(text, start)
        pieces = [Evidence(EvidenceKind.FORMAT, "legal form", 3)]
        if label.element is Element.COMPANY_NAME:
            pieces.append(Evidence(EvidenceKind.LABEL, "label:company_name", 3))
        yield Candidate(Element.COMPANY_NAME, start, match.end(), tuple(pieces))
