/* Keys before values in folded UTF-8: `password=`, `"mobile" :`, `{\"idNo\":`.
 *
 * The accelerator of `_ASCII_KEY` in kernels/detection/labelled.py; it finds the places that the pattern finds. Whether
 * a key is of interest is asked in Python once per key (`read_key`), then remembered.
 */
#include "native.h"

#include "places.h"

#include <string.h>

#define KEYS "kuimen.kernels.native.keys"
#define LONGEST_KEY 41
#define KEY_SLOTS 16384
typedef struct {
    uint64_t hash;
    uint8_t length, wanted;
    char bytes[LONGEST_KEY];
} KeySlot;
typedef struct {
    KeySlot slots[KEY_SLOTS];
    uint32_t known;
    PyObject *read_key;
} Keys;

static void drop_keys(PyObject *capsule) {
    Keys *k = PyCapsule_GetPointer(capsule, KEYS);
    if (!k) return;
    Py_XDECREF(k->read_key);
    PyMem_Free(k);
}

static PyObject *keys_new(PyObject *module, PyObject *read_key) {
    (void)module;
    Keys *k = PyMem_Calloc(1, sizeof *k);
    if (!k) return PyErr_NoMemory();
    Py_INCREF(read_key);
    k->read_key = read_key;
    PyObject *capsule = PyCapsule_New(k, KEYS, drop_keys);
    if (!capsule) {
        Py_DECREF(read_key);
        PyMem_Free(k);
    }
    return capsule;
}

/* 1 where the values behind this key are looked at, 0 where not, -1 after an error. */
static int is_wanted(Keys *k, const uint8_t *bytes, Py_ssize_t length) {
    uint64_t hash = 1469598103934665603ULL;
    for (Py_ssize_t n = 0; n < length; n++) hash = (hash ^ bytes[n]) * 1099511628211ULL;
    hash ^= hash >> 29;
    uint32_t slot = (uint32_t)hash & (KEY_SLOTS - 1);
    for (; k->slots[slot].length; slot = (slot + 1) & (KEY_SLOTS - 1)) {
        const KeySlot *one = &k->slots[slot];
        if (one->hash == hash && one->length == length && !memcmp(one->bytes, bytes, (size_t)length)) return one->wanted;
    }
    PyObject *answer = PyObject_CallFunction(k->read_key, "y#", (const char *)bytes, length);
    int wanted = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    if (wanted < 0) return -1;
    if (k->known > KEY_SLOTS / 2) {
        memset(k->slots, 0, sizeof k->slots);
        k->known = 0;
        slot = (uint32_t)hash & (KEY_SLOTS - 1);
    }
    KeySlot *one = &k->slots[slot];
    one->hash = hash;
    one->length = (uint8_t)length;
    one->wanted = (uint8_t)wanted;
    memcpy(one->bytes, bytes, (size_t)length);
    k->known++;
    return wanted;
}

static int is_word(uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
}
static int is_letter(uint8_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static int is_blank(uint8_t c) { return c == ' ' || c == '\t'; }

/* First byte of the key that ends at `end`, or -1. */
static Py_ssize_t key_before(const uint8_t *t, Py_ssize_t end) {
    Py_ssize_t run = end;
    while (run > 0 && end - run <= LONGEST_KEY && (is_word(t[run - 1]) || t[run - 1] == '-')) run--;
    Py_ssize_t first = end - run > LONGEST_KEY ? end - LONGEST_KEY : run;
    for (Py_ssize_t begin = first; begin + 2 <= end; begin++) {
        if (is_letter(t[begin]) && (begin == 0 || !is_word(t[begin - 1]))) return begin;
    }
    return -1;
}

static Py_ssize_t value_behind(const uint8_t *t, Py_ssize_t size, Py_ssize_t i) {
    for (int n = 0; n < 2 && i < size && is_blank(t[i]); n++) i++;
    for (int n = 0; n < 2 && i < size; n++) {
        Py_ssize_t sign = i + (t[i] == '\\');
        if (sign >= size || !(t[sign] == '"' || t[sign] == '\'' || t[sign] == '[')) break;
        i = sign + 1;
    }
    return i;
}

static PyObject *keys_places(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule, *block;
    if (!PyArg_ParseTuple(args, "OS", &capsule, &block)) return NULL;
    Keys *k = PyCapsule_GetPointer(capsule, KEYS);
    if (!k) return NULL;
    const uint8_t *t = (const uint8_t *)PyBytes_AsString(block);
    Py_ssize_t size = PyBytes_Size(block), position = 0;
    int64_t letters = 0; /* up to `position` */
    Places found = {0};
    int failed = 0;
    for (Py_ssize_t i = 0; i < size && !failed; i++) {
        if (t[i] != ':' && t[i] != '=') continue;
        Py_ssize_t end = i;
        for (int n = 0; n < 2 && end > 0 && is_blank(t[end - 1]); n++) end--;
        if (end > 0 && (t[end - 1] == '"' || t[end - 1] == '\'')) end--;
        if (end > 0 && t[end - 1] == '\\') end--;
        Py_ssize_t begin = key_before(t, end);
        if (begin < 0) continue;
        int wanted = is_wanted(k, t + begin, end - begin);
        failed = wanted < 0;
        if (wanted <= 0) continue;
        Py_ssize_t value = value_behind(t, size, i + 1 + (t[i] == '=' && i + 1 < size && t[i + 1] == '>'));
        for (; position < begin; position++) letters += (t[position] & 0xc0) != 0x80;
        failed = put_place(&found, letters) < 0 || put_place(&found, letters + (end - begin)) < 0 ||
                 put_place(&found, letters + (value - begin)) < 0; /* from key to value all is ASCII */
    }
    return as_bytes(&found, failed);
}

PyMethodDef kuimen_keys_methods[] = {
    {"keys_new", keys_new, METH_O, "keys_new(read_key): asked once per key whether the values behind it are wanted."},
    {"keys_places", keys_places, METH_VARARGS,
     "keys_places(keys, block): begin and end of each wanted key and begin of its value, in letters, as int64."},
    {NULL, NULL, 0, NULL},
};
