#include "weights/dequantize.h"

#include <array>
#include <cstdint>
#include <cstring>

#include <ATen/Parallel.h>

#include "core/tensor.h"

// Names of parts are those of ggml's block structures: d and dmin scale a block, `scales` its parts, qs holds
// the low bits of the numbers, qh the high ones.

namespace t2v {
namespace {

using Bytes = const uint8_t*;

constexpr std::array<int8_t, 16> kNonLinear = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};

float half(Bytes bytes) {
  uint16_t bits;
  std::memcpy(&bits, bytes, sizeof(bits));
  return static_cast<float>(c10::Half(bits, c10::Half::from_bits()));
}

float number(int value) { return static_cast<float>(value); }

/// 32 numbers of 4 bits: the low halves of 16 bytes, then the high ones.
template <typename Convert>
void nibbles(Bytes qs, const Convert& convert) {
  for (int i = 0; i < 32; ++i) convert(i, i < 16 ? qs[i] & 0xF : qs[i - 16] >> 4);
}

void q4_0(Bytes block, float* y) {
  const float d = half(block);
  nibbles(block + 2, [&](int i, int q) { y[i] = d * number(q - 8); });
}

void q4_1(Bytes block, float* y) {
  const float d = half(block), m = half(block + 2);
  nibbles(block + 4, [&](int i, int q) { y[i] = d * number(q) + m; });
}

/// Bit `i` of a bit field.
int bit(Bytes field, int i) { return field[i / 8] >> (i % 8) & 1; }

void q5_0(Bytes block, float* y) {
  const float d = half(block);
  nibbles(block + 6, [&](int i, int q) { y[i] = d * number((q | bit(block + 2, i) << 4) - 16); });
}

void q5_1(Bytes block, float* y) {
  const float d = half(block), m = half(block + 2);
  nibbles(block + 8, [&](int i, int q) { y[i] = d * number(q | bit(block + 4, i) << 4) + m; });
}

void q8_0(Bytes block, float* y) {
  const float d = half(block);
  for (int i = 0; i < 32; ++i) y[i] = number(static_cast<int8_t>(block[2 + i])) * d;
}

void iq4_nl(Bytes block, float* y) {
  const float d = half(block);
  nibbles(block + 2, [&](int i, int q) { y[i] = d * number(kNonLinear[q]); });
}

/// Number i of a block of 256 with 2 bits each: 32 bytes hold numbers 0 to 127, 32 more the rest.
int two_bits(Bytes qs, int i) { return qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3; }

void q2_k(Bytes block, float* y) {
  Bytes scales = block, qs = block + 16;
  const float d = half(block + 80), dmin = half(block + 82);
  for (int i = 0; i < 256; ++i) {
    const int scale = scales[i / 16];
    y[i] = d * number(scale & 0xF) * number(two_bits(qs, i)) - dmin * number(scale >> 4);
  }
}

void q3_k(Bytes block, float* y) {
  Bytes hmask = block, qs = block + 32, scales = block + 96;
  const float d = half(block + 108);
  for (int i = 0; i < 256; ++i) {
    const int part = i / 16;
    const int low = part < 8 ? scales[part] & 0xF : scales[part - 8] >> 4;
    const int scale = low | (scales[8 + part % 4] >> (part / 4 * 2) & 3) << 4;
    const int high = hmask[i % 32] >> (i / 32) & 1;  // a set bit means that 4 is not taken away
    y[i] = d * number(scale - 32) * number(two_bits(qs, i) - (high == 1 ? 0 : 4));
  }
}

/// The scale and the minimum, 6 bits each, of one of the 8 parts of a Q4_K or Q5_K block.
struct ScaleAndMin {
  int scale, min;
};
ScaleAndMin scale_and_min(Bytes scales, int part) {
  if (part < 4) return {scales[part] & 63, scales[part + 4] & 63};
  return {(scales[part + 4] & 0xF) | (scales[part - 4] >> 6) << 4, scales[part + 4] >> 4 | (scales[part] >> 6)
                                                                                               << 4};
}

/// Number i of a block of 256 with 4 bits each: 32 bytes hold 64 numbers, first the low halves.
int four_bits(Bytes qs, int i) { return qs[i / 64 * 32 + i % 32] >> (i % 64 / 32 * 4) & 0xF; }

void q4_k(Bytes block, float* y) {
  const float d = half(block), dmin = half(block + 2);
  for (int i = 0; i < 256; ++i) {
    const auto [scale, min] = scale_and_min(block + 4, i / 32);
    y[i] = d * number(scale) * number(four_bits(block + 16, i)) - dmin * number(min);
  }
}

void q5_k(Bytes block, float* y) {
  Bytes qh = block + 16, qs = block + 48;
  const float d = half(block), dmin = half(block + 2);
  for (int i = 0; i < 256; ++i) {
    const auto [scale, min] = scale_and_min(block + 4, i / 32);
    const int q = four_bits(qs, i) | (qh[i % 32] >> (i / 32) & 1) << 4;
    y[i] = d * number(scale) * number(q) - dmin * number(min);
  }
}

void q6_k(Bytes block, float* y) {
  Bytes ql = block, qh = block + 128, scales = block + 192;
  const float d = half(block + 208);
  for (int i = 0; i < 256; ++i) {
    // 64 bytes hold 128 numbers, first the low halves.
    const int low = ql[i / 128 * 64 + i % 64] >> (i % 128 / 64 * 4) & 0xF;
    const int q = (low | two_bits(qh, i) << 4) - 32;
    y[i] = d * number(static_cast<int8_t>(scales[i / 16])) * number(q);
  }
}

void iq4_xs(Bytes block, float* y) {
  const float d = half(block);
  const int scales_h = block[2] | block[3] << 8;
  Bytes scales_l = block + 4, qs = block + 8;
  for (int part = 0; part < 8; ++part) {
    const int low = scales_l[part / 2] >> (part % 2 * 4) & 0xF;
    const float scale = d * number((low | (scales_h >> (2 * part) & 3) << 4) - 32);
    nibbles(qs + 16 * part, [&](int i, int q) { y[32 * part + i] = scale * number(kNonLinear[q]); });
  }
}

auto block_function(NumberFormat format) -> void (*)(Bytes, float*) {
  switch (format) {
    case NumberFormat::kQ4_0:
      return q4_0;
    case NumberFormat::kQ4_1:
      return q4_1;
    case NumberFormat::kQ5_0:
      return q5_0;
    case NumberFormat::kQ5_1:
      return q5_1;
    case NumberFormat::kQ8_0:
      return q8_0;
    case NumberFormat::kQ2_K:
      return q2_k;
    case NumberFormat::kQ3_K:
      return q3_k;
    case NumberFormat::kQ4_K:
      return q4_k;
    case NumberFormat::kQ5_K:
      return q5_k;
    case NumberFormat::kQ6_K:
      return q6_k;
    case NumberFormat::kIQ4_NL:
      return iq4_nl;
    case NumberFormat::kIQ4_XS:
      return iq4_xs;
    default:
      throw Error(ErrorCode::kBug, {.doing = "dequantizing " + std::string(number_format_name(format))});
  }
}

}  // namespace

void dequantize(NumberFormat format, std::span<const std::byte> blocks, std::span<float> numbers) {
  const auto dequantize_block = block_function(format);
  const NumberBlock block = number_block(format);
  const auto count = static_cast<int64_t>(blocks.size()) / block.bytes;
  const auto* first = reinterpret_cast<Bytes>(blocks.data());
  at::parallel_for(0, count, 256, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      dequantize_block(first + i * block.bytes, numbers.data() + i * block.numbers);
    }
  });
}

}  // namespace t2v
