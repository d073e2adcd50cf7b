#include "files/formats/file_headers.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include <nlohmann/json.hpp>

namespace t2v {
namespace {

constexpr uint64_t kLongestHeader = 100'000'000;  // what the safetensors library accepts
constexpr size_t kLengthSize = 8;

[[noreturn]] void refuse(const std::string& origin, const std::string& got, const std::string& expected) {
  throw Error(ErrorCode::kInput, {.doing = "reading " + origin,
                                  .got = got,
                                  .expected = expected,
                                  .advice = "the file is damaged: download it again"});
}

/// The entry of one tensor, as it stands in the header.
struct Entry {
  std::optional<std::string> dtype;
  std::optional<std::vector<uint64_t>> shape, offsets;
};

/// The tensor of one entry. Its place among the other tensors is checked at the end.
StoredTensor checked(const Entry& entry, const std::string& name, const std::string& origin) {
  if (!entry.dtype || !entry.shape || !entry.offsets || entry.offsets->size() != 2) {
    refuse(origin, "an incomplete entry " + shown_name(name), "dtype, shape and two data_offsets");
  }
  const auto dtype = number_format_of(*entry.dtype);
  if (!dtype) {
    throw Error(ErrorCode::kInput,
                {.doing = "reading " + origin + ", tensor " + shown_name(name),
                 .got = "the dtype " + shown_name(*entry.dtype),
                 .expected = "F64, F32, F16, BF16, F8_E4M3, F8_E5M2, I64, I32, I16, I8, U8 or BOOL",
                 .advice = "use a checkpoint in one of these"});
  }
  StoredTensor stored{
      .format = *dtype, .shape = {}, .begin = (*entry.offsets)[0], .end = (*entry.offsets)[1]};
  for (const uint64_t size : *entry.shape) {
    stored.shape.push_back(static_cast<int64_t>(std::min<uint64_t>(size, INT64_MAX)));
  }
  const auto needed = stored_size(*dtype, stored.shape);
  if (!needed ||
      std::any_of(entry.shape->begin(), entry.shape->end(), [](uint64_t size) { return size > INT64_MAX; })) {
    refuse(origin, "a shape of " + shown_name(name) + " whose size overflows", "at most 2^63 - 1 bytes");
  }
  const uint64_t bytes = *needed;
  if (stored.end < stored.begin || stored.end - stored.begin != bytes) {
    refuse(origin,
           "data_offsets " + std::to_string(stored.begin) + " to " + std::to_string(stored.end) + " of " +
               shown_name(name),
           std::to_string(bytes) + " bytes, which its dtype and shape need");
  }
  return stored;
}

/// Receives the JSON of a header piece by piece, so that nothing is built that the format does not allow.
class HeaderReader final : public nlohmann::json::json_sax_t {
 public:
  explicit HeaderReader(const std::string& origin) : origin_(origin) {}

  FileHeader take() { return std::move(header_); }

  bool start_object(std::size_t) override {
    switch (level_) {
      case Level::kOutside:
        level_ = Level::kTop;
        return true;
      case Level::kTop:
        level_ = name_ == "__metadata__" ? Level::kMetadata : Level::kTensor;
        entry_ = {};
        return true;
      default:
        unexpected("an object");
    }
  }

  bool key(string_t& key) override {
    if (level_ == Level::kTop) {
      begin_entry(key);
    } else {
      begin_field(key);
    }
    return true;
  }

  bool string(string_t& value) override {
    if (level_ == Level::kMetadata) {
      header_.metadata.emplace(field_, std::move(value));
    } else if (level_ == Level::kTensor && field_ == "dtype") {
      entry_.dtype = value;
    } else {
      unexpected("a string");
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (level_ != Level::kTensor || field_ == "dtype") unexpected("a list");
    level_ = field_ == "shape" ? Level::kShape : Level::kOffsets;
    (level_ == Level::kShape ? entry_.shape : entry_.offsets).emplace();
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (level_ != Level::kShape && level_ != Level::kOffsets) unexpected("a number");
    std::vector<uint64_t>& list = *(level_ == Level::kShape ? entry_.shape : entry_.offsets);
    const size_t most = level_ == Level::kShape ? kMostDimensions : 2;
    if (list.size() == most)
      refuse(origin_, "more than " + std::to_string(most) + " numbers in " + where(), "fewer");
    list.push_back(value);
    return true;
  }

  bool end_array() override {
    level_ = Level::kTensor;
    return true;
  }

  bool end_object() override {
    if (level_ == Level::kTop) {
      level_ = Level::kOutside;
      return true;
    }
    if (level_ == Level::kTensor) header_.tensors.emplace(name_, checked(entry_, name_, origin_));
    level_ = Level::kTop;
    return true;
  }

  bool null() override { unexpected("null"); }
  bool boolean(bool value) override { unexpected(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { unexpected(std::to_string(value)); }
  bool number_float(number_float_t, const string_t&) override {
    unexpected("a number beyond 64 bits or with a fraction");
  }
  bool binary(binary_t&) override { unexpected("binary data"); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    // The parser's own message quotes what it read last, which a hostile file makes as long as it likes.
    refuse(origin_, "a header that is not JSON in UTF-8 at its byte " + std::to_string(position),
           "a JSON object");
  }

 private:
  enum class Level { kOutside, kTop, kMetadata, kTensor, kShape, kOffsets };

  void begin_entry(const std::string& name) {
    const bool is_metadata = name == "__metadata__";
    if (is_metadata ? metadata_seen_ : header_.tensors.contains(name))
      refuse(origin_, shown_name(name) + " twice", "every name once");
    if (name.size() > kLongestTensorName) {
      refuse(origin_, "the name " + shown_name(name) + " of " + std::to_string(name.size()) + " bytes",
             "at most " + std::to_string(kLongestTensorName));
    }
    expect_few(header_.tensors.size(), "tensors");
    metadata_seen_ = metadata_seen_ || is_metadata;
    name_ = name;
  }

  void begin_field(const std::string& field) {
    const bool seen = level_ == Level::kMetadata
                          ? header_.metadata.contains(field)
                          : (field == "dtype" && entry_.dtype) || (field == "shape" && entry_.shape) ||
                                (field == "data_offsets" && entry_.offsets);
    if (seen)
      refuse(origin_, "the key " + shown_name(field) + " of " + shown_name(name_) + " twice",
             "every key once");
    if (level_ == Level::kTensor && field != "dtype" && field != "shape" && field != "data_offsets") {
      refuse(origin_, "the key " + shown_name(field) + " of " + shown_name(name_),
             "dtype, shape and data_offsets alone");
    }
    if (level_ == Level::kMetadata) expect_few(header_.metadata.size(), "values of metadata");
    field_ = field;
  }

  /// One more, when there are so many.
  void expect_few(size_t count, const std::string& what) const {
    if (count < kMostEntries) return;
    refuse(origin_, "more than " + std::to_string(kMostEntries) + " " + what, "a file of one model");
  }

  std::string where() const {
    if (level_ == Level::kOutside) return "the header";
    return level_ == Level::kTop ? shown_name(name_) : shown_name(field_) + " of " + shown_name(name_);
  }

  [[noreturn]] void unexpected(const std::string& got) const {
    std::string expected = "an object";
    if (level_ == Level::kMetadata || (level_ == Level::kTensor && field_ == "dtype")) expected = "a string";
    if (level_ == Level::kTensor && field_ != "dtype") expected = "a list";
    if (level_ == Level::kShape || level_ == Level::kOffsets) expected = "integers from 0 to 2^64 - 1";
    refuse(origin_, got + " for " + where(), expected);
  }

  const std::string& origin_;
  FileHeader header_;
  Level level_ = Level::kOutside;
  bool metadata_seen_ = false;
  std::string name_, field_;
  Entry entry_;
};

/// The tensors in the order of their bytes follow each other from 0 to `data_size`.
void check_layout(const FileHeader& header, uint64_t data_size, const std::string& origin) {
  std::vector<const std::pair<const std::string, StoredTensor>*> order;
  for (const auto& entry : header.tensors) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return std::tie(a->second.begin, a->second.end) < std::tie(b->second.begin, b->second.end);
  });
  uint64_t end = 0;
  for (const auto* entry : order) {
    const auto& [name, stored] = *entry;
    if (stored.begin != end) {
      refuse(origin, "the data of " + shown_name(name) + " at byte " + std::to_string(stored.begin),
             "it at byte " + std::to_string(end) + ", without gap or overlap");
    }
    end = stored.end;
  }
  if (end != data_size) {
    refuse(origin, std::to_string(data_size) + " bytes behind the header",
           std::to_string(end) + " bytes of tensors");
  }
}

FileHeader parse_json(std::string_view json, uint64_t data_size, const std::string& origin) {
  HeaderReader reader(origin);
  // The parser would skip a byte order mark, and take a NUL for the end.
  if (json.empty() || json.front() != '{' || json.find('\0') != std::string_view::npos) {
    refuse(origin, "a header that is not JSON", "a JSON object");
  }
  nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
  FileHeader header = reader.take();
  check_layout(header, data_size, origin);
  return header;
}

/// The JSON of the header, somewhere inside `bytes`.
std::string_view header_text(std::string_view bytes, const std::string& file) {
  const auto refuse = [&](const std::string& got, const std::string& expected) {
    throw Error(ErrorCode::kInput,
                {.doing = "reading " + file,
                 .got = got,
                 .expected = expected,
                 .advice = "the file is damaged, or of a format that t2v does not read: download it again"});
  };
  if (bytes.size() < kLengthSize) {
    refuse("a file of " + std::to_string(bytes.size()) + " bytes", "a header of at least 8");
  }
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthSize; ++i) length |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  const uint64_t longest = std::min<uint64_t>(kLongestHeader, bytes.size() - kLengthSize);
  if (length > longest) {
    refuse("a header of " + std::to_string(length) + " bytes in a file of " + std::to_string(bytes.size()),
           "at most " + std::to_string(longest));
  }
  return bytes.substr(kLengthSize, length);
}

}  // namespace

FileHeader read_safetensors_header(std::string_view bytes, const std::string& origin) {
  const std::string_view json = header_text(bytes, origin);
  const size_t header_size = kLengthSize + json.size();
  FileHeader header = parse_json(json, bytes.size() - header_size, origin);
  for (auto& [name, stored] : header.tensors) {
    stored.begin += header_size;
    stored.end += header_size;
  }
  return header;
}

}  // namespace t2v
