"""The raw search misses nothing that a plain search would find, whatever stands around it."""

import base64

from hypothesis import given, settings
from hypothesis import strategies as st

from kuimen.kernels.detection.needles import Encoding, Hit, NeedleSet, base64_core, encodings_of

VALUES = st.lists(
    st.one_of(
        st.text(alphabet="0123456789", min_size=6, max_size=20).map(str.encode),
        st.text(alphabet="张王李欧阳伟芳重庆市渝中区路号0123", min_size=2, max_size=12).map(str.encode),
        st.binary(min_size=1, max_size=24),
    ),
    min_size=1,
    max_size=12,
    unique=True,
)


def naive(values: list[bytes], block: bytes) -> set[Hit]:
    """Look for every form of every value with `bytes.find`."""
    hits: set[Hit] = set()
    for needle, value in enumerate(values):
        for encoding, pattern in encodings_of(value):
            start = block.find(pattern) if len(pattern) >= 8 else -1
            while start >= 0:
                hits.add(Hit(needle, encoding, start, start + len(pattern)))
                start = block.find(pattern, start + 1)
    return hits


@st.composite
def haystacks(draw: st.DrawFn) -> tuple[list[bytes], bytes]:
    values = draw(VALUES)
    pieces: list[bytes] = []
    for _ in range(draw(st.integers(0, 12))):
        _, pattern = draw(st.sampled_from(encodings_of(draw(st.sampled_from(values)))))
        cut = draw(st.integers(0, 2))
        pieces.append(pattern[cut:] if draw(st.booleans()) else pattern)
        pieces.append(draw(st.binary(max_size=20)))
        pieces.append(draw(st.text(alphabet="0123456789", max_size=20)).encode())
    return values, b"".join(pieces)


@settings(max_examples=60, deadline=None)
@given(haystacks())
def test_search_finds_exactly_what_a_plain_search_finds(haystack: tuple[list[bytes], bytes]) -> None:
    values, block = haystack
    assert set(NeedleSet.build(values).search(block)) == naive(values, block)


@settings(max_examples=25, deadline=None)
@given(haystacks(), st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_a_stream_in_any_pieces_gives_the_hits_of_the_whole(
    haystack: tuple[list[bytes], bytes], sizes: list[int]
) -> None:
    values, block = haystack
    needles = NeedleSet.build(values)
    pieces, position, turn = [], 0, 0
    while position < len(block):
        size = sizes[turn % len(sizes)]
        pieces.append(block[position : position + size])
        position, turn = position + size, turn + 1
    streamed = list(needles.search_stream(pieces))
    assert set(streamed) == set(needles.search(block))
    assert len(streamed) == len(set(streamed))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=20), st.binary(min_size=9, max_size=40), st.binary(max_size=20))
def test_base64_of_any_record_holds_one_of_the_three_cores(before: bytes, value: bytes, behind: bytes) -> None:
    whole = base64.b64encode(before + value + behind)
    assert base64_core(value, len(before) % 3) in whole


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=30), st.binary(max_size=30))
def test_a_value_inside_base64_of_a_record_is_found(before: bytes, behind: bytes) -> None:
    value = b"19990000001"
    block = base64.b64encode(before + value + behind)
    hits = NeedleSet.build([value]).search(block)
    assert any(hit.encoding is Encoding.BASE64 for hit in hits)


def test_values_too_short_for_the_raw_search_are_counted_by_encoding() -> None:
    needles = NeedleSet.build(["张伟".encode(), b"19990000001", b"1234567"])
    assert needles.count == 3
    assert needles.unsearchable[Encoding.PLAIN] == 2
    assert needles.unsearchable[Encoding.HEX] == 0
    assert needles.unsearchable[Encoding.UTF16_LE] == 1
    assert not NeedleSet.build([b"1234567"]).search(b"xx1234567xx")


def test_a_large_set_is_searched_across_the_inner_strides() -> None:
    values = [f"1999000{number:04d}".encode() for number in range(10_000)]
    block = bytearray(b"\x00" * 300_000)
    places = (0, 32_750, 32_768, 65_530, 131_071, 299_989)
    for place, value in zip(places, values[::1700], strict=True):
        block[place : place + 11] = value
    hits = NeedleSet.build(values).search(bytes(block))
    assert [(hit.offset, hit.needle) for hit in hits] == list(zip(places, range(0, 10_000, 1700), strict=True))
    assert not NeedleSet.build([]).search(bytes(block))
