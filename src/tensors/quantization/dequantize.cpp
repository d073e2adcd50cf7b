#include "tensors/quantization/dequantize.h"

#include <array>
#include <cstdint>
#include <cstring>

#include <ATen/Parallel.h>

#include "tensors/tensor.h"

// Names are from ggml's block structures: d and dmin scale a block, `scales` scales its parts, qs holds the
// low bits of the numbers, qh the high bits.

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

/// 32 numbers of 4 bits: the low halves of 16 bytes, then the high halves.
template <typename Convert>
void nibbles(Bytes qs, const Convert& convert) {
  for (int i = 0; i < 16; ++i) convert(i, qs[i] & 0xF);
  for (int i = 0; i < 16; ++i) convert(i + 16, qs[i] >> 4);
}

void q4_0(Bytes block, float* y) {
  const float d = half(block);
  nibbles(block + 2, [&](int i, int q) { y[i] = d * number(q - 8); });
}

void q4_1(Bytes block, float* y) {
  const float d = half(block), m = half(block + 2);
  nibbles(block + 4, [&](int i, int q) { y[i] = d * number(q) + m; });
}

uint32_t bit_field(Bytes bytes) {
  uint32_t bits;
  std::memcpy(&bits, bytes, sizeof(bits));
  return bits;
}

void q5_0(Bytes block, float* y) {
  const float d = half(block);
  const uint32_t qh = bit_field(block + 2);
  nibbles(block + 6, [&](int i, int q) { y[i] = d * number((q | static_cast<int>(qh >> i & 1) << 4) - 16); });
}

void q5_1(Bytes block, float* y) {
  const float d = half(block), m = half(block + 2);
  const uint32_t qh = bit_field(block + 4);
  nibbles(block + 8, [&](int i, int q) { y[i] = d * number(q | static_cast<int>(qh >> i & 1) << 4) + m; });
}

void q8_0(Bytes block, float* y) {
  const float d = half(block);
  for (int i = 0; i < 32; ++i) y[i] = number(static_cast<int8_t>(block[2 + i])) * d;
}

void iq4_nl(Bytes block, float* y) {
  const float d = half(block);
  nibbles(block + 2, [&](int i, int q) { y[i] = d * number(kNonLinear[q]); });
}

// Blocks of 256 are read in parts that share a scale, so that the compiler vectorises the inner loop.

/// 2 bits of each of the 16 numbers in part 0 to 15 of a block: 32 bytes hold 128 numbers.
struct TwoBits {
  Bytes bytes;
  int shift;

  TwoBits(Bytes qs, int part) : bytes(qs + part / 8 * 32 + part % 2 * 16), shift(part % 8 / 2 * 2) {}
  int operator[](int i) const { return bytes[i] >> shift & 3; }
};

void q2_k(Bytes block, float* y) {
  const float d = half(block + 80), dmin = half(block + 82);
  for (int part = 0; part < 16; ++part, y += 16) {
    const TwoBits q(block + 16, part);
    const float scale = d * number(block[part] & 0xF), min = dmin * number(block[part] >> 4);
    for (int i = 0; i < 16; ++i) y[i] = scale * number(q[i]) - min;
  }
}

void q3_k(Bytes block, float* y) {
  Bytes scales = block + 96;
  const float d = half(block + 108);
  for (int part = 0; part < 16; ++part, y += 16) {
    const int low = part < 8 ? scales[part] & 0xF : scales[part - 8] >> 4;
    const float scale = d * number((low | (scales[8 + part % 4] >> (part / 4 * 2) & 3) << 4) - 32);
    const TwoBits q(block + 32, part);
    Bytes hmask = block + part % 2 * 16;
    // A set bit means that 4 is not subtracted.
    for (int i = 0; i < 16; ++i) y[i] = scale * number(q[i] - 4 + (hmask[i] >> (part / 2) & 1) * 4);
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

/// The shift to the 4 bits of part 0 to 7. The bits are in the bytes from part / 2 * 32 on.
int shift_of(int part) { return part % 2 * 4; }

void q4_k(Bytes block, float* y) {
  const float d = half(block), dmin = half(block + 2);
  for (int part = 0; part < 8; ++part, y += 32) {
    const auto [scale, min] = scale_and_min(block + 4, part);
    const float factor = d * number(scale), offset = dmin * number(min);
    Bytes qs = block + 16 + part / 2 * 32;
    for (int i = 0; i < 32; ++i) y[i] = factor * number(qs[i] >> shift_of(part) & 0xF) - offset;
  }
}

void q5_k(Bytes block, float* y) {
  Bytes qh = block + 16;
  const float d = half(block), dmin = half(block + 2);
  for (int part = 0; part < 8; ++part, y += 32) {
    const auto [scale, min] = scale_and_min(block + 4, part);
    const float factor = d * number(scale), offset = dmin * number(min);
    Bytes qs = block + 48 + part / 2 * 32;
    for (int i = 0; i < 32; ++i) {
      const int q = (qs[i] >> shift_of(part) & 0xF) | (qh[i] >> part & 1) << 4;
      y[i] = factor * number(q) - offset;
    }
  }
}

void q6_k(Bytes block, float* y) {
  const float d = half(block + 208);
  for (int part = 0; part < 16; ++part, y += 16) {
    const float scale = d * number(static_cast<int8_t>(block[192 + part]));
    Bytes ql = block + part / 8 * 64 + part % 4 * 16;  // 64 bytes hold 128 numbers
    const int shift = part % 8 / 4 * 4;
    const TwoBits qh(block + 128, part);
    for (int i = 0; i < 16; ++i) y[i] = scale * number(((ql[i] >> shift & 0xF) | qh[i] << 4) - 32);
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
