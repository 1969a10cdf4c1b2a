/* HMAC-SM3 of whole columns under one key: eight rows at once, one in each 32-bit lane. Written with the compiler's
 * vectors, so that it runs everywhere; on x86-64 it is compiled twice, once for AVX2. */
#include "arrow.h"

enum { BLOCK_BYTES = 64, DIGEST_BYTES = 32, ROWS_AT_ONCE = 8 };

typedef uint32_t eight __attribute__((vector_size(32)));

typedef struct {
    uint32_t word[8];
} state;

static const state START = {
    {0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e}};

#define TURN(value, places) ((value) << ((places) % 32) | (value) >> (32 - (places) % 32))
#define P0(x) ((x) ^ TURN(x, 9) ^ TURN(x, 17))
#define P1(x) ((x) ^ TURN(x, 15) ^ TURN(x, 23))

/* GB/T 32905-2016, 5.3: one block into the state, for any type with the operators of uint32_t. */
#define COMPRESS(type, v, w)                                                                                           \
    do {                                                                                                               \
        type a = v[0], b = v[1], c = v[2], d = v[3], e = v[4], f = v[5], g = v[6], h = v[7];                           \
        for (int at = 16; at < 68; at++) {                                                                             \
            type x = w[at - 16] ^ w[at - 9] ^ TURN(w[at - 3], 15);                                                     \
            w[at] = P1(x) ^ TURN(w[at - 13], 7) ^ w[at - 6];                                                           \
        }                                                                                                              \
        for (int round = 0; round < 64; round++) {                                                                     \
            const uint32_t constant = round < 16 ? 0x79cc4519u : 0x7a879d8au;                                          \
            const uint32_t turned = round % 32 ? constant << round % 32 | constant >> (32 - round % 32) : constant;    \
            type a12 = TURN(a, 12), sum = a12 + e + turned, s1 = TURN(sum, 7), s2 = s1 ^ a12;                          \
            type first = round < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);                                         \
            type second = round < 16 ? e ^ f ^ g : (e & f) | (~e & g);                                                 \
            type t1 = first + d + s2 + (w[round] ^ w[round + 4]), t2 = second + h + s1 + w[round];                     \
            d = c, c = TURN(b, 9), b = a, a = t1;                                                                      \
            h = g, g = TURN(f, 19), f = e, e = P0(t2);                                                                 \
        }                                                                                                              \
        v[0] ^= a, v[1] ^= b, v[2] ^= c, v[3] ^= d, v[4] ^= e, v[5] ^= f, v[6] ^= g, v[7] ^= h;                        \
    } while (0)

static void compress_one(state *now, const uint8_t *bytes)
{
    uint32_t w[68];
    for (int at = 0; at < 16; at++)
        w[at] = __builtin_bswap32(load_4(bytes + 4 * at));
    COMPRESS(uint32_t, now->word, w);
    kuimen_wipe(w, sizeof w);
}

typedef struct {
    state inner, outer;
} keyed;

/* A message of any length behind the inner block; writes the tag. */
static void mac_one(const keyed *key, const uint8_t *bytes, size_t size, uint8_t *tag)
{
    state now = key->inner;
    uint8_t last[2 * BLOCK_BYTES] = {0};
    size_t whole = size / BLOCK_BYTES, rest = size % BLOCK_BYTES;
    for (size_t at = 0; at < whole; at++)
        compress_one(&now, bytes + BLOCK_BYTES * at);
    if (rest)
        memcpy(last, bytes + BLOCK_BYTES * whole, rest);
    last[rest] = 0x80;
    size_t end = rest < BLOCK_BYTES - 8 ? BLOCK_BYTES : 2 * BLOCK_BYTES;
    store_8(last + end - 8, __builtin_bswap64(((uint64_t)size + BLOCK_BYTES) * 8));
    for (size_t at = 0; at < end; at += BLOCK_BYTES)
        compress_one(&now, last + at);
    memset(last, 0, sizeof last);
    for (int at = 0; at < 8; at++)
        store_4(last + 4 * at, __builtin_bswap32(now.word[at]));
    last[DIGEST_BYTES] = 0x80;
    store_8(last + BLOCK_BYTES - 8, __builtin_bswap64((BLOCK_BYTES + DIGEST_BYTES) * 8));
    now = key->outer;
    compress_one(&now, last);
    for (int at = 0; at < 8; at++)
        store_4(tag + 4 * at, __builtin_bswap32(now.word[at]));
    kuimen_wipe(last, sizeof last);
    kuimen_wipe(&now, sizeof now);
}

enum { MOST_IN_ONE_BLOCK = BLOCK_BYTES - 9 };

/* Eight messages of one block each: w[16] words of eight rows. */
#define MACS_OF_EIGHT                                                                                                  \
    eight v[8], w[68];                                                                                                 \
    for (int at = 0; at < 16; at++)                                                                                    \
        for (int lane = 0; lane < ROWS_AT_ONCE; lane++)                                                                \
            w[at][lane] = __builtin_bswap32(load_4(messages[lane] + 4 * at));                                          \
    for (int at = 0; at < 8; at++)                                                                                     \
        v[at] = (eight){0} + key->inner.word[at];                                                                      \
    COMPRESS(eight, v, w);                                                                                             \
    for (int at = 0; at < 8; at++) {                                                                                   \
        w[at] = v[at];                                                                                                 \
        w[at + 8] = (eight){0};                                                                                        \
    }                                                                                                                  \
    w[8] += 0x80000000u;                                                                                               \
    w[15] += (BLOCK_BYTES + DIGEST_BYTES) * 8;                                                                         \
    for (int at = 0; at < 8; at++)                                                                                     \
        v[at] = (eight){0} + key->outer.word[at];                                                                      \
    COMPRESS(eight, v, w);                                                                                             \
    for (int at = 0; at < 8; at++)                                                                                     \
        for (int lane = 0; lane < ROWS_AT_ONCE; lane++)                                                                \
            store_4(tags[lane] + 4 * at, __builtin_bswap32(v[at][lane]));                                              \
    kuimen_wipe(w, sizeof w);

typedef void (*eight_function)(const keyed *key, uint8_t messages[8][64], uint8_t tags[8][32]);

static void macs_portable(const keyed *key, uint8_t messages[8][64], uint8_t tags[8][32]) { MACS_OF_EIGHT }

#if KUIMEN_X86
__attribute__((target("avx2"))) static void macs_avx2(const keyed *key, uint8_t messages[8][64], uint8_t tags[8][32])
{
    MACS_OF_EIGHT
}
#endif

static eight_function eight_here(void)
{
#if KUIMEN_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2"))
        return macs_avx2;
#endif
    return macs_portable;
}

static void make_key(keyed *key, const uint8_t *block)
{
    uint8_t padded[BLOCK_BYTES];
    for (int at = 0; at < BLOCK_BYTES; at++)
        padded[at] = block[at] ^ 0x36;
    key->inner = START;
    compress_one(&key->inner, padded);
    for (int at = 0; at < BLOCK_BYTES; at++)
        padded[at] = block[at] ^ 0x5c;
    key->outer = START;
    compress_one(&key->outer, padded);
    kuimen_wipe(padded, sizeof padded);
}

typedef struct {
    uint8_t messages[ROWS_AT_ONCE][BLOCK_BYTES], tags[ROWS_AT_ONCE][DIGEST_BYTES];
    int64_t rows[ROWS_AT_ONCE];
} lanes;

static void flush(const keyed *key, eight_function run, lanes *held, int count, uint8_t *out, size_t width)
{
    run(key, held->messages, held->tags);
    for (int lane = 0; lane < count; lane++)
        memcpy(out + width * (size_t)held->rows[lane], held->tags[lane], width);
}

/* Tags of all rows, `width` bytes each; those of null rows are zeros. */
static int tag_rows(const column *values, const uint8_t *block, uint8_t *out, size_t width)
{
    keyed key;
    lanes held = {0};
    eight_function run = eight_here();
    int count = 0, sound = 1;
    make_key(&key, block);
    for (int64_t row = 0; sound && row < values->rows; row++) {
        sound = row_is_sound(values, row);
        if (!sound || !column_valid(values, row)) {
            memset(out + width * (size_t)row, 0, width);
            continue;
        }
        const uint8_t *bytes = column_bytes(values, row);
        size_t size = column_size(values, row);
        if (size > MOST_IN_ONE_BLOCK) {
            uint8_t tag[DIGEST_BYTES];
            mac_one(&key, bytes, size, tag);
            memcpy(out + width * (size_t)row, tag, width);
            continue;
        }
        uint8_t *message = held.messages[count];
        memset(message, 0, BLOCK_BYTES);
        for (size_t at = 0; at < size / 16 * 16; at += 16)
            store_block(message + at, load_block(bytes + at));
        store_block(message + size / 16 * 16, load_part(bytes + size / 16 * 16, size % 16));
        message[size] = 0x80;
        store_8(message + BLOCK_BYTES - 8, __builtin_bswap64(((uint64_t)size + BLOCK_BYTES) * 8));
        held.rows[count++] = row;
        if (count == ROWS_AT_ONCE) {
            flush(&key, run, &held, count, out, width);
            count = 0;
        }
    }
    if (count)
        flush(&key, run, &held, count, out, width);
    kuimen_wipe(&key, sizeof key);
    kuimen_wipe(&held, sizeof held);
    return sound;
}

static PyObject *hmac_sm3(PyObject *module, PyObject *arguments)
{
    Py_buffer block, out;
    PyObject *parts;
    held_column held;
    Py_ssize_t width;
    int sound = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y*Ow*n", &block, &parts, &out, &width))
        return NULL;
    if (kuimen_hold(parts, &held) < 0) {
        PyBuffer_Release(&block);
        PyBuffer_Release(&out);
        return NULL;
    }
    int fits = block.len == BLOCK_BYTES && width > 0 && width <= DIGEST_BYTES && out.len / width >= held.view.rows;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS;
        sound = tag_rows(&held.view, block.buf, out.buf, (size_t)width);
        Py_END_ALLOW_THREADS;
    }
    PyBuffer_Release(&block);
    PyBuffer_Release(&out);
    kuimen_let_go(&held);
    if (!fits || !sound) {
        PyErr_SetString(PyExc_ValueError, "hmac_sm3: a buffer is too small, or an offset points outside of its data");
        return NULL;
    }
    Py_RETURN_NONE;
}

/* GB/T 32905-2016, A.1 through the digest, and one row against eight by HMAC. */
static int answers_well(void)
{
    static const uint8_t digest[DIGEST_BYTES] = {0x66, 0xc7, 0xf0, 0xf4, 0x62, 0xee, 0xed, 0xd9, 0xd1, 0xf2, 0xd4,
                                                 0x6b, 0xdc, 0x10, 0xe4, 0xe2, 0x41, 0x67, 0xc4, 0x87, 0x5c, 0xf2,
                                                 0xf7, 0xa2, 0x29, 0x7d, 0xa0, 0x2b, 0x8f, 0x4b, 0xa8, 0xe0};
    uint8_t block[BLOCK_BYTES] = {'a', 'b', 'c', 0x80}, tag[DIGEST_BYTES], text[ROWS_AT_ONCE] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t tags[ROWS_AT_ONCE * DIGEST_BYTES];
    int32_t offsets[ROWS_AT_ONCE + 1] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    state now = START;
    keyed key;
    block[BLOCK_BYTES - 1] = 24;
    compress_one(&now, block);
    for (int at = 0; at < 8; at++)
        store_4(tag + 4 * at, __builtin_bswap32(now.word[at]));
    if (memcmp(tag, digest, DIGEST_BYTES) != 0)
        return 0;
    const column rows = {.data = text, .offsets = offsets, .data_size = sizeof text, .rows = ROWS_AT_ONCE};
    make_key(&key, block);
    if (!tag_rows(&rows, block, tags, DIGEST_BYTES))
        return 0;
    for (int row = 0; row < ROWS_AT_ONCE; row++) {
        mac_one(&key, text + row, 1, tag);
        if (memcmp(tag, tags + DIGEST_BYTES * row, DIGEST_BYTES) != 0)
            return 0;
    }
    return 1;
}

static PyObject *hmac_sm3_ready(PyObject *module, PyObject *nothing)
{
    (void)module, (void)nothing;
    return PyBool_FromLong(answers_well());
}

PyMethodDef kuimen_sm3_methods[] = {
    {"hmac_sm3", hmac_sm3, METH_VARARGS,
     "hmac_sm3(key block, column, out, width): the first `width` bytes of each row's HMAC-SM3; the key stands in a block "
     "of 64 bytes, as RFC 2104 says."},
    {"hmac_sm3_ready", hmac_sm3_ready, METH_NOARGS, "Whether HMAC-SM3 gives the answers of the standard."},
    {NULL, NULL, 0, NULL},
};
