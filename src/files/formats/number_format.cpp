#include "files/formats/number_format.h"

#include <array>

namespace t2v {
namespace {

struct Description {
  NumberFormat format;
  std::string_view name;
  NumberBlock block;
};

/// In the order of the enumerators.
constexpr std::array<Description, 24> kFormats = {{
    {NumberFormat::kF64, "F64", {1, 8}},         {NumberFormat::kF32, "F32", {1, 4}},
    {NumberFormat::kF16, "F16", {1, 2}},         {NumberFormat::kBF16, "BF16", {1, 2}},
    {NumberFormat::kF8E4M3, "F8_E4M3", {1, 1}},  {NumberFormat::kF8E5M2, "F8_E5M2", {1, 1}},
    {NumberFormat::kI64, "I64", {1, 8}},         {NumberFormat::kI32, "I32", {1, 4}},
    {NumberFormat::kI16, "I16", {1, 2}},         {NumberFormat::kI8, "I8", {1, 1}},
    {NumberFormat::kU8, "U8", {1, 1}},           {NumberFormat::kBool, "BOOL", {1, 1}},
    {NumberFormat::kQ4_0, "Q4_0", {32, 18}},     {NumberFormat::kQ4_1, "Q4_1", {32, 20}},
    {NumberFormat::kQ5_0, "Q5_0", {32, 22}},     {NumberFormat::kQ5_1, "Q5_1", {32, 24}},
    {NumberFormat::kQ8_0, "Q8_0", {32, 34}},     {NumberFormat::kQ2_K, "Q2_K", {256, 84}},
    {NumberFormat::kQ3_K, "Q3_K", {256, 110}},   {NumberFormat::kQ4_K, "Q4_K", {256, 144}},
    {NumberFormat::kQ5_K, "Q5_K", {256, 176}},   {NumberFormat::kQ6_K, "Q6_K", {256, 210}},
    {NumberFormat::kIQ4_NL, "IQ4_NL", {32, 18}}, {NumberFormat::kIQ4_XS, "IQ4_XS", {256, 136}},
}};

const Description& describe(NumberFormat format) { return kFormats[static_cast<size_t>(format)]; }

}  // namespace

std::string_view number_format_name(NumberFormat format) { return describe(format).name; }

std::optional<NumberFormat> number_format_of(std::string_view name) {
  for (const Description& known : kFormats) {
    if (known.name == name && !is_quantized(known.format)) return known.format;
  }
  return std::nullopt;
}

NumberBlock number_block(NumberFormat format) { return describe(format).block; }

bool is_floating(NumberFormat format) { return format <= NumberFormat::kF8E5M2 || is_quantized(format); }

bool is_quantized(NumberFormat format) { return format >= NumberFormat::kQ4_0; }

}  // namespace t2v
