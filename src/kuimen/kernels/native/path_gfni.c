/* The path for processors with GFNI: both affine maps and the inversion of the S-box are one instruction each. With
 * KUIMEN_EMULATE_GFNI, which only the tests define, the two instructions are written out, so that the path can be tried
 * on processors without them. */
#include "native.h"

#include "cipher.h"

#if KUIMEN_X86

#include <immintrin.h>

#if defined(KUIMEN_EMULATE_GFNI) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,aes,pclmul"))), apply_to = function)
#elif defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,aes,pclmul,gfni"))), apply_to = function)
#else
#pragma GCC push_options
#if defined(KUIMEN_EMULATE_GFNI)
#pragma GCC target("avx2,aes,pclmul")
#else
#pragma GCC target("avx2,aes,pclmul,gfni")
#endif
#endif

#define PATH(name) name##_gfni

#if defined(KUIMEN_EMULATE_GFNI)
#include "gfni_emulation.h"
#else
#define AFFINE(from, matrix, constant) _mm256_gf2p8affine_epi64_epi8((from), (matrix), (constant))
#define INVERT_AFFINE(from, matrix, constant) _mm256_gf2p8affineinv_epi64_epi8((from), (matrix), (constant))
#endif

INLINE __m256i SUBSTITUTE(__m256i from)
{
    const __m256i in = _mm256_set1_epi64x(0x4c287db91a22505dLL), out = _mm256_set1_epi64x((long long)0xf3ab34a974a6b589ULL);
    return INVERT_AFFINE(AFFINE(from, in, 0x3e), out, 0xd3);
}

#include "path_x86.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
