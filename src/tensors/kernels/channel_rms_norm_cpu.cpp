#include "tensors/kernels/channel_rms_norm_cpu.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace t2v {
namespace {

constexpr float kSmallestNorm = 1e-12F;

/// e^x in plain arithmetic, for vector code: 2^n * e^r with an integer n and |r| <= ln(2)/2 (Cephes). x is
/// clamped to -87 to 88. The error is at most 2 units in the last place.
[[gnu::always_inline]] inline float exponential(float x) {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it puts the nearest integer into the low bits
  x = x < -87.0F ? -87.0F : x;
  x = x > 88.0F ? 88.0F : x;
  const float shifted = x * 1.44269504F + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  return p * std::bit_cast<float>((std::bit_cast<uint32_t>(shifted) << 23) + 0x3F800000U);
}

template <bool kSilu>
[[gnu::always_inline]] inline void normalize(const Rows& rows, int64_t begin, int64_t end) {
  const int64_t channels = rows.channels;
  const float* weight = rows.weight;
  for (int64_t row = begin; row < end; ++row) {
    const float* x = rows.x + row * channels;
    float* y = rows.y + row * channels;
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (int64_t c = 0; c < channels; ++c) sum += x[c] * x[c];
    const float norm = std::sqrt(sum);
    // This comparison keeps NaN.
    const float inverse = 1.0F / (norm < kSmallestNorm ? kSmallestNorm : norm);
#pragma omp simd
    for (int64_t c = 0; c < channels; ++c) {
      const float value = x[c] * inverse * weight[c];
      y[c] = kSilu ? value / (1.0F + exponential(-value)) : value;
    }
  }
}

[[gnu::always_inline]] inline void normalize(const Rows& rows, int64_t begin, int64_t end, bool silu) {
  silu ? normalize<true>(rows, begin, end) : normalize<false>(rows, begin, end);
}

// The same loop, compiled for each kind of vectors.
using Loop = void (*)(const Rows&, int64_t, int64_t, bool);

void normalize_any(const Rows& rows, int64_t begin, int64_t end, bool silu) {
  normalize(rows, begin, end, silu);
}

#ifdef __x86_64__
[[gnu::target("avx2,fma")]] void normalize_avx2(const Rows& rows, int64_t begin, int64_t end, bool silu) {
  normalize(rows, begin, end, silu);
}

[[gnu::target("avx512f,avx512dq,avx512vl,fma")]] void normalize_avx512(const Rows& rows, int64_t begin,
                                                                       int64_t end, bool silu) {
  normalize(rows, begin, end, silu);
}

Loop loop_for(Vectors vectors) {
  if (vectors == Vectors::kAvx512) return normalize_avx512;
  return vectors == Vectors::kAvx2 ? normalize_avx2 : normalize_any;
}
#else
Loop loop_for(Vectors) { return normalize_any; }
#endif

}  // namespace

void normalize_rows(const Rows& rows, bool silu, Vectors vectors) {
  const Loop loop = loop_for(vectors);
  constexpr int64_t kSmallestShare = 1 << 15;  // floats; waking a thread for less takes longer than the work
  const int64_t shares = std::max<int64_t>(1, rows.count * rows.channels / kSmallestShare);
#pragma omp parallel for schedule(static) if (shares > 1)
  for (int64_t share = 0; share < shares; ++share) {
    loop(rows, rows.count * share / shares, rows.count * (share + 1) / shares, silu);
  }
}

}  // namespace t2v
