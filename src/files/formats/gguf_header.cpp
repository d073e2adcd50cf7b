#include <algorithm>
#include <set>
#include <tuple>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "files/formats/byte_reader.h"
#include "files/formats/file_headers.h"

namespace t2v {
namespace {

constexpr uint32_t kMostGgufDimensions = 8;
constexpr uint64_t kLargestAlignment = 1 << 16;
constexpr size_t kLongestKey = 65535;  // of metadata: what the format allows
constexpr uint64_t kLongestList = 64;  // of those kept as metadata; vocabularies are passed over
constexpr size_t kLongestText = 1 << 20;
constexpr int kDeepestList = 4;

/// The types of metadata, in the order of their numbers in the format.
enum class ValueType : uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kList,
  kU64,
  kI64,
  kF64
};

struct TensorType {
  uint32_t id;
  std::optional<NumberFormat> format;  ///< none: of ggml, and not read here
  const char* name;
};
constexpr TensorType kTensorTypes[] = {
    {0, NumberFormat::kF32, ""},     {1, NumberFormat::kF16, ""},     {2, NumberFormat::kQ4_0, ""},
    {3, NumberFormat::kQ4_1, ""},    {6, NumberFormat::kQ5_0, ""},    {7, NumberFormat::kQ5_1, ""},
    {8, NumberFormat::kQ8_0, ""},    {10, NumberFormat::kQ2_K, ""},   {11, NumberFormat::kQ3_K, ""},
    {12, NumberFormat::kQ4_K, ""},   {13, NumberFormat::kQ5_K, ""},   {14, NumberFormat::kQ6_K, ""},
    {20, NumberFormat::kIQ4_NL, ""}, {23, NumberFormat::kIQ4_XS, ""}, {24, NumberFormat::kI8, ""},
    {25, NumberFormat::kI16, ""},    {26, NumberFormat::kI32, ""},    {27, NumberFormat::kI64, ""},
    {28, NumberFormat::kF64, ""},    {30, NumberFormat::kBF16, ""},   {9, std::nullopt, "Q8_1"},
    {15, std::nullopt, "Q8_K"},      {16, std::nullopt, "IQ2_XXS"},   {17, std::nullopt, "IQ2_XS"},
    {18, std::nullopt, "IQ3_XXS"},   {19, std::nullopt, "IQ1_S"},     {21, std::nullopt, "IQ3_S"},
    {22, std::nullopt, "IQ2_S"},     {29, std::nullopt, "IQ1_M"},     {34, std::nullopt, "TQ1_0"},
    {35, std::nullopt, "TQ2_0"},     {39, std::nullopt, "MXFP4"},     {40, std::nullopt, "NVFP4"},
};

class GgufReader {
 public:
  GgufReader(std::string_view bytes, const std::string& origin)
      : bytes_(bytes), origin_(origin), reader_(bytes, origin) {}

  FileHeader read() {
    header_.format = FileFormat::kGguf;
    reader_.take_bytes(4);  // the magic that told the format
    const auto version = reader_.take<uint32_t>();
    if (version != 2 && version != 3) {
      reader_.refuse("version " + std::to_string(version), "GGUF 2 or 3, little-endian");
    }
    const auto tensor_count = reader_.take<uint64_t>();
    const auto value_count = reader_.take<uint64_t>();
    if (tensor_count > kMostEntries || value_count > kMostEntries) {
      reader_.refuse(std::to_string(tensor_count) + " tensors and " + std::to_string(value_count) + " values",
                     "at most " + std::to_string(kMostEntries));
    }
    for (uint64_t i = 0; i < value_count; ++i) read_key_value();
    const uint64_t alignment = read_alignment();
    for (uint64_t i = 0; i < tensor_count; ++i) read_tensor(alignment);
    place_tensors(alignment);
    return std::move(header_);
  }

 private:
  std::string take_name(const char* what, size_t longest) {
    const auto length = reader_.take<uint64_t>();
    if (length > longest) {
      reader_.refuse(std::string("a ") + what + " of " + std::to_string(length) + " bytes",
                     "at most " + std::to_string(longest));
    }
    const std::string_view name = reader_.take_bytes(length);
    if (name.empty() || !is_valid_utf8(name)) {
      reader_.refuse(std::string("a ") + what + " that is empty or not UTF-8", "UTF-8 text");
    }
    return std::string(name);
  }

  void read_key_value() {
    const std::string key = take_name("key", kLongestKey);
    if (!keys_.insert(key).second) reader_.refuse("the key " + shown_name(key) + " twice", "every key once");
    list_ = {};
    const nlohmann::json value = take_value(reader_.take<uint32_t>(), 0);
    if (value.is_null() && list_.count > 0) header_.lists.emplace(key, list_);
    if (value.is_null()) return;
    header_.metadata.emplace(key, value.is_string() ? value.get<std::string>() : value.dump());
  }

  /// A value of metadata; null for one that is too long to keep.
  nlohmann::json take_value(uint32_t type, int depth) {
    switch (static_cast<ValueType>(type)) {
      case ValueType::kU8:
        return reader_.take<uint8_t>();
      case ValueType::kI8:
        return reader_.take<int8_t>();
      case ValueType::kU16:
        return reader_.take<uint16_t>();
      case ValueType::kI16:
        return reader_.take<int16_t>();
      case ValueType::kU32:
        return reader_.take<uint32_t>();
      case ValueType::kI32:
        return reader_.take<int32_t>();
      case ValueType::kF32:
        return reader_.take<float>();
      case ValueType::kBool:
        return take_bool();
      case ValueType::kString:
        return take_text();
      case ValueType::kList:
        return take_list(depth);
      case ValueType::kU64:
        return reader_.take<uint64_t>();
      case ValueType::kI64:
        return reader_.take<int64_t>();
      case ValueType::kF64:
        return reader_.take<double>();
    }
    reader_.refuse("a value of type " + std::to_string(type), "one of the 13 types of GGUF");
  }

  nlohmann::json take_bool() {
    const auto value = reader_.take<uint8_t>();
    if (value > 1) reader_.refuse("a truth value " + std::to_string(value), "0 or 1");
    return value == 1;
  }

  nlohmann::json take_text() {
    const std::string_view text = reader_.take_bytes(reader_.take<uint64_t>());
    if (text.size() > kLongestText || !is_valid_utf8(text)) return nullptr;
    return std::string(text);
  }

  nlohmann::json take_list(int depth) {
    const auto type = reader_.take<uint32_t>();
    const auto count = reader_.take<uint64_t>();
    if (depth == kDeepestList) reader_.refuse("lists in lists in lists", "at most 4 in one another");
    if (count > reader_.left()) reader_.refuse("a list of " + std::to_string(count) + " values", "fewer");
    if (depth == 0) list_ = {.type = type, .count = count, .begin = reader_.position()};
    nlohmann::json list = nlohmann::json::array();
    for (uint64_t i = 0; i < count; ++i) {
      nlohmann::json value = take_value(type, depth + 1);
      if (count <= kLongestList) list.push_back(std::move(value));
    }
    return count <= kLongestList ? list : nlohmann::json(nullptr);
  }

  uint64_t read_alignment() {
    const auto found = header_.metadata.find("general.alignment");
    if (found == header_.metadata.end()) return 32;
    const std::string& text = found->second;
    const bool number = text.size() <= 5 && text.find_first_not_of("0123456789") == std::string::npos;
    const uint64_t alignment = number && !text.empty() ? std::stoull(text) : 0;
    if (alignment == 0 || alignment > kLargestAlignment || !std::has_single_bit(alignment)) {
      reader_.refuse("the alignment " + shown_name(text), "a power of two up to 65536");
    }
    return alignment;
  }

  NumberFormat take_tensor_type(const std::string& name) {
    const auto id = reader_.take<uint32_t>();
    const auto* known = std::find_if(std::begin(kTensorTypes), std::end(kTensorTypes),
                                     [&](const TensorType& type) { return type.id == id; });
    if (known != std::end(kTensorTypes) && known->format) return *known->format;
    throw Error(ErrorCode::kInput,
                {.doing = "reading " + origin_ + ", tensor " + shown_name(name),
                 .got = known != std::end(kTensorTypes) ? std::string("numbers of type ") + known->name
                                                        : "numbers of type " + std::to_string(id),
                 .expected = "F32, F16, BF16, Q8_0, Q6_K, Q5_K, Q4_K, Q3_K, Q2_K, Q5_0, Q5_1, Q4_0, Q4_1, "
                             "IQ4_NL or IQ4_XS",
                 .advice = "download the same model as Q4_K_M or Q8_0, or as safetensors"});
  }

  void read_tensor(uint64_t alignment) {
    const std::string name = take_name("tensor's name", kLongestTensorName);
    const auto dimensions = reader_.take<uint32_t>();
    if (dimensions > kMostGgufDimensions) {
      reader_.refuse(std::to_string(dimensions) + " dimensions of " + shown_name(name), "at most 8");
    }
    std::vector<int64_t> shape;
    for (uint32_t i = 0; i < dimensions; ++i) {
      const auto size = reader_.take<uint64_t>();
      if (size > INT64_MAX) reader_.refuse("a shape of " + shown_name(name) + " that overflows", "less");
      shape.insert(shape.begin(), static_cast<int64_t>(size));  // ggml's first dimension varies fastest
    }
    const NumberFormat format = take_tensor_type(name);
    const auto offset = reader_.take<uint64_t>();
    const auto size = stored_size(format, shape);
    if (!size) {
      reader_.refuse("a shape of " + shown_name(name) + " that overflows, or is not whole blocks of " +
                         std::string(number_format_name(format)),
                     "rows of whole blocks, at most 2^63 - 1 bytes");
    }
    if (offset % alignment != 0) {
      reader_.refuse("the data of " + shown_name(name) + " at " + std::to_string(offset),
                     "a multiple of the alignment " + std::to_string(alignment));
    }
    if (*size > bytes_.size() || offset > bytes_.size() - *size) {
      reader_.refuse("the data of " + shown_name(name) + " behind the end of the file", "it inside");
    }
    StoredTensor stored{
        .format = format, .shape = original_shape(name, shape), .begin = offset, .end = offset + *size};
    if (!header_.tensors.emplace(name, std::move(stored)).second) {
      reader_.refuse("the tensor " + shown_name(name) + " twice", "every name once");
    }
  }

  /// The shape that a tensor had before its writer flattened it; some note it in the metadata.
  std::vector<int64_t> original_shape(const std::string& name, const std::vector<int64_t>& shape) const {
    const auto found = header_.metadata.find("comfy.gguf.orig_shape." + name);
    if (found == header_.metadata.end()) return shape;
    const nlohmann::json list = nlohmann::json::parse(found->second, nullptr, /*allow_exceptions=*/false);
    std::vector<int64_t> original;
    bool fits = list.is_array() && list.size() <= kMostGgufDimensions;
    for (size_t i = 0; fits && i < list.size(); ++i) {
      fits = list[i].is_number_integer() && list[i].get<double>() >= 1 && list[i].get<double>() <= 1e12;
      if (fits) original.push_back(list[i].get<int64_t>());
    }
    // One byte a number: what is compared are the numbers, whatever their format.
    if (!fits || stored_size(NumberFormat::kU8, original) != stored_size(NumberFormat::kU8, shape)) {
      reader_.refuse("the original shape " + shown_name(found->second) + " of " + shown_name(name),
                     "as many numbers as the file has");
    }
    return original;
  }

  /// Makes the offsets count from the beginning of the file; the tensors follow each other, padded to the
  /// alignment and no further, up to the end of the file.
  void place_tensors(uint64_t alignment) {
    const auto padded = [alignment](uint64_t position) {
      return (position + alignment - 1) / alignment * alignment;
    };
    std::vector<std::pair<const std::string, StoredTensor>*> order;
    for (auto& entry : header_.tensors) order.push_back(&entry);
    std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
      return std::tie(a->second.begin, a->second.end) < std::tie(b->second.begin, b->second.end);
    });
    const uint64_t data = padded(reader_.position());
    uint64_t end = 0;
    for (auto* entry : order) {
      auto& [name, stored] = *entry;
      if (stored.begin != padded(end)) {
        reader_.refuse("the data of " + shown_name(name) + " at " + std::to_string(stored.begin),
                       "it at " + std::to_string(padded(end)) + ", without gap or overlap");
      }
      end = stored.end;
      stored.begin += data;
      stored.end += data;
    }
    const bool inside = order.empty() || data + end <= bytes_.size();
    if (!inside || bytes_.size() > std::max(padded(data + end), reader_.position())) {
      reader_.refuse("a file of " + std::to_string(bytes_.size()) + " bytes",
                     std::to_string(data + end) + " bytes of header and tensors");
    }
  }

  std::string_view bytes_;
  const std::string& origin_;
  ByteReader reader_;
  FileHeader header_;
  std::set<std::string> keys_;
  StoredList list_;  ///< the one that was read last
};

}  // namespace

FileHeader read_gguf_header(std::string_view bytes, const std::string& origin) {
  return GgufReader(bytes, origin).read();
}

}  // namespace t2v
