#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace t2v {

/// Opens /dev/null in place of a closed standard input, output or error. Otherwise the first file that a run
/// opens would get the number of the closed stream, and messages would be written into the file.
void open_missing_streams();

/// Writes all of `text`. Returns false, with errno set, if that fails.
bool write_all(int descriptor, std::string_view text);

/// Writes the result of a command to standard output. Returns exit code 0. Error (kOutput).
int print(const std::string& text);

/// JSON on one line, without a line break; bytes that are not UTF-8 are replaced.
std::string one_line(const nlohmann::ordered_json& value);

/// Prints JSON on one line; bytes that are not UTF-8 are replaced. Returns exit code 0. Error (kOutput).
int print_json(const nlohmann::ordered_json& value);

/// Whether `descriptor` is a pipe whose reader has gone.
bool is_closed_pipe(int descriptor);

/// Whether `descriptor` is a terminal that can move its cursor.
bool is_terminal(int descriptor);

/// Columns of the terminal; 80 if they are unknown.
int terminal_width(int descriptor);

}  // namespace t2v
