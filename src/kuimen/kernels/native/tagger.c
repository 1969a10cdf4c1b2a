/* The network of the name tagger: two layers of gated recurrent units that read both ways, a linear layer, and the
 * best path of tags; for kernels/detection/names/native_network.py.
 *
 * Weights are kept as 16-bit integers with a scale per row, outputs of the units as 16-bit integers too, so that the
 * products of a row are summed exactly in 32 bits. What the first layer makes of a character does not depend on its
 * place; it comes ready made. Windows go through in groups of sorted length, so that weights are read once a group.
 */
#include "native.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) || defined(_M_X64)
#define KUIMEN_X86 1
#include <immintrin.h>
#else
#define KUIMEN_X86 0
#endif

#define INLINE static inline __attribute__((always_inline))

enum {
    UNITS = 128,
    GATES = 3 * UNITS,
    BOTH = 2 * UNITS,
    TAGS = 59,
    PERSON_BEGIN = 16,
    PERSON_INSIDE = 17,
    TILE = 16,      /* outputs computed together */
    SCORES = 64,    /* tags, filled up to whole tiles */
    MOST_WINDOWS = 16,
    MOST_CHARACTERS = 1024, /* of a group, unless a single window is longer */
    LONGEST_WINDOW = 8192,
    LAYERS = 2,
    WAYS = 2,
};
#define ONE 4096.0f /* 1.0 as the output of a unit */

/* Rows of weights: tiles of outputs, in each the pairs of inputs, in each pair the outputs side by side. */
typedef struct {
    int inputs, outputs; /* outputs: filled up to whole tiles */
    int16_t *weights;
    float *scales;
} Panel;

typedef void (*multiply_function)(const Panel *panel, const int16_t *from, int stride, int rows, float *to, int wide);
typedef void (*gates_function)(const float *ready, const float *turned, const float *bias, float *state, int16_t *out);
typedef float (*path_function)(const float *scores, const void *tagger, int length, uint8_t *back, uint8_t *tags);

typedef struct {
    int characters;
    float *projected;                    /* [characters][WAYS][GATES] */
    Panel recurrent[LAYERS][WAYS], second, last;
    float recurrent_bias[LAYERS][WAYS][UNITS]; /* of the candidate only; the other biases are in what comes ready */
    float second_bias[WAYS * GATES], last_bias[SCORES];
    float transitions[TAGS][SCORES];
    float catch_up[TAGS][TAGS]; /* by how much the second tag can gain on the first in one step */
    multiply_function multiply;
    gates_function gates;
    path_function path;
} Tagger;

static const char CAPSULE[] = "kuimen.tagger";

/* ---- products ---- */

static void multiply_portable(const Panel *panel, const int16_t *from, int stride, int rows, float *to, int wide)
{
    const int16_t *weights = panel->weights;
    for (int tile = 0; tile < panel->outputs; tile += TILE, weights += TILE * panel->inputs) {
        for (int row = 0; row < rows; row++) {
            const int16_t *x = from + (size_t)row * stride;
            int32_t sums[TILE] = {0};
            for (int k = 0; k < panel->inputs; k += 2)
                for (int n = 0; n < TILE; n++)
                    sums[n] += weights[k * TILE + 2 * n] * x[k] + weights[k * TILE + 2 * n + 1] * x[k + 1];
            for (int n = 0; n < TILE; n++)
                to[(size_t)row * wide + tile + n] = (float)sums[n] * panel->scales[tile + n];
        }
    }
}

#if KUIMEN_X86
#define AVX2 __attribute__((target("avx2")))

INLINE AVX2 void multiply_rows(const Panel *panel, const int16_t *weights, const int16_t *from, int stride,
                               const int rows, float *to, int wide, int tile)
{
    __m256i sums[4][2];
    for (int row = 0; row < rows; row++)
        for (int half = 0; half < 2; half++)
            sums[row][half] = _mm256_setzero_si256();
    for (int k = 0; k < panel->inputs; k += 2, weights += 2 * TILE) {
        __m256i w[2];
        for (int half = 0; half < 2; half++)
            w[half] = _mm256_load_si256((const __m256i *)(weights + 16 * half));
        for (int row = 0; row < rows; row++) {
            int32_t pair;
            memcpy(&pair, from + (size_t)row * stride + k, sizeof pair);
            __m256i x = _mm256_set1_epi32(pair);
            for (int half = 0; half < 2; half++)
                sums[row][half] = _mm256_add_epi32(sums[row][half], _mm256_madd_epi16(w[half], x));
        }
    }
    for (int row = 0; row < rows; row++)
        for (int half = 0; half < 2; half++)
            _mm256_storeu_ps(to + (size_t)row * wide + tile + 8 * half,
                             _mm256_mul_ps(_mm256_cvtepi32_ps(sums[row][half]),
                                           _mm256_loadu_ps(panel->scales + tile + 8 * half)));
}

AVX2 static void multiply_avx2(const Panel *panel, const int16_t *from, int stride, int rows, float *to, int wide)
{
    const int16_t *weights = panel->weights;
    for (int tile = 0; tile < panel->outputs; tile += TILE, weights += TILE * panel->inputs) {
        int row = 0;
        for (; row + 4 <= rows; row += 4)
            multiply_rows(panel, weights, from + (size_t)row * stride, stride, 4, to + (size_t)row * wide, wide, tile);
        const int16_t *x = from + (size_t)row * stride;
        float *y = to + (size_t)row * wide;
        if (rows - row == 3)
            multiply_rows(panel, weights, x, stride, 3, y, wide, tile);
        else if (rows - row == 2)
            multiply_rows(panel, weights, x, stride, 2, y, wide, tile);
        else if (rows - row == 1)
            multiply_rows(panel, weights, x, stride, 1, y, wide, tile);
    }
}
#endif

/* ---- gates ---- */

typedef float eight __attribute__((vector_size(32)));
typedef int32_t eight_whole __attribute__((vector_size(32)));
typedef int16_t eight_short __attribute__((vector_size(16), aligned(2), may_alias));
typedef float eight_loose __attribute__((vector_size(32), aligned(4), may_alias));

#define LOOSE(place) (*(const eight_loose *)(place))
#define EIGHT(number) ((eight){0} + (number))
#define ROUNDING 12582912.0f /* added to a number it leaves the nearest integer in the lowest bits */

/* 1 / (1 + e^-x), to about 2e-7. */
#define SIGMOID(to, of)                                                                                                \
    do {                                                                                                               \
        eight x_ = -(of);                                                                                              \
        eight_whole low_ = x_ < -80.0f, high_ = x_ > 80.0f;                                                            \
        x_ = (eight)((low_ & (eight_whole)EIGHT(-80.0f)) | (high_ & (eight_whole)EIGHT(80.0f)) |                       \
                     (~(low_ | high_) & (eight_whole)x_));                                                             \
        eight shifted_ = x_ * 1.44269504f + ROUNDING;                                                                  \
        eight whole_ = shifted_ - ROUNDING;                                                                            \
        eight rest_ = x_ - whole_ * 0.693145752f - whole_ * 1.42860677e-6f;                                            \
        eight sum_ = rest_ * 0.00836977f + 0.0416664466f;                                                              \
        sum_ = rest_ * sum_ + 0.166666657f;                                                                            \
        sum_ = rest_ * sum_ + 0.5f;                                                                                    \
        sum_ = rest_ * sum_ + 1.0f;                                                                                    \
        sum_ = rest_ * sum_ + 1.0f;                                                                                    \
        (to) = 1.0f / (1.0f + sum_ * (eight)(((eight_whole)shifted_ << 23) + 0x3f800000));                             \
    } while (0)

/* A macro, because a function would be taken apart into what every processor has before it meets its caller. */
#define GATES_OF_UNITS                                                                                                 \
    for (int at = 0; at < UNITS; at += 8) {                                                                            \
        eight update, reset, candidate;                                                                                \
        SIGMOID(update, LOOSE(ready + at) + LOOSE(turned + at));                                                       \
        SIGMOID(reset, LOOSE(ready + UNITS + at) + LOOSE(turned + UNITS + at));                                        \
        candidate = LOOSE(turned + 2 * UNITS + at) + LOOSE(bias + at);                                                 \
        SIGMOID(candidate, 2.0f * (LOOSE(ready + 2 * UNITS + at) + reset * candidate));                                \
        candidate = 2.0f * candidate - 1.0f;                                                                           \
        candidate += update * (LOOSE(state + at) - candidate);                                                         \
        *(eight_loose *)(state + at) = candidate;                                                                      \
        eight_whole rounded = (eight_whole)(candidate * ONE + ROUNDING) - (eight_whole)EIGHT(ROUNDING);                \
        *(eight_short *)(out + at) = __builtin_convertvector(rounded, eight_short);                                    \
    }

static void gates_portable(const float *ready, const float *turned, const float *bias, float *state, int16_t *out)
{
    GATES_OF_UNITS
}

/* ---- the best path ---- */

/* Writes the tags of the best path. A tag that cannot catch up with the leading one is not followed. */
INLINE float path(const float *scores, const void *of, int length, uint8_t *back, uint8_t *tags)
{
    const Tagger *tagger = of;
    float best[SCORES], top[SCORES];
    int32_t from[SCORES];
    for (int n = 0; n < SCORES; n++)
        best[n] = n < TAGS ? scores[n] : -1e30f;
    for (int at = 1; at < length; at++) {
        int leading = 0;
        for (int p = 1; p < TAGS; p++)
            leading = best[p] > best[leading] ? p : leading;
        for (int n = 0; n < SCORES; n++) {
            top[n] = best[leading] + tagger->transitions[leading][n];
            from[n] = leading;
        }
        for (int p = 0; p < TAGS; p++) {
            if (p == leading || best[p] + tagger->catch_up[leading][p] < best[leading])
                continue;
            for (int n = 0; n < SCORES; n++) {
                float sum = best[p] + tagger->transitions[p][n];
                int wins = sum > top[n];
                top[n] = wins ? sum : top[n];
                from[n] = wins ? p : from[n];
            }
        }
        for (int n = 0; n < SCORES; n++) {
            best[n] = n < TAGS ? top[n] + scores[(size_t)at * SCORES + n] : -1e30f;
            back[(size_t)at * SCORES + n] = (uint8_t)from[n];
        }
    }
    int last = 0;
    for (int n = 1; n < TAGS; n++)
        last = best[n] > best[last] ? n : last;
    float total = best[last];
    for (int at = length - 1; at > 0; at--) {
        tags[at] = (uint8_t)last;
        last = back[(size_t)at * SCORES + last];
    }
    tags[0] = (uint8_t)last;
    return total;
}

static float path_portable(const float *scores, const void *of, int length, uint8_t *back, uint8_t *tags)
{
    return path(scores, of, length, back, tags);
}

#if KUIMEN_X86
AVX2 static void gates_avx2(const float *ready, const float *turned, const float *bias, float *state, int16_t *out)
{
    GATES_OF_UNITS
}

AVX2 static float path_avx2(const float *scores, const void *of, int length, uint8_t *back, uint8_t *tags)
{
    return path(scores, of, length, back, tags);
}
#endif

/* ---- the network ---- */

typedef struct {
    Py_ssize_t start; /* of its characters */
    int length;
} Window;

typedef struct {
    float *ready, *scores;
    int16_t *first, *second;
    uint8_t *back;
} Scratch;

static int longer_first(const void *one, const void *other)
{
    const Window *a = one, *b = other;
    return a->length != b->length ? (a->length < b->length ? 1 : -1) : (a->start > b->start) - (a->start < b->start);
}

/* One layer in one direction over a group: windows step together, each from its own end. `places[w]` is the row at
 * which the characters of a window begin. */
static void one_way(const Tagger *tagger, int layer, int way, const int32_t *numbers, const Window *windows, int count,
                    const int *places, const float *ready, int16_t *out)
{
    float state[MOST_WINDOWS][UNITS] = {{0}};
    int16_t before[MOST_WINDOWS][UNITS] = {{0}};
    float turned[MOST_WINDOWS][GATES];
    int active = count;
    for (int step = 0; step < windows[0].length; step++) {
        while (windows[active - 1].length <= step)
            active--;
        if (step)
            tagger->multiply(&tagger->recurrent[layer][way], before[0], UNITS, active, turned[0], GATES);
        else
            memset(turned, 0, sizeof turned);
        for (int w = 0; w < active; w++) {
            int at = way ? windows[w].length - 1 - step : step;
            const float *given = layer ? ready + (size_t)(places[w] + at) * WAYS * GATES
                                       : tagger->projected + (size_t)numbers[windows[w].start + at] * WAYS * GATES;
            tagger->gates(given + way * GATES, turned[w], tagger->recurrent_bias[layer][way], state[w], before[w]);
            memcpy(out + (size_t)(places[w] + at) * BOTH + way * UNITS, before[w], sizeof before[w]);
        }
    }
}

INLINE float odds_of(const float *scores)
{
    float person = scores[PERSON_BEGIN] > scores[PERSON_INSIDE] ? scores[PERSON_BEGIN] : scores[PERSON_INSIDE];
    float other = -1e30f;
    for (int n = 0; n < TAGS; n++)
        other = n != PERSON_BEGIN && n != PERSON_INSIDE && scores[n] > other ? scores[n] : other;
    return person - other;
}

/* Fills tags and odds of a group. */
static void read_group(const Tagger *tagger, const int32_t *numbers, const Window *windows, int count, float hopeless,
                       Scratch *scratch, uint8_t *tags, float *odds)
{
    int places[MOST_WINDOWS], total = 0;
    for (int w = 0; w < count; w++) {
        places[w] = total;
        total += windows[w].length;
    }
    for (int way = 0; way < WAYS; way++)
        one_way(tagger, 0, way, numbers, windows, count, places, NULL, scratch->first);
    tagger->multiply(&tagger->second, scratch->first, BOTH, total, scratch->ready, WAYS * GATES);
    for (int at = 0; at < total; at++)
        for (int n = 0; n < WAYS * GATES; n++)
            scratch->ready[(size_t)at * WAYS * GATES + n] += tagger->second_bias[n];
    for (int way = 0; way < WAYS; way++)
        one_way(tagger, 1, way, numbers, windows, count, places, scratch->ready, scratch->second);
    tagger->multiply(&tagger->last, scratch->second, BOTH, total, scratch->scores, SCORES);
    for (int w = 0; w < count; w++) {
        float *scores = scratch->scores + (size_t)places[w] * SCORES;
        int hopeful = 0;
        for (int at = 0; at < windows[w].length; at++) {
            float *here = scores + (size_t)at * SCORES;
            for (int n = 0; n < TAGS; n++)
                here[n] += tagger->last_bias[n];
            float lead = odds_of(here);
            odds[windows[w].start + at] = lead;
            hopeful |= lead > hopeless;
        }
        if (hopeful)
            tagger->path(scores, tagger, windows[w].length, scratch->back, tags + windows[w].start);
    }
}

static int take_scratch(Scratch *scratch, size_t characters)
{
    scratch->ready = malloc(characters * WAYS * GATES * sizeof *scratch->ready);
    scratch->scores = malloc(characters * SCORES * sizeof *scratch->scores);
    scratch->first = malloc(characters * BOTH * sizeof *scratch->first);
    scratch->second = malloc(characters * BOTH * sizeof *scratch->second);
    scratch->back = malloc(characters * SCORES);
    return scratch->ready && scratch->scores && scratch->first && scratch->second && scratch->back;
}

static void drop_scratch(Scratch *scratch)
{
    free(scratch->ready);
    free(scratch->scores);
    free(scratch->first);
    free(scratch->second);
    free(scratch->back);
}

static int read_all(const Tagger *tagger, const int32_t *numbers, Window *windows, Py_ssize_t count, float hopeless,
                    uint8_t *tags, float *odds)
{
    qsort(windows, (size_t)count, sizeof *windows, longer_first);
    size_t most = 1, whole = 0;
    for (Py_ssize_t at = 0; at < count; at++)
        whole += (size_t)windows[at].length;
    if (count)
        most = (size_t)windows[0].length > MOST_CHARACTERS ? (size_t)windows[0].length : MOST_CHARACTERS;
    Scratch scratch;
    int ready = take_scratch(&scratch, most < whole ? most : whole + 1);
    for (Py_ssize_t begin = 0; ready && begin < count;) {
        Py_ssize_t finish = begin;
        int characters = 0;
        while (finish < count && finish - begin < MOST_WINDOWS &&
               (finish == begin || characters + windows[finish].length <= MOST_CHARACTERS))
            characters += windows[finish++].length;
        read_group(tagger, numbers, windows + begin, (int)(finish - begin), hopeless, &scratch, tags, odds);
        begin = finish;
    }
    drop_scratch(&scratch);
    return ready;
}

/* ---- building ---- */

static void free_panel(Panel *panel)
{
    free(panel->weights);
    free(panel->scales);
}

static void free_tagger(Tagger *tagger)
{
    if (!tagger)
        return;
    for (int layer = 0; layer < LAYERS; layer++)
        for (int way = 0; way < WAYS; way++)
            free_panel(&tagger->recurrent[layer][way]);
    free_panel(&tagger->second);
    free_panel(&tagger->last);
    free(tagger->projected);
    free(tagger);
}

static void drop_capsule(PyObject *capsule) { free_tagger(PyCapsule_GetPointer(capsule, CAPSULE)); }

/* Takes rows of weights; the scale of a row is the finest whose sum cannot leave 32 bits. */
static int fill_panel(Panel *panel, const float *rows, int outputs, int inputs)
{
    panel->inputs = inputs;
    panel->outputs = (outputs + TILE - 1) / TILE * TILE;
    size_t size = (size_t)panel->outputs * (size_t)inputs * sizeof *panel->weights; /* a multiple of 32 */
    panel->weights = aligned_alloc(32, size);
    panel->scales = calloc((size_t)panel->outputs, sizeof *panel->scales);
    if (!panel->weights || !panel->scales)
        return 0;
    memset(panel->weights, 0, size);
    for (int n = 0; n < outputs; n++) {
        float largest = 1e-9f, sum = 1e-9f;
        for (int k = 0; k < inputs; k++) {
            float weight = fabsf(rows[n * inputs + k]);
            largest = weight > largest ? weight : largest;
            sum += weight;
        }
        float by_sum = (2147483000.0f / ONE - (float)inputs) / sum, by_largest = 32767.0f / largest;
        float scale = by_sum < by_largest ? by_sum : by_largest;
        panel->scales[n] = 1.0f / (scale * ONE);
        int16_t *tile = panel->weights + (size_t)(n / TILE) * TILE * (size_t)inputs;
        for (int k = 0; k < inputs; k++)
            tile[(k / 2) * 2 * TILE + 2 * (n % TILE) + k % 2] = (int16_t)lrintf(rows[n * inputs + k] * scale);
    }
    return 1;
}

static void choose_path(Tagger *tagger, int portable)
{
    tagger->multiply = multiply_portable;
    tagger->gates = gates_portable;
    tagger->path = path_portable;
#if KUIMEN_X86
    __builtin_cpu_init();
    if (!portable && __builtin_cpu_supports("avx2")) {
        tagger->multiply = multiply_avx2;
        tagger->gates = gates_avx2;
        tagger->path = path_avx2;
    }
#else
    (void)portable;
#endif
}

static void fill_transitions(Tagger *tagger, const float *transitions)
{
    for (int from = 0; from < TAGS; from++)
        for (int to = 0; to < SCORES; to++)
            tagger->transitions[from][to] = to < TAGS ? transitions[from * TAGS + to] : -1e30f;
    for (int one = 0; one < TAGS; one++)
        for (int other = 0; other < TAGS; other++) {
            float most = -1e30f;
            for (int to = 0; to < TAGS; to++) {
                float gain = tagger->transitions[other][to] - tagger->transitions[one][to];
                most = gain > most ? gain : most;
            }
            tagger->catch_up[one][other] = most;
        }
}

enum { PROJECTED, RECURRENT, RECURRENT_BIAS, SECOND, SECOND_BIAS, LAST, LAST_BIAS, TRANSITIONS, GIVEN };

static Tagger *make_tagger(const Py_buffer *given, int portable)
{
    Tagger *tagger = calloc(1, sizeof *tagger);
    if (!tagger)
        return NULL;
    const float *recurrent = given[RECURRENT].buf;
    int filled = 1;
    for (int at = 0; at < LAYERS * WAYS; at++)
        filled &= fill_panel(&tagger->recurrent[at / WAYS][at % WAYS], recurrent + (size_t)at * GATES * UNITS, GATES, UNITS);
    filled &= fill_panel(&tagger->second, given[SECOND].buf, WAYS * GATES, BOTH);
    filled &= fill_panel(&tagger->last, given[LAST].buf, TAGS, BOTH);
    tagger->projected = malloc((size_t)given[PROJECTED].len);
    if (!filled || !tagger->projected) {
        free_tagger(tagger);
        return NULL;
    }
    memcpy(tagger->projected, given[PROJECTED].buf, (size_t)given[PROJECTED].len);
    tagger->characters = (int)((size_t)given[PROJECTED].len / (WAYS * GATES * sizeof(float)));
    memcpy(tagger->recurrent_bias, given[RECURRENT_BIAS].buf, sizeof tagger->recurrent_bias);
    memcpy(tagger->second_bias, given[SECOND_BIAS].buf, sizeof tagger->second_bias);
    memcpy(tagger->last_bias, given[LAST_BIAS].buf, TAGS * sizeof(float));
    fill_transitions(tagger, given[TRANSITIONS].buf);
    choose_path(tagger, portable);
    return tagger;
}

static PyObject *tagger_new(PyObject *module, PyObject *args)
{
    static const Py_ssize_t numbers[GIVEN] = {
        0, LAYERS * WAYS * GATES * UNITS, LAYERS * WAYS * UNITS, WAYS * GATES * BOTH, WAYS * GATES, TAGS * BOTH, TAGS,
        TAGS * TAGS,
    };
    Py_buffer given[GIVEN];
    int portable;
    PyObject *capsule = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*y*y*p", &given[0], &given[1], &given[2], &given[3], &given[4], &given[5],
                          &given[6], &given[7], &portable))
        return NULL;
    int fits = given[0].len && given[0].len % (Py_ssize_t)(WAYS * GATES * sizeof(float)) == 0;
    for (int at = 1; at < GIVEN; at++)
        fits &= given[at].len == numbers[at] * (Py_ssize_t)sizeof(float);
    if (fits) {
        Tagger *tagger = make_tagger(given, portable);
        capsule = tagger ? PyCapsule_New(tagger, CAPSULE, drop_capsule) : PyErr_NoMemory();
        if (!capsule)
            free_tagger(tagger);
    } else {
        PyErr_SetString(PyExc_ValueError, "weights: not of the sizes of this network");
    }
    for (int at = 0; at < GIVEN; at++)
        PyBuffer_Release(&given[at]);
    return capsule;
}

/* Fills `windows`; returns 0 with an exception when lengths and numbers do not fit. */
static int take_windows(const Tagger *tagger, const Py_buffer *numbers, const Py_buffer *lengths, Window *windows)
{
    Py_ssize_t characters = numbers->len / 4, start = 0;
    const int32_t *number = numbers->buf, *length = lengths->buf;
    for (Py_ssize_t at = 0; at < lengths->len / 4; at++) {
        if (length[at] < 1 || length[at] > LONGEST_WINDOW || length[at] > characters - start) {
            PyErr_SetString(PyExc_ValueError, "lengths: every window has 1 to 8192 of the characters given");
            return 0;
        }
        windows[at] = (Window){start, length[at]};
        start += length[at];
    }
    for (Py_ssize_t at = 0; at < start; at++)
        if (number[at] < 0 || number[at] >= tagger->characters) {
            PyErr_SetString(PyExc_ValueError, "numbers: a character is unknown");
            return 0;
        }
    return 1;
}

static PyObject *tagger_tag(PyObject *module, PyObject *args)
{
    PyObject *capsule, *tags = NULL, *odds = NULL, *answer = NULL;
    Py_buffer numbers, lengths;
    float hopeless;
    (void)module;
    if (!PyArg_ParseTuple(args, "Oy*y*f", &capsule, &numbers, &lengths, &hopeless))
        return NULL;
    const Tagger *tagger = PyCapsule_GetPointer(capsule, CAPSULE);
    Py_ssize_t count = lengths.len / 4, characters = numbers.len / 4;
    Window *windows = tagger ? malloc((size_t)(count + 1) * sizeof *windows) : NULL;
    if (tagger && !windows)
        PyErr_NoMemory();
    if (windows && take_windows(tagger, &numbers, &lengths, windows) &&
        (tags = PyBytes_FromStringAndSize(NULL, characters)) &&
        (odds = PyBytes_FromStringAndSize(NULL, characters * (Py_ssize_t)sizeof(float)))) {
        uint8_t *tag = (uint8_t *)PyBytes_AsString(tags);
        float *lead = (float *)(void *)PyBytes_AsString(odds);
        int read;
        memset(tag, 0, (size_t)characters);
        memset(lead, 0, (size_t)characters * sizeof *lead);
        Py_BEGIN_ALLOW_THREADS
        read = read_all(tagger, numbers.buf, windows, count, hopeless, tag, lead);
        Py_END_ALLOW_THREADS
        answer = read ? PyTuple_Pack(2, tags, odds) : PyErr_NoMemory();
    }
    Py_XDECREF(tags);
    Py_XDECREF(odds);
    free(windows);
    PyBuffer_Release(&numbers);
    PyBuffer_Release(&lengths);
    return answer;
}

PyMethodDef kuimen_tagger_methods[] = {
    {"tagger_new", tagger_new, METH_VARARGS,
     "tagger_new(projected, recurrent, recurrent_bias, second, second_bias, last, last_bias, transitions, portable): "
     "the network made ready; all weights are 32-bit floats."},
    {"tagger_tag", tagger_tag, METH_VARARGS,
     "tagger_tag(tagger, numbers, lengths, hopeless): a byte per character with its tag and a 32-bit float with the "
     "odds of a person; windows whose odds stay below `hopeless` have tags of 0."},
    {NULL, NULL, 0, NULL},
};
