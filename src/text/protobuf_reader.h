#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace t2v {

/// One field of a protobuf message in its wire format.
struct ProtobufField {
  uint64_t number = 0;
  uint64_t value = 0;      ///< of a varint, fixed64 or fixed32 field
  std::string_view bytes;  ///< of a length-delimited field
  enum class Kind { kVarint, kFixed64, kBytes, kFixed32 } kind = Kind::kVarint;
};

/// Walks over the fields of one message.
class ProtobufReader {
 public:
  /// `origin` is what errors call the file.
  ProtobufReader(std::string_view message, std::string origin);

  /// The next field; nothing at the end. Error (kInput) if the bytes are not a message.
  std::optional<ProtobufField> next();

 private:
  uint64_t varint();
  uint64_t fixed(size_t size);
  std::string_view take(uint64_t size);
  [[noreturn]] void fail() const;

  std::string_view rest_;
  std::string origin_;
};

}  // namespace t2v
