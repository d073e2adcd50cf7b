#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace t2v {

/// Reads comma-separated values (RFC 4180), one record per line. Fields with commas, quotes or line breaks
/// stand in quotes.
class CsvReader {
 public:
  /// `text` outlives the reader; errors use `name`, and count lines from `line`.
  CsvReader(std::string_view text, std::string name, size_t line = 1)
      : text_(text), name_(std::move(name)), line_(line) {}

  bool at_end() const { return position_ >= text_.size(); }
  size_t position() const { return position_; }  ///< where the next record begins
  size_t line() const { return line_; }          ///< the line of the next record

  /// Reads the fields of the next record. Error (kUsage) with the line for a quote that is not closed or that
  /// stands in a field without quotes.
  std::vector<std::string> read();

 private:
  std::string read_quoted();
  std::string read_plain();
  [[noreturn]] void refuse(size_t line, const std::string& got, const std::string& expected) const;

  std::string_view text_;
  std::string name_;
  size_t position_ = 0, line_;
};

}  // namespace t2v
