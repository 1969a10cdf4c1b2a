/* Sealing and opening for Python: takes the columns, checks every row before the first byte is written, shares the rows
 * among threads with the GIL released, and says which rows did not open. */
#include "arrow.h"

#include <pthread.h>

enum { MOST_THREADS = 64, FEWEST_ROWS_A_THREAD = 4096 };

typedef struct {
    job work;
    held_column values, row_aad, row_keys;
    Py_buffer key, head, key_ids, out_offsets, out, validity;
} call;

enum { WELL = 0, NO_CONTEXT = 1, NO_KEY = 2, KEY_SIZE = 3, UNSOUND = 4, NO_ROOM = 5, FAILED = 6 };

static void end_call(call *now)
{
    kuimen_let_go(&now->values);
    kuimen_let_go(&now->row_aad);
    kuimen_let_go(&now->row_keys);
    PyBuffer_Release(&now->key);
    PyBuffer_Release(&now->head);
    PyBuffer_Release(&now->key_ids);
    PyBuffer_Release(&now->out_offsets);
    PyBuffer_Release(&now->out);
    PyBuffer_Release(&now->validity);
    free(now->work.verdicts);
    kuimen_wipe(now, sizeof *now);
}

static int refuse(const char *why)
{
    PyErr_SetString(PyExc_ValueError, why);
    return -1;
}

/* arguments: path, suite, key, head, values, row_aad, row_keys, key_ids, out_offsets, out, validity, threads */
static int begin_call(PyObject *arguments, int opening, call *now, rows_function *rows, int *threads)
{
    const char *name;
    PyObject *values, *row_aad, *row_keys, *key_ids, *validity;
    int suite;
    memset(now, 0, sizeof *now);
    if (!PyArg_ParseTuple(arguments, "ziy*y*OOOOw*w*Oi", &name, &suite, &now->key, &now->head, &values, &row_aad,
                          &row_keys, &key_ids, &now->out_offsets, &now->out, &validity, threads))
        return -1;
    if (kuimen_hold(values, &now->values) < 0)
        return -1;
    if (row_aad != Py_None && kuimen_hold(row_aad, &now->row_aad) < 0)
        return -1;
    if (row_keys != Py_None && kuimen_hold(row_keys, &now->row_keys) < 0)
        return -1;
    if (key_ids != Py_None && PyObject_GetBuffer(key_ids, &now->key_ids, PyBUF_SIMPLE) < 0)
        return -1;
    if (validity != Py_None && PyObject_GetBuffer(validity, &now->validity, PyBUF_WRITABLE) < 0)
        return -1;
    const int64_t count = now->values.view.rows;
    const size_t width = now->values.view.wide ? 8 : 4;
    if (suite != SM4_GCM && suite != AES_256_GCM)
        return refuse("suite: not one of this build");
    if (row_keys == Py_None && (size_t)now->key.len != key_size(suite))
        return refuse("key: not as long as the suite needs");
    if (now->head.len < PREFIX)
        return refuse("head: too short");
    if ((row_aad != Py_None && now->row_aad.view.rows != count) ||
        (row_keys != Py_None && now->row_keys.view.rows != count) ||
        (key_ids != Py_None && now->key_ids.len / 4 < count))
        return refuse("rows: not one for each value");
    if ((size_t)now->out_offsets.len / width < (size_t)count + 1 || (validity != Py_None && now->validity.len < (count + 7) / 8))
        return refuse("out: too small");
    *rows = kuimen_path_named(name);
    if (*rows == NULL)
        return refuse("path: not ready on this processor");
    now->work = (job){.suite = suite,
                      .opening = opening,
                      .key = now->key.buf,
                      .head = now->head.buf,
                      .head_size = (size_t)now->head.len,
                      .values = &now->values.view,
                      .row_aad = row_aad == Py_None ? NULL : &now->row_aad.view,
                      .row_keys = row_keys == Py_None ? NULL : &now->row_keys.view,
                      .key_ids = now->key_ids.buf,
                      .out_offsets = now->out_offsets.buf,
                      .out = now->out.buf,
                      .verdicts = calloc((size_t)count + 1, 1)};
    if (now->work.verdicts == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

INLINE int is_sealed_of(const uint8_t *bytes, size_t size, int suite)
{
    return size >= OVERHEAD && bytes[0] == MARK_AND_VERSION && (bytes[1] & ~TEXT_FLAG) == suite;
}

/* What is wrong with the key and the context of a row that holds a value. */
static int fault_of(const job *work, int64_t row)
{
    if (work->row_keys) {
        if (!row_is_sound(work->row_keys, row))
            return UNSOUND;
        if (!column_valid(work->row_keys, row))
            return NO_KEY;
        if (column_size(work->row_keys, row) != key_size(work->suite))
            return KEY_SIZE;
    }
    if (work->row_aad) {
        if (!row_is_sound(work->row_aad, row))
            return UNSOUND;
        if (!column_valid(work->row_aad, row))
            return NO_CONTEXT;
    }
    return WELL;
}

static void set_offset(const job *work, int64_t row, int64_t to)
{
    if (work->values->wide)
        ((int64_t *)work->out_offsets)[row] = to;
    else
        ((int32_t *)work->out_offsets)[row] = (int32_t)to;
}

/* Looks at every row, writes the offsets of the result, and marks what cannot be opened. */
static int survey(const job *work, size_t room, uint8_t *validity, int64_t *position)
{
    const column *values = work->values;
    const int64_t most = values->wide ? INT64_MAX : INT32_MAX;
    int64_t at = 0;
    for (int64_t row = 0; row < values->rows; row++) {
        set_offset(work, row, at);
        *position = row;
        if (!row_is_sound(values, row))
            return UNSOUND;
        if (validity && row % 8 == 0)
            validity[row / 8] = 0;
        if (!column_valid(values, row))
            continue;
        if (validity)
            validity[row / 8] |= (uint8_t)(1 << row % 8);
        size_t size = column_size(values, row);
        int fault = fault_of(work, row);
        if (fault == UNSOUND || (fault && !work->opening))
            return fault;
        if (work->opening && (fault || !is_sealed_of(column_bytes(values, row), size, work->suite))) {
            work->verdicts[row] = ROW_BROKEN;
            continue;
        }
        if (size > INT64_MAX / 4)
            return NO_ROOM;
        at += work->opening ? (int64_t)(size - OVERHEAD) : (int64_t)(size + OVERHEAD);
        if (at > most || (uint64_t)at > room)
            return NO_ROOM;
    }
    set_offset(work, values->rows, at);
    return WELL;
}

typedef struct {
    const job *work;
    rows_function rows;
    int64_t from, to;
    int result;
} share;

static void *run_share(void *given)
{
    share *one = given;
    one->result = one->rows(one->work, one->from, one->to);
    return NULL;
}

static int run(const job *work, rows_function rows, int threads)
{
    share shares[MOST_THREADS];
    pthread_t ids[MOST_THREADS];
    int started[MOST_THREADS] = {0}, failed = 0;
    const int64_t count = work->values->rows;
    int64_t most = count / FEWEST_ROWS_A_THREAD;
    most = most < MOST_THREADS ? most : MOST_THREADS;
    int64_t parts = threads < most ? threads : most;
    parts = parts > 1 ? parts : 1;
    for (int64_t at = 0; at < parts; at++)
        shares[at] = (share){work, rows, count / parts * at, at + 1 == parts ? count : count / parts * (at + 1), 0};
    for (int64_t at = 1; at < parts; at++)
        started[at] = pthread_create(&ids[at], NULL, run_share, &shares[at]) == 0;
    for (int64_t at = 0; at < parts; at++)
        if (!started[at])
            run_share(&shares[at]); /* the first share, and those that the system gave no thread for */
    for (int64_t at = 1; at < parts; at++)
        if (started[at])
            pthread_join(ids[at], NULL);
    for (int64_t at = 0; at < parts; at++)
        failed |= shares[at].result;
    return failed ? FAILED : WELL;
}

static PyObject *verdict_of(int outcome, int64_t position)
{
    if (outcome == UNSOUND) {
        PyErr_SetString(PyExc_ValueError, "column: an offset points outside of its data");
        return NULL;
    }
    if (outcome == NO_ROOM) {
        PyErr_SetString(PyExc_OverflowError, "out: the result does not fit its buffers");
        return NULL;
    }
    if (outcome == FAILED) {
        PyErr_SetString(PyExc_OSError, "the system gave neither memory nor random numbers");
        return NULL;
    }
    return Py_BuildValue("(iL)", outcome, (long long)position);
}

static PyObject *seal(PyObject *module, PyObject *arguments)
{
    call now;
    rows_function rows;
    int threads, outcome;
    int64_t position = -1;
    (void)module;
    if (begin_call(arguments, 0, &now, &rows, &threads) < 0) {
        end_call(&now);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS;
    outcome = survey(&now.work, (size_t)now.out.len, now.validity.buf, &position);
    if (outcome == WELL)
        outcome = run(&now.work, rows, threads);
    Py_END_ALLOW_THREADS;
    end_call(&now);
    return verdict_of(outcome, position);
}

static PyObject *broken_rows(const job *work, uint8_t *validity)
{
    int64_t broken = 0;
    int all_text = 1;
    for (int64_t row = 0; row < work->values->rows; row++) {
        broken += work->verdicts[row] == ROW_BROKEN;
        all_text &= work->verdicts[row] != ROW_BYTES;
    }
    PyObject *positions = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(broken * 8));
    if (positions == NULL)
        return NULL;
    int64_t *next = (int64_t *)(void *)PyBytes_AsString(positions);
    for (int64_t row = 0; row < work->values->rows; row++) {
        if (work->verdicts[row] != ROW_BROKEN)
            continue;
        memcpy(next++, &row, 8);
        if (validity)
            validity[row / 8] &= (uint8_t) ~(1 << row % 8);
    }
    return Py_BuildValue("(NO)", positions, all_text ? Py_True : Py_False);
}

static PyObject *open_(PyObject *module, PyObject *arguments)
{
    call now;
    rows_function rows;
    int threads, outcome;
    int64_t position = -1;
    PyObject *result;
    (void)module;
    if (begin_call(arguments, 1, &now, &rows, &threads) < 0) {
        end_call(&now);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS;
    outcome = survey(&now.work, (size_t)now.out.len, now.validity.buf, &position);
    if (outcome == WELL)
        outcome = run(&now.work, rows, threads);
    Py_END_ALLOW_THREADS;
    result = outcome == WELL ? broken_rows(&now.work, now.validity.buf) : verdict_of(outcome, position);
    end_call(&now);
    return result;
}

PyMethodDef kuimen_seal_methods[] = {
    {"seal", seal, METH_VARARGS,
     "seal(path, suite, key, head, values, row_aad, row_keys, key_ids, out_offsets, out, validity, threads) -> "
     "(fault, position)"},
    {"open", open_, METH_VARARGS,
     "open(path, suite, key, head, values, row_aad, row_keys, None, out_offsets, out, validity, threads) -> "
     "(positions of rows that do not open as 64-bit integers, whether all others were sealed as text)"},
    {NULL, NULL, 0, NULL},
};
