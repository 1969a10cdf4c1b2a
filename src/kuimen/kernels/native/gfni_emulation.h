/* What the two instructions of GFNI do, byte by byte, as Intel's manual defines them. Slow; for the tests alone. */

static uint8_t gfni_affine(uint8_t from, uint64_t matrix, uint8_t constant)
{
    uint8_t to = 0;
    for (int bit = 0; bit < 8; bit++) {
        uint8_t row = (uint8_t)(matrix >> (8 * (7 - bit)));
        to |= (uint8_t)((__builtin_popcount(row & from) & 1) << bit);
    }
    return to ^ constant;
}

static uint8_t gfni_multiply(uint8_t one, uint8_t other)
{
    unsigned product = 0;
    for (int bit = 0; bit < 8; bit++)
        product ^= (other >> bit & 1) ? (unsigned)one << bit : 0;
    for (int bit = 14; bit >= 8; bit--)
        product ^= (product >> bit & 1) ? 0x11bU << (bit - 8) : 0;
    return (uint8_t)product;
}

static uint8_t gfni_inverse(uint8_t from)
{
    uint8_t power = from; /* from^254, the inverse; zero stays zero */
    for (int bit = 0; bit < 6; bit++)
        power = gfni_multiply(gfni_multiply(power, power), from);
    return gfni_multiply(power, power);
}

static __m256i gfni_bytes(__m256i from, __m256i matrix, uint8_t constant, int invert)
{
    uint8_t bytes[32];
    uint64_t matrices[4];
    _mm256_storeu_si256((__m256i *)bytes, from);
    _mm256_storeu_si256((__m256i *)matrices, matrix);
    for (int at = 0; at < 32; at++)
        bytes[at] = gfni_affine(invert ? gfni_inverse(bytes[at]) : bytes[at], matrices[at / 8], constant);
    return _mm256_loadu_si256((const __m256i *)bytes);
}

#define AFFINE(from, matrix, constant) gfni_bytes((from), (matrix), (constant), 0)
#define INVERT_AFFINE(from, matrix, constant) gfni_bytes((from), (matrix), (constant), 1)
