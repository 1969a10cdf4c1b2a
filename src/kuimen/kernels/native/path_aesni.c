/* The path for processors with AES-NI, PCLMULQDQ and AVX2. KUIMEN_SPOIL_AESNI, which only the tests define, turns one
 * bit of the S-box, so that the path must fail its known answers. */
#include "native.h"

#include "cipher.h"

#if KUIMEN_X86

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,aes,pclmul"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,aes,pclmul")
#endif

#define PATH(name) name##_aesni

INLINE __m256i LAST(__m256i from)
{
#if defined(KUIMEN_SPOIL_AESNI)
    const __m128i key = _mm_set_epi64x(0, 1);
#else
    const __m128i key = _mm_setzero_si128();
#endif
    __m128i low = _mm_aesenclast_si128(_mm256_castsi256_si128(from), key);
    __m128i high = _mm_aesenclast_si128(_mm256_extracti128_si256(from, 1), key);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

#include "sm4_by_aes.h"

#include "path_x86.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
