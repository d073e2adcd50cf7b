#include "checkpoints/number_format.h"

#include <array>

namespace t2v {
namespace {

struct Description {
  NumberFormat format;
  std::string_view name;
  int64_t size;
  bool floating;
};

constexpr std::array<Description, 12> kFormats = {{
    {NumberFormat::kF64, "F64", 8, true},
    {NumberFormat::kF32, "F32", 4, true},
    {NumberFormat::kF16, "F16", 2, true},
    {NumberFormat::kBF16, "BF16", 2, true},
    {NumberFormat::kF8E4M3, "F8_E4M3", 1, true},
    {NumberFormat::kF8E5M2, "F8_E5M2", 1, true},
    {NumberFormat::kI64, "I64", 8, false},
    {NumberFormat::kI32, "I32", 4, false},
    {NumberFormat::kI16, "I16", 2, false},
    {NumberFormat::kI8, "I8", 1, false},
    {NumberFormat::kU8, "U8", 1, false},
    {NumberFormat::kBool, "BOOL", 1, false},
}};

/// kFormats is in the order of the enumerators.
const Description& describe(NumberFormat format) { return kFormats[static_cast<size_t>(format)]; }

}  // namespace

std::string_view number_format_name(NumberFormat format) { return describe(format).name; }

std::optional<NumberFormat> number_format_of(std::string_view name) {
  for (const Description& known : kFormats) {
    if (known.name == name) return known.format;
  }
  return std::nullopt;
}

int64_t element_size(NumberFormat format) { return describe(format).size; }

bool is_floating(NumberFormat format) { return describe(format).floating; }

}  // namespace t2v
