"""Text encodings met at Chinese lenders: UTF-8 with and without BOM, GB18030, UTF-16 with BOM."""

import codecs

SNIFF_BYTES = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def sniff(head: bytes) -> str | None:
    """Return the encoding of a file's first bytes, or None when it is not text.

    A multi-byte character cut at the end of `head` is no reason to reject an encoding.
    """
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    if b"\x00" in head:
        return None
    for name in ("utf-8", "gb18030"):
        try:
            codecs.getincrementaldecoder(name)().decode(head, final=False)
        except UnicodeDecodeError:
            continue
        return name
    return None


def decode_lenient(data: bytes) -> str:
    """Decode bytes of unknown encoding: UTF-8, else GB18030, else with replacement characters."""
    for name in ("utf-8", "gb18030"):
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", errors="replace")
