/* The path without special instructions: SM4 and AES as circuits on bit planes, 128 blocks at once, GHASH by integer
 * multiplication. Nothing is looked up, so nothing leaks through the cache.
 *
 * A plane holds one bit of 128 blocks. Plane 8 k + j is bit j of byte k of the blocks. Both S-boxes are an inversion
 * in a field of 256 elements between two affine maps; all such fields are one, so both use the inversion below, in
 * GF(((2^2)^2)^2): u^2 = u + 1, v^2 = v + u, w^2 = w + 9. The matrices, one row per output bit, carry each cipher's own
 * field there and back together with its affine map; tests/vectors/test_native_circuits.py derives them again. */
#include "native.h"

#include "cipher.h"

typedef block plane;

/* ---- fields ---- */

INLINE void multiply_4(plane *out, const plane *a, const plane *b)
{
    plane low = a[0] & b[0], high = a[1] & b[1], cross = (a[0] ^ a[1]) & (b[0] ^ b[1]);
    out[0] = low ^ high;
    out[1] = cross ^ low;
}

INLINE void multiply_16(plane *out, const plane *a, const plane *b)
{
    plane sum_a[2] = {a[0] ^ a[2], a[1] ^ a[3]}, sum_b[2] = {b[0] ^ b[2], b[1] ^ b[3]};
    plane low[2], high[2], cross[2];
    multiply_4(low, a, b);
    multiply_4(high, a + 2, b + 2);
    multiply_4(cross, sum_a, sum_b);
    out[0] = low[0] ^ high[1];
    out[1] = low[1] ^ high[0] ^ high[1];
    out[2] = cross[0] ^ low[0];
    out[3] = cross[1] ^ low[1];
}

INLINE void invert_16(plane *out, const plane *a)
{
    plane sum[2] = {a[0] ^ a[2], a[1] ^ a[3]}, norm[2], inverse[2];
    multiply_4(norm, a, sum);
    /* plus u times the square of the upper half */
    norm[0] ^= a[3];
    norm[1] ^= a[2];
    inverse[0] = norm[0] ^ norm[1]; /* in a field of four the inverse is the square */
    inverse[1] = norm[1];
    multiply_4(out + 2, a + 2, inverse);
    multiply_4(out, sum, inverse);
}

INLINE void invert_256(plane *out, const plane *a)
{
    plane sum[4], norm[4], inverse[4];
    for (int bit = 0; bit < 4; bit++)
        sum[bit] = a[bit] ^ a[4 + bit];
    multiply_16(norm, a, sum);
    /* plus nine times the square of the upper half */
    norm[0] ^= a[4] ^ a[5] ^ a[6] ^ a[7];
    norm[1] ^= a[5] ^ a[7];
    norm[2] ^= a[5];
    norm[3] ^= a[4];
    invert_16(inverse, norm);
    multiply_16(out + 4, a + 4, inverse);
    multiply_16(out, sum, inverse);
}

#define ONES ((plane){~(uint64_t)0, ~(uint64_t)0})
#define ZERO ((plane){0, 0})
#define PART(row, from, bit) ((row) >> (bit) & 1 ? (from)[bit] : ZERO)
#define ROW(row, from)                                                                                                 \
    (PART(row, from, 0) ^ PART(row, from, 1) ^ PART(row, from, 2) ^ PART(row, from, 3) ^ PART(row, from, 4) ^          \
     PART(row, from, 5) ^ PART(row, from, 6) ^ PART(row, from, 7))
#define FLIP(constant, bit) ((constant) >> (bit) & 1 ? ONES : ZERO)
#define AFFINE(to, from, r0, r1, r2, r3, r4, r5, r6, r7, constant)                                                     \
    do {                                                                                                               \
        (to)[0] = ROW(r0, from) ^ FLIP(constant, 0);                                                                   \
        (to)[1] = ROW(r1, from) ^ FLIP(constant, 1);                                                                   \
        (to)[2] = ROW(r2, from) ^ FLIP(constant, 2);                                                                   \
        (to)[3] = ROW(r3, from) ^ FLIP(constant, 3);                                                                   \
        (to)[4] = ROW(r4, from) ^ FLIP(constant, 4);                                                                   \
        (to)[5] = ROW(r5, from) ^ FLIP(constant, 5);                                                                   \
        (to)[6] = ROW(r6, from) ^ FLIP(constant, 6);                                                                   \
        (to)[7] = ROW(r7, from) ^ FLIP(constant, 7);                                                                   \
    } while (0)

static void sm4_substitute(plane *byte)
{
    plane in[8], out[8];
    AFFINE(in, byte, 0x26, 0x72, 0xa4, 0x18, 0x57, 0x40, 0x84, 0x7f, 0xea);
    invert_256(out, in);
    AFFINE(byte, out, 0x55, 0x41, 0x76, 0xd1, 0x8a, 0x2a, 0x03, 0x2f, 0xd3);
}

static void aes_substitute(plane *byte)
{
    plane in[8], out[8];
    AFFINE(in, byte, 0x8f, 0x0a, 0x58, 0xc6, 0xdc, 0xd2, 0x7e, 0xa0, 0x00);
    invert_256(out, in);
    AFFINE(byte, out, 0x41, 0x8b, 0x1f, 0x01, 0x3d, 0x8c, 0x90, 0x84, 0x63);
}

/* ---- blocks to planes and back: the transposition of 128 by 128 bits ---- */

#define SWAP(shift, mask)                                                                                              \
    for (size_t base = 0; base < 128; base += 2 * (shift)) {                                                           \
        for (size_t at = base; at < base + (shift); at++) {                                                            \
            plane other = ((rows[at] >> (shift)) ^ rows[at + (shift)]) & (plane){(mask), (mask)};                      \
            rows[at + (shift)] ^= other;                                                                               \
            rows[at] ^= other << (shift);                                                                              \
        }                                                                                                              \
    }

static void transpose(plane *rows)
{
    for (size_t at = 0; at < 64; at++) {
        plane upper = rows[at], lower = rows[at + 64];
        rows[at] = (plane){upper[0], lower[0]};
        rows[at + 64] = (plane){upper[1], lower[1]};
    }
    SWAP(32, 0x00000000ffffffffULL)
    SWAP(16, 0x0000ffff0000ffffULL)
    SWAP(8, 0x00ff00ff00ff00ffULL)
    SWAP(4, 0x0f0f0f0f0f0f0f0fULL)
    SWAP(2, 0x3333333333333333ULL)
    SWAP(1, 0x5555555555555555ULL)
}

/* One key for all 128 blocks: planes of all ones or all zeros. */
static void spread(plane *to, const uint8_t *key, size_t size)
{
    for (size_t at = 0; at < 8 * size; at++) {
        uint64_t all = (uint64_t)0 - (key[at / 8] >> (at % 8) & 1);
        to[at] = (plane){all, all};
    }
}

/* ---- SM4 ---- */

/* Bit b of a word, which stands in four bytes, the highest first. */
#define BIT(b) (8 * (3 - (b) / 8) + (b) % 8)

typedef struct {
    plane rounds[32][32];
} sm4_schedule;
typedef sm4_schedule sm4_lanes;

static void sm4_keys(sm4_schedule *schedule, plane words[4][32])
{
    static const uint32_t family[4] = {0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc};
    plane text[32];
    for (int word = 0; word < 4; word++)
        for (int bit = 0; bit < 32; bit++)
            words[word][BIT(bit)] ^= FLIP(family[word], bit);
    for (int round = 0; round < 32; round++) {
        const plane *k1 = words[(round + 1) % 4], *k2 = words[(round + 2) % 4], *k3 = words[(round + 3) % 4];
        plane *k0 = words[round % 4];
        uint32_t constant = 0;
        for (int byte = 0; byte < 4; byte++)
            constant = constant << 8 | (uint32_t)((4 * round + byte) * 7 & 0xff);
        for (int bit = 0; bit < 32; bit++)
            text[BIT(bit)] = k1[BIT(bit)] ^ k2[BIT(bit)] ^ k3[BIT(bit)] ^ FLIP(constant, bit);
        for (int byte = 0; byte < 4; byte++)
            sm4_substitute(text + 8 * byte);
        for (int bit = 0; bit < 32; bit++)
            k0[BIT(bit)] ^= text[BIT(bit)] ^ text[BIT((bit + 32 - 13) % 32)] ^ text[BIT((bit + 32 - 23) % 32)];
        memcpy(schedule->rounds[round], k0, sizeof schedule->rounds[round]);
    }
    kuimen_wipe(text, sizeof text);
}

#define SM4_PLACE(b)                                                                                                   \
    x0[BIT(b)] ^= text[BIT(b)] ^ text[BIT(((b) + 30) % 32)] ^ text[BIT(((b) + 22) % 32)] ^ text[BIT(((b) + 14) % 32)] ^  \
                  text[BIT(((b) + 8) % 32)];
#define SM4_PLACES(b) SM4_PLACE(b) SM4_PLACE((b) + 1) SM4_PLACE((b) + 2) SM4_PLACE((b) + 3)

static void sm4_128(const sm4_schedule *schedule, uint8_t *blocks)
{
    plane state[4][32], text[32];
    memcpy(state, blocks, sizeof state);
    transpose(&state[0][0]);
    for (int round = 0; round < 32; round++) {
        const plane *x1 = state[(round + 1) % 4], *x2 = state[(round + 2) % 4], *x3 = state[(round + 3) % 4];
        const plane *key = schedule->rounds[round];
        plane *x0 = state[round % 4];
        for (int at = 0; at < 32; at++)
            text[at] = x1[at] ^ x2[at] ^ x3[at] ^ key[at];
        for (int byte = 0; byte < 4; byte++)
            sm4_substitute(text + 8 * byte);
        SM4_PLACES(0) SM4_PLACES(4) SM4_PLACES(8) SM4_PLACES(12)
        SM4_PLACES(16) SM4_PLACES(20) SM4_PLACES(24) SM4_PLACES(28)
    }
    for (int word = 0; word < 2; word++) {
        for (int at = 0; at < 32; at++) {
            plane kept = state[word][at];
            state[word][at] = state[3 - word][at];
            state[3 - word][at] = kept;
        }
    }
    transpose(&state[0][0]);
    memcpy(blocks, state, sizeof state);
    kuimen_wipe(state, sizeof state);
    kuimen_wipe(text, sizeof text);
}

static void sm4_expand(sm4_schedule *schedule, const uint8_t *key)
{
    plane words[4][32];
    spread(&words[0][0], key, 16);
    sm4_keys(schedule, words);
    kuimen_wipe(words, sizeof words);
}

static void sm4_ecb(const sm4_schedule *schedule, uint8_t *blocks, size_t count)
{
    for (size_t at = 0; at < count; at += 128)
        sm4_128(schedule, blocks + 16 * at);
}

/* ---- AES-256 ---- */

typedef struct {
    plane rounds[15][128];
} aes_schedule;
typedef aes_schedule aes_lanes;

/* The first two round keys stand in the schedule already; makes the other thirteen. */
static void aes_keys(aes_schedule *schedule)
{
    plane *words = &schedule->rounds[0][0], text[32];
    uint8_t constant = 1;
    for (int word = 8; word < 60; word++) {
        const plane *before = words + 32 * (word - 1), *eight_back = words + 32 * (word - 8);
        plane *now = words + 32 * word;
        for (int at = 0; at < 32; at++)
            text[at] = before[word % 8 == 0 ? (at + 8) % 32 : at];
        if (word % 4 == 0) {
            for (int byte = 0; byte < 4; byte++)
                aes_substitute(text + 8 * byte);
        }
        if (word % 8 == 0) {
            for (int bit = 0; bit < 8; bit++)
                text[bit] ^= FLIP(constant, bit);
            constant = (uint8_t)(constant << 1);
        }
        for (int at = 0; at < 32; at++)
            now[at] = eight_back[at] ^ text[at];
    }
    kuimen_wipe(text, sizeof text);
}

static void aes_128(const aes_schedule *schedule, uint8_t *blocks)
{
    plane state[128], moved[128];
    memcpy(state, blocks, sizeof state);
    transpose(state);
    for (int at = 0; at < 128; at++)
        state[at] ^= schedule->rounds[0][at];
    for (int round = 1; round < 15; round++) {
        const plane *key = schedule->rounds[round];
        for (int byte = 0; byte < 16; byte++)
            aes_substitute(state + 8 * byte);
        for (int byte = 0; byte < 16; byte++)
            memcpy(moved + 8 * byte, state + 8 * ((byte + 4 * (byte % 4)) % 16), 8 * sizeof(plane));
        if (round == 14) {
            for (int at = 0; at < 128; at++)
                state[at] = moved[at] ^ key[at];
            break;
        }
        for (int byte = 0; byte < 16; byte++) {
            const plane *a0 = moved + 8 * byte, *a1 = moved + 8 * (byte / 4 * 4 + (byte + 1) % 4),
                        *a2 = moved + 8 * (byte / 4 * 4 + (byte + 2) % 4),
                        *a3 = moved + 8 * (byte / 4 * 4 + (byte + 3) % 4);
            plane *to = state + 8 * byte, both[8];
            for (int bit = 0; bit < 8; bit++) {
                both[bit] = a0[bit] ^ a1[bit];
                to[bit] = a1[bit] ^ a2[bit] ^ a3[bit] ^ key[8 * byte + bit];
            }
            to[0] ^= both[7];
            to[1] ^= both[0] ^ both[7];
            to[2] ^= both[1];
            to[3] ^= both[2] ^ both[7];
            to[4] ^= both[3] ^ both[7];
            to[5] ^= both[4];
            to[6] ^= both[5];
            to[7] ^= both[6];
        }
    }
    transpose(state);
    memcpy(blocks, state, sizeof state);
    kuimen_wipe(state, sizeof state);
    kuimen_wipe(moved, sizeof moved);
}

static void aes_expand(aes_schedule *schedule, const uint8_t *key)
{
    spread(schedule->rounds[0], key, 32);
    aes_keys(schedule);
}

static void aes_ecb(const aes_schedule *schedule, uint8_t *blocks, size_t count)
{
    for (size_t at = 0; at < count; at += 128)
        aes_128(schedule, blocks + 16 * at);
}

/* ---- 128 keys at once: the same schedules, with planes that differ from block to block ---- */

static void sm4_lanes_expand(sm4_lanes *lanes, uint8_t keys[128][32])
{
    plane words[4][32];
    for (int lane = 0; lane < 128; lane++)
        memcpy((uint8_t *)words + 16 * lane, keys[lane], 16);
    transpose(&words[0][0]);
    sm4_keys(lanes, words);
    kuimen_wipe(words, sizeof words);
}

static void aes_lanes_expand(aes_lanes *lanes, uint8_t keys[128][32])
{
    for (int half = 0; half < 2; half++) {
        for (int lane = 0; lane < 128; lane++)
            memcpy((uint8_t *)lanes->rounds[half] + 16 * lane, keys[lane] + 16 * half, 16);
        transpose(lanes->rounds[half]);
    }
    aes_keys(lanes);
}

static void sm4_lanes_ecb(const sm4_lanes *lanes, uint8_t *blocks, size_t steps) { sm4_ecb(lanes, blocks, 128 * steps); }
static void aes_lanes_ecb(const aes_lanes *lanes, uint8_t *blocks, size_t steps) { aes_ecb(lanes, blocks, 128 * steps); }

/* ---- GHASH ---- */

/* A product without carries from ordinary multiplications: the operands are cut into five with a bit in every fifth
 * place, so that at most 13 ones meet in a place and their sum stays below the next place in use. Integer
 * multiplication takes the same time for all operands on the processors this is meant for. */
typedef unsigned __int128 wide;

#define FIFTH 0x1084210842108421ULL /* places 0, 5, ... 60 */

typedef struct {
    uint64_t fifths[5];
} fifths;

typedef struct {
    fifths low, high, both;
} gh_key;

typedef struct {
    uint64_t high, low;
} gh_state;

INLINE fifths cut(uint64_t from)
{
    return (fifths){{from & FIFTH, from & FIFTH << 1, from & FIFTH << 2, from & FIFTH << 3, from & FIFTH << 4}};
}

static wide carryless(fifths one, fifths other)
{
    /* places 0, 5, ... 125 of 128 */
    static const wide place = (wide)0x2108421084210842ULL << 64 | FIFTH;
    wide sum = 0;
    for (int at = 0; at < 5; at++) {
        wide part = 0;
        for (int first = 0; first < 5; first++)
            part ^= (wide)one.fifths[first] * other.fifths[(at + 5 - first) % 5];
        sum |= part & place << at;
    }
    return sum;
}

INLINE gh_state gh_zero(void) { return (gh_state){0, 0}; }

/* The key is kept times x, so that a product needs no shift; see ghash_clmul.h. */
static void gh_init(gh_key *key, const uint8_t *h, int powers)
{
    uint64_t high = __builtin_bswap64(load_8(h)), low = __builtin_bswap64(load_8(h + 8));
    uint64_t carry = (uint64_t)0 - (high >> 63);
    (void)powers;
    high = (high << 1 | low >> 63) ^ (carry & 0xc200000000000000ULL);
    low = low << 1 ^ (carry & 1);
    key->low = cut(low);
    key->high = cut(high);
    key->both = cut(low ^ high);
}

static gh_state gh_times(const gh_key *key, gh_state state)
{
    wide low = carryless(cut(state.low), key->low), high = carryless(cut(state.high), key->high);
    wide both = carryless(cut(state.low ^ state.high), key->both) ^ low ^ high;
    uint64_t v0 = (uint64_t)low, v1 = (uint64_t)(low >> 64) ^ (uint64_t)both;
    uint64_t v2 = (uint64_t)high ^ (uint64_t)(both >> 64), v3 = (uint64_t)(high >> 64);
    v2 ^= v0 ^ v0 >> 1 ^ v0 >> 2 ^ v0 >> 7;
    v1 ^= v0 << 63 ^ v0 << 62 ^ v0 << 57;
    v3 ^= v1 ^ v1 >> 1 ^ v1 >> 2 ^ v1 >> 7;
    v2 ^= v1 << 63 ^ v1 << 62 ^ v1 << 57;
    return (gh_state){v3, v2};
}

INLINE gh_state gh_block(const gh_key *key, gh_state state, block one)
{
    state.high ^= __builtin_bswap64(one[0]);
    state.low ^= __builtin_bswap64(one[1]);
    return gh_times(key, state);
}

static gh_state gh_blocks(const gh_key *key, int powers, gh_state state, const uint8_t *bytes, size_t count)
{
    (void)powers;
    for (size_t at = 0; at < count; at++)
        state = gh_block(key, state, load_block(bytes + 16 * at));
    return state;
}

static gh_state gh_last(const gh_key *key, int powers, gh_state state, const uint8_t *bytes, size_t count,
                        const block *tail, block lengths)
{
    state = gh_blocks(key, powers, state, bytes, count);
    if (tail)
        state = gh_block(key, state, *tail);
    return gh_block(key, state, lengths);
}

INLINE block gh_out(gh_state state)
{
    return (block){__builtin_bswap64(state.high), __builtin_bswap64(state.low)};
}

#define PATH(name) name##_portable
#define LANES 128
#define ECB_STEP 128
#include "rows.h"
