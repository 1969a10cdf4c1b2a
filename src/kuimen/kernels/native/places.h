/* Places found in a text, handed to Python as an array of int64. Include native.h first. */
#ifndef KUIMEN_PLACES_H
#define KUIMEN_PLACES_H

#include <stdint.h>

typedef struct {
    int64_t *items;
    Py_ssize_t count, room;
} Places;

static int put_place(Places *p, int64_t place) {
    if (p->count == p->room) {
        Py_ssize_t room = p->room ? p->room * 2 : 256;
        int64_t *items = PyMem_Realloc(p->items, sizeof(int64_t) * (size_t)room);
        if (!items) {
            PyErr_NoMemory();
            return -1;
        }
        p->items = items;
        p->room = room;
    }
    p->items[p->count++] = place;
    return 0;
}

static PyObject *as_bytes(Places *p, int failed) {
    PyObject *answer =
        failed ? NULL : PyBytes_FromStringAndSize((const char *)p->items, p->count * (Py_ssize_t)sizeof(int64_t));
    PyMem_Free(p->items);
    return answer;
}

#endif
