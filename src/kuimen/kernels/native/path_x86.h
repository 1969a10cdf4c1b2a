/* SM4 and AES-256 on x86-64 with AVX2. The source that includes it has defined SUBSTITUTE(v), the S-box of SM4 on 32
 * bytes, and PATH(name). Eight blocks go through SM4 together, one in each 32-bit lane; three such groups run side by
 * side so that the units stay busy. */

#define POWERS_KEPT 8
#include "ghash_clmul.h"

typedef struct {
    uint32_t rounds[32];
} sm4_schedule;

typedef struct {
    __m256i rounds[32];
} sm4_lanes;

INLINE __m256i turn_bytes(__m256i from, int places)
{
    const __m256i by_8 = _mm256_set_epi8(14, 13, 12, 15, 10, 9, 8, 11, 6, 5, 4, 7, 2, 1, 0, 3, 14, 13, 12, 15, 10, 9, 8,
                                         11, 6, 5, 4, 7, 2, 1, 0, 3);
    const __m256i by_16 = _mm256_set_epi8(13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2, 13, 12, 15, 14, 9, 8, 11,
                                          10, 5, 4, 7, 6, 1, 0, 3, 2);
    const __m256i by_24 = _mm256_set_epi8(12, 15, 14, 13, 8, 11, 10, 9, 4, 7, 6, 5, 0, 3, 2, 1, 12, 15, 14, 13, 8, 11, 10,
                                          9, 4, 7, 6, 5, 0, 3, 2, 1);
    return _mm256_shuffle_epi8(from, places == 8 ? by_8 : places == 16 ? by_16 : by_24);
}

INLINE __m256i turn(__m256i from, int places)
{
    return _mm256_or_si256(_mm256_slli_epi32(from, places), _mm256_srli_epi32(from, 32 - places));
}

INLINE __m256i xor_3(__m256i a, __m256i b, __m256i c) { return _mm256_xor_si256(a, _mm256_xor_si256(b, c)); }

INLINE __m256i swap_words(__m256i from)
{
    return _mm256_shuffle_epi8(from, _mm256_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14,
                                                     15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
}

/* Four registers of two blocks each to four registers of words, and back. */
INLINE void exchange(__m256i *x)
{
    __m256i a = _mm256_unpacklo_epi32(x[0], x[1]), b = _mm256_unpackhi_epi32(x[0], x[1]);
    __m256i c = _mm256_unpacklo_epi32(x[2], x[3]), d = _mm256_unpackhi_epi32(x[2], x[3]);
    x[0] = _mm256_unpacklo_epi64(a, c);
    x[1] = _mm256_unpackhi_epi64(a, c);
    x[2] = _mm256_unpacklo_epi64(b, d);
    x[3] = _mm256_unpackhi_epi64(b, d);
}

#define SM4_STEP(at, i0, i1, i2, i3, key)                                                                              \
    for (int group = 0; group < groups; group++) {                                                                     \
        __m256i *s = x[group];                                                                                         \
        __m256i t = SUBSTITUTE(_mm256_xor_si256(xor_3(s[i1], s[i2], s[i3]), (key)));                                   \
        __m256i u = turn(xor_3(t, turn_bytes(t, 8), turn_bytes(t, 16)), 2);                                            \
        s[i0] = xor_3(_mm256_xor_si256(s[i0], t), turn_bytes(t, 24), u);                                               \
    }

/* `keyed`: every lane has round keys of its own. */
INLINE void sm4_groups(const void *rounds, uint8_t *blocks, const int groups, const int keyed)
{
    __m256i x[3][4];
#define ROUND_KEY(at)                                                                                                  \
    (keyed ? ((const __m256i *)rounds)[at] : _mm256_set1_epi32((int)((const uint32_t *)rounds)[at]))
    for (int group = 0; group < groups; group++) {
        for (int at = 0; at < 4; at++)
            x[group][at] = swap_words(_mm256_loadu_si256((const __m256i *)(blocks + 128 * group + 32 * at)));
        exchange(x[group]);
    }
    for (int round = 0; round < 32; round += 4) {
        SM4_STEP(round, 0, 1, 2, 3, ROUND_KEY(round))
        SM4_STEP(round, 1, 2, 3, 0, ROUND_KEY(round + 1))
        SM4_STEP(round, 2, 3, 0, 1, ROUND_KEY(round + 2))
        SM4_STEP(round, 3, 0, 1, 2, ROUND_KEY(round + 3))
    }
    for (int group = 0; group < groups; group++) {
        __m256i y[4] = {x[group][3], x[group][2], x[group][1], x[group][0]};
        exchange(y);
        for (int at = 0; at < 4; at++)
            _mm256_storeu_si256((__m256i *)(blocks + 128 * group + 32 * at), swap_words(y[at]));
    }
#undef ROUND_KEY
}

static void sm4_ecb(const sm4_schedule *schedule, uint8_t *blocks, size_t count)
{
    size_t at = 0;
    for (; at + 16 < count; at += 24)
        sm4_groups(schedule->rounds, blocks + 16 * at, 3, 0);
    for (; at < count; at += 8)
        sm4_groups(schedule->rounds, blocks + 16 * at, 1, 0);
}

static void sm4_lanes_ecb(const sm4_lanes *lanes, uint8_t *blocks, size_t steps)
{
    size_t at = 0;
    for (; at + 3 <= steps; at += 3)
        sm4_groups(lanes->rounds, blocks + 128 * at, 3, 1);
    for (; at < steps; at++)
        sm4_groups(lanes->rounds, blocks + 128 * at, 1, 1);
}

static void sm4_lanes_expand(sm4_lanes *lanes, uint8_t keys[8][32])
{
    static const uint32_t family[4] = {0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc};
    uint8_t joined[128];
    __m256i k[4];
    for (int lane = 0; lane < 8; lane++)
        memcpy(joined + 16 * lane, keys[lane], 16);
    for (int at = 0; at < 4; at++)
        k[at] = swap_words(_mm256_loadu_si256((const __m256i *)(joined + 32 * at)));
    exchange(k);
    for (int at = 0; at < 4; at++)
        k[at] = _mm256_xor_si256(k[at], _mm256_set1_epi32((int)family[at]));
    for (int round = 0; round < 32; round++) {
        uint32_t constant = 0;
        for (int byte = 0; byte < 4; byte++)
            constant = constant << 8 | (uint32_t)((4 * round + byte) * 7 & 0xff);
        __m256i t = _mm256_xor_si256(xor_3(k[1], k[2], k[3]), _mm256_set1_epi32((int)constant));
        t = SUBSTITUTE(t);
        t = _mm256_xor_si256(k[0], xor_3(t, turn(t, 13), turn(t, 23)));
        lanes->rounds[round] = t;
        k[0] = k[1], k[1] = k[2], k[2] = k[3], k[3] = t;
    }
    kuimen_wipe(joined, sizeof joined);
}

static void sm4_expand(sm4_schedule *schedule, const uint8_t *key)
{
    sm4_lanes lanes;
    uint8_t keys[8][32];
    for (int lane = 0; lane < 8; lane++)
        memcpy(keys[lane], key, 16);
    sm4_lanes_expand(&lanes, keys);
    for (int round = 0; round < 32; round++)
        schedule->rounds[round] = (uint32_t)_mm256_extract_epi32(lanes.rounds[round], 0);
    kuimen_wipe(keys, sizeof keys);
    kuimen_wipe(&lanes, sizeof lanes);
}

/* ---- AES-256 by the processor's own instructions ---- */

typedef struct {
    __m128i rounds[15];
} aes_schedule;

typedef struct {
    aes_schedule lane[8];
} aes_lanes;

INLINE __m128i aes_run(__m128i from)
{
    from = _mm_xor_si128(from, _mm_slli_si128(from, 4));
    return _mm_xor_si128(from, _mm_slli_si128(from, 8));
}

#define AES_EVEN(round, constant)                                                                                      \
    low = _mm_xor_si128(aes_run(low), _mm_shuffle_epi32(_mm_aeskeygenassist_si128(high, (constant)), 0xff));           \
    schedule->rounds[round] = low;
#define AES_ODD(round)                                                                                                 \
    high = _mm_xor_si128(aes_run(high), _mm_shuffle_epi32(_mm_aeskeygenassist_si128(low, 0), 0xaa));                   \
    schedule->rounds[round] = high;

static void aes_expand(aes_schedule *schedule, const uint8_t *key)
{
    __m128i low = _mm_loadu_si128((const __m128i *)key), high = _mm_loadu_si128((const __m128i *)(key + 16));
    schedule->rounds[0] = low;
    schedule->rounds[1] = high;
    AES_EVEN(2, 0x01) AES_ODD(3) AES_EVEN(4, 0x02) AES_ODD(5) AES_EVEN(6, 0x04) AES_ODD(7) AES_EVEN(8, 0x08) AES_ODD(9)
    AES_EVEN(10, 0x10) AES_ODD(11) AES_EVEN(12, 0x20) AES_ODD(13) AES_EVEN(14, 0x40)
}

INLINE void aes_group(const aes_schedule *schedule, uint8_t *blocks, size_t stride, const int count)
{
    __m128i x[8];
    for (int at = 0; at < count; at++)
        x[at] = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(blocks + stride * (size_t)at)), schedule->rounds[0]);
    for (int round = 1; round < 14; round++)
        for (int at = 0; at < count; at++)
            x[at] = _mm_aesenc_si128(x[at], schedule->rounds[round]);
    for (int at = 0; at < count; at++)
        _mm_storeu_si128((__m128i *)(blocks + stride * (size_t)at), _mm_aesenclast_si128(x[at], schedule->rounds[14]));
}

static void aes_ecb(const aes_schedule *schedule, uint8_t *blocks, size_t count)
{
    for (size_t at = 0; at < count; at += 8)
        aes_group(schedule, blocks + 16 * at, 16, 8);
}

static void aes_lanes_expand(aes_lanes *lanes, uint8_t keys[8][32])
{
    for (int lane = 0; lane < 8; lane++)
        aes_expand(&lanes->lane[lane], keys[lane]);
}

static void aes_lanes_ecb(const aes_lanes *lanes, uint8_t *blocks, size_t steps)
{
    for (int lane = 0; lane < 8; lane++) {
        size_t at = 0;
        for (; at + 4 <= steps; at += 4)
            aes_group(&lanes->lane[lane], blocks + 128 * at + 16 * (size_t)lane, 128, 4);
        for (; at < steps; at++)
            aes_group(&lanes->lane[lane], blocks + 128 * at + 16 * (size_t)lane, 128, 1);
    }
}

#define LANES 8
#define ECB_STEP 24
#include "rows.h"
