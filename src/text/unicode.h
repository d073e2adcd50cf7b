#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace t2v {

/// A code point, and its size in bytes of UTF-8.
struct CodePoint {
  char32_t value = 0;
  size_t size = 0;
};

/// The first code point of `text`, which is valid UTF-8 and not empty.
CodePoint first_code_point(std::string_view text);
/// The last code point of `text`, likewise.
CodePoint last_code_point(std::string_view text);

void append_utf8(char32_t value, std::string* text);

/// Unicode's White_Space property: \s of `regex`, whitespace of Rust.
bool is_white_space(char32_t value);
/// A decimal digit of any script (category Nd).
bool is_digit(char32_t value);
/// The class \w of regular expressions: letters, marks, digits, connectors, joiners.
bool is_word_character(char32_t value);

/// Replaces every `pattern` in `text` by `content`, from the left.
std::string replaced_all(std::string_view text, std::string_view pattern, std::string_view content);

/// Canonical composition (NFC) or, with `compatibility`, NFKC.
std::string normalized(std::string_view text, bool compatibility);

}  // namespace t2v
