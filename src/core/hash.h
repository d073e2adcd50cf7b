#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace t2v {

/// The 64-bit FNV-1a hash (http://www.isthe.com/chongo/tech/comp/fnv/). Not safe against chosen collisions.
inline uint64_t fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  return hash;
}

/// The hash in sixteen hexadecimal digits.
inline std::string fnv1a_name(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const uint64_t hash = fnv1a(text);
  std::string name;
  for (int shift = 60; shift >= 0; shift -= 4) name += kDigits[(hash >> shift) & 15];
  return name;
}

}  // namespace t2v
