/* Numbers of persons in folded UTF-8: one pass over a block, every check and table applied, the words beside judged.
 *
 * This is the accelerator of kernels/detection/numbers.py and identifiers.py and finds what they find; the rules of
 * reading a label stay in Python and are asked once per label (`read_label`), then remembered. What is rare - numbers
 * in groups, permits, tracks, numbers from overseas - is handed back as an event, for Python to look at that place.
 */
#include "native.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Element numbers are positions in the Element enumeration; Python hands them over by name. */
    E_RESIDENT_ID, E_OTHER_CERTIFICATE, E_MOBILE, E_LANDLINE, E_BANK_CARD, E_USCC, E_IMEI, E_EMAIL, E_IP, E_COUNT
};
/* Pieces of evidence, in the order of PIECES in detection/accelerated.py. */
enum {
    P_NONE, P_ID_FORMAT, P_ID_CHECK, P_AREA_PERMIT, P_AREA_PROVINCE, P_AREA_PREFECTURE, P_AREA_COUNTY, P_AREA_FOREIGNER,
    P_MOBILE_SHAPE, P_MOBILE_SEGMENT, P_MOBILE_UNOPENED, P_LUHN_CARD, P_ISSUER_NETWORK, P_ISSUER_UNIONPAY,
    P_ISSUER_ISSUER, P_LANDLINE_SHAPE, P_LANDLINE_AREA, P_USCC_DIGITS, P_USCC_LETTERS, P_USCC_CHECK_WEAK,
    P_USCC_CHECK_STRONG, P_USCC_NO_AREA, P_USCC_AREA, P_USCC_ORGANISATION, P_OLD_ID_FORMAT, P_OLD_AREA_PREFECTURE,
    P_OLD_AREA_COUNTY, P_LUHN_IMEI, P_MAILBOX, P_OCTETS, P_NEGATIVE_LABEL, P_NEGATIVE_ADDRESS, P_AMOUNT, P_BESIDE,
    P_ALONE, P_STATIC_END
};
#define ELEMENTS 64
#define P_LABEL_STRONG 64
#define P_LABEL_WEAK (P_LABEL_STRONG + ELEMENTS)
#define P_LABEL_OTHER (P_LABEL_WEAK + ELEMENTS)
#define P_KEYWORD_LEFT (P_LABEL_OTHER + ELEMENTS)
#define P_KEYWORD_RIGHT (P_KEYWORD_LEFT + ELEMENTS)

#define EVENT_RUN 200
#define EVENT_GROUPED 201
#define EVENT_OVERSEAS 202

#define MOST_PIECES 6
typedef struct {
    int64_t start, end;
    uint16_t pieces[MOST_PIECES];
    uint8_t element; /* number of the Element, or an EVENT */
    int8_t points;
    uint8_t used, kind; /* kind: E_ number */
} Row;

typedef struct {
    uint64_t hash;
    uint32_t length;
    uint16_t code;
    char bytes[58];
} LabelSlot;
#define LABEL_SLOTS 65536
#define LABEL_LONGEST 58
#define CODE_ELEMENT 0xff
#define CODE_MEDIUM 0x100
#define CODE_NEGATIVE 0x200
#define CODE_UNKNOWN 0xffff

typedef struct {
    uint8_t length;
    char bytes[30];
} Word;
typedef struct {
    int count;
    Word *words;
    uint8_t first[256];
} Words;

typedef struct {
    uint32_t key; /* width << 27 | value, 0 when free */
    uint32_t lengths;
} BinSlot;
typedef struct {
    uint32_t digits, first, last, lengths, unionpay;
} Network;
#define MOST_NETWORKS 32

typedef struct {
    uint8_t *divisions;      /* [1000000] rank of an area code */
    uint8_t segments[1000];  /* 1 where opened */
    uint8_t provinces[100];
    uint8_t areas3[1000], areas4[10000];
    uint32_t *reserved;      /* seven-digit segments */
    Py_ssize_t n_reserved;
    uint32_t *reserved_bins; /* six digits */
    Py_ssize_t n_reserved_bins;
    BinSlot *bins;
    uint32_t bin_mask;
    Network networks[MOST_NETWORKS];
    int n_networks;
    uint8_t element_of[E_COUNT];
    int8_t points[P_STATIC_END]; /* of each piece */
    uint8_t family[ELEMENTS * ELEMENTS];
    Words keywords[E_COUNT], currency, free_units, bounded_units, latin_units, versions, endings;
    LabelSlot *labels;
    uint32_t n_labels;
    PyObject *read_label;
} Scanner;

typedef struct {
    const uint8_t *text;
    Py_ssize_t size;
    Scanner *tables;
    Row *rows;
    Py_ssize_t count, room;
    int failed;
} Pass;

/* ---- letters ------------------------------------------------------------------------------------------------- */

enum { C_DIGIT = 1, C_UPPER = 2, C_LOWER = 4, C_KEYSIGN = 8, C_MAILSIGN = 16, C_GATE = 32, C_SEPARATOR = 64 };
#define C_LETTER (C_UPPER | C_LOWER)
#define C_ALNUM (C_DIGIT | C_UPPER | C_LOWER)
static uint8_t KIND[256];

static void fill_kinds(void) {
    for (int c = '0'; c <= '9'; c++) KIND[c] |= C_DIGIT | C_GATE;
    for (int c = 'A'; c <= 'Z'; c++) KIND[c] |= C_UPPER;
    for (int c = 'a'; c <= 'z'; c++) KIND[c] |= C_LOWER;
    for (const char *c = "_-."; *c; c++) KIND[(uint8_t)*c] |= C_KEYSIGN;
    for (const char *c = "._%+-"; *c; c++) KIND[(uint8_t)*c] |= C_MAILSIGN;
    for (const char *c = "@+"; *c; c++) KIND[(uint8_t)*c] |= C_GATE;
    for (const char *c = " \t\"'([{<:=>|*#~)]\\"; *c; c++) KIND[(uint8_t)*c] |= C_SEPARATOR;
}
#define IS(c, kinds) (KIND[(uint8_t)(c)] & (kinds))
#define AT(pass, i) ((i) >= 0 && (i) < (pass)->size ? (pass)->text[i] : 0)

static inline uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

/* First byte of the letter that ends before `i`. */
static inline Py_ssize_t letter_before(const Pass *p, Py_ssize_t i) {
    i--;
    for (int n = 0; n < 3 && i > 0 && (p->text[i] & 0xc0) == 0x80; n++) i--;
    return i;
}

static inline uint32_t letter_at(const Pass *p, Py_ssize_t i) {
    const uint8_t *t = p->text + i;
    Py_ssize_t left = p->size - i;
    if (t[0] < 0x80) return t[0];
    if (t[0] < 0xe0) return left < 2 ? 0xfffd : (uint32_t)(t[0] & 0x1f) << 6 | (t[1] & 0x3f);
    if (t[0] < 0xf0) return left < 3 ? 0xfffd : (uint32_t)(t[0] & 0x0f) << 12 | (uint32_t)(t[1] & 0x3f) << 6 | (t[2] & 0x3f);
    return left < 4 ? 0xfffd
                    : (uint32_t)(t[0] & 0x07) << 18 | (uint32_t)(t[1] & 0x3f) << 12 | (uint32_t)(t[2] & 0x3f) << 6 |
                          (t[3] & 0x3f);
}

static int word_at(const Pass *p, Py_ssize_t i, const Word *w, int fold) {
    if (i < 0 || i + w->length > p->size) return 0;
    const uint8_t *t = p->text + i;
    for (int k = 0; k < w->length; k++)
        if ((fold ? lower(t[k]) : t[k]) != (uint8_t)w->bytes[k]) return 0;
    return 1;
}

static int holds_word(const Pass *p, Py_ssize_t from, Py_ssize_t to, const Words *words) {
    for (Py_ssize_t i = from; i < to; i++) {
        if (!words->first[p->text[i]]) continue;
        for (int k = 0; k < words->count; k++)
            if (i + words->words[k].length <= to && word_at(p, i, &words->words[k], 1)) return 1;
    }
    return 0;
}

/* ---- labels -------------------------------------------------------------------------------------------------- */

static int is_wide_separator(uint32_t c) {
    return c == 0x201c || c == 0x201d || c == 0x2018 || c == 0x2019 || c == 0x300a || c == 0x3010 || c == 0x300c ||
           c == 0x3011;
}

static Py_ssize_t skip_separators(const Pass *p, Py_ssize_t i) {
    for (int n = 0; n < 8 && i > 0; n++) {
        uint8_t c = p->text[i - 1];
        if (c < 0x80) {
            if (!IS(c, C_SEPARATOR)) break;
            i--;
        } else {
            Py_ssize_t b = letter_before(p, i);
            if (!is_wide_separator(letter_at(p, b))) break;
            i = b;
        }
    }
    return i;
}

static int is_copula(uint32_t c) { return c == 0x662f || c == 0x4e3a || c == 0x7cfb || c == 0x53eb || c == 0x5373; }
static int is_list_mark(uint32_t c) { return c == 0x3001 || c == '/' || c == 0x548c || c == 0x53ca || c == 0x4e0e; }

static Py_ssize_t skip_list_item(const Pass *p, Py_ssize_t i) {
    if (!i) return i;
    Py_ssize_t mark = letter_before(p, i);
    if (!is_list_mark(letter_at(p, mark))) return i;
    Py_ssize_t item = mark, floor = mark > 24 ? mark - 24 : 0;
    int digits = 0;
    while (item > floor && IS(p->text[item - 1], C_ALNUM | C_KEYSIGN)) digits |= IS(p->text[--item], C_DIGIT);
    return item < mark && digits ? item : i;
}

static uint16_t ask_label(Pass *p, const uint8_t *bytes, Py_ssize_t length) {
    Scanner *s = p->tables;
    uint64_t hash = 1469598103934665603ULL;
    for (Py_ssize_t k = 0; k < length; k++) hash = (hash ^ bytes[k]) * 1099511628211ULL;
    hash ^= hash >> 29;
    uint32_t slot = (uint32_t)hash & (LABEL_SLOTS - 1);
    while (s->labels[slot].length) {
        LabelSlot *one = &s->labels[slot];
        if (one->hash == hash && one->length == length && !memcmp(one->bytes, bytes, length)) return one->code;
        slot = (slot + 1) & (LABEL_SLOTS - 1);
    }
    PyObject *answer = PyObject_CallFunction(s->read_label, "y#", (const char *)bytes, length);
    long code = answer ? PyLong_AsLong(answer) : -1;
    Py_XDECREF(answer);
    if (code < 0) {
        p->failed = 1;
        return 0;
    }
    if (s->n_labels > LABEL_SLOTS / 2) {
        memset(s->labels, 0, sizeof(LabelSlot) * LABEL_SLOTS);
        s->n_labels = 0;
        slot = (uint32_t)hash & (LABEL_SLOTS - 1);
    }
    LabelSlot *one = &s->labels[slot];
    one->hash = hash;
    one->length = (uint32_t)length;
    one->code = (uint16_t)code;
    memcpy(one->bytes, bytes, length);
    s->n_labels++;
    return (uint16_t)code;
}

/* Where the Chinese characters before `i` begin, at most `most` of them. */
static Py_ssize_t han_before(const Pass *p, Py_ssize_t i, int most) {
    while (most-- > 0 && i > 0) {
        Py_ssize_t b = letter_before(p, i);
        if (letter_at(p, b) < 0x3400) break;
        i = b;
    }
    return i;
}

static uint16_t label_before(Pass *p, Py_ssize_t start) {
    Py_ssize_t i = skip_separators(p, start);
    if (i) {
        Py_ssize_t b = letter_before(p, i);
        if (is_copula(letter_at(p, b))) i = skip_separators(p, b);
    }
    for (int n = 0; n < 4; n++) {
        Py_ssize_t earlier = skip_list_item(p, i);
        if (earlier == i) break;
        i = skip_separators(p, earlier);
    }
    if (!i) return 0;
    uint8_t last = p->text[i - 1];
    Py_ssize_t begin = i;
    if (IS(last, C_ALNUM | C_KEYSIGN)) {
        Py_ssize_t floor = i > 40 ? i - 40 : 0;
        while (begin > floor && IS(p->text[begin - 1], C_ALNUM | C_KEYSIGN)) begin--;
        /* 联系电话No.: what is numbered stands before it. */
        Py_ssize_t n = i - begin;
        if ((n == 2 || (n == 3 && last == '.')) && lower(p->text[begin]) == 'n' && lower(p->text[begin + 1]) == 'o')
            begin = han_before(p, begin, 10);
    } else if (last >= 0x80) {
        Py_ssize_t b = letter_before(p, i);
        if (letter_at(p, b) < 0x3400) return 0;
        begin = b;
        for (int n = 1; n < 14 && begin > 0; n++) {
            b = letter_before(p, begin);
            if (!(letter_at(p, b) >= 0x3400 || IS(p->text[b], C_LETTER))) break;
            begin = b;
        }
    } else {
        return 0;
    }
    if (i - begin > LABEL_LONGEST) return 0;
    return ask_label(p, p->text + begin, i - begin);
}

/* ---- rows ---------------------------------------------------------------------------------------------------- */

static Row *new_row(Pass *p, Py_ssize_t start, Py_ssize_t end, uint8_t element) {
    if (p->count == p->room) {
        Py_ssize_t room = p->room ? p->room * 2 : 256;
        Row *rows = PyMem_Realloc(p->rows, sizeof(Row) * room);
        if (!rows) {
            PyErr_NoMemory();
            p->failed = 1;
            return NULL;
        }
        p->rows = rows;
        p->room = room;
    }
    Row *row = &p->rows[p->count++];
    memset(row, 0, sizeof *row);
    row->start = start;
    row->end = end;
    row->element = element;
    return row;
}

static void add(Row *row, uint16_t piece, int points) {
    if (row->used < MOST_PIECES) row->pieces[row->used++] = piece;
    row->points = (int8_t)(row->points + points);
}
static void add_static(const Pass *p, Row *row, uint16_t piece) { add(row, piece, p->tables->points[piece]); }

static int unit_behind(const Pass *p, Py_ssize_t end) {
    const Scanner *s = p->tables;
    for (int blank = 0; blank < 2; blank++) {
        Py_ssize_t i = end;
        if (blank) {
            if (AT(p, end) != ' ') break;
            i++;
        }
        if (i >= p->size) break;
        uint8_t c = p->text[i];
        if (s->free_units.first[c])
            for (int k = 0; k < s->free_units.count; k++)
                if (word_at(p, i, &s->free_units.words[k], 0)) return 1;
        if (s->bounded_units.first[c])
            for (int k = 0; k < s->bounded_units.count; k++)
                if (word_at(p, i, &s->bounded_units.words[k], 0)) {
                    Py_ssize_t next = i + s->bounded_units.words[k].length;
                    uint32_t letter = next < p->size ? letter_at(p, next) : 0;
                    if (!(letter >= 0x3400 && letter <= 0x9fff)) return 1;
                }
        if (s->latin_units.first[c])
            for (int k = 0; k < s->latin_units.count; k++)
                if (word_at(p, i, &s->latin_units.words[k], 0) && !IS(AT(p, i + s->latin_units.words[k].length), C_LETTER))
                    return 1;
    }
    return 0;
}

static int blank(uint8_t c) { return c == ' ' || c == '\t'; }

/* A sign of money, up to two blanks, perhaps a colon or 为, up to two blanks; all within eight letters. */
static int currency_before(const Pass *p, Py_ssize_t start) {
    Py_ssize_t floor = start;
    for (int n = 0; n < 8 && floor > 0; n++) floor = letter_before(p, floor);
    for (int colon = 0; colon < 2; colon++) {
        Py_ssize_t i = start;
        for (int n = 0; n < 2 && i > 0 && blank(p->text[i - 1]); n++) i--;
        if (colon) {
            if (i > 0 && p->text[i - 1] == ':') i--;
            else if (i > 2 && !memcmp(p->text + i - 3, "\xe4\xb8\xba", 3)) i -= 3;
            else break;
            for (int n = 0; n < 2 && i > 0 && blank(p->text[i - 1]); n++) i--;
        } else {
            for (int n = 0; n < 2 && i > 0 && blank(p->text[i - 1]); n++) i--;
        }
        const Words *w = &p->tables->currency;
        for (int k = 0; k < w->count; k++) {
            Py_ssize_t b = i - w->words[k].length;
            if (b >= floor && word_at(p, b, &w->words[k], 1)) return 1;
        }
    }
    return 0;
}

static void keywords_near(Pass *p, Row *row) {
    const Words *words = &p->tables->keywords[row->kind];
    if (!words->count) return;
    Py_ssize_t left = row->start;
    for (int n = 0; n < 28 && left > 0; n++) {
        Py_ssize_t b = letter_before(p, left);
        if (p->text[b] == '\n') break;
        left = b;
    }
    if (holds_word(p, left, row->start, words)) {
        add(row, P_KEYWORD_LEFT + row->element, 2);
        return;
    }
    Py_ssize_t right = row->end;
    for (int n = 0; n < 12 && right < p->size && p->text[right] != '\n'; n++) {
        right++;
        while (right < p->size && (p->text[right] & 0xc0) == 0x80) right++;
    }
    if (holds_word(p, row->end, right, words)) add(row, P_KEYWORD_RIGHT + row->element, 1);
}

static void judge(Pass *p, Row *row) {
    uint16_t label = label_before(p, row->start);
    uint8_t named = label & CODE_ELEMENT; /* number + 1 */
    if (label & CODE_NEGATIVE) add_static(p, row, P_NEGATIVE_LABEL);
    else if (named && named - 1 == row->element)
        label & CODE_MEDIUM ? add(row, P_LABEL_STRONG + row->element, 3) : add(row, P_LABEL_WEAK + row->element, 2);
    else if (named && p->tables->family[(named - 1) * ELEMENTS + row->element])
        add(row, P_LABEL_WEAK + named - 1, 2);
    else if (unit_behind(p, row->end) || currency_before(p, row->start)) add_static(p, row, P_AMOUNT);
    else if (named) add(row, P_LABEL_OTHER + named - 1, -2);
    else keywords_near(p, row);
}

static Row *candidate(Pass *p, int kind, Py_ssize_t start, Py_ssize_t end) {
    Row *row = new_row(p, start, end, p->tables->element_of[kind]);
    if (row) row->kind = (uint8_t)kind;
    return row;
}

/* ---- checks -------------------------------------------------------------------------------------------------- */

static uint32_t number(const uint8_t *d, int n) {
    uint32_t value = 0;
    for (int k = 0; k < n; k++) value = value * 10 + (d[k] - '0');
    return value;
}

static int calendar_date(const uint8_t *d) {
    static const int DAYS[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = (int)number(d, 4), month = (int)number(d + 4, 2), day = (int)number(d + 6, 2);
    if (year < 1850 || year > 2100 || month < 1 || month > 12 || day < 1) return 0;
    int leap = month == 2 && (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    return day <= DAYS[month] + leap;
}

static int luhn(const uint8_t *d, int n) {
    static const uint8_t DOUBLED[10] = {0, 2, 4, 6, 8, 1, 3, 5, 7, 9};
    unsigned sum = 0;
    for (int k = n - 1, twice = 0; k >= 0; k--, twice ^= 1) sum += twice ? DOUBLED[d[k] - '0'] : (unsigned)(d[k] - '0');
    return sum % 10 == 0;
}

static const uint8_t ID_WEIGHTS[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};

static int identity_checksum(const uint8_t *d) {
    unsigned sum = 0;
    for (int k = 0; k < 17; k++) sum += ID_WEIGHTS[k] * (unsigned)(d[k] - '0');
    uint8_t last = d[17] == 'x' ? 'X' : d[17];
    return "10X98765432"[sum % 11] == last;
}

static int uscc_value(uint8_t c) {
    static const char ALPHABET[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    const char *found = c ? memchr(ALPHABET, c, 31) : NULL;
    return found ? (int)(found - ALPHABET) : -1;
}

/* Adds the evidence of a unified social credit code of eighteen checked letters; 0 when it is none. */
static int uscc_evidence(Pass *p, const uint8_t *d, Py_ssize_t start, Py_ssize_t end) {
    static const uint8_t WEIGHTS[17] = {1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28};
    static const uint8_t ORG[8] = {3, 7, 9, 10, 5, 8, 4, 2};
    if (!memchr("1234569", d[1], 7)) return 0;
    uint32_t province = number(d + 2, 2);
    if (!p->tables->provinces[province] && province != 10) return 0;
    unsigned sum = 0, organisation = 0;
    int letters = 0;
    for (int k = 0; k < 18; k++) {
        int value = uscc_value(d[k]);
        if (value < 0) return 0;
        letters |= IS(d[k], C_UPPER);
        if (k < 17) sum += WEIGHTS[k] * (unsigned)value;
    }
    if ((unsigned)uscc_value(d[17]) != (31 - sum % 31) % 31) return 0;
    for (int k = 0; k < 8; k++) organisation += ORG[k] * (unsigned)(IS(d[8 + k], C_DIGIT) ? d[8 + k] - '0' : d[8 + k] - 'A' + 10);
    Row *row = candidate(p, E_USCC, start, end);
    if (!row) return 0;
    add_static(p, row, letters ? P_USCC_LETTERS : P_USCC_DIGITS);
    add_static(p, row, letters ? P_USCC_CHECK_STRONG : P_USCC_CHECK_WEAK);
    add_static(p, row, p->tables->divisions[number(d + 2, 6)] ? P_USCC_AREA : P_USCC_NO_AREA);
    if ("0123456789X0"[11 - organisation % 11] == (char)d[16]) add_static(p, row, P_USCC_ORGANISATION);
    judge(p, row);
    return 1;
}

static void identity(Pass *p, const uint8_t *d, Py_ssize_t start, Py_ssize_t end) {
    uint32_t century = number(d + 6, 2);
    if (century < 18 || century > 20 || d[10] > '1' || d[12] > '3') return;
    if (!calendar_date(d + 6) || !identity_checksum(d)) return;
    uint32_t area = number(d, 6);
    int kind = E_RESIDENT_ID, piece;
    uint8_t rank = p->tables->divisions[area];
    if (area == 810000 || area == 820000 || area == 830000) kind = E_OTHER_CERTIFICATE, piece = P_AREA_PERMIT;
    else if (rank) piece = P_AREA_PROVINCE + rank - 1;
    else if (d[0] == '9' && p->tables->provinces[number(d + 1, 2)]) kind = E_OTHER_CERTIFICATE, piece = P_AREA_FOREIGNER;
    else return;
    Row *row = candidate(p, kind, start, end);
    if (!row) return;
    add_static(p, row, P_ID_FORMAT);
    add_static(p, row, P_ID_CHECK);
    add_static(p, row, (uint16_t)piece);
    judge(p, row);
}

static void mobile(Pass *p, const uint8_t *d, Py_ssize_t start, Py_ssize_t end) {
    if (d[0] != '1' || d[1] < '3') return;
    uint32_t seven = number(d, 7);
    for (Py_ssize_t k = 0; k < p->tables->n_reserved; k++)
        if (p->tables->reserved[k] == seven) return;
    Row *row = candidate(p, E_MOBILE, start, end);
    if (!row) return;
    if (p->tables->segments[number(d, 3)]) {
        add_static(p, row, P_MOBILE_SHAPE);
        add_static(p, row, P_MOBILE_SEGMENT);
    } else {
        add_static(p, row, P_MOBILE_UNOPENED);
    }
    judge(p, row);
}

/* 0 unknown, 1 network, 2 UnionPay, 3 issuer. */
static int issuer_rank(const Scanner *s, const uint8_t *d, int n) {
    uint32_t six = number(d, 6);
    for (Py_ssize_t k = 0; k < s->n_reserved_bins; k++)
        if (s->reserved_bins[k] == six) return 0;
    for (uint32_t width = 8; width >= 3; width--) {
        uint32_t key = width << 27 | number(d, (int)width);
        uint32_t slot = (key * 2654435761u) >> 16 & s->bin_mask;
        while (s->bins[slot].key) {
            if (s->bins[slot].key == key) {
                if (s->bins[slot].lengths >> n & 1) return 3;
                break;
            }
            slot = (slot + 1) & s->bin_mask;
        }
    }
    for (int k = 0; k < s->n_networks; k++) {
        const Network *w = &s->networks[k];
        uint32_t head = number(d, (int)w->digits);
        if (w->first <= head && head <= w->last && (w->lengths >> n & 1)) return w->unionpay ? 2 : 1;
    }
    return 0;
}

static void card(Pass *p, const uint8_t *d, int n, Py_ssize_t start, Py_ssize_t end) {
    if (!luhn(d, n)) return;
    int rank = issuer_rank(p->tables, d, n);
    Row *row = rank ? candidate(p, E_BANK_CARD, start, end) : NULL;
    if (!row) return;
    add_static(p, row, P_LUHN_CARD);
    add_static(p, row, (uint16_t)(P_ISSUER_NETWORK + rank - 1));
    judge(p, row);
}

static void landline(Pass *p, const uint8_t *d, int n, Py_ssize_t start, Py_ssize_t end) {
    for (int width = 3; width <= 4; width++) {
        int known = width == 3 ? p->tables->areas3[number(d, 3)] : p->tables->areas4[number(d, 4)];
        if (!known || (n - width != 7 && n - width != 8) || d[width] < '2') continue;
        Row *row = candidate(p, E_LANDLINE, start, end);
        if (!row) return;
        add_static(p, row, P_LANDLINE_SHAPE);
        add_static(p, row, P_LANDLINE_AREA);
        judge(p, row);
        return;
    }
}

static void fifteen(Pass *p, const uint8_t *d, Py_ssize_t start, Py_ssize_t end) {
    uint8_t rank = p->tables->divisions[number(d, 6)];
    uint8_t date[8] = {'1', '9'};
    memcpy(date + 2, d + 6, 6);
    if (rank >= 2 && calendar_date(date)) {
        Row *row = candidate(p, E_RESIDENT_ID, start, end);
        if (!row) return;
        add_static(p, row, P_OLD_ID_FORMAT);
        add_static(p, row, rank == 2 ? P_OLD_AREA_PREFECTURE : P_OLD_AREA_COUNTY);
        judge(p, row);
    }
    if (luhn(d, 15)) {
        Row *row = candidate(p, E_IMEI, start, end);
        if (!row) return;
        add_static(p, row, P_LUHN_IMEI);
        judge(p, row);
    }
}

/* ---- runs of digits ------------------------------------------------------------------------------------------ */

static Py_ssize_t country_code(const Pass *p, Py_ssize_t start) {
    Py_ssize_t i = start;
    const uint8_t *t = p->text;
    if (i > 0 && (t[i - 1] == ' ' || t[i - 1] == '-')) i--;
    for (int n = 0; n < 2; n++) {
        Py_ssize_t j = n ? start : i;
        if (j >= 3 && !memcmp(t + j - 3, "+86", 3)) return j - 3;
        if (j >= 4 && !memcmp(t + j - 4, "0086", 4)) return j - 4;
    }
    if (start >= 3 && !memcmp(t + start - 3, "86-", 3) && !IS(AT(p, start - 4), C_ALNUM) &&
        AT(p, start - 4) != '+' && AT(p, start - 4) != '-')
        return start - 3;
    i = start;
    for (int n = 0; n < 2; n++) {
        if (i >= 5 && !memcmp(t + i - 5, "(+86)", 5)) return i - 5;
        if (!(i > 0 && t[i - 1] == ' ')) break;
        i--;
    }
    return start;
}

static void by_length(Pass *p, const uint8_t *d, int n, Py_ssize_t start, Py_ssize_t end, int fraction) {
    int decimal = IS(d[n - 1], C_DIGIT) != 0;
    if (n == 18) {
        identity(p, d, start, end);
        if (decimal && d[0] != '0' ) uscc_evidence(p, d, start, end);
    }
    if (fraction) return;
    if (n == 11 && d[0] == '1') mobile(p, d, country_code(p, start), end);
    else if ((n == 13 && d[0] == '8' && d[1] == '6') || (n == 15 && !memcmp(d, "0086", 4)))
        mobile(p, d + n - 11, AT(p, start - 1) == '+' ? start - 1 : start, end);
    if (n == 15) fifteen(p, d, start, end);
    if (n >= 13 && n <= 19 && decimal) card(p, d, n, start, end);
    else if (n >= 10 && n <= 12 && d[0] == '0') landline(p, d, n, start, end);
}

/* Codes with letters that open at a run or up to four letters before it. Permits and tracks go to Python. */
static void at_run(Pass *p, Py_ssize_t start, Py_ssize_t end) {
    const uint8_t *t = p->text;
    uint8_t behind = AT(p, end);
    if ((behind == '=' || behind == 'D') && end - start >= 13 && IS(AT(p, end + 1), C_DIGIT)) {
        new_row(p, start, end, EVENT_RUN);
        return;
    }
    Py_ssize_t first = start;
    while (first > start - 4 && first > 0 && IS(t[first - 1], C_LETTER)) first--;
    if (first > 0 && IS(t[first - 1], C_ALNUM)) return;
    if (first + 18 <= p->size && !IS(AT(p, first + 18), C_ALNUM)) {
        uint8_t code[18];
        for (int k = 0; k < 18; k++) code[k] = IS(t[first + k], C_LOWER) ? (uint8_t)(t[first + k] - 32) : t[first + k];
        int letters = IS(code[0], C_UPPER);
        int shape = memchr("123456789ANY", code[0], 12) && IS(code[1], C_DIGIT) && code[1] != '0';
        for (int k = 2; k < 18 && shape; k++) {
            letters |= IS(code[k], C_UPPER);
            shape = k < 8 ? IS(code[k], C_DIGIT) != 0 : uscc_value(code[k]) >= 0;
        }
        if (shape && letters) {
            uscc_evidence(p, code, first, first + 18);
            return;
        }
    }
    Py_ssize_t n = end - start;
    if (first < start && IS(t[first], C_UPPER) && n >= 7 && n <= 12 && !IS(behind, C_LETTER))
        new_row(p, start, end, EVENT_RUN);
}

static void run_of_digits(Pass *p, Py_ssize_t start, Py_ssize_t end) {
    const uint8_t *t = p->text;
    int n = (int)(end - start);
    uint8_t behind = AT(p, end), before = AT(p, start - 1);
    if (IS(before, C_LETTER) || (behind && memchr("=(DABCEFGHJKLMNPQRTUWXYdabcefghjklmnpqrtuwxy", behind, 44))) at_run(p, start, end);
    if (n < 10 || n > 19) return;
    uint8_t copy[20];
    memcpy(copy, t + start, n);
    Py_ssize_t stop = end;
    if (n == 17 && (behind == 'X' || behind == 'x') && !IS(AT(p, end + 1), C_ALNUM)) {
        copy[n++] = behind;
        stop++;
        behind = AT(p, stop);
    }
    if (IS(behind, C_LETTER)) return;
    if (IS(before, C_LETTER)) {
        uint16_t label = label_before(p, start);
        if (!(label & CODE_ELEMENT)) return;
    }
    if (behind == '.' && IS(AT(p, stop + 1), C_DIGIT)) return;
    by_length(p, copy, n, start, stop, before == '.' && IS(AT(p, start - 2), C_DIGIT));
}

/* ---- addresses ------------------------------------------------------------------------------------------------ */

static int octet(const uint8_t *d, Py_ssize_t n) {
    if (n == 1 || (n == 2)) return 1;
    return n == 3 && (d[0] == '1' || (d[0] == '2' && (d[1] < '5' || (d[1] == '5' && d[2] < '6'))));
}

static int version_before(const Pass *p, Py_ssize_t start) {
    Py_ssize_t floor = start;
    for (int n = 0; n < 12 && floor > 0; n++) floor = letter_before(p, floor);
    Py_ssize_t i = start;
    for (int n = 0; n <= 2; n++) {
        const Words *w = &p->tables->versions;
        for (int k = 0; k < w->count; k++) {
            Py_ssize_t b = i - w->words[k].length;
            if (b >= floor && word_at(p, b, &w->words[k], 1)) return 1;
        }
        if (i > floor && lower(p->text[i - 1]) == 'v') {
            uint8_t c = AT(p, i - 2);
            Py_ssize_t b = i > 1 ? letter_before(p, i - 1) : 0;
            if (i - 1 <= floor || (!IS(c, C_ALNUM) && c != '_' && !(c >= 0x80 && letter_at(p, b) >= 0x3400))) return 1;
        }
        if (!(i > floor && p->text[i - 1] && strchr(" \t:=._-", p->text[i - 1]))) break;
        i--;
    }
    return 0;
}

static void network_address(Pass *p, Py_ssize_t start, Py_ssize_t end) {
    const uint8_t *t = p->text;
    uint8_t before = AT(p, start - 1);
    if (IS(before, C_ALNUM) || before == '.' || !octet(t + start, end - start)) return;
    Py_ssize_t i = end;
    for (int k = 0; k < 3; k++) {
        if (AT(p, i) != '.') return;
        Py_ssize_t b = ++i;
        while (i < p->size && IS(t[i], C_DIGIT)) i++;
        if (i == b || !octet(t + b, i - b)) return;
    }
    if (IS(AT(p, i), C_LETTER) || (AT(p, i) == '.' && IS(AT(p, i + 1), C_DIGIT))) return;
    Py_ssize_t width = end - start;
    if ((width == 1 && t[start] == '0') || (width == 3 && (!memcmp(t + start, "127", 3) || !memcmp(t + start, "255", 3))))
        return;
    if (version_before(p, start)) return;
    Row *row = candidate(p, E_IP, start, i);
    if (!row) return;
    add_static(p, row, P_OCTETS);
    uint16_t label = label_before(p, start);
    if ((label & CODE_ELEMENT) && (label & CODE_ELEMENT) - 1 == row->element) add(row, P_LABEL_STRONG + row->element, 3);
    else if (label & CODE_NEGATIVE) add_static(p, row, P_NEGATIVE_ADDRESS);
}

static void mailbox(Pass *p, Py_ssize_t at) {
    const uint8_t *t = p->text;
    Py_ssize_t start = at, floor = at > 64 ? at - 64 : 0;
    while (start > floor && IS(t[start - 1], C_ALNUM | C_MAILSIGN)) start--;
    while (start < at && IS(t[start], C_MAILSIGN)) start++;
    if (start == at || t[at - 1] == '.') return;
    Py_ssize_t i = at + 1, tail = i;
    int labels = 0;
    for (;;) {
        tail = i;
        int alpha = 1;
        while (i < p->size && (IS(t[i], C_ALNUM) || t[i] == '-')) alpha &= IS(t[i++], C_LETTER) != 0;
        Py_ssize_t width = i - tail;
        labels++;
        if (!width) return;
        if (AT(p, i) == '.' && IS(AT(p, i + 1), C_ALNUM)) {
            if (width > 63 || t[tail] == '-' || t[i - 1] == '-') return;
            i++;
            continue;
        }
        if (labels < 2 || labels > 5 || !alpha || width < 2 || width > 24) return;
        break;
    }
    Pass ending = {.text = t, .size = i, .tables = p->tables};
    for (int k = 0; k < p->tables->endings.count; k++)
        if (p->tables->endings.words[k].length == i - tail && word_at(&ending, tail, &p->tables->endings.words[k], 1)) return;
    if (AT(p, i) == ':' && IS(AT(p, i + 1), C_LETTER)) return;
    Py_ssize_t back = start;
    for (int n = 0; n < 24 && back > 0; n++) back = letter_before(p, back);
    for (Py_ssize_t k = start - 1; k >= back; k--) { /* user and password of a URL end where its path or query begins */
        if (k - 2 >= back && !memcmp(t + k - 2, "://", 3)) return;
        if (t[k] && strchr(" /?=&#,;\"'<>()", t[k])) break;
    }
    Row *row = candidate(p, E_EMAIL, start, i);
    if (!row) return;
    add_static(p, row, P_MAILBOX);
    uint16_t label = label_before(p, start);
    if ((label & CODE_ELEMENT) && (label & CODE_ELEMENT) - 1 == row->element) add(row, P_LABEL_STRONG + row->element, 3);
}

/* What the patterns of numbers.py ask of the first groups at least: most pairs of numbers in a log are none of these. */
static int may_be_grouped(const Pass *p, Py_ssize_t start, Py_ssize_t gate, int n) {
    const uint8_t *t = p->text + start;
    int next = 0;
    while (next < 14 && IS(AT(p, gate + 1 + next), C_DIGIT)) next++;
    if (*t == '0' || ((*t == '4' || *t == '8') && n == 3)) return 1;
    if (p->text[gate] == ')') return 0;
    if (n == 3 || n == 7) return *t == '1' && t[1] >= '3' && (n == 7 ? next == 4 : next == 4 || next == 8);
    if (n == 6) return next == 6 || next == 8 || next == 4 || next == 13;
    return n == 4 && ((next == 4 && (AT(p, gate + 5) == ' ' || AT(p, gate + 5) == '-')) || (next == 6 && *t == '3'));
}

static void scan_block(Pass *p) {
    const uint8_t *t = p->text;
    Py_ssize_t i = 0, size = p->size;
    while (i < size && !p->failed) {
        while (i < size && !IS(t[i], C_GATE)) i++;
        if (i >= size) break;
        if (t[i] == '@') {
            mailbox(p, i++);
            continue;
        }
        if (t[i] == '+') {
            if (i + 4 < size && (!memcmp(t + i + 1, "852", 3) || !memcmp(t + i + 1, "853", 3) || !memcmp(t + i + 1, "886", 3)))
                new_row(p, i, i + 1, EVENT_OVERSEAS);
            i++;
            continue;
        }
        Py_ssize_t start = i;
        while (i < size && IS(t[i], C_DIGIT)) i++;
        Py_ssize_t n = i - start;
        if (n <= 3) {
            if (AT(p, i) == '.' && IS(AT(p, i + 1), C_DIGIT)) network_address(p, start, i);
        } else if (n >= 7 && n <= 21) {
            run_of_digits(p, start, i);
        }
        if (n >= 3 && n <= 7 && i + 3 < size && (t[i] == ' ' || t[i] == '-' || t[i] == ')') && IS(t[i + 1], C_DIGIT) &&
            IS(t[i + 2], C_DIGIT) && IS(t[i + 3], C_DIGIT) && may_be_grouped(p, start, i, (int)n))
            new_row(p, start, i, EVENT_GROUPED);
    }
}

/* ---- settling ------------------------------------------------------------------------------------------------ */

static int by_start(const void *a, const void *b) {
    const Row *x = a, *y = b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

static void sort_rows(Row *rows, Py_ssize_t count) {
    for (Py_ssize_t k = 1; k < count; k++)
        if (by_start(&rows[k - 1], &rows[k]) > 0) {
            qsort(rows, (size_t)count, sizeof(Row), by_start);
            return;
        }
}

static int wordless(const Pass *p, Py_ssize_t from, Py_ssize_t to) {
    while (from < to) {
        uint8_t c = p->text[from];
        if (IS(c, C_ALNUM)) return 0;
        if (c >= 0xe0) {
            uint32_t letter = letter_at(p, from);
            if (letter >= 0x3400 && letter <= 0xffff) return 0;
        }
        from++;
    }
    return 1;
}

/* A card of a foreign network needs company: data of a person in its line, or nothing else in its line. */
static void neighbours(Pass *p, const uint8_t *companion) {
    Py_ssize_t begin = 0, finish = -1, next = 0; /* the line looked at, and the first row behind it */
    int accompanied = 0;
    for (Py_ssize_t k = 0; k < p->count; k++) {
        Row *row = &p->rows[k];
        if (row->kind != E_BANK_CARD || row->points != 2 || row->used != 2 || row->element != p->tables->element_of[E_BANK_CARD])
            continue;
        if (row->start >= finish) {
            const uint8_t *end = memchr(p->text + row->start, '\n', (size_t)(p->size - row->start));
            for (begin = row->start; begin > 0 && p->text[begin - 1] != '\n';) begin--;
            finish = end ? end - p->text : p->size;
            for (next = k; next > 0 && p->rows[next - 1].start >= begin;) next--;
            for (accompanied = 0; next < p->count && p->rows[next].start < finish; next++)
                accompanied |= companion[p->rows[next].element] && p->rows[next].points >= 3;
        }
        if (accompanied) add_static(p, row, P_BESIDE);
        else if (wordless(p, begin, row->start) && wordless(p, row->end, finish)) add_static(p, row, P_ALONE);
    }
}

typedef struct {
    const uint8_t *checked, *precedence;
} Order;

static int stronger(const Row *a, const Row *b, Order order) {
    int x = a->points + (order.checked[a->element] && a->points >= 5 ? 10 : 0);
    int y = b->points + (order.checked[b->element] && b->points >= 5 ? 10 : 0);
    if (x != y) return x > y;
    int64_t la = a->end - a->start, lb = b->end - b->start;
    if (la != lb) return la > lb;
    if (order.precedence[a->element] != order.precedence[b->element])
        return order.precedence[a->element] < order.precedence[b->element];
    return a->start < b->start;
}

/* Of rows that share letters keep the stronger; `used` of a loser becomes 255. Rows are sorted by start. */
static Py_ssize_t settle_rows(Row *rows, Py_ssize_t count, Order order) {
    Py_ssize_t kept = 0, k = 0;
    while (k < count) {
        Py_ssize_t stop = k + 1;
        int64_t reach = rows[k].end;
        while (stop < count && rows[stop].start < reach) {
            if (rows[stop].end > reach) reach = rows[stop].end;
            stop++;
        }
        Py_ssize_t open = stop - k;
        uint8_t *state = open > 1 ? PyMem_Calloc((size_t)open, 1) : NULL;
        if (open > 1 && !state) return -1;
        while (open > 1) { /* 1 kept, 2 lost */
            Py_ssize_t best = -1;
            for (Py_ssize_t j = 0; j < stop - k; j++)
                if (!state[j] && (best < 0 || stronger(&rows[k + j], &rows[k + best], order))) best = j;
            if (best < 0) break;
            state[best] = 1;
            for (Py_ssize_t j = 0; j < stop - k; j++)
                if (!state[j] && rows[k + j].start < rows[k + best].end && rows[k + best].start < rows[k + j].end)
                    state[j] = 2;
        }
        for (Py_ssize_t j = 0; j < stop - k; j++)
            if (!state || state[j] == 1) rows[kept++] = rows[k + j];
        PyMem_Free(state);
        k = stop;
    }
    return kept;
}

/* ---- Python --------------------------------------------------------------------------------------------------- */

static int take_words(PyObject *list, Words *words, const char *what) {
    if (!PyList_Check(list)) {
        PyErr_Format(PyExc_TypeError, "%s must be a list of bytes", what);
        return -1;
    }
    Py_ssize_t count = PyList_Size(list);
    words->words = PyMem_Calloc((size_t)count + 1, sizeof(Word));
    if (!words->words) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t k = 0; k < count; k++) {
        char *bytes;
        Py_ssize_t length;
        if (PyBytes_AsStringAndSize(PyList_GetItem(list, k), &bytes, &length) < 0) return -1;
        if (length < 1 || length > 30) {
            PyErr_Format(PyExc_ValueError, "%s: words have 1 to 30 bytes", what);
            return -1;
        }
        words->words[k].length = (uint8_t)length;
        memcpy(words->words[k].bytes, bytes, (size_t)length);
        uint8_t first = (uint8_t)bytes[0];
        words->first[first] = 1;
        if (first >= 'a' && first <= 'z') words->first[first - 32] = 1;
    }
    words->count = (int)count;
    return 0;
}

static int take_table(PyObject *table, const char *name, void *into, Py_ssize_t size) {
    PyObject *value = PyDict_GetItemString(table, name);
    if (!value || !PyBytes_Check(value) || PyBytes_Size(value) != size) {
        PyErr_Format(PyExc_ValueError, "%s must be %zd bytes", name, size);
        return -1;
    }
    memcpy(into, PyBytes_AsString(value), (size_t)size);
    return 0;
}

static int take_numbers(PyObject *table, const char *name, uint32_t **into, Py_ssize_t *count) {
    PyObject *value = PyDict_GetItemString(table, name);
    if (!value || !PyBytes_Check(value) || PyBytes_Size(value) % 4) {
        PyErr_Format(PyExc_ValueError, "%s must be 32-bit numbers", name);
        return -1;
    }
    *count = PyBytes_Size(value) / 4;
    *into = PyMem_Malloc((size_t)PyBytes_Size(value) + 4);
    if (!*into) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(*into, PyBytes_AsString(value), (size_t)PyBytes_Size(value));
    return 0;
}

static int take_bins(Scanner *s, PyObject *table) {
    uint32_t *pairs = NULL;
    Py_ssize_t count = 0;
    if (take_numbers(table, "bins", &pairs, &count) < 0) return -1;
    uint32_t slots = 1024;
    while (slots < (uint32_t)count * 2) slots *= 2;
    s->bin_mask = slots - 1;
    s->bins = PyMem_Calloc(slots, sizeof(BinSlot));
    if (!s->bins || slots > 65536) {
        PyMem_Free(pairs);
        PyErr_SetString(PyExc_ValueError, "bins: too many");
        return -1;
    }
    for (Py_ssize_t k = 0; k + 1 < count; k += 2) {
        uint32_t slot = (pairs[k] * 2654435761u) >> 16 & s->bin_mask;
        while (s->bins[slot].key) slot = (slot + 1) & s->bin_mask;
        s->bins[slot].key = pairs[k];
        s->bins[slot].lengths = pairs[k + 1];
    }
    PyMem_Free(pairs);
    return 0;
}

static int take_networks(Scanner *s, PyObject *table) {
    uint32_t *numbers = NULL;
    Py_ssize_t count = 0;
    if (take_numbers(table, "networks", &numbers, &count) < 0) return -1;
    if (count > MOST_NETWORKS * 5) {
        PyMem_Free(numbers);
        PyErr_SetString(PyExc_ValueError, "networks: too many");
        return -1;
    }
    memcpy(s->networks, numbers, (size_t)count * 4);
    s->n_networks = (int)(count / 5);
    PyMem_Free(numbers);
    return 0;
}

static int take_all_words(Scanner *s, PyObject *table) {
    static const char *NAMES[] = {"currency", "free_units", "bounded_units", "latin_units", "versions", "endings"};
    Words *words[] = {&s->currency, &s->free_units, &s->bounded_units, &s->latin_units, &s->versions, &s->endings};
    for (int k = 0; k < 6; k++) {
        PyObject *list = PyDict_GetItemString(table, NAMES[k]);
        if (!list) {
            PyErr_Format(PyExc_ValueError, "%s is missing", NAMES[k]);
            return -1;
        }
        if (take_words(list, words[k], NAMES[k]) < 0) return -1;
    }
    PyObject *lists = PyDict_GetItemString(table, "keywords");
    if (!lists || !PyList_Check(lists) || PyList_Size(lists) != E_COUNT) {
        PyErr_SetString(PyExc_ValueError, "keywords must be a list for each kind");
        return -1;
    }
    for (int k = 0; k < E_COUNT; k++)
        if (take_words(PyList_GetItem(lists, k), &s->keywords[k], "keywords") < 0) return -1;
    return 0;
}

#define CAPSULE "kuimen.kernels.native.scanner"

static void free_scanner(Scanner *s) {
    if (!s) return;
    PyMem_Free(s->divisions);
    PyMem_Free(s->reserved);
    PyMem_Free(s->reserved_bins);
    PyMem_Free(s->bins);
    PyMem_Free(s->labels);
    for (int k = 0; k < E_COUNT; k++) PyMem_Free(s->keywords[k].words);
    PyMem_Free(s->currency.words);
    PyMem_Free(s->free_units.words);
    PyMem_Free(s->bounded_units.words);
    PyMem_Free(s->latin_units.words);
    PyMem_Free(s->versions.words);
    PyMem_Free(s->endings.words);
    Py_XDECREF(s->read_label);
    PyMem_Free(s);
}

static void drop_capsule(PyObject *capsule) { free_scanner(PyCapsule_GetPointer(capsule, CAPSULE)); }

static int fill_scanner(Scanner *s, PyObject *table) {
    return take_table(table, "divisions", s->divisions, 1000000) < 0 || take_table(table, "segments", s->segments, 1000) < 0 ||
                   take_table(table, "provinces", s->provinces, 100) < 0 || take_table(table, "areas3", s->areas3, 1000) < 0 ||
                   take_table(table, "areas4", s->areas4, 10000) < 0 ||
                   take_table(table, "family", s->family, ELEMENTS * ELEMENTS) < 0 ||
                   take_table(table, "element_of", s->element_of, E_COUNT) < 0 ||
                   take_table(table, "points", s->points, P_STATIC_END) < 0 ||
                   take_numbers(table, "reserved", &s->reserved, &s->n_reserved) < 0 ||
                   take_numbers(table, "reserved_bins", &s->reserved_bins, &s->n_reserved_bins) < 0 ||
                   take_bins(s, table) < 0 || take_networks(s, table) < 0 || take_all_words(s, table) < 0
               ? -1
               : 0;
}

static PyObject *scanner_new(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *table, *read_label;
    if (!PyArg_ParseTuple(args, "O!O", &PyDict_Type, &table, &read_label)) return NULL;
    fill_kinds();
    Scanner *s = PyMem_Calloc(1, sizeof *s);
    if (!s) return PyErr_NoMemory();
    Py_INCREF(read_label);
    s->read_label = read_label;
    s->divisions = PyMem_Malloc(1000000);
    s->labels = PyMem_Calloc(LABEL_SLOTS, sizeof(LabelSlot));
    if (!s->divisions || !s->labels) {
        free_scanner(s);
        return PyErr_NoMemory();
    }
    PyObject *capsule = fill_scanner(s, table) < 0 ? NULL : PyCapsule_New(s, CAPSULE, drop_capsule);
    if (!capsule) free_scanner(s);
    return capsule;
}

static PyObject *rows_as_bytes(const Row *rows, Py_ssize_t count) {
    return PyBytes_FromStringAndSize((const char *)rows, count * (Py_ssize_t)sizeof(Row));
}

/* Rewrite offsets of bytes into offsets of letters; rows are sorted by start. */
static void count_letters(const Pass *p) {
    Py_ssize_t position = 0;
    int64_t letters = 0;
    for (Py_ssize_t k = 0; k < p->count; k++) {
        Row *row = &p->rows[k];
        for (; position < row->start; position++) letters += (p->text[position] & 0xc0) != 0x80;
        int64_t inside = 0;
        for (Py_ssize_t j = row->start; j < row->end; j++) inside += (p->text[j] & 0xc0) != 0x80;
        row->start = letters;
        row->end = letters + inside;
    }
}

static PyObject *scanner_scan(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule;
    Py_buffer block;
    int least, letters;
    if (!PyArg_ParseTuple(args, "Oy*ip", &capsule, &block, &least, &letters)) return NULL;
    Scanner *s = PyCapsule_GetPointer(capsule, CAPSULE);
    if (!s) {
        PyBuffer_Release(&block);
        return NULL;
    }
    Pass p = {.text = block.buf, .size = block.len, .tables = s};
    scan_block(&p);
    PyObject *answer = NULL;
    if (!p.failed) {
        Py_ssize_t kept = 0;
        for (Py_ssize_t k = 0; k < p.count; k++) {
            const Row *row = &p.rows[k];
            if (row->element >= EVENT_RUN || row->points >= least ||
                (row->kind == E_BANK_CARD && row->points == 2 && row->used == 2))
                p.rows[kept++] = *row;
        }
        p.count = kept;
        sort_rows(p.rows, p.count);
        if (letters) count_letters(&p);
        answer = rows_as_bytes(p.rows, p.count);
    }
    PyMem_Free(p.rows);
    PyBuffer_Release(&block);
    return answer;
}

static PyObject *scanner_settle(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule;
    Py_buffer block, rows, companions, checked, precedence;
    int least;
    if (!PyArg_ParseTuple(args, "Oy*y*iy*y*y*", &capsule, &block, &rows, &least, &companions, &checked, &precedence))
        return NULL;
    Scanner *s = PyCapsule_GetPointer(capsule, CAPSULE);
    PyObject *answer = NULL;
    Pass p = {.text = block.buf, .size = block.len, .tables = s, .count = rows.len / (Py_ssize_t)sizeof(Row)};
    if (!s) goto done;
    if (companions.len < 256 || checked.len < 256 || precedence.len < 256) {
        PyErr_SetString(PyExc_ValueError, "companions, checked, precedence: 256 bytes each");
        goto done;
    }
    p.rows = PyMem_Malloc((size_t)rows.len + 1);
    if (!p.rows) {
        PyErr_NoMemory();
        goto done;
    }
    memcpy(p.rows, rows.buf, (size_t)p.count * sizeof(Row));
    for (Py_ssize_t k = 0; k < p.count; k++)
        if (p.rows[k].start < 0 || p.rows[k].end > p.size || p.rows[k].start >= p.rows[k].end) {
            PyErr_SetString(PyExc_ValueError, "rows: a place outside the block");
            goto done;
        }
    sort_rows(p.rows, p.count);
    neighbours(&p, companions.buf);
    Py_ssize_t kept = 0;
    for (Py_ssize_t k = 0; k < p.count; k++)
        if (p.rows[k].element < EVENT_RUN && p.rows[k].points >= least) p.rows[kept++] = p.rows[k];
    kept = settle_rows(p.rows, kept, (Order){checked.buf, precedence.buf});
    answer = kept < 0 ? PyErr_NoMemory() : rows_as_bytes(p.rows, kept);
done:
    PyMem_Free(p.rows);
    PyBuffer_Release(&block);
    PyBuffer_Release(&rows);
    PyBuffer_Release(&companions);
    PyBuffer_Release(&checked);
    PyBuffer_Release(&precedence);
    return answer;
}

/* ---- folding -------------------------------------------------------------------------------------------------- */

/* What one letter becomes: asked of Python once (`fold_letter`), remembered in pages of 256 letters. */
typedef struct {
    uint8_t state; /* 0 unknown, 1 unchanged, 2 replaced */
    uint8_t length;
    char bytes[38];
} Fold;
#define PAGES 0x1100
#define FOLDER "kuimen.kernels.native.folder"
typedef struct {
    Fold *pages[PAGES];
    PyObject *fold_letter;
} Folder;
/* From this folded place on, the original place is `shift` further. */
typedef struct {
    int64_t place, shift;
} Shift;

static void drop_folder(PyObject *capsule) {
    Folder *f = PyCapsule_GetPointer(capsule, FOLDER);
    if (!f) return;
    for (int k = 0; k < PAGES; k++) PyMem_Free(f->pages[k]);
    Py_XDECREF(f->fold_letter);
    PyMem_Free(f);
}

static PyObject *folder_new(PyObject *module, PyObject *fold_letter) {
    (void)module;
    Folder *f = PyMem_Calloc(1, sizeof *f);
    if (!f) return PyErr_NoMemory();
    Py_INCREF(fold_letter);
    f->fold_letter = fold_letter;
    PyObject *capsule = PyCapsule_New(f, FOLDER, drop_folder);
    if (!capsule) {
        Py_DECREF(fold_letter);
        PyMem_Free(f);
    }
    return capsule;
}

static const Fold *fold_of(Folder *f, uint32_t letter) {
    Fold **page = &f->pages[letter >> 8];
    if (!*page && !(*page = PyMem_Calloc(256, sizeof(Fold)))) {
        PyErr_NoMemory();
        return NULL;
    }
    Fold *one = *page + (letter & 0xff);
    if (one->state) return one;
    PyObject *answer = PyObject_CallFunction(f->fold_letter, "I", letter);
    if (!answer) return NULL;
    char *bytes;
    Py_ssize_t length;
    if (answer == Py_None) {
        one->state = 1;
    } else if (PyBytes_AsStringAndSize(answer, &bytes, &length) < 0 || length > 38) {
        Py_DECREF(answer);
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "fold_letter: at most 38 bytes");
        return NULL;
    } else {
        one->state = 2;
        one->length = (uint8_t)length;
        memcpy(one->bytes, bytes, (size_t)length);
    }
    Py_DECREF(answer);
    return one;
}

/* Bytes of the letter at `i`; 1 for what is no UTF-8, which stays as it is. */
static int letter_width(const uint8_t *t, Py_ssize_t i, Py_ssize_t size) {
    int width = t[i] < 0x80 ? 1 : t[i] < 0xc2 ? 1 : t[i] < 0xe0 ? 2 : t[i] < 0xf0 ? 3 : t[i] < 0xf5 ? 4 : 1;
    if (i + width > size) return 1;
    for (int k = 1; k < width; k++)
        if ((t[i + k] & 0xc0) != 0x80) return 1;
    return width;
}

typedef struct {
    uint8_t *bytes;
    Py_ssize_t count, room;
} Buffer;

static int put(Buffer *b, const void *bytes, Py_ssize_t count) {
    if (!b->bytes || b->count + count > b->room) {
        Py_ssize_t room = (b->count + count) * 2 + 64;
        uint8_t *grown = PyMem_Realloc(b->bytes, (size_t)room);
        if (!grown) {
            PyErr_NoMemory();
            return -1;
        }
        b->bytes = grown;
        b->room = room;
    }
    memcpy(b->bytes + b->count, bytes, (size_t)count);
    b->count += count;
    return 0;
}

static int note_shift(Buffer *shifts, int64_t place, int64_t shift) {
    Shift *last = shifts->count ? (Shift *)(shifts->bytes + shifts->count) - 1 : NULL;
    if (last ? last->shift == shift : !shift) return 0;
    if (last && last->place == place) {
        last->shift = shift;
        return 0;
    }
    Shift one = {place, shift};
    return put(shifts, &one, sizeof one);
}

static int fold_block(Folder *f, const uint8_t *t, Py_ssize_t size, Buffer *out, Buffer *shifts) {
    Py_ssize_t i = 0, copied = 0;
    while (i < size) {
        while (i < size && t[i] < 0x80) i++;
        if (i >= size) break;
        int width = letter_width(t, i, size);
        if (width == 1) {
            i++;
            continue;
        }
        Pass p = {.text = t, .size = size};
        const Fold *fold = fold_of(f, letter_at(&p, i));
        if (!fold) return -1;
        if (fold->state == 1) {
            i += width;
            continue;
        }
        if (put(out, t + copied, i - copied) < 0) return -1;
        for (int k = 0; k < fold->length;) { /* every letter of the replacement leads back to this one */
            int step = letter_width((const uint8_t *)fold->bytes, k, fold->length);
            if (note_shift(shifts, out->count, i - out->count) < 0 || put(out, fold->bytes + k, step) < 0) return -1;
            k += step;
        }
        i += width;
        copied = i;
        if (note_shift(shifts, out->count, i - out->count) < 0) return -1;
    }
    return put(out, t + copied, size - copied);
}

static int all_ascii(const uint8_t *t, Py_ssize_t size) {
    uint64_t seen = 0, word;
    Py_ssize_t i = 0;
    for (; i + 8 <= size; i += 8) {
        memcpy(&word, t + i, 8);
        seen |= word;
        if ((i & 0xff8) == 0xff8 && seen & 0x8080808080808080ULL) return 0;
    }
    for (; i < size; i++) seen |= (uint64_t)(t[i] & 0x80);
    return !(seen & 0x8080808080808080ULL);
}

static PyObject *folder_fold(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule, *block;
    if (!PyArg_ParseTuple(args, "OS", &capsule, &block)) return NULL;
    Folder *f = PyCapsule_GetPointer(capsule, FOLDER);
    if (!f) return NULL;
    const uint8_t *t = (const uint8_t *)PyBytes_AsString(block);
    Py_ssize_t size = PyBytes_Size(block);
    if (all_ascii(t, size)) return Py_BuildValue("(OO)", block, Py_None);
    Buffer out = {0}, shifts = {0};
    PyObject *answer = NULL;
    if (!put(&out, "", 0) && !fold_block(f, t, size, &out, &shifts))
        answer = shifts.count ? Py_BuildValue("(y#y#)", (char *)out.bytes, out.count, (char *)shifts.bytes, shifts.count)
                              : Py_BuildValue("(y#O)", (char *)out.bytes, out.count, Py_None);
    PyMem_Free(out.bytes);
    PyMem_Free(shifts.bytes);
    return answer;
}

/* Lead rows of the folded block back to the original; rows are sorted by start and do not overlap. */
static PyObject *folder_unfold(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *block, *folded, *rows, *shifts;
    if (!PyArg_ParseTuple(args, "SSSS", &block, &folded, &rows, &shifts)) return NULL;
    Pass p = {.text = (const uint8_t *)PyBytes_AsString(folded), .size = PyBytes_Size(folded)};
    const uint8_t *original = (const uint8_t *)PyBytes_AsString(block);
    Py_ssize_t size = PyBytes_Size(block), count = PyBytes_Size(rows) / (Py_ssize_t)sizeof(Row);
    Py_ssize_t n_shifts = PyBytes_Size(shifts) / (Py_ssize_t)sizeof(Shift), at = -1;
    const Shift *shift = (const Shift *)PyBytes_AsString(shifts);
    Row *copy = PyMem_Malloc((size_t)count * sizeof(Row) + 1);
    if (!copy) return PyErr_NoMemory();
    memcpy(copy, PyBytes_AsString(rows), (size_t)count * sizeof(Row));
    for (Py_ssize_t k = 0; k < count; k++) {
        while (at + 1 < n_shifts && shift[at + 1].place <= copy[k].start) at++;
        int64_t start = copy[k].start + (at < 0 ? 0 : shift[at].shift);
        Py_ssize_t last = copy[k].end > 0 && copy[k].end <= p.size ? letter_before(&p, copy[k].end) : copy[k].start;
        Py_ssize_t to = at;
        while (to + 1 < n_shifts && shift[to + 1].place <= last) to++;
        int64_t end = last + (to < 0 ? 0 : shift[to].shift);
        if (start < 0 || end < 0 || end >= size) {
            PyMem_Free(copy);
            PyErr_SetString(PyExc_ValueError, "rows: a place outside the block");
            return NULL;
        }
        copy[k].start = start;
        copy[k].end = end + letter_width(original, end, size);
    }
    PyObject *answer = rows_as_bytes(copy, count);
    PyMem_Free(copy);
    return answer;
}

/* ---- literals ------------------------------------------------------------------------------------------------- */

#define LITERALS "kuimen.kernels.native.literals"
typedef struct {
    uint8_t *bytes;
    Py_ssize_t length, next; /* next literal with the same first two bytes, or -1 */
} Literal;
typedef struct {
    int32_t heads[65536]; /* first literal with these first two bytes, or -1 */
    Literal *all;
    Py_ssize_t count;
} Literals;

static void free_literals(Literals *l) {
    if (!l) return;
    for (Py_ssize_t k = 0; k < l->count; k++) PyMem_Free(l->all[k].bytes);
    PyMem_Free(l->all);
    PyMem_Free(l);
}
static void drop_literals(PyObject *capsule) { free_literals(PyCapsule_GetPointer(capsule, LITERALS)); }

static PyObject *literals_new(PyObject *module, PyObject *list) {
    (void)module;
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "literals must be a list of bytes");
        return NULL;
    }
    Py_ssize_t count = PyList_Size(list);
    Literals *l = PyMem_Calloc(1, sizeof *l);
    if (l) l->all = PyMem_Calloc((size_t)count + 1, sizeof(Literal));
    if (!l || !l->all) {
        free_literals(l);
        return PyErr_NoMemory();
    }
    memset(l->heads, 0xff, sizeof l->heads);
    for (Py_ssize_t k = 0; k < count; k++) {
        char *bytes;
        Py_ssize_t length;
        if (PyBytes_AsStringAndSize(PyList_GetItem(list, k), &bytes, &length) < 0 || length < 2 ||
            !(l->all[k].bytes = PyMem_Malloc((size_t)length))) {
            if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "literals have at least two bytes");
            free_literals(l);
            return NULL;
        }
        memcpy(l->all[k].bytes, bytes, (size_t)length);
        l->all[k].length = length;
        l->count = k + 1;
        uint32_t head = (uint32_t)(uint8_t)bytes[0] << 8 | (uint8_t)bytes[1];
        l->all[k].next = l->heads[head];
        l->heads[head] = (int32_t)k;
    }
    PyObject *capsule = PyCapsule_New(l, LITERALS, drop_literals);
    if (!capsule) free_literals(l);
    return capsule;
}

/* Places of the lines' first literals, upper-case ASCII read as lower: one place a line is enough to look at the line. */
static PyObject *literals_lines(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule, *block;
    if (!PyArg_ParseTuple(args, "OS", &capsule, &block)) return NULL;
    Literals *l = PyCapsule_GetPointer(capsule, LITERALS);
    PyObject *places = l ? PyList_New(0) : NULL;
    if (!places) return NULL;
    const uint8_t *t = (const uint8_t *)PyBytes_AsString(block);
    Py_ssize_t size = PyBytes_Size(block);
    for (Py_ssize_t i = 0; i + 1 < size; i++) {
        for (Py_ssize_t k = l->heads[(uint32_t)lower(t[i]) << 8 | lower(t[i + 1])]; k >= 0; k = l->all[k].next) {
            const Literal *one = &l->all[k];
            Py_ssize_t same = 2;
            if (i + one->length > size) continue;
            while (same < one->length && lower(t[i + same]) == one->bytes[same]) same++;
            if (same < one->length) continue;
            PyObject *place = PyLong_FromSsize_t(i);
            if (!place || PyList_Append(places, place) < 0) {
                Py_XDECREF(place);
                Py_DECREF(places);
                return NULL;
            }
            Py_DECREF(place);
            const uint8_t *end = memchr(t + i, '\n', (size_t)(size - i));
            i = end ? end - t : size;
            break;
        }
    }
    return places;
}

/* Every place where a literal stands, in letters, as int64. */
static PyObject *literals_places(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule, *block;
    if (!PyArg_ParseTuple(args, "OS", &capsule, &block)) return NULL;
    const Literals *l = PyCapsule_GetPointer(capsule, LITERALS);
    if (!l) return NULL;
    const uint8_t *t = (const uint8_t *)PyBytes_AsString(block);
    Py_ssize_t size = PyBytes_Size(block);
    Buffer places = {0};
    int64_t letters = 0;
    int failed = 0;
    for (Py_ssize_t i = 0; i + 1 < size && !failed; i++) {
        if ((t[i] & 0xc0) == 0x80) continue;
        for (Py_ssize_t k = l->heads[(uint32_t)lower(t[i]) << 8 | lower(t[i + 1])]; k >= 0; k = l->all[k].next) {
            const Literal *one = &l->all[k];
            Py_ssize_t same = 2;
            if (i + one->length > size) continue;
            while (same < one->length && lower(t[i + same]) == one->bytes[same]) same++;
            if (same < one->length) continue;
            failed = put(&places, &letters, sizeof letters) < 0;
            break;
        }
        letters++;
    }
    PyObject *answer = failed ? NULL : PyBytes_FromStringAndSize((const char *)places.bytes, places.count);
    PyMem_Free(places.bytes);
    return answer;
}

PyMethodDef kuimen_scanner_methods[] = {
    {"scanner_new", scanner_new, METH_VARARGS, "scanner_new(tables, read_label): what numbers can exist, made ready."},
    {"scanner_scan", scanner_scan, METH_VARARGS,
     "scanner_scan(scanner, block, least, letters): rows of candidates and events of folded UTF-8, sorted by place."},
    {"scanner_settle", scanner_settle, METH_VARARGS,
     "scanner_settle(scanner, block, rows, least, companions, checked, precedence): rows without overlaps."},
    {"folder_new", folder_new, METH_O, "folder_new(fold_letter): asked once for what a letter becomes; None if itself."},
    {"folder_fold", folder_fold, METH_VARARGS, "folder_fold(folder, block): the folded bytes, and shifts or None."},
    {"folder_unfold", folder_unfold, METH_VARARGS,
     "folder_unfold(block, folded, rows, shifts): rows with their places in the block that was folded."},
    {"literals_new", literals_new, METH_O, "literals_new(list of bytes): literals in lower case, made ready."},
    {"literals_lines", literals_lines, METH_VARARGS,
     "literals_lines(literals, block): the first place of a literal in each line that holds one."},
    {"literals_places", literals_places, METH_VARARGS,
     "literals_places(literals, block): every place where a literal stands, in letters, as int64."},
    {NULL, NULL, 0, NULL},
};
