/* The S-box of SM4 from the AES instruction: both invert in a field of 256 elements. The first affine map carries a
 * byte from SM4's field (with SM4's affine map) into that of AES; the instruction inverts and applies AES's own map;
 * the second undoes that map and carries it back. Each map is two lookups of half a byte within a register.
 * `LAST(v, key)`, the last round of AES, also shifts rows: the shuffle before it undoes that. */

#define BOTH_HALVES(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

INLINE __m256i SUBSTITUTE(__m256i from)
{
    const __m256i nibble = _mm256_set1_epi8(0x0f);
    const __m256i in_low = BOTH_HALVES(0x3e, (char)0xb2, 0x0e, (char)0x82, (char)0xbb, 0x37, (char)0x8b, 0x07, (char)0xa1,
                                       0x2d, (char)0x91, 0x1d, 0x24, (char)0xa8, 0x14, (char)0x98);
    const __m256i in_high = BOTH_HALVES(0x00, (char)0xdc, 0x2e, (char)0xf2, (char)0xc5, 0x19, (char)0xeb, 0x37, 0x08,
                                        (char)0xd4, 0x26, (char)0xfa, (char)0xcd, 0x11, (char)0xe3, 0x3f);
    const __m256i out_low = BOTH_HALVES(0x6c, (char)0xd4, (char)0xa6, 0x1e, 0x52, (char)0xea, (char)0x98, 0x20, 0x0b,
                                        (char)0xb3, (char)0xc1, 0x79, 0x35, (char)0x8d, (char)0xff, 0x47);
    const __m256i out_high = BOTH_HALVES(0x00, (char)0xe0, 0x50, (char)0xb0, (char)0x9d, 0x7d, (char)0xcd, 0x2d,
                                         (char)0xc0, 0x20, (char)0x90, 0x70, 0x5d, (char)0xbd, 0x0d, (char)0xed);
    const __m256i unshift = BOTH_HALVES(0, 13, 10, 7, 4, 1, 14, 11, 8, 5, 2, 15, 12, 9, 6, 3);
    __m256i low = _mm256_shuffle_epi8(in_low, _mm256_and_si256(from, nibble));
    __m256i high = _mm256_shuffle_epi8(in_high, _mm256_and_si256(_mm256_srli_epi32(from, 4), nibble));
    __m256i inverse = LAST(_mm256_shuffle_epi8(_mm256_xor_si256(low, high), unshift));
    low = _mm256_shuffle_epi8(out_low, _mm256_and_si256(inverse, nibble));
    high = _mm256_shuffle_epi8(out_high, _mm256_and_si256(_mm256_srli_epi32(inverse, 4), nibble));
    return _mm256_xor_si256(low, high);
}
