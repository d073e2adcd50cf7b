#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace t2v {

/// Damages bytes in one to eight places, the same for a seed: bits, bytes, stretches cut, doubled and moved,
/// pieces of another file, and what means something to the formats.
class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  std::string operator()(std::string bytes, const std::string& other) {
    // Headers are at the front: half of the damage is there.
    const size_t reach = below(2) == 0 ? bytes.size() : std::min<size_t>(bytes.size(), 4096);
    for (size_t i = below(8) + 1; i > 0; --i) change(bytes, std::min(reach, bytes.size()), other);
    return bytes;
  }

  size_t below(size_t end) { return random_() % end; }

 private:
  void change(std::string& bytes, size_t reach, const std::string& other) {
    static const std::vector<std::string> kPieces = {"\"",
                                                     "{",
                                                     "}",
                                                     "[",
                                                     "]",
                                                     ",",
                                                     ":",
                                                     "-",
                                                     "0",
                                                     "9",
                                                     ".5",
                                                     "1e9",
                                                     "1e999",
                                                     "\\",
                                                     "\\u0000",
                                                     "\\ud800",
                                                     "null",
                                                     "true",
                                                     "{}",
                                                     "[]",
                                                     "\xFF",
                                                     "../",
                                                     "F4",
                                                     "BOOL",
                                                     "__metadata__",
                                                     "18446744073709551615",
                                                     "9223372036854775807",
                                                     "-1",
                                                     "4294967296",
                                                     "\"shape\":[",
                                                     "\"config\":\"{}\"",
                                                     "[[[[[[[[",
                                                     "{\"a\":",
                                                     "\n",
                                                     "\r\n",
                                                     "\t",
                                                     "\xEF\xBB\xBF",
                                                     std::string(8, '\0'),
                                                     std::string(8, '\xFF'),
                                                     std::string("\x00\x00\x00\x80", 4),
                                                     "PK\x03\x04",
                                                     "PK\x05\x06",
                                                     "\x80\x02",
                                                     "Rcposix\nsystem\n",
                                                     "\x8A\x08",
                                                     "\x94",
                                                     "(",
                                                     "t.",
                                                     "blocks.0.",
                                                     "num_layers"};
    if (reach == 0) return;
    const size_t at = below(reach), length = std::min(below(32) + 1, bytes.size() - at);
    const std::string& piece = kPieces[below(kPieces.size())];
    switch (below(8)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(below(256));
        break;
      case 2:
        bytes.erase(at, length);
        break;
      case 3:
        bytes.insert(below(reach), bytes.substr(at, length));
        break;
      case 4:
        bytes.insert(at, piece);
        break;
      case 5:
        bytes.replace(at, std::min(piece.size(), bytes.size() - at), piece);
        break;
      case 6:
        if (!other.empty()) bytes.replace(at, length, other.substr(below(other.size()), length));
        break;
      case 7:
        if (below(8) == 0) bytes.resize(at);
        break;
    }
  }

  std::mt19937_64 random_;
};

}  // namespace t2v
