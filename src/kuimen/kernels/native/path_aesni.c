/* The path for processors with AES-NI, PCLMULQDQ and AVX2. */
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
    const __m128i zero = _mm_setzero_si128();
    __m128i low = _mm_aesenclast_si128(_mm256_castsi256_si128(from), zero);
    __m128i high = _mm_aesenclast_si128(_mm256_extracti128_si256(from, 1), zero);
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
