/* Sealing and opening of columns: what the paths share. The format is in docs/reference/sealed-format.md.
 *
 * A path is one way to run SM4, AES and GHASH. Each has its own source, which includes rows.h for the work on rows.
 * No path looks anything up by a secret: S-boxes are computed (carry-less field arithmetic, AES or GF instructions,
 * or a circuit on bit planes), and so are the key schedules and GHASH. */
#ifndef KUIMEN_CIPHER_H
#define KUIMEN_CIPHER_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the kernels are written for little-endian machines; the package works without them"
#endif

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define KUIMEN_X86 1
#else
#define KUIMEN_X86 0
#endif

#define INLINE static inline __attribute__((always_inline, unused))

enum { SM4_GCM = 1, AES_256_GCM = 2 };
enum { PREFIX = 6, NONCE = 12, HEADER = PREFIX + NONCE, TAG = 16, OVERHEAD = HEADER + TAG };
enum { MARK_AND_VERSION = 0xC1, TEXT_FLAG = 0x80 };
enum { TILE_BLOCKS = 384, LANE_BLOCKS = 16 };

/* What became of a row. */
enum { ROW_SKIPPED = 0, ROW_TEXT = 1, ROW_BYTES = 2, ROW_BROKEN = 3 };

/* One Arrow column of bytes; `start` is the offset of a slice. */
typedef struct {
    const uint8_t *validity, *data;
    const void *offsets;
    size_t data_size;
    int64_t start, rows;
    int wide;
} column;

INLINE int64_t column_begin(const column *from, int64_t row)
{
    return from->wide ? ((const int64_t *)from->offsets)[from->start + row]
                      : ((const int32_t *)from->offsets)[from->start + row];
}

INLINE size_t column_size(const column *from, int64_t row)
{
    return (size_t)(column_begin(from, row + 1) - column_begin(from, row));
}

INLINE const uint8_t *column_bytes(const column *from, int64_t row)
{
    return from->data + column_begin(from, row);
}

INLINE int column_valid(const column *from, int64_t row)
{
    int64_t at = from->start + row;
    return from->validity == NULL || (from->validity[at >> 3] >> (at & 7) & 1);
}

/* One call: a whole column under one key or a key per row. `head` is prefix, length of aad, aad. */
typedef struct {
    int suite, opening;
    const uint8_t *key, *head, *nonces;
    size_t head_size;
    const column *values, *row_aad, *row_keys;
    const uint32_t *key_ids;
    void *out_offsets; /* as wide as those of `values` */
    uint8_t *out, *verdicts;
} job;

INLINE int64_t out_begin(const job *work, int64_t row)
{
    return work->values->wide ? ((const int64_t *)work->out_offsets)[row] : ((const int32_t *)work->out_offsets)[row];
}

/* A path: seals or opens rows [from, to); 0, or -1 where memory or the system's random numbers fail. */
typedef int (*rows_function)(const job *work, int64_t from, int64_t to);

int kuimen_rows_portable(const job *work, int64_t from, int64_t to);
#if KUIMEN_X86
int kuimen_rows_aesni(const job *work, int64_t from, int64_t to);
int kuimen_rows_vaes(const job *work, int64_t from, int64_t to);
int kuimen_rows_gfni(const job *work, int64_t from, int64_t to);
#endif

/* The path of a name, or the best one for NULL; NULL where it is not there or failed its known answers. */
rows_function kuimen_path_named(const char *name);

/* Tries every path on the answers of the standards; called once, when the module is imported. */
void kuimen_try_paths(void);

int kuimen_random(uint8_t *into, size_t size);
void kuimen_wipe(void *what, size_t size);

INLINE size_t key_size(int suite) { return suite == SM4_GCM ? 16 : 32; }

/* 16 bytes as a value; loads and stores of fewer. */
typedef uint64_t block __attribute__((vector_size(16)));

INLINE uint64_t load_8(const uint8_t *from) { uint64_t v; memcpy(&v, from, 8); return v; }
INLINE uint32_t load_4(const uint8_t *from) { uint32_t v; memcpy(&v, from, 4); return v; }
INLINE void store_8(uint8_t *to, uint64_t v) { memcpy(to, &v, 8); }
INLINE void store_4(uint8_t *to, uint32_t v) { memcpy(to, &v, 4); }
INLINE block load_block(const uint8_t *from) { block v; memcpy(&v, from, 16); return v; }
INLINE void store_block(uint8_t *to, block v) { memcpy(to, &v, 16); }

/* The first `size` bytes (0 to 15) of a block, the rest zero. */
INLINE block load_part(const uint8_t *from, size_t size)
{
    uint64_t low = 0, high = 0;
    if (size >= 8) {
        low = load_8(from);
        if (size > 8)
            high = load_8(from + size - 8) >> (8 * (16 - size));
    } else if (size >= 4) {
        low = load_4(from) | (uint64_t)load_4(from + size - 4) << (8 * (size - 4));
    } else if (size) {
        low = from[0] | (uint64_t)from[size / 2] << (8 * (size / 2)) | (uint64_t)from[size - 1] << (8 * (size - 1));
    }
    return (block){low, high};
}

INLINE void store_part(uint8_t *to, block v, size_t size)
{
    if (size >= 8) {
        store_8(to, v[0]);
        for (size_t at = 8; at < size; at++)
            to[at] = (uint8_t)(v[1] >> (8 * (at - 8)));
    } else {
        for (size_t at = 0; at < size; at++)
            to[at] = (uint8_t)(v[0] >> (8 * at));
    }
}

/* All ones in the first `size` bytes (0 to 15). */
INLINE block part_mask(size_t size)
{
    static const uint8_t ones_then_zeros[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                                255, 255, 255, 255, 255, 255, 255, 255};
    return load_block(ones_then_zeros + 16 - size);
}

#endif
