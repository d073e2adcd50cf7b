#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace t2v {

/// Opens /dev/null in place of a closed standard input, output or error: the first file that a run opens
/// would get that number and receive what is meant for the stream.
void open_missing_streams();

/// Writes all of `text`; false, with errno, if that fails.
bool write_all(int descriptor, std::string_view text);

/// Writes what was asked for to standard output: if it cannot be written, the command failed. Returns exit
/// code 0. Error (kOutput).
int print(const std::string& text);

/// The same on one line; bytes that are no UTF-8 are replaced.
int print_json(const nlohmann::ordered_json& value);

/// True if `descriptor` is a pipe whose reader has gone.
bool is_closed_pipe(int descriptor);

/// True if `descriptor` is a terminal that understands cursor movement.
bool is_terminal(int descriptor);

/// Columns of the terminal, 80 if it does not say.
int terminal_width(int descriptor);

}  // namespace t2v
