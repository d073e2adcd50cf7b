#pragma once

#include <string>
#include <string_view>

namespace t2v {

/// Replaces HTML entities and character references like Python's html.unescape. Where HTML allows it, a name
/// may lack its semicolon; the longest name that fits is taken.
std::string unescape_html(std::string_view text);

/// Replaces them like ftfy: only names with a semicolon, and lower-case names also in capitals. With `nested`
/// it repeats until no entity is left ("&amp;amp;lt;").
std::string unescape_html_strictly(std::string_view text, bool nested);

/// The character of code page 1252 at the position of a C1 control; other values are returned unchanged.
char32_t windows_1252(char32_t value);

}  // namespace t2v
