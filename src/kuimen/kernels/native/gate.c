/* Where in a text a name may begin: the accelerator of `possible_places` in kernels/detection/names/gate.py.
 *
 * Python hands over what single letters add by where they stand, the words that count, and the weights; the sum is
 * taken in the order of `score`, so that both say the same of every place.
 */
#include "native.h"

#include "places.h"

#include <string.h>

#define GATE "kuimen.kernels.native.gate"
#define LETTERS 65536
#define WEIGHTS 24
enum { SURNAME = 1, SOUND = 2, STARTER = 4 };
enum { KNOWN = 1, EVERYDAY = 2, COMPOUND = 4 };
typedef struct {
    uint64_t key; /* two or three letters, 0 when free */
    uint64_t marks;
} Word;
typedef struct {
    uint8_t kinds[LETTERS];
    double first[LETTERS], second[LETTERS], third[LETTERS], fourth[LETTERS], before[LETTERS];
    double weights[WEIGHTS], threshold;
    uint64_t mask;
    Word *words;
} Gate;

static void free_gate(Gate *g) {
    if (!g) return;
    PyMem_Free(g->words);
    PyMem_Free(g);
}
static void drop_gate(PyObject *capsule) { free_gate(PyCapsule_GetPointer(capsule, GATE)); }

static Word *word_of(const Gate *g, uint64_t key) {
    uint64_t at = key ^ key >> 31;
    at *= 0x9e3779b97f4a7c15ULL;
    at = (at ^ at >> 29) & g->mask;
    while (g->words[at].key && g->words[at].key != key) at = (at + 1) & g->mask;
    return &g->words[at];
}
static uint64_t two(const Gate *g, uint32_t a, uint32_t b) { return word_of(g, (uint64_t)a << 21 | b)->marks; }
static uint64_t three(const Gate *g, uint32_t a, uint32_t b, uint32_t c) {
    return word_of(g, (uint64_t)a << 42 | (uint64_t)b << 21 | c)->marks;
}

static Gate *made_ready(const Py_buffer *kinds, const Py_buffer *added, const Py_buffer *words, const Py_buffer *weights) {
    if (kinds->len != LETTERS || added->len != 5 * LETTERS * 8 || weights->len != WEIGHTS * 8 || words->len % 16) {
        PyErr_SetString(PyExc_ValueError, "gate: a table has another size");
        return NULL;
    }
    size_t count = (size_t)words->len / sizeof(Word), slots = 1024;
    while (slots < count * 2 + 1) slots *= 2;
    Gate *g = PyMem_Calloc(1, sizeof *g);
    if (g) g->words = PyMem_Calloc(slots, sizeof(Word));
    if (!g || !g->words) {
        free_gate(g);
        PyErr_NoMemory();
        return NULL;
    }
    g->mask = slots - 1;
    memcpy(g->kinds, kinds->buf, LETTERS);
    memcpy(g->first, added->buf, 5 * LETTERS * 8); /* the five tables follow each other */
    memcpy(g->weights, weights->buf, WEIGHTS * 8);
    const Word *given = words->buf;
    for (size_t n = 0; n < count; n++) {
        Word *word = word_of(g, given[n].key);
        word->key = given[n].key;
        word->marks |= given[n].marks;
    }
    return g;
}

static PyObject *gate_new(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer kinds, added, words, weights;
    double threshold;
    if (!PyArg_ParseTuple(args, "y*y*y*y*d", &kinds, &added, &words, &weights, &threshold)) return NULL;
    Gate *g = made_ready(&kinds, &added, &words, &weights);
    PyBuffer_Release(&kinds);
    PyBuffer_Release(&added);
    PyBuffer_Release(&words);
    PyBuffer_Release(&weights);
    if (!g) return NULL;
    g->threshold = threshold;
    PyObject *capsule = PyCapsule_New(g, GATE, drop_gate);
    if (!capsule) free_gate(g);
    return capsule;
}

static int is_han(uint32_t c) { return (c >= 0x3400 && c <= 0x9fff) || (c >= 0x20000 && c <= 0x3ffff); }
static uint8_t kind_of(const Gate *g, uint32_t c) { return c < LETTERS ? g->kinds[c] : 0; }
static double add_of(const double *table, uint32_t c) { return c < LETTERS ? table[c] : 0.0; }
#define ADD(mark, weight) ((mark) ? g->weights[weight] : 0.0)

/* The letter before a place and four from it on; `pair` and `entering` are the marks of the first two pairs. */
static double score(const Gate *g, const uint32_t c[5], uint64_t pair, uint64_t entering) {
    uint64_t inside = three(g, c[1], c[2], c[3]), around = three(g, c[0], c[1], c[2]);
    double total = add_of(g->first, c[1]) + add_of(g->second, c[2]) + add_of(g->third, c[3]);
    total += add_of(g->fourth, c[4]) + add_of(g->before, c[0]);
    total += ADD(pair & COMPOUND, 3) + ADD(pair & KNOWN, 8) + ADD(entering & KNOWN, 9);
    total += ADD(two(g, c[2], c[3]) & KNOWN, 10) + ADD(two(g, c[3], c[4]) & KNOWN, 11);
    total += ADD(inside & KNOWN, 12) + ADD(around & KNOWN, 13);
    if (kind_of(g, c[1]) & SOUND) {
        total += ADD(kind_of(g, c[0]) & SOUND, 19);
        if (kind_of(g, c[2]) & SOUND) total += g->weights[17] + ADD(kind_of(g, c[3]) & SOUND, 18);
    }
    total += ADD(pair & EVERYDAY, 20) + ADD(entering & EVERYDAY, 21);
    return (inside | around) & EVERYDAY ? total + g->weights[22] : total;
}

static PyObject *gate_places(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule, *text;
    if (!PyArg_ParseTuple(args, "OS", &capsule, &text)) return NULL;
    const Gate *g = PyCapsule_GetPointer(capsule, GATE);
    if (!g) return NULL;
    const char *bytes = PyBytes_AsString(text);
    Py_ssize_t size = PyBytes_Size(text) / 4;
    Places found = {0};
    int failed = 0;
    for (Py_ssize_t i = 0; i + 1 < size && !failed; i++) {
        uint32_t c[5] = {'\n', 0, 0, '\n', '\n'};
        memcpy(&c[1], bytes + 4 * i, 8);
        uint8_t kind = kind_of(g, c[1]);
        if (!(kind & STARTER) || !is_han(c[2])) continue;
        uint64_t pair = two(g, c[1], c[2]);
        if (!(kind & SURNAME) && !(pair & COMPOUND) && !(kind_of(g, c[2]) & SOUND)) continue;
        if (i) memcpy(&c[0], bytes + 4 * (i - 1), 4);
        uint64_t entering = two(g, c[0], c[1]);
        if (pair & EVERYDAY && entering & EVERYDAY) continue;
        for (int n = 3; n < 5 && i + n - 1 < size; n++) {
            memcpy(&c[n], bytes + 4 * (i + n - 1), 4);
            if (c[n] == '\n') break; /* the next line is another record */
        }
        if (score(g, c, pair, entering) >= g->threshold) failed = put_place(&found, i) < 0;
    }
    return as_bytes(&found, failed);
}

PyMethodDef kuimen_gate_methods[] = {
    {"gate_new", gate_new, METH_VARARGS, "gate_new(kinds, added, words, weights, threshold): the gate made ready."},
    {"gate_places", gate_places, METH_VARARGS,
     "gate_places(gate, text): places of UTF-32 text where a name may begin, as int64."},
    {NULL, NULL, 0, NULL},
};
