#include "tensors/weights/dtypes.h"

#include <array>
#include <utility>

namespace t2v {
namespace {

constexpr std::array<std::pair<NumberFormat, at::ScalarType>, 12> kDtypes = {{
    {NumberFormat::kF64, at::kDouble},
    {NumberFormat::kF32, at::kFloat},
    {NumberFormat::kF16, at::kHalf},
    {NumberFormat::kBF16, at::kBFloat16},
    {NumberFormat::kF8E4M3, at::kFloat8_e4m3fn},
    {NumberFormat::kF8E5M2, at::kFloat8_e5m2},
    {NumberFormat::kI64, at::kLong},
    {NumberFormat::kI32, at::kInt},
    {NumberFormat::kI16, at::kShort},
    {NumberFormat::kI8, at::kChar},
    {NumberFormat::kU8, at::kByte},
    {NumberFormat::kBool, at::kBool},
}};

}  // namespace

at::ScalarType dtype_of(NumberFormat format) {
  for (const auto& [known, dtype] : kDtypes) {
    if (known == format) return dtype;
  }
  throw Error(ErrorCode::kBug, {.doing = "reading " + std::string(number_format_name(format))});
}

std::optional<NumberFormat> number_format_of(at::ScalarType dtype) {
  for (const auto& [format, known] : kDtypes) {
    if (known == dtype) return format;
  }
  return std::nullopt;
}

}  // namespace t2v
