/* GHASH with the carry-less multiplication of the processor. Blocks are byte-swapped, so that the polynomial's first
 * coefficient is the highest bit. The product of two such numbers comes out one place too low; the key is therefore
 * kept times x. With p0 the lowest quarter of a product, x^128 = x^7 + x^2 + x + 1 says: p0 is added to the third
 * quarter, and p0 times 0xc2..0 (x^63 + x^62 + x^57) to the second and third. Twice that is the reduction. */

typedef struct {
    __m128i power[POWERS_KEPT];  /* H x, H^2 x, ... */
    __m128i folded[POWERS_KEPT]; /* both halves of it, added, for Karatsuba */
} gh_key;

typedef __m128i gh_state;

typedef struct {
    __m128i low, high, cross;
} gh_sum;

INLINE __m128i gh_swap(__m128i from)
{
    return _mm_shuffle_epi8(from, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

INLINE __m128i gh_fold(__m128i from) { return _mm_xor_si128(from, _mm_shuffle_epi32(from, 0x4e)); }

INLINE gh_state gh_zero(void) { return _mm_setzero_si128(); }

INLINE gh_sum gh_no_sum(void) { return (gh_sum){_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()}; }

INLINE void gh_add(gh_sum *sum, const gh_key *key, int power, __m128i one)
{
    const __m128i factor = key->power[power - 1];
    sum->low = _mm_xor_si128(sum->low, _mm_clmulepi64_si128(one, factor, 0x00));
    sum->high = _mm_xor_si128(sum->high, _mm_clmulepi64_si128(one, factor, 0x11));
    sum->cross = _mm_xor_si128(sum->cross, _mm_clmulepi64_si128(gh_fold(one), key->folded[power - 1], 0x00));
}

INLINE gh_state gh_reduce(const gh_sum *sum)
{
    const __m128i fold = _mm_set_epi64x(0, (long long)0xc200000000000000ULL);
    __m128i cross = _mm_xor_si128(sum->cross, _mm_xor_si128(sum->low, sum->high));
    __m128i low = _mm_xor_si128(sum->low, _mm_slli_si128(cross, 8));
    __m128i high = _mm_xor_si128(sum->high, _mm_srli_si128(cross, 8));
    low = _mm_xor_si128(_mm_shuffle_epi32(low, 0x4e), _mm_clmulepi64_si128(low, fold, 0x00));
    low = _mm_xor_si128(_mm_shuffle_epi32(low, 0x4e), _mm_clmulepi64_si128(low, fold, 0x00));
    return _mm_xor_si128(high, low);
}

INLINE void gh_init(gh_key *key, const uint8_t *h, int powers)
{
    __m128i start = gh_swap(_mm_loadu_si128((const __m128i *)h));
    __m128i carry = _mm_srai_epi32(_mm_shuffle_epi32(start, 0xff), 31); /* all ones where the highest bit is set */
    __m128i moved = _mm_or_si128(_mm_slli_epi64(start, 1), _mm_slli_si128(_mm_srli_epi64(start, 63), 8));
    __m128i wrap = _mm_set_epi64x((long long)0xc200000000000000ULL, 1);
    key->power[0] = _mm_xor_si128(moved, _mm_and_si128(carry, wrap));
    key->folded[0] = gh_fold(key->power[0]);
    for (int power = 2; power <= powers; power++) {
        gh_sum sum = gh_no_sum();
        gh_add(&sum, key, 1, key->power[power - 2]);
        key->power[power - 1] = gh_reduce(&sum);
        key->folded[power - 1] = gh_fold(key->power[power - 1]);
    }
}

INLINE gh_state gh_blocks(const gh_key *key, int powers, gh_state state, const uint8_t *bytes, size_t count)
{
    while (count) {
        int here = count < (size_t)powers ? (int)count : powers;
        gh_sum sum = gh_no_sum();
        for (int at = 0; at < here; at++) {
            __m128i one = gh_swap(_mm_loadu_si128((const __m128i *)(bytes + 16 * at)));
            gh_add(&sum, key, here - at, at == 0 ? _mm_xor_si128(one, state) : one);
        }
        state = gh_reduce(&sum);
        bytes += 16 * here;
        count -= (size_t)here;
    }
    return state;
}

/* The last blocks, the tail and the lengths under one reduction where the powers reach. */
INLINE gh_state gh_last(const gh_key *key, int powers, gh_state state, const uint8_t *bytes, size_t count,
                        const block *tail, block lengths)
{
    size_t behind = tail ? 2 : 1;
    if (count + behind > (size_t)powers) {
        size_t before = powers < 3 ? count : (count + behind - 1) / (size_t)powers * (size_t)powers;
        before = before < count ? before : count;
        state = gh_blocks(key, powers, state, bytes, before);
        bytes += 16 * before;
        count -= before;
    }
    if (count + behind <= (size_t)powers) {
        int power = (int)(count + behind);
        gh_sum sum = gh_no_sum();
        for (size_t at = 0; at < count; at++, power--) {
            __m128i one = gh_swap(_mm_loadu_si128((const __m128i *)(bytes + 16 * at)));
            gh_add(&sum, key, power, _mm_xor_si128(one, state));
            state = gh_zero();
        }
        if (tail) {
            gh_add(&sum, key, power--, _mm_xor_si128(gh_swap((__m128i)*tail), state));
            state = gh_zero();
        }
        gh_add(&sum, key, 1, _mm_xor_si128(gh_swap((__m128i)lengths), state));
        return gh_reduce(&sum);
    }
    if (tail) {
        gh_sum sum = gh_no_sum();
        gh_add(&sum, key, 1, _mm_xor_si128(gh_swap((__m128i)*tail), state));
        state = gh_reduce(&sum);
    }
    gh_sum sum = gh_no_sum();
    gh_add(&sum, key, 1, _mm_xor_si128(gh_swap((__m128i)lengths), state));
    return gh_reduce(&sum);
}

INLINE block gh_out(gh_state state) { return (block)gh_swap(state); }
