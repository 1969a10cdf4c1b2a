"""Text encodings met at Chinese lenders: UTF-8 with and without BOM, GB18030, UTF-16.

An encoding is taken on evidence: UTF-8 when its own redundancy holds, GB18030 when the characters it gives are those
that Chinese text is made of. A few damaged bytes make a text damaged, not binary.
"""

import codecs
import re
from dataclasses import dataclass

SNIFF_BYTES = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LONGEST_CHARACTER = 4
_CONTROLS = bytes({*range(32)} - {7, 8, 9, 10, 11, 12, 13, 27})
_MOST_CONTROLS = 0.02
_MOST_DAMAGE = 0.02
_LEAST_COMMON_HAN = 0.8
_SHORT = 256  # bytes too few to judge their characters by frequency
_WIDE = re.compile(rb"[\x81-\xfe](?:[\x40-\x7e\x80-\xfe]|[\x30-\x39][\x81-\xfe][\x30-\x39])")
_COMMON_WIDE = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")


@dataclass(frozen=True, slots=True)
class Sniffed:
    """An encoding and whether the bytes looked at break its rules somewhere."""

    encoding: str
    damaged: bool = False


def sniff(head: bytes) -> str | None:
    """Return the encoding of a file's first bytes, or None when it is not text."""
    found = examine(head)
    return found.encoding if found else None


def examine(head: bytes) -> Sniffed | None:
    """Return the encoding of a file's first bytes with its state, None when they are not text.

    A multi-byte character cut at the end of `head` is no reason to reject an encoding.
    """
    for bom, name in _BOMS:
        if head.startswith(bom):
            return Sniffed(name)
    if b"\x00" in head:
        return _wide_without_bom(head)
    if len(head) - len(head.translate(None, _CONTROLS)) > _MOST_CONTROLS * len(head):
        return None
    common = _share_of_common_han(head)
    for name, credible in (("utf-8", True), ("gb18030", common >= _LEAST_COMMON_HAN or len(head) < _SHORT)):
        if credible and _decodes(head, name):
            return Sniffed(name)
    for name, credible in (("utf-8", True), ("gb18030", common >= _LEAST_COMMON_HAN)):
        if credible and _damage(head, name) <= _MOST_DAMAGE:
            return Sniffed(name, damaged=True)
    return None


def _decodes(head: bytes, name: str) -> bool:
    try:
        codecs.getincrementaldecoder(name)().decode(head, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _share_of_common_han(head: bytes) -> float:
    """Return the share of double bytes that lie in the plane of everyday characters of GB 2312."""
    pairs = _WIDE.findall(head)
    return sum(_COMMON_WIDE.fullmatch(pair) is not None for pair in pairs) / len(pairs) if pairs else 0.0


def _damage(head: bytes, name: str) -> float:
    """Return replacement characters per character that is not ASCII or line structure."""
    text = codecs.getincrementaldecoder(name)(errors="replace").decode(head, final=False)
    return text.count("\ufffd") / max(1, len(text))


def _wide_without_bom(head: bytes) -> Sniffed | None:
    """Recognise UTF-16 by the zero bytes of its ASCII letters, all on one side."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    name = "utf-16-le" if odd > even else "utf-16-be"
    if min(even, odd) > _MOST_CONTROLS * len(head) or max(even, odd) * 8 < len(head):
        return None
    return Sniffed(name) if _decodes(head[: len(head) // 2 * 2], name) else None


def decode_lenient(data: bytes) -> str:
    """Decode bytes of unknown encoding: UTF-8, else GB18030, else with replacement characters."""
    for name in ("utf-8", "gb18030"):
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", errors="replace")
