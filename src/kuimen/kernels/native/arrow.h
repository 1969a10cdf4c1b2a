/* Arrow columns as Python hands them over: (validity or None, offsets, data or None, start, rows, wide). */
#ifndef KUIMEN_ARROW_H
#define KUIMEN_ARROW_H

#include "native.h"

#include "cipher.h"

typedef struct {
    column view;
    Py_buffer validity, offsets, data;
} held_column;

/* Takes a column in and checks that its buffers are as long as its rows need. -1 with an error set. */
int kuimen_hold(PyObject *parts, held_column *into);
void kuimen_let_go(held_column *held);

/* Whether the bytes of a row lie within the data; the offsets come from elsewhere and are believed row by row. */
INLINE int row_is_sound(const column *from, int64_t row)
{
    int64_t begin = column_begin(from, row), end = column_begin(from, row + 1);
    return begin >= 0 && begin <= end && (uint64_t)end <= from->data_size;
}

#endif
