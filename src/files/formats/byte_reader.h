#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "t2v/error.h"

static_assert(std::endian::native == std::endian::little, "the formats read here are little-endian");

namespace t2v {

/// Takes little-endian values from the front of bytes that may end anywhere: reading behind the end is an
/// Error (kInput) that calls the file `origin`.
class ByteReader {
 public:
  ByteReader(std::string_view bytes, const std::string& origin) : bytes_(bytes), origin_(origin) {}

  template <typename Number>
  Number take() {
    static_assert(std::is_arithmetic_v<Number>);
    Number value;
    std::memcpy(&value, take_bytes(sizeof(Number)).data(), sizeof(Number));
    return value;
  }
  std::string_view take_bytes(uint64_t count) {
    if (count > left()) refuse("an end in the middle of a value, at byte " + std::to_string(position_), "");
    position_ += count;
    return bytes_.substr(position_ - count, count);
  }

  uint64_t position() const { return position_; }
  uint64_t left() const { return bytes_.size() - position_; }

  [[noreturn]] void refuse(const std::string& got, const std::string& expected) const {
    throw Error(ErrorCode::kInput, {.doing = "reading " + origin_,
                                    .got = got,
                                    .expected = expected,
                                    .advice = "the file is damaged: download it again"});
  }

 private:
  std::string_view bytes_;
  const std::string& origin_;
  uint64_t position_ = 0;
};

}  // namespace t2v
