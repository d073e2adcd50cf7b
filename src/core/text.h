#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace t2v {

/// True if every byte of `text` belongs to a well-formed UTF-8 sequence (no surrogates, no overlong forms).
bool is_valid_utf8(std::string_view text);

/// `text` with control characters, and bytes that are not UTF-8, written as \n, \t or \xNN: safe to show on a
/// terminal.
std::string escape_for_display(std::string_view text);

/// `text` as one word of a POSIX shell, in single quotes.
std::string in_shell_quotes(std::string_view text);

/// The reason for a value of errno after a failed open or read: "no such file", "a folder" or strerror().
std::string file_trouble(int error_number);

/// The candidate closest to `word`, at an edit distance of at most a third of its length; "" if there is
/// none.
std::string closest_match(std::string_view word, const std::vector<std::string>& candidates);

/// A list of words for errors and help texts: "a", "a or b", "a, b or c".
std::string one_of(const std::vector<std::string>& words);

}  // namespace t2v
