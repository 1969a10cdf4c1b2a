/* The path for processors with VAES: AES-NI on 32 bytes at once. */
#include "native.h"

#include "cipher.h"

#if KUIMEN_X86

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,aes,pclmul,vaes"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,aes,pclmul,vaes")
#endif

#define PATH(name) name##_vaes

INLINE __m256i LAST(__m256i from) { return _mm256_aesenclast_epi128(from, _mm256_setzero_si256()); }

#include "sm4_by_aes.h"

#include "path_x86.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
