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

/// Why a file cannot be opened or read, by errno: "no such file", "a folder", else as the C library says it.
std::string file_trouble(int error_number);

/// The candidate that a person most likely meant by `word`: edit distance at most a third of its length; else
/// "".
std::string closest_match(std::string_view word, const std::vector<std::string>& candidates);

/// Words as errors and help texts list them: "a", "a or b", "a, b or c".
std::string one_of(const std::vector<std::string>& words);

}  // namespace t2v
