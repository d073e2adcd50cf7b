#pragma once

#include <string>
#include <string_view>

namespace t2v {

/// The text with HTML entities and character references replaced as Python's html.unescape does: names
/// without their semicolon too where HTML allows that, the longest name that fits.
std::string unescape_html(std::string_view text);

/// The same as ftfy does it: only what ends in a semicolon, and names of lower-case letters in capitals as
/// well. With `nested` again until none is left ("&amp;amp;lt;").
std::string unescape_html_strictly(std::string_view text, bool nested);

/// The character that code page 1252 has where Latin-1 has the C1 control `value`, or `value` itself.
char32_t windows_1252(char32_t value);

}  // namespace t2v
