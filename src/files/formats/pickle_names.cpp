#include "files/formats/pickle_names.h"

namespace t2v {
namespace {

struct NamedFormat {
  std::string_view name;
  NumberFormat format;
};
constexpr NamedFormat kStorages[] = {
    {"torch DoubleStorage", NumberFormat::kF64}, {"torch FloatStorage", NumberFormat::kF32},
    {"torch HalfStorage", NumberFormat::kF16},   {"torch BFloat16Storage", NumberFormat::kBF16},
    {"torch LongStorage", NumberFormat::kI64},   {"torch IntStorage", NumberFormat::kI32},
    {"torch ShortStorage", NumberFormat::kI16},  {"torch CharStorage", NumberFormat::kI8},
    {"torch ByteStorage", NumberFormat::kU8},    {"torch BoolStorage", NumberFormat::kBool},
};
constexpr NamedFormat kDtypes[] = {
    {"torch float64", NumberFormat::kF64},
    {"torch float32", NumberFormat::kF32},
    {"torch float16", NumberFormat::kF16},
    {"torch bfloat16", NumberFormat::kBF16},
    {"torch float8_e4m3fn", NumberFormat::kF8E4M3},
    {"torch float8_e5m2", NumberFormat::kF8E5M2},
    {"torch int64", NumberFormat::kI64},
    {"torch int32", NumberFormat::kI32},
    {"torch int16", NumberFormat::kI16},
    {"torch int8", NumberFormat::kI8},
    {"torch uint8", NumberFormat::kU8},
    {"torch bool", NumberFormat::kBool},
};

template <size_t size>
std::optional<NumberFormat> format_named(const NamedFormat (&list)[size], std::string_view name) {
  for (const NamedFormat& known : list) {
    if (known.name == name) return known.format;
  }
  return std::nullopt;
}

}  // namespace

std::optional<NumberFormat> storage_format(std::string_view name) { return format_named(kStorages, name); }

std::optional<NumberFormat> dtype_format(std::string_view name) { return format_named(kDtypes, name); }

bool is_byte_storage(std::string_view name) {
  return name == "torch UntypedStorage" || name == "torch.storage UntypedStorage";
}

bool is_allowed_name(std::string_view name) {
  return name == kOrderedDict || name == kTensorV2 || name == kTensorV3 || name == kParameter ||
         is_byte_storage(name) || storage_format(name) || dtype_format(name);
}

}  // namespace t2v
