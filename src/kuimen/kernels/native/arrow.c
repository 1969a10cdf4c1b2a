/* Columns in, and how large they are. */
#include "arrow.h"

static int hold_buffer(PyObject *from, Py_buffer *into)
{
    if (from == Py_None)
        return 0;
    return PyObject_GetBuffer(from, into, PyBUF_SIMPLE);
}

int kuimen_hold(PyObject *parts, held_column *into)
{
    PyObject *validity, *offsets, *data;
    long long start, rows;
    int wide;
    memset(into, 0, sizeof *into);
    if (!PyArg_ParseTuple(parts, "OOOLLp", &validity, &offsets, &data, &start, &rows, &wide))
        return -1;
    if (hold_buffer(validity, &into->validity) < 0 || hold_buffer(offsets, &into->offsets) < 0 ||
        hold_buffer(data, &into->data) < 0) {
        kuimen_let_go(into);
        return -1;
    }
    const uint64_t width = wide ? 8 : 4, held = (uint64_t)into->offsets.len / width;
    const uint64_t bits = (uint64_t)into->validity.len * 8;
    if (start < 0 || rows < 0 || rows > PY_SSIZE_T_MAX / 16 || start > PY_SSIZE_T_MAX / 16 ||
        held < (uint64_t)start + (uint64_t)rows + 1 ||
        (into->validity.buf != NULL && bits < (uint64_t)start + (uint64_t)rows)) {
        kuimen_let_go(into);
        PyErr_SetString(PyExc_ValueError, "column: its buffers are shorter than its rows need");
        return -1;
    }
    into->view = (column){.validity = into->validity.buf,
                          .data = into->data.buf,
                          .offsets = into->offsets.buf,
                          .data_size = (size_t)into->data.len,
                          .start = start,
                          .rows = rows,
                          .wide = wide};
    return 0;
}

void kuimen_let_go(held_column *held)
{
    PyBuffer_Release(&held->validity);
    PyBuffer_Release(&held->offsets);
    PyBuffer_Release(&held->data);
}

static PyObject *measure(PyObject *module, PyObject *arguments)
{
    PyObject *parts;
    long long less;
    held_column held;
    int64_t present = 0, total = 0, longest = 0, unsound = -1;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OL", &parts, &less) || kuimen_hold(parts, &held) < 0)
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    for (int64_t row = 0; row < held.view.rows; row++) {
        if (!row_is_sound(&held.view, row)) {
            unsound = row;
            break;
        }
        if (!column_valid(&held.view, row))
            continue;
        int64_t size = (int64_t)column_size(&held.view, row);
        longest = size > longest ? size : longest;
        total += size > less ? size - less : 0;
        present++;
    }
    Py_END_ALLOW_THREADS;
    kuimen_let_go(&held);
    if (unsound >= 0) {
        PyErr_SetString(PyExc_ValueError, "column: an offset points outside of its data");
        return NULL;
    }
    return Py_BuildValue("(LLL)", (long long)present, (long long)total, (long long)longest);
}

PyMethodDef kuimen_arrow_methods[] = {
    {"measure", measure, METH_VARARGS,
     "measure(column, less) -> (values, bytes, longest): how many rows hold a value, the sum of their sizes with `less` "
     "taken off each, and the largest size."},
    {NULL, NULL, 0, NULL},
};
