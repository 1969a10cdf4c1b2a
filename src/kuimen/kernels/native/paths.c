/* Which path seals: the best of this processor that gives the answers of the standards. */
#include "native.h"

#include "cipher.h"

typedef struct {
    const char *name;
    rows_function rows;
    const char *state; /* "ready", or why it is not used */
} path;

static const char READY[] = "ready";
static const char ABSENT[] = "not on this processor";
static const char FAILED[] = "failed its known answers";

/* The best first. */
static path paths[] = {
#if KUIMEN_X86
    {"gfni", kuimen_rows_gfni, ABSENT},
    {"vaes", kuimen_rows_vaes, ABSENT},
    {"aesni", kuimen_rows_aesni, ABSENT},
#endif
    {"portable", kuimen_rows_portable, ABSENT},
};

enum { PATHS = sizeof paths / sizeof paths[0] };

static const path *chosen;

static int is_here(const path *one)
{
#if KUIMEN_X86
    if (one->rows == kuimen_rows_portable)
        return 1;
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("aes") || !__builtin_cpu_supports("pclmul"))
        return 0;
    if (one->rows == kuimen_rows_vaes)
        return __builtin_cpu_supports("vaes") != 0;
#if !defined(KUIMEN_EMULATE_GFNI)
    if (one->rows == kuimen_rows_gfni)
        return __builtin_cpu_supports("gfni") != 0;
#endif
#endif
    (void)one;
    return 1;
}

typedef struct {
    int suite;
    size_t size;
    uint8_t key[32], nonce[12], text[64], sealed[64 + TAG];
} answer;

/* Both have this associated data. */
static const uint8_t ASSOCIATED[20] = {0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
                                       0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2};

static const answer answers[] = {
    {/* RFC 8998, A.1 */
     SM4_GCM,
     64,
     {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10},
     {0x00, 0x00, 0x12, 0x34, 0x56, 0x78, 0x00, 0x00, 0x00, 0x00, 0xab, 0xcd},
     {0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb,
      0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xdd, 0xdd, 0xdd, 0xdd, 0xdd, 0xdd, 0xdd, 0xdd,
      0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa},
     {0x17, 0xf3, 0x99, 0xf0, 0x8c, 0x67, 0xd5, 0xee, 0x19, 0xd0, 0xdc, 0x99, 0x69, 0xc4, 0xbb, 0x7d,
      0x5f, 0xd4, 0x6f, 0xd3, 0x75, 0x64, 0x89, 0x06, 0x91, 0x57, 0xb2, 0x82, 0xbb, 0x20, 0x07, 0x35,
      0xd8, 0x27, 0x10, 0xca, 0x5c, 0x22, 0xf0, 0xcc, 0xfa, 0x7c, 0xbf, 0x93, 0xd4, 0x96, 0xac, 0x15,
      0xa5, 0x68, 0x34, 0xcb, 0xcf, 0x98, 0xc3, 0x97, 0xb4, 0x02, 0x4a, 0x26, 0x91, 0x23, 0x3b, 0x8d,
      0x83, 0xde, 0x35, 0x41, 0xe4, 0xc2, 0xb5, 0x81, 0x77, 0xe0, 0x65, 0xa9, 0xbf, 0x7b, 0x62, 0xec}},
    {/* McGrew and Viega, The Galois/Counter Mode of Operation, test case 16 */
     AES_256_GCM,
     60,
     {0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08,
      0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08},
     {0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88},
     {0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5, 0xa5, 0x59, 0x09, 0xc5, 0xaf, 0xf5, 0x26, 0x9a,
      0x86, 0xa7, 0xa9, 0x53, 0x15, 0x34, 0xf7, 0xda, 0x2e, 0x4c, 0x30, 0x3d, 0x8a, 0x31, 0x8a, 0x72,
      0x1c, 0x3c, 0x0c, 0x95, 0x95, 0x68, 0x09, 0x53, 0x2f, 0xcf, 0x0e, 0x24, 0x49, 0xa6, 0xb5, 0x25,
      0xb1, 0x6a, 0xed, 0xf5, 0xaa, 0x0d, 0xe6, 0x57, 0xba, 0x63, 0x7b, 0x39},
     {0x52, 0x2d, 0xc1, 0xf0, 0x99, 0x56, 0x7d, 0x07, 0xf4, 0x7f, 0x37, 0xa3, 0x2a, 0x84, 0x42, 0x7d,
      0x64, 0x3a, 0x8c, 0xdc, 0xbf, 0xe5, 0xc0, 0xc9, 0x75, 0x98, 0xa2, 0xbd, 0x25, 0x55, 0xd1, 0xaa,
      0x8c, 0xb0, 0x8e, 0x48, 0x59, 0x0d, 0xbb, 0x3d, 0xa7, 0xb0, 0x8b, 0x10, 0x56, 0x82, 0x88, 0x38,
      0xc5, 0xf6, 0x1e, 0x63, 0x93, 0xba, 0x7a, 0x0a, 0xbc, 0xc9, 0xf6, 0x62,
      0x76, 0xfc, 0x6e, 0xce, 0x0f, 0x4e, 0x17, 0x68, 0xcd, 0xdf, 0x88, 0x53, 0xbb, 0x2d, 0x55, 0x1b}},
};

/* More rows than lanes of the narrow paths, so that every lane is tried. */
enum { ROWS_TRIED = 9, LARGEST_TRIED = 64 + OVERHEAD };

/* One column of the same value; `keyed` gives every row its key. Returns whether all rows are as they must be. */
static int tries(rows_function rows, const answer *known, int keyed, int opening, int broken)
{
    uint8_t in[ROWS_TRIED * LARGEST_TRIED], out[ROWS_TRIED * LARGEST_TRIED], keys[ROWS_TRIED * 32];
    uint8_t nonces[ROWS_TRIED * NONCE], verdicts[ROWS_TRIED] = {0}, sealed[LARGEST_TRIED], wanted[64];
    int32_t in_offsets[ROWS_TRIED + 1], out_offsets[ROWS_TRIED + 1], key_offsets[ROWS_TRIED + 1];
    const size_t sealed_size = known->size + OVERHEAD;
    const size_t in_size = opening ? sealed_size : known->size, out_size = opening ? known->size : sealed_size;

    memcpy(sealed, ASSOCIATED, PREFIX);
    memcpy(sealed + PREFIX, known->nonce, NONCE);
    memcpy(sealed + HEADER, known->sealed, known->size + TAG);
    for (int row = 0; row < ROWS_TRIED; row++) {
        memcpy(in + in_size * (size_t)row, opening ? sealed : known->text, in_size);
        memcpy(keys + key_size(known->suite) * (size_t)row, known->key, key_size(known->suite));
        memcpy(nonces + NONCE * row, known->nonce, NONCE);
    }
    for (int row = 0; row <= ROWS_TRIED; row++) {
        in_offsets[row] = (int32_t)in_size * row;
        out_offsets[row] = (int32_t)out_size * row;
        key_offsets[row] = (int32_t)key_size(known->suite) * row;
    }
    if (broken)
        in[in_size * ROWS_TRIED - 1] ^= 1;
    const column values = {.data = in, .offsets = in_offsets, .data_size = sizeof in, .rows = ROWS_TRIED};
    const column row_keys = {.data = keys, .offsets = key_offsets, .data_size = sizeof keys, .rows = ROWS_TRIED};
    const job work = {.suite = known->suite,
                      .opening = opening,
                      .key = known->key,
                      .head = ASSOCIATED,
                      .nonces = nonces,
                      .head_size = sizeof ASSOCIATED,
                      .values = &values,
                      .row_keys = keyed ? &row_keys : NULL,
                      .out_offsets = out_offsets,
                      .out = out,
                      .verdicts = verdicts};
    if (rows(&work, 0, ROWS_TRIED) != 0)
        return 0;
    memset(wanted, 0, sizeof wanted);
    for (int row = 0; row < ROWS_TRIED; row++) {
        const int last = row == ROWS_TRIED - 1 && broken;
        const uint8_t *expected = last ? wanted : opening ? known->text : sealed;
        if (memcmp(out + out_size * (size_t)row, expected, out_size) != 0)
            return 0;
        if ((verdicts[row] == ROW_BROKEN) != last)
            return 0;
    }
    return 1;
}

static int answers_well(rows_function rows)
{
    for (size_t at = 0; at < sizeof answers / sizeof answers[0]; at++)
        for (int keyed = 0; keyed < 2; keyed++)
            if (!tries(rows, &answers[at], keyed, 0, 0) || !tries(rows, &answers[at], keyed, 1, 0) ||
                !tries(rows, &answers[at], keyed, 1, 1))
                return 0;
    return 1;
}

void kuimen_try_paths(void)
{
    if (chosen)
        return;
    for (size_t at = 0; at < PATHS; at++) {
        if (is_here(&paths[at]))
            paths[at].state = answers_well(paths[at].rows) ? READY : FAILED;
        if (chosen == NULL && paths[at].state == READY)
            chosen = &paths[at];
    }
}

rows_function kuimen_path_named(const char *name)
{
    if (name == NULL)
        return chosen ? chosen->rows : NULL;
    for (size_t at = 0; at < PATHS; at++)
        if (strcmp(paths[at].name, name) == 0 && paths[at].state == READY)
            return paths[at].rows;
    return NULL;
}

static PyObject *cipher_paths(PyObject *module, PyObject *nothing)
{
    PyObject *states = PyList_New(0);
    (void)module, (void)nothing;
    for (size_t at = 0; states && at < PATHS; at++) {
        PyObject *pair = Py_BuildValue("(ss)", paths[at].name, paths[at].state);
        if (pair == NULL || PyList_Append(states, pair) < 0)
            Py_CLEAR(states);
        Py_XDECREF(pair);
    }
    return states;
}

PyMethodDef kuimen_paths_methods[] = {
    {"cipher_paths", cipher_paths, METH_NOARGS, "Name and state of every path, the best first."},
    {NULL, NULL, 0, NULL},
};
