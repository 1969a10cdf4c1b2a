/* Masks of the usual shapes, row by row. A rule either writes exactly what mask_value of kernels/masking writes, or
 * leaves the row to it: whatever has separators, full-width signs or another shape is not judged here. */
#include "arrow.h"

enum { LEFT = -1 }; /* left to Python */

/* Writes the mask of `size` (at least 1) bytes and returns its length, at most `size` + MASK_ROOM; or LEFT. */
typedef int64_t (*rule)(const uint8_t *in, size_t size, uint8_t *out);

enum { MASK_ROOM = 8, LONGEST_NAME = 40, LONGEST_TEXT = 400 };

INLINE int is_digit(uint8_t sign) { return sign >= '0' && sign <= '9'; }
INLINE int is_letter(uint8_t sign) { return (sign | 32) >= 'a' && (sign | 32) <= 'z'; }
INLINE int is_hex(uint8_t sign) { return is_digit(sign) || ((sign | 32) >= 'a' && (sign | 32) <= 'f'); }

/* Eight digits: the upper half of each byte is 3, and stays so when 6 is added. */
INLINE int eight_digits(uint64_t eight)
{
    const uint64_t upper = 0xf0f0f0f0f0f0f0f0ULL, threes = 0x3030303030303030ULL;
    return ((eight & upper) == threes) & (((eight + 0x0606060606060606ULL) & upper) == threes);
}

INLINE int all_digits(const uint8_t *in, size_t size)
{
    int are = 1;
    if (size < 8) {
        for (size_t at = 0; at < size; at++)
            are &= is_digit(in[at]);
        return are;
    }
    for (size_t at = 0; at + 8 <= size; at += 8)
        are &= eight_digits(load_8(in + at));
    return are & eight_digits(load_8(in + size - 8));
}

INLINE int all_alphanumeric(const uint8_t *in, size_t size)
{
    int are = 1;
    for (size_t at = 0; at < size; at++)
        are &= is_digit(in[at]) || is_letter(in[at]);
    return are;
}

/* The first `before` and the last `behind` bytes, stars between. */
INLINE int64_t keep_ends(const uint8_t *in, size_t size, uint8_t *out, size_t before, size_t behind)
{
    memset(out, '*', size);
    memcpy(out, in, before);
    memcpy(out + size - behind, in + size - behind, behind);
    return (int64_t)size;
}

INLINE int64_t last_four(const uint8_t *in, size_t size, uint8_t *out)
{
    memcpy(out, "**** ", 5);
    memcpy(out + 5, in + size - 4, 4);
    return 9;
}

static int64_t mask_mobile(const uint8_t *in, size_t size, uint8_t *out)
{
    if (size != 11 || in[0] != '1' || !all_digits(in, 11))
        return LEFT;
    store_8(out, load_8(in));
    store_4(out + 7, load_4(in + 7));
    store_4(out + 3, 0x2a2a2a2a);
    return 11;
}

static int64_t mask_resident_id(const uint8_t *in, size_t size, uint8_t *out)
{
    if (size == 15)
        return all_digits(in, 15) ? keep_ends(in, 15, out, 1, 1) : LEFT;
    if (size != 18 || !all_digits(in, 17) || !(is_digit(in[17]) || (in[17] | 32) == 'x'))
        return LEFT;
    keep_ends(in, 18, out, 1, 1);
    out[17] = in[17] == 'x' ? 'X' : in[17];
    return 18;
}

static int64_t mask_card(const uint8_t *in, size_t size, uint8_t *out)
{
    return size >= 13 && size <= 19 && all_digits(in, size) ? last_four(in, size, out) : LEFT;
}

static int64_t mask_account(const uint8_t *in, size_t size, uint8_t *out)
{
    return size >= 8 && size <= 40 && all_alphanumeric(in, size) ? last_four(in, size, out) : LEFT;
}

static int64_t mask_certificate(const uint8_t *in, size_t size, uint8_t *out)
{
    if (size < 6 || size > 20 || !all_alphanumeric(in, size))
        return LEFT;
    return keep_ends(in, size, out, size >= 9 ? 2 : 1, size >= 9 ? 2 : 1);
}

static int64_t mask_credit_code(const uint8_t *in, size_t size, uint8_t *out)
{
    return size == 18 && all_alphanumeric(in, size) ? keep_ends(in, size, out, 4, 4) : LEFT;
}

static int64_t mask_imei(const uint8_t *in, size_t size, uint8_t *out)
{
    return size == 15 && all_digits(in, size) ? keep_ends(in, size, out, 6, 0) : LEFT;
}

static int64_t mask_landline(const uint8_t *in, size_t size, uint8_t *out)
{
    if (size < 10 || size > 13 || in[0] != '0' || !(is_digit(in[1]) && is_digit(in[2])))
        return LEFT;
    size_t area = in[1] == '2' || (in[1] == '1' && in[2] == '0') ? 3 : in[1] >= '3' && is_digit(in[3]) ? 4 : 0;
    if (area == 0)
        return LEFT;
    const uint8_t *subscriber = in + area + (in[area] == '-');
    size_t digits = size - (size_t)(subscriber - in);
    if ((digits != 7 && digits != 8) || subscriber[0] == '0' || !all_digits(subscriber, digits))
        return LEFT;
    size_t shown = digits == 8 ? 4 : 2;
    memcpy(out, in, area);
    memcpy(out + area, "-****", 5);
    memcpy(out + area + 5, subscriber + digits - shown, shown);
    return (int64_t)(area + 5 + shown);
}

static int64_t mask_email(const uint8_t *in, size_t size, uint8_t *out)
{
    size_t local = 0;
    while (local < size && in[local] > ' ' && in[local] < 0x7f && in[local] != '@')
        local++;
    size_t domain = size - local - 1;
    if (local == 0 || local > 64 || local >= size || in[local] != '@' || domain == 0 || domain > 254)
        return LEFT;
    for (size_t at = local + 1; at < size; at++) {
        int inner = at > local + 1 && (in[at] == '.' || in[at] == '-');
        if (!inner && !is_digit(in[at]) && !is_letter(in[at]))
            return LEFT;
    }
    size_t kept = local / 2 < 3 ? local / 2 : 3;
    memcpy(out, in, kept);
    memcpy(out + kept, "***@", 4);
    memcpy(out + kept + 4, in + local + 1, domain);
    return (int64_t)(kept + 4 + domain);
}

static int64_t mask_birth_date(const uint8_t *in, size_t size, uint8_t *out)
{
    if (size != 8 && !(size == 10 && in[4] == '-' && in[7] == '-'))
        return LEFT;
    if (!((in[0] == '1' && in[1] == '9') || (in[0] == '2' && in[1] == '0')) || !all_digits(in, 4))
        return LEFT;
    if (size == 8 ? !all_digits(in + 4, 4) : !(all_digits(in + 5, 2) && all_digits(in + 8, 2)))
        return LEFT;
    memcpy(out, in, 4);
    memcpy(out + 4, "-**-**", 6);
    return 10;
}

static int64_t mask_ip(const uint8_t *in, size_t size, uint8_t *out)
{
    size_t begin = 0, dots = 0;
    if (size > 15)
        return LEFT;
    for (size_t at = 0; at <= size; at++) {
        if (at < size && is_digit(in[at]))
            continue;
        if (at < size && in[at] != '.')
            return LEFT;
        size_t digits = at - begin;
        if (digits == 0 || digits > 3 || (digits > 1 && in[begin] == '0'))
            return LEFT;
        if (digits == 3 && (in[begin] - '0') * 100 + (in[begin + 1] - '0') * 10 + in[begin + 2] - '0' > 255)
            return LEFT;
        if (at < size) {
            begin = at + 1;
            dots++;
        }
    }
    if (dots != 3)
        return LEFT;
    memcpy(out, in, begin);
    out[begin] = '*';
    return (int64_t)begin + 1;
}

static int64_t mask_mac(const uint8_t *in, size_t size, uint8_t *out)
{
    if (size != 17)
        return LEFT;
    for (size_t at = 0; at < 17; at++)
        if (at % 3 == 2 ? in[at] != ':' : !is_hex(in[at]))
            return LEFT;
    memcpy(out, in, 8);
    memcpy(out + 8, ":**:**:**", 9);
    return 17;
}

static int64_t mask_expiry(const uint8_t *in, size_t size, uint8_t *out)
{
    if (size > LONGEST_TEXT || in[0] <= ' ' || in[0] >= 0x7f)
        return LEFT;
    memcpy(out, "**/**", 5);
    return 5;
}

/* Han signs U+4E00 to U+9FFF alone, three bytes each. */
static int64_t mask_name(const uint8_t *in, size_t size, uint8_t *out)
{
    if (size % 3 || size > 3 * LONGEST_NAME)
        return LEFT;
    for (size_t at = 0; at < size; at += 3) {
        int begins = (in[at] >= 0xe5 && in[at] <= 0xe9) || (in[at] == 0xe4 && in[at + 1] >= 0xb8);
        if (!begins || (in[at + 1] & 0xc0) != 0x80 || (in[at + 2] & 0xc0) != 0x80)
            return LEFT;
    }
    size_t signs = size / 3;
    if (signs == 1) {
        out[0] = '*';
        return 1;
    }
    memset(out, '*', signs - 1);
    memcpy(out + signs - 1, in + size - 3, 3);
    return (int64_t)signs + 2;
}

static const struct {
    const char *element;
    rule write;
} rules[] = {
    {"person_name", mask_name},    {"resident_id", mask_resident_id},       {"passport", mask_certificate},
    {"mobile", mask_mobile},       {"other_certificate", mask_certificate}, {"landline", mask_landline},
    {"email", mask_email},         {"bank_card", mask_card},                {"account_number", mask_account},
    {"uscc", mask_credit_code},    {"birth_date", mask_birth_date},         {"ip", mask_ip},
    {"mac", mask_mac},             {"imei", mask_imei},                     {"card_expiry", mask_expiry},
};

/* Masks what it can; a row that is left has no bytes and a 1 in `left`. Returns the bytes written, -1 if unsound. */
static int64_t mask_rows(const column *values, rule write, void *offsets, uint8_t *out, uint8_t *left, int64_t *many)
{
    int64_t at = 0;
    for (int64_t row = 0; row < values->rows; row++) {
        if (values->wide)
            ((int64_t *)offsets)[row] = at;
        else
            ((int32_t *)offsets)[row] = (int32_t)at;
        left[row] = 0;
        if (!row_is_sound(values, row))
            return -1;
        if (!column_valid(values, row))
            continue;
        size_t size = column_size(values, row);
        int64_t written = size ? write(column_bytes(values, row), size, out + at) : LEFT;
        if (written == LEFT) {
            left[row] = 1;
            ++*many;
        } else {
            at += written;
        }
    }
    if (values->wide)
        ((int64_t *)offsets)[values->rows] = at;
    else
        ((int32_t *)offsets)[values->rows] = (int32_t)at;
    return at;
}

static PyObject *mask(PyObject *module, PyObject *arguments)
{
    const char *element;
    PyObject *parts;
    held_column held;
    Py_buffer offsets, out, left;
    rule write = NULL;
    int64_t written = -1, many = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "sOw*w*w*", &element, &parts, &offsets, &out, &left))
        return NULL;
    for (size_t at = 0; at < sizeof rules / sizeof rules[0]; at++)
        if (strcmp(rules[at].element, element) == 0)
            write = rules[at].write;
    if (kuimen_hold(parts, &held) == 0) {
        const column *values = &held.view;
        const int64_t width = values->wide ? 8 : 4;
        const uint64_t needed = (uint64_t)(column_begin(values, values->rows) - column_begin(values, 0)) +
                                (uint64_t)values->rows * MASK_ROOM;
        const int fits = offsets.len / width > values->rows && left.len >= values->rows &&
                         (uint64_t)out.len >= needed && (values->wide || needed <= INT32_MAX);
        if (write && fits) {
            Py_BEGIN_ALLOW_THREADS;
            written = mask_rows(values, write, offsets.buf, out.buf, left.buf, &many);
            Py_END_ALLOW_THREADS;
        }
        kuimen_let_go(&held);
        if (written < 0)
            PyErr_SetString(PyExc_ValueError, "mask: no rule here, a buffer too small, or an offset outside of the data");
    }
    PyBuffer_Release(&offsets);
    PyBuffer_Release(&out);
    PyBuffer_Release(&left);
    return written < 0 ? NULL : Py_BuildValue("(LL)", (long long)written, (long long)many);
}

static PyObject *mask_elements(PyObject *module, PyObject *nothing)
{
    (void)module, (void)nothing;
    PyObject *names = PyList_New(0);
    for (size_t at = 0; names && at < sizeof rules / sizeof rules[0]; at++) {
        PyObject *name = PyUnicode_FromString(rules[at].element);
        if (name == NULL || PyList_Append(names, name) < 0)
            Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

PyMethodDef kuimen_masks_methods[] = {
    {"mask", mask, METH_VARARGS,
     "mask(element, column, out_offsets, out, left) -> (bytes written, rows left to Python); `left` has a byte a row."},
    {"mask_elements", mask_elements, METH_NOARGS, "The elements that have a rule here."},
    {NULL, NULL, 0, NULL},
};
